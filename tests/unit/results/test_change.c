/* What to change: joined, in the order of weight, nothing that nobody must change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#undef test_free

#include "results/change.h"

static char *quick[] = { "quick", "standard" }, *standard[] = { "standard" };
static struct test tests[] = {
	{ .name = "one", .title = "the first", .spec = "RFC 1" },
	{ .name = "two", .title = "the second", .in_sets = standard, .n_in_sets = 1 },
	{ .name = "three", .title = "the third", .in_sets = quick, .n_in_sets = 2 },
	{ .name = "four", .title = "the fourth", .in_sets = quick, .n_in_sets = 2 },
	{ .name = "five", .title = "the fifth", .in_sets = quick, .n_in_sets = 2 },
};
#define N (sizeof tests / sizeof *tests)

static struct report_entry entries[N];
static struct report report = { .entries = entries, .n = N };

static void
entry(size_t i, enum grade g, const char *advice, const char *postfix, const char *provider)
{
	entries[i] = (struct report_entry){
		.test = &tests[i], .verdict = { .grade = g }, .advice = advice
	};
	entries[i].fix[FIX_POSTFIX] = postfix;
	entries[i].fix[FIX_PROVIDER] = provider;
}

static void
test_order(void **state)
{
	struct changes c;

	(void)state;
	entry(0, GRADE_VIOLATES, "Do a.", "# x\na = 1", "a?");
	entry(1, GRADE_VIOLATES, "Do b.", NULL, NULL);
	entry(2, GRADE_INFORMATIONAL, "Do c.", "# x\nc = 1", "c?");
	entry(3, GRADE_INFORMATIONAL, "Nothing needs to change.", NULL, NULL);
	entry(4, GRADE_CONFORMS, "x", "# x\nc = 1", "c?");
	changes_read(&c, &report);
	assert_int_equal(c.n, 3);
	assert_ptr_equal(c.item[0].entry[0], &entries[1]); /* in standard */
	assert_ptr_equal(c.item[1].entry[0], &entries[0]);
	assert_ptr_equal(c.item[2].entry[0], &entries[2]); /* in quick, but for information */
	changes_clear(&c);
}

/* Of what is worth having and weighs the same the test says what comes first; what breaks a rule is not asked. */
static void
test_worth(void **state)
{
	static const char *const lines[] = { "c = 1", "d = 1", "e = 1" };
	static const size_t order[] = { 0, 4, 3, 2, 1 };
	struct changes c;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		entry(2 + i, GRADE_INFORMATIONAL, "Do.", lines[i], "c?");
	entry(0, GRADE_VIOLATES, "Do a.", NULL, NULL);
	entry(1, GRADE_INFORMATIONAL, "Do b.", "# x\nb = 1", "b?");
	tests[0].worth = tests[2].worth = -1;
	tests[1].worth = tests[4].worth = 1;
	changes_read(&c, &report);
	assert_int_equal(c.n, 5);
	for (size_t i = 0; i < 5; i++)
		assert_ptr_equal(c.item[i].entry[0], &entries[order[i]]);
	assert_int_equal(c.item[1].weight, c.item[3].weight);
	changes_clear(&c);
	for (size_t i = 0; i < N; i++)
		tests[i].worth = 0;
}

/* The same fix is said once, by the test that weighs most; the same advice without a fix too. */
static void
test_joined(void **state)
{
	struct changes c;

	(void)state;
	entry(0, GRADE_VIOLATES, "Do a.", "# x\na = 1", "a?");
	entry(1, GRADE_VIOLATES, "Update.", NULL, NULL);
	entry(2, GRADE_INFORMATIONAL, "Do a, too.", "# x\na = 1", "a?");
	entry(3, GRADE_VIOLATES, "Update.", NULL, NULL);
	entry(4, GRADE_VIOLATES, "Do a.", "# x\na = 2", "a?");
	changes_read(&c, &report);
	assert_int_equal(c.n, 3);
	assert_ptr_equal(c.item[0].entry[0], &entries[3]);
	assert_int_equal(c.item[0].n, 2);
	assert_ptr_equal(c.item[1].entry[0], &entries[4]);
	assert_int_equal(c.item[1].n, 1);
	assert_ptr_equal(c.item[2].entry[0], &entries[0]);
	assert_ptr_equal(c.item[2].entry[1], &entries[2]);
	changes_clear(&c);
	/* Two without any advice are not the same thing. */
	entry(1, GRADE_VIOLATES, NULL, NULL, NULL);
	entry(3, GRADE_VIOLATES, NULL, NULL, NULL);
	changes_read(&c, &report);
	assert_int_equal(c.n, 4);
	changes_clear(&c);
}

static void
test_words(void **state)
{
	static const struct {
		const char *advice, *headline, *rest;
	} rows[] = {
		{ "Do it.", "Do it", "" },
		{ "Keep mail (RFC 5321 4.5.4.1). Then in main.cf more.",
		    "Keep mail (RFC 5321 4.5.4.1)", "Then in main.cf more." },
		{ "With a tool:\n  tool -x\nand so on.", "With a tool:", "  tool -x\nand so on." },
		{ "No end", "No end", "" },
		{ NULL, "the first", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct report_entry *e = &entries[0];
		struct change c = { .entry = &e, .n = 1 };
		struct strbuf b = { 0 };
		const char *rest;
		entry(0, GRADE_VIOLATES, rows[i].advice, NULL, NULL);
		change_words(&b, &rest, &c);
		assert_string_equal(b.s, rows[i].headline);
		assert_string_equal(rest, rows[i].rest);
		strbuf_clear(&b);
	}
}

static void
test_ask(void **state)
{
	struct strbuf b = { 0 };

	(void)state;
	entry(0, GRADE_VIOLATES, "Do a.", NULL, "Please do.");
	change_ask(&b, &entries[0]);
	assert_string_equal(b.s, "Please do.");
	strbuf_reset(&b);
	entry(0, GRADE_VIOLATES, "Do a.", NULL, NULL);
	strcpy(entries[0].verdict.reason, "it did not");
	change_ask(&b, &entries[0]);
	assert_non_null(strstr(b.s, "test one (the first): it did not. See RFC 1."));
	strbuf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_worth),
		cmocka_unit_test(test_joined),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_ask),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
