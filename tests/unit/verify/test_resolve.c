/* The rim of libunbound: a name server of our own on loopback, in the same loop, says what it should. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/strbuf.h"
#include "verify/resolve.h"

#define TYPE_A 1

struct world {
	struct event_base *base;
	struct event *server;
	char anchor[64], forward[64];
	unsigned done, questions;
};

/* What is answered: by the first label.  Behind the question stands what follows. */
static const struct {
	const char *label;
	unsigned flags, records;
	const char *data;
	size_t len;
} answers[] = {
	{ "one", 0x8180, 1, "\xc0\x0c\0\1\0\1\0\0\0\74\0\4\300\0\2\1", 16 },
	{ "many", 0x8180, 2,
	    "\xc0\x0c\0\1\0\1\0\0\0\74\0\4\300\0\2\1\xc0\x0c\0\1\0\1\0\0\0\74\0\4\300\0\2\2", 32 },
	{ "none", 0x8180, 0, "", 0 },
	{ "nx", 0x8183, 0, "", 0 },
	{ "fail", 0x8182, 0, "", 0 },
	{ "refused", 0x8185, 0, "", 0 },
	/* A zone that should have a key and has none: without signature, false. */
	{ "signed", 0x8180, 0, "", 0 },
	{ "lie", 0x8180, 1, "\xc0\x0c\0\1\0\1\0\0\0\74\0\4\300\0\2\1", 16 },
};

static void
on_query(evutil_socket_t fd, short what, void *arg)
{
	struct world *w = arg;
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	uint8_t q[1500];
	ssize_t n = recvfrom(fd, q, sizeof(q), 0, (struct sockaddr *)&from, &from_len);
	size_t end = 12;

	(void)what;
	if (n < 17)
		return;
	w->questions++;
	while (end < (size_t)n && q[end] != 0)
		end += 1u + q[end];
	end += 5;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		size_t label = strlen(answers[i].label);
		uint8_t a[1500];

		if (q[12] != label || memcmp(q + 13, answers[i].label, label) != 0)
			continue;
		memcpy(a, q, end);
		a[2] = (uint8_t)(answers[i].flags >> 8);
		a[3] = (uint8_t)answers[i].flags;
		memset(a + 4, 0, 8);
		a[5] = 1;
		a[7] = (uint8_t)(q[end - 3] == TYPE_A ? answers[i].records : 0);
		memcpy(a + end, answers[i].data, answers[i].len);
		if (a[7] > 0)
			end += answers[i].len;
		sendto(fd, a, end, 0, (struct sockaddr *)&from, from_len);
	}
}

static int
setup(void **state)
{
	static const char anchor[] =
	    "signed.example. IN DS 20326 8 2 "
	    "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC"
	    "8D\n";
	struct world *w = xcalloc(1, sizeof(*w));
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), file;

	snprintf(w->anchor, sizeof(w->anchor), "/tmp/outpost-anchor-XXXXXX");
	file = mkstemp(w->anchor);
	assert_true(file >= 0);
	assert_int_equal(write(file, anchor, sizeof(anchor) - 1), sizeof(anchor) - 1);
	close(file);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(w->forward, sizeof(w->forward), "127.0.0.1@%u", ntohs(at.sin_port));
	w->base = event_base_new();
	w->server = event_new(w->base, fd, EV_READ | EV_PERSIST, on_query, w);
	event_add(w->server, NULL);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	unlink(w->anchor);
	close(event_get_fd(w->server));
	event_free(w->server);
	event_base_free(w->base);
	free(w);
	return 0;
}

static void
on_done(void *ctx)
{
	struct world *w = ctx;

	w->done++;
	event_base_loopbreak(w->base);
}

static void
run(struct world *w, unsigned done)
{
	w->done = 0;
	while (w->done < done)
		assert_int_equal(event_base_dispatch(w->base), 0);
}

static struct resolve *
resolver(struct world *w, unsigned timeout_ms, unsigned concurrent)
{
	const struct resolve_options o = { .forward = w->forward,
		.anchor = w->anchor,
		.timeout_ms = timeout_ms,
		.concurrent = concurrent };
	char err[256] = "";
	struct resolve *r = resolve_new(w->base, &o, err, sizeof(err));

	if (r == NULL)
		fail_msg("%s", err);
	return r;
}

static void
expect(struct lookups *book, const char *name, enum lookup_status status, size_t n)
{
	const struct lookup *l = lookup_get(book, name, TYPE_A);

	if (l->status != status || l->n != n)
		fail_msg("%s: status %d with %zu records (%s), not %d with %zu", name, l->status,
		    l->n, l->why, status, n);
	assert_false(l->secure);
	if (status == LOOKUP_FAILED || status == LOOKUP_BOGUS)
		assert_true(l->why[0] != '\0');
}

