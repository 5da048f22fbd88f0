/* Messages between the two processes: whole ones, cut ones, and the remains of a dead process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "web/frame.h"

static int pair[2];

static int
setup(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair);
}

static int
teardown(void **state)
{
	(void)state;
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static struct frame
frame_of(uint32_t id, const char *a, size_t alen, const char *b)
{
	struct frame f = { .id = id, .n = 2 };

	f.field[0].s = a;
	f.field[0].len = alen;
	f.field[1].s = b;
	f.field[1].len = strlen(b);
	return f;
}

static int
receive(struct frame *dst, struct frame_reader *r)
{
	int rc;

	do {
		rc = frame_receive(dst, r, pair[1]);
	} while (rc == 0 && r->begun);
	return rc;
}

static void
whole(void **state)
{
	struct frame f = frame_of(7, "a\0b", 3, ""), got;
	struct frame_reader r = { 0 };

	(void)state;
	assert_int_equal(frame_send(pair[0], &f), 0);
	assert_int_equal(receive(&got, &r), 1);
	assert_int_equal(got.id, 7);
	assert_int_equal(got.n, 2);
	assert_int_equal(got.field[0].len, 3);
	assert_memory_equal(got.field[0].s, "a\0b", 3);
	assert_int_equal(got.field[1].len, 0);
	assert_int_equal(receive(&got, &r), 0);
	close(pair[0]);
	assert_int_equal(receive(&got, &r), -1);
	frame_reader_clear(&r);
}

static void
in_packets(void **state)
{
	size_t len = 3 * FRAME_PACKET_MAX / 2;
	char *big = malloc(len);
	struct frame f, got;
	struct frame_reader r = { 0 };

	(void)state;
	for (size_t i = 0; i < len; i++)
		big[i] = (char)(i * 7);
	f = frame_of(8, big, len, "end");
	assert_int_equal(frame_send(pair[0], &f), 0);
	assert_int_equal(frame_receive(&got, &r, pair[1]), 0);
	assert_true(r.begun);
	assert_int_equal(receive(&got, &r), 1);
	assert_int_equal(got.field[0].len, len);
	assert_memory_equal(got.field[0].s, big, len);
	assert_memory_equal(got.field[1].s, "end", 3);
	free(big);
	frame_reader_clear(&r);
}

/* A process that died in the middle of a message, and its successor. */
static void
torn(void **state)
{
	size_t len = 3 * FRAME_PACKET_MAX / 2;
	char *big = calloc(1, len), packet[FRAME_PACKET_MAX];
	struct frame f = frame_of(9, big, len, ""), got;
	struct frame_reader r = { 0 };
	int other[2];
	ssize_t n;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, other), 0);
	assert_int_equal(frame_send(other[0], &f), 0);
	n = recv(other[1], packet, sizeof packet, 0); /* only the first of two packets goes on */
	assert_int_equal(send(pair[0], packet, (size_t)n, 0), n);
	assert_int_equal(frame_receive(&got, &r, pair[1]), 0);
	f = frame_of(10, "new", 3, "");
	assert_int_equal(frame_send(pair[0], &f), 0);
	assert_int_equal(receive(&got, &r), 1);
	assert_int_equal(got.id, 10);
	/* the second of two, whose first is not known */
	n = recv(other[1], packet, sizeof packet, 0);
	assert_int_equal(send(pair[0], packet, (size_t)n, 0), n);
	assert_int_equal(frame_receive(&got, &r, pair[1]), 0);
	assert_false(r.begun);
	assert_int_equal(send(pair[0], "abc", 3, 0), 3);
	assert_int_equal(frame_receive(&got, &r, pair[1]), 0);
	close(other[0]);
	close(other[1]);
	free(big);
	frame_reader_clear(&r);
}

static void
not_decoded(void **state)
{
	uint32_t rows[][4] = { { FRAME_FIELDS_MAX + 1 }, { 1, 9 }, { 1, UINT32_MAX }, { 3, 0, 0 },
		{ UINT32_MAX } };
	struct frame f;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_false(
		    frame_decode(&f, (const char *)rows[i], sizeof rows[i] - (i == 3 ? 4 : 0)));
	assert_false(frame_decode(&f, "abc", 3));
	assert_false(frame_decode(&f, "\1\0\0\0\1\0\0\0xy", 10));
	assert_true(frame_decode(&f, "\1\0\0\0\1\0\0\0x", 9));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whole, setup, teardown),
		cmocka_unit_test_setup_teardown(in_packets, setup, teardown),
		cmocka_unit_test_setup_teardown(torn, setup, teardown),
		cmocka_unit_test(not_decoded),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
