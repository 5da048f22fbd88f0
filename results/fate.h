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
struct known {     /* a message that names the test, as other tests know it */
	int64_t t; /* first accepted */
	const char *msgid;
};
struct fate_case {
	const struct facts *f;
	struct taken *taken; /* in any order */
	size_t n;
	struct known *known;
	size_t n_known;
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

/* Of the message that was put off at t by event o (NULL: unknown). */
enum fate fate_of(const struct fate_case *, int64_t t, const struct observation *o);
/* Can the message with this Message-ID have been that one? */
bool fate_may_be(
    const struct fate_case *, int64_t t, const struct observation *o, const char *msgid);

#endif
