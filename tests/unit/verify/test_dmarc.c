/* DMARC as RFC 7489 and as RFC 9989 have it, over a table of records. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "lib/suffix.h"
#include "verify/dmarc.h"

/* What the DNS of a case says: "NAME text" lines for TXT; "NAME !" fails, "NAME ?" is bogus, "NAME -" does not
 * exist.  Everything else has no data. */
struct zone {
	const char *line[12];
};

static void
answer(struct lookups *book, const struct zone *z, const struct lookup *l)
{
	uint8_t data[12][512];
	struct lookup_rdata rdata[12];
	enum lookup_status status = LOOKUP_NODATA;
	size_t name = strlen(l->name), n = 0;

	for (size_t i = 0; i < 12 && z->line[i] != NULL; i++) {
		const char *text = z->line[i] + name + 1;

		if (strncmp(z->line[i], l->name, name) != 0 || z->line[i][name] != ' ')
			continue;
		if (strcmp(text, "!") == 0)
			status = LOOKUP_FAILED;
		else if (strcmp(text, "?") == 0)
			status = LOOKUP_BOGUS;
		else if (strcmp(text, "-") == 0)
			status = LOOKUP_NXDOMAIN;
		else if (l->type == 16) {
			size_t len = strlen(text);

			assert_true(len < 256);
			data[n][0] = (uint8_t)len;
			memcpy(data[n] + 1, text, len);
			rdata[n] = (struct lookup_rdata){ data[n], (uint16_t)(len + 1) };
			n++;
			status = LOOKUP_OK;
		}
	}
	assert_int_equal(
	    lookup_put(book, l->name, l->type, status, status == LOOKUP_OK, "because", rdata, n),
	    0);
}

static unsigned rounds, questions;

static void
judge(struct dmarc_result *r, const struct dmarc_input *in, const struct zone *z)
{
	struct lookups *book = lookups_new(DMARC_LOOKUPS_MAX);

	rounds = questions = 0;
	while (dmarc_judge(in, book, r) == VERIFY_NEED) {
		const struct lookup *l;
		size_t iter = 0, n = 0;

		for (; (l = lookup_wanted(book, &iter)) != NULL; n++)
			answer(book, z, l);
		assert_true(n > 0);
		questions += (unsigned)n;
		assert_true(++rounds < 10);
	}
	for (size_t i = 0; lookup_at(book, i) != NULL; i++)
		assert_int_equal(
		    lookup_get(book, lookup_at(book, i)->name, lookup_at(book, i)->type)->status ==
			LOOKUP_WANTED,
		    0);
	lookups_free(book);
}

/* A signature of that domain passes, and nothing else. */
static void
signed_by(struct dmarc_result *r, const char *author, const char *d, const struct zone *z)
{
	const struct dmarc_identity dkim = { d, true, false };
	const struct dmarc_input in = {
		.author = author, .spf = { "", false, false }, .n = 1, .dkim = &dkim
	};

	judge(r, &in, z);
}

static struct dmarc_result r;

