/* predicate.h - the closed vocabulary of verdict rules: one row per word in predicate.c, parsed
 * here, evaluated by results/judge.c over the facts of one (token, test).
 *
 *   accepted | attempted | gave-up-at STAGE | completed N..M          session facts
 *     selectors: host K  mailbox K  v4|v6  clear|tls  phase N  sni  count N..M  after P  within D of P
 *   seen dns TYPE [at NAME] [rcode R] [phase N] [via udp|tcp|v4|v6]   lookups
 *   fetched [status N] | met [phase N | dev D] | early [at VERB] | stale host K D
 *   message TRAIT | report true|false|any | dsn CODE
 *   control accepted | control any A B ... | trait NAME | settled | otherwise
 */
#ifndef ZONES_PREDICATE_H
#define ZONES_PREDICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far a session got; the order is the order of a session. */
enum stage { STAGE_NONE, STAGE_SYN, STAGE_CONNECT, STAGE_BANNER, STAGE_EHLO, STAGE_STARTTLS, STAGE_HELLO,
	STAGE_HANDSHAKE, STAGE_TLS_EHLO, STAGE_MAIL, STAGE_RCPT, STAGE_DATA, STAGE_ACCEPTED, STAGE_MAX };
const char *stage_name(enum stage); /* "syn", "connect", ... */
enum stage stage_by_name(const char *, unsigned len); /* STAGE_MAX: none */

enum predicate_kind {
	P_ACCEPTED, P_ATTEMPTED, P_GAVE_UP_AT, P_COMPLETED,
	P_SEEN, P_FETCHED, P_MET, P_EARLY, P_STALE, P_MESSAGE, P_REPORT, P_DSN,
	P_CONTROL_ACCEPTED, P_CONTROL_ANY, P_TRAIT, P_SETTLED, P_OTHERWISE, P_KIND_MAX
};

#define PREDICATE_NAMES_MAX 4
struct predicate {
	enum predicate_kind kind;
	bool negated;
	/* selectors; the defaults select everything */
	int host, mailbox, phase;    /* -1: any */
	int family;                  /* 0 any, 4, 6 */
	int tls;                     /* -1 any, 0 clear, 1 tls */
	bool sni;
	unsigned count_min, count_max; /* default 1, UINT32_MAX; COMPLETED: of commands */
	struct predicate *after;     /* owned */
	struct predicate *within_of; int64_t within_us;
	/* arguments */
	enum stage stage;            /* GAVE_UP_AT */
	uint16_t type;               /* SEEN */
	char *at;                    /* SEEN: template name; NULL any */
	int rcode;                   /* SEEN; -1 any */
	enum { VIA_ANY, VIA_UDP, VIA_TCP, VIA_V4, VIA_V6 } via;
	unsigned number;             /* FETCHED status, 0 any */
	int64_t age_us;              /* STALE */
	char *name[PREDICATE_NAMES_MAX]; unsigned n_names; /* CONTROL_ANY tests, TRAIT, MESSAGE, REPORT, DSN, MET dev, EARLY verb */
};

/* Parses words [0, n) as "PRED and PRED ..." into *out (array of *n_out, owned by the caller, freed
 * with predicate_free).  0, or -1 with what and why in err. */
int predicate_parse(struct predicate **out, size_t *n_out, char *const *word, unsigned n, char *err, size_t errlen);
void predicate_free(struct predicate *, size_t n);
/* One line per word, for FORMAT.md's check and "outpost tests --vocabulary". */
const char *predicate_usage(enum predicate_kind);

#endif
