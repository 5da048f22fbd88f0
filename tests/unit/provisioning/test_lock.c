/* The lock of a site is held by one process of a kind, and by no child of it. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "provisioning/lock.h"
#include "tests/unit/provisioning/fixture.h"

static struct site site;

static int
setup(void **state)
{
	char run[300];

	(void)state;
	snprintf(site.dir, sizeof(site.dir), "/tmp/lock-test-XXXXXX");
	if (mkdtemp(site.dir) == NULL)
		return -1;
	snprintf(run, sizeof(run), "%s/run", site.dir);
	return mkdir(run, 0700);
}

static int
teardown(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", site.dir);
	return system(command);
}

/* A process that takes the lock; -1: it did not get it. */
static pid_t
holder(int leave_child)
{
	int p[2];
	char c = 'n';
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		c = lock_site(&site, "authdns") >= 0 ? 'y' : 'n';
		if (leave_child && fork() == 0) {
			sleep(2);
			_exit(0);
		}
		(void)!write(p[1], &c, 1);
		if (c == 'y')
			pause();
		_exit(0);
	}
	assert_int_equal(read(p[0], &c, 1), 1);
	close(p[0]);
	close(p[1]);
	if (c == 'y')
		return pid;
	waitpid(pid, NULL, 0);
	return -1;
}

static void
one_of_a_kind(void **state)
{
	pid_t pid = holder(0);
	int fd;

	(void)state;
	assert_true(pid > 0);
	assert_int_equal(lock_site(&site, "authdns"), -1);
	fd = lock_site(&site, "smtpd"); /* another kind */
	assert_true(fd >= 0);
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	fd = lock_site(&site, "authdns");
	assert_true(fd >= 0);
	close(fd);
}

static void
children_do_not_hold_it(void **state)
{
	pid_t pid = holder(1);
	int fd;

	(void)state;
	assert_true(pid > 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	fd = lock_site(&site, "authdns");
	assert_true(fd >= 0);
	close(fd);
}

static void
one_that_ends_is_waited_for(void **state)
{
	pid_t pid = holder(0);
	pid_t killer;
	int fd;

	(void)state;
	assert_true(pid > 0);
	killer = fork();
	if (killer == 0) {
		usleep(300000);
		kill(pid, SIGKILL);
		_exit(0);
	}
	fd = lock_site(&site, "authdns");
	assert_true(fd >= 0);
	close(fd);
	waitpid(killer, NULL, 0);
	waitpid(pid, NULL, 0);
}

static void
no_run_folder(void **state)
{
	struct site none = { .dir = "/nonexistent" };

	(void)state;
	assert_int_equal(lock_site(&none, "authdns"), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_of_a_kind),
		cmocka_unit_test(children_do_not_hold_it),
		cmocka_unit_test(one_that_ends_is_waited_for),
		cmocka_unit_test(no_run_folder),
	};

	log_program("test_lock");
	return cmocka_run_group_tests(tests, setup, teardown);
}
