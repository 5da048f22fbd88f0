/* Each trial is a process of its own, since there is no way back. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/eventlog.h"
#include "lib/sandbox.h"

#if defined(OUTPOST_DEBUG) || defined(__SANITIZE_ADDRESS__)
#define CONFINED false
#else
#define CONFINED true
#endif

static char folder[64], outside[96];

static int
setup(void **state)
{
	int fd;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/sandbox-test-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(outside, sizeof(outside), "%s.outside", folder);
	fd = open(outside, O_WRONLY | O_CREAT | O_EXCL, 0600);
	return fd < 0 ? -1 : close(fd);
}

static int
teardown(void **state)
{
	char command[192];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s %s", folder, outside);
	return system(command);
}

/* How a process ends that enters the sandbox and then does what trial says. */
static int
end_of(const struct sandbox *s, int (*trial)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (sandbox_enter(s) != 0)
			_exit(99);
		_exit(trial());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
killed(int (*trial)(void))
{
	struct sandbox s = { .process = "test", .calls = "", .folder = folder };
	int status = end_of(&s, trial);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void
lives(const struct sandbox *s, int (*trial)(void))
{
	int status = end_of(s, trial);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- what workers do -------------------------------------------------------------------------------- */

static int
writes_events(void)
{
	struct eventlog_config c = {
		.dir = folder, .node = "a", .daemon = "test", .segment_max = 1
	};
	struct eventlog *log = eventlog_open(&c);
	uint64_t ticket;

	if (log == NULL || eventlog_committer(log) < 0)
		return 1;
	ticket = eventlog_append(log, "{}\n", 3);
	eventlog_hurry(log);
	for (int i = 0; i < 1000 && eventlog_durable(log) < ticket; i++)
		usleep(1000);
	if (eventlog_durable(log) < ticket)
		return 2;
	eventlog_origin(log);
	eventlog_append(log, "{}\n", 3);
	eventlog_close(log);
	return 0;
}

static int
uses_memory_and_time(void)
{
	char *p = malloc(64 << 20);

	if (p == NULL)
		return 1;
	memset(p, 1, 64 << 20);
	free(p);
	return clock_now() > 0 && clock_monotonic() > 0 ? 0 : 2;
}

static int
opens_a_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static void
a_worker_can_work(void **state)
{
	struct sandbox s = { .process = "test", .calls = "", .folder = folder };

	(void)state;
	lives(&s, writes_events);
	lives(&s, uses_memory_and_time);
}

static void
a_row_adds_calls(void **state)
{
	struct sandbox s = { .process = "test", .calls = "socket  bind", .folder = folder };

	(void)state;
	lives(&s, opens_a_socket);
}

/* --- what it must not ------------------------------------------------------------------------------- */

static int
starts_a_program(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return 0;
}

static int
forks(void)
{
	return fork() < 0;
}

static int
kills(void)
{
	return kill(getppid(), 0);
}

static int
becomes_another(void)
{
	return setuid(0);
}

static void *
socket_of_thread(void *arg)
{
	(void)arg;
	return opens_a_socket() == 0 ? folder : NULL;
}

static int
starts_a_thread_that_does(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, socket_of_thread, NULL) != 0)
		return 1;
	return pthread_join(t, NULL);
}

static void
anything_else_kills(void **state)
{
	(void)state;
	if (!CONFINED)
		skip();
	killed(opens_a_socket);
	killed(starts_a_program);
	killed(forks);
	killed(kills);
	killed(becomes_another);
	killed(starts_a_thread_that_does);
}

static int
reads_elsewhere(void)
{
	return open(outside, O_RDONLY) < 0 && errno == EACCES && open("/etc/passwd", O_RDONLY) < 0
		   ? 0
		   : 1;
}

static int
writes_elsewhere(void)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/../sandbox-test-more", folder);
	return open(outside, O_WRONLY | O_TRUNC) < 0 && errno == EACCES &&
		       open(path, O_WRONLY | O_CREAT, 0600) < 0
		   ? 0
		   : 1;
}

static int
opens_in_folder(void)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/file", folder);
	return open(path, O_WRONLY | O_CREAT, 0600) < 0;
}

static bool
has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
		   LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

static void
other_files_stay_shut(void **state)
{
	struct sandbox s = { .process = "test", .calls = "", .folder = folder },
		       none = { .process = "test", .calls = "" };

	(void)state;
	if (!CONFINED || !has_landlock())
		skip();
	lives(&s, reads_elsewhere);
	lives(&s, writes_elsewhere);
	lives(&s, opens_in_folder);
	lives(&none, reads_elsewhere);
	assert_int_equal(WEXITSTATUS(end_of(&none, opens_in_folder)), 1);
}

static void
no_such_folder(void **state)
{
	struct sandbox s = { .process = "test", .calls = "", .folder = "/nonexistent" };

	(void)state;
	if (!CONFINED || !has_landlock())
		skip();
	assert_int_equal(WEXITSTATUS(end_of(&s, opens_in_folder)), 99);
}

/* --- alone, and with children ----------------------------------------------------------------------- */

static int
computes(void)
{
	char *p = malloc(8 << 20);

	if (p == NULL)
		return 1;
	memset(p, 1, 8 << 20);
	free(p);
	return 0;
}

static int
aborts(void)
{
	abort();
}

static int
signals_its_parent(void)
{
	return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static int
starts_a_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, socket_of_thread, NULL);
}

static int
ended_by(const struct sandbox *s, int (*trial)(void))
{
	int status = end_of(s, trial);

	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
alone(void **state)
{
	struct sandbox s = { .process = "test",
		.calls = "write mmap munmap brk rt_sigprocmask gettid getpid getppid exit_group",
		.alone = true };

	(void)state;
	lives(&s, computes);
	assert_int_equal(ended_by(&s, aborts), SIGABRT);
	if (!CONFINED)
		skip();
	assert_int_equal(ended_by(&s, signals_its_parent), SIGSYS);
	assert_int_equal(ended_by(&s, reads_elsewhere), SIGSYS);
	assert_int_equal(ended_by(&s, opens_in_folder), SIGSYS);
	assert_int_equal(ended_by(&s, starts_a_thread), SIGSYS);
	assert_int_equal(ended_by(&s, forks), SIGSYS);
}

static int
has_a_child(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(7);
	return pid < 0 || waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 7;
}

static void
with_children(void **state)
{
	struct sandbox s = { .process = "test", .calls = "", .forks = true };

	(void)state;
	lives(&s, has_a_child);
	if (!CONFINED)
		skip();
	assert_int_equal(ended_by(&s, starts_a_program), SIGSYS);
	assert_int_equal(ended_by(&s, opens_a_socket), SIGSYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone),
		cmocka_unit_test(with_children),
		cmocka_unit_test(a_worker_can_work),
		cmocka_unit_test(a_row_adds_calls),
		cmocka_unit_test(anything_else_kills),
		cmocka_unit_test(other_files_stay_shut),
		cmocka_unit_test(no_such_folder),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
