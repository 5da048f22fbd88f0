/* Small state: what was reported as written is read back, what was torn off is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/journal.h"
#include "lib/log.h"
#include "lib/strbuf.h"

static char dir[] = "/tmp/test_journal.XXXXXX";
static char *path;

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	path = xasprintf("%s/enrol.jsonl", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	free(path);
	return rmdir(dir);
}

static int
collect(void *ctx, const char *line, size_t len)
{
	assert_int_equal(line[len], '\0');
	strbuf_add(ctx, line, len);
	strbuf_puts(ctx, "|");
	return len == 4 && memcmp(line, "stop", 4) == 0 ? 7 : 0;
}

static void
check(int rc, const char *expected)
{
	struct strbuf b = { 0 };

	strbuf_puts(&b, "");
	assert_int_equal(journal_read(path, collect, &b), rc);
	assert_string_equal(b.s, expected);
	strbuf_clear(&b);
}

static void
content(const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void
test_append(void **state)
{
	struct stat st;

	(void)state;
	unlink(path);
	check(0, "");
	assert_int_equal(journal_append(path, "{\"a\":1}", 7), 0);
	assert_int_equal(journal_append(path, "stop", 4), 0);
	assert_int_equal(journal_append(path, "c", 1), 0);
	check(7, "{\"a\":1}|stop|");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
	assert_int_equal(st.st_size, 15);
}

static void
test_torn(void **state)
{
	(void)state;
	content("a\nb\ntorn");
	check(0, "a|b|");
	assert_int_equal(journal_append(path, "c", 1), 0);
	check(0, "a|b|c|");
	content("torn");
	check(0, "");
	assert_int_equal(journal_append(path, "c", 1), 0);
	check(0, "c|");
}

/* The torn line may be longer than one block of the search for its beginning. */
static void
test_torn_long(void **state)
{
	struct strbuf b = { 0 };

	(void)state;
	strbuf_puts(&b, "a\n");
	for (int i = 0; i < 10000; i++)
		strbuf_puts(&b, "x");
	content(b.s);
	assert_int_equal(journal_append(path, "c", 1), 0);
	check(0, "a|c|");
	strbuf_clear(&b);
}

static void
test_refused(void **state)
{
	(void)state;
	content("a\n");
	assert_int_equal(journal_append(path, "b\nc", 3), -1);
	assert_int_equal(journal_append(path, "", 0), -1);
	check(0, "a|");
	assert_int_equal(journal_append("/nonexistent/x", "a", 1), -1);
	assert_int_equal(journal_read("/", collect, NULL), -1);
}

