/* accept.c - see conn.h: where connections come from, and what is refused. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "provisioning/address.h"
#include "smtpd/conn.h"

#define ACCEPT_BATCH 64
#define ACCEPT_PAUSE                                                                               \
	{                                                                                          \
		0, 100000                                                                          \
	} /* out of descriptors: listen again after this */
#define COMPLAIN_EVERY (60 * CLOCK_SECOND)

/* --- accepting ------------------------------------------------------------------------------------- */

/* At most a line a minute about what we cannot take. */
static void
complain(struct io *io, const char *limit)
{
	int64_t now = clock_now();

	if (now - io->complained_us < COMPLAIN_EVERY)
		return;
	io->complained_us = now;
	accept_refused(io);
	log_warn("accept: %u connections are as many as %s allows: raise it", io->n_conns, limit);
}

/* Too many: counted, and said to SMTP clients. */
static void
refuse(struct io *io, int fd, bool is_https)
{
	static const char full[] = "421 4.3.2 Too many connections, try again later\r\n";

	io->refused++;
	if (!is_https && send(fd, full, sizeof full - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		errno = 0;
	close(fd);
}

void
accept_refused(struct io *io)
{
	if (io->refused == 0)
		return;
	event_begin(&io->line, EV_SMTP_REFUSED, eventlog_origin(io->log), clock_now());
	event_num(&io->line, EK_COUNT, (int64_t)io->refused);
	event_end(&io->line);
	eventlog_append(io->log, io->line.buf, io->line.len);
	io->refused = 0;
}

static void
https_start(struct conn *c, const char *id, const union sockaddr_any *local, int64_t now)
{
	web_init(c->web, &c->io->env, c, id, &c->peer, local, now);
	web_start(c->web, now);
	if (conn_begin_tls(c) == -1)
		conn_end(c, HOW_ERROR);
	else if (c->of_client > c->io->config->site->conf.smtp_per_client)
		conn_end(c, HOW_OURS);
	else
		conn_settle(c);
}

/* The address names a participant that has had its events of this hour. */
static bool
is_over(const struct io *io, const union sockaddr_any *local, int64_t now)
{
	const struct site *site = io->config->site;
	struct address_parts parts;

	return local->sa.sa_family == AF_INET6 && site->has_ipv6 &&
	       address_split(&parts, &local->in6.sin6_addr, &site->prefix) && parts.id != 0 &&
	       quota_over(io->config->quota, parts.id, now);
}

static void
conn_new(struct listener *l, int fd, const union sockaddr_any *peer)
{
	struct io *io = l->io;
	const struct site_conf *conf = &io->config->site->conf;
	union sockaddr_any local = l->local;
	socklen_t len = sizeof local;
	struct conn *c;
	char id[64];
	int64_t now = clock_now();
	ssize_t n;

	if (l->v6 && getsockname(fd, &local.sa, &len) < 0) {
		close(fd);
		return;
	}
	if (io->n_conns >= conf->smtp_max)
		complain(io, "smtp-max");
	if (io->n_conns >= conf->smtp_max || is_over(io, &local, now)) {
		refuse(io, fd, l->https);
		return;
	}
	c = conn_open(io, fd, peer, l->https ? &speech_https : &speech_smtp);
	snprintf(id, sizeof id, "%s%" PRIu64, io->id, ++io->counter);
	if (l->https) {
		https_start(c, id, &local, now);
		return;
	}
	session_init(c->session, &io->env, c, id, peer, &local, now);
	/* A client that talks before the greeting is there has been quick: look. */
	n = recv(fd, io->buf, sizeof io->buf, MSG_DONTWAIT);
	session_start(
	    c->session, io->buf, n > 0 ? (size_t)n : 0, c->of_client > conf->smtp_per_client, now);
	if (n == 0) {
		conn_end(c, HOW_EOF);
		return;
	}
	conn_settle(c);
}

void
accept_all(struct io *io, bool on)
{
	for (unsigned i = 0; i < io->config->n_fds; i++) {
		if (on)
			event_add(io->listeners[i].ev, NULL);
		else
			event_del(io->listeners[i].ev);
	}
}

/* Out of descriptors: the spare one takes the connection so that it can be refused, then a pause. */
static void
out_of_descriptors(struct listener *l)
{
	static const struct timeval pause = ACCEPT_PAUSE;
	struct io *io = l->io;
	int fd;

	complain(io, "the limit of open files");
	close(io->spare_fd);
	fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	io->spare_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	accept_all(io, false);
	event_add(io->relisten_ev, &pause);
}

void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;
	union sockaddr_any peer;
	socklen_t len;
	int client;

	(void)what;
	for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
		len = sizeof peer;
		client = accept4(fd, &peer.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client >= 0) {
			conn_new(l, client, &peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			out_of_descriptors(l);
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

void
on_relisten(evutil_socket_t fd, short what, void *arg)
{
	struct io *io = arg;

	(void)fd;
	(void)what;
	if (!io->draining)
		accept_all(io, true);
}
