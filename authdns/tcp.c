/* tcp.c - DNS over TCP (RFC 7766): pipelined queries are answered in order; a connection has a limit of
 * queries and of silence between them, and the least recently active one makes room for a new one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "authdns/server.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/strbuf.h"

#define MESSAGE_MAX 65535
#define OUT_MAX     (4 * (MESSAGE_MAX + 2))
#define NAME_MAX_   56

struct connection {
	TAILQ_ENTRY(connection) link;
	struct server *server;
	int fd;
	struct event *io, *timer; /* timer: silence, or the end of a held-back answer */
	union sockaddr_any peer, local;
	struct view view;
	unsigned queries;
	size_t used, skip; /* octets in in; octets of an over-long query still to throw away */
	uint8_t *out;      /* what the socket did not take yet */
	size_t out_len, out_sent;
	bool writing, holding, closing, ended;
	char name[NAME_MAX_];
	uint8_t in[2 + QUERY_WIRE_MAX];
};

static void
connection_free(struct connection *c)
{
	struct server *s = c->server;

	TAILQ_REMOVE(&s->connections, c, link);
	s->n_connections--;
	if (c->io != NULL)
		event_free(c->io);
	if (c->timer != NULL)
		event_free(c->timer);
	close(c->fd);
	free(c->out);
	free(c);
	server_drained(s);
}

static void
set_timer(struct connection *c, int64_t us)
{
	struct timeval tv = { us / 1000000, us % 1000000 };

	evtimer_add(c->timer, &tv);
}

static void on_io(evutil_socket_t, short, void *);

static void
watch(struct connection *c, short what)
{
	event_del(c->io);
	event_assign(c->io, c->server->base, c->fd, (short)(what | EV_PERSIST), on_io, c);
	event_add(c->io, NULL);
}

/* What does not go out now is kept.  -1: the connection is gone. */
static int
send_out(struct connection *c, const uint8_t *data, size_t len)
{
	ssize_t n = len > 0 ? send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -1;
	if (n < 0)
		n = 0;
	if ((size_t)n == len)
		return 0;
	c->out_len = len - (size_t)n;
	c->out_sent = 0;
	c->out = xmalloc(c->out_len);
	memcpy(c->out, data + n, c->out_len);
	c->writing = true;
	watch(c, EV_WRITE);
	return 0;
}

/* Keeps an answer until its time; queries behind it wait too. */
static void
hold_back(struct connection *c, const uint8_t *data, size_t len, int64_t delay_us)
{
	c->out = xmalloc(len);
	memcpy(c->out, data, len);
	c->out_len = len;
	c->out_sent = 0;
	c->holding = true;
	event_del(c->io);
	set_timer(c, delay_us);
}

/* Length of the whole query at the start of in, 0: not there yet.  *take: octets of it that are here. */
static size_t
next_query(const struct connection *c, size_t *take)
{
	size_t len;

	if (c->used < 2 || c->skip > 0)
		return 0;
	len = wire_get16(c->in);
	*take = len < QUERY_WIRE_MAX ? len : QUERY_WIRE_MAX;
	return c->used >= 2 + *take ? len : 0;
}

static void
consume(struct connection *c, size_t n)
{
	c->used -= n;
	memmove(c->in, c->in + n, c->used);
}

/* Runs the queries that are whole, as far as the buffer goes.  Returns octets of answers; *delayed: the
 * last of them, of that many octets, is to be held back. */
static size_t
run_queries(struct connection *c, size_t *delayed, int64_t *delay_us)
{
	struct server *s = c->server;
	size_t at = 0, len, take;

	*delayed = 0;
	while (at + 2 + MESSAGE_MAX <= OUT_MAX && *delayed == 0 && !c->closing) {
		struct query_in in = { .wire = c->in + 2,
			.peer = &c->peer,
			.local = &c->local,
			.view = &c->view,
			.tcp = true,
			.may_delay = true,
			.conn = c->name,
			.now_us = clock_now() };
		struct query_out out = { .buf = s->tcp_out + at + 2, .cap = MESSAGE_MAX };

		if (c->used >= 2 && c->skip == 0 && wire_get16(c->in) == 0)
			c->closing = true;
		if (c->closing || (len = next_query(c, &take)) == 0)
			break;
		in.len = len;
		query_run(&s->engine, &in, &out);
		consume(c, 2 + take);
		c->skip = len - take;
		if (++c->queries >= s->zones->site->conf.dns_tcp_queries)
			c->closing = true;
		TAILQ_REMOVE(&s->connections, c, link);
		TAILQ_INSERT_TAIL(&s->connections, c, link);
		set_timer(c, s->zones->site->conf.dns_tcp_idle);
		if (out.len == 0)
			continue;
		wire_put16(s->tcp_out + at, (unsigned)out.len);
		at += 2 + out.len;
		if (out.delay_us > 0) {
			*delayed = 2 + out.len;
			*delay_us = out.delay_us;
		}
	}
	return at;
}

static void
discard(struct connection *c)
{
	size_t n = c->skip < c->used ? c->skip : c->used;

	consume(c, n);
	c->skip -= n;
}

