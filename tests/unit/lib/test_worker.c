/* The supervisor runs in a child; its workers tell what they do by bytes in a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/log.h"
#include "lib/worker.h"

struct report {
	char what; /* 's'tarted, 't'erm, 'h'up, 'r'eload */
	unsigned index;
	pid_t pid;
	uid_t uid;
	int groups, no_new_privs, pdeathsig;
	struct rlimit core;
};

static int out[2];
static int generation;

static void
tell(char what, unsigned index)
{
	struct report r = { .what = what,
		.index = index,
		.pid = getpid(),
		.uid = getuid(),
		.groups = getgroups(0, NULL),
		.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) };

	prctl(PR_GET_PDEATHSIG, &r.pdeathsig);
	getrlimit(RLIMIT_CORE, &r.core);
	(void)!write(out[1], &r, sizeof(r));
}

static bool
heard(struct report *r)
{
	struct pollfd p = { .fd = out[0], .events = POLLIN };

	return poll(&p, 1, 10000) == 1 && read(out[0], r, sizeof(*r)) == sizeof(*r);
}

static int
wait_signal(unsigned index, void *ctx)
{
	sigset_t set;
	int got;

	(void)ctx;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	tell('s', index);
	if (sigwait(&set, &got) != 0)
		return 1;
	tell(got == SIGHUP ? 'h' : 't', index);
	return 0;
}

static int
cannot(unsigned index, void *ctx)
{
	if (index == 1) {
		usleep(50000);
		return EXIT_CANNOT;
	}
	return wait_signal(index, ctx);
}

static int
crashes_twice(unsigned index, void *ctx)
{
	int *deaths = ctx; /* shared */

	if (__atomic_fetch_add(deaths, 1, __ATOMIC_SEQ_CST) < 2) {
		tell('x', index);
		raise(SIGKILL);
	}
	return wait_signal(index, NULL);
}

static int
reload(void *ctx)
{
	tell('r', 0);
	return ctx != NULL && generation++ == 0 ? -1 : 0;
}

