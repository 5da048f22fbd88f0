/* test.c - loads one test file: head, sections, and what holds for all of them.  The sections have
 * files of their own (test_dns.c and so on); test_check.c checks what spans them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/strbuf.h"
#include "zones/parse.h"

static const char *const grades[GRADE_MAX] = { "conforms", "violates", "informational",
	"inconclusive", "pending" };

const char *
grade_name(enum grade g)
{
	return (unsigned)g < GRADE_MAX ? grades[g] : "?";
}

enum grade
grade_by_name(const char *name)
{
	for (unsigned i = 0; i < GRADE_MAX; i++)
		if (strcmp(grades[i], name) == 0)
			return (enum grade)i;
	return GRADE_MAX;
}

/* --- helpers ----------------------------------------------------------------------------------- */
int
parse_fail(struct parse *p, unsigned line, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (p->failed)
		return -1;
	p->failed = true;
	n = snprintf(p->err, p->errlen, "%s:%u: ", p->name, line);
	if (n < 0 || (size_t)n >= p->errlen)
		return -1;
	va_start(ap, fmt);
	vsnprintf(p->err + n, p->errlen - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

void *
parse_grow(void *array, size_t n, size_t size)
{
	array = xgrow(array, n, size);
	memset((char *)array + n * size, 0, size);
	return array;
}

int
parse_word(
    struct parse *p, unsigned line, const char *what, const char *const *names, const char *word)
{
	char list[200] = "";

	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], word) == 0)
			return i;
	for (int i = 0; names[i] != NULL; i++) {
		size_t used = strlen(list);
		snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", names[i]);
	}
	return parse_fail(p, line, "%s %.40s: must be one of %s", what, word, list);
}

int
parse_number(struct parse *p, unsigned line, const char *what, const char *word, unsigned long min,
    unsigned long max, unsigned long *dst)
{
	char *end;
	unsigned long v = strtoul(word, &end, 10);

	if (word[0] < '0' || word[0] > '9' || *end != '\0' || strlen(word) > 10 || v < min ||
	    v > max)
		return parse_fail(
		    p, line, "%s %.40s: must be a number from %lu to %lu", what, word, min, max);
	*dst = v;
	return 0;
}

int
parse_duration(struct parse *p, unsigned line, const char *what, const char *word, int64_t *dst)
{
	if (duration_parse(dst, word) != 0 || *dst <= 0 ||
	    *dst > 3650 * INT64_C(86400) * CLOCK_SECOND)
		return parse_fail(
		    p, line, "%s %.40s: must be a duration such as 250ms, 5m or 6h", what, word);
	return 0;
}

char *
parse_join(const struct text_line *l, unsigned from, unsigned to)
{
	struct strbuf b = { 0 };

	for (unsigned i = from; i < to; i++) {
		if (i > from)
			strbuf_puts(&b, " ");
		strbuf_puts(&b, l->word[i]);
	}
	return b.s != NULL ? b.s : xstrdup("");
}

int
parse_name(struct parse *p, unsigned line, const char *name, int zone, struct template_name *dst)
{
	char why[160];

	if (template_name_parse(dst, name, why, sizeof why) != 0)
		return parse_fail(p, line, "%s", why);
	if (zone >= 0 && dst->root != ROOT_BASE && dst->zone != (unsigned)zone)
		return parse_fail(p, line, "%.60s: in this section names end in {%s}, {%s} or {%s}",
		    name, zone ? "d:b" : "d", zone ? "mxK:b" : "mxK", zone ? "zone:b" : "zone");
	return 0;
}

const char *const key_names[] = { "token", "sender", "address", "network", NULL };

/* "age(token)" -> "age", "token"; both point into text, which is changed. */
static int
split_call(char *text, char **arg)
{
	char *open = strchr(text, '('), *close;

	if (open == NULL || (close = strrchr(open, ')')) == NULL || close[1] != '\0')
		return -1;
	*open = *close = '\0';
	*arg = open + 1;
	return 0;
}

int
parse_condition(struct parse *p, const struct text_line *l, unsigned from, struct condition *dst)
{
	char call[64], *arg;
	unsigned long n;
	int key;

	if (from == l->n)
		return 0;
	if (strcmp(l->word[from], "while") != 0)
		return parse_fail(p, l->number,
		    "%.40s: while or the end of the line must stand here", l->word[from]);
	if (l->n - from == 3 && strcmp(l->word[from + 1], "phase") == 0) {
		dst->kind = COND_PHASE;
		if (parse_number(
			p, l->number, "phase", l->word[from + 2], 1, TEST_PHASES_MAX, &n) != 0)
			return -1;
		dst->count = (unsigned)n;
		return 0;
	}
	if (l->n - from != 4 || strcmp(l->word[from + 2], "<") != 0 ||
	    strlen(l->word[from + 1]) >= sizeof call)
		return parse_fail(p, l->number,
		    "while: must be while age(KEY) < DURATION, while count(KEY) < N or while phase "
		    "N");
	strcpy(call, l->word[from + 1]);
	if (split_call(call, &arg) != 0 || (strcmp(call, "age") != 0 && strcmp(call, "count") != 0))
		return parse_fail(
		    p, l->number, "while %.40s: must be age(KEY) or count(KEY)", l->word[from + 1]);
	if ((key = parse_word(p, l->number, call, key_names, arg)) < 0)
		return -1;
	dst->key = (enum memory_key)key;
	if (strcmp(call, "age") == 0) {
		dst->kind = COND_AGE;
		return parse_duration(p, l->number, "age", l->word[from + 3], &dst->age_us);
	}
	dst->kind = COND_COUNT;
	if (parse_number(p, l->number, "count", l->word[from + 3], 1, 1000000, &n) != 0)
		return -1;
	dst->count = (unsigned)n;
	return 0;
}

