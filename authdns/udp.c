/* udp.c - batches of datagrams: read up to 64, answer them into buffers, write the log, send them; drain
 * until a batch is short.  libevent only says that something is readable. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "authdns/server.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/strbuf.h"

#define BATCH       64
#define BATCHES_MAX 16 /* a callback; then TCP has its turn */
#define CONTROL_MAX 64

struct udp_batch {
	struct mmsghdr in[BATCH], out[BATCH];
	struct iovec in_iov[BATCH], out_iov[BATCH];
	union sockaddr_any peer[BATCH], local[BATCH];
	_Alignas(struct cmsghdr) uint8_t in_control[BATCH][CONTROL_MAX],
	    out_control[BATCH][CONTROL_MAX];
	uint8_t query[BATCH][QUERY_WIRE_MAX], answer[BATCH][DNS_UDP_MAX];
};

static void
prepare_read(struct udp_batch *b)
{
	for (unsigned i = 0; i < BATCH; i++) {
		struct msghdr *m = &b->in[i].msg_hdr;

		b->in_iov[i] = (struct iovec){ b->query[i], QUERY_WIRE_MAX };
		m->msg_name = &b->peer[i];
		m->msg_namelen = sizeof(b->peer[i]);
		m->msg_iov = &b->in_iov[i];
		m->msg_iovlen = 1;
		m->msg_control = b->in_control[i];
		m->msg_controllen = CONTROL_MAX;
		m->msg_flags = 0;
	}
}

/* The address that the datagram was sent to. */
static void
local_address(union sockaddr_any *dst, struct msghdr *m, const struct endpoint *e)
{
	*dst = e->local;
	if (e->local.sa.sa_family != AF_INET6)
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			dst->in6.sin6_addr = info.ipi6_addr;
			dst->in6.sin6_scope_id = info.ipi6_ifindex;
		}
}

/* Sends from that address: a resolver takes an answer from no other. */
static void
set_source(struct msghdr *m, uint8_t *control, const union sockaddr_any *local)
{
	struct cmsghdr *c;
	struct in6_pktinfo info;

	m->msg_control = NULL;
	m->msg_controllen = 0;
	if (local->sa.sa_family != AF_INET6)
		return;
	memset(&info, 0, sizeof(info));
	info.ipi6_addr = local->in6.sin6_addr;
	if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
		info.ipi6_ifindex = local->in6.sin6_scope_id;
	memset(control, 0, CONTROL_MAX);
	m->msg_control = control;
	m->msg_controllen = CMSG_SPACE(sizeof(info));
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
}

static void
set_out(struct udp_batch *b, unsigned i, const union sockaddr_any *peer,
    const union sockaddr_any *local, const uint8_t *data, size_t len)
{
	struct msghdr *m = &b->out[i].msg_hdr;

	b->out_iov[i] = (struct iovec){ (void *)(uintptr_t)data, len };
	memset(m, 0, sizeof(*m));
	m->msg_name = (void *)(uintptr_t)peer;
	m->msg_namelen = peer->sa.sa_family == AF_INET6 ? sizeof(peer->in6) : sizeof(peer->in);
	m->msg_iov = &b->out_iov[i];
	m->msg_iovlen = 1;
	set_source(m, b->out_control[i], local);
}

static void
send_batch(const struct endpoint *e, struct udp_batch *b, unsigned n)
{
	unsigned sent = 0;

	while (sent < n) {
		int rc = sendmmsg(e->udp, b->out + sent, n - sent, MSG_DONTWAIT);

		if (rc > 0)
			sent += (unsigned)rc;
		else if (rc < 0 && errno == EINTR)
			continue;
		else
			sent++; /* this one cannot be sent: as if the network had lost it */
	}
}

static void
hold_back(struct endpoint *e, const struct query_in *in, const struct query_out *out)
{
	struct server *s = e->server;
	struct delayed *d = delay_add(&s->delayed, clock_monotonic() + out->delay_us);

	d->socket = e;
	d->peer = *in->peer;
	d->local = *in->local;
	d->len = out->len;
	memcpy(d->data, out->buf, out->len);
}

static void
arm_delay_timer(struct server *s)
{
	const struct delayed *d = delay_first(&s->delayed);
	int64_t wait;
	struct timeval tv;

	if (d == NULL)
		return;
	wait = d->due_us - clock_monotonic();
	if (wait < 0)
		wait = 0;
	tv = (struct timeval){ wait / 1000000, wait % 1000000 };
	evtimer_add(s->delay_timer, &tv);
}

/* Answers to n datagrams; returns how many are in b->out. */
static unsigned
answer_batch(struct endpoint *e, struct udp_batch *b, unsigned n)
{
	struct server *s = e->server;
	int64_t now = clock_now();
	unsigned ready = 0;

	for (unsigned i = 0; i < n; i++) {
		struct view view;
		struct query_in in = { .wire = b->query[i],
			.len = b->in[i].msg_len,
			.peer = &b->peer[i],
			.local = &b->local[i],
			.view = &e->view,
			.now_us = now,
			.may_delay = !delay_full(&s->delayed) };
		struct query_out out = { .buf = b->answer[i], .cap = DNS_UDP_MAX };

		local_address(&b->local[i], &b->in[i].msg_hdr, e);
		if (e->local.sa.sa_family == AF_INET6) {
			view_of(&view, s->zones, &b->local[i]);
			in.view = &view;
		}
		query_run(&s->engine, &in, &out);
		if (out.len == 0)
			continue;
		if (out.delay_us > 0)
			hold_back(e, &in, &out);
		else
			set_out(b, ready++, in.peer, in.local, out.buf, out.len);
	}
	return ready;
}

static void
on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct endpoint *e = ctx;
	struct udp_batch *b = e->server->batch;

	(void)what;
	for (unsigned k = 0; k < BATCHES_MAX; k++) {
		unsigned ready;
		int n;

		prepare_read(b);
		n = recvmmsg(fd, b->in, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
		if (n <= 0)
			break;
		ready = answer_batch(e, b, (unsigned)n);
		if (!server_written(e->server))
			return;
		send_batch(e, b, ready);
		if (n < BATCH)
			break;
	}
	arm_delay_timer(e->server);
}

void
udp_send_delayed(struct server *s)
{
	int64_t now = clock_monotonic();
	const struct delayed *d;

	while ((d = delay_first(&s->delayed)) != NULL && d->due_us <= now) {
		set_out(s->batch, 0, &d->peer, &d->local, d->data, d->len);
		send_batch(d->socket, s->batch, 1);
		delay_remove_first(&s->delayed);
	}
	arm_delay_timer(s);
	server_drained(s);
}

int
udp_open(struct endpoint *e)
{
	struct server *s = e->server;

	if (s->batch == NULL)
		s->batch = xcalloc(1, sizeof(*s->batch));
	e->udp_event = event_new(s->base, e->udp, EV_READ | EV_PERSIST, on_readable, e);
	return e->udp_event != NULL ? event_add(e->udp_event, NULL) : -1;
}

void
udp_close(struct endpoint *e)
{
	if (e->udp_event != NULL)
		event_free(e->udp_event);
	e->udp_event = NULL;
}

void
udp_batch_free(struct udp_batch *b)
{
	free(b);
}
