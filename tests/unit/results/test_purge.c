/* What is not to be kept is in no file of the store any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "lib/log.h"

#undef test_free /* cmocka has a macro of that name */
#include "results/purge.h"
#include "segments.h"

static bool
says_secret(void *ctx, const char *line, size_t len)
{
	(void)ctx;
	return memmem(line, len, "ann@shop", 8) != NULL;
}

static size_t
in_files(const char *text)
{
	char cmd[200];
	unsigned n = 0;

	snprintf(cmd, sizeof cmd, "cat %s/store.db* | grep -aciF '%s'", dir, text);
	FILE *p = popen(cmd, "r");
	assert_non_null(p);
	assert_int_equal(fscanf(p, "%u", &n), 1);
	pclose(p);
	return n;
}

/* What is forgotten is in no file of the store any more, and a segment that was cut is no damaged one. */
static void
test_forgotten(void **state)
{
	struct store *st = open_store();
	uint64_t rows = 0;
	struct stat sb;
	char path[128];

	(void)state;
	write_file("b-smtpd-0-1.jsonl", "w", LINE LINE LINE LINE LINE, 1, 1, ",\"conn\":\"0-1\"", 2,
	    2, ",\"conn\":\"0-1\",\"token\":\"cccccccccccccccc\"", 3, 3,
	    ",\"conn\":\"0-1\",\"token\":\"dddddddddddddddd\"", 4, 4,
	    ",\"qname\":\"CcccCccccccccccc.dual\"", 5, 5,
	    ",\"token\":\"dddddddddddddddd\",\"from\":\"ann@shop.example\"");
	load(st);
	assert_true(in_files("cccccccccccccccc") > 0);
	assert_int_equal(purge_token(st, "cccccccccccccccc", &rows), 0);
	assert_int_equal(rows, 3);
	assert_int_equal(count_lines(st, "dddddddddddddddd"), 2);
	assert_int_equal(purge_lines(st, says_secret, NULL, &rows), 0);
	assert_int_equal(rows, 4);
	assert_int_equal(purge_scrub(st), 0);
	assert_int_equal(in_files("cccccccccccccccc"), 0);
	assert_int_equal(in_files("ann@shop"), 0);
	assert_int_equal(count_lines(st, "dddddddddddddddd"), 1);

	write_file("b-smtpd-0-1.jsonl", "w", LINE, 3, 3,
	    ",\"conn\":\"0-1\",\"token\":\"dddddddddddddddd\"");
	snprintf(path, sizeof path, "%s/b-smtpd-0-1.jsonl", dir);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(purge_cut(st, "b-smtpd-0-1.jsonl", (uint64_t)sb.st_size), 0);
	write_file("b-smtpd-0-1.jsonl", "a", LINE, 6, 6, ",\"token\":\"dddddddddddddddd\"");
	assert_int_equal(load(st).events, 1);
	assert_int_equal(count_lines(st, "dddddddddddddddd"), 2);
	store_close(st);
}

static void
test_expired(void **state)
{
	struct store *st = open_store();
	uint64_t rows = 0;
	int64_t t;
	char path[128];

	(void)state;
	write_file("a-smtpd-0-1.jsonl", "w", LINE LINE LINE "broken\n", 1, 1, TOKEN, 2, 2, TOKEN, 3,
	    3, TOKEN);
	load(st);
	assert_int_equal(clock_parse(&t, "2026-11-21T20:00:02Z", 20), 0);
	assert_int_equal(purge_before(st, dir, t, &rows), 0);
	assert_int_equal(rows, 1); /* what was seen at that time stays */
	assert_int_equal(count_lines(st, "aaaaaaaaaaaaaaaa"), 2);
	assert_int_equal(load(st).events, 0);
	snprintf(path, sizeof path, "%s/a-smtpd-0-1.jsonl", dir);
	unlink(path);
	assert_int_equal(purge_before(st, dir, t + 60000000, &rows), 0);
	assert_int_equal(rows, 3);
	assert_int_equal(purge_scrub(st), 0);
	assert_int_equal(in_files("a-smtpd-0-1"), 0);
	/* the name is free again */
	write_file("a-smtpd-0-1.jsonl", "w", LINE, 9, 1, TOKEN);
	assert_int_equal(load(st).events, 1);
	store_close(st);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_forgotten, segments_setup, segments_teardown),
		cmocka_unit_test_setup_teardown(test_expired, segments_setup, segments_teardown),
	};

	log_program("test_purge");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