static const struct {
	const char *name;
	enum lookup_status status;
	size_t n;
} wanted[] = {
	{ "one.example", LOOKUP_OK, 1 },
	{ "many.example", LOOKUP_OK, 2 },
	{ "none.example", LOOKUP_NODATA, 0 },
	{ "nx.example", LOOKUP_NXDOMAIN, 0 },
	{ "fail.example", LOOKUP_FAILED, 0 },
	{ "refused.example", LOOKUP_FAILED, 0 },
	{ "lie.signed.example", LOOKUP_BOGUS, 0 },
	/* Private addresses are asked for too. */
	{ "one.2.0.192.in-addr.arpa", LOOKUP_OK, 1 },
	{ "one.10.in-addr.arpa", LOOKUP_OK, 1 },
};
#define WANTED (sizeof(wanted) / sizeof(*wanted))

static void
check_answers(struct world *w, unsigned concurrent)
{
	struct resolve *r = resolver(w, 60000, concurrent);

	/* The second time out of the cache. */
	for (unsigned round = 0; round < 2; round++) {
		struct lookups *book = lookups_new(50);

		for (size_t i = 0; i < WANTED; i++)
			lookup_get(book, wanted[i].name, TYPE_A);
		resolve_start(r, book, on_done, w);
		assert_int_equal(w->done, 0);
		run(w, 1);
		for (size_t i = 0; i < WANTED; i++)
			expect(book, wanted[i].name, wanted[i].status, wanted[i].n);
		lookups_free(book);
		w->done = 0;
	}
	resolve_free(r);
}

static void
test_answers(void **state)
{
	check_answers(*state, 0);
}

static void
test_in_line(void **state)
{
	check_answers(*state, 1);
}

static void
test_silence(void **state)
{
	struct world *w = *state;
	struct resolve *r = resolver(w, 300, 0);
	struct lookups *book = lookups_new(50);

	lookup_get(book, "silent.example", TYPE_A);
	resolve_start(r, book, on_done, w);
	run(w, 1);
	expect(book, "silent.example", LOOKUP_FAILED, 0);
	assert_string_equal(lookup_get(book, "silent.example", TYPE_A)->why, "no answer in 0.3 s");
	lookups_free(book);
	resolve_free(r);
}

static void
test_nothing_wanted(void **state)
{
	struct world *w = *state;
	struct resolve *r = resolver(w, 60000, 0);
	struct lookups *book = lookups_new(50);

	resolve_start(r, book, on_done, w);
	run(w, 1);
	lookups_free(book);
	resolve_free(r);
}

static void
test_many_books(void **state)
{
	struct world *w = *state;
	struct resolve *r = resolver(w, 60000, 3);
	struct lookups *book[20];

	for (size_t i = 0; i < 20; i++) {
		book[i] = lookups_new(50);
		for (size_t k = 0; k < 1 + i % 4; k++)
			lookup_get(book[i], wanted[(i + k) % 4].name, TYPE_A);
		resolve_start(r, book[i], on_done, w);
	}
	run(w, 20);
	for (size_t i = 0; i < 20; i++) {
		for (size_t k = 0; k < 1 + i % 4; k++)
			expect(book[i], wanted[(i + k) % 4].name, wanted[(i + k) % 4].status,
			    wanted[(i + k) % 4].n);
		lookups_free(book[i]);
	}
	resolve_free(r);
}

/* Who has gone is not told, and what was on its way does no harm. */
static void
test_cancel(void **state)
{
	struct world *w = *state;
	struct resolve *r = resolver(w, 60000, 2);
	struct lookups *gone = lookups_new(50), *other = lookups_new(50);
	struct resolve_job *job;
	unsigned before = w->questions;

	lookup_get(gone, "silent.example", TYPE_A);
	lookup_get(gone, "silence.example", TYPE_A);
	job = resolve_start(r, gone, on_done, w);
	while (w->questions < before + 2)
		event_base_loop(w->base, EVLOOP_ONCE);
	assert_int_equal(w->done, 0);
	resolve_cancel(job);
	lookups_free(gone);
	lookup_get(other, "one.example", TYPE_A);
	resolve_start(r, other, on_done, w);
	run(w, 1);
	expect(other, "one.example", LOOKUP_OK, 1);
	/* The end of it all with a question on its way. */
	lookup_get(other, "silent2.example", TYPE_A);
	resolve_start(r, other, on_done, w);
	before = w->questions;
	while (w->questions == before)
		event_base_loop(w->base, EVLOOP_ONCE);
	w->done = 0;
	resolve_free(r);
	assert_int_equal(w->done, 0);
	lookups_free(other);
}

static void
test_options(void **state)
{
	struct world *w = *state;
	struct resolve_options o = { .forward = "not an address", .anchor = w->anchor };
	char err[256] = "";

	assert_null(resolve_new(w->base, &o, err, sizeof(err)));
	assert_non_null(strstr(err, "resolver's address"));
	o.forward = w->forward;
	o.anchor = "/nonexistent/anchor";
	assert_null(resolve_new(w->base, &o, err, sizeof(err)));
	assert_non_null(strstr(err, "/nonexistent/anchor"));
	o.anchor = "/etc/passwd";
	assert_null(resolve_new(w->base, &o, err, sizeof(err)));
	assert_non_null(strstr(err, "trust anchor"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_books, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_options, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
