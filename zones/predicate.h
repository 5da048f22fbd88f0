/* predicate.h - the closed vocabulary of verdict rules: one row per word in predicate.c, parsed
 * here, evaluated by results/judge.c over the facts of one (token, test).  FORMAT.md says the same
 * for people who write tests.
 *
 * Facts of the test itself; each selects a set of moments, and holds if their number is in count:
 *   accepted             a message for the test was answered 2xx after the final dot
 *   attempted            a session, or a SYN that no session followed
 *   gave-up-at STAGE     a session that ended without an accepted message, STAGE was its furthest
 *   completed N..M       a session that ended after N to M commands
 *   seen dns TYPE|any [at NAME|below NAME|address NAME] [rcode R] [via udp|tcp|v4|v6]
 *                        a lookup of a name with the token
 *   fetched [status N]   an MTA-STS policy fetch
 *   met [dev D]          an event that says that a deviation (this one) was really applied
 *   early [at VERB]      the client spoke before its turn
 *   stale host K D       a session at host K though no answer of the last D named its address
 *   said VERB [WORD]     the client sent this command; WORD: with this parameter (what stands before a
 *                        "="), or 8bit: with an octet over 127
 *   message TRAIT        an accepted message with the trait (8bit, bare-lf, bare-cr, nul, long-line;
 *                        over-size: larger than the SIZE that the host names; canary: its Subject
 *                        holds the marker of a message that was asked for in these words)
 *   hello [with THING|without THING]   the ClientHello of a session that delivered (or of one of the same
 *                        address: it may have failed and delivered in clear after it), which offers
 *                        the thing (not); THING is two words, enum hello_thing
 *   report true|false|any   a TLS report came; true: it matches what we saw
 *   auth METHOD WORD     an accepted message was judged so by this method (auth.h)
 *   auth judged|open|lost   an accepted message was judged; is to be; will not be
 *   dsn CODE             a bounce with this status ("5", "4.7", "5.7.1") came
 *   outgoing WORD        what became of a message that we wrote to the participant (outgoing_words), or
 *                        what the domain that it went to publishes
 *   again                a message was refused for good (5xx) twice, by Message-ID; or refusals before the
 *                        content outnumber the messages that the controls accepted and whose To: names
 *                        this test (one at least)
 *   again maybe          there are several of these, and no message is known to name the test
 *   sent                 a name of the test was asked for, or it was attempted, or an accepted
 *                        message of this participant (any test) names it in To:
 * Selectors on these (each row says which): host K, mailbox K, v4|v6, clear|tls, sni,
 *   client-cert (the client showed one), phase N,
 *   count N..M           default 1.. ; "count 2" is 2..2, "count 2.." has no end
 *   after P              only moments not earlier than the first moment of P
 *   within D before|after|of P   only moments at most D before (after, on either side of) some
 *                        moment of P.  P is one predicate with selectors, and stands last.
 *   returned P           (of accepted) only the messages, by Message-ID, that were put off at a moment
 *                        of P before
 *   lost                 (of met, seen) only moments whose message was put off there and never taken
 *                        (both: results/fate.h)
 *   canary               (of message, auth) only messages that were sent in the words of the head
 * What is known of other tests and of the test as a whole:
 *   control accepted     all controls accepted a message (a test that this site can show over IPv6
 *                        only also needs trait ipv6); no controls: holds
 *   control returned     a control put a message off, and took it later: this sender comes back
 *   control any A B ...  one of these tests accepted a message
 *   control auth METHOD WORD   (or judged, open, lost) other mail was judged so: an accepted message of a control, but
 *                        none that was sent in the words of some test's head
 *   contrast STATE       accepted: some contrast was; refused: all were; open: else, and one of them
 *                        may still change; unknown: else
 *   trait NAME [yes|no|open|unknown]   default yes; from the test whose header says "trait NAME ..."
 *   settled | otherwise
 *
 * Outcome of a test, as contrast and trait see it: accepted = a message was; refused = its controls
 * accepted, a name of it was asked for, nothing was accepted, and it is settled (or was tried twice,
 * as for a verdict "so far"); open = neither and not settled; unknown = neither and settled, or not
 * in the participant's set. */
#ifndef ZONES_PREDICATE_H
#define ZONES_PREDICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far a session got; the order is the order of a session. */
enum stage {
	STAGE_NONE,
	STAGE_SYN,
	STAGE_CONNECT,
	STAGE_BANNER,
	STAGE_EHLO,
	STAGE_STARTTLS,
	STAGE_HELLO,
	STAGE_HANDSHAKE,
	STAGE_TLS_EHLO,
	STAGE_MAIL,
	STAGE_RCPT,
	STAGE_DATA,
	STAGE_ACCEPTED,
	STAGE_MAX
};
const char *stage_name(enum stage);                   /* "syn", "connect", ... */
enum stage stage_by_name(const char *, unsigned len); /* STAGE_MAX: none */

enum outcome { OUTCOME_ACCEPTED, OUTCOME_REFUSED, OUTCOME_OPEN, OUTCOME_UNKNOWN, OUTCOME_MAX };
const char *outcome_name(enum outcome);
enum outcome outcome_by_name(const char *); /* OUTCOME_MAX: none */

