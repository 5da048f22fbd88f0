/* io.c - see io.h. */
#include "smtpd/io.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/eventlog.h"
#include "lib/log.h"
#include "smtpd/clients.h"
#include "smtpd/web.h"

#define READ_MAX     65536
#define ACCEPT_BATCH 64
#define OUT_KEEP     2048 /* memory of an output buffer that is kept between turns */
#define ACCEPT_PAUSE                                                                               \
	{                                                                                          \
		0, 100000                                                                          \
	} /* out of descriptors: listen again after this */
#define COMPLAIN_EVERY (60 * CLOCK_SECOND)

struct io;

/* What a connection speaks. */
struct speech {
	const struct tls_user *tls;
	void (*tick)(void *, int64_t now_us);
	int64_t (*deadline)(const void *);
	void (*committed)(void *, int64_t now_us);
	void (*end)(void *, enum session_how, int64_t now_us);
	void (*clear)(void *);
	void (*shift)(void *, int64_t us);
};

struct conn {
	union {
		struct session session;
		struct web web;
	};
	const struct speech *speech;
	struct io *io;
	union sockaddr_any peer;
	unsigned of_client; /* connections of this address when it came */
	int fd;
	struct event *readable, *timer;
	struct event *writable; /* made when a client does not read */
	int64_t armed_us;       /* when timer fires; INT64_MAX: not armed */
	struct tls *tls;
	struct strbuf out;  /* octets for the socket */
	struct strbuf hold; /* replies that wait for the disk, or for STARTTLS to begin */
	uint64_t ticket;    /* of the last event */
	bool committing, closing, reset, shut, reading, starting_tls, eof;
	struct strbuf first;      /* octets that came behind STARTTLS */
	struct conn *next, *prev; /* all */
	struct conn *commit_next; /* waiting for the disk, in order of tickets */
};

struct listener {
	struct io *io;
	struct event *ev;
	int fd;
	bool v6, https;
	union sockaddr_any local;
};

struct io {
	const struct io_config *config;
	struct session_env env;
	struct event_base *base;
	struct eventlog *log;
	struct event_line line;
	struct listener *listeners;
	struct event *commit_ev, *term_ev, *hup_ev, *relisten_ev;
	struct clients *clients;
	struct mint *mint;
	struct conn *all;
	struct conn *commit_first, **commit_last;
	unsigned n_conns;
	uint64_t counter;
	char id[40]; /* prefix of connection names */
	int spare_fd, code;
	int64_t complained_us;
	int64_t ahead_us; /* of the wall clock before the monotonic one */
	uint64_t refused; /* since the last event that says so */
	bool draining;
	char buf[READ_MAX];
};

/* --- what the session asks for ----------------------------------------------------------------------- */

static void
put(struct conn *c, const char *bytes, size_t len)
{
	if (c->tls == NULL)
		strbuf_add(&c->out, bytes, len);
	else
		tls_write(c->tls, bytes, len, clock_now());
}

static void
op_reply(void *ctx, const char *bytes, size_t len)
{
	struct conn *c = ctx;

	if (c->committing)
		strbuf_add(&c->hold, bytes, len);
	else
		put(c, bytes, len);
}

static void
op_commit(void *ctx)
{
	struct conn *c = ctx;

	if (c->committing)
		return;
	c->committing = true;
	c->commit_next = NULL;
	*c->io->commit_last = c;
	c->io->commit_last = &c->commit_next;
	eventlog_hurry(c->io->log);
}

static void
op_start_tls(void *ctx, const char *bytes, size_t len)
{
	struct conn *c = ctx;

	c->starting_tls = true;
	if (len > 0)
		strbuf_add(&c->first, bytes, len);
}

static void
op_close(void *ctx, bool reset)
{
	struct conn *c = ctx;

	c->closing = true;
	c->reset = c->reset || reset;
}

static struct event_origin *
op_origin(void *ctx)
{
	return eventlog_origin(((struct conn *)ctx)->io->log);
}

