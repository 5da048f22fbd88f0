/* opendkim.h - what libopendkim says of the signatures of a message: many receivers run it, so where it
 * differs from RFC 6376 as sigcheck.h reads it, that is worth knowing.  No resolver, no file (after
 * opendkim_warm_up), no temporary file.  One thread. */
#ifndef VERIFY_OPENDKIM_H
#define VERIFY_OPENDKIM_H

#include <stddef.h>

#include "verify/dkimkey.h"
#include "verify/mail.h"
#include "verify/sigcheck.h"

/* dkim_init() reads /etc/resolv.conf and host.conf, although nothing is looked up: to be done before files are
 * forbidden. 0, or -1: logged. */
int opendkim_warm_up(void);

struct opendkim_question {
	const struct sigcheck *sig; /* understood: what is not is not given to the library */
	const struct dkimkey *key;  /* good */
};
struct opendkim_answer {
	enum { OPENDKIM_NO_OPINION, OPENDKIM_PASS, OPENDKIM_FAIL } opinion;
	int error; /* DKIM_SIGERROR_...: of no opinion and fail */
	char text[64];
};

/* The signatures in the order of the message.  The message's header is whole (mail.over_limit is not
 * set). */
void opendkim_judge(
    struct opendkim_answer *, const struct opendkim_question *, size_t n, const struct mail *);

#endif
