/* Messages from workers to the verifier: whole, sealed, bounded at the edge, and what is killed in
 * between is counted again as free. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fds.h"
#include "smtpd/handover.h"

#include <cmocka.h> /* last: it has a macro test_free */

#define KIB 1024

static struct handover *h;

/* A worker in a process of its own does what it is told; its exit code. */
static int
in_worker(int (*work)(struct handover *, unsigned), unsigned arg)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		handover_worker(h, 3);
		_exit(work(h, arg));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
begin(uint64_t count, uint64_t octets, uint64_t message)
{
	const struct handover_limits l = {
		.count = count, .octets = octets, .message = message, .bodies = 100
	};

	h = handover_new(&l);
	assert_non_null(h);
}

static void
end(void)
{
	handover_free(h);
	h = NULL;
}

static void
fill(struct verify_facts *f)
{
	memset(f, 0, sizeof *f);
	strcpy(f->token, "abcdefghijklmnop");
	strcpy(f->test, "dual");
	strcpy(f->conn, "0-5-1");
	strcpy(f->from, "a@sender.example");
	f->t = 42;
}

static const char *
send_octets(struct handover *to, unsigned size)
{
	char block[KIB];
	struct verify_facts f;
	struct body b;

	memset(block, 'x', sizeof block);
	fill(&f);
	body_init(&b, to);
	for (unsigned left = size; left > 0;) {
		unsigned n = left < sizeof block ? left : (unsigned)sizeof block;

		body_add(&b, block, n);
		left -= n;
	}
	return handover_send(&b, &f);
}

static int
sends(struct handover *to, unsigned size)
{
	const char *why = send_octets(to, size);

	return why == NULL ? 0 : why[0];
}

static int
sends_words(struct handover *to, unsigned arg)
{
	struct verify_facts f;
	struct body b;

	(void)arg;
	fill(&f);
	body_init(&b, to);
	body_add(&b, "Subject: a", 10);
	body_add(&b, "\r\n\r\nb\r\n", 7);
	return handover_send(&b, &f) != NULL;
}

static void
a_message_arrives(void **state)
{
	struct verify_facts f;
	char text[32];
	int fd;

	(void)state;
	begin(10, 64 * KIB, 16 * KIB);
	assert_int_equal(handover_receive(h, &f, &fd), HANDOVER_NONE);
	assert_int_equal(in_worker(sends_words, 0), 0);
	assert_int_equal(in_worker(sends, 0), 0); /* an empty one */
	assert_int_equal(handover_count(h), 2);
	assert_int_equal(handover_octets(h), 3 * 4096);
	assert_int_equal(handover_receive(h, &f, &fd), HANDOVER_MESSAGE);
	assert_string_equal(f.from, "a@sender.example");
	assert_int_equal(f.t, 42);
	assert_int_equal(f.size, 17);
	assert_int_equal(pread(fd, text, sizeof text, 0), 17);
	assert_memory_equal(text, "Subject: a\r\n\r\nb\r\n", 17);
	/* Nobody can change it, or take it away from under a reader. */
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	close(fd);
	handover_done(h, f.size);
	assert_int_equal(handover_receive(h, &f, &fd), HANDOVER_MESSAGE);
	assert_int_equal(f.size, 0);
	close(fd);
	handover_done(h, f.size);
	assert_int_equal(handover_count(h), 0);
	assert_int_equal(handover_octets(h), 0);
	end();
}

static void
the_queue_is_bounded(void **state)
{
	struct verify_facts f;
	int fd;

	(void)state;
	begin(3, 1024 * KIB, 16 * KIB);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(in_worker(sends, 10), 0);
	assert_int_equal(in_worker(sends, 10), 'v'); /* verify-queue is full */
	assert_int_equal(handover_count(h), 3);
	/* Taken is not yet judged. */
	assert_int_equal(handover_receive(h, &f, &fd), HANDOVER_MESSAGE);
	close(fd);
	assert_int_equal(in_worker(sends, 10), 'v');
	handover_done(h, f.size);
	assert_int_equal(in_worker(sends, 10), 0);
	end();
}

static int
is_refused_for(struct handover *to, unsigned size)
{
	static const char *const words[] = { "larger than verify-message",
		"verify-memory is full" };
	const char *why = send_octets(to, size);

	for (int i = 0; i < 2; i++)
		if (why != NULL && strcmp(why, words[i]) == 0)
			return i + 1;
	return why != NULL ? 9 : 0;
}