/* --- sections ---------------------------------------------------------------------------------- */
static const struct section *const sections[] = { &section_dns, &section_zone, &section_answers,
	&section_host, &section_policy, &section_phases, &section_verdict, &section_reader,
	&section_trace };
#define N_SECTIONS (sizeof sections / sizeof sections[0])

const struct section *
parse_section(unsigned i)
{
	return i == 0 ? &section_head : i <= N_SECTIONS ? sections[i - 1] : NULL;
}

static int
end_section(struct parse *p)
{
	if (p->section != NULL && p->section->end != NULL)
		return p->section->end(p);
	return 0;
}

static int
begin_section(struct parse *p, const struct text_line *l)
{
	if (end_section(p) != 0)
		return -1;
	if (l->n == 0)
		return parse_fail(p, l->number, "[]: a section has a name");
	p->section_line = l->number;
	p->given = 0;
	p->zone = p->phase = p->phase_to = 0;
	for (size_t i = 0; i < N_SECTIONS; i++) {
		if (strcmp(sections[i]->name, l->word[0]) != 0)
			continue;
		p->section = sections[i];
		if (sections[i]->begin != NULL)
			return sections[i]->begin(p, l);
		if (l->n > 1)
			return parse_fail(p, l->number, "[%s]: takes no further words", l->word[0]);
		if (p->sections_given & (1u << i))
			return parse_fail(p, l->number, "[%s]: said twice", l->word[0]);
		p->sections_given |= 1u << i;
		return 0;
	}
	return parse_fail(p, l->number, "[%.40s]: no such section", l->word[0]);
}

static int
run_keyword(struct parse *p, const struct section *s, const struct text_line *l)
{
	for (size_t i = 0; i < s->n_keywords; i++) {
		const struct keyword *k = &s->keywords[i];
		if (strcmp(k->word, l->word[0]) != 0)
			continue;
		if (l->n - 1 < k->min || (k->max != KEYWORD_ANY && l->n - 1 > k->max))
			return parse_fail(
			    p, l->number, "%s: must be written: %s", k->word, k->usage);
		if (!k->repeats && (p->given & (UINT64_C(1) << i)))
			return parse_fail(p, l->number, "%s: said twice", k->word);
		p->given |= UINT64_C(1) << i;
		return k->run(p, l);
	}
	if (s->line != NULL)
		return s->line(p, l);
	return parse_fail(p, l->number, "%.40s: no such word in %s%s%s", l->word[0],
	    s->name[0] ? "[" : "the head", s->name, s->name[0] ? "]" : "");
}

/* Our texts are C strings and end at a NUL, so none may be inside. */
int
parse_plain(struct parse *p, const struct text_line *l)
{
	for (unsigned i = 0; i < l->n; i++)
		if (strlen(l->word[i]) != l->len[i])
			return parse_fail(p, l->number, "\\x00: a word cannot hold it");
	return 0;
}

static int
parse_line(struct parse *p, const struct text_line *l)
{
	if (parse_plain(p, l) != 0)
		return -1;
	if (l->section)
		return begin_section(p, l);
	return l->n == 0 ? 0 : run_keyword(p, p->section != NULL ? p->section : &section_head, l);
}

static int
parse_file(struct parse *p)
{
	struct text_line *l = xmalloc(sizeof *l);
	int r, rc = -1;

	while ((r = text_next(p->reader, l)) == 1) {
		if (parse_line(p, l) != 0)
			goto out;
		p->last_line = l->number;
	}
	if (r < 0) {
		p->failed = true;
		snprintf(p->err, p->errlen, "%s", text_error(p->reader));
		goto out;
	}
	rc = end_section(p) == 0 && parse_check(p) == 0 ? 0 : -1;
out:
	free(l);
	return rc;
}

static struct test *
parse_reader(struct text_reader *reader, const char *name, char *err, size_t errlen)
{
	struct parse p = {
		.reader = reader, .name = name, .last_line = 1, .err = err, .errlen = errlen
	};

	p.test = xcalloc(1, sizeof *p.test);
	p.test->path = xstrdup(name);
	p.test->batch = 'a';
	p.test->deadline_us = 6 * INT64_C(86400) * CLOCK_SECOND;
	for (unsigned z = 0; z < TEST_ZONES_MAX; z++)
		p.test->zone[z].algorithm = 13;
	p.test->zone[0].used = true;
	if (parse_file(&p) != 0) {
		test_free(p.test);
		p.test = NULL;
	}
	text_close(reader);
	return p.test;
}

