#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/listen.h"

static void
parse_and_format(void **state)
{
	static const struct {
		const char *in, *out;
		int family;
	} good[] = {
		{ "192.0.2.1", "192.0.2.1", 4 },
		{ "2001:DB8:0::1", "2001:db8::1", 6 },
		{ "::", "::", 6 },
		{ "::ffff:192.0.2.7", "192.0.2.7", 4 },
	};
	static const char *const bad[] = { "", "192.0.2", "192.0.2.256", "fe80::1%lo", "example",
		"[::1]", "192.0.2.1:25" };
	union sockaddr_any a;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(address_parse(&a, good[i].in, 2525), 0);
		address_format(text, &a);
		assert_string_equal(text, good[i].out);
		assert_int_equal(address_port(&a), 2525);
		assert_int_equal(address_family(&a), good[i].family);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(address_parse(&a, bad[i], 25), -1);
	assert_int_equal(address_parse(&a, "192.0.2.1", 65536), -1);
	memset(&a, 0, sizeof(a));
	address_format(text, &a);
	assert_string_equal(text, "-");
}

/* As inet_ntop has it, for addresses with all patterns of zero groups. */
static void
format_all_shapes(void **state)
{
	union sockaddr_any a = { .in6.sin6_family = AF_INET6 };
	char text[ADDRESS_TEXT_MAX], other[INET6_ADDRSTRLEN];
	uint32_t x = 1;

	(void)state;
	for (unsigned i = 0; i < 256 * 64; i++) {
		uint8_t *octet = a.in6.sin6_addr.s6_addr;

		for (unsigned g = 0; g < 8; g++) {
			x = x * 1664525 + 1013904223;
			octet[2 * g] = (uint8_t)((i >> g & 1) ? x >> (24 + (x >> 20) % 8) : 0);
			octet[2 * g + 1] = (uint8_t)((i >> g & 1) ? (x >> 16) | 1 : 0);
		}
		octet[0] |=
		    0x20; /* not the forms with an IPv4 tail, which are no addresses of hosts */
		address_format(text, &a);
		assert_string_equal(text, inet_ntop(AF_INET6, octet, other, sizeof(other)));
	}
	a.in.sin_family = AF_INET;
	for (unsigned i = 0; i < 4096; i++) {
		x = x * 1664525 + 1013904223;
		a.in.sin_addr.s_addr = x;
		address_format(text, &a);
		assert_string_equal(text, inet_ntop(AF_INET, &a.in.sin_addr, other, sizeof(other)));
	}
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

/* A free port of the loopback, chosen by the kernel. */
static unsigned
port_of(int fd)
{
	union sockaddr_any a;
	socklen_t len = sizeof(a);

	assert_int_equal(getsockname(fd, &a.sa, &len), 0);
	return address_port(&a);
}

static void
options(void **state)
{
	union sockaddr_any a;
	int fd;

	(void)state;
	address_parse(&a, "127.0.0.1", 0);
	fd = listen_open(&a, SOCK_STREAM);
	assert_true(fd >= 0);
	assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEPORT), 1);
	assert_int_equal(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);

	fd = listen_open(&a, SOCK_DGRAM);
	assert_true(fd >= 0);
	assert_true(option(fd, SOL_SOCKET, SO_RCVBUF) >= 200 << 10);
	close(fd);

	address_parse(&a, "2001:db8::53", 0); /* not on this host: IPV6_FREEBIND */
	fd = listen_open(&a, SOCK_DGRAM);
	if (fd < 0) {
		print_message("options: no IPv6 here\n");
		skip();
	}
	assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO), 1);
	close(fd);
}

static void
workers_share_a_port(void **state)
{
	union sockaddr_any a;
	int one, two;

	(void)state;
	address_parse(&a, "127.0.0.1", 0);
	one = listen_open(&a, SOCK_STREAM);
	address_parse(&a, "127.0.0.1", port_of(one));
	two = listen_open(&a, SOCK_STREAM);
	assert_true(one >= 0 && two >= 0);
	close(one);
	close(two);
}

/* Sockets of one process are shared by its workers; another process is in the way, also one of ours that
 * would share. */