/* Where libopendmarc 1.4.2 was seen to be wrong, and more of that kind. */
static void
test_alignment(void **state)
{
	static const struct {
		const char *author, *d, *record; /* at the author's organisation by the list */
		enum dmarc_alignment aligned;
		bool pass;
	} cases[] = {
		{ "example.com", "com", "v=DMARC1; p=none", DMARC_UNALIGNED, false },
		{ "example.co.uk", "co.uk", "v=DMARC1; p=none", DMARC_UNALIGNED, false },
		{ "user.github.io", "github.io", "v=DMARC1; p=none", DMARC_UNALIGNED, false },
		{ "a.example.com", "example.com", "v=DMARC1; p=none; adkim=s", DMARC_RELAXED,
		    false },
		{ "aa.bb.internal", "cc.bb.internal", "v=DMARC1; p=none", DMARC_RELAXED, true },
		{ "a.example.com", "b.example.com", "v=DMARC1; p=none", DMARC_RELAXED, true },
		{ "example.com", "a.example.com", "v=DMARC1; p=none", DMARC_RELAXED, true },
		{ "example.com", "EXAMPLE.com", "v=DMARC1; p=none; adkim=s", DMARC_STRICT, true },
		{ "example.com", "notexample.com", "v=DMARC1; p=none", DMARC_UNALIGNED, false },
		{ "example.com", "example.com.evil.example", "v=DMARC1; p=none", DMARC_UNALIGNED,
		    false },
		{ "a.co.uk", "b.co.uk", "v=DMARC1; p=none", DMARC_UNALIGNED, false },
		{ "a.x.co.uk", "x.co.uk", "v=DMARC1; p=none", DMARC_RELAXED, true },
		{ "one.github.io", "two.github.io", "v=DMARC1; p=none", DMARC_UNALIGNED, false },
		/* A-labels in the list. */
		{ "a.b.xn--55qx5d.cn", "b.xn--55qx5d.cn", "v=DMARC1; p=none", DMARC_RELAXED, true },
		{ "a.xn--55qx5d.cn", "xn--55qx5d.cn", "v=DMARC1; p=none", DMARC_UNALIGNED, false },
		/* Exceptions and wildcards of the list. */
		{ "a.www.ck", "www.ck", "v=DMARC1; p=none", DMARC_RELAXED, true },
		{ "a.b.c.ck", "b.c.ck", "v=DMARC1; p=none", DMARC_RELAXED, true },
		{ "b.c.ck", "c.ck", "v=DMARC1; p=none", DMARC_UNALIGNED, false },
	};

	(void)state;
	assert_int_equal(dmarc_warm_up(), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char organisation[ADDRESS_DOMAIN_SIZE], line[512];
		const struct zone z = { { line } };

		dmarc_organisation(organisation, cases[i].author);
		snprintf(line, sizeof(line), "_dmarc.%s %s", organisation, cases[i].record);
		signed_by(&r, cases[i].author, cases[i].d, &z);
		if (r.list.dkim[0] != cases[i].aligned ||
		    (r.list.verdict == DMARC_IS_PASS) != cases[i].pass)
			fail_msg("%s and %s: %s, %s", cases[i].author, cases[i].d,
			    dmarc_alignment_word(r.list.dkim[0]), r.list.reason);
		/* With its record where the list has the organisation, the tree agrees. */
		if (r.tree.dkim[0] != cases[i].aligned || r.tree.verdict != r.list.verdict)
			fail_msg("%s and %s: %s, %s", cases[i].author, cases[i].d,
			    dmarc_alignment_word(r.tree.dkim[0]), r.tree.reason);
		assert_string_equal(r.difference, "");
	}
	suffix_forget();
}

static void
test_organisation(void **state)
{
	static const char *const cases[][2] = {
		{ "a.example.com", "example.com" }, /* a label of one letter */
		{ "example.com", "example.com" },
		{ "com", "com" },
		{ "a.b.example.co.uk", "example.co.uk" },
		{ "x.unknown-suffix", "x.unknown-suffix" },
		{ "y.x.unknown-suffix", "x.unknown-suffix" },
		{ "github.io", "github.io" },
	};
	char organisation[ADDRESS_DOMAIN_SIZE];

	(void)state;
	for (unsigned loaded = 0; loaded < 2; loaded++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			dmarc_organisation(organisation, cases[i][0]);
			assert_string_equal(organisation, cases[i][1]);
		}
		assert_int_equal(dmarc_warm_up(), 0);
	}
	suffix_forget();
}

