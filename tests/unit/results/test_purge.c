/* What is not to be kept is in no file of the store any more. */
#include <setjmp.h>
#include <sqlite3.h>
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

#define MANY 6000

static bool
says(void *ctx, const char *line, size_t len)
{
	return memmem(line, len, ctx, strlen(ctx)) != NULL;
}

/* Tokens in no order, as they are; of three one ends in "gone" and one in "went". */
static void
write_many(const char *name, unsigned seed, unsigned from, unsigned n)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	for (unsigned i = from; i < from + n; i++) {
		char token[17], extra[400];

		for (unsigned j = 0; j < 16; j++) {
			seed = seed * 1103515245 + 12345;
			token[j] = "abcdefghijklmnopqrstuvwxyz234567"[seed >> 16 & 31];
		}
		if (i % 3 < 2)
			memcpy(token + 12, i % 3 == 0 ? "gone" : "went", 4);
		token[16] = '\0';
		snprintf(extra, sizeof extra, ",\"token\":\"%s\",\"pad\":\"%0*d\"", token,
		    (int)(1 + i * 7 % 300), 0);
		fprintf(f, LINE, (int)(i / (MANY / 60) % 60), (int)i, extra);
	}
	assert_int_equal(fclose(f), 0);
}

static void
checkpoint(struct store *st)
{
	int frames, done;

	assert_int_equal(sqlite3_wal_checkpoint_v2(
			     store_db(st), NULL, SQLITE_CHECKPOINT_TRUNCATE, &frames, &done),
	    SQLITE_OK);
}

static int64_t
number(struct store *st, const char *sql)
{
	sqlite3_stmt *q = NULL;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(store_db(st), sql, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return n;
}

static void
is_sound(struct store *st)
{
	sqlite3_stmt *q = NULL;

	assert_int_equal(
	    sqlite3_prepare_v2(store_db(st), "PRAGMA integrity_check", -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(q, 0), "ok");
	sqlite3_finalize(q);
}

/* What SQLite moved while it spread rows over its pages has left copies, which go too; and somebody who remembers pages
 * as they were does not bring them back. */
static void
test_moved(void **state)
{
	struct store *st = open_store(), *other = open_store();
	char gone[] = "gone", went[] = "went";
	uint64_t rows = 0;

	(void)state;
	write_many("a-smtpd-0-1.jsonl", 1, 0, MANY);
	assert_int_equal(load(st).events, MANY);
	assert_int_equal(purge_due(st), 0);
	assert_int_equal(number(other, "SELECT count(DISTINCT token) FROM event"), MANY);
	/* where these were, the pages are put together anew; then those that were moved go */
	assert_int_equal(purge_lines(st, says, went, &rows), 0);
	assert_int_equal(purge_lines(st, says, gone, &rows), 0);
	assert_int_equal(rows, MANY * 2 / 3);
	assert_int_equal(purge_due(st), 1);
	assert_int_equal(purge_due(other), 1); /* whoever asks */
	checkpoint(st);
	assert_true(in_files(gone) > 0); /* else this is no test of purge_scrub */
	assert_int_equal(number(other, "SELECT count(DISTINCT token) FROM event"), MANY / 3);
	assert_int_equal(purge_scrub(st), 0);
	assert_int_equal(purge_due(other), 0);
	assert_int_equal(in_files(gone), 0);
	assert_int_equal(in_files(went), 0);
	is_sound(st);
	assert_int_equal(number(st, "SELECT count(DISTINCT token) FROM event"), MANY / 3);

	/* who stays is joined by others, whose tokens come to stand between them */
	for (unsigned i = 2; i < 60; i += 3) {
		char name[40];

		snprintf(name, sizeof name, "a-smtpd-0-2%02u.jsonl", i);
		write_many(name, i, i, 1);
	}
	load(other);
	checkpoint(other);
	assert_int_equal(in_files(gone), 0);
	is_sound(other);
	store_close(other);
	store_close(st);
}

/* What is no more needed of a large store is given back, and nothing is left of it. */
static void
test_shrunk(void **state)
{
	struct store *st = open_store();
	uint64_t rows = 0;
	int64_t t, before;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		char name[40];

		snprintf(name, sizeof name, "a-smtpd-0-%u.jsonl", i);
		write_many(name, i, 0, 3 * MANY);
	}
	load(st);
	before = number(st, "PRAGMA page_count");
	assert_int_equal(clock_parse(&t, "2026-11-21T20:00:50Z", 20), 0);
	assert_int_equal(purge_before(st, dir, t, &rows), 0);
	assert_int_equal(rows, 4 * 3 * MANY / 60 * 50);
	assert_true(number(st, "PRAGMA freelist_count") > before / 2);
	assert_int_equal(purge_scrub(st), 0);
	assert_true(number(st, "PRAGMA page_count") < before / 4);
	assert_int_equal(purge_due(st), 0);
	assert_int_equal(in_files("T20:00:49."), 0);
	assert_true(in_files("T20:00:50.") > 0);
	is_sound(st);
	store_close(st);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_forgotten, segments_setup, segments_teardown),
		cmocka_unit_test_setup_teardown(test_expired, segments_setup, segments_teardown),
		cmocka_unit_test_setup_teardown(test_moved, segments_setup, segments_teardown),
		cmocka_unit_test_setup_teardown(test_shrunk, segments_setup, segments_teardown),
	};

	log_program("test_purge");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
