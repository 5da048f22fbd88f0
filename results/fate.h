/* fate.h - what became of a message that was put off: taken later, lost, or nobody can tell.  Pure.
 *
 * Who mails a test twice and never retries is taken at the second message, when the test no longer puts
 * off: the acceptance of another message says nothing of the one that was put off.  Messages are told
 * apart by Message-ID.  What was put off after its content has shown its own; before that, it is one of
 * the messages that other tests of the participant accepted, whose To: names this test, and that were
 * there ten minutes after the moment at the latest (FATE_KNOWN_BY; messages of an enrolment are fifteen
 * minutes apart).
 *   returned   each message that can have been the one was accepted here after that moment, and there
 *              is one
 *   lost       none of them was, nor one that no other test knows
 * Participants who send each address a message of its own show neither, nor does what a probe met. */
#ifndef RESULTS_FATE_H
#define RESULTS_FATE_H

#include "results/correlate.h"

enum fate { FATE_UNKNOWN, FATE_RETURNED, FATE_LOST };

struct taken { /* an acceptance by the test, of the kind that the rule wants */
	int64_t t;
	const char *msgid; /* "" if it had none */
};
struct known { /* a message that names the test, as other tests know it */
	const char *msgid;
	int64_t t;     /* first accepted */
	int64_t taken; /* here, first; 0: was not */
};
struct fate_case {
	const struct facts *f;
	struct taken *taken; /* in any order */
	size_t n;
	struct known *known; /* in the order of their Message-IDs */
	size_t n_known;
	int64_t unknown; /* when one was last taken that no other test knows; 0: none was */
};
struct fated { /* a message that was put off */
	int64_t t;
	const char *msgid; /* "" if its content never came */
	enum fate fate;
};
/* Takes over taken (from xgrow()). */
void fate_case_init(struct fate_case *, const struct correlation *, const struct facts *,
    struct taken *taken, size_t n);
/* The same, with all acceptances by the test. */
struct fate_case fate_of_all(const struct correlation *, const struct facts *);
void fate_case_clear(struct fate_case *);

/* No message was in it: who takes mail in, or lets others check, tries an address with the empty sender, or with that of
 * Postfix's verify(8).  What it met befell no message. */
bool fate_is_probe(const struct attempt *);

/* The message that was put off at t by event o (NULL: unknown). */
struct fated fate_of(const struct fate_case *, int64_t t, const struct observation *o);
/* The message with this Message-ID; NULL: no other test knows it. */
const struct known *fate_known(const struct fate_case *, const char *msgid);
/* Can a message, by its Message-ID and what is known of it (NULL: nothing), have been that one? */
bool fate_may_be(const struct fated *, const char *msgid, const struct known *);

#endif
