/* The public suite of RFC 7208, every case of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/verify/spf_suite.h"

struct one {
	yaml_document_t *document;
	yaml_node_t *test;
};

static void
test_case(void **state)
{
	const struct one *c = *state;
	struct spf_input in = suite_input(c->document, c->test);
	const char *explanation = suite_explanation(c->document, c->test);
	static struct spf_result result;
	struct lookups *book = lookups_new(200);
	int rounds = 0;

	while (spf_check(&in, book, &result) == VERIFY_NEED) {
		suite_answer_all(c->document, book);
		assert_true(++rounds < 50);
	}
	if (!suite_allows(c->document, c->test, spf_verdict_word(result.verdict)))
		fail_msg("%s: %s", spf_verdict_word(result.verdict), result.reason);
	assert_true(result.reason[0] != '\0');
	if (explanation != NULL)
		assert_string_equal(result.explanation, explanation);
	lookups_free(book);
}

int
main(void)
{
	static struct CMUnitTest tests[SUITE_CASES + 1];
	static struct one cases[SUITE_CASES + 1];
	static struct suite suite;
	size_t n = 0;
	int rc;

	suite_load(&suite);
	for (size_t i = 0; i < suite.n; i++) {
		yaml_document_t *d = &suite.documents[i];
		yaml_node_t *all = member(d, yaml_document_get_root_node(d), "tests");
		yaml_node_pair_t *p = all->data.mapping.pairs.start;

		for (; p < all->data.mapping.pairs.top && n <= SUITE_CASES; p++, n++) {
			cases[n].document = d;
			cases[n].test = yaml_document_get_node(d, p->value);
			tests[n] = (struct CMUnitTest){
				.name = scalar(yaml_document_get_node(d, p->key)),
				.test_func = test_case,
				.initial_state = &cases[n],
			};
		}
	}
	if (n != SUITE_CASES) {
		printf("Bail out! %s: %zu cases instead of %d\n", SUITE_FILE, n, SUITE_CASES);
		return 1;
	}
	rc = _cmocka_run_group_tests("rfc7208", tests, n, NULL, NULL);
	suite_free(&suite);
	return rc;
}
