#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "authdns/nsec3.h"

static void
hashes(const char *name, unsigned iterations, const char *salt, size_t salt_len, const char *want)
{
	uint8_t wire[DNS_NAME_MAX], hash[NSEC3_HASH], label[NSEC3_LABEL];

	nsec3_hash(
	    hash, wire, wire_name_parse(wire, name), iterations, (const uint8_t *)salt, salt_len);
	nsec3_label(label, hash);
	assert_memory_equal(label, want, NSEC3_LABEL);
}

/* RFC 5155 appendix A. */
static void
test_vectors(void **state)
{
	static const char salt[] = "\xaa\xbb\xcc\xdd";

	(void)state;
	hashes("example", 12, salt, 4, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom");
	hashes("a.example", 12, salt, 4, "35mthgpgcu1qg68fab165klnsnk3dpvl");
	hashes("ns1.example", 12, salt, 4, "2t7b4g4vsa5smi47k61mv5bv1a22bojr");
	hashes("x.y.w.example", 12, salt, 4, "2vptu5timamqttgl4luu9kg21e0aor3s");
}

static void
test_next(void **state)
{
	uint8_t hash[NSEC3_HASH], rdata[NSEC3_RDATA];
	static const uint8_t zero[NSEC3_HASH];

	(void)state;
	memset(hash, 0xff, sizeof(hash));
	nsec3_rdata(rdata, hash, 500);
	assert_memory_equal(rdata, "\1\0\1\xf4\0\24", 6);
	assert_memory_equal(rdata + 6, zero, NSEC3_HASH);
	hash[0] = 7;
	nsec3_rdata(rdata, hash, 0);
	assert_int_equal(rdata[6], 8);
	assert_memory_equal(rdata + 7, zero, NSEC3_HASH - 1);
	hash[NSEC3_HASH - 1] = 3;
	nsec3_rdata(rdata, hash, 0);
	assert_int_equal(rdata[6], 7);
	assert_int_equal(rdata[6 + NSEC3_HASH - 1], 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_next) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
