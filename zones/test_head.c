/* test_head.c - the head of a test file: what the test is called, where it belongs, what it leans on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "zones/message.h"
#include "zones/parse.h"

static const char *const groups[] = { "delivery", "retry", "tls", "dnssec", "dane", "sts", "smtp",
	"mail", "inbound", NULL };

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
head_worth(struct parse *p, const struct text_line *l)
{
	static const char *const kinds[] = { "less", "ordinary", "more", NULL };
	int k = parse_word(p, l->number, "worth", kinds, l->word[1]);

	if (k < 0)
		return -1;
	p->test->worth = k - 1;
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
head_graded(struct parse *p, const struct text_line *l)
{
	struct test *t = p->test;

	if (strcmp(l->word[1], "on") != 0)
		return parse_fail(p, l->number, "graded %.40s: on must follow", l->word[1]);
	for (unsigned i = 2; i < l->n; i++) {
		if (!label_ok(l->word[i], TEST_NAME_MAX))
			return parse_fail(
			    p, l->number, "graded on %.60s: no name of a test", l->word[i]);
		t->graded_on[t->n_graded_on++] = xstrdup(l->word[i]);
	}
	return 0;
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

/* A domain may begin with labels that are not ASCII (U-labels, RFC 5890 2.3.2.1): behind them. */
static const char *
u_labels_end(const char *s)
{
	for (;;) {
		size_t n = strcspn(s, ".{");
		bool high = false;

		for (size_t i = 0; i < n; i++)
			high |= (unsigned char)s[i] > 127;
		if (!high || s[n] != '.')
			return s;
		s += n + 1;
	}
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
		const char *name = at == NULL ? NULL : u_labels_end(at + 1);
		if (at != NULL && parse_name(p, l->number, name, -1, &n) != 0)
			return -1;
		if (at != NULL && n.root != ROOT_D)
			return parse_fail(p, l->number,
			    "mailbox %.60s: its domain must end in {d} or {d:b}", l->word[i]);
		if (t->n_mailbox > 0 &&
		    test_mailbox(t, at != NULL && n.zone == 1, l->word[i], len) >= 0)
			return parse_fail(p, l->number,
			    "mailbox %.60s: its local part stands there twice", l->word[i]);
		t->mailbox[t->n_mailbox++] = xstrdup(l->word[i]);
	}
	return 0;
}

static int
head_message(struct parse *p, const struct text_line *l)
{
	if (message_find(l->word[1]) == NULL)
		return parse_fail(
		    p, l->number, "message %.40s: must be one of %s", l->word[1], message_words());
	p->test->message = xstrdup(l->word[1]);
	return 0;
}

static int
head_deadline(struct parse *p, const struct text_line *l)
{
	return parse_duration(p, l->number, "deadline", l->word[1], &p->test->deadline_us);
}

static int
head_mailed(struct parse *p, const struct text_line *l)
{
	static const char *const words[] = { "no", NULL };

	if (parse_word(p, l->number, "mailed", words, l->word[1]) < 0)
		return -1;
	p->test->unmailed = true;
	return 0;
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
	{ "worth", 1, 1, false, "worth more|ordinary|less", head_worth },
	{ "control", 1, TEST_NAMES_MAX, false, "control TEST [TEST...]", head_control },
	{ "contrast", 1, TEST_NAMES_MAX, false, "contrast TEST [TEST...]", head_contrast },
	{ "graded", 2, 1 + TEST_NAMES_MAX, false, "graded on TEST [TEST...]", head_graded },
	{ "trait", 2, 2, true, "trait NAME accepted|refused", head_trait },
	{ "title", 1, 1, false, "title TEXT", head_title },
	{ "spec", 1, 1, false, "spec TEXT", head_spec },
	{ "about", 1, 1, false, "about TEXT", head_about },
	{ "fooled-by", 1, 1, true, "fooled-by TEXT", head_fooled_by },
	{ "mailbox", 1, 8, false, "mailbox LOCAL[@NAME] [LOCAL[@NAME]...]", head_mailbox },
	{ "message", 1, 1, false, "message WORD", head_message },
	{ "deadline", 1, 1, false, "deadline DURATION", head_deadline },
	{ "mailed", 1, 1, false, "mailed no", head_mailed },
	{ "v6", 0, 0, false, "v6", head_v6 },
};
const struct section section_head = { "", "(before the first section)", NULL, head_keywords,
	sizeof head_keywords / sizeof head_keywords[0], NULL, NULL, NULL };
