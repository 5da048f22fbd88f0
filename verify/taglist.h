/* taglist.h - "v=1; a=b" as DKIM, ARC and DMARC write it: the tag-list of RFC 6376 3.2, strictly. Pure,
 * nothing is copied. */
#ifndef VERIFY_TAGLIST_H
#define VERIFY_TAGLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify/mail.h"

#define TAGLIST_MAX 64

struct tag {
	struct span name, value; /* no FWS around them; FWS inside the value stays */
};
struct taglist {
	size_t n;
	struct tag tag[TAGLIST_MAX]; /* as written */
	char wrong[120];             /* in words; "" if it is a tag-list */
};

/* 0, or -1: not a tag-list (syntax, a name twice, over TAGLIST_MAX tags): wrong says why, and the tags
 * before the fault are there.  The text outlives the list. */
int taglist_parse(struct taglist *, const char *text, size_t len);

/* Names are case-sensitive.  NULL: not there. */
const struct tag *taglist_get(const struct taglist *, const char *name);
/* The value of a tag, or fallback if it is not there. */
struct span taglist_value(const struct taglist *, const char *name, const char *fallback);

/* A value without any FWS in it: cut to size octets with the NUL; true: it was whole. */
bool taglist_squeeze(char *dst, size_t size, struct span value);
/* 1 to 18 digits and nothing else: -1 if not. */
int64_t taglist_number(struct span value);
/* The next item of a list "a : b" from *rest on, blanks around it removed; false: no more. */
bool taglist_item(struct span *item, struct span *rest, char separator);
/* base64 with FWS anywhere (RFC 6376 2.10); -1: not base64, empty or larger than size. */
int taglist_base64(uint8_t *dst, size_t size, struct span value);

#endif
