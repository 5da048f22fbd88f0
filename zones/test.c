/* test.c - loads one test file: head, sections, and what holds for all of them.  The sections have
 * files of their own (test_dns.c and so on); test_check.c checks what spans them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/strbuf.h"
#include "zones/parse.h"

static const char *const grades[GRADE_MAX] = { "conforms", "violates", "informational",
	"inconclusive", "pending" };
static const char *const groups[] = { "delivery", "retry", "tls", "dnssec", "dane", "sts", "smtp",
	"mail", "inbound", NULL };

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
	if (n == 0 || (n & (n - 1)) == 0)
		array = xrealloc(array, (n == 0 ? 1 : n * 2) * size);
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

/* --- the head ---------------------------------------------------------------------------------- */
static bool
label_ok(const char *s, size_t max)
{
	size_t len = strlen(s);

	return len > 0 && len <= max && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == len &&
	       s[0] != '-' && s[len - 1] != '-';
}

static int
head_test(struct parse *p, const struct text_line *l)
{
	const char *s = l->word[1];
	size_t len = strlen(s);

	if (!label_ok(s, TEST_NAME_MAX))
		return parse_fail(p, l->number,
		    "test %.60s: must be a label of a-z, 0-9 and - with at most %d characters", s,
		    TEST_NAME_MAX);
	/* TEST-b is the name of a second zone; mxK stands beside tokens. */
	if (len > 2 && strcmp(s + len - 2, "-b") == 0)
		return parse_fail(
		    p, l->number, "test %s: names that end in -b are those of second zones", s);
	strcpy(p->test->name, s);
	return 0;
}

static int
head_number(struct parse *p, const struct text_line *l)
{
	unsigned long n;

	if (parse_number(p, l->number, "number", l->word[1], 1, TEST_NUMBER_MAX, &n) != 0)
		return -1;
	p->test->number = (unsigned)n;
	return 0;
}

static int
head_group(struct parse *p, const struct text_line *l)
{
	if (parse_word(p, l->number, "group", groups, l->word[1]) < 0)
		return -1;
	p->test->group = xstrdup(l->word[1]);
	return 0;
}

static int
head_sets(struct parse *p, const struct text_line *l)
{
	static const char *const sets[] = { "quick", "standard", NULL };
	struct test *t = p->test;

	for (unsigned i = 1; i < l->n; i++) {
		if (parse_word(p, l->number, "set", sets, l->word[i]) < 0)
			return -1;
		for (unsigned k = 0; k < t->n_sets; k++)
			if (strcmp(t->sets[k], l->word[i]) == 0)
				return parse_fail(p, l->number, "set %s: said twice", l->word[i]);
		t->sets[t->n_sets++] = xstrdup(l->word[i]);
	}
	if (t->n_sets == 1 && strcmp(t->sets[0], "quick") == 0)
		return parse_fail(
		    p, l->number, "set quick: what is quick is also standard, say both");
	return 0;
}

static int
head_batch(struct parse *p, const struct text_line *l)
{
	static const char *const kinds[] = { "ordinary", "refusable", "alone", NULL };
	int k = parse_word(p, l->number, "batch", kinds, l->word[1]);

	if (k < 0)
		return -1;
	p->test->batch = "abo"[k];
	return 0;
}

static int
test_names(struct parse *p, const struct text_line *l, char **dst, unsigned *n)
{
	for (unsigned i = 1; i < l->n; i++) {
		if (!label_ok(l->word[i], TEST_NAME_MAX))
			return parse_fail(
			    p, l->number, "%s %.60s: no name of a test", l->word[0], l->word[i]);
		dst[(*n)++] = xstrdup(l->word[i]);
	}
	return 0;
}

static int
head_control(struct parse *p, const struct text_line *l)
{
	return test_names(p, l, p->test->control, &p->test->n_control);
}

static int
head_contrast(struct parse *p, const struct text_line *l)
{
	return test_names(p, l, p->test->contrast, &p->test->n_contrast);
}

static int
head_trait(struct parse *p, const struct text_line *l)
{
	struct test *t = p->test;
	enum outcome when = outcome_by_name(l->word[2]);

	if (!label_ok(l->word[1], 20))
		return parse_fail(
		    p, l->number, "trait %.40s: must be a word of a-z, 0-9 and -", l->word[1]);
	if (when != OUTCOME_ACCEPTED && when != OUTCOME_REFUSED)
		return parse_fail(p, l->number, "trait %s %.40s: must be accepted or refused",
		    l->word[1], l->word[2]);
	if (t->n_traits == TEST_TRAITS_MAX)
		return parse_fail(p, l->number, "trait %s: a test can tell at most %d traits",
		    l->word[1], TEST_TRAITS_MAX);
	t->trait[t->n_traits++] = (struct trait_source){ xstrdup(l->word[1]), when };
	return 0;
}

