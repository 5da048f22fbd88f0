/* Descriptors that travel: exactly those that were asked for arrive, and nothing else stays open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fds.h"

static int pair[2], file[3];
static size_t open_before;

static size_t
count_open(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
begin(int type)
{
	for (size_t i = 0; i < 3; i++)
		assert_int_not_equal(file[i] = open("/dev/null", O_RDONLY), -1);
	assert_int_equal(socketpair(AF_UNIX, type, 0, pair), 0);
	open_before = count_open();
}

static void
end(void)
{
	assert_int_equal(count_open(), open_before);
	close(pair[0]);
	close(pair[1]);
	for (size_t i = 0; i < 3; i++)
		close(file[i]);
}

/* The others are not written to. */
static void
receives(ssize_t octets, size_t n, bool whole)
{
	char data[8];
	int fd[FDS_MAX + 1];
	struct stat st;

	memset(fd, 0x55, sizeof fd);
	assert_int_equal(fds_receive(pair[1], data, sizeof data, fd, n, MSG_DONTWAIT), octets);
	for (size_t i = 0; i < n; i++) {
		if (!whole) {
			assert_int_equal(fd[i], -1);
			continue;
		}
		assert_int_equal(fstat(fd[i], &st), 0);
		assert_true(S_ISCHR(st.st_mode));
		assert_int_equal(fcntl(fd[i], F_GETFD), FD_CLOEXEC);
		close(fd[i]);
	}
	assert_int_equal(fd[n], 0x55555555);
	if (octets > 0)
		assert_memory_equal(data, "12345678", (size_t)octets);
}

static void
sends(const char *data, size_t n)
{
	assert_int_equal(fds_send(pair[0], data, strlen(data), file, n), 0);
}

static void
what_is_asked_for_arrives(void **state)
{
	static const int types[] = { SOCK_SEQPACKET, SOCK_DGRAM, SOCK_STREAM };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		begin(types[i]);
		for (size_t n = 0; n <= 3; n++) {
			sends("1234", n);
			receives(4, n, true);
		}
		end();
	}
}

static void
other_numbers_are_closed(void **state)
{
	static const int types[] = { SOCK_SEQPACKET, SOCK_DGRAM, SOCK_STREAM };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		begin(types[i]);
		for (size_t sent = 0; sent <= 3; sent++)
			for (size_t n = 0; n <= 3; n++) {
				sends("123", sent);
				receives(3, n, n == sent);
			}
		end();
	}
}

/* In several parts, and more than fit. */
static void
sends_parts(size_t n, size_t parts)
{
	union {
		struct cmsghdr align;
		char room[1024];
	} control;
	struct iovec iov = { "12", 2 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = 0
	};
	struct cmsghdr *c;

	memset(&control, 0, sizeof control);
	for (size_t p = 0; p < parts; p++) {
		c = (struct cmsghdr *)(void *)(control.room + msg.msg_controllen);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (size_t i = 0; i < n; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &file[0], sizeof(int));
		msg.msg_controllen += CMSG_SPACE(n * sizeof(int));
	}
	assert_int_equal(sendmsg(pair[0], &msg, 0), 2);
}

static void
more_than_fit_are_closed(void **state)
{
	(void)state;
	begin(SOCK_SEQPACKET);
	for (size_t sent = FDS_MAX - 1; sent <= 20; sent++)
		for (size_t n = 0; n <= FDS_MAX; n++) {
			sends_parts(sent, 1);
			receives(2, n, n == sent);
		}
	sends_parts(1, 2); /* the kernel makes one of them */
	receives(2, 1, false);
	sends_parts(1, 2);
	receives(2, 2, true);
	sends_parts(3, 3);
	receives(2, 3, false);
	assert_int_equal(fds_send(pair[0], "1", 1, file, FDS_MAX + 1), -1);
	assert_int_equal(errno, EINVAL);
	end();
}

/* The kernel cuts the list where the process has no room for more. */
static void
half_a_list_is_closed(void **state)
{
	struct rlimit before, now;
	int lowest;

	(void)state;
	begin(SOCK_SEQPACKET);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_not_equal(lowest = dup(file[0]), -1);
	close(lowest);
	now = before;
	for (unsigned more = 0; more < 3; more++) {
		sends("1234", 3);
		now.rlim_cur = (rlim_t)lowest + more;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
		receives(4, 3, false);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		assert_int_equal(count_open(), open_before);
	}
	end();
}

/* Octets of several messages come in one read, descriptors of several do not. */
static void
a_stream_ends_at_descriptors(void **state)
{
	(void)state;
	begin(SOCK_STREAM);
	sends("12", 1);
	sends("12", 0);
	sends("34", 2);
	sends("12", 0);
	receives(2, 1, true);
	receives(4, 2, true);
	receives(2, 0, true);
	end();
}

static void
end_and_nothing_are_told_apart(void **state)
{
	int fd;
	char byte;

	(void)state;
	begin(SOCK_SEQPACKET);
	assert_int_equal(fds_receive(pair[1], &byte, 1, &fd, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fd, -1);
	shutdown(pair[0], SHUT_RDWR);
	assert_int_equal(fds_receive(pair[1], &byte, 1, &fd, 1, MSG_DONTWAIT), 0);
	assert_int_equal(fds_send(pair[0], "1", 1, file, 1), -1); /* and no signal */
	assert_int_equal(errno, EPIPE);
	end();
}

/* What nobody takes in fills the socket; nothing is waited for. */
static void
a_full_socket_is_no_wait(void **state)
{
	unsigned sent = 0;

	(void)state;
	begin(SOCK_SEQPACKET);
	while (sent < 100000 && fds_send(pair[0], "1", 1, file, 1) == 0)
		sent++;
	assert_true(errno == EAGAIN || errno == ETOOMANYREFS);
	assert_true(sent > 0 && sent < 100000);
	for (; sent > 0; sent--)
		receives(1, 1, true);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_for_arrives),
		cmocka_unit_test(other_numbers_are_closed),
		cmocka_unit_test(more_than_fit_are_closed),
		cmocka_unit_test(half_a_list_is_closed),
		cmocka_unit_test(a_stream_ends_at_descriptors),
		cmocka_unit_test(end_and_nothing_are_told_apart),
		cmocka_unit_test(a_full_socket_is_no_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