struct test *
test_load(const char *path, char *err, size_t errlen)
{
	struct text_reader *r = text_open(path, err, errlen);

	return r == NULL ? NULL : parse_reader(r, path, err, errlen);
}

struct test *
test_parse(const char *name, const char *data, size_t len, char *err, size_t errlen)
{
	return parse_reader(text_from(name, data, len), name, err, errlen);
}

/* --- freeing ----------------------------------------------------------------------------------- */
static void
free_strings(char **s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(s[i]);
}

static void
free_dns(struct test *t)
{
	for (size_t i = 0; i < t->n_records; i++) {
		free(t->records[i].owner);
		free(t->records[i].rdata);
	}
	free(t->records);
	for (size_t i = 0; i < t->n_answers; i++) {
		free(t->answers[i].name);
		free(t->answers[i].text);
	}
	free(t->answers);
}

static void
free_host(struct host *h)
{
	free(h->greet);
	free(h->ehlo);
	free(h->starttls_text);
	free(h->ciphers);
	free(h->groups);
	for (size_t i = 0; i < h->n_rules; i++) {
		free(h->rules[i].text);
		free(h->rules[i].dev);
	}
	free(h->rules);
}

static void
free_policies(struct test *t)
{
	for (unsigned i = 0; i < t->n_policy; i++) {
		struct policy *y = &t->policy[i];
		free(y->mode);
		free_strings(y->mx, y->n_mx);
		free(y->redirect);
		free(y->type);
		free(y->extra);
		free(y->omit);
	}
	for (size_t i = 0; i < t->n_phases; i++) {
		for (size_t k = 0; k < t->phases[i].n; k++)
			free(t->phases[i].all[k].name);
		free(t->phases[i].all);
	}
	free(t->phases);
}

static void
free_traces(struct test *t)
{
	for (size_t i = 0; i < t->n_traces; i++) {
		struct trace *c = &t->traces[i];
		for (size_t k = 0; k < c->n; k++) {
			free_strings(c->steps[k].word, c->steps[k].n);
			free(c->steps[k].word);
		}
		free(c->steps);
		free(c->name);
	}
	free(t->traces);
}

void
test_free(struct test *t)
{
	if (t == NULL)
		return;
	free(t->path);
	free(t->group);
	free_strings(t->sets, t->n_sets);
	free_strings(t->control, t->n_control);
	free_strings(t->contrast, t->n_contrast);
	free_strings(t->graded_on, t->n_graded_on);
	for (unsigned i = 0; i < t->n_traits; i++)
		free(t->trait[i].name);
	free(t->title);
	free(t->spec);
	free(t->about);
	free(t->fooled_by);
	free(t->message);
	free_strings(t->mailbox, t->n_mailbox);
	free_dns(t);
	for (unsigned i = 0; i < TEST_HOSTS_MAX; i++)
		free_host(&t->host[i]);
	free_policies(t);
	for (size_t i = 0; i < t->n_verdicts; i++) {
		predicate_free(t->verdicts[i].all, t->verdicts[i].n);
		free(t->verdicts[i].reason);
	}
	free(t->verdicts);
	free_strings(t->means, GRADE_MAX);
	free_strings(t->advice, GRADE_MAX);
	for (unsigned g = 0; g < GRADE_MAX; g++)
		free_strings(t->fix[g], FIX_MAX);
	free_traces(t);
	free_strings(t->in_sets, t->n_in_sets);
	free(t->in_sets);
	free(t);
}

/* All names of the first zone lead into the second one. */
static bool
is_alias(const struct test *t)
{
	for (size_t i = 0; i < t->n_records; i++)
		if (t->records[i].zone == 0 && t->records[i].type == rrtype_by_name("DNAME"))
			return true;
	return false;
}

int
test_mailbox(const struct test *t, unsigned zone, const char *local, size_t len)
{
	static const char *const standard[] = { "probe" };
	const char *const *box = t->n_mailbox > 0 ? (const char *const *)t->mailbox : standard;

	for (unsigned i = 0; i < (t->n_mailbox > 0 ? t->n_mailbox : 1); i++)
		if (strcspn(box[i], "@") == len && strncasecmp(box[i], local, len) == 0 &&
		    ((strstr(box[i], "{d:b}") != NULL) == (zone == 1) || is_alias(t)))
			return (int)i;
	return -1;
}

bool
test_wants_reports(const struct test *t)
{
	for (size_t i = 0; i < t->n_records; i++)
		if (t->records[i].type == rrtype_by_name("TXT") &&
		    strcasecmp(t->records[i].owner, "_smtp._tls.{d}") == 0)
			return true;
	return false;
}
