/* How a daemon is called: every option, and what is no option. */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/log.h"
#include "provisioning/program.h"

static char dir[64];

static int
run(const char *d)
{
	snprintf(dir, sizeof dir, "%s", d);
	log_info("told");
	return EXIT_CANNOT;
}

static const struct program program = { "tester", "Tests.", run };

/* What it says on both channels. */
static int
call(char *said, size_t size, const char *const *words)
{
	char *argv[8];
	int argc = 0, saved[2] = { dup(STDOUT_FILENO), dup(STDERR_FILENO) }, code;
	FILE *f = tmpfile();
	size_t n;

	assert_non_null(f);
	fflush(stdout);
	dup2(fileno(f), STDOUT_FILENO);
	dup2(fileno(f), STDERR_FILENO);
	argv[argc++] = strdup("tester");
	while (*words != NULL)
		argv[argc++] = strdup(*words++);
	argv[argc] = NULL;
	optind = 0; /* from the beginning, with nothing kept (getopt(3)) */
	log_quiet(false);
	dir[0] = '\0';
	code = program_main(&program, argc, argv);
	fflush(stdout);
	dup2(saved[0], STDOUT_FILENO);
	dup2(saved[1], STDERR_FILENO);
	close(saved[0]);
	close(saved[1]);
	rewind(f);
	n = fread(said, 1, size - 1, f);
	said[n] = '\0';
	fclose(f);
	while (argc > 0)
		free(argv[--argc]);
	return code;
}

#define CALL(...) call(said, sizeof said, (const char *const[]){ __VA_ARGS__, NULL })

static void
options(void **state)
{
	char said[2048];

	(void)state;
	setenv("OUTPOST_SITE", "/from/environment", 1);
	assert_int_equal(CALL(NULL), EXIT_CANNOT);
	assert_string_equal(dir, "/from/environment");
	assert_string_equal(said, "tester: told\n");
	assert_int_equal(CALL("-C", "/a", "-q"), EXIT_CANNOT);
	assert_string_equal(dir, "/a");
	assert_string_equal(said, "");
	assert_int_equal(CALL("--version", "-C", "/a"), EXIT_DONE);
	assert_string_equal(said, "tester (outpost) " OUTPOST_VERSION "\n");
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(CALL(i == 0 ? "--help" : "-h"), EXIT_DONE);
		assert_non_null(strstr(said, "usage: tester [-q] [-C DIR]\nTests.\n"));
		assert_non_null(strstr(said, "outpost-tester(8)"));
	}
	assert_string_equal(dir, "");
}

static void
wrong_usage(void **state)
{
	char said[2048];

	(void)state;
	assert_int_equal(CALL("-x"), EXIT_USAGE);
	assert_non_null(strstr(said, "usage: tester"));
	assert_int_equal(CALL("-C"), EXIT_USAGE);
	assert_non_null(strstr(said, "usage: tester"));
	assert_int_equal(CALL("-q", "/a"), EXIT_USAGE);
	assert_string_equal(said, "tester: /a: unexpected argument: see tester --help\n");
	assert_string_equal(dir, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options),
		cmocka_unit_test(wrong_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
