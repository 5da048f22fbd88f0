/* runs.h - the pages of participants: an id that cannot be guessed leads to a token, in state/runs.jsonl.
 *
 * A token is no secret: it is in names that resolvers ask for and in certificates.  So the address of
 * its page on the web is another thing, 128 random bits, and only this journal knows which belongs to
 * which.  Lines also count who enrolled how often on a day; whom they name is kept as a keyed hash with the
 * day in it, so that two days cannot be joined and nobody without the site's secret can tell who it was.
 *
 * struct runs is an index in memory; runs_refresh reads what others appended. */
#ifndef PROVISIONING_RUNS_H
#define PROVISIONING_RUNS_H

#include "lib/listen.h"
#include "provisioning/enrol.h"

#define RUN_ID_LEN 26 /* [a-z2-7] */
#define RUNS_FILE  "runs.jsonl"

struct run {
	char id[RUN_ID_LEN + 1];
	struct token token;
	const char *set, *label; /* as of the enrolment */
	int64_t t_us;
	uint64_t client, domain; /* runs_client(), runs_domain() of its day; 0: not counted */
};
struct runs;

struct runs *runs_open(const struct site *); /* NULL: logged */
void runs_close(struct runs *);              /* accepts NULL */
int runs_refresh(struct runs *);             /* 0, or -1 logged */
size_t runs_number(const struct runs *);     /* for tests */

/* id of any length and content; NULL: there is none.  Valid until the next runs_refresh or runs_new. */
const struct run *runs_find(const struct runs *, const char *id);
const struct run *runs_of(const struct runs *, const char *token);

/* Makes the page of an enrolment: appends its line.  client and domain as below, or 0.  NULL: logged. */
const struct run *runs_new(
    struct runs *, const struct enrolment *, uint64_t client, uint64_t domain);

/* The same for many of whom nothing is counted, with one wait for the disk: runs_of() finds them then.  0, or -1 logged. */
int runs_new_all(struct runs *, const struct enrolment *, size_t n);

/* Whom a limit counts, on the UTC day of now: an IPv4 address or an IPv6 /64; a mail domain, case-blind, with all
 * that who registered it may have made below it (suffix.h). */
uint64_t runs_client(const struct site *, const union sockaddr_any *, int64_t now_us);
uint64_t runs_key(const struct site *, const char *id, int64_t now_us); /* apikeys.h */
uint64_t runs_domain(const struct site *, const char *domain, int64_t now_us);
/* How many enrolled on the UTC day of now: of this client or domain; who 0: all. */
unsigned runs_today(const struct runs *, uint64_t who, int64_t now_us);

#endif