static void
octets_are_bounded(void **state)
{
	(void)state;
	begin(100, 5 * 4096, 3 * 4096);
	assert_int_equal(in_worker(is_refused_for, 3 * 4096 + 1), 1);
	assert_int_equal(handover_octets(h), 0); /* what it had was given back */
	assert_int_equal(in_worker(is_refused_for, 3 * 4096), 0);
	assert_int_equal(handover_octets(h), 4 * 4096);
	assert_int_equal(in_worker(is_refused_for, 1), 2); /* two pages, and there is one */
	assert_int_equal(in_worker(is_refused_for, 0), 0);
	assert_int_equal(in_worker(is_refused_for, 0), 2);
	assert_int_equal(handover_octets(h), 5 * 4096);
	end();
}

static int
many_at_once(struct handover *to, unsigned n)
{
	struct body b[8];

	/* They arrive together: the last has no room while the others are here. */
	for (unsigned i = 0; i < n; i++) {
		body_init(&b[i], to);
		body_add(&b[i], "x", 1);
	}
	if (b[n - 2].refused != NULL || b[n - 1].refused == NULL)
		return 1;
	body_clear(&b[0]);
	body_clear(&b[n - 1]);
	body_add(&b[n - 1], "x", 1);
	return b[n - 1].refused != NULL;
}

static int
more_than_descriptors(struct handover *to, unsigned n)
{
	struct body b[3];

	for (unsigned i = 0; i < n; i++) {
		body_init(&b[i], to);
		body_add(&b[i], "x", 1);
	}
	if (b[1].refused != NULL || b[2].refused == NULL)
		return 1;
	body_clear(&b[0]);
	body_clear(&b[2]);
	body_add(&b[2], "x", 1);
	return b[2].refused != NULL;
}

static int
dies_with_a_body(struct handover *to, unsigned size)
{
	char block[KIB] = { 0 };
	struct body b;

	body_init(&b, to);
	for (; size > 0; size -= KIB)
		body_add(&b, block, KIB);
	return b.refused != NULL;
}

static int
does_nothing(struct handover *to, unsigned arg)
{
	(void)to;
	return (int)arg;
}

static void
bodies_that_arrive_count(void **state)
{
	(void)state;
	begin(100, 8 * 4096, 8 * 4096);
	assert_int_equal(in_worker(many_at_once, 5), 0);
	/* It is gone without having cleared anything; its successor begins anew. */
	assert_int_equal(in_worker(does_nothing, 0), 0);
	assert_int_equal(handover_octets(h), 0);
	assert_int_equal(in_worker(dies_with_a_body, 7 * KIB), 0);
	assert_int_equal(handover_octets(h), 3 * 4096);
	assert_int_equal(in_worker(does_nothing, 0), 0);
	assert_int_equal(handover_octets(h), 0);
	end();
}