/* The walk, by the examples of RFC 9989 4.10 and beyond. */
static void
test_walk(void **state)
{
	static const struct {
		const char *author, *d;
		struct zone zone;
		const char *organisation, *at;
		enum dmarc_verdict tree, list;
	} cases[] = {
		/* The highest record is the organisation's. */
		{ "a.mail.example.com", "mail.example.com",
		    { { "_dmarc.mail.example.com v=DMARC1; p=none",
			"_dmarc.example.com v=DMARC1; p=reject" } },
		    "example.com", "example.com", DMARC_IS_PASS, DMARC_IS_PASS },
		/* The only record is that of a part: the whole does not speak for it. */
		{ "a.mail.example.com", "example.com",
		    { { "_dmarc.a.mail.example.com v=DMARC1; p=none" } }, "a.mail.example.com",
		    "a.mail.example.com", DMARC_IS_FAIL, DMARC_IS_PASS },
		/* Between the author and the list's organisation. */
		{ "a.mail.example.com", "b.mail.example.com",
		    { { "_dmarc.mail.example.com v=DMARC1; p=reject" } }, "mail.example.com",
		    "mail.example.com", DMARC_IS_PASS, DMARC_IS_NONE },
		/* psd=n ends it. */
		{ "a.mail.example.com", "example.com",
		    { { "_dmarc.mail.example.com v=DMARC1; p=reject; psd=n",
			"_dmarc.example.com v=DMARC1; p=none" } },
		    "mail.example.com", "mail.example.com", DMARC_IS_FAIL, DMARC_IS_PASS },
		{ "a.mail.example.com", "b.mail.example.com",
		    { { "_dmarc.mail.example.com v=DMARC1; p=reject; psd=n",
			"_dmarc.example.com v=DMARC1; p=none" } },
		    "mail.example.com", "mail.example.com", DMARC_IS_PASS, DMARC_IS_PASS },
		/* A part of the same organisation that says of itself that it is none. */
		{ "a.example.com", "x.mail.example.com",
		    { { "_dmarc.mail.example.com v=DMARC1; p=reject; psd=n",
			"_dmarc.example.com v=DMARC1; p=none" } },
		    "example.com", "example.com", DMARC_IS_FAIL, DMARC_IS_PASS },
		/* psd=y: the organisation is one label below. */
		{ "a.mail.example.com", "example.com",
		    { { "_dmarc.example.com v=DMARC1; p=reject; psd=y" } }, "mail.example.com",
		    "example.com", DMARC_IS_FAIL, DMARC_IS_PASS },
		{ "a.mail.example.com", "b.mail.example.com",
		    { { "_dmarc.example.com v=DMARC1; p=reject; psd=y" } }, "mail.example.com",
		    "example.com", DMARC_IS_PASS, DMARC_IS_PASS },
		/* ... but of the author itself it says nothing. */
		{ "example.com", "a.example.com",
		    { { "_dmarc.example.com v=DMARC1; p=reject; psd=y" } }, "example.com",
		    "example.com", DMARC_IS_FAIL, DMARC_IS_PASS },
		/* A registry's record serves who has none. */
		{ "a.bank", "a.bank", { { "_dmarc.bank v=DMARC1; p=reject; psd=y" } }, "a.bank",
		    "bank", DMARC_IS_PASS, DMARC_IS_NONE },
		/* ... and not who has one. */
		{ "x.a.bank", "a.bank",
		    { { "_dmarc.a.bank v=DMARC1; p=none",
			"_dmarc.bank v=DMARC1; p=reject; psd=y" } },
		    "a.bank", "a.bank", DMARC_IS_PASS, DMARC_IS_PASS },
		/* Several records are none at all; RFC 7489 stops there. */
		{ "a.example.com", "example.com",
		    { { "_dmarc.a.example.com v=DMARC1; p=none",
			"_dmarc.a.example.com v=DMARC1; p=reject",
			"_dmarc.example.com v=DMARC1; p=none" } },
		    "example.com", "example.com", DMARC_IS_PASS, DMARC_IS_NONE },
		/* No record anywhere. */
		{ "a.example.com", "example.com", { { NULL } }, "a.example.com", "", DMARC_IS_NONE,
		    DMARC_IS_NONE },
		/* The jump to seven labels, as in the RFC. */
		{ "a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com",
		    { { "_dmarc.g.h.i.j.mail.example.com v=DMARC1; p=none" } },
		    "g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com", DMARC_IS_PASS,
		    DMARC_IS_NONE },
		{ "a.b.c.d.e.f.g.h.i.j.mail.example.com", "f.g.h.i.j.mail.example.com",
		    { { "_dmarc.f.g.h.i.j.mail.example.com v=DMARC1; p=none" } },
		    "a.b.c.d.e.f.g.h.i.j.mail.example.com", "", DMARC_IS_NONE, DMARC_IS_NONE },
		/* psd=y right behind the jump: one label below it. */
		{ "a.b.c.d.e.f.g.h.i", "c.d.e.f.g.h.i",
		    { { "_dmarc.c.d.e.f.g.h.i v=DMARC1; p=none; psd=y" } }, "b.c.d.e.f.g.h.i",
		    "c.d.e.f.g.h.i", DMARC_IS_FAIL, DMARC_IS_NONE },
		/* What the DNS does not tell. */
		{ "a.example.com", "example.com",
		    { { "_dmarc.a.example.com !", "_dmarc.example.com v=DMARC1; p=none" } }, "", "",
		    DMARC_IS_TEMPERROR, DMARC_IS_TEMPERROR },
		{ "a.example.com", "a.example.com",
		    { { "_dmarc.com ?", "_dmarc.example.com v=DMARC1; p=none" } }, "", "",
		    DMARC_IS_TEMPERROR, DMARC_IS_PASS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		signed_by(&r, cases[i].author, cases[i].d, &cases[i].zone);
		assert_true(r.tree.verdict != DMARC_IS_TEMPERROR || r.difference[0] == '\0');
		if (strcmp(r.tree.organisation, cases[i].organisation) != 0 ||
		    strcmp(r.tree.at, cases[i].at) != 0 || r.tree.verdict != cases[i].tree ||
		    r.list.verdict != cases[i].list)
			fail_msg("%zu: %s: organisation %s, record of %s, %s (%s), list %s (%s)", i,
			    cases[i].author, r.tree.organisation, r.tree.at,
			    dmarc_verdict_word(r.tree.verdict), r.tree.reason,
			    dmarc_verdict_word(r.list.verdict), r.list.reason);
		/* A temporary error is no other opinion. */
		assert_int_equal(r.difference[0] != '\0' || r.tree.verdict == DMARC_IS_TEMPERROR,
		    r.tree.verdict != r.list.verdict || r.tree.verdict == DMARC_IS_TEMPERROR ||
			(r.tree.organisation[0] != '\0' &&
			    (r.tree.policy != r.list.policy || strcmp(r.tree.at, r.list.at) != 0 ||
				strcmp(r.tree.organisation, r.list.organisation) != 0)));
		assert_true(r.walk_n <= DMARC_WALK_MAX);
	}
}

static void
test_policy(void **state)
{
	static const struct {
		const char *author, *record; /* at example.com */
		enum dmarc_policy list, tree, applied;
		const char *list_tag, *tree_tag;
	} cases[] = {
		{ "example.com", "v=DMARC1; p=reject; sp=none; np=quarantine", DMARC_REJECT,
		    DMARC_REJECT, DMARC_REJECT, "p", "p" },
		{ "a.example.com", "v=DMARC1; p=reject; sp=none; np=quarantine", DMARC_NO_ACTION,
		    DMARC_NO_ACTION, DMARC_NO_ACTION, "sp", "sp" },
		{ "gone.example.com", "v=DMARC1; p=reject; sp=none; np=quarantine", DMARC_NO_ACTION,
		    DMARC_QUARANTINE, DMARC_QUARANTINE, "sp", "np" },
		{ "gone.example.com", "v=DMARC1; p=reject; sp=none", DMARC_NO_ACTION,
		    DMARC_NO_ACTION, DMARC_NO_ACTION, "sp", "sp" },
		{ "a.example.com", "v=DMARC1; p=reject; np=none", DMARC_REJECT, DMARC_REJECT,
		    DMARC_REJECT, "p", "p" },
		{ "a.example.com", "v=DMARC1; p=reject; t=y", DMARC_REJECT, DMARC_REJECT,
		    DMARC_QUARANTINE, "p", "p" },
		{ "a.example.com", "v=DMARC1; p=quarantine; t=y", DMARC_QUARANTINE,
		    DMARC_QUARANTINE, DMARC_NO_ACTION, "p", "p" },
		{ "a.example.com", "v=DMARC1; p=none; t=y", DMARC_NO_ACTION, DMARC_NO_ACTION,
		    DMARC_NO_ACTION, "p", "p" },
		{ "a.example.com", "v=DMARC1; p=reject; sp=x; rua=mailto:a@example.com",
		    DMARC_NO_ACTION, DMARC_NO_ACTION, DMARC_NO_ACTION, "p", "p" },
		{ "example.com", "v=DMARC1; rua=mailto:a@example.com", DMARC_NO_ACTION,
		    DMARC_NO_ACTION, DMARC_NO_ACTION, "p", "p" },
		/* without p: RFC 7489 6.6.3 step 6, RFC 9989 4.7 */
		{ "example.com", "v=DMARC1", DMARC_UNSET, DMARC_NO_ACTION, DMARC_NO_ACTION, "",
		    "p" },
		{ "example.com", "v=DMARC1; sp=reject", DMARC_UNSET, DMARC_NO_ACTION,
		    DMARC_NO_ACTION, "", "p" },
		{ "a.example.com", "v=DMARC1; sp=reject", DMARC_UNSET, DMARC_REJECT, DMARC_REJECT,
		    "", "sp" },
		{ "a.example.com", "v=DMARC1; sp=reject; rua=mailto:a@example.com", DMARC_NO_ACTION,
		    DMARC_REJECT, DMARC_REJECT, "p", "sp" },
		{ "a.example.com", "v=DMARC1; sp=rejct; rua=mailto:a@example.com", DMARC_NO_ACTION,
		    DMARC_NO_ACTION, DMARC_NO_ACTION, "p", "p" },
		{ "a.example.com", "v=DMARC1; sp=rejct", DMARC_UNSET, DMARC_UNSET, DMARC_UNSET, "",
		    "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char line[512];
		const struct zone z = { { line, "gone.example.com -" } };

		snprintf(line, sizeof(line), "_dmarc.example.com %s", cases[i].record);
		signed_by(&r, cases[i].author, "other.example", &z);
		if (r.list.policy != cases[i].list || r.tree.policy != cases[i].tree ||
		    r.tree.applied != cases[i].applied ||
		    strcmp(r.list.tag, cases[i].list_tag) != 0 ||
		    strcmp(r.tree.tag, cases[i].tree_tag) != 0)
			fail_msg("%s: %s: %s by %s, %s by %s, applied %s", cases[i].author,
			    cases[i].record, dmarc_policy_word(r.list.policy), r.list.tag,
			    dmarc_policy_word(r.tree.policy), r.tree.tag,
			    dmarc_policy_word(r.tree.applied));
		assert_int_equal(
		    r.list.verdict, cases[i].list == DMARC_UNSET ? DMARC_IS_NONE : DMARC_IS_FAIL);
	}
}

static void
test_verdicts(void **state)
{
	static const struct zone z = { { "_dmarc.example.com v=DMARC1; p=none; aspf=s" } };
	static const struct {
		struct dmarc_identity spf, dkim;
		enum dmarc_verdict verdict;
	} cases[] = {
		{ { "example.com", true, false }, { "", false, false }, DMARC_IS_PASS },
		{ { "example.com", false, false }, { "example.com", true, false }, DMARC_IS_PASS },
		{ { "a.example.com", true, false }, { "", false, false }, DMARC_IS_FAIL },
		{ { "example.com", false, false }, { "example.com", false, false }, DMARC_IS_FAIL },
		{ { "example.com", false, true }, { "other.example", true, false },
		    DMARC_IS_TEMPERROR },
		{ { "other.example", false, true }, { "example.com", false, false },
		    DMARC_IS_FAIL },
		{ { "example.com", false, true }, { "example.com", true, false }, DMARC_IS_PASS },
		{ { "example.com", false, false }, { "example.com", false, true },
		    DMARC_IS_TEMPERROR },
		{ { "", false, false }, { "not a domain", true, false }, DMARC_IS_FAIL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct dmarc_input in = {
			.author = "example.com", .spf = cases[i].spf, .n = 1, .dkim = &cases[i].dkim
		};

		judge(&r, &in, &z);
		if (r.list.verdict != cases[i].verdict || r.tree.verdict != cases[i].verdict)
			fail_msg(
			    "%zu: %s: %s", i, dmarc_verdict_word(r.list.verdict), r.list.reason);
	}
}

/* Where the organisation of a signer cannot be had, nor its key, nobody knows whether it would have counted. */
static void
test_unknown_alignment(void **state)
{
	static const struct zone z = { { "_dmarc.example.com v=DMARC1; p=reject",
	    "_dmarc.a.example.com !" } };
	static const struct {
		bool pass, temporary;
		enum dmarc_verdict list, tree;
	} cases[] = {
		{ true, false, DMARC_IS_PASS, DMARC_IS_TEMPERROR },
		{ false, true, DMARC_IS_TEMPERROR, DMARC_IS_TEMPERROR },
		{ false, false, DMARC_IS_FAIL, DMARC_IS_FAIL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct dmarc_identity dkim = { "a.example.com", cases[i].pass,
			cases[i].temporary };
		const struct dmarc_input in = {
			.author = "example.com", .spf = { "", false, false }, .n = 1, .dkim = &dkim
		};

		judge(&r, &in, &z);
		assert_int_equal(r.tree.dkim[0], DMARC_UNKNOWN);
		assert_int_equal(r.list.verdict, cases[i].list);
		assert_int_equal(r.tree.verdict, cases[i].tree);
		assert_string_equal(r.difference, "");
	}
}

static void
test_no_author(void **state)
{
	const struct dmarc_input in = {
		.author = "", .why = "there is no From field", .spf = { "example.com", true, false }
	};

	(void)state;
	judge(&r, &in, &(struct zone){ { NULL } });
	assert_int_equal(r.list.verdict, DMARC_IS_PERMERROR);
	assert_int_equal(r.tree.verdict, DMARC_IS_PERMERROR);
	assert_non_null(strstr(r.list.reason, "there is no From field"));
	assert_int_equal(questions, 0);
}

static void
test_strays(void **state)
{
	static const struct zone z = { { "_dmarc.example.com v=spf1 -all",
	    "_dmarc.example.com p=none; v=DMARC1", "_dmarc.example.com v=DMARC1; p=none" } };

	(void)state;
	signed_by(&r, "example.com", "example.com", &z);
	assert_int_equal(r.list.verdict, DMARC_IS_PASS);
	assert_true(r.list.secure);
	assert_int_equal(r.strays, 2);
	assert_string_equal(r.stray, "v=spf1 -all");
}

static void
test_consent(void **state)
{
	static const struct zone z = { {
	    "_dmarc.example.com v=DMARC1; p=none; "
	    "rua=mailto:a@example.com,mailto:a@sub.example.com,"
	    "mailto:a@yes.example,mailto:a@no.example; "
	    "ruf=mailto:a@fails.example,mailto:a@other.test",
	    "example.com._report._dmarc.yes.example v=DMARC1",
	    "example.com._report._dmarc.other.test nonsense",
	    "example.com._report._dmarc.fails.example !",
	} };
	static const enum dmarc_consent wanted[] = { DMARC_OWN, DMARC_OWN, DMARC_CONSENT,
		DMARC_NO_CONSENT, DMARC_CONSENT_UNKNOWN, DMARC_NO_CONSENT };

	(void)state;
	signed_by(&r, "a.example.com", "example.com", &z);
	assert_int_equal(r.reports, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(r.consent[i], wanted[i]);
}

/* All that can be asked fits the limit, in few rounds. */
static void
test_bounds(void **state)
{
	static char name[DMARC_DKIM_MAX + 1][64];
	struct dmarc_identity dkim[DMARC_DKIM_MAX + 1];
	const struct zone z = { { "_dmarc.i.example v=DMARC1; p=none; rua=mailto:a@a.test,"
				  "mailto:a@b.test,mailto:a@c.test,mailto:a@d.test,mailto:a@e.test,"
				  "mailto:a@f.test" } };
	struct dmarc_input in = { .author = "a.b.c.d.e.f.g.h.i.example",
		.spf = { "z.c.d.e.f.g.h.i.example", true, false },
		.n = DMARC_DKIM_MAX + 1,
		.dkim = dkim };

	(void)state;
	for (unsigned i = 0; i <= DMARC_DKIM_MAX; i++) {
		snprintf(
		    name[i], sizeof(name[i]), "a.q%u.r%u.s%u.t%u.u%u.i.example", i, i, i, i, i);
		dkim[i] = (struct dmarc_identity){ name[i], true, false };
	}
	judge(&r, &in, &z);
	assert_int_equal(r.tree.verdict, DMARC_IS_PASS);
	assert_int_equal(r.tree.dkim[DMARC_DKIM_MAX - 1], DMARC_RELAXED);
	assert_true(rounds <= 3);
	assert_true(questions <= DMARC_LOOKUPS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_organisation),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_unknown_alignment),
		cmocka_unit_test(test_no_author),
		cmocka_unit_test(test_strays),
		cmocka_unit_test(test_consent),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
