/* A program under the supervisor: its lines, its end, the pauses between its starts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "outpost/child.h"

static char *const argv_lines[] = { "sh", "-c",
	"echo 'sh: in front already' >&2; echo bare >&2; printf 'no end' >&2; exit 3", NULL };

/* Runs the child with our stderr in a file; what came out. */
static void
run(struct child *c, char *out, size_t outlen, int *status)
{
	FILE *f = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t n;

	assert_non_null(f);
	assert_true(dup2(fileno(f), STDERR_FILENO) >= 0);
	if (child_start(c, 0) == 0)
		assert_int_equal(waitpid(c->pid, status, 0), c->pid);
	child_ended(c, *status, 0);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	rewind(f);
	n = fread(out, 1, outlen - 1, f);
	out[n] = '\0';
	fclose(f);
}

static void
test_lines(void **state)
{
	struct child c = { .name = "sh", .path = "/bin/sh", .argv = argv_lines, .err = -1 };
	char out[4096], how[80];
	int status = 0;

	(void)state;
	run(&c, out, sizeof(out), &status);
	assert_string_equal(out, "sh: in front already\nsh: bare\nsh: no end\n");
	assert_int_equal(c.pid, 0);
	assert_int_equal(c.err, -1);
	child_describe(how, sizeof(how), status);
	assert_string_equal(how, "ended with code 3");
	child_describe(how, sizeof(how), 9);
	assert_string_equal(how, "killed by signal 9 (Killed)");
}

/* A line without end goes out in pieces, none of it is lost. */
static void
test_long_line(void **state)
{
	char *const argv[] = { "sh", "-c", "head -c 5000 /dev/zero | tr '\\0' x >&2", NULL };
	struct child c = { .name = "sh", .path = "/bin/sh", .argv = argv, .err = -1 };
	char out[8192];
	size_t x = 0;
	int status = 0;

	(void)state;
	run(&c, out, sizeof(out), &status);
	for (const char *p = out; *p != '\0'; p++)
		x += *p == 'x';
	assert_int_equal(x, 5000);
}

static void
test_no_program(void **state)
{
	char *const argv[] = { "nothing", NULL };
	struct child c = {
		.name = "nothing", .path = "/nonexistent/nothing", .argv = argv, .err = -1
	};
	char out[4096];
	int status = 0;

	(void)state;
	run(&c, out, sizeof(out), &status);
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_non_null(strstr(out, "/nonexistent/nothing: No such file"));
}

static void
test_pauses(void **state)
{
	struct child c = { .name = "x", .err = -1 };
	int64_t now = 0, last = 0;

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		c.started_us = now;
		child_ended(&c, 0, now);
		assert_true(c.again_us - now >= last);
		last = c.again_us - now;
		now = c.again_us;
	}
	assert_true(last == 60 * CLOCK_SECOND);
	c.started_us = now;
	now += 120 * CLOCK_SECOND; /* it lived */
	child_ended(&c, 0, now);
	assert_true(c.again_us - now == CLOCK_SECOND / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_no_program),
		cmocka_unit_test(test_pauses),
	};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
