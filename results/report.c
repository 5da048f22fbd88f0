/* report.c - one participant's report, built once; the table of its views. */
#include "results/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/journal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/suffix.h"
#include "provisioning/enrol.h"
#include "provisioning/front.h"
#include "provisioning/released.h"
#include "results/describe.h"
#include "results/evaluate.h"
#include "results/outage.h"
#include "results/report_views.h"
#include "results/store.h"

const struct report_view reports[] = {
	{ "text", "for a terminal", report_text },
	{ "json", "for programs: outpost-report(5)", report_json },
	{ "html", "one page that needs nothing else", report_html },
	{ "csv", "a line for each test, RFC 4180", report_csv },
	{ NULL, NULL, NULL },
};

const struct report_view *
report_view(const char *name)
{
	for (const struct report_view *v = reports; v->name != NULL; v++) {
		if (strcmp(v->name, name) == 0)
			return v;
	}
	return NULL;
}

const char *
report_group_title(const char *group)
{
	static const char *const titles[][2] = {
		{ "delivery", "Delivery" },
		{ "retry", "Retries" },
		{ "tls", "TLS" },
		{ "dnssec", "DNSSEC and the resolver" },
		{ "dane", "DANE" },
		{ "sts", "MTA-STS" },
		{ "smtp", "SMTP" },
		{ "mail", "The mail itself" },
		{ "inbound", "As a receiver" },
	};

	for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
		if (strcmp(titles[i][0], group) == 0)
			return titles[i][1];
	}
	return group;
}

/* --- which tests are as specified ------------------------------------------------------------------ */

struct check {
	char test[TEST_NAME_MAX + 1], what[64], reason[200];
	bool ok;
};
struct context {
	const struct site *site;
	struct check *checks;
	size_t n;
	int64_t back, heard, now;
	char late[64];
	struct observations
	    nodes; /* node.start and node.stop of a week, and since the participant was first seen */
};

/* The last word on each subject of a test counts. */
static int
note_check(void *arg, const char *line, size_t len)
{
	struct context *ctx = arg;
	char err[64];
	struct json_doc *doc = json_parse(line, len, err, sizeof err);
	const struct json *o = doc == NULL ? NULL : json_root(doc), *ok;
	const char *test = o == NULL ? NULL : json_string(o, "test"), *what, *reason;
	size_t i = 0;

	if (test == NULL) {
		journal_complain(o == NULL ? err : "not of outpost check", JOURNAL_SKIPPED);
		goto out;
	}
	what = json_string(o, "what");
	reason = json_string(o, "reason");
	ok = json_get(o, "ok");
	while (i < ctx->n && (strcasecmp(ctx->checks[i].test, test) != 0 ||
				 strcmp(ctx->checks[i].what, what == NULL ? "" : what) != 0))
		i++;
	if (i == ctx->n) {
		ctx->checks = xgrow(ctx->checks, ctx->n, sizeof *ctx->checks);
		ctx->n++;
	}
	struct check *c = &ctx->checks[i];
	snprintf(c->test, sizeof c->test, "%s", test);
	snprintf(c->what, sizeof c->what, "%s", what == NULL ? "" : what);
	snprintf(
	    c->reason, sizeof c->reason, "%s", reason == NULL ? "outpost check says no" : reason);
	c->ok = ok != NULL && ok->type == JSON_BOOL && ok->boolean;
out:
	json_free(doc);
	return 0;
}

static const char *
unsound(void *arg, const struct test *t)
{
	const struct context *ctx = arg;

	for (size_t i = 0; i < ctx->n; i++) {
		if (!ctx->checks[i].ok && strcasecmp(ctx->checks[i].test, t->name) == 0)
			return ctx->checks[i].reason;
	}
	return NULL;
}

static bool
reachable4(void *arg, const struct test *t)
{
	const struct context *ctx = arg;

	return front_reachable4(ctx->site, t);
}

static bool
asked4(void *arg, const struct test *t)
{
	const struct context *ctx = arg;

	return !t->zone[0].own_address || site_ns4(ctx->site, t, 0) != NULL;
}

/* --- building ---------------------------------------------------------------------------------------- */

static int
entry_order(const void *pa, const void *pb)
{
	const struct report_entry *a = pa, *b = pb;

	return (int)a->test->number - (int)b->test->number;
}

static void
score_add(struct report_score *s, const struct verdict *v)
{
	bool graded = v->grade == GRADE_CONFORMS || v->grade == GRADE_VIOLATES;

	s->tests++;
	s->grades[v->grade]++;
	s->graded += graded;
	s->passed += v->grade == GRADE_CONFORMS;
	s->so_far += graded && !v->final;
}

