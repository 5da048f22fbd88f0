/* conn.c - see conn.h: sockets, timers, TLS records and the wait for the disk. */
#include "smtpd/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

#define OUT_KEEP 2048 /* memory of an output buffer that is kept between turns */

/* --- time -------------------------------------------------------------------------------------------- */

/* The wall clock, which is what observations tell.  When somebody sets it, what was begun is taken to have
 * begun so much later or earlier: no wait and no time limit becomes longer or shorter by it. */
static int64_t
io_time(struct io *io)
{
	int64_t now = clock_now(), ahead = now - clock_monotonic(), jump = ahead - io->ahead_us;

	if (jump > CLOCK_SECOND || jump < -CLOCK_SECOND) {
		io->ahead_us = ahead;
		for (struct conn *c = io->all; c != NULL; c = c->next) {
			c->speech->shift(c->core, jump);
			if (c->armed_us != INT64_MAX)
				c->armed_us += jump;
		}
	}
	return now;
}

/* --- connections ---------------------------------------------------------------------------------- */

static void on_writable(evutil_socket_t, short, void *);

static void
commit_forget(struct conn *c)
{
	struct conn **p;

	for (p = &c->io->commit_first; *p != NULL; p = &(*p)->commit_next)
		if (*p == c) {
			*p = c->commit_next;
			if (*p == NULL)
				c->io->commit_last = p;
			return;
		}
}

static void
conn_free(struct conn *c)
{
	struct io *io = c->io;

	if (c->committing)
		commit_forget(c);
	event_free(c->readable);
	event_free(c->timer);
	if (c->writable != NULL)
		event_free(c->writable);
	tls_free(c->tls);
	clients_leave(io->clients, &c->peer);
	c->speech->clear(c->core);
	free(c->core);
	close(c->fd);
	strbuf_clear(&c->out);
	strbuf_clear(&c->hold);
	strbuf_clear(&c->first);
	free(c->body); /* emptied by the session */
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		io->all = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	free(c);
	if (--io->n_conns == 0 && io->draining)
		event_base_loopbreak(io->base);
}

/* Ends the session and the connection.  The caller returns at once. */
void
conn_end(struct conn *c, enum session_how how)
{
	static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	if (c->reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	if (c->tls != NULL && !tls_established(c->tls) && *conn_how(c) == HOW_NONE)
		c->speech->tls->failed(
		    c->core, "connection closed during the handshake", clock_now());
	c->speech->end(c->core, how, clock_now());
	conn_free(c);
}

/* last: the end of our side comes next, and leaves in the same segment.  -1: the connection is gone. */
static int
conn_flush(struct conn *c, bool last)
{
	ssize_t n;

	if (c->out.len == 0)
		return 0;
	n = send(c->fd, c->out.s, c->out.len, MSG_NOSIGNAL | (last ? MSG_MORE : 0));
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -1;
		n = 0;
	}
	if ((size_t)n == c->out.len) {
		if (c->out.cap > OUT_KEEP)
			strbuf_clear(&c->out);
		else
			strbuf_reset(&c->out);
		return 0;
	}
	memmove(c->out.s, c->out.s + n, c->out.len - (size_t)n);
	c->out.len -= (size_t)n;
	if (c->writable == NULL)
		c->writable = event_new(c->io->base, c->fd, EV_WRITE, on_writable, c);
	if (c->writable == NULL)
		return -1;
	event_add(c->writable, NULL);
	return 0;
}

static void
conn_arm(struct conn *c)
{
	int64_t now = io_time(c->io), at = c->speech->deadline(c->core), wait;
	struct timeval tv;

	/* A timer that fires too early only asks again: deadlines mostly move away. */
	if (at >= c->armed_us)
		return;
	wait = at - now;
	if (wait < 0)
		wait = 0;
	tv = clock_timeval(wait);
	evtimer_add(c->timer, &tv);
	c->armed_us = at;
}

static void
conn_watch(struct conn *c, bool want)
{
	if (want == c->reading)
		return;
	c->reading = want;
	if (want)
		event_add(c->readable, NULL);
	else
		event_del(c->readable);
}

static void conn_tls(struct conn *, const char *, size_t);

/* All replies have left and the session wants the connection closed.  true: it is. */
static bool
conn_close(struct conn *c)
{
	if (!c->shut)
		shutdown(c->fd, SHUT_WR);
	c->shut = true;
	/* Others are given time to say close_notify, or to read: closing with octets unread would be a
	 * reset and could destroy our last reply. */
	if (c->tls != NULL || *conn_how(c) != HOW_QUIT)
		return false;
	conn_end(c, HOW_OURS);
	return true;
}

