/* correlate.h - the observations of one token become facts per test.  Pure: no clock, no file.
 *
 * Transactions are bound, not sessions: a session that carries mail for three tests gives three
 * attempts, one for each.  A session without a transaction is one attempt of the test
 * that its address or SNI names.  A SYN that no connection followed is an attempt of stage syn.
 * Everything is said by what the events carry; nothing is bound by a guess. */
#ifndef RESULTS_CORRELATE_H
#define RESULTS_CORRELATE_H

#include "results/dsn.h"
#include "results/observation.h"
#include "results/resolver.h"
#include "results/verified.h"
#include "zones/catalogue.h"

enum binding { BOUND_NOT, BOUND_ADDRESS, BOUND_SNI, BOUND_RCPT, BOUND_MAX };
const char *binding_name(enum binding);

#define ATTEMPT_RCPTS_MAX 8
struct attempt {
	int64_t t, end;           /* first SYN or byte; last event of it */
	const char *conn;         /* "" for a bare SYN */
	const char *peer, *local; /* "" if unknown */
	unsigned port;
	int family;             /* 4, 6, 0 unknown */
	int host;               /* K, -1 unknown */
	const char *state;      /* serves, refuses, silent; "" */
	enum stage stage;       /* furthest */
	bool tls;               /* inside TLS */
	bool sni;               /* the ClientHello named a server */
	bool client_cert;       /* the client showed a certificate */
	bool accepted;          /* we said 2xx to the message */
	int reply;              /* the last reply that matters; 0 none */
	const char *reply_text; /* "" */
	int64_t reply_t;
	const char *dev; /* last deviation that was applied in it, "" none */
	int phase;       /* -1 none */
	unsigned commands;
	const char *how; /* how it ended, "" unknown */
	enum binding by;
	bool
	    mixed; /* recipients of another test in the same transaction, or RCPT and binding disagree */
	const char *ehlo, *tls_version, *tls_cipher, *alert_in, *alert_out; /* "" */
	const char *msgid;
	struct {
		int mailbox;
		int reply;
	} rcpt[ATTEMPT_RCPTS_MAX];
	unsigned n_rcpt;
	const struct observation *decides; /* the event that says its outcome; NULL none */
	const struct observation *message; /* smtp.message; NULL none */
	const struct observation *hello;   /* the first ClientHello of its session; NULL none */
	unsigned session;                  /* index into correlation.sessions; UINT_MAX: bare SYN */
	const struct verified
	    *verified; /* who wrote its message; NULL: none accepted, or nobody asks */
};

/* Tokens are public, so that what a scanner asks says nothing of the sender: a lookup counts if it was
 * made within ten minutes before an attempt of its test, or during it; for a test without attempts: within
 * ten minutes of an attempt of any test. */
struct lookup {
	int64_t t;
	uint16_t type;
	const char *at; /* "{d}", "_25._tcp.{mx0}" */
	int rcode;      /* -1 dropped or unknown */
	bool tcp;
	int family, phase; /* phase -1: none */
	const char *dev;
	bool counts;
	const struct observation *event;
};

/* A request for the MTA-STS policy.  Policies are public as tokens are: one counts if it was made within
 * ten minutes of an attempt of its test, before or after (fetchers may be lazy, RFC 8461 5.1). */
struct fetch {
	int64_t t;
	int status; /* sent; 0 none */
	int family, phase;
	bool counts;
	const struct observation *event;
};

/* A recipient in a bounce: of mail to this test, or that we wrote (to the test that is not mailed). */
struct bounce {
	int64_t t;
	const struct observation *event; /* smtp.dsn */
	const struct dsn *dsn;
	const struct dsn_recipient *rcpt;
};
#define BOUNCES_MAX 256 /* bounces of one participant that are read; more are only events */

/* What is known of one (token, test).  A test that is graded on others' mail has theirs, joined. */
struct received_report; /* tlsrpt_match.h */
#define REPORTS_MAX 64  /* TLS reports of one test that are read; more are only events */
struct facts {
	const struct test *test;
	struct attempt *attempts;
	size_t n_attempts;
	struct lookup *lookups;
	size_t n_lookups;
	struct fetch *fetches;
	size_t n_fetches;
	const struct observation **events;
	size_t n_events; /* all of it, in time order */
	struct received_report **reports;
	size_t n_reports; /* in the order they came */
	struct bounce *bounces;
	size_t n_bounces;     /* in the order they came */
	size_t accepted;      /* attempts accepted */
	int64_t first, last;  /* of events; 0 none */
	int64_t last_attempt; /* 0 none */
	int64_t accepted_at;  /* first; 0 none */
	size_t mark;          /* session.c: the last session whose early events it was given */
	const char
	    *stranger; /* an address that was seen here and may be somebody else's; NULL none */
};

/* An accepted message, of any test of the participant. */
struct accepted_message {
	const struct test *test;
	const char *msgid, *to; /* "" if absent */
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

/* Who sent: one row for each (address, EHLO name, TLS fingerprint). */
struct sender {
	const char *peer, *ehlo, *ja4, *tls_version, *tls_cipher;
	int family;
	unsigned sessions;
	int64_t first, last;
	struct place place; /* filled by the report */
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

/* obs must be sorted and outlive the correlation.  Never fails (memory: fatal). */
struct correlation *correlate(
    const struct observations *obs, const struct catalogue *, const char *token);
/* Adds the correlation of what is not dropped (a flag for each of obs) behind the last c->own. */
void correlate_own(struct correlation *c, const struct observations *obs, const bool *drop);
/* The same for who was released then (provisioning/released.h; 0: not, unless events say so): what the participant's
 * mail met from that moment on shows nothing but the release, so it is left out. */
struct correlation *correlate_until(
    const struct observations *obs, const struct catalogue *, const char *token, int64_t released);
void correlation_free(struct correlation *);
/* Do the rules of the test ask who wrote a message? */
bool correlation_asks_who(const struct test *);
const struct facts *correlation_facts(const struct correlation *, const struct test *);

#endif
