/* The store takes every line once, whatever happens between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "lib/log.h"
#include "lib/strbuf.h"

#undef test_free /* cmocka has a macro of that name */
#include "segments.h"

static void
test_once(void **state)
{
	struct store *st = open_store();

	(void)state;
	write_file("a-smtpd-0-1.jsonl", "w", LINE LINE, 1, 1, TOKEN, 2, 2, TOKEN);
	assert_int_equal(load(st).events, 2);
	assert_int_equal(load(st).events, 0);
	write_file("a-smtpd-0-1.jsonl", "a", LINE, 3, 3, TOKEN);
	assert_int_equal(load(st).events, 1);
	store_close(st);
	st = open_store();
	assert_int_equal(load(st).events, 0);
	assert_int_equal(count_lines(st, "aaaaaaaaaaaaaaaa"), 3);
	assert_int_equal(count_lines(st, "bbbbbbbbbbbbbbbb"), 0);
	store_close(st);
}

/* A torn last line waits; reserved space (NULs) behind it is nothing; it is taken when it is whole. */
static void
test_torn(void **state)
{
	struct store *st = open_store();
	char line[256], path[128];
	int len = snprintf(line, sizeof line, LINE, 4, 4, TOKEN), fd;

	(void)state;
	write_file("a-smtpd-0-2.jsonl", "w", "%.*s", 40, line);
	snprintf(path, sizeof path, "%s/a-smtpd-0-2.jsonl", dir);
	assert_int_equal(truncate(path, 1 << 20), 0);
	assert_int_equal(load(st).events, 0);
	assert_int_equal(load(st).corrupt, 0);
	assert_true((fd = open(path, O_WRONLY)) >= 0);
	assert_int_equal(pwrite(fd, line + 40, (size_t)len - 40, 40), len - 40);
	close(fd);
	assert_int_equal(load(st).events, 1);
	assert_int_equal(load(st).corrupt, 0);
	store_close(st);
}

struct corrupt_seen {
	unsigned n;
	uint64_t offset;
	char segment[64];
};

static int
see_corrupt(void *ctx, const char *segment, uint64_t offset, const char *why)
{
	struct corrupt_seen *c = ctx;

	c->n++; /* the oldest comes last */
	if (c->n == 4) {
		c->offset = offset;
		snprintf(c->segment, sizeof c->segment, "%s", segment);
	}
	assert_true(strlen(why) > 0);
	return 0;
}

static void
test_corrupt(void **state)
{
	struct store *st = open_store();
	struct corrupt_seen c = { 0 };
	char line[256];
	int len = snprintf(line, sizeof line, LINE, 5, 5, TOKEN);

	(void)state;
	write_file("a-smtpd-0-3.jsonl", "w",
	    "%s{\"v\":1,\n\n{\"t\":\"never\",\"ev\":\"x\",\"node\":\"a\"}\n%snonsense\n%s", line,
	    line, line);
	struct store_progress p = load(st);
	assert_int_equal(p.events, 3);
	assert_int_equal(p.corrupt, 4);
	assert_int_equal(store_corrupt(st, see_corrupt, &c), 0);
	assert_int_equal(c.n, 4);
	assert_int_equal(c.offset, len);
	assert_string_equal(c.segment, "a-smtpd-0-3.jsonl");
	store_close(st);
}

/* A line without end does not stop what comes after it. */
static void
test_endless(void **state)
{
	struct store *st = open_store();
	char path[128], *big = malloc(9u << 20);

	(void)state;
	memset(big, 'x', 9u << 20);
	snprintf(path, sizeof path, "%s/a-smtpd-0-4.jsonl", dir);
	FILE *f = fopen(path, "w");
	fwrite(big, 1, 9u << 20, f);
	fprintf(f, "\n" LINE, 6, 6, TOKEN);
	fclose(f);
	free(big);
	struct store_progress p = load(st);
	assert_int_equal(p.events, 1);
	assert_true(p.corrupt >= 1);
	store_close(st);
}

