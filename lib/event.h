/* event.h - observations: one JSON object per line.  The kinds and the keys are two tables in
 * event_table.c; encoder, decoder, the manual page outpost-events(5) and the fuzz seeds come from them.
 *
 *   {"v":1,"t":"2026-11-21T20:00:00.123456Z","node":"a","d":"smtpd","w":0,"n":412,
 *    "ev":"smtp.command","token":"k3x...","test":"dane-ee","conn":"0-9f2c-7",...}
 *
 * Values are strings, integers or booleans; objects are flat.  Bytes over 0x7e and under 0x20 are
 * written \u00XX, one per byte, so a line is always ASCII and any byte string survives. */
#ifndef LIB_EVENT_H
#define LIB_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define EVENT_LINE_MAX 65536 /* a longer event has its longest string value cut ("cut":true) */
#define EVENT_NODE_MAX 64    /* of the names of node and daemon, more is not written */

/* clang-format off */
enum event_kind {
	EV_DNS_QUERY,     /* one query and what was answered */
	EV_DNS_INVALID,   /* counter: queries for names with an invalid token, since the last such line */
	EV_NET_SYN,       /* tap: a TCP SYN to a measurement address, before the firewall */
	EV_SMTP_CONNECT,  /* connection accepted */
	EV_SMTP_BIND,     /* session bound to (token, test); by address, sni, rcpt */
	EV_SMTP_EARLY,    /* bytes before the greeting or before the EHLO reply that they must await */
	EV_SMTP_COMMAND,  /* one command line and the reply given */
	EV_SMTP_FRAMING,  /* bare LF, bare CR, NUL, over-long line, in commands */
	EV_SMTP_INJECT,   /* bytes after STARTTLS before the handshake (RFC 3207), never executed */
	EV_SMTP_MESSAGE,  /* end of data and the reply given: durable before a 250 is sent */
	EV_SMTP_CLOSE,    /* end of a session: furthest stage, how it ended */
	EV_TLS_HELLO,     /* ClientHello, raw and decoded; a second one after HelloRetryRequest too */
	EV_TLS_DONE,      /* handshake finished; negotiated parameters */
	EV_TLS_FAIL,      /* handshake failed */
	EV_TLS_ALERT,     /* an alert, either way */
	EV_TLS_CLOSE,     /* close_notify received or end without it */
	EV_NODE_START,    /* a worker began: version, catalogue digest */
	EV_NODE_STOP,
	EV_NODE_ALIVE, /* now and then, however little there is to write: the log goes on up to here */
	EV_SITE_CHECK,    /* outpost check: a test is as specified, or not */
	EV_TLSRPT_REPORT, /* a TLS report (RFC 8460) came, by mail or POST: durable before the reply */
	EV_HTTP_CONNECT,  /* HTTPS connection accepted */
	EV_HTTP_REQUEST,  /* one request and the response */
	EV_HTTP_CLOSE,    /* end of an HTTPS connection */
	EV_SMTP_REFUSED,  /* counter: connections over smtp-max, since the last such line */
	EV_LIMIT_EVENTS,  /* a token's events of this hour are over the limit: no more are written */
	EV_VERIFY_RESULT,  /* an accepted message was judged */
	EV_VERIFY_CRASHED, /* its judge crashed, or took too much */
	EV_VERIFY_SKIPPED, /* it was not judged: no room, too large, no verifier */
	EV_VERIFY_LOST,    /* it was handed over, and never judged */
	EV_VERIFY_AUDIT,   /* the verifier has looked for lost ones */
	EV_SMTP_DSN,       /* a bounce (RFC 3464) came: durable before the reply */
	EV_OUT_SENT,       /* the local MTA took a message that we wrote to a participant */
	EV_OUT_DELIVERY,   /* what the local MTA says of its delivery */
	EV_OUT_PUBLISHED,  /* what the domain that it went to publishes for those who mail it */
	EV_SMTP_OPERATOR,  /* mail to who runs the site: its data is the message, durable before a 250 */
	EV_KIND_MAX
};

enum event_type { EVT_TEXT, EVT_NUM, EVT_BOOL };

