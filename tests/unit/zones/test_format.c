/* FORMAT.md and outpost-test(5) have every word that the loader knows. */
#include "tests/unit/zones/fixture.h"

#include <ctype.h>

#include "zones/auth.h"
#include "zones/parse.h"

static char *text;

/* In FORMAT.md words stand in `code` or in indented examples: not inside another word. */
static bool
has_word(const char *word)
{
	size_t len = strlen(word);

	for (const char *s = text; (s = strstr(s, word)) != NULL; s++)
		if ((s == text || (!isalnum((unsigned char)s[-1]) && s[-1] != '-')) &&
		    !isalnum((unsigned char)s[len]) && s[len] != '-')
			return true;
	return false;
}

static unsigned missing;

static void
want(const char *word)
{
	if (has_word(word))
		return;
	print_error("missing: %s\n", word);
	missing++;
}

static void
want_all(const char *const *words)
{
	for (; *words != NULL; words++)
		want(*words);
}

static void
every_word(const char *file)
{
	FILE *f = fopen(file, "r");
	const struct section *s;
	char buf[24];

	assert_non_null(f);
	text = calloc(1, 200000);
	assert_non_null(text);
	assert_true(fread(text, 1, 199999, f) > 1000);
	fclose(f);
	missing = 0;
	for (unsigned i = 0; (s = parse_section(i)) != NULL; i++) {
		want(s->name);
		for (size_t k = 0; k < s->n_keywords; k++)
			want(s->keywords[k].word);
	}
	for (unsigned k = 0; k < P_KIND_MAX; k++)
		want(predicate_word((enum predicate_kind)k));
	for (int i = HELLO_ANY + 1; i < HELLO_THING_MAX; i++)
		want(hello_thing_name((enum hello_thing)i));
	for (unsigned i = 0; predicate_selector(i) != NULL; i++)
		want(predicate_selector(i));
	for (unsigned i = 0; parse_trace_word(i) != NULL; i++)
		want(parse_trace_word(i));
	for (unsigned i = 0; i < PH_MAX; i++)
		want(placeholder_usage((enum placeholder_kind)i));
	for (unsigned i = STAGE_SYN; i < STAGE_ACCEPTED; i++)
		want(stage_name((enum stage)i));
	for (unsigned i = 0; i < GRADE_MAX; i++)
		want(grade_name((enum grade)i));
	for (unsigned i = 0; i < OUTCOME_MAX; i++)
		want(outcome_name((enum outcome)i));
	for (unsigned i = 0; i < TRAIT_MAX; i++)
		want(trait_answer_name((enum trait_answer)i));
	for (unsigned m = 0; m < AUTH_METHOD_MAX; m++) {
		want(auth_method_name((enum auth_method)m));
		for (unsigned i = 0; auth_word((enum auth_method)m, i) != NULL; i++)
			want(auth_word((enum auth_method)m, i));
	}
	for (unsigned i = 0; outgoing_word(i) != NULL; i++)
		want(outgoing_word(i));
	for (unsigned i = 0; auth_state(i) != NULL; i++)
		want(auth_state(i));
	for (unsigned i = 0; auth_part(i) != NULL; i++)
		want(auth_part(i)->word);
	want_all(point_names);
	want_all(ns_names);
	want_all(ds_names);
	want_all(sign_names);
	want_all(denial_names);
	want_all(answer_names);
	want_all(host_action_names);
	want_all(key_names);
	want_all(phase_event_names);
	want_all(cert_names);
	for (unsigned i = 0; reason_names[i] != NULL; i++) {
		snprintf(buf, sizeof buf, "{%s}", reason_names[i]);
		want(buf);
	}
	free(text);
	assert_int_equal(missing, 0);
}

static void
in_format(void **state)
{
	(void)state;
	every_word("zones/FORMAT.md");
}

/* In mdoc "-" is written "\-" nowhere in these words, so the same search does. */
static void
in_manual(void **state)
{
	(void)state;
	every_word("man/outpost-test.5");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_format),
		cmocka_unit_test(in_manual),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
