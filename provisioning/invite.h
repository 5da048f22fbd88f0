/* invite.h - the words of an invitation: a message that the participant answers with "Reply All", and that is
 * the measurement.  Its recipients beside the participant stand in To: and Reply-To: only, so
 * nothing goes to them before the participant acts.  What may follow an answer is said in it (mail-extra).
 *
 * Text and HTML (RFC 2046 5.1.4), lines of at most 78 characters but for URLs and names, ASCII; permanent way out,
 * also by one click (RFC 2369, RFC 8058); Auto-Submitted (RFC 3834), so that no robot answers; signed
 * by the domain of From (RFC 6376, rsa-sha256, relaxed/relaxed).  Pure. */
#ifndef PROVISIONING_INVITE_H
#define PROVISIONING_INVITE_H

#include <openssl/evp.h>

#include "lib/strbuf.h"
#include "provisioning/enrol.h"

#define INVITE_SELECTOR   "s1"
#define INVITE_DOMAIN     "out" /* TOKEN.out.BASE */
#define INVITE_MSGID_SIZE 320

struct invitation {
	const struct site *site;
	const char *token;
	const char *address; /* of the participant, as optout_address() gives it */
	char *const *rcpt;   /* measurement addresses */
	size_t n_rcpt;
	unsigned number, of; /* message 1 of 3 */
	bool reminder;
	bool extra;         /* further messages follow an answer: it says so */
	const char *page;   /* URL of the run */
	const char *optout; /* URL of the way out */
	const char *about;  /* URL of the start page */
	int64_t now_us;
};
/* "TOKEN.out.BASE" */
void invite_domain(char *dst, size_t dstlen, const struct site *, const char *token);
/* The further messages, for who has answered, each from a domain of its own: unsigned, so that SPF
 * alone speaks for it. */
struct invite_extra {
	const char *what;   /* as the event out.sent has it */
	const char *test;   /* that it is for */
	const char *before; /* labels before and after the token: "a.b.TOKEN.tree.out.BASE" */
	const char *after;
	const char *sees; /* for the reader: it shows ... */
};
#define INVITE_EXTRAS 3
extern const struct invite_extra invite_extras[INVITE_EXTRAS];
void invite_extra_domain(
    char *dst, size_t dstlen, const struct site *, const char *token, const struct invite_extra *);
/* Uses address, page, optout, about and now_us of the invitation.  As invite_build. */
int invite_build_extra(struct strbuf *dst, char msgid[INVITE_MSGID_SIZE], const struct invitation *,
    const struct invite_extra *);
/* The message as it goes over SMTP: lines end in CRLF, no dot-stuffing; DKIM-Signature first.  key NULL: not signed.
 * msgid: what its Message-ID became.  0, or -1 logged. */
int invite_build(
    struct strbuf *dst, char msgid[INVITE_MSGID_SIZE], const struct invitation *, EVP_PKEY *key);

/* Is this the Message-ID of a message of this site, by the MAC in it?  Who was not written to cannot make one.  Its
 * participant's token is then in token, else that is untouched. */
bool invite_msgid_read(const struct site *, const char *msgid, char token[TOKEN_LEN + 1]);

#endif
