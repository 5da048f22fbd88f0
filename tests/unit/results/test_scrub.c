/* Pages by hand: what belongs to nothing is overwritten, all else stays, and what is no page of the format is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/log.h"
#include "results/scrub.h"

#define SIZE 512

static void
put16(uint8_t *p, unsigned n)
{
	p[0] = (uint8_t)(n >> 8);
	p[1] = (uint8_t)n;
}

/* All octets 0xaa, then a header: type, first free block, cells, where they begin. */
static void
make(uint8_t page[SIZE], size_t head, uint8_t type, unsigned block, unsigned cells, unsigned begin)
{
	memset(page, 0xaa, SIZE);
	page[head] = type;
	put16(page + head + 1, block);
	put16(page + head + 3, cells);
	put16(page + head + 5, begin);
}

static void
is_zero_in(const uint8_t page[SIZE], const uint8_t before[SIZE], size_t from, size_t to)
{
	for (size_t i = 0; i < SIZE; i++)
		assert_int_equal(page[i], i >= from && i < to ? 0 : before[i]);
}

static void
test_gap(void **state)
{
	static const struct {
		uint8_t type;
		size_t head, gap; /* with 3 cells */
	} rows[] = { { 0x0d, 0, 14 }, { 0x0a, 0, 14 }, { 0x05, 0, 18 }, { 0x02, 0, 18 },
		{ 0x0d, 100, 114 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t page[SIZE], before[SIZE];

		make(page, rows[i].head, rows[i].type, 0, 3, 400);
		memcpy(before, page, SIZE);
		assert_int_equal(scrub_page(page, SIZE, rows[i].head > 0), SCRUB_CLEANED);
		is_zero_in(page, before, rows[i].gap, 400);
		assert_int_equal(scrub_page(page, SIZE, rows[i].head > 0), SCRUB_CLEAN);
	}
}

static void
test_edges(void **state)
{
	uint8_t page[SIZE], before[SIZE];

	(void)state;
	/* no gap at all; one octet; what is reserved at the end */
	make(page, 0, 0x0d, 0, 196, 400);
	memcpy(before, page, SIZE);
	assert_int_equal(scrub_page(page, SIZE, false), SCRUB_CLEAN);
	assert_memory_equal(page, before, SIZE);
	make(page, 0, 0x0d, 0, 196, 401);
	memcpy(before, page, SIZE);
	assert_int_equal(scrub_page(page, SIZE, false), SCRUB_CLEANED);
	is_zero_in(page, before, 400, 401);
	make(page, 0, 0x0d, 0, 0, SIZE - 32);
	memcpy(before, page, SIZE);
	assert_int_equal(scrub_page(page, SIZE - 32, false), SCRUB_CLEANED);
	is_zero_in(page, before, 8, SIZE - 32);
	/* the cells of an empty page of the largest size begin at 65536, which is written 0 */
	static uint8_t large[65536];
	memset(large, 0xaa, sizeof large);
	large[0] = 0x0d;
	memset(large + 1, 0, 7);
	assert_int_equal(scrub_page(large, sizeof large, false), SCRUB_CLEANED);
	assert_int_equal(large[8] | large[65535], 0);
}

static void
test_free_blocks(void **state)
{
	uint8_t page[SIZE], before[SIZE];

	(void)state;
	make(page, 0, 0x0d, 410, 1, 400);
	memset(page + 10, 0, 390);
	put16(page + 410, 500);
	put16(page + 412, 20);
	put16(page + 500, 0);
	put16(page + 502, 12); /* to the end */
	memcpy(before, page, SIZE);
	assert_int_equal(scrub_page(page, SIZE, false), SCRUB_CLEANED);
	for (size_t i = 0; i < SIZE; i++)
		assert_int_equal(page[i], (i >= 414 && i < 430) || i >= 504 ? 0 : before[i]);
}

static void
test_others(void **state)
{
	uint8_t page[SIZE], before[SIZE];

	(void)state;
	/* an overflow page, an unused one */
	for (unsigned type = 0; type < 256; type++) {
		if (type == 2 || type == 5 || type == 10 || type == 13)
			continue;
		make(page, 0, (uint8_t)type, 0, 3, 400);
		memcpy(before, page, SIZE);
		assert_int_equal(scrub_page(page, SIZE, false), SCRUB_CLEAN);
		assert_memory_equal(page, before, SIZE);
	}
	_Static_assert(SCRUB_PAGES_MAX >> 24 < 2, "the number of a page would look like a type");
}

static void
test_damaged(void **state)
{
	static const struct {
		unsigned block, cells, begin, next, size; /* of the block at 410 */
	} rows[] = {
		{ 0, 197, 400, 0, 0 },     /* pointers run into the cells */
		{ 0, 3, 513, 0, 0 },       /* cells begin behind the page */
		{ 0, 3, 0, 0, 0 },         /* 65536 */
		{ 399, 3, 400, 0, 0 },     /* a block before the cells */
		{ 509, 3, 400, 0, 0 },     /* no room for its head */
		{ 410, 3, 400, 0, 3 },     /* smaller than its head */
		{ 410, 3, 400, 0, 103 },   /* longer than the page */
		{ 410, 3, 400, 410, 20 },  /* a ring */
		{ 410, 3, 400, 429, 20 },  /* blocks that overlap */
		{ 410, 3, 400, 60000, 20 } /* the next behind the page */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t page[SIZE], before[SIZE];

		make(page, 0, 0x0a, rows[i].block, rows[i].cells, rows[i].begin);
		put16(page + 410, rows[i].next);
		put16(page + 412, rows[i].size);
		memcpy(before, page, SIZE);
		assert_int_equal(scrub_page(page, SIZE, false), SCRUB_DAMAGED);
		assert_memory_equal(page, before, SIZE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_free_blocks),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_damaged),
	};

	log_program("test_scrub");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
