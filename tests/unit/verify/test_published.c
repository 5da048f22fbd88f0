/* What a domain publishes, out of answers that a resolver may give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "verify/published.h"

struct row {
	const char *name; /* NULL: ends the table */
	uint16_t type;
	enum lookup_status status;
	bool secure;
	const char *data; /* octets of each record, "|" between; of an MX a label below "example" */
};

static void
answer(struct lookups *book, const struct row *table)
{
	const struct lookup *want;
	size_t iter = 0;

	while ((want = lookup_wanted(book, &iter)) != NULL) {
		const struct row *r = table;
		struct lookup_rdata rdata[12];
		uint8_t wire[12][300];
		size_t n = 0;

		while (
		    r->name != NULL && (strcmp(r->name, want->name) != 0 || r->type != want->type))
			r++;
		for (const char *p = r->name == NULL ? NULL : r->data; p != NULL && n < 12; n++) {
			size_t len = strcspn(p, "|");
			uint8_t *w = wire[n];
			rdata[n].data = w;
			if (r->type == 15) {
				*w++ = 0;
				*w++ = 10;
			}
			*w++ = (uint8_t)len;
			memcpy(w, p, len);
			w += len;
			if (r->type == 15 && len > 0) {
				memcpy(w, "\7example", 9);
				w += 9;
			}
			rdata[n].len = (uint16_t)(w - wire[n]);
			p = p[len] == '|' ? p + len + 1 : NULL;
		}
		lookup_put(book, want->name, want->type,
		    r->name == NULL ? LOOKUP_NXDOMAIN : r->status, r->name != NULL && r->secure,
		    "the test says so", rdata, n);
	}
}

static void
check(const struct row *table, const char *tlsa, const char *sts, const char *mx)
{
	struct lookups *book = lookups_new(PUBLISHED_LOOKUPS_MAX);
	struct published p;
	unsigned rounds = 0;

	assert_non_null(book);
	while (published_look("d.example", book, &p) == VERIFY_NEED) {
		assert_true(++rounds <= 2);
		answer(book, table);
	}
	assert_string_equal(p.tlsa, tlsa);
	assert_string_equal(p.sts, sts);
	assert_string_equal(p.mx, mx);
	assert_true((strcmp(tlsa, "bogus") == 0 || strcmp(tlsa, "unknown") == 0 ||
			strcmp(sts, "unknown") == 0) == (p.why[0] != '\0'));
	lookups_free(book);
}

#define MX(host, s)                                                                                \
	{                                                                                          \
		"d.example", 15, LOOKUP_OK, s, host                                                \
	}
#define TLSA(host, s)                                                                              \
	{                                                                                          \
		"_25._tcp." host, 52, LOOKUP_OK, s, "x"                                            \
	}
#define STS(status, txt)                                                                           \
	{                                                                                          \
		"_mta-sts.d.example", 16, status, false, txt                                       \
	}
#define END                                                                                        \
	{                                                                                          \
		NULL, 0, LOOKUP_OK, false, NULL                                                    \
	}

static void
tlsa(void **state)
{
	(void)state;
	check((struct row[]){ MX("a|b", true), TLSA("a.example", true), TLSA("b.example", true),
		  END },
	    "secure", "none", "a.example");
	check((struct row[]){ MX("a|b", true), TLSA("a.example", true), END }, "some", "none",
	    "a.example");
	check((struct row[]){ MX("a", true), TLSA("a.example", false), END }, "insecure", "none",
	    "a.example");
	/* RFC 7672 2.2.1: an MX that is not proven may be anybody's */
	check((struct row[]){ MX("a", false), TLSA("a.example", true), END }, "insecure", "none",
	    "a.example");
	check((struct row[]){ MX("a", true), END }, "none", "none", "a.example");
	check((struct row[]){ MX("a|b", true), TLSA("a.example", true),
		  { "_25._tcp.b.example", 52, LOOKUP_BOGUS, false, NULL }, END },
	    "bogus", "none", "a.example");
	check((struct row[]){ MX("a|b", true), TLSA("a.example", true),
		  { "_25._tcp.b.example", 52, LOOKUP_FAILED, false, NULL }, END },
	    "unknown", "none", "a.example");
}

static void
mail_hosts(void **state)
{
	(void)state;
	check((struct row[]){ { "d.example", 15, LOOKUP_NODATA, true, NULL },
		  TLSA("d.example", true), END },
	    "secure", "none", "d.example");
	check((struct row[]){ MX("", true), END }, "none", "none", ""); /* takes no mail */
	check((struct row[]){ { "d.example", 15, LOOKUP_BOGUS, false, NULL }, END }, "bogus",
	    "none", "");
	check((struct row[]){ { "d.example", 15, LOOKUP_FAILED, false, NULL }, END }, "unknown",
	    "none", "");
	/* no more hosts than there is room for */
	check((struct row[]){ MX("a|b|c|d|e|f|g|h|i|j", true), TLSA("a.example", true), END },
	    "some", "none", "a.example");
}

static void
sts(void **state)
{
	(void)state;
	check((struct row[]){ STS(LOOKUP_OK, "v=STSv1; id=2026;"), END }, "none", "record", "");
	check((struct row[]){ STS(LOOKUP_OK, "other|v=STSv1;id=a"), END }, "none", "record", "");
	check((struct row[]){ STS(LOOKUP_OK, "v=STSv1; id=a|v=STSv1; id=b"), END }, "none",
	    "several", "");
	check((struct row[]){ STS(LOOKUP_OK, "v=STSv1;"), END }, "none", "invalid", "");
	check((struct row[]){ STS(LOOKUP_OK, "v=STSv1"), END }, "none", "invalid", "");
	check((struct row[]){ STS(LOOKUP_OK, "v=STSv1; id=a-b"), END }, "none", "invalid", "");
	check(
	    (struct row[]){ STS(LOOKUP_OK, "v=STSv1; id=123456789012345678901234567890123"), END },
	    "none", "invalid", "");
	check((struct row[]){ STS(LOOKUP_OK, "v=STSv11; id=a"), END }, "none", "none", "");
	check((struct row[]){ STS(LOOKUP_FAILED, NULL), END }, "none", "unknown", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tlsa),
		cmocka_unit_test(mail_hosts),
		cmocka_unit_test(sts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
