#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/eventlog.h"

#define LINE_LEN 20 /* "line 0000000000001.\n" */

static char dir[64];

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_eventlog.XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static struct eventlog *
open_in(const char *where, uint64_t segment_max, uint64_t reserve)
{
	struct eventlog_config c = { .dir = where,
		.node = "a",
		.daemon = "smtpd",
		.worker = 3,
		.segment_max = segment_max,
		.reserve = reserve };

	return eventlog_open(&c);
}

static uint64_t
append(struct eventlog *log, unsigned long i)
{
	char line[LINE_LEN + 1];

	eventlog_origin(log)->n++; /* as event_begin does */
	snprintf(line, sizeof(line), "line %013lu.\n", i);
	return eventlog_append(log, line, LINE_LEN);
}

static bool
wait_durable(struct eventlog *log, int fd, uint64_t ticket)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n;

	eventlog_hurry(log);
	while (eventlog_durable(log) < ticket && !eventlog_failed(log)) {
		if (poll(&p, 1, 10000) != 1)
			return false;
		(void)!read(fd, &n, sizeof(n));
	}
	return eventlog_durable(log) >= ticket;
}

/* How often each of the lines 1..max stands in all segments of where; returns the number of
 * segments.  A line that is none of them fails the test. */
static size_t
tally(const char *where, unsigned *seen, unsigned long max, bool torn_allowed)
{
	char pattern[128], line[64];
	glob_t g;
	size_t n;

	memset(seen, 0, (max + 1) * sizeof(*seen));
	snprintf(pattern, sizeof(pattern), "%s/a-smtpd-3-*.jsonl", where);
	if (glob(pattern, 0, NULL, &g) != 0)
		return 0;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		FILE *f = fopen(g.gl_pathv[i], "r");

		assert_non_null(f);
		while (fgets(line, sizeof(line), f) != NULL) {
			unsigned long k;

			if (torn_allowed && strchr(line, '\n') == NULL)
				continue;
			assert_int_equal(strlen(line), LINE_LEN);
			assert_int_equal(sscanf(line, "line %lu.", &k), 1);
			assert_in_range(k, 1, max);
			seen[k]++;
		}
		fclose(f);
	}
	n = g.gl_pathc;
	globfree(&g);
	return n;
}

static void
only_segment(char *dst, size_t len)
{
	char pattern[128];
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%s/*.jsonl", dir);
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	assert_int_equal(g.gl_pathc, 1);
	snprintf(dst, len, "%s", g.gl_pathv[0]);
	globfree(&g);
}

static void
name_mode_and_reserve(void **state)
{
	struct eventlog *log = open_in(dir, 0, 1 << 20);
	char path[256];
	struct stat st;
	unsigned year, frac;
	int fd;

	(void)state;
	assert_non_null(log);
	only_segment(path, sizeof(path));
	assert_int_equal(
	    sscanf(path + strlen(dir), "/a-smtpd-3-%4u%*4uT%*6u.%uZ.jsonl", &year, &frac), 2);
	assert_true(year >= 2025);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0027, 0); /* 0640 less the umask */
	assert_int_equal(st.st_mode & 0600, 0600);
	assert_int_equal(st.st_size, 0);
	assert_true((uint64_t)st.st_blocks * 512 >= 1 << 20);

	fd = open(path, O_RDONLY);
	assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), -1); /* the writer lives */
	append(log, 1);
	eventlog_close(log);
	assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), 0);
	close(fd);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, LINE_LEN);
	assert_true((uint64_t)st.st_blocks * 512 <= 64 << 10);
}

static void
write_without_thread(void **state)
{
	struct eventlog *log = open_in(dir, 0, 0);
	unsigned seen[101];
	struct stat st;
	char path[256];

	(void)state;
	for (unsigned long i = 1; i <= 100; i++)
		assert_int_equal(append(log, i), i);
	only_segment(path, sizeof(path));
	stat(path, &st);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(eventlog_write(log), 0);
	stat(path, &st);
	assert_int_equal(st.st_size, 100 * LINE_LEN);
	assert_int_equal(eventlog_durable(log), 0); /* nothing was synced */
	assert_int_equal(eventlog_write(log), 0);
	eventlog_close(log);
	tally(dir, seen, 100, false);
	for (unsigned i = 1; i <= 100; i++)
		assert_int_equal(seen[i], 1);
}

static void
segment_edge(void **state)
{
	struct eventlog *log = open_in(dir, 5 * LINE_LEN, 0);
	unsigned seen[11];

	(void)state;
	for (unsigned i = 1; i <= 5; i++) {
		assert_int_equal(eventlog_origin(log)->n, i);
		append(log, i);
	}
	assert_int_equal(eventlog_write(log), 0);
	assert_int_equal(tally(dir, seen, 10, false), 1); /* full to the byte, not yet succeeded */
	assert_int_equal(eventlog_origin(log)->n, 1);
	append(log, 6);
	assert_int_equal(eventlog_write(log), 0);
	assert_int_equal(tally(dir, seen, 10, false), 2);
	for (unsigned i = 7; i <= 10; i++)
		append(log, i);
	assert_int_equal(eventlog_write(log), 0);
	assert_int_equal(tally(dir, seen, 10, false), 2);
	for (unsigned i = 1; i <= 10; i++)
		assert_int_equal(seen[i], 1);
	eventlog_close(log);
}

