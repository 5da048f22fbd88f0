/* runs.c - see runs.h. */
#include "provisioning/runs.h"

#include <ctype.h>
#include <inttypes.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/journal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "lib/suffix.h"

#define TEXTS_LOOK 16
#define DAY        (86400 * CLOCK_SECOND)

/* Open addressing; never more than half full.  Ids, tokens and keyed hashes are random already. */
struct table {
	struct entry {
		uint64_t key; /* 0: free */
		uint32_t value;
	} * entry;
	size_t mask, n;
};

struct runs {
	const struct site *site;
	char path[512];
	uint64_t offset; /* of the journal, read up to here */
	ino_t inode;
	struct run *run;
	size_t n;
	char **text; /* sets and labels */
	size_t n_texts;
	struct table by_id, by_token; /* value: 1 + index */
	int64_t day;                  /* that counts are of */
	struct table count;
	unsigned all;
};

/* --- tables ------------------------------------------------------------------------------------------ */

static struct entry *
place(const struct table *t, uint64_t key)
{
	size_t i = key & t->mask;

	while (t->entry[i].key != 0 && t->entry[i].key != key)
		i = (i + 1) & t->mask;
	return &t->entry[i];
}

static struct entry *
look(const struct table *t, uint64_t key)
{
	struct entry *e = t->entry != NULL && key != 0 ? place(t, key) : NULL;

	return e != NULL && e->key != 0 ? e : NULL;
}

static void
enlarge(struct table *t)
{
	struct table old = *t;

	t->mask = old.entry == NULL ? 255 : 2 * old.mask + 1;
	t->entry = xcalloc(t->mask + 1, sizeof *t->entry);
	for (size_t i = 0; old.entry != NULL && i <= old.mask; i++)
		if (old.entry[i].key != 0)
			*place(t, old.entry[i].key) = old.entry[i];
	free(old.entry);
}

static struct entry *
enter(struct table *t, uint64_t key)
{
	struct entry *e;

	if (t->entry == NULL || 2 * t->n >= t->mask)
		enlarge(t);
	e = place(t, key);
	if (e->key == 0) {
		e->key = key;
		t->n++;
	}
	return e;
}

static void
empty(struct table *t)
{
	free(t->entry);
	memset(t, 0, sizeof *t);
}

/* --- the index ----------------------------------------------------------------------------------------- */

static bool
is_id(const char *id)
{
	size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyz234567");

	return n == RUN_ID_LEN && id[n] == '\0';
}

static uint64_t
key_of(const char *text, size_t len)
{
	uint64_t key = 0;

	for (size_t i = 0; i < len && i < 12; i++)
		key = key << 5 | (uint64_t)(text[i] >= 'a' ? text[i] - 'a' : text[i] - '2' + 26);
	return key + 1;
}

static void
count(struct runs *r, const struct run *run, int64_t day)
{
	if (run->t_us / DAY != day)
		return;
	r->all++;
	if (run->client != 0)
		enter(&r->count, run->client)->value++;
	if (run->domain != 0)
		enter(&r->count, run->domain)->value++;
}

static void
add(struct runs *r, const struct run *run)
{
	r->run = xgrow(r->run, r->n, sizeof *r->run);
	r->run[r->n++] = *run;
	enter(&r->by_id, key_of(run->id, RUN_ID_LEN))->value = (uint32_t)r->n;
	enter(&r->by_token, key_of(run->token.text, TOKEN_LEN))->value = (uint32_t)r->n;
	count(r, run, r->day);
}

/* Few sets, many runs: one copy of each text; labels differ and are mostly empty. */
static const char *
kept(struct runs *r, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return "";
	for (size_t i = 0; i < r->n_texts && i < TEXTS_LOOK; i++)
		if (strcmp(r->text[i], text) == 0)
			return r->text[i];
	r->text = xgrow(r->text, r->n_texts, sizeof *r->text);
	return r->text[r->n_texts++] = xstrdup(text);
}

static uint64_t
hash_value(const struct json *o, const char *key)
{
	const char *text = json_string(o, key);

	return text != NULL ? strtoull(text, NULL, 16) : 0;
}

