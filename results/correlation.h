/* correlation.h - all that the observations of one token say: facts per test, sessions, and who asked and sent.
 * Pure.  Made by correlate.c, whose steps each fill a part of it. */
#ifndef RESULTS_CORRELATION_H
#define RESULTS_CORRELATION_H

#include "results/facts.h"
#include "results/resolver.h"
#include "results/sender.h"
#include "results/verified.h"
#include "zones/catalogue.h"

/* An accepted message, of any test of the participant. */
struct accepted_message {
	const struct test *test;
	const char *msgid, *to, *from; /* "" if absent; from: the envelope sender */
	int64_t t;
};

struct session {
	const char *node, *conn, *peer, *local;
	unsigned port;
	int host, family;
	int64_t t, end; /* t: accepted by us */
	int64_t syn;    /* its first SYN, if the tap saw one; 0 */
	const char *ehlo, *sni, *ja3, *ja4, *tls_version, *tls_cipher;
};

#define IDENTITIES_MAX 256 /* rows of each; what is beyond is only counted */

struct correlation {
	const struct catalogue *catalogue;
	char token[32];
	struct facts *facts; /* one for each test of the catalogue, in its order */
	struct session *sessions;
	size_t n_sessions;
	struct accepted_message *messages;
	size_t n_messages;
	struct verified **verified; /* owned: of the tests that ask who wrote a message */
	size_t n_verified;
	struct dsn **dsns; /* owned */
	size_t n_dsns;
	struct sender *senders;
	size_t n_senders, senders_beyond;
	struct resolver *resolvers; /* in the order of their addresses */
	size_t n_resolvers, resolvers_beyond;
	struct resolver_farm farm;
	int64_t first, last;     /* of all events of the token; 0 none */
	int64_t first_attempt;   /* of any test; 0 none */
	int64_t gap;             /* largest between two attempts of one test */
	size_t unknown_test;     /* events of tests that the catalogue has not */
	size_t foreign;          /* events of other tokens: ignored */
	int64_t released;        /* since then the participant is; 0: not */
	bool cut_short;          /* limit.events: there were more than were written */
	struct correlation *own; /* owned: the same without what strangers did (kin.h); NULL: they
				  * did nothing.  It has one itself if somebody else may be the participant
				  * as well, and so on */
};

/* Empty facts for each test.  Never fails (memory: fatal). */
struct correlation *correlation_new(const struct catalogue *, const char *token);
void correlation_free(struct correlation *);
const struct facts *correlation_facts(const struct correlation *, const struct test *);
/* The same by the name of the test, to be filled; NULL: no such test. */
struct facts *correlation_find(struct correlation *, const char *name, size_t len);
/* Does the message's To: name the test, or one that it is graded on, for this token? */
bool correlation_names(
    const struct correlation *, const struct accepted_message *, const struct test *);

#endif
