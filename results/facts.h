/* facts.h - what is known of one (token, test): attempts, lookups, fetches, bounces, reports.  Pure.
 *
 * Each of them begins with its moment (window.h).  What they point to are values of the observations that they were made
 * from, which outlive them. */
#ifndef RESULTS_FACTS_H
#define RESULTS_FACTS_H

#include "results/dsn.h"
#include "results/observation.h"
#include "zones/test.h"

struct verified; /* verified.h */

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
	const char *from; /* argument of its MAIL, "" none */
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

/* A query for a name of the test.  Whether it counts: counted.h. */
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

/* A request for the MTA-STS policy.  Whether it counts: counted.h. */
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

void facts_clear(struct facts *);
void facts_event(struct facts *, const struct observation *);
void facts_attempt(struct facts *, const struct attempt *);
/* Of a dns.query. */
void facts_lookup(struct facts *, const struct observation *);
/* Of an http.request: one for anything but the policy (RFC 8461 3.3: one path at one host name) is none. */
void facts_fetch(struct facts *, const struct observation *);

/* Orders for qsort: of attempts by time, of pointers to observations. */
int attempt_order(const void *, const void *);
int event_order(const void *, const void *);

/* 4 or 6; 0: "". */
int family_of(const char *address);

#endif
