/* io.c - see io.h: a worker from its start to its end. */
#include "smtpd/io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "smtpd/conn.h"

static void
on_signal(evutil_socket_t number, short what, void *arg)
{
	struct io *io = arg;

	(void)what;
	io->draining = true;
	accept_all(io, false);
	if (number == SIGTERM || io->n_conns == 0)
		event_base_loopbreak(io->base);
}

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
	io->env = (struct session_env){
		.site = c->site, .ops = &conn_ops, .line = &io->line, .judged = c->handover != NULL
	};
	if (c->handover != NULL)
		handover_worker(c->handover, c->worker);
	phase_memory_init(&io->env.memory, c->site, c->memory);
	io->env.released = c->released;
	io->env.operator_mail = c->operator_mail;
	io->mint = mint_new(c->mint);
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
	accept_all(io, true);
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
	accept_refused(io);
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