/* After every call into the session; the connection may be gone when it returns. */
void
conn_settle(struct conn *c)
{
	bool last = c->closing && !c->committing && !c->eof;

	if (eventlog_failed(c->io->log))
		io_blind(c->io);
	if (c->reset && c->closing) {
		conn_end(c, HOW_OURS);
		return;
	}
	if (last && c->tls != NULL)
		tls_shutdown(c->tls, clock_now());
	if (conn_flush(c, last) == -1) {
		conn_end(c, HOW_RESET);
		return;
	}
	if (c->out.len == 0 && !c->committing) {
		if (c->eof) {
			conn_end(c, HOW_EOF);
			return;
		}
		if (c->closing) {
			if (conn_close(c))
				return;
		} else if (c->starting_tls) {
			struct strbuf first = c->first;

			c->starting_tls = false;
			if (conn_begin_tls(c) == -1) {
				conn_end(c, HOW_ERROR);
				return;
			}
			memset(&c->first, 0, sizeof c->first);
			if (first.len > 0) {
				conn_tls(c, first.s, first.len);
				strbuf_clear(&first);
				return;
			}
		}
	}
	conn_watch(c, !c->eof && (c->closing || !conn_is_smtp(c) || !session_full(c->session)));
	conn_arm(c);
}

/* The client will send no more; a reply that waits for the disk is still given. */
static void
conn_eof(struct conn *c)
{
	if (c->committing) {
		c->eof = true;
		conn_watch(c, false);
		return;
	}
	conn_flush(c, false);
	conn_end(c, HOW_EOF);
}

/* Octets for the TLS engine. */
static void
conn_tls(struct conn *c, const char *bytes, size_t len)
{
	switch (tls_input(c->tls, bytes, len, io_time(c->io))) {
	case TLS_MORE:
		conn_settle(c);
		return;
	case TLS_CLOSED:
		tls_shutdown(c->tls, clock_now());
		conn_eof(c);
		return;
	case TLS_FAILED:
		if (*conn_how(c) == HOW_NONE)
			*conn_how(c) = HOW_ERROR;
		conn_flush(c, false);
		conn_end(c, HOW_ERROR);
		return;
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	struct io *io = c->io;
	ssize_t n = recv(fd, io->buf, sizeof io->buf, 0);
	int64_t now;
	size_t skip = 0;

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 0) {
		conn_eof(c);
		return;
	}
	if (n < 0) {
		conn_end(c, HOW_RESET);
		return;
	}
	now = io_time(io);
	if (c->tls != NULL) {
		/* The second shape of an injection: plaintext in a segment of its own. */
		if (conn_is_smtp(c) && c->session->state == ST_TLS)
			skip = session_preface(
			    c->session, io->buf, (size_t)n, "later-segment", now);
		conn_tls(c, io->buf + skip, (size_t)n - skip);
		return;
	}
	if (c->starting_tls) {
		strbuf_add(&c->first, io->buf, (size_t)n);
	} else {
		session_input(c->session, io->buf, (size_t)n, now);
	}
	conn_settle(c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	conn_settle(arg);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	c->armed_us = INT64_MAX;
	c->speech->tick(c->core, io_time(c->io));
	if (c->tls != NULL && !c->closing && !tls_established(c->tls)) {
		conn_tls(c, "", 0);
		return;
	}
	conn_settle(c);
}

struct conn *
conn_open(struct io *io, int fd, const union sockaddr_any *peer, const struct speech *speech)
{
	struct conn *c = xcalloc(1, sizeof *c);

	c->io = io;
	c->fd = fd;
	c->peer = *peer;
	c->speech = speech;
	c->core = xcalloc(1, speech->size);
	c->armed_us = INT64_MAX;
	c->next = io->all;
	if (io->all != NULL)
		io->all->prev = c;
	io->all = c;
	io->n_conns++;
	c->of_client = clients_enter(io->clients, peer);
	c->readable = event_new(io->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->timer = evtimer_new(io->base, on_timer, c);
	if (c->readable == NULL || c->timer == NULL)
		log_fatal(EXIT_CANNOT, "connection: out of memory");
	return c;
}

/* The committing thread has written and synced. */
void
on_durable(evutil_socket_t fd, short what, void *arg)
{
	struct io *io = arg;
	uint64_t durable, n;
	struct conn *c;

	(void)what;
	if (read(fd, &n, sizeof n) < 0 && errno != EAGAIN)
		log_warn("event log: eventfd: %s", strerror(errno));
	if (eventlog_failed(io->log))
		io_blind(io);
	durable = eventlog_durable(io->log);
	while ((c = io->commit_first) != NULL && c->ticket <= durable) {
		io->commit_first = c->commit_next;
		if (io->commit_first == NULL)
			io->commit_last = &io->commit_first;
		c->committing = false;
		if (c->hold.len > 0)
			conn_put(c, c->hold.s, c->hold.len);
		strbuf_clear(&c->hold);
		c->speech->committed(c->core, io_time(io));
		conn_settle(c);
	}
}
