/* arc.h - the chain of Authenticated Received Chain (RFC 8617): who handled the message before, what they
 * saw, and whether it can be believed.  Pure. */
#ifndef VERIFY_ARC_H
#define VERIFY_ARC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify/dkimkey.h"
#include "verify/lookup.h"
#include "verify/mail.h"

#define ARC_SETS_MAX 50 /* RFC 8617 4.2.1 */

enum arc_verdict { ARC_IS_NONE, ARC_IS_PASS, ARC_IS_FAIL };
const char *arc_verdict_word(enum arc_verdict);

enum arc_check { ARC_UNCHECKED, ARC_RIGHT, ARC_WRONG };

struct arc_set {
	char cv[8];           /* of the seal: none, pass, fail */
	char domain[256];     /* d= of the seal */
	char selector[256];   /* s= of the seal */
	char ams_domain[256]; /* of the message signature */
	char ams_selector[256];
	int64_t sealed_at;        /* t= of the seal; -1 absent */
	unsigned bits;            /* of the seal's key */
	enum arc_check seal, ams; /* an older ams that is wrong is no fault: RFC 8617 5.2 */
	bool temporary;           /* a key could not be had now */
	char authserv[256];       /* who wrote the ARC-Authentication-Results */
	struct span
	    results; /* and what: after "i=N; ", folded, in the message; the sender's words */
};

struct arc_result {
	enum arc_verdict verdict;
	char reason[200];   /* of a fail */
	bool failed_before; /* a seal says cv=fail: the chain is not looked at */
	bool temporary;     /* fails because a key could not be had: another time it may pass */
	/* RFC 8617 5.2 step 5: the least set from which on to the newest every message signature holds; 0: the
	 * message has not changed since its first set.  Means nothing unless verdict is pass. */
	unsigned oldest_pass;
	size_t n; /* sets: set[0] is i=1; as far as they could be read */
	struct arc_set set[ARC_SETS_MAX];
};

/* All keys are asked for at once.  About 80 KiB. */
enum verify_step arc_judge(const struct mail *, struct lookups *, struct arc_result *);

#endif
