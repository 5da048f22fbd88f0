/* What the operator reads: prefix, one line each, nothing that a terminal would obey; exit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/log.h"

/* Runs speak in a child; its stderr comes into text, its exit code is returned. */
static int
child(void (*speak)(void), char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int fd[2], status;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fd[1], STDERR_FILENO);
		close(fd[0]);
		close(fd[1]);
		log_program("smtpd");
		speak();
		_exit(77);
	}
	close(fd[1]);
	while ((n = read(fd[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
speak_lines(void)
{
	log_info("started: %d workers", 2);
	log_quiet(true);
	log_info("not seen");
	log_warn("%s: refused\x1b[31m\n\x7f", "peer");
}

static void
speak_fatal(void)
{
	log_fatal(EXIT_USAGE, "conf:3: pace 0: it must be at least 1");
}

static void
speak_long(void)
{
	char *s = malloc(10001);

	memset(s, 'x', 10000);
	s[10000] = '\0';
	log_warn("%s", s);
	free(s);
}

static void
test_lines(void **state)
{
	char text[4096];

	(void)state;
	assert_int_equal(child(speak_lines, text, sizeof(text)), 77);
	assert_string_equal(text, "smtpd: started: 2 workers\nsmtpd: peer: refused?[31m??\n");
}

static void
test_fatal(void **state)
{
	char text[4096];

	(void)state;
	assert_int_equal(child(speak_fatal, text, sizeof(text)), EXIT_USAGE);
	assert_string_equal(text, "smtpd: conf:3: pace 0: it must be at least 1\n");
}

static void
test_long(void **state)
{
	char text[4096];

	(void)state;
	child(speak_long, text, sizeof(text));
	assert_true(strlen(text) > 2000 && strlen(text) <= 2048);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_fatal),
		cmocka_unit_test(test_long),
	};
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