/* Every key that an event can have after the head.  Order is that of the table in event_table.c. */
enum event_key {
	EK_TOKEN, EK_TEST, EK_CONN,
	EK_PEER, EK_PORT, EK_LOCAL, EK_LPORT, EK_HOST, EK_STATE,
	EK_VIA, EK_ID, EK_QNAME, EK_QTYPE, EK_FLAGS, EK_EDNS, EK_EDNSVER, EK_OPTS, EK_COOKIE, EK_ECS,
	EK_AT, EK_RCODE, EK_SIZE, EK_TC, EK_DEV, EK_PHASE, EK_COUNT,
	EK_BY, EK_VERB, EK_ARG, EK_REPLY, EK_ECODE, EK_PIPELINED, EK_TLS, EK_BYTES, EK_HEX, EK_WHAT,
	EK_FROM, EK_RCPTS, EK_MAILBOX, EK_DIGEST, EK_LINES, EK_LONGEST, EK_BARE_LF, EK_BARE_CR, EK_NUL,
	EK_EIGHTBIT, EK_HEADERS, EK_MSGID, EK_TO, EK_SUBJECT,
	EK_STAGE, EK_HOW, EK_MS, EK_COMMANDS,
	EK_VERSION, EK_CIPHER, EK_GROUP, EK_SIGALG, EK_SNI, EK_ALPN, EK_VERSIONS, EK_CIPHERS,
	EK_GROUPS, EK_SHARES, EK_SIGALGS, EK_EXTENSIONS, EK_JA3, EK_JA4, EK_RETRY, EK_RESUMED, EK_CLIENTCERT,
	EK_DIR, EK_LEVEL, EK_ALERT, EK_REASON, EK_OK,
	EK_CATALOGUE, EK_CUT,
	EK_TYPE, EK_ENCODING, EK_DATA, EK_AGENT, EK_AUTHORITY,
	EK_HANDED, EK_RESULTS, EK_LIBSPF2,
	EK_MX, EK_VERIFIED, EK_DSN, EK_LINE, EK_TLSA, EK_STS,
	EK_MAX
};
/* clang-format on */

struct event_key_row {
	const char *name;
	enum event_type type;
	const char *about;
};
struct event_kind_row {
	const char *name; /* "dns.query" */
	const char *about;
	const enum event_key *keys; /* keys it may carry; EK_MAX ends */
};
const struct event_key_row *event_key(enum event_key);
const struct event_kind_row *event_kind(enum event_kind);
enum event_kind event_kind_by_name(const char *name, size_t len); /* EV_KIND_MAX if none */

/* Who writes: fixed for a segment, but for n.  Owned by the eventlog. */
struct event_origin {
	const char *node, *daemon;
	unsigned worker;
	uint64_t n; /* number of the next event in this segment, from 1 */
};

/* Encoder.  One struct per worker, reused; no allocation.  Usage:
 *   event_begin(&e, EV_SMTP_CONNECT, origin, now); event_text(&e, EK_PEER, ...); event_end(&e);
 * then hand e.buf, e.len (ends in '\n') to the event log.  event_begin advances origin->n.
 * Numbers and short values always find room: the longest value gives way.  With OUTPOST_DEBUG
 * (make SAN=1) a key that its kind does not list is an abort. */
struct event_line {
	size_t len;
	bool cut;
	enum event_kind kind;
	size_t longest, longest_len; /* the longest value: where in buf, octets there */
	char buf[EVENT_LINE_MAX];
};
void event_begin(struct event_line *, enum event_kind, struct event_origin *, int64_t t_us);
void event_text(struct event_line *, enum event_key, const char *s, size_t len);
void event_str(struct event_line *, enum event_key, const char *s); /* NULL or "" writes nothing */
void event_num(struct event_line *, enum event_key, int64_t);
void event_bool(struct event_line *, enum event_key, bool); /* false writes nothing */
void event_end(struct event_line *);

/* Decoder.  Strings are decoded into the event's own memory (NUL-terminated, length kept). */
struct event_value {
	bool set;
	int64_t num; /* number, or 0/1 */
	const char *text;
	size_t len;
};
struct event {
	int64_t t; /* us */
	const char *node, *daemon;
	unsigned worker;
	uint64_t n;
	enum event_kind kind; /* EV_KIND_MAX: a kind that this version does not know */
	const char *kind_name;
	struct event_value v[EK_MAX];
	char *mem; /* owned */
};
/* 0, or -1 with a reason in err: not a flat JSON object, no head, bad time, a key twice, a value of
 * the wrong type.  Unknown keys are skipped.  A tool that rewrote the line may have put U+0080 to
 * U+00FF as UTF-8.  Pure, one allocation. */
int event_decode(struct event *dst, const char *line, size_t len, char *err, size_t errlen);
void event_clear(struct event *);

void event_manual(FILE *); /* mdoc body of outpost-events(5) */

#endif