static void
op_event(void *ctx, const char *line, size_t len)
{
	struct conn *c = ctx;
	uint64_t ticket = eventlog_append(c->io->log, line, len);

	if (ticket != 0) {
		c->ticket = ticket;
		return;
	}
	/* Blind measurement is worse than none. */
	log_warn("event log: %s: serving stops; free space or repair the disk, then start again",
	    eventlog_reason(c->io->log));
	_exit(EXIT_CANNOT);
}

static const struct session_ops ops = {
	.reply = op_reply,
	.commit = op_commit,
	.start_tls = op_start_tls,
	.close = op_close,
	.origin = op_origin,
	.event = op_event,
};

/* --- what is spoken ---------------------------------------------------------------------------------- */

static void
smtp_tick(void *s, int64_t now_us)
{
	session_tick(s, now_us);
}

static int64_t
smtp_deadline(const void *s)
{
	return session_deadline(s);
}

static void
smtp_committed(void *s, int64_t now_us)
{
	session_committed(s, now_us);
}

static void
smtp_end(void *s, enum session_how how, int64_t now_us)
{
	session_end(s, how, now_us);
}

static void
smtp_clear(void *s)
{
	session_clear(s);
}

static void
smtp_shift(void *s, int64_t us)
{
	session_shift(s, us);
}

static const struct speech smtp = { &tls_of_session, smtp_tick, smtp_deadline, smtp_committed,
	smtp_end, smtp_clear, smtp_shift };

static void
https_tick(void *w, int64_t now_us)
{
	web_tick(w, now_us);
}

static int64_t
https_deadline(const void *w)
{
	return web_deadline(w);
}

static void
https_committed(void *w, int64_t now_us)
{
	web_committed(w, now_us);
}

static void
https_end(void *w, enum session_how how, int64_t now_us)
{
	web_end(w, how, now_us);
}

static void
https_clear(void *w)
{
	web_clear(w);
}

static void
https_shift(void *w, int64_t us)
{
	web_shift(w, us);
}

static const struct speech https = { &tls_of_web, https_tick, https_deadline, https_committed,
	https_end, https_clear, https_shift };

static bool
is_smtp(const struct conn *c)
{
	return c->speech == &smtp;
}

/* Why the connection ends, if the core knows already. */
static enum session_how *
how_of(struct conn *c)
{
	return is_smtp(c) ? &c->session.how : &c->web.how;
}

/* --- time -------------------------------------------------------------------------------------------- */

/* The wall clock, which is what observations tell.  When somebody sets it, what was begun is taken to have
 * begun so much later or earlier: no wait and no time limit becomes longer or shorter by it. */
