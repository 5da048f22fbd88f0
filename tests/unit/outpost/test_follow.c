/* A log that grows, is renamed, is cut, and goes away. */
#include "outpost/follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/strbuf.h"

static char dir[64], path[96], other[96];
static struct strbuf got;
static struct follow at;
static int stop_after;

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/follow.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/mail.log", dir);
	snprintf(other, sizeof other, "%s/mail.log.1", dir);
	at = (struct follow){ 0 };
	stop_after = -1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	unlink(other);
	rmdir(dir);
	strbuf_clear(&got);
	return 0;
}

static void
add(const char *text)
{
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int
on_line(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	strbuf_add(&got, text, len);
	strbuf_puts(&got, "|");
	return stop_after-- == 0;
}

/* What is new; the number of files that it came from. */
static const char *
news(int files)
{
	struct follow_part part[2];
	bool lost;
	int n = follow_open(part, &lost, path, &at);

	strbuf_reset(&got);
	strbuf_puts(&got, lost ? "lost " : "");
	assert_int_equal(n, files);
	for (int i = 0; i < n; i++) {
		follow_read(&part[i], on_line, NULL);
		at = part[i].at;
		close(part[i].fd);
	}
	return got.s;
}

static void
grows(void **state)
{
	(void)state;
	assert_string_equal(news(0), "");
	add("before\n");
	assert_string_equal(news(1), ""); /* what stood there already is not read */
	add("one\ntwo\nthr");
	assert_string_equal(news(1), "one|two|");
	assert_string_equal(news(1), "");
	add("ee\n");
	assert_string_equal(news(1), "three|");
	assert_int_equal(at.generation, 1);
	add("four\nfive\n");
	stop_after = 0;
	assert_string_equal(news(1), "four|");
	stop_after = -1;
	assert_string_equal(news(1), "five|");
}

static void
renamed(void **state)
{
	(void)state;
	add("before\n");
	news(1);
	add("one\n");
	assert_int_equal(rename(path, other), 0);
	assert_string_equal(news(1), "one|"); /* it is not there yet */
	add("two\n");
	assert_string_equal(news(2), "two|");
	assert_int_equal(at.generation, 2);
	add("three\n");
	assert_string_equal(news(1), "three|");
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(unlink(other), 0);
	add("keeps the inode from being used again\n");
	assert_int_equal(rename(path, other), 0);
	add("four\n");
	assert_non_null(strstr(news(1), "four|"));
}

static void
cut(void **state)
{
	(void)state;
	add("before\n");
	news(1);
	add("one\ntwo\n");
	news(1);
	assert_int_equal(truncate(path, 0), 0);
	add("three\n");
	assert_string_equal(news(1), "three|");
	assert_int_equal(at.generation, 2);
}

static void
long_lines(void **state)
{
	char *line = malloc(200001);

	(void)state;
	add("before\n");
	news(1);
	for (size_t len = FOLLOW_LINE_MAX - 1; len <= 200000;
	     len = len > FOLLOW_LINE_MAX ? len * 4 : len + 1) {
		memset(line, 'x', len);
		line[len] = '\0';
		add(line);
		add("\nnext\n");
		news(1);
		assert_int_equal(got.len, (len <= FOLLOW_LINE_MAX ? len + 1 : 0) + 5);
	}
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(grows, setup, teardown),
		cmocka_unit_test_setup_teardown(renamed, setup, teardown),
		cmocka_unit_test_setup_teardown(cut, setup, teardown),
		cmocka_unit_test_setup_teardown(long_lines, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
