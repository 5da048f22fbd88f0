/* Two reports: which verdict is better, which is worse, and what is only another one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#undef test_free

#include "lib/json.h"
#include "results/compare.h"

static struct test tests[] = { { .name = "one" }, { .name = "two" } };

static void
entry(struct report_entry *e, size_t i, enum grade g, const char *reason)
{
	*e = (struct report_entry){ .test = &tests[i], .verdict = { .grade = g } };
	snprintf(e->verdict.reason, sizeof e->verdict.reason, "%s", reason);
}

static void
test_kinds(void **state)
{
	static const struct {
		enum grade before, after;
		enum compare_kind kind;
	} rows[] = {
		{ GRADE_VIOLATES, GRADE_CONFORMS, COMPARE_BETTER },
		{ GRADE_VIOLATES, GRADE_INFORMATIONAL, COMPARE_BETTER },
		{ GRADE_CONFORMS, GRADE_VIOLATES, COMPARE_WORSE },
		{ GRADE_INFORMATIONAL, GRADE_VIOLATES, COMPARE_WORSE },
		{ GRADE_INCONCLUSIVE, GRADE_VIOLATES, COMPARE_OTHER },
		{ GRADE_PENDING, GRADE_VIOLATES, COMPARE_OTHER },
		{ GRADE_VIOLATES, GRADE_INCONCLUSIVE, COMPARE_OTHER },
		{ GRADE_CONFORMS, GRADE_INFORMATIONAL, COMPARE_OTHER },
		{ GRADE_CONFORMS, GRADE_CONFORMS, COMPARE_SAME },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct report_entry a, b;
		struct report before = { .entries = &a, .n = 1 }, after = { .entries = &b, .n = 1 };
		struct comparison c;
		entry(&a, 0, rows[i].before, "x");
		entry(&b, 0, rows[i].after, "x");
		compare_reports(&c, &before, &after);
		assert_int_equal(c.n, 1);
		assert_int_equal(c.row[0].kind, rows[i].kind);
		assert_int_equal(c.count[rows[i].kind], 1);
		compare_clear(&c);
	}
}

static void
test_sides(void **state)
{
	struct report_entry a[1], b[2];
	struct report before = { .entries = a, .n = 1, .token = "earlier" };
	struct report after = { .entries = b, .n = 1, .token = "later" };
	struct comparison c;
	struct strbuf out = { 0 };
	char err[100];

	(void)state;
	entry(&a[0], 0, GRADE_CONFORMS, "fast");
	entry(&b[0], 1, GRADE_CONFORMS, "fast");
	compare_reports(&c, &before, &after);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.row[0].kind, COMPARE_ADDED);
	assert_null(c.row[0].before);
	assert_int_equal(c.row[1].kind, COMPARE_GONE);
	assert_null(c.row[1].after);
	compare_json(&out, &c);
	struct json_doc *doc = json_parse(out.s, out.len, err, sizeof err);
	assert_non_null(doc);
	assert_string_equal(json_string(json_get(json_root(doc), "after"), "token"), "later");
	json_free(doc);
	strbuf_reset(&out);
	compare_html(&out, &c, "/run/<");
	assert_non_null(strstr(out.s, "not in this run"));
	assert_non_null(strstr(out.s, "\"/run/&lt;#test-two\""));
	compare_clear(&c);
	/* The same verdict for another reason is told apart, and not listed. */
	entry(&b[0], 0, GRADE_CONFORMS, "slow");
	compare_reports(&c, &before, &after);
	assert_int_equal(c.row[0].kind, COMPARE_DETAIL);
	strbuf_reset(&out);
	compare_html(&out, &c, NULL);
	assert_non_null(strstr(out.s, "No verdict has changed."));
	strbuf_reset(&out);
	compare_text(&out, &c, NULL);
	assert_non_null(strstr(out.s, "0 as before, 1 more with the same verdict"));
	compare_clear(&c);
	strbuf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_sides),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
