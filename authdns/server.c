#include "authdns/server.h"

#include <errno.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/strbuf.h"

#define DRAIN_WITHIN (5 * CLOCK_SECOND)
#define ALIVE        (600 * CLOCK_SECOND)

/* --- log --- */

static struct event_origin *
log_origin(void *ctx)
{
	return eventlog_origin(((struct server *)ctx)->log);
}

static void
log_append(void *ctx, const char *line, size_t len)
{
	eventlog_append(((struct server *)ctx)->log, line, len);
}

bool
server_written(struct server *s)
{
	if (eventlog_write(s->log) == 0 && !eventlog_failed(s->log))
		return true;
	if (s->exit_code != EXIT_CANNOT)
		log_warn("event log: %s: queries are no longer answered: make room and start again",
		    eventlog_reason(s->log));
	s->exit_code = EXIT_CANNOT;
	event_base_loopbreak(s->base);
	return false;
}

static void
log_node(struct server *s, enum event_kind kind, const char *reason)
{
	struct event_line *e = &s->engine.line;

	event_begin(e, kind, eventlog_origin(s->log), clock_now());
	if (kind == EV_NODE_STOP) {
		event_str(e, EK_REASON, reason);
	} else {
		event_str(e, EK_VERSION, OUTPOST_VERSION);
		event_str(e, EK_CATALOGUE, s->zones->site->catalogue->digest);
	}
	event_end(e);
	eventlog_append(s->log, e->buf, e->len);
}

/* Who reads the logs of many nodes cannot tell a node that nobody asks from one whose log comes late. */
static void
say_alive(struct server *s)
{
	unsigned pace = s->zones->site->conf.pace;
	int64_t now = clock_monotonic();

	if (s->index != 0 || now - s->alive < ALIVE / (pace == 0 ? 1 : pace))
		return;
	s->alive = now;
	log_node(s, EV_NODE_ALIVE, NULL);
}

/* --- events of the loop --- */

static void
on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct server *s = ctx;

	(void)fd;
	(void)what;
	engine_tick(&s->engine, clock_now());
	say_alive(s);
	server_written(s);
	server_drained(s);
}

static void
on_delay(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	udp_send_delayed(ctx);
}

void
server_drained(struct server *s)
{
	if (s->draining &&
	    ((s->n_connections == 0 && s->delayed.n == 0) || clock_monotonic() > s->drain_until))
		event_base_loopbreak(s->base);
}

/* SIGTERM: stop now.  SIGHUP: the next generation reads these sockets; finish what was begun. */
static void
on_signal(evutil_socket_t fd, short what, void *ctx)
{
	struct server *s = ctx;
	struct signalfd_siginfo info;

	(void)what;
	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo != SIGHUP) {
		event_base_loopbreak(s->base);
		return;
	}
	for (unsigned i = 0; i < s->n; i++) {
		udp_close(&s->endpoint[i]);
		tcp_close(&s->endpoint[i]);
	}
	s->draining = true;
	s->drain_until = clock_monotonic() + DRAIN_WITHIN;
	tcp_close_all(s, true);
	server_drained(s);
}

/* --- life --- */

static int
open_log(struct server *s)
{
	const struct site *site = s->zones->site;
	char dir[512];
	struct eventlog_config c = { .dir = dir,
		.node = site->conf.node,
		.daemon = "authdns",
		.worker = s->index,
		.segment_max = site->conf.segment_max,
		.reserve = site->conf.segment_reserve };

	site_path(dir, site, "log", "");
	if (dir[strlen(dir) - 1] == '/')
		dir[strlen(dir) - 1] = '\0';
	s->log = eventlog_open(&c);
	return s->log != NULL ? 0 : -1;
}

static int
open_events(struct server *s)
{
	const struct timeval second = { 1, 0 };
	sigset_t mask;
	int fd;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	s->signals = fd >= 0 ? event_new(s->base, fd, EV_READ | EV_PERSIST, on_signal, s) : NULL;
	s->tick_timer = event_new(s->base, -1, EV_PERSIST, on_tick, s);
	s->delay_timer = evtimer_new(s->base, on_delay, s);
	if (s->signals == NULL || s->tick_timer == NULL || s->delay_timer == NULL ||
	    event_add(s->signals, NULL) < 0 || event_add(s->tick_timer, &second) < 0)
		return -1;
	for (unsigned i = 0; i < s->n; i++)
		if (udp_open(&s->endpoint[i]) < 0 || tcp_open(&s->endpoint[i]) < 0)
			return -1;
	return 0;
}

static void
set_endpoints(struct server *s, const struct server_config *c)
{
	for (unsigned i = 0; i < c->n && i < SERVER_SOCKETS_MAX; i++) {
		struct endpoint *e = &s->endpoint[s->n++];

		e->server = s;
		e->local = c->address[i];
		e->udp = c->udp[i];
		e->tcp = c->tcp[i];
		view_of(&e->view, s->zones, &e->local);
	}
}

static struct server *
server_new(const struct server_config *c)
{
	struct server *s = xcalloc(1, sizeof(*s));
	struct engine_log log = { log_origin, log_append, s };
	uint8_t random[16];

	s->zones = c->zones;
	s->index = c->index;
	TAILQ_INIT(&s->connections);
	snprintf(s->start, sizeof(s->start), "%llx", (unsigned long long)(clock_now() / 1000));
	if (RAND_bytes(random, sizeof(random)) != 1)
		memset(random, 0x5a, sizeof(random));
	engine_init(&s->engine, c->zones, c->signer, c->memory, c->limits, &log, random);
	s->engine.released = c->released;
	delay_init(&s->delayed, DELAYED_MAX);
	set_endpoints(s, c);
	return s;
}

static void
server_free(struct server *s)
{
	tcp_close_all(s, false);
	for (unsigned i = 0; i < s->n; i++) {
		udp_close(&s->endpoint[i]);
		tcp_close(&s->endpoint[i]);
	}
	if (s->signals != NULL) {
		close(event_get_fd(s->signals));
		event_free(s->signals);
	}
	if (s->tick_timer != NULL)
		event_free(s->tick_timer);
	if (s->delay_timer != NULL)
		event_free(s->delay_timer);
	delay_clear(&s->delayed);
	udp_batch_free(s->batch);
	free(s->tcp_out);
	if (s->base != NULL)
		event_base_free(s->base);
	free(s);
}

int
server_run(const struct server_config *c)
{
	struct server *s = server_new(c);
	int code;

	s->exit_code = EXIT_CANNOT;
	s->base = event_base_new();
	if (s->base == NULL || open_log(s) < 0)
		goto out; /* the log said why */
	if (open_events(s) < 0) {
		log_warn("worker %u: event loop: %s: raise the limit of open files", s->index,
		    strerror(errno));
		goto out;
	}
	s->exit_code = EXIT_DONE;
	log_node(s, EV_NODE_START, NULL);
	s->alive = clock_monotonic();
	if (server_written(s))
		event_base_dispatch(s->base);
	if (s->exit_code == EXIT_DONE) {
		engine_tick(&s->engine, clock_now() + CLOCK_SECOND);
		log_node(s, EV_NODE_STOP, s->draining ? "reload" : "stop");
		server_written(s);
	}
out:
	code = s->exit_code;
	eventlog_close(s->log);
	server_free(s);
	return code;
}
