/* The public suite of ARC's chain validation, every case of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <strings.h>

#include "tests/unit/verify/book.h"
#include "tests/unit/verify/yaml_suite.h"
#include "verify/arc.h"

#define SUITE_FILE  "tests/suites/arc-validation-tests.yml"
#define SUITE_CASES 175 /* of the file */

struct one {
	yaml_document_t *document;
	yaml_node_t *test;
};

/* The file has LF. */
static void
with_crlf(struct strbuf *dst, const yaml_node_t *message)
{
	const char *text = yaml_scalar(message);

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\n')
			strbuf_add(dst, "\r", 1);
		strbuf_add(dst, p, 1);
	}
}

static void
keys_of(struct book_row *table, size_t max, yaml_document_t *d)
{
	yaml_node_t *records = yaml_member(d, yaml_document_get_root_node(d), "txt-records");
	size_t n = 0;

	for (yaml_node_pair_t *p = records->data.mapping.pairs.start;
	     p < records->data.mapping.pairs.top && n + 1 < max; p++)
		table[n++] = (struct book_row){
			.name = yaml_scalar(yaml_document_get_node(d, p->key)),
			.text = yaml_scalar(yaml_document_get_node(d, p->value)),
		};
	table[n].name = NULL;
}

static void
test_case(void **state)
{
	const struct one *c = *state;
	const char *due = yaml_scalar(yaml_member(c->document, c->test, "cv"));
	struct lookups *book = lookups_new(200);
	struct strbuf text = { 0 };
	static struct arc_result result;
	struct book_row table[16];
	struct mail m;
	int rounds = 0;

	keys_of(table, 16, c->document);
	with_crlf(&text, yaml_member(c->document, c->test, "message"));
	mail_parse(&m, text.s != NULL ? text.s : "", text.len, &mail_limits);
	while (arc_judge(&m, book, &result) == VERIFY_NEED) {
		assert_int_not_equal(book_answer(book, table), 0);
		assert_in_range(++rounds, 1, 1);
	}
	/* Nothing is due where the last seal says that the chain had failed. */
	if (due[0] == '\0') {
		assert_true(result.failed_before);
		due = "fail";
	}
	if (strcasecmp(due, arc_verdict_word(result.verdict)) != 0)
		fail_msg("%s, not %s: %s", arc_verdict_word(result.verdict), due, result.reason);
	assert_true((result.reason[0] != '\0') == (result.verdict == ARC_IS_FAIL));
	mail_clear(&m);
	strbuf_clear(&text);
	lookups_free(book);
}

int
main(void)
{
	static struct CMUnitTest tests[SUITE_CASES + 1];
	static struct one cases[SUITE_CASES + 1];
	static struct yaml_suite suite;
	size_t n = 0;
	int rc;

	yaml_suite_load(&suite, SUITE_FILE);
	for (size_t i = 0; i < suite.n; i++) {
		yaml_document_t *d = &suite.document[i];
		yaml_node_t *all = yaml_member(d, yaml_document_get_root_node(d), "tests");
		yaml_node_pair_t *p = all->data.mapping.pairs.start;

		for (; p < all->data.mapping.pairs.top && n <= SUITE_CASES; p++, n++) {
			cases[n] = (struct one){ d, yaml_document_get_node(d, p->value) };
			tests[n] = (struct CMUnitTest){
				.name = yaml_scalar(yaml_document_get_node(d, p->key)),
				.test_func = test_case,
				.initial_state = &cases[n],
			};
		}
	}
	if (n != SUITE_CASES) {
		fprintf(stderr, "%s: %zu cases, not %d\n", SUITE_FILE, n, SUITE_CASES);
		return 1;
	}
	rc = _cmocka_run_group_tests("arc_suite", tests, n, NULL, NULL);
	yaml_suite_free(&suite);
	return rc;
}