static int
head_title(struct parse *p, const struct text_line *l)
{
	if (strlen(l->word[1]) > 72 || strchr(l->word[1], '\n') != NULL || l->word[1][0] == '\0')
		return parse_fail(p, l->number, "title: must be one line of 1 to 72 characters");
	p->test->title = xstrdup(l->word[1]);
	return 0;
}

static int
head_spec(struct parse *p, const struct text_line *l)
{
	p->test->spec = xstrdup(l->word[1]);
	return 0;
}

static int
head_about(struct parse *p, const struct text_line *l)
{
	p->test->about = xstrdup(l->word[1]);
	return 0;
}

static int
head_fooled_by(struct parse *p, const struct text_line *l)
{
	char *old = p->test->fooled_by;

	p->test->fooled_by = old == NULL ? xstrdup(l->word[1])
					 : xasprintf("%s\n%s", old, l->word[1]);
	free(old);
	return 0;
}

static int
head_mailbox(struct parse *p, const struct text_line *l)
{
	struct test *t = p->test;

	for (unsigned i = 1; i < l->n; i++) {
		const char *at = strchr(l->word[i], '@');
		size_t len = at == NULL ? strlen(l->word[i]) : (size_t)(at - l->word[i]);
		struct template_name n;
		if (len == 0 || len > 64 || strcspn(l->word[i], " <>\"\\,;:()[]\t\r\n") < len)
			return parse_fail(p, l->number,
			    "mailbox %.60s: must begin with a local part without quotes",
			    l->word[i]);
		if (at != NULL && parse_name(p, l->number, at + 1, -1, &n) != 0)
			return -1;
		if (at != NULL && n.root != ROOT_D)
			return parse_fail(p, l->number,
			    "mailbox %.60s: its domain must end in {d} or {d:b}", l->word[i]);
		t->mailbox[t->n_mailbox++] = xstrdup(l->word[i]);
	}
	return 0;
}

static int
head_deadline(struct parse *p, const struct text_line *l)
{
	return parse_duration(p, l->number, "deadline", l->word[1], &p->test->deadline_us);
}

static int
head_v6(struct parse *p, const struct text_line *l)
{
	(void)l;
	p->test->v6_only = true;
	return 0;
}

static const struct keyword head_keywords[] = {
	{ "test", 1, 1, false, "test NAME", head_test },
	{ "number", 1, 1, false, "number N", head_number },
	{ "group", 1, 1, false, "group NAME", head_group },
	{ "sets", 1, 2, false, "sets [quick] standard", head_sets },
	{ "batch", 1, 1, false, "batch ordinary|refusable|alone", head_batch },
	{ "control", 1, TEST_NAMES_MAX, false, "control TEST [TEST...]", head_control },
	{ "contrast", 1, TEST_NAMES_MAX, false, "contrast TEST [TEST...]", head_contrast },
	{ "trait", 2, 2, true, "trait NAME accepted|refused", head_trait },
	{ "title", 1, 1, false, "title TEXT", head_title },
	{ "spec", 1, 1, false, "spec TEXT", head_spec },
	{ "about", 1, 1, false, "about TEXT", head_about },
	{ "fooled-by", 1, 1, true, "fooled-by TEXT", head_fooled_by },
	{ "mailbox", 1, 8, false, "mailbox LOCAL[@NAME] [LOCAL[@NAME]...]", head_mailbox },
	{ "deadline", 1, 1, false, "deadline DURATION", head_deadline },
	{ "v6", 0, 0, false, "v6", head_v6 },
};
static const struct section section_head = { "", "(before the first section)", NULL, head_keywords,
	sizeof head_keywords / sizeof head_keywords[0], NULL, NULL, NULL };

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
	for (unsigned i = 0; i < t->n_traits; i++)
		free(t->trait[i].name);
	free(t->title);
	free(t->spec);
	free(t->about);
	free(t->fooled_by);
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
	free_traces(t);
	free_strings(t->in_sets, t->n_in_sets);
	free(t->in_sets);
	free(t);
}