static int
on_line(void *ctx, const char *line, size_t len)
{
	struct runs *r = ctx;
	struct run run = { 0 };
	char err[128];
	struct json_doc *doc = json_parse(line, len, err, sizeof err);
	const struct json *o = doc != NULL ? json_root(doc) : NULL;
	const char *id = o != NULL ? json_string(o, "run") : NULL;
	const char *token = o != NULL ? json_string(o, "token") : NULL;
	const char *t = o != NULL ? json_string(o, "t") : NULL;

	if (id != NULL && is_id(id) && token != NULL && strlen(token) == TOKEN_LEN &&
	    token_decode(&run.token, token) && t != NULL &&
	    clock_parse(&run.t_us, t, strlen(t)) == 0) {
		memcpy(run.id, id, sizeof run.id);
		run.set = kept(r, json_string(o, "set"));
		run.label = kept(r, json_string(o, "label"));
		run.client = hash_value(o, "client");
		run.domain = hash_value(o, "domain");
		add(r, &run);
	} else {
		journal_complain(doc == NULL ? err : "not of a run", JOURNAL_SKIPPED);
	}
	json_free(doc);
	return 0;
}

static void
forget_all(struct runs *r)
{
	free(r->run);
	r->run = NULL;
	for (size_t i = 0; i < r->n_texts; i++)
		free(r->text[i]);
	free(r->text);
	r->text = NULL;
	r->n_texts = 0;
	r->n = 0;
	r->all = 0;
	r->offset = 0;
	empty(&r->by_id);
	empty(&r->by_token);
	empty(&r->count);
}

int
runs_refresh(struct runs *r)
{
	struct stat sb;

	if (stat(r->path, &sb) != 0)
		memset(&sb, 0, sizeof sb); /* none yet, or unreadable: journal_follow says so */
	/* Another file, or a shorter one: somebody took lines out. */
	if (sb.st_ino != r->inode || (uint64_t)sb.st_size < r->offset)
		forget_all(r);
	r->inode = sb.st_ino;
	if (r->n > 0 && (uint64_t)sb.st_size == r->offset)
		return 0;
	return journal_follow(r->path, &r->offset, on_line, r);
}

struct runs *
runs_open(const struct site *site)
{
	struct runs *r = xcalloc(1, sizeof *r);

	r->site = site;
	r->day = clock_now() / DAY;
	site_path(r->path, site, "state", RUNS_FILE);
	if (runs_refresh(r) == 0)
		return r;
	runs_close(r);
	return NULL;
}

void
runs_close(struct runs *r)
{
	if (r == NULL)
		return;
	forget_all(r);
	free(r);
}

size_t
runs_number(const struct runs *r)
{
	return r->n;
}

const struct run *
runs_find(const struct runs *r, const char *id)
{
	const struct entry *e = is_id(id) ? look(&r->by_id, key_of(id, RUN_ID_LEN)) : NULL;
	const struct run *run = e != NULL ? &r->run[e->value - 1] : NULL;

	return run != NULL && strcmp(run->id, id) == 0 ? run : NULL;
}

const struct run *
runs_of(const struct runs *r, const char *token)
{
	const struct entry *e = strlen(token) == TOKEN_LEN
				    ? look(&r->by_token, key_of(token, TOKEN_LEN))
				    : NULL;
	const struct run *run = e != NULL ? &r->run[e->value - 1] : NULL;

	return run != NULL && strcmp(run->token.text, token) == 0 ? run : NULL;
}

/* --- a new one ------------------------------------------------------------------------------------------- */

static int
new_id(char dst[RUN_ID_LEN + 1])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8_t random[RUN_ID_LEN]; /* five bits of each */

	if (RAND_bytes(random, sizeof random) != 1) {
		log_warn("runs: no randomness: check the OpenSSL installation");
		return -1;
	}
	for (size_t i = 0; i < RUN_ID_LEN; i++)
		dst[i] = digits[random[i] & 31];
	dst[RUN_ID_LEN] = '\0';
	return 0;
}