static void
rotate_by_age(void **state)
{
	struct eventlog_config c = {
		.dir = dir, .node = "a", .daemon = "smtpd", .worker = 3, .segment_age_us = 20000
	};
	struct eventlog *log = eventlog_open(&c);
	unsigned seen[5];

	(void)state;
	usleep(30000);
	append(log, 1); /* an empty segment does not grow old */
	assert_int_equal(tally(dir, seen, 4, false), 1);
	usleep(30000);
	append(log, 2);
	append(log, 3);
	assert_int_equal(eventlog_write(log), 0);
	assert_int_equal(tally(dir, seen, 4, false), 2);
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(seen[i], 1);
	eventlog_close(log);
}

/* What a killed worker had reserved is given back by the next one; what a living one has is not. */
static void
dead_segments_are_trimmed(void **state)
{
	struct eventlog *log;
	char path[256], command[128];
	struct stat st;
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0) {
		log = open_in(dir, 0, 1 << 20);
		append(log, 1);
		eventlog_write(log);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	only_segment(path, sizeof(path));
	stat(path, &st);
	assert_true(st.st_blocks * 512 >= 1 << 20);
	eventlog_close(open_in(dir, 0, 0));
	stat(path, &st);
	assert_true(st.st_blocks * 512 < 1 << 20);
	assert_int_equal(st.st_size, LINE_LEN);
	snprintf(command, sizeof(command), "rm -f %s/*.jsonl", dir);
	assert_int_equal(system(command), 0);

	log = open_in(dir, 0, 1 << 20);
	only_segment(path, sizeof(path));
	eventlog_close(open_in(dir, 0, 0));
	stat(path, &st);
	assert_true(st.st_blocks * 512 >= 1 << 20);
	eventlog_close(log);
}

static void
commits_across_segments(void **state)
{
	enum { N = 2000 };
	struct eventlog *log = open_in(dir, 97 * LINE_LEN, 4096);
	unsigned seen[N + 1];
	int fd = eventlog_committer(log);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(eventlog_committer(log), fd);
	for (unsigned long i = 1; i <= N; i++) {
		assert_int_equal(append(log, i), i);
		if (i % 10 == 0)
			assert_true(wait_durable(log, fd, i));
	}
	assert_true(tally(dir, seen, N, false) >= N / 97);
	for (unsigned i = 1; i <= N; i++)
		assert_int_equal(seen[i], 1);
	assert_string_equal(eventlog_reason(log), "");
	eventlog_close(log);
}

/* A line for which nobody waits is committed soon all the same. */
static void
commits_unasked(void **state)
{
	struct eventlog *log = open_in(dir, 0, 0);
	struct pollfd p = { .fd = eventlog_committer(log), .events = POLLIN };

	(void)state;
	for (int i = 1; i <= 3; i++) {
		uint64_t n;

		append(log, 1);
		assert_int_equal(poll(&p, 1, 5000), 1);
		assert_int_equal(read(p.fd, &n, sizeof(n)), sizeof(n));
		assert_int_equal(eventlog_durable(log), i);
	}
	eventlog_close(log);
}

static void
no_directory(void **state)
{
	(void)state;
	assert_null(open_in("/nonexistent/log", 0, 0));
}

static void
disk_does_not_keep_up(void **state)
{
	struct eventlog *log = open_in(dir, UINT64_C(1) << 30, 0);
	static char line[60000];
	unsigned n = 0;

	(void)state;
	memset(line, 'x', sizeof(line));
	while (n < 2000 && eventlog_append(log, line, sizeof(line)) != 0)
		n++;
	assert_in_range(n, 1000, 1200);
	assert_true(eventlog_failed(log));
	assert_non_null(strstr(eventlog_reason(log), "keep up"));
	assert_int_equal(eventlog_append(log, "x\n", 2), 0);
	assert_int_equal(eventlog_write(log), -1);
	eventlog_close(log);
}

