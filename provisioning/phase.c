/* phase.c - see phase.h. */
#include "provisioning/phase.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "lib/hash.h"

/* --- the table -------------------------------------------------------------------------------------- */

struct memory *
phase_memory_open(const struct site *site)
{
	char path[512];

	site_path(path, site, "run", "memory");
	return memory_open(path, site->conf.memory_slots);
}

static struct memory_fact
touch(void *ctx, uint64_t key, int64_t now_us)
{
	if (ctx == NULL)
		return (struct memory_fact){ 0, now_us, UINT32_MAX };
	return memory_touch(ctx, key, now_us);
}

static struct memory_fact
look(void *ctx, uint64_t key, int64_t now_us)
{
	if (ctx == NULL)
		return (struct memory_fact){ 0 };
	return memory_look(ctx, key, now_us);
}

/* The key of hashing must outlive restarts and tell nothing about the secret that it comes from. */
static void
derive_key(uint8_t dst[16], const struct site *site)
{
	static const char label[] = "outpost memory key";
	unsigned char buf[sizeof(site->token_key.secret) + sizeof(label)], md[EVP_MAX_MD_SIZE];

	memset(md, 0, sizeof(md));
	memcpy(buf, site->token_key.secret, sizeof(site->token_key.secret));
	memcpy(buf + sizeof(site->token_key.secret), label, sizeof(label));
	EVP_Digest(buf, sizeof(buf), md, NULL, EVP_sha256(), NULL);
	memcpy(dst, md, 16);
	OPENSSL_cleanse(buf, sizeof(buf));
	OPENSSL_cleanse(md, sizeof(md));
}

void
phase_memory_init(struct phase_memory *m, const struct site *site, struct memory *memory)
{
	memset(m, 0, sizeof(*m));
	derive_key(m->key, site);
	m->pace = site->conf.pace;
	m->ctx = memory;
	m->touch = touch;
	m->look = look;
}

static bool
remembers(const struct condition *c)
{
	return c->kind == COND_AGE || c->kind == COND_COUNT;
}

bool
phase_memory_needed(const struct catalogue *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct test *t = c->tests[i];

		if (t->n_phases > 0)
			return true;
		for (size_t k = 0; k < t->n_answers; k++)
			if (remembers(&t->answers[k].when))
				return true;
		for (unsigned h = 0; h < t->n_hosts; h++)
			for (size_t k = 0; k < t->host[h].n_rules; k++)
				if (remembers(&t->host[h].rules[k].when))
					return true;
	}
	return false;
}

/* --- facts ------------------------------------------------------------------------------------------- */

struct job {
	const struct phase_memory *m;
	const struct test *test;
	uint64_t id;
	int64_t now_us;
};

/* What an event is called in the table.  The highest bit keeps these apart from lines of the test's
 * file, which others remember things for. */
#define FACT_EVENT 0x40000000u
#define FACT_PHASE 0x50000000u

static uint64_t
fact_key(const struct job *j, uint32_t fact, unsigned in, uint16_t type, const char *name)
{
	unsigned char buf[24 + 320];
	size_t n = 0;
	uint64_t h;

	for (unsigned i = 0; i < 8; i++)
		buf[n++] = (unsigned char)(j->id >> (56 - 8 * i));
	for (unsigned i = 0; i < 4; i++)
		buf[n++] = (unsigned char)(j->test->number >> (24 - 8 * i));
	for (unsigned i = 0; i < 4; i++)
		buf[n++] = (unsigned char)(fact >> (24 - 8 * i));
	buf[n++] = (unsigned char)in;
	buf[n++] = (unsigned char)(type >> 8);
	buf[n++] = (unsigned char)type;
	for (; name != NULL && *name != '\0' && n < sizeof(buf); name++)
		buf[n++] = (unsigned char)*name;
	h = hash_sip(j->m->key, buf, n);
	return h != 0 ? h : 1;
}

static uint64_t
phase_key(const struct job *j, unsigned phase)
{
	return fact_key(j, FACT_PHASE + phase, 0, 0, NULL);
}