enum trait_answer { TRAIT_YES, TRAIT_NO, TRAIT_OPEN, TRAIT_UNKNOWN, TRAIT_MAX };
const char *trait_answer_name(enum trait_answer);
enum trait_answer trait_answer_by_name(const char *); /* TRAIT_MAX: none */

enum predicate_kind {
	P_ACCEPTED,
	P_ATTEMPTED,
	P_GAVE_UP_AT,
	P_COMPLETED,
	P_SEEN,
	P_FETCHED,
	P_MET,
	P_EARLY,
	P_STALE,
	P_SAID,
	P_MESSAGE,
	P_HELLO,
	P_REPORT,
	P_DSN,
	P_AUTH,
	P_OUTGOING,
	P_AGAIN,
	P_SENT,
	P_CONTROL_ACCEPTED,
	P_CONTROL_RETURNED,
	P_CONTROL_ANY,
	P_CONTROL_AUTH,
	P_CONTRAST,
	P_TRAIT,
	P_SETTLED,
	P_OTHERWISE,
	P_KIND_MAX
};

/* What a ClientHello may offer; results/offer.h says by which numbers that is told. */
enum hello_thing {
	HELLO_ANY,          /* nothing in particular: a ClientHello */
	HELLO_TLS13,        /* "version tls1.3" */
	HELLO_TLS12,        /* "version tls1.2" */
	HELLO_OLD,          /* "version old": below TLS 1.2 */
	HELLO_SSL,          /* "version ssl": the format of SSL 2, or version 3.0 */
	HELLO_HYBRID,       /* "group hybrid": post-quantum and classical, with TLS 1.3 */
	HELLO_DRAFT_HYBRID, /* "group draft-hybrid": one that was used before there was a standard */
	HELLO_FORBIDDEN,    /* "cipher forbidden": no encryption, RC4, under 112 bits */
	HELLO_WEAK,         /* "cipher weak": 3DES, or without authentication */
	HELLO_STATIC,       /* "cipher static": no forward secrecy */
	HELLO_MODERN,       /* "cipher modern": AEAD with forward secrecy */
	HELLO_THING_MAX
};

const char *hello_thing_name(enum hello_thing); /* "group hybrid"; "" of HELLO_ANY */

/* AT_ADDRESS: what stands left of it is an address as the macro %{i} gives it (RFC 7208 7.3). */
enum at_kind { AT_NAME, AT_BELOW, AT_ADDRESS };

enum within_side { WITHIN_BEFORE, WITHIN_AFTER, WITHIN_OF };

#define PREDICATE_NAMES_MAX 4
struct predicate {
	enum predicate_kind kind;
	bool negated;
	/* selectors; the defaults select everything */
	int host, mailbox, phase; /* -1: any */
	int family;               /* 0 any, 4, 6 */
	int tls;                  /* -1 any, 0 clear, 1 tls */
	bool sni, client_cert, lost, canary;
	unsigned count_min, count_max; /* default 1, UINT32_MAX */
	struct predicate *after;       /* owned */
	struct predicate *within_of;
	struct predicate *returned;
	int64_t within_us;
	enum within_side within_side;
	/* arguments */
	enum stage stage;                    /* GAVE_UP_AT */
	unsigned commands_min, commands_max; /* COMPLETED */
	uint16_t type;                       /* SEEN; 0 any */
	char *at;                            /* SEEN: template name; NULL any */
	enum at_kind at_kind;                /* SEEN: what `at` says of the name */
	int rcode;                           /* SEEN; -1 any; RCODE_DROP: not answered */
	enum { VIA_ANY, VIA_UDP, VIA_TCP, VIA_V4, VIA_V6 } via;
	unsigned number;          /* FETCHED status, 0 any */
	enum hello_thing thing;   /* HELLO */
	bool without;             /* HELLO: those that do not offer it */
	bool maybe;               /* AGAIN: it cannot be told */
	int64_t age_us;           /* STALE */
	enum outcome outcome;     /* CONTRAST */
	enum trait_answer answer; /* TRAIT */
	char *name[PREDICATE_NAMES_MAX];
	unsigned
	    n_names; /* CONTROL_ANY tests, TRAIT, MESSAGE, REPORT, DSN, MET dev, EARLY verb, SAID verb and word, AUTH and CONTROL_AUTH method and word or state, OUTGOING */
};
#define RCODE_DROP 0x10000

/* Parses words [0, n) as "PRED and PRED ..." into *out (array of *n_out, owned by the caller, freed
 * with predicate_free).  0, or -1 with what and why in err. */
int predicate_parse(
    struct predicate **out, size_t *n_out, char *const *word, unsigned n, char *err, size_t errlen);
void predicate_free(struct predicate *, size_t n);

const char *outgoing_word(unsigned i); /* NULL after the last */

/* One row of the vocabulary, for FORMAT.md's check and for readers of it. */
const char *predicate_word(enum predicate_kind);  /* "gave-up-at" */
const char *predicate_usage(enum predicate_kind); /* "gave-up-at STAGE" */
const char *predicate_selector(unsigned i);       /* "host"...; NULL after the last */

#endif