/* Appends until the log fails; then every line that was called durable must be there, once. */
static int
fill(const char *where, uint64_t reserve, const char *reason, bool accepted_is_safe)
{
	enum { N = 200000 };
	static unsigned seen[N + 1];
	struct eventlog *log = open_in(where, 0, reserve);
	uint64_t durable, accepted = 0;
	int fd;

	if (log == NULL || (fd = eventlog_committer(log)) < 0)
		return 10;
	for (unsigned long i = 1; i <= N; i++) {
		uint64_t ticket = append(log, i);

		if (ticket == 0)
			break;
		accepted = ticket;
		if (i % 100 == 0 && !wait_durable(log, fd, ticket))
			break;
	}
	if (!eventlog_failed(log))
		return 11;
	if (strstr(eventlog_reason(log), reason) == NULL)
		return 12;
	durable = eventlog_durable(log);
	if (append(log, 1) != 0)
		return 13;
	eventlog_close(log);
	tally(where, seen, N, true);
	if (durable < 100)
		return 14;
	for (uint64_t i = 1; i <= durable; i++)
		if (seen[i] != 1)
			return 15;
	/* At most the last commit was lost, and none of it had been acknowledged. */
	return accepted_is_safe && accepted - durable > 100 ? 16 : 0;
}

static int
in_child(int (*run)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
full_tmpfs(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=1m") < 0)
		return 77;
	return fill(dir, 64 << 10, "No space left", true);
}

static void
full_disk(void **state)
{
	int rc;

	(void)state;
	if (geteuid() != 0) {
		print_message("full_disk: needs root to mount a small tmpfs\n");
		skip();
	}
	rc = in_child(full_tmpfs);
	if (rc == 77) {
		print_message("full_disk: no mount allowed here\n");
		skip();
	}
	assert_int_equal(rc, 0);
}

/* What is accepted lies in reserved space: another process may take all the rest. */
static int
accepted_then_full(void)
{
	static unsigned seen[1001];
	static char block[65536];
	struct eventlog *log;
	char path[128];
	int fd;

	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=1m") < 0)
		return 77;
	log = open_in(dir, 0, 64 << 10);
	for (unsigned long i = 1; i <= 1000; i++)
		if (append(log, i) != i)
			return 10;
	snprintf(path, sizeof(path), "%s/other", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	if (eventlog_write(log) != 0)
		return 11;
	eventlog_close(log);
	tally(dir, seen, 1000, false);
	for (unsigned i = 1; i <= 1000; i++)
		if (seen[i] != 1)
			return 12;
	return 0;
}

static void
reserved_space_is_ours(void **state)
{
	int rc;

	(void)state;
	if (geteuid() != 0) {
		print_message("reserved_space_is_ours: needs root to mount a small tmpfs\n");
		skip();
	}
	rc = in_child(accepted_then_full);
	if (rc == 77)
		skip();
	assert_int_equal(rc, 0);
}

static int
limited(void)
{
	struct rlimit r = { 100 * LINE_LEN + 7, 100 * LINE_LEN + 7 }; /* in the middle of a line */

	if (setrlimit(RLIMIT_FSIZE, &r) < 0)
		return 77;
	return fill(dir, 64 << 10, "File too large", false);
}

static void
file_size_limit(void **state)
{
	(void)state;
	assert_int_equal(in_child(limited), 0);
}

static void __attribute__((noreturn)) commit_and_tell(int out)
{
	struct eventlog *log = open_in(dir, 3000 * LINE_LEN, 64 << 10);
	int fd = eventlog_committer(log);
	uint64_t told = 0;

	for (unsigned long i = 1;; i++) {
		uint64_t durable = eventlog_durable(log);

		append(log, i);
		if (durable > told) {
			told = durable;
			(void)!write(out, &told, sizeof(told));
		}
		if (i - durable > 500)
			wait_durable(log, fd, i);
	}
}

static void
killed_in_mid_commit(void **state)
{
	enum { N = 4000000 };
	unsigned *seen = calloc(N + 1, sizeof(*seen));

	(void)state;
	for (int round = 0; round < 5; round++) {
		char command[128];
		uint64_t told = 0, t;
		int p[2], status;
		pid_t pid;

		assert_int_equal(pipe2(p, O_CLOEXEC), 0);
		if ((pid = fork()) == 0)
			commit_and_tell(p[1]);
		close(p[1]);
		while (told < 1000 && read(p[0], &t, sizeof(t)) == sizeof(t))
			told = t;
		usleep(1000 + 777 * (unsigned)round);
		kill(pid, SIGKILL);
		while (read(p[0], &t, sizeof(t)) == sizeof(t))
			told = t;
		close(p[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		assert_in_range(told, 1000, N);
		tally(dir, seen, N, true);
		for (uint64_t i = 1; i <= told; i++)
			assert_int_equal(seen[i], 1);
		snprintf(command, sizeof(command), "rm -f %s/*.jsonl", dir);
		assert_int_equal(system(command), 0);
	}
	free(seen);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(name_mode_and_reserve),
		TEST(write_without_thread),
		TEST(segment_edge),
		TEST(rotate_by_age),
		TEST(dead_segments_are_trimmed),
		TEST(commits_across_segments),
		TEST(commits_unasked),
		TEST(no_directory),
		TEST(disk_does_not_keep_up),
		TEST(full_disk),
		TEST(reserved_space_is_ours),
		TEST(file_size_limit),
		TEST(killed_in_mid_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
