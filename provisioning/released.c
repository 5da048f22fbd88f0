/* released.c - see released.h. */
#include "provisioning/released.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/journal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"

/* --- one line for each ---------------------------------------------------------------------------------- */

struct line {
	char token[TOKEN_LEN + 1];
	int64_t t_us;
};

static bool
read_line(struct line *dst, const char *text, size_t len)
{
	char err[128];
	struct json_doc *doc = json_parse(text, len, err, sizeof err);
	const char *token = doc != NULL ? json_string(json_root(doc), "token") : NULL,
		   *t = doc != NULL ? json_string(json_root(doc), "t") : NULL;
	bool good = token != NULL && strlen(token) == TOKEN_LEN && t != NULL &&
		    clock_parse(&dst->t_us, t, strlen(t)) == 0;

	if (good)
		memcpy(dst->token, token, TOKEN_LEN + 1);
	json_free(doc);
	return good;
}

struct search {
	const char *token;
	struct line found;
};

static int
on_search(void *ctx, const char *text, size_t len)
{
	struct search *s = ctx;
	struct line l;

	if (!read_line(&l, text, len) || strcasecmp(l.token, s->token) != 0)
		return 0;
	s->found = l;
	return 1;
}

int
released_find(int64_t *t_us, const struct site *site, const char *token)
{
	struct search s = { .token = token };
	char path[512];
	int rc;

	site_path(path, site, "state", RELEASED_FILE);
	if ((rc = journal_read(path, on_search, &s)) == 1)
		*t_us = s.found.t_us;
	return rc;
}

struct making {
	const struct site *site;
	const char *token, *by;
	int64_t now_us;
	bool there;
};

/* Under the journal's lock: two who ask at once make one line. */
static int
make_line(void *ctx, struct strbuf *line)
{
	struct making *m = ctx;
	int64_t since;
	int rc = released_find(&since, m->site, m->token);

	m->there = rc == 1;
	if (rc != 0)
		return -1;
	json_begin(line, NULL, '{');
	json_put_time(line, "t", m->now_us);
	json_put(line, "token", m->token);
	json_put(line, "by", m->by);
	json_end(line, '}');
	strbuf_puts(line, "\n");
	return 0;
}

int
released_add(const struct site *site, const struct token *token, const char *by, int64_t now_us)
{
	struct making m = { site, token->text, by, now_us, false };
	char path[512];
	int rc;

	site_path(path, site, "state", RELEASED_FILE);
	rc = journal_append_made(path, make_line, &m);
	return m.there ? 1 : rc;
}

/* --- which tests ---------------------------------------------------------------------------------------- */

bool
released_covers(const struct test *t)
{
	return t->n_graded_on == 0 && !t->unmailed;
}

/* The delegation and its DS are one for all participants, and so is what a whole server does. */
const char *
released_stays(const struct test *t)
{
	for (unsigned z = 0; z < TEST_ZONES_MAX; z++) {
		if (z > 0 && !t->zone[z].used)
			continue;
		if (t->zone[z].ds == DS_WRONG)
			return "the DS record of its zone does not match";
		if (t->zone[z].ns == NS_V6)
			return "its name server has IPv6 only";
	}
	for (size_t i = 0; i < t->n_answers; i++) {
		const struct answer_rule *r = &t->answers[i];

		/* names without a token are asked for on the way */
		if (r->name == NULL && r->when.kind == COND_ALWAYS &&
		    (r->action == ANSWER_DROP || r->action == ANSWER_DROP_EDNS ||
			r->action == ANSWER_RCODE))
			return "its name server does not answer all resolvers";
	}
	return NULL;
}

/* --- the list that workers share ------------------------------------------------------------------------ */

struct released {
	char path[512];
	size_t size; /* of the mapping */
	uint64_t offset;
	ino_t inode;
	bool complained;
	struct table {
		uint64_t mask, most;
		_Atomic uint64_t n;
		_Atomic uint64_t slot[]; /* open addressing over ids, 0: free */
	} * table;
};

/* Ids are 48 bits that a keyed function made: they need no further hashing. */
static _Atomic uint64_t *
place(const struct released *r, uint64_t id)
{
	struct table *t = r->table;
	uint64_t i = (id ^ id >> 20) & t->mask, have;

	while ((have = atomic_load_explicit(&t->slot[i], memory_order_relaxed)) != 0 && have != id)
		i = (i + 1) & t->mask;
	return &t->slot[i];
}

bool
released_has(const struct released *r, uint64_t id)
{
	/* Mostly there is nobody: no look into a table that is in no cache. */
	return r != NULL && id != 0 &&
	       atomic_load_explicit(&r->table->n, memory_order_relaxed) != 0 &&
	       atomic_load_explicit(place(r, id), memory_order_relaxed) == id;
}

void
released_note(struct released *r, uint64_t id)
{
	_Atomic uint64_t *slot = place(r, id);

	if (id == 0 || atomic_load(slot) == id)
		return;
	if (r->table->n == r->table->most) {
		if (!r->complained)
			log_warn("%s: more than %llu: reload (SIGHUP) to take in those after them",
			    r->path, (unsigned long long)r->table->most);
		r->complained = true;
		return;
	}
	r->table->n++;
	atomic_store_explicit(slot, id, memory_order_relaxed);
}

/* A line that cannot be read releases nobody. */
static int
on_line(void *ctx, const char *text, size_t len)
{
	struct released *r = ctx;
	struct token token;
	struct line l;

	if (read_line(&l, text, len) && token_decode(&token, l.token))
		released_note(r, token.id);
	else
		journal_complain("not of a participant that was released", JOURNAL_SKIPPED);
	return 0;
}

int
released_refresh(struct released *r)
{
	struct stat sb;

	if (stat(r->path, &sb) != 0)
		memset(&sb, 0, sizeof sb); /* none yet, or unreadable: journal_follow says so */
	if (sb.st_ino == r->inode && (uint64_t)sb.st_size == r->offset)
		return 0;
	if (sb.st_ino != r->inode || (uint64_t)sb.st_size < r->offset)
		r->offset = 0; /* expired or forgotten lines were taken out: a new file */
	r->inode = sb.st_ino;
	return journal_follow(r->path, &r->offset, on_line, r);
}

static int
on_count(void *ctx, const char *line, size_t len)
{
	(void)line, (void)len;
	++*(size_t *)ctx;
	return 0;
}

static struct table *
table_new(size_t *size, size_t most)
{
	uint64_t slots = 64;
	struct table *t;

	while (slots < 2 * most)
		slots *= 2;
	*size = sizeof *t + slots * sizeof t->slot[0];
	t = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t == MAP_FAILED) {
		log_warn("released: %s: give the machine more memory", strerror(errno));
		return NULL;
	}
	t->mask = slots - 1;
	t->most = most;
	return t;
}

struct released *
released_open(const struct site *site, size_t spare)
{
	struct released *r = xcalloc(1, sizeof *r);
	size_t lines = 0;

	site_path(r->path, site, "state", RELEASED_FILE);
	if (journal_read(r->path, on_count, &lines) == 0 &&
	    (r->table = table_new(&r->size, lines + spare)) != NULL && released_refresh(r) == 0)
		return r;
	released_close(r);
	return NULL;
}

void
released_close(struct released *r)
{
	if (r == NULL)
		return;
	if (r->table != NULL)
		munmap(r->table, r->size);
	free(r);
}
