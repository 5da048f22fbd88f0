/* A body is hashed once for each way of doing it, and never told for another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "verify/bodyhash.h"
#include "verify/hashing.h"

static const struct span body = { "a  b \r\nc\r\n\r\n", 12 };

static void
check(struct bodyhashes *all, enum canon how, bool sha1, uint64_t limit, const char *canonical)
{
	const struct bodyhash *b = bodyhash_get(all, body, how, sha1, limit);
	size_t n = strlen(canonical);
	struct hashing h;
	uint8_t want[32];

	assert_int_equal(b->len, n);
	hashing_init(&h, sha1);
	h.sink.add(h.sink.ctx, canonical, limit < n ? (size_t)limit : n);
	n = hashing_end(&h, want);
	assert_memory_equal(b->hash, want, n);
}

static void
test_each_way(void **state)
{
	struct bodyhashes all = { .made = 0 };

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		check(&all, CANON_SIMPLE, false, UINT64_MAX, "a  b \r\nc\r\n");
		check(&all, CANON_RELAXED, false, UINT64_MAX, "a b\r\nc\r\n");
		check(&all, CANON_SIMPLE, true, UINT64_MAX, "a  b \r\nc\r\n");
		check(&all, CANON_SIMPLE, false, 3, "a  b \r\nc\r\n");
		check(&all, CANON_RELAXED, false, 3, "a b\r\nc\r\n");
		check(&all, CANON_RELAXED, false, 0, "a b\r\nc\r\n");
	}
	assert_int_equal(all.made, 6);
}

/* More of them than are kept: made anew, and right. */
static void
test_many(void **state)
{
	struct bodyhashes all = { .made = 0 };

	(void)state;
	for (unsigned round = 0; round < 2; round++)
		for (uint64_t limit = 0; limit <= BODYHASHES_MAX; limit++)
			check(&all, CANON_RELAXED, false, limit, "a b\r\nc\r\n");
	assert_int_equal(all.made, 2 * (BODYHASHES_MAX + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_way),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("bodyhash", tests, NULL, NULL);
}
