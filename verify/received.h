/* received.h - the way of a message as its Received fields tell it (RFC 5321 4.4).  Facts: whoever writes
 * such a field may lie, and all below the topmost one that is ours is hearsay.  Tolerant: what can be read
 * is read, what is missing is said.  Pure, linear in the header's length. */
#ifndef VERIFY_RECEIVED_H
#define VERIFY_RECEIVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify/mail.h"

#define RECEIVED_HOPS_MAX 20 /* kept: the topmost; all are counted */
#define RECEIVED_NO_TIME  INT64_MIN

struct received_hop {
	char from[128];      /* what it said of itself */
	char from_info[160]; /* and what was seen of it: the comment behind it */
	char by[128];
	char with[32];
	char for_whom[128];
	int64_t time;   /* seconds since 1970, or RECEIVED_NO_TIME */
	char wrong[80]; /* the first thing that RFC 5321 4.4 wants otherwise; "" if nothing */
};
struct received_result {
	size_t hops; /* fields */
	size_t n;    /* in hop: hop[0] is the newest */
	struct received_hop hop[RECEIVED_HOPS_MAX];
	size_t wrong;     /* hops that are not as they should be */
	size_t backwards; /* hops whose time is before that of the hop before them */
	int64_t most;     /* ... by so many seconds at most */
	bool has_span;
	int64_t span;  /* seconds from the oldest time to the newest field's */
	int64_t ahead; /* the newest time is so many seconds after now; 0 if it is not */
};

void received_read(struct received_result *, const struct mail *, int64_t now);
/* One field's value. */
void received_hop_read(struct received_hop *, const char *value, size_t len);
/* A date of RFC 5322 3.3, obsolete forms (4.3) and comments allowed.  RECEIVED_NO_TIME: it is none. */
int64_t received_time(const char *text, size_t len);

#endif