/* What waits at the socket is the next verifier's; what the one before had is not counted any more. */
static void
the_verifier_dies(void **state)
{
	struct verify_facts f;
	pid_t pid;
	int fd, status;

	(void)state;
	begin(4, 1024 * KIB, 16 * KIB);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(in_worker(sends, i), 0);
	pid = fork();
	if (pid == 0) {
		handover_verifier(h);
		for (unsigned i = 0; i < 3; i++)
			handover_receive(h, &f, &fd);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(handover_count(h), 4);
	pid = fork();
	if (pid == 0) {
		handover_verifier(h);
		if (handover_count(h) != 1 || handover_receive(h, &f, &fd) != HANDOVER_MESSAGE ||
		    f.size != 3 || handover_receive(h, &f, &fd) != HANDOVER_NONE)
			_exit(1);
		handover_done(h, f.size);
		_exit(handover_count(h) != 0 || handover_octets(h) != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	end();
}

/* A worker that dies between counting and handing over: the place of its message is found again. */
static void
leaks_are_found(void **state)
{
	struct handover_limits l = {
		.count = 2, .octets = 1024 * KIB, .message = KIB, .bodies = 2
	};
	struct verify_facts f;
	int fd;

	(void)state;
	h = handover_new(&l);
	assert_int_equal(in_worker(more_than_descriptors, 3), 0);
	assert_int_equal(in_worker(sends, 1), 0);
	/* As if it had never come: it is taken from the socket behind the counts. */
	assert_true(recv(handover_fd(h), &f, sizeof f, 0) > 0);
	assert_int_equal(handover_count(h), 1);
	handover_settle(h);
	assert_int_equal(handover_count(h), 1);
	assert_int_equal(in_worker(sends, 1), 0);
	handover_settle(h); /* something came: not now */
	assert_int_equal(handover_count(h), 2);
	assert_int_equal(handover_receive(h, &f, &fd), HANDOVER_MESSAGE);
	close(fd);
	handover_done(h, f.size);
	handover_settle(h);
	assert_int_equal(handover_count(h), 0);
	assert_int_equal(handover_octets(h), 0);
	end();
}

static void
it_stops(void **state)
{
	struct verify_facts f;
	int fd;

	(void)state;
	begin(10, 1024 * KIB, KIB);
	handover_stop(h);
	assert_int_equal(in_worker(sends, 1), 't'); /* the verifier stops */
	assert_int_equal(handover_count(h), 0);
	/* All workers have ended. */
	handover_verifier(h);
	assert_int_equal(handover_receive(h, &f, &fd), HANDOVER_END);
	end();
}

/* What a worker that was taken over might send. */
static int
sends_junk(struct handover *to, unsigned kind)
{
	struct verify_facts f;
	int fd = memfd_create("junk", MFD_ALLOW_SEALING), fds[2] = { fd, fd };
	size_t n = kind == 5 ? 2 : kind == 1 || kind == 6 ? 0 : 1;
	size_t len = kind == 0 ? 1 : kind == 6 ? 0 : sizeof f;

	(void)to;
	fill(&f);
	f.size = kind == 3 ? 5 : 0;
	if (kind == 4)
		memset(f.us, 'x', sizeof f.us);
	if (kind >= 3)
		fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	/* 0: too short, 1: no descriptor, 2: not sealed, 3: another size, 4: no end, 5: two descriptors,
	 * 6: nothing at all */
	for (int i = 3; i < 64; i++) {
		int type = 0;
		socklen_t typelen = sizeof type;

		if (getsockopt(i, SOL_SOCKET, SO_TYPE, &type, &typelen) == 0 &&
		    type == SOCK_SEQPACKET)
			return fds_send(i, &f, len, fds, n) == 0 ? 0 : 1;
	}
	return 2;
}

static void
junk_is_dropped(void **state)
{
	struct verify_facts f;
	int fd, lowest;

	(void)state;
	begin(10, 1024 * KIB, KIB);
	for (unsigned kind = 0; kind < 7; kind++)
		assert_int_equal(in_worker(sends_junk, kind), 0);
	assert_int_equal(in_worker(sends, 7), 0);
	lowest = dup(STDERR_FILENO);
	close(lowest);
	assert_int_equal(handover_receive(h, &f, &fd), HANDOVER_MESSAGE);
	assert_int_equal(f.size, 7);
	assert_int_equal(fd, lowest); /* none of the others stayed open */
	close(fd);
	handover_done(h, f.size);
	assert_int_equal(handover_receive(h, &f, &fd), HANDOVER_NONE);
	assert_int_equal(handover_count(h), 0);
	end();
}

static int
forks_a_reader(void)
{
	struct rlimit no_core = { 0, 0 };
	int status;
	pid_t pid;

	handover_verifier(h);
	if (handover_count(h) != 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		setrlimit(RLIMIT_CORE, &no_core);
		_exit((int)handover_count(h));
	}
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) ? 0 : 2;
}

/* What the verifier forks cannot touch the counts. */
static void
counts_are_not_inherited(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	begin(4, 1024 * KIB, 16 * KIB);
	pid = fork();
	if (pid == 0)
		_exit(forks_a_reader());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_arrives),
		cmocka_unit_test(the_queue_is_bounded),
		cmocka_unit_test(octets_are_bounded),
		cmocka_unit_test(bodies_that_arrive_count),
		cmocka_unit_test(the_verifier_dies),
		cmocka_unit_test(leaks_are_found),
		cmocka_unit_test(it_stops),
		cmocka_unit_test(junk_is_dropped),
		cmocka_unit_test(counts_are_not_inherited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
