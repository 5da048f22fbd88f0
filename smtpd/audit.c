/* audit.c - see audit.h. */
#include "smtpd/audit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/event.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/strbuf.h"

#define SEGMENT_SPAN (INT64_C(3900) * CLOCK_SECOND) /* an hour, and some */
#define BLOCK        (2 * EVENT_LINE_MAX)

/* How often each of many things was seen; what they are is told by a keyed hash. */
struct counts {
	struct {
		uint64_t hash; /* 0: free */
		uint32_t n;
	} * slot;
	size_t cap, used;
};
struct segment {
	char *name;
	int64_t start;
	bool verifier;
};
struct audit {
	const struct audit_config *config;
	int dir_fd;
	struct segment *segment; /* the newest first */
	size_t n_segments;
	uint8_t key[16];
	int64_t floor; /* what is older was seen by the last audit */
	uint64_t octets;
	bool alone, cut;
	struct counts ended, held;
	struct verify_facts *open;
	size_t n_open;
};

/* --- counts --------------------------------------------------------------------------------------------- */

static size_t
slot_of(const struct counts *c, uint64_t hash)
{
	size_t i = hash & (c->cap - 1);

	while (c->slot[i].hash != 0 && c->slot[i].hash != hash)
		i = (i + 1) & (c->cap - 1);
	return i;
}

static void
count_up(struct counts *c, uint64_t hash)
{
	size_t i;

	if (2 * c->used >= c->cap) {
		struct counts more = { .cap = c->cap == 0 ? 1024 : 2 * c->cap, .used = c->used };

		more.slot = xcalloc(more.cap, sizeof *more.slot);
		for (i = 0; i < c->cap; i++)
			if (c->slot[i].hash != 0)
				more.slot[slot_of(&more, c->slot[i].hash)] = c->slot[i];
		free(c->slot);
		*c = more;
	}
	i = slot_of(c, hash);
	c->used += c->slot[i].hash == 0;
	c->slot[i].hash = hash;
	c->slot[i].n++;
}

/* Takes one away; false: there is none. */
static bool
count_down(struct counts *c, uint64_t hash)
{
	size_t i = c->cap > 0 ? slot_of(c, hash) : 0;

	if (c->cap == 0 || c->slot[i].n == 0)
		return false;
	c->slot[i].n--;
	return true;
}

static uint64_t
name_of(const struct audit *a, const struct verify_facts *f)
{
	char text[sizeof f->conn + sizeof f->token + sizeof f->test + sizeof f->digest + 4];
	int len = snprintf(text, sizeof text, "%s %s %s %s", f->conn, f->token, f->test, f->digest);

	return hash_sip(a->key, text, (size_t)len) | 1;
}

/* --- segments ------------------------------------------------------------------------------------------- */

/* "20261121T200000.123456Z.jsonl" */
static int
parse_start(int64_t *start, const char *s)
{
	char text[CLOCK_TEXT_MAX];

	if (strlen(s) != 29 || strcmp(s + 23, ".jsonl") != 0)
		return -1;
	snprintf(text, sizeof text, "%.4s-%.2s-%.5s:%.2s:%.10s", s, s + 4, s + 6, s + 11, s + 13);
	return clock_parse(start, text, strlen(text));
}

/* NODE-DAEMON-W-START.jsonl */
static bool
is_segment(struct segment *s, const char *name, const char *node, const char *daemon)
{
	size_t n = strlen(node), d = strlen(daemon);

	if (strncmp(name, node, n) != 0 || name[n] != '-' ||
	    strncmp(name + n + 1, daemon, d) != 0 || name[n + 1 + d] != '-')
		return false;
	name += n + d + 2;
	n = strspn(name, "0123456789");
	return n > 0 && name[n] == '-' && parse_start(&s->start, name + n + 1) == 0;
}

static int
newest_first(const void *x, const void *y)
{
	const struct segment *a = x, *b = y;

	return a->start < b->start ? 1 : a->start > b->start ? -1 : strcmp(a->name, b->name);
}

