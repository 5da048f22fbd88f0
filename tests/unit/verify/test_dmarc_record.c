/* DMARC policy records. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "verify/dmarc_record.h"

static struct dmarc_record r;

static void
parse(const char *text)
{
	size_t len = strlen(text);
	char *exact = xmalloc(len);

	memcpy(exact, text, len);
	assert_true(dmarc_record_is(exact, len));
	dmarc_record_parse(&r, exact, len);
	free(exact);
}

static void
test_which(void **state)
{
	static const char *const right[] = {
		"v=DMARC1",
		"v=DMARC1;p=none",
		"v = DMARC1 ; p=none",
		"V=DMARC1; p=none",
		"v=DMARC1;",
	};
	static const char *const wrong[] = {
		"",
		"p=none; v=DMARC1",
		" v=DMARC1; p=none",
		"v=dmarc1; p=none",
		"v=DMARC1 p=none",
		"v=DMARC10; p=none",
		"v=DMARC2; p=none",
		"v=DMARC1, p=none",
		"DMARC1; p=none",
		"v=spf1 -all",
		";v=DMARC1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++)
		if (!dmarc_record_is(right[i], strlen(right[i])))
			fail_msg("%s", right[i]);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (dmarc_record_is(wrong[i], strlen(wrong[i])))
			fail_msg("%s", wrong[i]);
}

static void
test_defaults(void **state)
{
	(void)state;
	parse("v=DMARC1; p=reject");
	assert_int_equal(r.faults, 0);
	assert_int_equal(r.p, DMARC_REJECT);
	assert_int_equal(r.sp, DMARC_UNSET);
	assert_int_equal(r.np, DMARC_UNSET);
	assert_false(r.strict_dkim || r.strict_spf || r.testing);
	assert_int_equal(r.pct, 100);
	assert_int_equal(r.psd, 'u');
	assert_string_equal(r.fo, "0");
	assert_int_equal(r.interval, 86400);
	assert_int_equal(r.rua_n + r.ruf_n, 0);
}

static void
test_all_tags(void **state)
{
	(void)state;
	parse("v=DMARC1;p=Quarantine;sp=none;np=REJECT;adkim=s;aspf=S;pct=7;t=y;psd=n;fo=1:d:s;"
	      "rf=afrf;ri=3600;rua=mailto:a@B.example!10m,mailto:c%21@x.example?subject=x;"
	      "ruf=mailto:d@e.example!1;");
	assert_int_equal(r.faults, 1); /* pct is gone from RFC 9989 */
	assert_false(r.fault[0].grave);
	assert_int_equal(r.p, DMARC_QUARANTINE);
	assert_int_equal(r.sp, DMARC_NO_ACTION);
	assert_int_equal(r.np, DMARC_REJECT);
	assert_true(r.strict_dkim && r.strict_spf && r.testing);
	assert_int_equal(r.pct, 7);
	assert_int_equal(r.psd, 'n');
	assert_string_equal(r.fo, "1ds");
	assert_int_equal(r.interval, 3600);
	assert_int_equal(r.rua_n, 2);
	assert_string_equal(r.rua[0].text, "mailto:a@B.example");
	assert_string_equal(r.rua[0].host, "b.example");
	assert_int_equal(r.rua[0].limit, 10 << 20);
	assert_string_equal(r.rua[1].host, "x.example");
	assert_int_equal(r.rua[1].limit, 0);
	assert_int_equal(r.ruf_n, 1);
	assert_int_equal(r.ruf[0].limit, 1);
}

