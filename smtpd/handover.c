/* handover.c - see handover.h. */
#include "smtpd/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fds.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "lib/worker.h"

#define PAGE       UINT64_C(4096)
#define SEALS      (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define DATAGRAM   4096 /* what one message takes in the socket's buffer, about */
#define BUFFER_MAX (64 << 20)

/* Only ever growing, but for what is taken back: what is on its way is handed - received, what the
 * verifier has is received - done. */
struct tally {
	_Atomic uint64_t handed, received, done;
};
struct shared {
	_Atomic uint64_t arriving[WORKERS_MAX]; /* octets; each of one worker */
	struct tally count, octets;
	atomic_bool stopped;
};
struct handover {
	struct handover_limits limits;
	struct shared *shared;
	int fd[2]; /* workers write to 0, the verifier reads from 1 */
	unsigned worker;
	uint64_t bodies;        /* that arrive here now */
	uint64_t handed_before; /* settle: what it saw last time */
};

struct handover *
handover_new(const struct handover_limits *limits)
{
	struct handover *h = xcalloc(1, sizeof *h);
	uint64_t want = limits->count * DATAGRAM;
	int size = (int)(want < BUFFER_MAX ? want : BUFFER_MAX);

	h->limits = *limits;
	h->fd[0] = h->fd[1] = -1;
	h->shared = mmap(
	    NULL, sizeof *h->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (h->shared == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, h->fd) == -1) {
		log_warn("verifier: handing over: %s", strerror(errno));
		handover_free(h);
		return NULL;
	}
	/* As root; else what the system allows must do, and the rest is refused. */
	if (setsockopt(h->fd[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) == -1)
		(void)setsockopt(h->fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	return h;
}

void
handover_free(struct handover *h)
{
	if (h == NULL)
		return;
	for (unsigned i = 0; i < 2; i++)
		if (h->fd[i] != -1)
			close(h->fd[i]);
	if (h->shared != MAP_FAILED)
		munmap(h->shared, sizeof *h->shared);
	free(h);
}

/* --- counting ------------------------------------------------------------------------------------------- */

/* What a body takes: whole pages, and one for the file itself. */
static uint64_t
room_for(uint64_t size)
{
	return (size + PAGE - 1) / PAGE * PAGE + PAGE;
}

/* What was written off may come all the same: never below zero. */
static uint64_t
open_in(const struct tally *t)
{
	int64_t n = (int64_t)(atomic_load(&t->handed) - atomic_load(&t->done));

	return n > 0 ? (uint64_t)n : 0;
}

uint64_t
handover_count(const struct handover *h)
{
	return open_in(&h->shared->count);
}

uint64_t
handover_octets(const struct handover *h)
{
	uint64_t sum = open_in(&h->shared->octets);

	for (unsigned i = 0; i < WORKERS_MAX; i++)
		sum += atomic_load(&h->shared->arriving[i]);
	return sum;
}

/* Takes first and looks then: two at once may both be refused, never both be let in. */
static bool
reserve(struct body *b, uint64_t room)
{
	_Atomic uint64_t *mine = &b->handover->shared->arriving[b->handover->worker];

	if (room <= b->room)
		return true;
	atomic_fetch_add(mine, room - b->room);
	if (handover_octets(b->handover) > b->handover->limits.octets) {
		atomic_fetch_sub(mine, room - b->room);
		return false;
	}
	b->room = room;
	return true;
}

/* --- a worker ------------------------------------------------------------------------------------------ */

void
handover_worker(struct handover *h, unsigned index)
{
	h->worker = index;
	atomic_store(&h->shared->arriving[index], 0);
	close(h->fd[1]);
	h->fd[1] = -1;
}

void
body_init(struct body *b, struct handover *h)
{
	*b = (struct body){ .handover = h, .fd = -1 };
}

static void
drop(struct body *b)
{
	if (b->fd != -1) {
		close(b->fd);
		b->handover->bodies--;
	}
	b->fd = -1;
	if (b->room > 0)
		atomic_fetch_sub(&b->handover->shared->arriving[b->handover->worker], b->room);
	b->room = 0;
}

void
body_clear(struct body *b)
{
	drop(b);
	body_init(b, b->handover);
}

static void
refuse(struct body *b, const char *why)
{
	drop(b);
	b->refused = why;
}

static bool
body_open(struct body *b)
{
	if (b->fd != -1)
		return true;
	if (b->handover->bodies < b->handover->limits.bodies)
		b->fd = memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (b->fd == -1) {
		refuse(b, "no descriptor for the body");
		return false;
	}
	b->handover->bodies++;
	return true;
}

void
body_add(struct body *b, const char *bytes, size_t len)
{
	ssize_t n;

	if (b->refused != NULL)
		return;
	if (b->size + len > b->handover->limits.message) {
		refuse(b, "larger than verify-message");
		return;
	}
	if (!reserve(b, room_for(b->size + len))) {
		refuse(b, "verify-memory is full");
		return;
	}
	if (!body_open(b))
		return;
	for (; len > 0; bytes += n, len -= (size_t)n, b->size += (uint64_t)n) {
		n = write(b->fd, bytes, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0) {
			refuse(b, "no memory for the body");
			return;
		}
	}
}

/* Everything is reserved; the counts of what is handed over take it from the worker's. */
static const char *
send_body(struct body *b, const struct verify_facts *facts)
{
	struct handover *h = b->handover;
	struct shared *s = h->shared;
	const char *why = NULL;

	if (fcntl(b->fd, F_ADD_SEALS, SEALS) == -1)
		return "the body cannot be sealed";
	atomic_fetch_add(&s->count.handed, 1);
	if (open_in(&s->count) > h->limits.count)
		why = "verify-queue is full";
	atomic_fetch_add(&s->octets.handed, b->room);
	if (why == NULL && fds_send(h->fd[0], facts, sizeof *facts, &b->fd, 1) == -1)
		why = errno == EAGAIN || errno == ETOOMANYREFS || errno == ENOBUFS
			  ? "no room on the way to the verifier"
			  : "the verifier is away";
	if (why != NULL) {
		atomic_fetch_sub(&s->count.handed, 1);
		atomic_fetch_sub(&s->octets.handed, b->room);
	}
	return why;
}

const char *
handover_send(struct body *b, struct verify_facts *facts)
{
	const char *why;

	body_add(b, "", 0); /* an empty one is one, too */
	facts->size = b->size;
	if (b->refused != NULL)
		why = b->refused;
	else if (atomic_load(&b->handover->shared->stopped))
		why = "the verifier stops";
	else
		why = send_body(b, facts);
	body_clear(b);
	return why;
}

/* --- the verifier -------------------------------------------------------------------------------------- */

void
handover_verifier(struct handover *h)
{
	struct shared *s = h->shared;

	atomic_store(&s->count.done, atomic_load(&s->count.received));
	atomic_store(&s->octets.done, atomic_load(&s->octets.received));
	atomic_store(&s->stopped, false);
	/* Who reads strangers' mail has no business in the counts. */
	(void)madvise(s, sizeof *s, MADV_DONTFORK);
	close(h->fd[0]);
	h->fd[0] = -1;
}

int
handover_fd(const struct handover *h)
{
	return h->fd[1];
}

static bool
ends(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

/* Workers face strangers: what one says is believed as far as it can do no harm here. */
static bool
is_sane(const struct handover *h, const struct verify_facts *f, int fd)
{
	struct stat st;

	return ends(f->token, sizeof f->token) && ends(f->test, sizeof f->test) &&
	       ends(f->conn, sizeof f->conn) && ends(f->digest, sizeof f->digest) &&
	       ends(f->client, sizeof f->client) && ends(f->helo, sizeof f->helo) &&
	       ends(f->from, sizeof f->from) && ends(f->us, sizeof f->us) &&
	       fcntl(fd, F_GET_SEALS) == SEALS && fstat(fd, &st) == 0 &&
	       (uint64_t)st.st_size == f->size && f->size <= h->limits.message;
}

/* Have all workers ended?  A message without octets reads like that. */
static bool
hung_up(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0;
}

/* One message of the socket: 1; 0 and *got is set if there is none.  *fd is -1 if it makes no sense. */
static int
receive_one(struct handover *h, struct verify_facts *facts, int *fd, enum handover_got *got)
{
	ssize_t n = fds_receive(h->fd[1], facts, sizeof *facts, fd, 1, MSG_DONTWAIT);

	if (n < 0 || (n == 0 && hung_up(h->fd[1]))) {
		*got = n == 0 ? HANDOVER_END : HANDOVER_NONE;
		return 0;
	}
	if (n != (ssize_t)sizeof *facts || facts->size > h->limits.message)
		facts->size = 0;
	if (*fd != -1 && (n != (ssize_t)sizeof *facts || !is_sane(h, facts, *fd))) {
		close(*fd);
		*fd = -1;
	}
	return 1;
}

enum handover_got
handover_receive(struct handover *h, struct verify_facts *facts, int *fd)
{
	struct shared *s = h->shared;
	enum handover_got got;

	*fd = -1;
	while (receive_one(h, facts, fd, &got)) {
		atomic_fetch_add(&s->count.received, 1);
		atomic_fetch_add(&s->octets.received, room_for(facts->size));
		if (*fd != -1)
			return HANDOVER_MESSAGE;
		handover_done(h, facts->size);
	}
	return got;
}

void
handover_done(struct handover *h, uint64_t size)
{
	atomic_fetch_add(&h->shared->count.done, 1);
	atomic_fetch_add(&h->shared->octets.done, room_for(size));
}

void
handover_stop(struct handover *h)
{
	atomic_store(&h->shared->stopped, true);
}

/* The difference in both, seen twice with nothing handed over between and nothing in the socket. */
static void
write_off(struct tally *t)
{
	uint64_t missing = atomic_load(&t->handed) - atomic_load(&t->received);

	atomic_fetch_add(&t->received, missing);
	atomic_fetch_add(&t->done, missing);
}

void
handover_settle(struct handover *h)
{
	struct shared *s = h->shared;
	uint64_t handed = atomic_load(&s->count.handed);
	char byte;

	if (handed != atomic_load(&s->count.received) && handed == h->handed_before &&
	    recv(h->fd[1], &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0) {
		write_off(&s->count);
		write_off(&s->octets);
	}
	h->handed_before = handed;
}