static int64_t
time_now(struct io *io)
{
	int64_t now = clock_now(), ahead = now - clock_monotonic(), jump = ahead - io->ahead_us;

	if (jump > CLOCK_SECOND || jump < -CLOCK_SECOND) {
		io->ahead_us = ahead;
		for (struct conn *c = io->all; c != NULL; c = c->next) {
			c->speech->shift(&c->session, jump);
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
	c->speech->clear(&c->session);
	close(c->fd);
	strbuf_clear(&c->out);
	strbuf_clear(&c->hold);
	strbuf_clear(&c->first);
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
static void
conn_end(struct conn *c, enum session_how how)
{
	static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	if (c->reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	if (c->tls != NULL && !tls_established(c->tls) && *how_of(c) == HOW_NONE)
		c->speech->tls->failed(
		    &c->session, "connection closed during the handshake", clock_now());
	c->speech->end(&c->session, how, clock_now());
	conn_free(c);
}

/* -1: the connection is gone. */
static int
conn_flush(struct conn *c)
{
	ssize_t n;

	if (c->out.len == 0)
		return 0;
	n = send(c->fd, c->out.s, c->out.len, MSG_NOSIGNAL);
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
	int64_t now = time_now(c->io), at = c->speech->deadline(&c->session), wait;
	struct timeval tv;

	/* A timer that fires too early only asks again: deadlines mostly move away. */
	if (at >= c->armed_us)
		return;
	wait = at - now;
	if (wait < 0)
		wait = 0;
	tv.tv_sec = (time_t)(wait / CLOCK_SECOND);
	tv.tv_usec = (suseconds_t)(wait % CLOCK_SECOND);
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
	if (c->reset || (c->tls == NULL && *how_of(c) == HOW_QUIT)) {
		conn_end(c, HOW_OURS);
		return true;
	}
	/* Others are given time to say close_notify, or to read: closing with octets unread would be a
	 * reset and could destroy our last reply. */
	if (!c->shut) {
		c->shut = true;
		if (c->tls != NULL) {
			tls_shutdown(c->tls, clock_now());
			if (conn_flush(c) == -1) {
				conn_end(c, HOW_RESET);
				return true;
			}
		}
		if (c->out.len == 0)
			shutdown(c->fd, SHUT_WR);
	}
	return false;
}

/* After every call into the session; the connection may be gone when it returns. */
static void
conn_settle(struct conn *c)
{
	if (eventlog_failed(c->io->log))
		op_event(c, "", 0);
	if (c->reset && c->closing) {
		conn_end(c, HOW_OURS);
		return;
	}
	if (conn_flush(c) == -1) {
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
			c->tls = tls_new(c->io->config->tls, c->speech->tls, &c->session, &c->out);
			if (c->tls == NULL) {
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
	conn_watch(c, !c->eof && (c->closing || !is_smtp(c) || !session_full(&c->session)));
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
	conn_flush(c);
	conn_end(c, HOW_EOF);
}

/* Octets for the TLS engine. */
static void
conn_tls(struct conn *c, const char *bytes, size_t len)
{
	switch (tls_input(c->tls, bytes, len, time_now(c->io))) {
	case TLS_MORE:
		conn_settle(c);
		return;
	case TLS_CLOSED:
		tls_shutdown(c->tls, clock_now());
		conn_eof(c);
		return;
	case TLS_FAILED:
		if (*how_of(c) == HOW_NONE)
			*how_of(c) = HOW_ERROR;
		conn_flush(c);
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
	now = time_now(io);
	if (c->tls != NULL) {
		/* The second shape of an injection: plaintext in a segment of its own. */
		if (is_smtp(c) && c->session.state == ST_TLS && c->session.stage < STAGE_HELLO)
			skip = session_preface(
			    &c->session, io->buf, (size_t)n, "later-segment", now);
		conn_tls(c, io->buf + skip, (size_t)n - skip);
		return;
	}
	if (c->starting_tls) {
		strbuf_add(&c->first, io->buf, (size_t)n);
	} else {
		session_input(&c->session, io->buf, (size_t)n, now);
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
	c->speech->tick(&c->session, time_now(c->io));
	if (c->tls != NULL && !c->closing && !tls_established(c->tls)) {
		conn_tls(c, "", 0);
		return;
	}
	conn_settle(c);
}

/* The committing thread has written and synced. */
static void
on_durable(evutil_socket_t fd, short what, void *arg)
{
	struct io *io = arg;
	uint64_t durable, n;
	struct conn *c;

	(void)what;
	if (read(fd, &n, sizeof n) < 0 && errno != EAGAIN)
		log_warn("event log: eventfd: %s", strerror(errno));
	if (eventlog_failed(io->log)) {
		log_warn(
		    "event log: %s: serving stops; free space or repair the disk, then start again",
		    eventlog_reason(io->log));
		_exit(EXIT_CANNOT);
	}
	durable = eventlog_durable(io->log);
	while ((c = io->commit_first) != NULL && c->ticket <= durable) {
		io->commit_first = c->commit_next;
		if (io->commit_first == NULL)
			io->commit_last = &io->commit_first;
		c->committing = false;
		if (c->hold.len > 0)
			put(c, c->hold.s, c->hold.len);
		strbuf_clear(&c->hold);
		c->speech->committed(&c->session, time_now(io));
		conn_settle(c);
	}
}

/* --- accepting ------------------------------------------------------------------------------------- */

/* At most a line a minute about what we cannot take. */
static void refused_event(struct io *);

static void
complain(struct io *io, const char *limit)
{
	int64_t now = clock_now();

	if (now - io->complained_us < COMPLAIN_EVERY)
		return;
	io->complained_us = now;
	refused_event(io);
	log_warn("accept: %u connections are as many as %s allows: raise it", io->n_conns, limit);
}

/* Too many: counted, and said to SMTP clients. */
static void
refuse(struct io *io, int fd, bool is_https)
{
	static const char full[] = "421 4.3.2 Too many connections, try again later\r\n";

	io->refused++;
	complain(io, "smtp-max");
	if (!is_https && send(fd, full, sizeof full - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		errno = 0;
	close(fd);
}

static void
refused_event(struct io *io)
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
	web_init(&c->web, &c->io->env, c, id, &c->peer, local, now);
	web_start(&c->web, now);
	c->tls = tls_new(c->io->config->tls, &tls_of_web, &c->web, &c->out);
	if (c->tls == NULL)
		conn_end(c, HOW_ERROR);
	else if (c->of_client > c->io->config->site->conf.smtp_per_client)
		conn_end(c, HOW_OURS);
	else
		conn_settle(c);
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
	unsigned of_client;
	int64_t now = clock_now();
	ssize_t n;

	if (l->v6 && getsockname(fd, &local.sa, &len) < 0) {
		close(fd);
		return;
	}
	if (io->n_conns >= conf->smtp_max) {
		refuse(io, fd, l->https);
		return;
	}
	c = xcalloc(1, sizeof *c);
	c->io = io;
	c->fd = fd;
	c->peer = *peer;
	c->speech = l->https ? &https : &smtp;
	c->armed_us = INT64_MAX;
	c->next = io->all;
	if (io->all != NULL)
		io->all->prev = c;
	io->all = c;
	io->n_conns++;
	of_client = c->of_client = clients_enter(io->clients, peer);
	snprintf(id, sizeof id, "%s%" PRIu64, io->id, ++io->counter);
	c->readable = event_new(io->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->timer = evtimer_new(io->base, on_timer, c);
	if (c->readable == NULL || c->timer == NULL)
		log_fatal(EXIT_CANNOT, "connection: out of memory");
	if (l->https) {
		https_start(c, id, &local, now);
		return;
	}
	session_init(&c->session, &io->env, c, id, peer, &local, now);
	/* A client that talks before the greeting is there has been quick: look. */
	n = recv(fd, io->buf, sizeof io->buf, MSG_DONTWAIT);
	session_start(
	    &c->session, io->buf, n > 0 ? (size_t)n : 0, of_client > conf->smtp_per_client, now);
	if (n == 0) {
		conn_end(c, HOW_EOF);
		return;
	}
	conn_settle(c);
}

static void
listen_all(struct io *io, bool on)
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
	listen_all(io, false);
	event_add(io->relisten_ev, &pause);
}

static void
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

static void
on_relisten(evutil_socket_t fd, short what, void *arg)
{
	struct io *io = arg;

	(void)fd;
	(void)what;
	if (!io->draining)
		listen_all(io, true);
}

static void
on_signal(evutil_socket_t number, short what, void *arg)
{
	struct io *io = arg;

	(void)what;
	io->draining = true;
	listen_all(io, false);
	if (number == SIGTERM || io->n_conns == 0)
		event_base_loopbreak(io->base);
}

/* --- a worker ------------------------------------------------------------------------------------ */

static void
node_event(struct io *io, enum event_kind kind, const char *reason)
{
	event_begin(&io->line, kind, eventlog_origin(io->log), clock_now());
	if (kind == EV_NODE_START) {
		event_str(&io->line, EK_VERSION, OUTPOST_VERSION);
		event_str(&io->line, EK_CATALOGUE, io->config->site->catalogue->digest);
	}
	event_str(&io->line, EK_REASON, reason);
	event_end(&io->line);
	eventlog_append(io->log, io->line.buf, io->line.len);
}

static int
io_open(struct io *io)
{
	const struct io_config *c = io->config;
	const struct site_conf *conf = &c->site->conf;
	char dir[512];
	struct eventlog_config lc = { .node = conf->node,
		.daemon = c->program,
		.worker = c->worker,
		.segment_max = conf->segment_max,
		.reserve = conf->segment_reserve,
		.dir = dir };
	sigset_t set;
	int fd;

	site_path(dir, c->site, "log", "");
	io->log = eventlog_open(&lc);
	if (io->log == NULL)
		return -1;
	io->base = event_base_new();
	fd = eventlog_committer(io->log);
	if (io->base == NULL || fd == -1)
		return -1;
	io->commit_last = &io->commit_first;
	io->ahead_us = clock_now() - clock_monotonic();
	io->spare_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	io->env = (struct session_env){ .site = c->site, .ops = &ops, .line = &io->line };
	phase_memory_init(&io->env.memory, c->site, c->memory);
	io->mint = mint_new(c->mint);
	tls_contexts_set_mint(c->tls, io->mint);
	io->clients = clients_new(conf->smtp_max, io->env.memory.key);
	io->env.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	snprintf(io->id, sizeof io->id, "%u-%" PRIx64 "-", c->worker, (uint64_t)clock_now());
	io->commit_ev = event_new(io->base, fd, EV_READ | EV_PERSIST, on_durable, io);
	io->term_ev = evsignal_new(io->base, SIGTERM, on_signal, io);
	io->hup_ev = evsignal_new(io->base, SIGHUP, on_signal, io);
	io->relisten_ev = evtimer_new(io->base, on_relisten, io);
	event_add(io->commit_ev, NULL);
	event_add(io->term_ev, NULL);
	event_add(io->hup_ev, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	io->listeners = xcalloc(c->n_fds, sizeof *io->listeners);
	for (unsigned i = 0; i < c->n_fds; i++) {
		struct listener *l = &io->listeners[i];
		socklen_t len = sizeof l->local;

		l->io = io;
		l->fd = c->fds[i];
		if (getsockname(l->fd, &l->local.sa, &len) < 0)
			return -1;
		l->https = i >= c->n_fds - c->n_https;
		l->v6 = l->local.sa.sa_family == AF_INET6;
		l->ev = event_new(io->base, l->fd, EV_READ | EV_PERSIST, on_accept, l);
	}
	listen_all(io, true);
	return 0;
}

static void
io_close(struct io *io)
{
	struct conn *c, *next;

	for (c = io->all; c != NULL; c = next) {
		next = c->next;
		io->draining = false; /* no loop to break any more */
		conn_end(c, HOW_OURS);
	}
	refused_event(io);
	node_event(io, EV_NODE_STOP, "stopped");
	eventlog_close(io->log);
	for (unsigned i = 0; i < io->config->n_fds; i++)
		event_free(io->listeners[i].ev);
	event_free(io->commit_ev);
	event_free(io->term_ev);
	event_free(io->hup_ev);
	event_free(io->relisten_ev);
	event_base_free(io->base);
	clients_free(io->clients);
	mint_free(io->mint);
	EVP_MD_free((EVP_MD *)io->env.sha256);
	close(io->spare_fd);
	free(io->listeners);
}

int
io_run(const struct io_config *config)
{
	struct io *io = xcalloc(1, sizeof *io);

	io->config = config;
	io->code = EXIT_DONE;
	if (io_open(io) == -1) {
		log_warn("worker %u: could not start", config->worker);
		return EXIT_CANNOT;
	}
	node_event(io, EV_NODE_START, NULL);
	event_base_dispatch(io->base);
	io_close(io);
	free(io);
	return EXIT_DONE;
}