static pid_t
supervise(const struct worker_config *c)
{
	pid_t pid;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	if ((pid = fork()) == 0) {
		close(out[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(worker_supervise(c));
	}
	close(out[1]);
	return pid;
}

static int
code_of(pid_t pid)
{
	struct report r;
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(heard(&r)); /* no worker is left to hold the pipe */
	close(out[0]);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
stops(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT };
	struct worker_config c = { .n = 3, .run = wait_signal };

	(void)state;
	for (int k = 0; k < 2; k++) {
		struct report r;
		unsigned started = 0, ended = 0;
		pid_t pid = supervise(&c);

		for (int i = 0; i < 3; i++) {
			assert_true(heard(&r));
			assert_int_equal(r.what, 's');
			assert_int_equal(r.no_new_privs, 1);
			assert_int_equal(r.pdeathsig, SIGTERM);
			assert_int_equal(r.core.rlim_cur, 0);
			assert_int_equal(r.core.rlim_max, 0);
			started |= 1u << r.index;
		}
		kill(pid, signals[k]);
		for (int i = 0; i < 3; i++) {
			assert_true(heard(&r));
			assert_int_equal(r.what, 't');
			ended |= 1u << r.index;
		}
		assert_int_equal(started, 7);
		assert_int_equal(ended, 7);
		assert_int_equal(code_of(pid), EXIT_DONE);
	}
}

static void
one_cannot(void **state)
{
	struct worker_config c = { .n = 3, .run = cannot };
	struct report r;
	pid_t pid = supervise(&c);

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_true(heard(&r));
	assert_int_equal(r.what, 't'); /* the others were told to stop */
	assert_int_equal(code_of(pid), EXIT_CANNOT);
}

static void
restarts(void **state)
{
	int *deaths = mmap(
	    NULL, sizeof(*deaths), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct worker_config c = { .n = 1, .run = crashes_twice, .ctx = deaths };
	struct report r;
	pid_t pid, before = 0;

	(void)state;
	assert_true(deaths != MAP_FAILED);
	pid = supervise(&c);
	for (int i = 0; i < 3; i++) {
		assert_true(heard(&r));
		assert_int_equal(r.what, i < 2 ? 'x' : 's');
		assert_true(r.pid != before);
		before = r.pid;
	}
	kill(pid, SIGTERM);
	assert_true(heard(&r));
	assert_int_equal(r.what, 't');
	assert_int_equal(code_of(pid), EXIT_DONE);
	munmap(deaths, sizeof(*deaths));
}

static void
reloads(void **state)
{
	struct worker_config c = { .n = 2, .run = wait_signal, .reload = reload };
	struct report r;
	pid_t pid, first[2] = { 0, 0 };
	unsigned hup = 0, fresh = 0;

	(void)state;
	c.ctx = &c; /* the first reload fails */
	pid = supervise(&c);
	for (int i = 0; i < 2; i++) {
		assert_true(heard(&r));
		first[r.index] = r.pid;
	}
	kill(pid, SIGHUP);
	assert_true(heard(&r));
	assert_int_equal(r.what, 'r');
	kill(pid, SIGHUP); /* nothing but this is heard next: the old generation was kept */
	assert_true(heard(&r));
	assert_int_equal(r.what, 'r');
	for (int i = 0; i < 4; i++) {
		assert_true(heard(&r));
		if (r.what == 'h') {
			assert_int_equal(r.pid, first[r.index]);
			hup |= 1u << r.index;
		} else {
			assert_int_equal(r.what, 's');
			assert_true(r.pid != first[r.index]);
			fresh |= 1u << r.index;
		}
	}
	assert_int_equal(hup, 3);
	assert_int_equal(fresh, 3);
	kill(pid, SIGTERM);
	for (int i = 0; i < 2; i++) {
		assert_true(heard(&r));
		assert_int_equal(r.what, 't');
	}
	assert_int_equal(code_of(pid), EXIT_DONE);
}

static void
workers_die_with_the_parent(void **state)
{
	struct worker_config c = { .n = 2, .run = wait_signal };
	struct report r;
	pid_t pid = supervise(&c);
	int status;

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_true(heard(&r));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	for (int i = 0; i < 2; i++) {
		assert_true(heard(&r));
		assert_int_equal(r.what, 't');
	}
	assert_false(heard(&r));
	close(out[0]);
}

static void
drops_privileges(void **state)
{
	struct worker_config c = { .n = 1, .run = wait_signal };
	struct report r;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("drops_privileges: needs root\n");
		skip();
	}
	assert_int_equal(worker_user("nobody", &c.uid, &c.gid), 0);
	pid = supervise(&c);
	assert_true(heard(&r));
	assert_int_equal(r.uid, c.uid);
	assert_int_equal(r.groups, 0);
	assert_int_equal(r.pdeathsig, SIGTERM);
	kill(pid, SIGTERM);
	assert_true(heard(&r));
	assert_int_equal(code_of(pid), EXIT_DONE);
}

static void
bad_arguments(void **state)
{
	struct worker_config c = { .n = 0, .run = wait_signal };
	uid_t uid;
	gid_t gid;

	(void)state;
	assert_int_equal(worker_supervise(&c), EXIT_USAGE);
	c.n = WORKERS_MAX + 1;
	assert_int_equal(worker_supervise(&c), EXIT_USAGE);
	assert_int_equal(worker_user("no-such-user-here", &uid, &gid), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stops),
		cmocka_unit_test(one_cannot),
		cmocka_unit_test(restarts),
		cmocka_unit_test(reloads),
		cmocka_unit_test(workers_die_with_the_parent),
		cmocka_unit_test(drops_privileges),
		cmocka_unit_test(bad_arguments),
	};

	log_program("test_worker");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