/* What a connection said before it was bound comes with the token's lines; other connections do not. */
static void
test_unbound(void **state)
{
	struct store *st = open_store();

	(void)state;
	write_file("b-smtpd-0-1.jsonl", "w", LINE LINE LINE, 1, 1, ",\"conn\":\"0-1\"", 2, 2,
	    ",\"conn\":\"0-1\",\"token\":\"cccccccccccccccc\"", 3, 3, ",\"conn\":\"0-2\"");
	write_file("c-smtpd-0-1.jsonl", "w",
	    "{\"v\":1,\"t\":\"2026-11-21T20:00:00Z\",\"node\":\"c\",\"d\":\"smtpd\",\"w\":0,\"n\":"
	    "1,\"ev\":\"smtp.connect\",\"conn\":\"0-1\"}\n");
	load(st);
	assert_int_equal(count_lines(st, "cccccccccccccccc"), 2);
	store_close(st);
}

/* Four processes load the same directory at once: every line is there once. */
static void
test_at_once(void **state)
{
	char text[200], path[128];
	int status, good = 0;

	(void)state;
	for (int s = 0; s < 8; s++) {
		snprintf(path, sizeof path, "%s/d-smtpd-%d-1.jsonl", dir, s);
		FILE *f = fopen(path, "w");
		for (int i = 0; i < 2000; i++) {
			snprintf(
			    text, sizeof text, LINE, i % 60, i, ",\"token\":\"dddddddddddddddd\"");
			fputs(text, f);
		}
		fclose(f);
	}
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			snprintf(path, sizeof path, "%s/store.db", dir);
			struct store *st = store_open(path);
			int rc = st == NULL ? 1 : -store_load(st, dir, NULL, NULL, NULL);
			store_close(st);
			_exit(rc);
		}
	}
	while (wait(&status) > 0)
		good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	assert_int_equal(good, 4);
	struct store *st = open_store();
	assert_int_equal(load(st).events, 0);
	assert_int_equal(count_lines(st, "dddddddddddddddd"), 16000);
	store_close(st);
}