/* No room for the line: it is not reported as written, and not half there. */
static void
test_full(void **state)
{
	struct rlimit limit = { 8, 8 };
	int status;
	pid_t pid;

	(void)state;
	content("a\nb\n");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(journal_append(path, "0123456789", 10) == -1 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	check(0, "a|b|");
}

/* Many writers at once: every line whole. */
static void
test_writers(void **state)
{
	struct strbuf b = { 0 };
	int status, lines = 0;

	(void)state;
	unlink(path);
	for (int i = 0; i < 4; i++)
		if (fork() == 0) {
			int rc = 0;
			for (int k = 0; k < 25; k++)
				rc |= journal_append(path, "0123456789abcdef", 16);
			_exit(rc == 0 ? 0 : 1);
		}
	for (int i = 0; i < 4; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(journal_read(path, collect, &b), 0);
	for (char *p = b.s; *p != '\0'; p += 17, lines++)
		assert_memory_equal(p, "0123456789abcdef|", 17);
	assert_int_equal(lines, 100);
	strbuf_clear(&b);
}

/* Who comes back reads what was appended meanwhile, each line once. */
static void
test_follow(void **state)
{
	struct strbuf b = { 0 };
	uint64_t offset = 0;
	FILE *f;

	(void)state;
	unlink(path);
	assert_int_equal(journal_follow(path, &offset, collect, &b), 0);
	assert_int_equal(offset, 0);
	assert_int_equal(journal_append(path, "one", 3), 0);
	assert_int_equal(journal_follow(path, &offset, collect, &b), 0);
	assert_int_equal(journal_append(path, "stop", 4), 0);
	assert_int_equal(journal_append(path, "two", 3), 0);
	assert_int_equal(journal_follow(path, &offset, collect, &b), 7);
	assert_int_equal(journal_follow(path, &offset, collect, &b), 0);
	f = fopen(path, "a");
	fputs("torn", f);
	fclose(f);
	assert_int_equal(journal_follow(path, &offset, collect, &b), 0);
	assert_int_equal(offset, 13);
	assert_string_equal(b.s, "one|stop|two|");
	assert_int_equal(journal_append(path, "three", 5), 0); /* takes the torn one's place */
	assert_int_equal(journal_follow(path, &offset, collect, &b), 0);
	assert_string_equal(b.s, "one|stop|two|three|");
	strbuf_clear(&b);
}

static bool
has(void *ctx, const char *line, size_t len)
{
	return memmem(line, len, ctx, strlen(ctx)) != NULL;
}

static void
test_rewrite(void **state)
{
	uint64_t dropped = 9;
	struct stat before, after;
	char *beside = xasprintf("%s/.enrol.jsonl.new", dir);
	int fd;

	(void)state;
	content("keep\nout 1\nkept\nout 2\ntorn out");
	assert_int_equal(chmod(path, 0604), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(journal_rewrite(path, true, has, "nothing", &dropped), 0);
	assert_int_equal(dropped, 0);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_ino == before.st_ino);

	/* what a crash left beside it is not in the way */
	fd = open(beside, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(journal_rewrite(path, true, has, "out", &dropped), 0);
	assert_int_equal(dropped, 2);
	check(0, "keep|kept|");
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_size, 10);
	assert_int_not_equal(access(beside, F_OK), 0);

	fd = open(path, O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(journal_rewrite(path, false, has, "kept", &dropped), 1);
	close(fd);
	assert_int_equal(journal_rewrite(path, false, has, "kept", NULL), 0);
	check(0, "keep|");
	unlink(path);
	assert_int_equal(journal_rewrite(path, true, has, "kept", &dropped), 0);
	assert_int_not_equal(access(path, F_OK), 0);
	free(beside);
}

/* No room for the new file: the old one stays as it was. */
static void
test_rewrite_full(void **state)
{
	struct rlimit limit = { 4, 4 };
	int status;
	pid_t pid;

	(void)state;
	content("a\nb\nc\nd\n");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(journal_rewrite(path, true, has, "b", NULL) == -1 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	check(0, "a|b|c|d|");
}

/* Lines are taken out again and again while others append: none of theirs is lost. */
static void
test_rewrite_writers(void **state)
{
	struct strbuf b = { 0 };
	int status, lines = 0;

	(void)state;
	unlink(path);
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			int rc = 0;
			for (int k = 0; k < 60; k++)
				rc |= journal_append(path, k % 2 == 0 ? "keep" : "drop", 4);
			_exit(rc == 0 ? 0 : 1);
		}
	for (int i = 0; i < 40; i++)
		assert_int_equal(journal_rewrite(path, true, has, "drop", NULL), 0);
	for (int i = 0; i < 3; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(journal_rewrite(path, true, has, "drop", NULL), 0);
	assert_int_equal(journal_read(path, collect, &b), 0);
	for (char *p = b.s; *p != '\0'; p += 5, lines++)
		assert_memory_equal(p, "keep|", 5);
	assert_int_equal(lines, 90);
	strbuf_clear(&b);
}

/* The line is made under the lock: nobody else gets it meanwhile; who makes none appends none. */
static int
make_line(void *ctx, struct strbuf *line)
{
	int fd = open(path, O_RDWR), locked = flock(fd, LOCK_EX | LOCK_NB);

	close(fd);
	assert_int_equal(locked, -1);
	if (ctx == NULL)
		return -1;
	strbuf_puts(line, ctx);
	return 0;
}

static int
count_lines(void *ctx, const char *line, size_t len)
{
	(void)line;
	(void)len;
	++*(int *)ctx;
	return 0;
}

static void
test_made(void **state)
{
	int n = 0;

	(void)state;
	unlink(path);
	assert_int_equal(journal_append_made(path, make_line, "{\"a\":1}\n"), 0);
	assert_int_equal(journal_append_made(path, make_line, NULL), -1);
	assert_int_equal(journal_append_made(path, make_line, "two\nlines"), -1);
	assert_int_equal(journal_append_made(path, make_line, "two\n\nlines\n"), -1);
	assert_int_equal(journal_append_made(path, make_line, "\n"), -1);
	assert_int_equal(journal_append_made(path, make_line, ""), -1);
	assert_int_equal(journal_append_lines(path, "{\"c\":3}\n{\"d\":4}\n", 16), 0);
	assert_int_equal(journal_append_lines(path, "{\"e\":5}\n{\"f\":6}", 15), -1);
	assert_int_equal(journal_append(path, "{\"b\":2}", 7), 0);
	assert_int_equal(journal_read(path, count_lines, &n), 0);
	assert_int_equal(n, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_torn_long),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_writers),
		cmocka_unit_test(test_rewrite),
		cmocka_unit_test(test_rewrite_full),
		cmocka_unit_test(test_rewrite_writers),
	};
	return cmocka_run_group_tests_name("journal", tests, setup, teardown);
}
