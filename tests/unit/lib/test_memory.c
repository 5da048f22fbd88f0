#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/memory.h"

static char dir[64], path[80];

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_memory.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/memory", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static uint64_t
mix(uint64_t x)
{
	x = (x + UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 31)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 29);
}

static void
touch_and_look(void **state)
{
	struct memory *m = memory_open(path, 100);
	struct memory_fact f;

	(void)state;
	assert_non_null(m);
	assert_int_equal(memory_look(m, 7, 0).count, 0);
	f = memory_touch(m, 7, 1000);
	assert_int_equal(f.count, 1);
	assert_int_equal(f.first_us, 1000);
	assert_int_equal(f.last_us, 1000);
	f = memory_touch(m, 7, 5000);
	assert_int_equal(f.count, 2);
	assert_int_equal(f.first_us, 1000);
	assert_int_equal(f.last_us, 5000);
	f = memory_touch(m, 7, 4000); /* the clock of another worker, a little behind */
	assert_int_equal(f.count, 3);
	assert_int_equal(f.last_us, 5000);
	f = memory_look(m, 7, 0);
	assert_int_equal(f.count, 3);
	assert_int_equal(f.first_us, 1000);
	assert_int_equal(memory_look(m, 8, 0).count, 0);
	/* The values that the table uses itself are keys like others for the caller. */
	for (uint64_t k = UINT64_MAX - 2; k != 0; k++) {
		assert_int_equal(memory_touch(m, k, 10).count, 1);
		assert_int_equal(memory_look(m, k, 0).count, 1);
	}
	memory_close(m);
	memory_close(NULL);
}

/* Set back by an hour while four minutes old: four minutes old it is, and grows on. */
static void
clock_set_back(void **state)
{
	const int64_t minute = 60000000, start = 1000 * minute;
	struct memory *m = memory_open(path, 64);
	struct memory_fact f;
	int64_t now = start + 4 * minute;

	(void)state;
	memory_touch(m, 5, start);
	memory_touch(m, 5, now);
	now -= 60 * minute;
	f = memory_touch(m, 5, now);
	assert_int_equal(now - f.first_us, 4 * minute);
	assert_int_equal(f.count, 3);
	now += 2 * minute;
	f = memory_look(m, 5, now);
	assert_int_equal(now - f.first_us, 6 * minute);
	/* Who only looks sees it, too, and follows a second time. */
	now -= 60 * minute;
	f = memory_look(m, 5, now);
	assert_int_equal(now - f.first_us, 4 * minute); /* up to the latest touch */
	assert_int_equal(f.last_us, now);
	assert_int_equal(f.count, 3);
	/* Half a minute behind is another worker, not the clock: nothing moves. */
	f = memory_touch(m, 5, now - minute / 2);
	assert_int_equal(now - f.first_us, 4 * minute);
	/* Set back in the minute of the first touch: it counts from there anew. */
	memory_touch(m, 6, start);
	f = memory_touch(m, 6, start - 90 * minute);
	assert_int_equal(f.first_us, start - 90 * minute);
	/* And forward again it is as old as the clock says. */
	f = memory_touch(m, 6, start);
	assert_int_equal(start - f.first_us, 90 * minute);
	memory_close(m);
}

static void
outlives_its_process(void **state)
{
	struct memory *m = memory_open(path, 1024);
	int status;
	pid_t pid;

	(void)state;
	memory_touch(m, 42, 1000);
	memory_close(m);
	if ((pid = fork()) == 0) {
		m = memory_open(path, 1024);
		memory_touch(m, 42, 2000);
		raise(SIGKILL);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	m = memory_open(path, 1000); /* rounds up to the same size */
	assert_int_equal(memory_look(m, 42, 0).count, 2);
	assert_int_equal(memory_look(m, 42, 0).first_us, 1000);
	assert_int_equal(memory_look(m, 42, 0).last_us, 2000);
	memory_close(m);
}

static void
other_file_is_replaced(void **state)
{
	struct memory *m = memory_open(path, 64), *big;
	struct stat st;
	int fd;

	(void)state;
	memory_touch(m, 9, 1);
	big = memory_open(path, 4096);
	assert_non_null(big);
	assert_int_equal(memory_look(big, 9, 0).count, 0);
	assert_int_equal(memory_look(m, 9, 0).count, 1); /* who has the old one keeps it */
	memory_close(big);
	memory_close(m);

	stat(path, &st);
	assert_int_equal(st.st_mode & 0777, 0600);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "other version", 13, 0), 13);
	close(fd);
	m = memory_open(path, 4096);
	assert_non_null(m);
	assert_int_equal(memory_touch(m, 9, 1).count, 1);
	memory_close(m);

	fd = open(path, O_WRONLY | O_TRUNC);
	close(fd);
	m = memory_open(path, 4096);
	assert_non_null(m);
	memory_close(m);
	assert_null(memory_open("/nonexistent/memory", 64));
}

