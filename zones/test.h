/* test.h - one test of the catalogue, as its file says it (FORMAT.md is the language).
 *
 * Everything here is immutable after test_load and owned by the struct test.  Names of owners and
 * RDATA stay text with {placeholders}; provisioning/render.h expands them.  Names are written as
 * templates: "{d}", "{mx0}", "_25._tcp.{mx0}", "ns.{zone}": this canonical spelling is also what
 * the "at" key of a dns.query event says. */
#ifndef ZONES_TEST_H
#define ZONES_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zones/predicate.h"

#define TEST_NAME_MAX   40 /* label; RFC 1035 allows 63 */
#define TEST_NUMBER_MAX 1023
#define TEST_HOSTS_MAX  32 /* slots 0..31 of the address plan */
#define TEST_ZONES_MAX  2  /* the test's own and one more ("b") */
#define TEST_PHASES_MAX 8
#define TEST_NAMES_MAX  4 /* controls, contrasts */
#define TEST_SETS_MAX   6

enum grade {
	GRADE_CONFORMS,
	GRADE_VIOLATES,
	GRADE_INFORMATIONAL,
	GRADE_INCONCLUSIVE,
	GRADE_PENDING,
	GRADE_MAX
};
const char *grade_name(enum grade);
enum grade grade_by_name(const char *); /* GRADE_MAX: none */

/* What an action waits for: "while age(token) < 5m", "while count(token) < 2", "phase 2".
 * The memory behind age and count is keyed by (token, test, this line, KEY). */
enum memory_key { KEY_TOKEN, KEY_SENDER, KEY_ADDRESS, KEY_NETWORK };
struct condition {
	enum { COND_ALWAYS, COND_AGE, COND_COUNT, COND_PHASE } kind;
	enum memory_key key;
	int64_t age_us; /* COND_AGE: holds while younger than this (before the site's pace) */
	unsigned count; /* COND_COUNT: holds for the first N; COND_PHASE: the phase */
};

/* --- DNS ------------------------------------------------------------------------------------ */
struct dns_record {
	unsigned line;
	unsigned zone;  /* 0 the test's own, 1 "b" */
	unsigned phase; /* 0 always; else replaces the RRset of the same owner and type */
	char *owner;    /* template */
	uint32_t ttl;
	uint16_t type;
	char *rdata; /* master-file text with placeholders */
};

enum ns_mode { NS_BOTH, NS_V4, NS_V6, NS_LAME };
enum ds_mode { DS_RIGHT, DS_WRONG, DS_NONE, DS_DIGEST };
enum sign_mode { SIGN_RIGHT, SIGN_CORRUPT, SIGN_EXPIRED, SIGN_FUTURE, SIGN_NONE };
enum denial_mode { DENIAL_NSEC, DENIAL_NSEC3, DENIAL_CORRUPT };

struct zone_options {
	bool used; /* zone b exists */
	enum ns_mode ns;
	enum ds_mode ds;
	unsigned ds_digest;  /* DS_DIGEST */
	unsigned algorithm;  /* default 13 */
	enum sign_mode sign; /* of the whole zone */
	enum denial_mode denial;
	unsigned iterations; /* NSEC3 */
	bool own_address;    /* name server has an IPv4 address of its own */
};
/* What a validating resolver makes of the zone as specified (for outpost check). */
enum zone_security { ZONE_SECURE, ZONE_INSECURE, ZONE_BOGUS };
enum zone_security zone_security(const struct zone_options *);

/* Deviations of single answers, by TYPE NAME; first match of each action wins. */
enum answer_action {
	ANSWER_RCODE,
	ANSWER_DROP,
	ANSWER_DELAY,
	ANSWER_TC,
	ANSWER_NOEDNS,
	ANSWER_TTL,
	ANSWER_CASE,
	ANSWER_PAD,
	ANSWER_SIGN,
	ANSWER_DROP_EDNS
};
struct answer_rule {
	unsigned line;
	unsigned zone;
	uint16_t type; /* 255: any */
	char *name;    /* template; NULL: any */
	enum answer_action action;
	unsigned rcode;      /* ANSWER_RCODE */
	int64_t delay_us;    /* ANSWER_DELAY (protocol delay: pace does not divide it) */
	uint32_t number;     /* ANSWER_TTL, ANSWER_PAD */
	enum sign_mode sign; /* ANSWER_SIGN */
	struct condition when;
	char *text; /* as written, for the "dev" key of the event: "rcode SERVFAIL" */
};

/* --- SMTP and TLS hosts ------------------------------------------------------------------------ */
enum smtp_point {
	AT_CONNECT,
	AT_BANNER,
	AT_EHLO,
	AT_STARTTLS,
	AT_HANDSHAKE,
	AT_TLS_EHLO,
	AT_MAIL,
	AT_RCPT,
	AT_DATA,
	AT_DOT,
	AT_QUIT,
	AT_MAX
};
enum host_action { DO_REPLY, DO_DELAY, DO_CLOSE, DO_RST, DO_HOLD };
enum starttls_mode {
	STARTTLS_OFFER,
	STARTTLS_OFF,
	STARTTLS_CODE,
	STARTTLS_MANGLE,
	STARTTLS_INJECT,
	STARTTLS_ABORT
};
enum cert_kind {
	CERT_PKIX_VALID,
	CERT_WRONG_NAME,
	CERT_EXPIRED,
	CERT_SELF_SIGNED,
	CERT_UNTRUSTED,
	CERT_CN_ONLY,
	CERT_ED25519, /* self-signed: no public CA signs such a key */
	CERT_RSA,     /* else as pkix-valid */
	CERT_KIND_MAX
};
const char *cert_kind_name(enum cert_kind);

