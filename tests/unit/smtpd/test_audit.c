/* What is lost is found in the log, and nothing else. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/event.h"
#include "lib/log.h"
#include "smtpd/audit.h"

#include <cmocka.h> /* last: it has a macro test_free */

#define NOW INT64_C(1795294800000000) /* 2026-11-21T21:00:00Z */

static char dir[64];

static int
setup(void **state)
{
	(void)state;
	log_quiet(true);
	snprintf(dir, sizeof dir, "/tmp/audit-test-XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static FILE *
segment(const char *daemon, int64_t start)
{
	char path[160], t[CLOCK_TEXT_MAX], name[CLOCK_TEXT_MAX], *d = name;
	FILE *f;

	clock_format(t, start);
	for (const char *c = t; *c != '\0'; c++)
		if (*c != '-' && *c != ':')
			*d++ = *c;
	*d = '\0';
	snprintf(path, sizeof path, "%s/a-%s-0-%s.jsonl", dir, daemon, name);
	f = fopen(path, "a");
	assert_non_null(f);
	return f;
}

static void
line(FILE *f, enum event_kind kind, int64_t t, const char *conn, const char *digest)
{
	static struct event_line e;
	struct event_origin origin = { .node = "a", .daemon = "x", .n = 1 };

	event_begin(&e, kind, &origin, t);
	if (kind != EV_VERIFY_AUDIT) {
		event_str(&e, EK_TOKEN, "abcdefghijklmnop");
		event_str(&e, EK_TEST, "dual");
		event_str(&e, EK_CONN, conn);
		event_str(&e, EK_PEER, "192.0.2.1");
		event_str(&e, EK_FROM, "a@sender.example");
		event_num(&e, EK_SIZE, 77);
		event_str(&e, EK_DIGEST, digest);
	}
	if (kind == EV_SMTP_MESSAGE)
		event_bool(&e, EK_HANDED, strcmp(digest, "apart") != 0);
	if (kind == EV_VERIFY_AUDIT)
		event_bool(&e, EK_OK, strcmp(digest, "ok") == 0);
	event_end(&e);
	fwrite(e.buf, 1, e.len, f);
}

static struct audit *
read_log(int64_t opened, int64_t began, uint64_t max)
{
	static struct audit_config c;

	c = (struct audit_config){ .dir = dir,
		.node = "a",
		.smtpd = "smtpd",
		.verifier = "verifier",
		.opened = opened,
		.began = began,
		.octets_max = max };
	return audit_read(&c);
}

/* The digests that are lost, in one word. */
static const char *
lost(struct audit *a)
{
	static char text[256];
	const struct verify_facts *f;
	size_t iter = 0;

	text[0] = '\0';
	while ((f = audit_lost(a, &iter)) != NULL) {
		assert_string_equal(f->token, "abcdefghijklmnop");
		assert_string_equal(f->from, "a@sender.example");
		assert_int_equal(f->size, 77);
		strncat(text, f->digest, sizeof text - strlen(text) - 1);
	}
	audit_free(a);
	return text;
}

static void
an_empty_log(void **state)
{
	struct audit *a = read_log(NOW, 0, 0);

	(void)state;
	assert_non_null(a);
	assert_true(audit_is_whole(a));
	assert_string_equal(lost(a), "");
}

static void
each_message_has_one_end(void **state)
{
	FILE *f = segment("smtpd", NOW), *v = segment("verifier", NOW);
	struct verify_facts has = { .token = "abcdefghijklmnop", .test = "dual", .conn = "0-1-1" };
	struct audit *a;

	(void)state;
	line(f, EV_SMTP_MESSAGE, NOW + 1, "0-1-1", "A");
	line(f, EV_SMTP_MESSAGE, NOW + 2, "0-1-1", "B");
	line(f, EV_SMTP_MESSAGE, NOW + 2, "0-1-1", "C");
	line(f, EV_SMTP_MESSAGE, NOW + 2, "0-1-1", "C"); /* the same once more */
	line(f, EV_SMTP_MESSAGE, NOW + 3, "0-1-2", "C"); /* of another connection */
	line(f, EV_SMTP_MESSAGE, NOW + 4, "0-1-1", "D");
	line(f, EV_SMTP_MESSAGE, NOW + 4, "0-1-1", "apart"); /* never handed over */
	line(f, EV_SMTP_MESSAGE, NOW + 5, "0-1-1", "E");
	line(f, EV_SMTP_MESSAGE, NOW + 5, "0-1-1", "F");
	line(v, EV_VERIFY_RESULT, NOW + 6, "0-1-1", "A");
	line(v, EV_VERIFY_CRASHED, NOW + 6, "0-1-1", "C");
	line(v, EV_VERIFY_SKIPPED, NOW + 6, "0-1-1", "D");
	line(v, EV_VERIFY_LOST, NOW + 6, "0-1-1", "E");
	line(v, EV_VERIFY_RESULT, NOW + 6, "0-1-9", "Z"); /* its message is not yet in the log */
	fclose(f);
	fprintf(v, "{\"v\":1,\"t\":\"2026-11-21T21:00:00Z\",\"node\":\"a\",\"ev\":\"verify.res");
	fclose(v);
	a = read_log(NOW + 10, 0, 0);
	strcpy(has.digest, "F");
	audit_has(a, &has);
	assert_string_equal(lost(a), "BCC");
}

/* What was whole before is not read again, but for what could have waited then. */
static void
it_goes_on_where_it_was(void **state)
{
	int64_t then = NOW + 7200 * CLOCK_SECOND, before = then - AUDIT_WAIT_MAX;
	FILE *f = segment("smtpd", before - 5), *v = segment("verifier", then);

	(void)state;
	line(f, EV_SMTP_MESSAGE, before - 1, "0-1-5", "G");
	line(f, EV_SMTP_MESSAGE, before, "0-1-5", "H");
	line(v, EV_VERIFY_AUDIT, then, NULL, "");
	fclose(f);
	fflush(v);
	assert_string_equal(lost(read_log(then + 1, 0, 0)), "GHBCCF");
	line(v, EV_VERIFY_AUDIT, then, NULL, "ok");
	fclose(v);
	assert_string_equal(lost(read_log(then + 1, 0, 0)), "H");
}

/* Another verifier has its own workers' messages. */
static void
while_another_lives(void **state)
{
	int64_t then = NOW + 2 * 7200 * CLOCK_SECOND;
	FILE *f = segment("smtpd", then), *v = segment("verifier", then);
	struct audit *a;
	char conn[64];
	int ready[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	snprintf(conn, sizeof conn, "0-%llx-1", (unsigned long long)then);
	line(f, EV_SMTP_MESSAGE, then + 1, conn, "I");
	snprintf(conn, sizeof conn, "0-%llx-1", (unsigned long long)then + 9);
	line(f, EV_SMTP_MESSAGE, then + 10, conn, "J");
	line(v, EV_VERIFY_AUDIT, then, NULL, "ok");
	fclose(f);
	fflush(v);
	pid = fork();
	if (pid == 0) {
		flock(fileno(v), LOCK_EX);
		byte = write(ready[1], "x", 1) == 1;
		pause();
		_exit(byte);
	}
	fclose(v);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	a = read_log(then + 20, then + 9, 0);
	assert_false(audit_is_whole(a));
	assert_string_equal(lost(a), "J");
	/* Its own segments do not count. */
	a = read_log(then, then + 9, 0);
	assert_true(audit_is_whole(a));
	assert_string_equal(lost(a), "IJ");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	a = read_log(then + 20, then + 9, 0);
	assert_true(audit_is_whole(a));
	assert_string_equal(lost(a), "IJ");
	close(ready[0]);
	close(ready[1]);
}

static void
it_is_bounded(void **state)
{
	int64_t then = NOW + 4 * 7200 * CLOCK_SECOND;
	FILE *f = segment("smtpd", then), *v = segment("verifier", then);
	struct audit *a;
	char digest[16];

	(void)state;
	line(v, EV_VERIFY_AUDIT, then, NULL, "ok");
	fclose(v);
	for (unsigned i = 0; i < AUDIT_OPEN_MAX + 1; i++) {
		snprintf(digest, sizeof digest, "%u", i);
		line(f, EV_SMTP_MESSAGE, then + 1, "0-1-1", digest);
	}
	fclose(f);
	a = read_log(then + 20, 0, 0);
	assert_false(audit_is_whole(a));
	audit_free(a);
	/* The newest first: with so much read nothing older is. */
	f = segment("smtpd", then + 5);
	line(f, EV_SMTP_MESSAGE, then + 6, "0-1-1", "K");
	fclose(f);
	assert_string_equal(lost(read_log(then + 20, 0, 400)), "K");
}

static void
no_folder(void **state)
{
	const struct audit_config c = {
		.dir = "/nonexistent", .node = "a", .smtpd = "smtpd", .verifier = "verifier"
	};

	(void)state;
	assert_null(audit_read(&c));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_log),
		cmocka_unit_test(each_message_has_one_end),
		cmocka_unit_test(it_goes_on_where_it_was),
		cmocka_unit_test(while_another_lives),
		cmocka_unit_test(it_is_bounded),
		cmocka_unit_test(no_folder),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