static int
put_line(struct strbuf *b, char id[RUN_ID_LEN + 1], const struct enrolment *e, uint64_t client,
    uint64_t domain)
{
	if (new_id(id) != 0)
		return -1;
	json_begin(b, NULL, '{');
	json_put_time(b, "t", e->t_us);
	json_put(b, "run", id);
	json_put(b, "token", e->token.text);
	json_put(b, "set", e->set);
	json_put(b, "label", e->label);
	json_put_hash(b, "client", client);
	json_put_hash(b, "domain", domain);
	json_end(b, '}');
	strbuf_puts(b, "\n");
	return 0;
}

static int
append(struct runs *r, struct strbuf *lines)
{
	int rc = journal_append_lines(r->path, lines->s, lines->len);

	strbuf_clear(lines);
	return rc == 0 ? runs_refresh(r) : -1;
}

const struct run *
runs_new(struct runs *r, const struct enrolment *e, uint64_t client, uint64_t domain)
{
	struct strbuf line = { 0 };
	char id[RUN_ID_LEN + 1];

	if (put_line(&line, id, e, client, domain) != 0)
		return NULL;
	return append(r, &line) == 0 ? runs_find(r, id) : NULL;
}

int
runs_new_all(struct runs *r, const struct enrolment *e, size_t n)
{
	struct strbuf lines = { 0 };
	char id[RUN_ID_LEN + 1];

	for (size_t i = 0; i < n; i++) {
		if (put_line(&lines, id, &e[i], 0, 0) != 0) {
			strbuf_clear(&lines);
			return -1;
		}
	}
	return append(r, &lines);
}

/* --- who enrolled how often -------------------------------------------------------------------------------- */

static uint64_t
who(const struct site *site, const char *kind, const void *data, size_t len, int64_t now_us)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	char said[600];
	int n = snprintf(said, sizeof said, "%s %" PRId64 " ", kind, now_us / DAY);
	uint64_t value;

	if (len > sizeof said - (size_t)n)
		len = sizeof said - (size_t)n;
	memcpy(said + n, data, len);
	if (HMAC(EVP_sha256(), site->token_key.secret, sizeof site->token_key.secret,
		(const uint8_t *)said, (size_t)n + len, mac, NULL) == NULL)
		log_fatal(EXIT_CANNOT, "runs: HMAC: check the OpenSSL installation");
	memcpy(&value, mac, sizeof value);
	return value != 0 ? value : 1;
}

uint64_t
runs_client(const struct site *site, const union sockaddr_any *a, int64_t now_us)
{
	const uint8_t *six = a->in6.sin6_addr.s6_addr;

	if (a->sa.sa_family == AF_INET6 && address_family(a) == 4)
		return who(site, "client", six + 12, 4, now_us);
	if (a->sa.sa_family == AF_INET6)
		return who(site, "client", six, 8, now_us);
	return who(site, "client", &a->in.sin_addr, 4, now_us);
}

uint64_t
runs_key(const struct site *site, const char *id, int64_t now_us)
{
	return who(site, "key", id, strlen(id), now_us);
}

uint64_t
runs_domain(const struct site *site, const char *domain, int64_t now_us)
{
	char lower[256];
	const char *organisation;
	size_t n = 0;

	for (; domain[n] != '\0' && n < sizeof lower - 1; n++)
		lower[n] = (char)tolower((unsigned char)domain[n]);
	lower[n] = '\0';
	organisation = suffix_organisation(lower);
	return who(site, "domain", organisation, strlen(organisation), now_us);
}

unsigned
runs_today(const struct runs *runs, uint64_t of, int64_t now_us)
{
	struct runs *r = (struct runs *)(uintptr_t)runs; /* the counts are a cache of the journal */
	const struct entry *e;

	if (now_us / DAY != r->day) {
		r->day = now_us / DAY;
		r->all = 0;
		empty(&r->count);
		for (size_t i = 0; i < r->n; i++)
			count(r, &r->run[i], r->day);
	}
	if (of == 0)
		return r->all;
	e = look(&r->count, of);
	return e != NULL ? e->value : 0;
}