/* Answers what is there until the connection must wait for something. */
static void
work(struct connection *c)
{
	struct server *s = c->server;
	size_t len, delayed, take;
	int64_t delay_us = 0;

	do {
		discard(c);
		len = run_queries(c, &delayed, &delay_us);
		if (!server_written(s))
			return;
		if (send_out(c, s->tcp_out, len - delayed) < 0) {
			connection_free(c);
			return;
		}
		if (delayed > 0 && !c->writing)
			hold_back(c, s->tcp_out + len - delayed, delayed, delay_us);
		else if (delayed > 0) { /* a client that does not read: no use in waiting for it */
			connection_free(c);
			return;
		}
		discard(c);
	} while (!c->writing && !c->holding && !c->closing && next_query(c, &take) > 0);
	if (!c->writing && !c->holding && (c->closing || c->ended))
		connection_free(c);
}

static void
go_on_writing(struct connection *c)
{
	ssize_t n = send(
	    c->fd, c->out + c->out_sent, c->out_len - c->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		connection_free(c);
		return;
	}
	c->out_sent += (size_t)n;
	if (c->out_sent < c->out_len)
		return;
	free(c->out);
	c->out = NULL;
	c->writing = false;
	watch(c, EV_READ);
	work(c);
}

static void
on_io(evutil_socket_t fd, short what, void *ctx)
{
	struct connection *c = ctx;
	ssize_t n;

	if ((what & EV_WRITE) != 0) {
		go_on_writing(c);
		return;
	}
	n = recv(fd, c->in + c->used, sizeof(c->in) - c->used, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		connection_free(c);
		return;
	}
	/* a half-closed client still gets the answers to what it sent */
	c->ended = n == 0;
	c->used += (size_t)n;
	work(c);
}

static void
on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct connection *c = ctx;
	uint8_t *out = c->out;
	size_t len = c->out_len;

	(void)fd;
	(void)what;
	if (!c->holding) {
		connection_free(c);
		return;
	}
	c->holding = false;
	c->out = NULL;
	watch(c, EV_READ);
	set_timer(c, c->server->zones->site->conf.dns_tcp_idle);
	if (send_out(c, out, len) < 0)
		connection_free(c);
	else if (!c->writing)
		work(c);
	free(out);
}

static void
connection_new(struct endpoint *e, int fd, const union sockaddr_any *peer)
{
	struct server *s = e->server;
	struct connection *c = xcalloc(1, sizeof(*c));
	socklen_t len = sizeof(c->local);

	c->server = s;
	c->fd = fd;
	c->peer = *peer;
	c->local = e->local;
	getsockname(fd, &c->local.sa, &len);
	if (e->local.sa.sa_family == AF_INET6)
		view_of(&c->view, s->zones, &c->local);
	else
		c->view = e->view;
	snprintf(c->name, sizeof(c->name), "%u-%s-%llx", s->index, s->start,
	    (unsigned long long)++s->counter);
	TAILQ_INSERT_TAIL(&s->connections, c, link);
	s->n_connections++;
	c->io = event_new(s->base, fd, EV_READ | EV_PERSIST, on_io, c);
	c->timer = evtimer_new(s->base, on_timer, c);
	if (c->io == NULL || c->timer == NULL || event_add(c->io, NULL) < 0) {
		connection_free(c);
		return;
	}
	set_timer(c, s->zones->site->conf.dns_tcp_idle);
}

/* Gives up the connection that has been silent longest. */
static void
make_room(struct server *s)
{
	struct connection *c = TAILQ_FIRST(&s->connections);

	if (c != NULL)
		connection_free(c);
}

static void
on_accept(evutil_socket_t fd, short what, void *ctx)
{
	struct endpoint *e = ctx;
	struct server *s = e->server;

	(void)what;
	for (unsigned i = 0; i < 64; i++) {
		union sockaddr_any peer;
		socklen_t len = sizeof(peer);
		int client = accept4(fd, &peer.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (client < 0 && (errno == EMFILE || errno == ENFILE) && s->n_connections > 0) {
			make_room(s);
			continue;
		}
		if (client < 0)
			return;
		if (s->n_connections >= s->zones->site->conf.dns_tcp_max)
			make_room(s);
		connection_new(e, client, &peer);
	}
}

int
tcp_open(struct endpoint *e)
{
	struct server *s = e->server;

	if (s->tcp_out == NULL)
		s->tcp_out = xmalloc(OUT_MAX);
	e->tcp_event = event_new(s->base, e->tcp, EV_READ | EV_PERSIST, on_accept, e);
	return e->tcp_event != NULL ? event_add(e->tcp_event, NULL) : -1;
}

void
tcp_close(struct endpoint *e)
{
	if (e->tcp_event != NULL)
		event_free(e->tcp_event);
	e->tcp_event = NULL;
}

void
tcp_close_all(struct server *s, bool idle_only)
{
	struct connection *c, *next;

	for (c = TAILQ_FIRST(&s->connections); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (!idle_only || (!c->writing && !c->holding && c->used == 0))
			connection_free(c);
	}
}
