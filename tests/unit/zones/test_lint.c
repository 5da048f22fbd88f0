/* What lint says of tests that load. */
#include "tests/unit/zones/fixture.h"

#include "lib/strbuf.h"
#include "zones/lint.h"

static void
collect(void *ctx, enum lint_level level, const char *text)
{
	strbuf_printf(ctx, "%s %s\n", level == LINT_ERROR ? "E" : "w", text);
}

/* Everything that is said of the text; *errors of them are errors.  The caller owns it. */
static char *
said_of(const char *text, unsigned *errors)
{
	struct strbuf b = { 0 };
	struct test *t = load_text(text);

	strbuf_puts(&b, "");
	*errors = lint_test(t, collect, &b);
	test_free(t);
	return b.s != NULL ? b.s : xstrdup("");
}

#define READER "[reader]\nmeans conforms \"good\"\n"
#define TRACES                                                                                     \
	"[trace a]\n1s smtp.message reply=250\nverdict conforms\n[trace b]\nend settled\nverdict " \
	"inconclusive\n[trace c]\n"                                                                \
	"verdict pending\n"

static void
findings(void **state)
{
	static const struct {
		const char *text;
		unsigned errors;
		const char *says;
	} rows[] = {
		{ HEAD DNS HOST RULES READER TRACES, 0, "" },
		{ HEAD DNS HOST RULES TRACES, 1, "E f:1: [reader]: means conforms is missing" },
		{ HEAD DNS HOST RULES READER "means violates \"x\"\n" TRACES, 0,
		    "w f:1: [reader] violates: no rule" },
		{ HEAD DNS HOST RULES READER "fix conforms postfix \"# x\\na = b\"\n" TRACES, 2,
		    "fix conforms without do conforms" },
		{ HEAD DNS HOST RULES READER
		    "do conforms \"x\"\nfix conforms exim \"# x\\na\"\n" TRACES,
		    1, "fix conforms provider is missing" },
		{ HEAD DNS HOST RULES READER
		    "do conforms \"x:\\n  hosts_x = y\"\nfix conforms provider \"z\"\n" TRACES,
		    1, "\"hosts_x = y\": goes into fix conforms" },
		{ HEAD DNS HOST RULES READER, 1, "E f:1: [trace]: 0 of them" },
		{ HEAD DNS HOST RULES READER, 1, "w f:1: [trace]: none ends in verdict conforms" },
		{ HEAD DNS HOST "[verdict]\nconforms seen dns MX at {d} \"x\"\npending not settled "
				"\"x\"\ninconclusive otherwise \"x\"\n" READER TRACES,
		    1, "E f:14: conforms: decided before the test is settled" },
		{ HEAD DNS HOST "[verdict]\nconforms not accepted \"x\"\npending not settled "
				"\"x\"\ninconclusive otherwise \"x\"\n" READER TRACES,
		    1, "decided before" },
		{ HEAD DNS HOST
		    "[verdict]\nconforms accepted \"x\"\ninconclusive otherwise \"x\"\n" READER
			TRACES,
		    1, "E f:15: inconclusive: decided" },
		{ HEAD DNS HOST "[verdict]\nconforms gave-up-at rcpt \"x\"\npending not settled "
				"\"x\"\ninconclusive otherwise \"x\"\n" READER TRACES,
		    1, "decided before" },
		{ HEAD DNS HOST "[verdict]\nconforms accepted \"x\"\nviolates seen dns any and "
				"settled \"x\"\npending not settled \"x\"\n"
				"inconclusive otherwise \"x\"\n" READER
				"means violates \"x\"\ndo violates \"x\"\n" TRACES,
		    1, "E f:15: violates: neither a deed" },
		{ HEAD DNS HOST "[verdict]\nconforms accepted \"x\"\nviolates seen dns any and "
				"control accepted and settled \"x\"\n"
				"pending not settled \"x\"\ninconclusive otherwise \"x\"\n" READER
				"means violates \"x\"\n" TRACES,
		    1, "do violates is missing" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		unsigned errors;
		char *said = said_of(rows[i].text, &errors);
		if (errors != rows[i].errors || strstr(said, rows[i].says) == NULL ||
		    (rows[i].says[0] == '\0' && said[0] != '\0'))
			fail_msg("row %zu: %u errors:\n%s", i, errors, said);
		free(said);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(findings) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