struct host_rule {
	unsigned line;
	enum smtp_point at;
	enum host_action action;
	unsigned code; /* DO_REPLY: 220..599 */
	char *text; /* DO_REPLY: after the code, enhanced code included ("4.7.1 Come back later") */
	int64_t delay_us; /* DO_DELAY */
	int mailbox;      /* only for this mailbox of the test (AT_RCPT), or -1 */
	struct condition when;
	char *dev; /* as written, for the "dev" key of the event */
};
struct host {
	bool used;
	unsigned line;
	char *greet; /* NULL: default */
	char *ehlo;  /* keywords offered, blank-separated; NULL: default list; a '=' inside a
	                       * keyword is sent as a blank ("SIZE=2000"); STARTTLS is added by starttls */
	enum starttls_mode starttls;
	unsigned starttls_code;
	char *starttls_text;    /* INJECT: what is injected */
	bool require_tls;       /* MAIL in clear gets 530 5.7.0 */
	int tls_min, tls_max;   /* TLS1_VERSION.. 0x0301..0x0304 */
	char *ciphers, *groups; /* OpenSSL lists; NULL: default */
	bool weak_dh;           /* 1024 bits */
	bool client_cert;
	enum cert_kind cert;
	bool sni_only; /* who does not name the host is shown another certificate and key */
	struct host_rule *rules;
	size_t n_rules;
};

/* --- MTA-STS policy host --------------------------------------------------------------------- */
struct policy {
	bool used;
	char *mode;  /* enforce, testing, none */
	char *mx[8]; /* templates */
	unsigned n_mx;
	uint32_t max_age;
	unsigned status;       /* 200 */
	char *redirect, *type; /* redirect: a template */
	uint32_t pad;
	int64_t slow_us;
	enum cert_kind cert;
	char *extra;                   /* further lines of the body */
	char *omit;                    /* the field that is left out; NULL: none */
	unsigned phase_from, phase_to; /* served in these phases only; 0,0 always */
};

/* What deviates from a plain right answer, ", " between: "status 301, cert untrusted"; "" nothing. */
void policy_dev(char *dst, size_t dstlen, const struct policy *);

/* --- phases --------------------------------------------------------------------------------- */
/* "2  age(fetched) >= 3m and count(tls) >= 1": any line of a phase begins it; only forward.  What an
 * event is and where it is kept: provisioning/phase.h. */
enum phase_event {
	PHASE_DNS,
	PHASE_FETCHED,
	PHASE_ATTEMPT,
	PHASE_TLS,
	PHASE_ACCEPTED,
	PHASE_PHASE
};
struct phase_condition {
	enum phase_event event;
	uint16_t type;
	char *name;     /* PHASE_DNS */
	unsigned phase; /* PHASE_PHASE */
	unsigned in;    /* only events of this phase; 0: all */
	int64_t age_us; /* 0: count */
	unsigned count;
};
struct phase_rule {
	unsigned line, phase;
	struct phase_condition *all; /* joined by and */
	size_t n;
};

/* --- verdict ---------------------------------------------------------------------------------- */
struct verdict_rule {
	unsigned line;
	enum grade grade;
	struct predicate *all; /* joined by and; n 0: otherwise */
	size_t n;
	char *reason; /* may hold {attempts} {delay} ... (FORMAT.md) */
};

/* --- traces ------------------------------------------------------------------------------------ */
/* A trace is a list of synthetic observations; results/trace.h plays it through the shipped
 * correlator and judge. */
enum trace_kind {
	TRACE_EVENT,
	TRACE_CONTROL,
	TRACE_TRAIT,
	TRACE_END,
	TRACE_VERDICT,
	TRACE_CONTRAST,
	TRACE_MAIL,
	TRACE_STRANGER,
	TRACE_RELEASED
};
/* Words of a step, checked by the loader.  What a trace does not say of control, contrast and traits
 * is open (end open) or unknown (end settled).
 *   TRACE_EVENT    "dns.query" or another kind, then "key=value" words that the kind may have; the
 *                  shorthand "dns TYPE NAME [rcode R] [dev D]" is stored as
 *                  "dns.query" "qtype=TYPE" "at=NAME" "rcode=R" "dev=D"
 *   TRACE_CONTROL  "accepted" or "refused"        TRACE_CONTRAST an outcome word
 *   TRACE_MAIL     "v4" or "v6", then open, lost, crashed, skipped or members of the results (auth.h), and
 *                  "subject=TEXT"
 *   TRACE_TRAIT    NAME and "yes", "no", "open" or "unknown" (always two words)
 *   TRACE_STRANGER an address
 *   TRACE_RELEASED no words; the participant was released then
 *   TRACE_END      "settled" or "open"; also stands at the verdict if the trace has no end line: open
 *   TRACE_VERDICT  grade, and optionally how the reason must begin; last step of a trace */