static uint64_t
event_key_of(const struct job *j, const struct phase_condition *c)
{
	if (c->event == PHASE_PHASE)
		return phase_key(j, c->phase);
	return fact_key(j, FACT_EVENT + (uint32_t)c->event, c->in, c->type, c->name);
}

static bool
holds(const struct job *j, const struct phase_condition *c)
{
	struct memory_fact f = j->m->look(j->m->ctx, event_key_of(j, c), j->now_us);

	if (f.count == 0)
		return false;
	if (c->age_us > 0)
		return j->now_us - f.first_us >= c->age_us / (j->m->pace > 0 ? j->m->pace : 1);
	return f.count >= c->count;
}

static bool
begins(const struct job *j, const struct phase_rule *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (!holds(j, &r->all[i]))
			return false;
	return r->n > 0;
}

/* The highest phase that has begun; those that begin now are noted. */
static unsigned
advance(const struct job *j)
{
	const struct test *t = j->test;
	unsigned phase = 1,
		 last = t->phases[t->n_phases - 1].phase; /* lines stand in their order */
	uint64_t key = phase_key(j, 1);

	/* Phase 1 is there from the first moment on, so that its age can be asked for. */
	if (j->m->look(j->m->ctx, key, j->now_us).count == 0)
		j->m->touch(j->m->ctx, key, j->now_us);
	for (unsigned p = 2; p <= last; p++) {
		key = phase_key(j, p);
		if (j->m->look(j->m->ctx, key, j->now_us).count > 0) {
			phase = p;
			continue;
		}
		for (size_t i = 0; i < t->n_phases; i++)
			if (t->phases[i].phase == p && begins(j, &t->phases[i])) {
				j->m->touch(j->m->ctx, key, j->now_us);
				phase = p;
				break;
			}
	}
	return phase;
}

static bool
names(const struct phase_condition *c, const struct phase_seen *seen)
{
	if (c->event != seen->event)
		return false;
	return c->event != PHASE_DNS || (c->type == seen->type && seen->name != NULL &&
					    strcasecmp(c->name, seen->name) == 0);
}

/* Is condition (i, k) the first that stands for its fact?  Two lines may name the same. */
static bool
is_first(const struct job *j, size_t i, size_t k)
{
	uint64_t key = event_key_of(j, &j->test->phases[i].all[k]);

	for (size_t a = 0; a <= i; a++)
		for (size_t b = 0; b < (a == i ? k : j->test->phases[a].n); b++)
			if (event_key_of(j, &j->test->phases[a].all[b]) == key)
				return false;
	return true;
}

/* Only what a line names is kept. */
static void
keep(const struct job *j, const struct phase_seen *seen, unsigned phase)
{
	for (size_t i = 0; i < j->test->n_phases; i++)
		for (size_t k = 0; k < j->test->phases[i].n; k++) {
			const struct phase_condition *c = &j->test->phases[i].all[k];

			if (names(c, seen) && (c->in == 0 || c->in == phase) && is_first(j, i, k))
				j->m->touch(j->m->ctx, event_key_of(j, c), j->now_us);
		}
}

unsigned
phase_note(const struct phase_memory *m, const struct test *t, uint64_t id,
    const struct phase_seen *seen, int64_t now_us)
{
	const struct job j = { m, t, id, now_us };

	if (t == NULL || t->n_phases == 0)
		return 0;
	if (id == 0)
		return 1;
	keep(&j, seen, advance(&j));
	return advance(&j);
}

unsigned
phase_note_event(const struct phase_memory *m, const struct test *t, uint64_t id,
    enum phase_event event, int64_t now_us)
{
	const struct phase_seen seen = { .event = event };

	return phase_note(m, t, id, &seen, now_us);
}

unsigned
phase_now(const struct phase_memory *m, const struct test *t, uint64_t id, int64_t now_us)
{
	const struct job j = { m, t, id, now_us };

	if (t == NULL || t->n_phases == 0)
		return 0;
	return id == 0 ? 1 : advance(&j);
}