/* Killed in the middle of loading: what was not committed is loaded by the next one. */
static void
test_killed(void **state)
{
	char text[200], path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/e-smtpd-0-1.jsonl", dir);
	FILE *f = fopen(path, "w");
	for (int i = 0; i < 200000; i++) {
		snprintf(text, sizeof text, LINE, i % 60, i, ",\"token\":\"eeeeeeeeeeeeeeee\"");
		fputs(text, f);
	}
	fclose(f);
	for (int i = 1; i <= 3; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			snprintf(path, sizeof path, "%s/store.db", dir);
			struct store *st = store_open(path);
			_exit(st == NULL ? 1 : -store_load(st, dir, NULL, NULL, NULL));
		}
		usleep((useconds_t)(i * 40000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	struct store *st = open_store();
	load(st);
	assert_int_equal(count_lines(st, "eeeeeeeeeeeeeeee"), 200000);
	store_close(st);
}

/* Losing the store loses nothing; what is no database is said so. */
static void
test_lost(void **state)
{
	char path[128];

	(void)state;
	struct store *st = open_store();
	load(st);
	size_t n = count_lines(st, "dddddddddddddddd");
	store_close(st);
	snprintf(path, sizeof path, "%s/store.db", dir);
	write_file("store.db", "w",
	    "this is not a database, it is a sentence that stands in its "
	    "place................................");
	snprintf(path, sizeof path, "%s/store.db-wal", dir);
	unlink(path);
	snprintf(path, sizeof path, "%s/store.db", dir);
	assert_null(store_open(path));
	unlink(path);
	st = open_store();
	load(st);
	assert_int_equal(count_lines(st, "dddddddddddddddd"), n);
	store_close(st);
}

static void
note_token(void *ctx, const char *token)
{
	strbuf_puts(ctx, token);
	strbuf_puts(ctx, " ");
}

/* Whose lines came since the last look; nothing at the first. */
static void
test_changes(void **state)
{
	struct store *st = open_store();
	struct strbuf b = { 0 };
	int64_t after = -1;

	(void)state;
	strbuf_puts(&b, "");
	write_file("z-web-0-1.jsonl", "w", LINE, 1, 1, TOKEN);
	load(st);
	assert_int_equal(store_changes(st, &after, note_token, &b), 0);
	assert_string_equal(b.s, "");
	write_file("z-web-0-1.jsonl", "a", LINE LINE, 2, 2, TOKEN, 3, 3, TOKEN);
	load(st);
	assert_int_equal(store_changes(st, &after, note_token, &b), 0);
	assert_string_equal(b.s, "aaaaaaaaaaaaaaaa ");
	assert_int_equal(store_changes(st, &after, note_token, &b), 0);
	assert_string_equal(b.s, "aaaaaaaaaaaaaaaa ");
	store_close(st);
	strbuf_clear(&b);
}

/* Who may write the three files, but make none in their directory, can open the store after all others
 * have closed it. */
static void
test_files_stay(void **state)
{
	static const char *const names[] = { "store.db", "store.db-wal", "store.db-shm" };
	char path[128];

	(void)state;
	store_close(open_store());
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		assert_int_equal(access(path, F_OK), 0);
	}
}

static int
count_steps(void *ctx)
{
	++*(unsigned *)ctx;
	return 0;
}

/* Node events, and nothing else is looked at for them: what strangers send to an address without a participant may be
 * millions of lines. */
static void
test_nodes(void **state)
{
	static const char row[] = "{\"v\":1,\"t\":\"2026-11-21T%02d:00:00.%06dZ\",\"node\":\"a\","
				  "\"d\":\"smtpd\",\"w\":0,\"n\":%d,\"ev\":\"%s\"}\n";
	struct store *st = open_store();
	struct strbuf b = { 0 };
	unsigned steps = 0;

	(void)state;
	write_file("a-nodes-0-1.jsonl", "w", row, 12, 1, 1, "node.stop");
	write_file("a-nodes-0-1.jsonl", "a", row, 10, 2, 2, "node.start");
	write_file("a-nodes-0-1.jsonl", "a", row, 11, 3, 3, "node.stop");
	write_file("a-nodes-0-1.jsonl", "a", row, 11, 4, 4, "node.alive");
	for (int i = 0; i < 10000; i++)
		write_file("a-nodes-0-1.jsonl", "a", row, 13, i, i, "net.syn");
	assert_int_equal(load(st).events, 10004);
	sqlite3_progress_handler(store_db(st), 1, count_steps, &steps);
	assert_int_equal(store_nodes(st, INT64_C(1795258800000000), collect, &b), 0);
	assert_true(steps > 0 && steps < 500);
	assert_non_null(strstr(b.s, "T11:"));
	assert_non_null(strstr(b.s, "T12:"));
	assert_true(strstr(b.s, "T11:") < strstr(b.s, "T12:"));
	assert_null(strstr(b.s, "T10:"));
	assert_null(strstr(b.s, "net.syn"));
	assert_null(strstr(b.s, "node.alive"));
	store_close(st);
	strbuf_clear(&b);
}

static void
take_heard(void *ctx, const char *node, int64_t t)
{
	strbuf_printf(ctx, "%s %lld;", node, (long long)(t / 1000000 % 60));
}

static void
expect_heard(struct store *st, const char *want)
{
	struct strbuf b = { 0 };

	assert_int_equal(store_heard(st, take_heard, &b), 0);
	assert_string_equal(b.len == 0 ? "" : b.s, want);
	strbuf_clear(&b);
}

/* How far the log of each node goes, whatever comes when. */
static void
test_heard(void **state)
{
	static const char *const mine[] = { "store.db", "a-smtpd-0-1.jsonl", "a-smtpd-0-2.jsonl",
		"b-smtpd-0-1.jsonl", "c-smtpd-0-1.jsonl" };
	struct store *st = open_store();

	(void)state;
	expect_heard(st, "");
	write_file("a-smtpd-0-1.jsonl", "w", LINE LINE, 5, 1, "", 3, 2, "");
	write_file("b-smtpd-0-1.jsonl", "w", LINE, 9, 1, "");
	load(st);
	expect_heard(st, "a 9;");
	write_file("c-smtpd-0-1.jsonl", "w",
	    "{\"v\":1,\"t\":\"2026-11-21T20:00:07.000000Z\",\"node\":\"c\",\"d\":\"x\",\"w\":0,"
	    "\"n\":"
	    "1,\"ev\":\"node.start\"}\n" LINE "rubbish\n",
	    11, 7, "");
	load(st);
	expect_heard(st, "a 11;c 7;");
	write_file("a-smtpd-0-2.jsonl", "w", LINE, 1, 3, "");
	load(st);
	expect_heard(st, "a 11;c 7;");
	store_close(st);
	for (size_t i = 0; i < sizeof mine / sizeof mine[0]; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s/%s", dir, mine[i]);
		assert_int_equal(unlink(path), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heard),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_corrupt),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_files_stay),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_unbound),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_lost),
	};

	log_program("test_store");
	return cmocka_run_group_tests(tests, segments_setup, segments_teardown);
}