static void
full_table(void **state)
{
	struct memory *m = memory_open(path, 16); /* one window: every key meets every other */

	(void)state;
	for (uint64_t i = 1; i <= 16; i++)
		assert_int_equal(memory_touch(m, i, (int64_t)(100 + i)).count, 1);
	for (uint64_t i = 1; i <= 16; i++)
		assert_int_equal(memory_look(m, i, 0).count, 1);
	memory_touch(m, 1, 200); /* no longer the oldest: 2 is */
	assert_int_equal(memory_touch(m, 17, 300).count, 1);
	assert_int_equal(memory_look(m, 2, 0).count, 0);
	assert_int_equal(memory_look(m, 1, 0).count, 2);
	assert_int_equal(memory_look(m, 17, 0).first_us, 300);
	/* A flood of keys never stops it, and each is known right after its touch. */
	for (uint64_t i = 1; i < 10000; i++) {
		assert_int_equal(memory_touch(m, mix(i), (int64_t)(1000 + i)).count, 1);
		assert_int_equal(memory_touch(m, mix(i), (int64_t)(1000 + i)).count, 2);
	}
	memory_close(m);
}

static void
taker_was_killed(void **state)
{
	uint64_t busy = UINT64_MAX;
	struct memory *m = memory_open(path, 16);
	int fd;

	(void)state;
	for (uint64_t i = 1; i <= 16; i++)
		memory_touch(m, i, (int64_t)(100 + i));
	memory_close(m);
	fd = open(path, O_WRONLY); /* what it leaves: a slot without an owner */
	assert_int_equal(pwrite(fd, &busy, sizeof(busy), 64 + 5 * 32), sizeof(busy));
	close(fd);
	m = memory_open(path, 16);
	assert_int_equal(memory_touch(m, 1000, 500).count, 1);
	assert_int_equal(memory_look(m, 1000, 0).count, 1);
	for (uint64_t i = 1, left = 0; i <= 16; i++) {
		left += memory_look(m, i, 0).count;
		if (i == 16)
			assert_int_equal(left, 15); /* it took that slot, not another's */
	}
	memory_close(m);
}

enum { PROCESSES = 4, KEYS = 500, ROUNDS = 40 };

static void
hammer(struct memory *m, int who, bool crowded)
{
	for (int round = 0; round < ROUNDS; round++) {
		for (uint64_t i = 0; i < KEYS; i++) {
			uint64_t key = mix((i * 7 + (uint64_t)who * 131) % KEYS);
			struct memory_fact f = memory_touch(m, key, 1000 + round);

			if (f.count == 0 || f.first_us < 1000 || f.last_us < f.first_us)
				_exit(1);
		}
		if (crowded &&
		    memory_touch(m, mix((uint64_t)(who * 100000 + round)), 1000).count == 0)
			_exit(2);
	}
	_exit(0);
}

static void
run_processes(struct memory *m, bool crowded)
{
	pid_t pids[PROCESSES];

	for (int i = 0; i < PROCESSES; i++)
		if ((pids[i] = fork()) == 0)
			hammer(m, i, crowded);
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void
many_processes(void **state)
{
	struct memory *m = memory_open(path, 8192);

	(void)state;
	run_processes(m, false);
	for (uint64_t i = 0; i < KEYS; i++) {
		struct memory_fact f = memory_look(m, mix(i), 0);

		assert_int_equal(f.count, PROCESSES * ROUNDS); /* no touch was lost */
		assert_int_equal(f.first_us, 1000);
		assert_int_equal(f.last_us, 1000 + ROUNDS - 1);
	}
	memory_close(m);
}

static void
many_processes_full_table(void **state)
{
	struct memory *m = memory_open(path, 64);

	(void)state;
	run_processes(m, true);
	assert_int_equal(memory_touch(m, 12345, 1 << 20).count, 1);
	memory_close(m);
}

static void
killed_while_hammering(void **state)
{
	struct memory *m = memory_open(path, 64);

	(void)state;
	for (int round = 0; round < 20; round++) {
		pid_t pid = fork();

		if (pid == 0)
			for (uint64_t i = 0;; i++)
				memory_touch(m, mix(i), (int64_t)i);
		usleep(2000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		memory_close(m);
		m = memory_open(path, 64);
		for (uint64_t i = 1; i < 200; i++)
			assert_int_equal(
			    memory_touch(m, mix(i) ^ (uint64_t)round, INT64_MAX - 1000).count > 0,
			    1);
	}
	memory_close(m);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(touch_and_look),
		TEST(clock_set_back),
		TEST(outlives_its_process),
		TEST(other_file_is_replaced),
		TEST(full_table),
		TEST(taker_was_killed),
		TEST(many_processes),
		TEST(many_processes_full_table),
		TEST(killed_while_hammering),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
