/* deliveries.h - what became of the messages that this site wrote, read off the log of the host's mail server line by
 * line.  A message is ours if its Message-ID says so (invite_msgid_read): others can name a token, not make one.
 *
 * Of a delivery without TLS a log says nothing.  That is taken for one in the clear only if the log has told of TLS
 * before, not longer than DELIVERIES_TRUST ago; else how it was delivered stays open.  Deliveries to this host itself (a
 * content filter) are none.  Pure: what must outlive the process can be saved as text and loaded again. */
#ifndef OUTPOST_DELIVERIES_H
#define OUTPOST_DELIVERIES_H

#include "lib/clock.h"
#include "lib/strbuf.h"
#include "outpost/mail_line.h"
#include "provisioning/token.h"

#define DELIVERIES_OPEN_MAX 4096 /* messages of ours in the queue; the oldest are forgotten */
#define DELIVERIES_TLS_MAX  256  /* processes of the mail server that speak TLS */
#define DELIVERIES_TRUST    (7 * 86400 * CLOCK_SECOND)
#define DELIVERIES_CLEAR    "none" /* the version of a delivery that is known to be in the clear */

struct delivery {
	char token[TOKEN_LEN + 1];
	const char *msgid, *from;     /* valid until the next call */
	const struct mail_line *line; /* its version: DELIVERIES_CLEAR if that is known */
};
struct deliveries;
/* is_ours: does the Message-ID name a message of this site, and which participant's? */
struct deliveries *deliveries_new(
    bool (*is_ours)(void *ctx, const char *msgid, char token[TOKEN_LEN + 1]), void *ctx);
void deliveries_free(struct deliveries *); /* accepts NULL */

/* One line more.  true: *dst is what became of an attempt to deliver a message of ours. */
bool deliveries_line(
    struct delivery *dst, struct deliveries *, const char *line, size_t len, int64_t now_us);

/* All that is known, as JSON Lines; a line of them, false: it is none. */
void deliveries_save(struct strbuf *dst, const struct deliveries *);
bool deliveries_load(struct deliveries *, const char *line, size_t len);

#endif