static void
others_are_in_the_way(void **state)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };

	(void)state;
	for (int i = 0; i < 2; i++) {
		union sockaddr_any a;
		int fd;

		address_parse(&a, "127.0.0.1", 0);
		fd = listen_open(&a, types[i]);
		assert_true(fd >= 0);
		address_parse(&a, "127.0.0.1", port_of(fd));
		assert_int_equal(listen_alone(&a, types[i]), -1);
		close(fd);
		assert_int_equal(listen_alone(&a, types[i]), 0);
	}
}

/* A connection that was closed by us stays in TIME_WAIT: no reason not to start again. */
static void
time_wait_is_not_in_the_way(void **state)
{
	union sockaddr_any a;
	char octet;
	int fd, client, server;

	(void)state;
	address_parse(&a, "127.0.0.1", 0);
	fd = listen_open(&a, SOCK_STREAM);
	address_parse(&a, "127.0.0.1", port_of(fd));
	client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, &a.sa, sizeof(a.in)), 0);
	server = accept(fd, NULL, NULL);
	assert_true(server >= 0);
	close(server);
	assert_int_equal(read(client, &octet, 1), 0);
	close(client);
	close(fd);
	assert_int_equal(listen_alone(&a, SOCK_STREAM), 0);
}

/* What the next listen_open says on stderr. */
static void
said(char *dst, size_t len, const union sockaddr_any *a, int type)
{
	int p[2], keep = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(p), 0);
	dup2(p[1], STDERR_FILENO);
	assert_int_equal(listen_open(a, type), -1);
	fflush(stderr);
	dup2(keep, STDERR_FILENO);
	close(keep);
	close(p[1]);
	n = read(p[0], dst, len - 1);
	close(p[0]);
	assert_true(n > 0);
	dst[n] = '\0';
}

static void
names_who_is_in_the_way(void **state)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	union sockaddr_any a, b;
	char text[512], name[16], pid[32];

	(void)state;
	snprintf(name, sizeof(name), "%s", program_invocation_short_name); /* as comm has it */
	snprintf(pid, sizeof(pid), "(pid %d)", (int)getpid());
	for (int i = 0; i < 2; i++) {
		int fd = socket(AF_INET, types[i], 0);

		address_parse(&a, "127.0.0.1", 0);
		assert_int_equal(bind(fd, &a.sa, sizeof(a.in)), 0);
		if (types[i] == SOCK_STREAM)
			assert_int_equal(listen(fd, 1), 0);
		address_parse(&b, "127.0.0.1", port_of(fd));
		said(text, sizeof(text), &b, types[i]);
		assert_non_null(strstr(text, name));
		assert_non_null(strstr(text, pid));
		close(fd);
	}
	address_parse(&a, "192.0.2.1", 0);
	said(text, sizeof(text), &a, SOCK_STREAM);
	assert_non_null(strstr(text, "no such address"));
}

/* Whoever else listens on the port is not meant, and neither is one that only has it. */
static void
knows_who_listens(void **state)
{
	static const char *const addresses[] = { "127.0.0.1", "::1" };
	union sockaddr_any a;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int fd, one = 1;
		unsigned port;
		pid_t other = fork();

		if (other == 0) {
			alarm(60);
			pause();
			_exit(0);
		}
		assert_true(other > 0);
		address_parse(&a, addresses[i], 0);
		fd = socket(a.sa.sa_family, SOCK_STREAM, 0);
		assert_true(fd >= 0);
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), 0);
		if (bind(fd, &a.sa, sizeof(a.in6)) == 0) {
			port = port_of(fd);
			assert_false(listen_held(getpid(), port));
			assert_int_equal(listen(fd, 1), 0);
			assert_true(listen_held(getpid(), port));
			assert_false(listen_held(other, port));
		} else {
			assert_int_equal(i, 1); /* no IPv6 here */
		}
		kill(other, SIGKILL);
		waitpid(other, NULL, 0);
		close(fd);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_and_format),
		cmocka_unit_test(format_all_shapes),
		cmocka_unit_test(options),
		cmocka_unit_test(workers_share_a_port),
		cmocka_unit_test(others_are_in_the_way),
		cmocka_unit_test(time_wait_is_not_in_the_way),
		cmocka_unit_test(names_who_is_in_the_way),
		cmocka_unit_test(knows_who_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