/* Groups in the order of their first test; their tests stand together, by number. */
static void
make_groups(struct report *r)
{
	struct report_entry *sorted = xcalloc(r->n + 1, sizeof *sorted);
	size_t n = 0;

	qsort(r->entries, r->n, sizeof *r->entries, entry_order);
	r->groups = xcalloc(r->n + 1, sizeof *r->groups);
	for (size_t i = 0; i < r->n; i++) {
		const char *name = r->entries[i].test->group;
		bool known = false;
		for (size_t k = 0; k < r->n_groups; k++)
			known |= strcmp(r->groups[k].name, name) == 0;
		if (known)
			continue;
		struct report_group *g = &r->groups[r->n_groups++];
		*g = (struct report_group){ .name = name, .from = n };
		for (size_t k = i; k < r->n; k++) {
			if (strcmp(r->entries[k].test->group, name) == 0) {
				sorted[n++] = r->entries[k];
				score_add(&g->score, &r->entries[k].verdict);
				score_add(&r->score, &r->entries[k].verdict);
			}
		}
		g->n = n - g->from;
	}
	free(r->entries);
	r->entries = sorted;
}

struct report *
report_from(struct observations *obs, const struct catalogue *cat, const char *token,
    const char *set, int64_t started, int64_t now, const struct judge *with)
{
	struct report *r = xcalloc(1, sizeof *r);
	struct judge j = *with;

	r->catalogue = cat;
	r->obs = *obs;
	memset(obs, 0, sizeof *obs);
	snprintf(r->token, sizeof r->token, "%s", token);
	snprintf(r->set, sizeof r->set, "%s", set == NULL ? "full" : set);
	r->now = now;
	r->pace = j.pace == 0 ? 1 : j.pace;
	observations_sort(&r->obs);
	r->c = correlate_until(&r->obs, cat, r->token, j.released);
	r->released = r->c->released;
	r->started = started != 0 ? started : r->c->first;
	r->updated = r->c->last;
	j.c = r->c;
	j.set = r->set;
	j.now = now;
	r->entries = xcalloc(cat->n + 1, sizeof *r->entries);
	for (size_t i = 0; i < cat->n; i++) {
		const struct test *t = cat->tests[i];
		const struct facts *f = correlation_facts(r->c, t);
		/* Whoever was written to is told what that showed, whatever they have chosen. */
		if (catalogue_is_outgoing(cat, t) ? f->n_events == 0 : !catalogue_in_set(t, r->set))
			continue;
		struct report_entry *e = &r->entries[r->n++];
		e->test = t;
		e->facts = f;
		judge_test(&e->verdict, &j, t);
		e->means = t->means[e->verdict.grade];
		e->advice = t->advice[e->verdict.grade];
		for (unsigned who = 0; who < FIX_MAX; who++)
			e->fix[who] = t->fix[e->verdict.grade][who];
	}
	r->validates = evaluate_trait(&j, "validates");
	make_groups(r);
	return r;
}

/* Fills in where its resolvers and servers are; where may be NULL. */
static void
locate(struct report *r, const struct whereabouts *where)
{
	for (size_t i = 0; i < r->c->n_resolvers; i++)
		whereabouts_of(&r->c->resolvers[i].place, where, r->c->resolvers[i].peer);
	for (size_t i = 0; i < r->c->n_senders; i++)
		whereabouts_of(&r->c->senders[i].place, where, r->c->senders[i].peer);
}

void
report_free(struct report *r)
{
	if (r == NULL)
		return;
	correlation_free(r->c);
	observations_clear(&r->obs);
	free(r->entries);
	free(r->groups);
	free(r);
}

struct reading_until {
	struct observations *obs;
	int64_t until;
	size_t max; /* lines that may still come; 0 at the end: there were more */
};

static int
take_line(void *arg, const char *line, size_t len)
{
	struct reading_until *u = arg;

	if (u->max != SIZE_MAX && --u->max == 0)
		return 1;
	if (observations_add(u->obs, line, len) == 0 && u->obs->item[u->obs->n - 1]->t > u->until)
		free(u->obs->item[--u->obs->n]);
	return 0;
}

/* Who may read the store but not the state sees the report all the same, and is told what it lacks. */
static bool
is_hidden(const struct site *site, const char *file, const char *lacks)
{
	char path[512];

	site_path(path, site, "state", file);
	if (access(path, R_OK) == 0 || errno != EACCES)
		return false;
	log_warn(
	    "%s: %s: %s: run as who may read it, to have that too", path, strerror(errno), lacks);
	return true;
}