struct trace_step {
	unsigned line;
	int64_t at_us;
	enum trace_kind kind;
	unsigned n; /* words, without the time and without "control", "end" and so on */
	char **word;
};
struct trace {
	unsigned line;
	char *name;
	struct trace_step *steps;
	size_t n;
};

/* "trait validates refused": this test tells whether the participant has the trait: its outcome is
 * this (yes), the other one (no), or neither (open, unknown; predicate.h). */
#define TEST_TRAITS_MAX 2
struct trait_source {
	char *name;
	enum outcome when; /* OUTCOME_ACCEPTED or OUTCOME_REFUSED */
};

/* Whom a fix is for. */
enum fix { FIX_POSTFIX, FIX_EXIM, FIX_PROVIDER, FIX_MAX };
const char *fix_name(enum fix); /* as in a test's file: "postfix" */

struct test {
	char *path;
	char name[TEST_NAME_MAX + 1];
	unsigned number; /* 1..1023 */
	char *group;     /* delivery retry tls dnssec dane sts smtp mail inbound */
	char *sets[TEST_SETS_MAX];
	unsigned n_sets; /* quick, standard; full and group are implied */
	char batch; /* 'a' ordinary, 'b' may be refused at submission, 'o' alone in its message */
	char *control[TEST_NAMES_MAX];
	unsigned n_control; /* none: the test has none */
	char *contrast[TEST_NAMES_MAX];
	unsigned n_contrast;
	/* "graded on A B": nothing is mailed to this test itself, its facts are those of the named ones.  It has
	 * no zone, no host, no mailbox, no control and no contrast. */
	char *graded_on[TEST_NAMES_MAX];
	unsigned n_graded_on;
	bool
	    unmailed; /* "mailed no": we write mail from its domain, nobody is asked to mail to it */
	struct trait_source trait[TEST_TRAITS_MAX];
	unsigned n_traits;
	char *title;     /* one line for lists */
	char *spec;      /* RFC sections, "; "-separated */
	char *about;     /* for the reader: what is set up and what it tells */
	char *fooled_by; /* how this verdict could be wrong, a line each; NULL */
	char *mailbox[8];
	unsigned n_mailbox; /* default: probe; "local" or "local@{d:b}" */
	int worth; /* of what is only worth having and weighs the same: 1 comes first, -1 last */
	char *message;       /* the message must be this one (message.h); NULL: any */
	int64_t deadline_us; /* default 6 d */
	bool v6_only;

	struct zone_options zone[TEST_ZONES_MAX];
	struct dns_record *records;
	size_t n_records;
	struct answer_rule *answers;
	size_t n_answers;
	struct host host[TEST_HOSTS_MAX];
	unsigned n_hosts; /* 1 + highest used */
	struct policy policy[TEST_PHASES_MAX];
	unsigned n_policy;
	struct phase_rule *phases;
	size_t n_phases;
	struct verdict_rule *verdicts;
	size_t n_verdicts;
	/* For the reader; lines end in '\n' inside; a line that begins with two blanks is
	 * configuration and is shown as it stands, other lines may be wrapped. */
	char *means[GRADE_MAX];  /* [reader] means GRADE: what this means, in plain words */
	char *advice[GRADE_MAX]; /* [reader] do GRADE: what to change; NULL: nothing */
	/* [reader] fix GRADE WHO: the lines of configuration that do it; for a provider, what to
	 * ask it for.  A line that begins with '#' says where the ones below it belong. */
	char *fix[GRADE_MAX][FIX_MAX];
	struct trace *traces;
	size_t n_traces;

	/* Filled by catalogue_load: every set that holds the test, implied ones included. */
	char **in_sets;
	size_t n_in_sets;
};

/* Index of the mailbox with this local part, case-blind, in this zone of the test; "probe" is 0 where the
 * file names none.  -1: none.  Where the first zone is an alias of the second one (DNAME) both have the same ones:
 * some senders write the name that an alias leads to into the recipient (RFC 1123 5.2.2). */
int test_mailbox(const struct test *, unsigned zone, const char *local, size_t len);
/* Does its mail domain ask for TLS reports (RFC 8460 3)?  The mailbox "tlsrpt" of both zones takes them. */
bool test_wants_reports(const struct test *);

/* NULL: "file:line: what, why" in err. */
struct test *test_load(const char *path, char *err, size_t errlen);
/* The same of a text that is no file, for tests and fuzzing. */
struct test *test_parse(
    const char *name, const char *data, size_t len, char *err, size_t errlen); /* for fuzzing */
void test_free(struct test *);

/* RR type mnemonics of the language: "MX" <-> 15, "TYPE65400" works too.  0: unknown. */
uint16_t rrtype_by_name(const char *);
const char *rrtype_name(uint16_t, char buf[12]);
int rcode_by_name(const char *); /* -1: unknown */
const char *rcode_name(unsigned, char buf[12]);

#endif