static int
list(struct audit *a)
{
	const struct audit_config *c = a->config;
	DIR *d = opendir(c->dir);
	struct dirent *e;

	if (d == NULL)
		return -1;
	a->dir_fd = dup(dirfd(d));
	while ((e = readdir(d)) != NULL) {
		struct segment s = { .verifier = false };

		if (!is_segment(&s, e->d_name, c->node, c->smtpd)) {
			s.verifier = is_segment(&s, e->d_name, c->node, c->verifier);
			if (!s.verifier)
				continue;
		}
		s.name = xstrdup(e->d_name);
		a->segment = xrealloc(a->segment, (a->n_segments + 1) * sizeof s);
		a->segment[a->n_segments++] = s;
	}
	closedir(d);
	if (a->n_segments > 0)
		qsort(a->segment, a->n_segments, sizeof *a->segment, newest_first);
	return a->dir_fd == -1 ? -1 : 0;
}

static int
segment_open(const struct audit *a, const struct segment *s)
{
	return openat(a->dir_fd, s->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* Whoever writes a segment holds its lock. */
static bool
another_lives(const struct audit *a)
{
	bool lives = false;

	for (size_t i = 0; i < a->n_segments && !lives; i++) {
		int fd;

		if (!a->segment[i].verifier || a->segment[i].start >= a->config->opened)
			continue;
		if ((fd = segment_open(a, &a->segment[i])) == -1)
			continue;
		lives = flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK;
		close(fd);
	}
	return lives;
}

/* --- lines ---------------------------------------------------------------------------------------------- */

static void
read_lines(
    struct audit *a, const struct segment *s, void (*line)(struct audit *, const char *, size_t))
{
	int fd = segment_open(a, s);
	char *buf = xmalloc(BLOCK);
	size_t have = 0;
	ssize_t n;

	while (fd != -1 && (n = read(fd, buf + have, BLOCK - have)) > 0) {
		char *p = buf, *lf;

		a->octets += (uint64_t)n;
		have += (size_t)n;
		while ((lf = memchr(p, '\n', have)) != NULL) {
			line(a, p, (size_t)(lf - p));
			have -= (size_t)(lf + 1 - p);
			p = lf + 1;
		}
		/* No line of ours is longer than a block: this is none. */
		if (have == BLOCK)
			have = 0;
		memmove(buf, p, have);
	}
	if (fd != -1)
		close(fd);
	free(buf);
}

static void
take(char *dst, size_t size, const struct event *e, enum event_key key)
{
	snprintf(dst, size, "%s", e->v[key].set && e->v[key].text != NULL ? e->v[key].text : "");
}

static void
facts_of(struct verify_facts *f, const struct event *e)
{
	memset(f, 0, sizeof *f);
	take(f->token, sizeof f->token, e, EK_TOKEN);
	take(f->test, sizeof f->test, e, EK_TEST);
	take(f->conn, sizeof f->conn, e, EK_CONN);
	take(f->digest, sizeof f->digest, e, EK_DIGEST);
	take(f->client, sizeof f->client, e, EK_PEER);
	take(f->from, sizeof f->from, e, EK_FROM);
	f->t = e->t;
	f->size = e->v[EK_SIZE].set ? (uint64_t)e->v[EK_SIZE].num : 0;
}

/* False: not of this kind (a prefix), or no event. */
static bool
decode(struct event *e, const char *line, size_t len, const char *kind)
{
	char err[64];

	return memmem(line, len, kind, strlen(kind)) != NULL &&
	       event_decode(e, line, len, err, sizeof err) == 0;
}

static void
find_audit(struct audit *a, const char *line, size_t len)
{
	struct event e;

	if (!decode(&e, line, len, "\"ev\":\"verify.audit\""))
		return;
	if (e.kind == EV_VERIFY_AUDIT && e.v[EK_OK].num != 0 && e.t - AUDIT_WAIT_MAX > a->floor)
		a->floor = e.t - AUDIT_WAIT_MAX;
	event_clear(&e);
}

static void
find_end(struct audit *a, const char *line, size_t len)
{
	struct verify_facts f;
	struct event e;

	if (!decode(&e, line, len, "\"ev\":\"verify."))
		return;
	if (e.kind == EV_VERIFY_RESULT || e.kind == EV_VERIFY_CRASHED ||
	    e.kind == EV_VERIFY_SKIPPED || e.kind == EV_VERIFY_LOST) {
		facts_of(&f, &e);
		count_up(&a->ended, name_of(a, &f));
	}
	event_clear(&e);
}

/* Did the connection's worker begin after ours did?  Its name is W-BEGAN-NUMBER. */
static bool
is_ours(const struct audit *a, const char *conn)
{
	const char *dash = strchr(conn, '-');

	return dash != NULL && (int64_t)strtoull(dash + 1, NULL, 16) >= a->config->began;
}

static void
add_open(struct audit *a, const struct verify_facts *f)
{
	if (a->n_open == AUDIT_OPEN_MAX) {
		a->cut = true;
		return;
	}
	a->open = xgrow(a->open, a->n_open, sizeof *f);
	a->open[a->n_open++] = *f;
}

static void
find_message(struct audit *a, const char *line, size_t len)
{
	struct verify_facts f;
	struct event e;

	if (memmem(line, len, "\"handed\":true", 13) == NULL ||
	    !decode(&e, line, len, "\"ev\":\"smtp.message\""))
		return;
	facts_of(&f, &e);
	if (e.kind == EV_SMTP_MESSAGE && e.v[EK_HANDED].num != 0 && e.t >= a->floor &&
	    (a->alone || is_ours(a, f.conn)) && !count_down(&a->ended, name_of(a, &f)))
		add_open(a, &f);
	event_clear(&e);
}

/* The segments of one kind that can have lines from floor on. */
static void
read_all(struct audit *a, bool verifier, void (*line)(struct audit *, const char *, size_t))
{
	uint64_t max = a->config->octets_max != 0 ? a->config->octets_max : AUDIT_OCTETS_MAX;
	size_t left_out = 0;

	for (size_t i = 0; i < a->n_segments; i++) {
		if (a->segment[i].verifier != verifier ||
		    (a->floor != INT64_MIN && a->segment[i].start < a->floor - SEGMENT_SPAN))
			continue;
		if (a->octets > max)
			left_out++;
		else
			read_lines(a, &a->segment[i], line);
	}
	if (left_out > 0)
		log_warn("verifier: %zu old segments of the log are not looked through for lost "
			 "messages: more than %llu octets came since that was done last",
		    left_out, (unsigned long long)max);
}

struct audit *
audit_read(const struct audit_config *config)
{
	struct audit *a = xcalloc(1, sizeof *a);

	a->config = config;
	a->dir_fd = -1;
	a->floor = INT64_MIN;
	if (list(a) == -1 || getrandom(a->key, sizeof a->key, 0) != (ssize_t)sizeof a->key) {
		log_warn("verifier: %s: %s", config->dir, strerror(errno));
		audit_free(a);
		return NULL;
	}
	a->alone = !another_lives(a);
	/* The newest that has one tells. */
	for (size_t i = 0; i < a->n_segments && a->floor == INT64_MIN; i++)
		if (a->segment[i].verifier)
			read_lines(a, &a->segment[i], find_audit);
	read_all(a, true, find_end);
	read_all(a, false, find_message);
	return a;
}

void
audit_free(struct audit *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->n_segments; i++)
		free(a->segment[i].name);
	free(a->segment);
	free(a->ended.slot);
	free(a->held.slot);
	free(a->open);
	if (a->dir_fd != -1)
		close(a->dir_fd);
	free(a);
}

bool
audit_is_whole(const struct audit *a)
{
	return a->alone && !a->cut;
}

void
audit_has(struct audit *a, const struct verify_facts *f)
{
	count_up(&a->held, name_of(a, f));
}

const struct verify_facts *
audit_lost(struct audit *a, size_t *iter)
{
	while (*iter < a->n_open) {
		const struct verify_facts *f = &a->open[(*iter)++];

		if (!count_down(&a->held, name_of(a, f)))
			return f;
	}
	return NULL;
}