/* What outpost check said last; hidden: as if it had said nothing. */
static int
read_checks(struct context *ctx, char *err, size_t errlen)
{
	char path[512];

	site_path(path, ctx->site, "state", "check.jsonl");
	if (is_hidden(ctx->site, "check.jsonl",
		"the report does not know which tests were not as specified") ||
	    journal_read(path, note_check, ctx) >= 0)
		return 0;
	snprintf(err, errlen, "%s: cannot be read: see the message before this one", path);
	return -1;
}

static int
take_node(void *arg, const char *line, size_t len)
{
	observations_add(arg, line, len);
	return 0;
}

/* What this node itself has not written has not happened; another's log may come late. */
static void
hear_node(void *arg, const char *node, int64_t t)
{
	struct context *ctx = arg;

	if (strcmp(node, ctx->site->conf.node) == 0 || t >= ctx->now ||
	    (ctx->heard != 0 && t >= ctx->heard) ||
	    !outage_is_expected(&ctx->nodes, node, t, ctx->now))
		return;
	ctx->heard = t;
	snprintf(ctx->late, sizeof ctx->late, "%s", node);
}

/* When we were last there again, since the participant was first seen, and how far the logs of all nodes go. */
static int
read_outage(struct context *ctx, struct store *st, const struct observations *obs, int64_t now)
{
	int64_t first = now, since;
	int rc;

	for (size_t i = 0; i < obs->n; i++)
		first = obs->item[i]->t < first ? obs->item[i]->t : first;
	since = first < now - OUTAGE_FORGOTTEN ? first : now - OUTAGE_FORGOTTEN;
	ctx->now = now;
	if ((rc = store_nodes(st, since, take_node, &ctx->nodes)) == 0) {
		observations_sort(&ctx->nodes);
		ctx->back = outage_end(&ctx->nodes, first, now);
		rc = store_heard(st, hear_node, ctx);
	}
	observations_clear(&ctx->nodes);
	return rc;
}

/* Since when the participant is released; hidden or unreadable (logged): what the events say counts. */
static int64_t
released_since(const struct site *site, const char *token, int64_t now)
{
	int64_t t_us = 0;

	if (is_hidden(site, RELEASED_FILE, "the report knows of a release from observations only"))
		return 0;
	return released_find(&t_us, site, token) == 1 && t_us <= now ? t_us : 0;
}

static struct report *
judge_all(struct observations *obs, struct context *ctx, const struct whereabouts *where,
    const char *token, const struct enrolment *who, int64_t now)
{
	const struct site *site = ctx->site;
	struct judge j = { .pace = site->conf.pace == 0 ? 1 : site->conf.pace,
		.back = ctx->back,
		.heard = ctx->heard,
		.late = ctx->late,
		.released = released_since(site, token, now),
		.unsound = unsound,
		.reachable4 = reachable4,
		.asked4 = asked4,
		.ctx = ctx };
	struct report *r = report_from(obs, site->catalogue, token, who->set, who->t_us, now, &j);

	locate(r, where);
	snprintf(r->label, sizeof r->label, "%s", who->label);
	snprintf(r->base, sizeof r->base, "%s", site->conf.base);
	return r;
}

struct report *
report_build(const struct site *site, const char *token, const char *set, int64_t now, char *err,
    size_t errlen)
{
	struct context ctx = { .site = site };
	struct enrolment who = { 0 };
	struct observations obs = { 0 };
	struct reading_until u = { .obs = &obs, .until = now, .max = SIZE_MAX };
	struct report *r = NULL;
	char path[512], lower[32];
	size_t i;

	for (i = 0; token[i] != '\0' && i + 1 < sizeof lower; i++)
		lower[i] = token[i] >= 'A' && token[i] <= 'Z' ? (char)(token[i] + 32) : token[i];
	lower[i] = '\0';
	int known = is_hidden(site, "enrol.jsonl", "the report does not say who it is about")
			? 0
			: enrol_find(&who, site, lower);
	(void)suffix_load();
	snprintf(path, sizeof path, "%s/store.db", site->dir);
	struct store *st = known < 0 ? NULL : store_open(path);
	if (st == NULL || store_events(st, lower, take_line, &u) < 0 ||
	    read_outage(&ctx, st, &obs, now) < 0) {
		snprintf(err, errlen, "%s: cannot be read: see the message before this one",
		    known < 0 ? site->dir : path);
		goto out;
	}
	if (read_checks(&ctx, err, errlen) != 0)
		goto out;
	if (known == 0 && obs.n == 0) {
		snprintf(err, errlen,
		    "%s: no such participant, and nothing was seen of it: those that are enrolled "
		    "are in %s/state/enrol.jsonl",
		    lower, site->dir);
		goto out;
	}
	if (set != NULL || known == 0 || who.set[0] == '\0')
		snprintf(who.set, sizeof who.set, "%s", set != NULL ? set : "full");
	struct whereabouts *where = whereabouts_open(&site->conf.location_database);
	r = judge_all(&obs, &ctx, where, lower, &who, now);
	whereabouts_close(where);
out:
	store_close(st);
	observations_clear(&obs);
	free(ctx.checks);
	return r;
}