static void
test_faults(void **state)
{
	static const struct {
		const char *text, *fault;
		bool grave;
	} cases[] = {
		{ "v=DMARC1; p=rejct", "none of none, quarantine, reject", true },
		{ "v=DMARC1", "the record means nothing", true },
		{ "v=DMARC1; rua=mailto:a@b.example", "with rua that means p=none", true },
		{ "v=DMARC1; p=none; sp=all", "sp: \"all\"", true },
		{ "v=DMARC1; p=none; np=x", "np: \"x\"", true },
		{ "v=DMARC1; p=none; p=reject", "p: it stands there twice", true },
		{ "v=DMARC1; p=none; v=DMARC1", "v: it stands there twice", true },
		{ "v=DMARC1; p=none; pct=101", "no number from 0 to 100", true },
		{ "v=DMARC1; p=none; pct=-1", "no number from 0 to 100", true },
		{ "v=DMARC1; p=none; pct=9%", "no number from 0 to 100", true },
		{ "v=DMARC1; p=none; ri=4294967296", "no number of seconds", true },
		{ "v=DMARC1; p=none; rf=iodef", "no known format", true },
		{ "v=DMARC1; p=none; ruf=mailto:a@b.example; fo=2", "fo: \"2\"", true },
		{ "v=DMARC1; p=none; ruf=mailto:a@b.example; fo=0:1", "exclude each other", false },
		{ "v=DMARC1; p=none; fo=1", "only with ruf", false },
		{ "v=DMARC1; p=none; adkim=strict", "adkim: \"strict\" is none of r, s", true },
		{ "v=DMARC1; p=none; aspf=x", "aspf: \"x\"", true },
		{ "v=DMARC1; p=none; t=1", "t: \"1\" is none of y, n", true },
		{ "v=DMARC1; p=none; psd=x", "psd: \"x\" is none of y, n, u", true },
		{ "v=DMARC1; p=none; bimi=x", "no DMARC tag has this name", false },
		{ "v=DMARC1; p=none;; sp=none", "nothing between", false },
		{ "v=DMARC1; p=none; quarantine", "no \"=\"", true },
		{ "v=DMARC1; p=none; sp=", "sp: it has no value", true },
		{ "v=DMARC1; sp=none; p=none", "next to v", false },
		{ "v=DMARC1; p=none; rua=a@b.example", "begin with mailto:", true },
		{ "v=DMARC1; p=none; rua=https://b.example/", "only know mailto:", true },
		{ "v=DMARC1; p=none; rua=mailto:b.example", "no address", true },
		{ "v=DMARC1; p=none; rua=mailto:a@", "empty label", true },
		{ "v=DMARC1; p=none; rua=mailto:<a@b.example>", "no URI may have", true },
		{ "v=DMARC1; p=none; rua=mailto:a b@b.example", "no URI may have", true },
		{ "v=DMARC1; p=none; rua=mailto:a%2@b.example", "broken %", true },
		{ "v=DMARC1; p=none; rua=mailto:a@b.example!", "no size", true },
		{ "v=DMARC1; p=none; rua=mailto:a@b.example!10x", "no size", true },
		{ "v=DMARC1; p=none; rua=mailto:a!b@b.example", "no size", true },
		{ "v=DMARC1; p=none; rua=mailto:a@b.example,", "begin with mailto:", true },
		{ "v=DMARC1; p=none; rua=mailto:a@b.example mailto:c@d.example", "no URI may have",
		    true },
		{ "v=DMARC1; p=none; x=\xff", "not printable", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool found = false;

		parse(cases[i].text);
		for (size_t k = 0; k < r.faults && k < DMARC_FAULTS_MAX; k++)
			found |= strstr(r.fault[k].text, cases[i].fault) != NULL &&
				 r.fault[k].grave == cases[i].grave;
		if (!found)
			fail_msg("%s: %zu faults, the first is: %s", cases[i].text, r.faults,
			    r.fault[0].text);
	}
}

/* What counts where something is wrong. */
static void
test_what_counts(void **state)
{
	static const struct {
		const char *text;
		enum dmarc_effect list, tree;
	} cases[] = {
		{ "v=DMARC1; p=reject", DMARC_AS_WRITTEN, DMARC_AS_WRITTEN },
		{ "v=DMARC1; p=rejct", DMARC_NOT_APPLIED, DMARC_NOT_APPLIED },
		{ "v=DMARC1; p=rejct; rua=mailto:a@b.example", DMARC_AS_NONE, DMARC_AS_NONE },
		{ "v=DMARC1; rua=mailto:a@b.example", DMARC_AS_NONE, DMARC_AS_WRITTEN },
		{ "v=DMARC1; rua=a@b.example", DMARC_NOT_APPLIED, DMARC_AS_WRITTEN },
		{ "v=DMARC1; rua=https://b.example", DMARC_NOT_APPLIED, DMARC_AS_WRITTEN },
		{ "v=DMARC1", DMARC_NOT_APPLIED, DMARC_AS_WRITTEN },
		{ "v=DMARC1; sp=reject", DMARC_NOT_APPLIED, DMARC_AS_WRITTEN },
		{ "v=DMARC1; sp=reject; rua=mailto:a@b.example", DMARC_AS_NONE, DMARC_AS_WRITTEN },
		{ "v=DMARC1; sp=x", DMARC_NOT_APPLIED, DMARC_NOT_APPLIED },
		{ "v=DMARC1; sp=x; rua=mailto:a@b.example", DMARC_AS_NONE, DMARC_AS_NONE },
		{ "v=DMARC1; p=", DMARC_NOT_APPLIED, DMARC_NOT_APPLIED },
		{ "v=DMARC1; p=; rua=mailto:a@b.example", DMARC_AS_NONE, DMARC_AS_NONE },
		{ "v=DMARC1; p=none; sp=", DMARC_NOT_APPLIED, DMARC_NOT_APPLIED },
		{ "v=DMARC1; p=none; np=", DMARC_AS_WRITTEN, DMARC_NOT_APPLIED },
		{ "v=DMARC1; p=reject; sp=x", DMARC_NOT_APPLIED, DMARC_NOT_APPLIED },
		{ "v=DMARC1; p=reject; sp=x; rua=mailto:a@b.example", DMARC_AS_NONE,
		    DMARC_AS_NONE },
		{ "v=DMARC1; p=reject; np=x", DMARC_AS_WRITTEN, DMARC_NOT_APPLIED },
		{ "v=DMARC1; p=reject; pct=x", DMARC_AS_WRITTEN, DMARC_AS_WRITTEN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		parse(cases[i].text);
		if (dmarc_record_effect(&r, false) != cases[i].list ||
		    dmarc_record_effect(&r, true) != cases[i].tree)
			fail_msg("%s: %d, %d", cases[i].text, dmarc_record_effect(&r, false),
			    dmarc_record_effect(&r, true));
	}
	parse("v=DMARC1; p=none; p=reject; pct=x; adkim=x; psd=x; fo=2");
	assert_int_equal(r.p, DMARC_NO_ACTION);
	assert_int_equal(r.pct, 100);
	assert_int_equal(r.psd, 'u');
	assert_false(r.strict_dkim);
	assert_string_equal(r.fo, "0");
}

static void
test_limits(void **state)
{
	struct strbuf b = { 0 };

	(void)state;
	for (unsigned n = DMARC_URIS_MAX; n <= DMARC_URIS_MAX + 1; n++) {
		strbuf_reset(&b);
		strbuf_puts(&b, "v=DMARC1; p=none; rua=mailto:a@b.example");
		for (unsigned i = 1; i < n; i++)
			strbuf_puts(&b, ",mailto:a@b.example");
		parse(b.s);
		assert_int_equal(r.rua_n, DMARC_URIS_MAX);
		assert_int_equal(r.faults, n - DMARC_URIS_MAX);
	}
	/* More faults than are kept, in a record as large as DNS allows. */
	strbuf_reset(&b);
	strbuf_puts(&b, "v=DMARC1");
	for (unsigned i = 0; i < 16000; i++)
		strbuf_puts(&b, ";x=1");
	parse(b.s);
	assert_int_equal(r.faults, 16001);
	assert_int_equal(strlen(r.text), sizeof(r.text) - 1);
	strbuf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_tags),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_what_counts),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