/* --- many of them ------------------------------------------------------------------------------------- */

struct report_source {
	const struct site *site;
	struct store *store;
	struct whereabouts *where;
	char path[512]; /* of the store */
	ino_t inode;
	int64_t after;
};

/* Again if the file is another one: it may be deleted at any time, it is a cache. */
static int
source_store(struct report_source *s)
{
	struct stat sb = { 0 };

	if (stat(s->path, &sb) == 0 && s->store != NULL && sb.st_ino == s->inode)
		return 0;
	store_close(s->store);
	if ((s->store = store_open(s->path)) == NULL)
		return -1;
	s->inode = stat(s->path, &sb) == 0 ? sb.st_ino : 0;
	s->after = -1;
	return 0;
}

struct report_source *
report_source_open(const struct site *site)
{
	struct report_source *s = xcalloc(1, sizeof *s);

	(void)suffix_load(); /* before the process is confined */
	s->site = site;
	snprintf(s->path, sizeof s->path, "%s/store.db", site->dir);
	s->where = whereabouts_open(&site->conf.location_database);
	if (source_store(s) == 0 && report_source_changes(s, NULL, NULL) == 0)
		return s;
	report_source_close(s);
	return NULL;
}

void
report_source_close(struct report_source *s)
{
	if (s == NULL)
		return;
	store_close(s->store);
	whereabouts_close(s->where);
	free(s);
}

struct report *
report_read(struct report_source *s, const char *token, const char *set, const char *label,
    int64_t started, int64_t now, size_t max_events, char *err, size_t errlen)
{
	struct context ctx = { .site = s->site };
	struct enrolment who = { .t_us = started };
	struct observations obs = { 0 };
	struct reading_until u = { .obs = &obs, .until = now, .max = max_events + 1 };
	struct report *r = NULL;

	snprintf(who.set, sizeof who.set, "%s", set);
	snprintf(who.label, sizeof who.label, "%s", label);
	if (source_store(s) < 0 || store_events(s->store, token, take_line, &u) < 0 ||
	    (u.max != 0 && read_outage(&ctx, s->store, &obs, now) < 0))
		snprintf(err, errlen, "%s: cannot be read", s->path);
	else if (u.max == 0)
		snprintf(err, errlen, "%s: more than %zu observations", token, max_events);
	else if (read_checks(&ctx, err, errlen) == 0)
		r = judge_all(&obs, &ctx, s->where, token, &who, now);
	observations_clear(&obs);
	free(ctx.checks);
	return r;
}

int
report_source_changes(struct report_source *s, void (*row)(void *, const char *), void *ctx)
{
	return source_store(s) < 0 ? -1 : store_changes(s->store, &s->after, row, ctx);
}

int
report_source_events(
    struct report_source *s, const char *token, int (*row)(void *, const char *, size_t), void *ctx)
{
	return source_store(s) < 0 ? -1 : store_events(s->store, token, row, ctx);
}

/* --- waiting -------------------------------------------------------------------------------------------- */

bool
report_has(const struct report *r, enum grade grade)
{
	return r->score.grades[grade] > 0;
}

bool
report_done(const struct report *r, bool final, struct strbuf *lines, int64_t *until)
{
	bool done = true;
	char when[32];

	*until = 0;
	for (size_t i = 0; i < r->n; i++) {
		const struct report_entry *e = &r->entries[i];
		const struct verdict *v = &e->verdict;
		if (final ? v->final : v->grade != GRADE_PENDING)
			continue;
		done = false;
		strbuf_printf(lines, "%s: waits for %s", e->test->name,
		    v->waits[0] != '\0' ? v->waits : "the sender");
		if (v->until > r->now) {
			describe_time(when, v->until, false);
			strbuf_printf(lines, ", until %s UTC at the latest", when);
		}
		strbuf_puts(lines, "\n");
		*until = v->until > *until ? v->until : *until;
	}
	return done;
}
