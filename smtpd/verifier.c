/* verifier.c - see verifier.h. */
#include "smtpd/verifier.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/eventlog.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "smtpd/audit.h"

#define NICE         10
#define BATCH        64                   /* messages taken in a turn */
#define GIVE_UP      (300 * CLOCK_SECOND) /* of a message after verify-time */
#define STOP_WITHIN  (5 * CLOCK_SECOND)   /* then what is left is lost */
#define SETTLE_EVERY (10 * CLOCK_SECOND)
#define COMPLAIN     (60 * CLOCK_SECOND)
#define RESULTS_ROOM 60000 /* of EVENT_LINE_MAX, escaped */

struct verifier {
	const struct verifier_config *config;
	struct event_base *base;
	struct eventlog *log;
	struct event_line *line;
	struct resolve *resolve;
	struct pool *pool;
	int nursery;
	pid_t parent;
	struct event *intake, *orders, *term, *hup, *settle, *audit, *stop;
	unsigned audits;
	int64_t opened, complained;
	bool stopping, draining, ended;
	int code;
};

/* --- events --------------------------------------------------------------------------------------------- */

static void
end_loop(struct verifier *v, int code)
{
	v->code = code;
	v->ended = true;
	event_base_loopbreak(v->base);
}

static void
write_line(struct verifier *v)
{
	event_end(v->line);
	if (eventlog_append(v->log, v->line->buf, v->line->len) != 0 && eventlog_write(v->log) == 0)
		return;
	log_warn("event log: %s: serving stops; free space or repair the disk, then start again",
	    eventlog_reason(v->log));
	_exit(EXIT_CANNOT);
}

static struct event_line *
message_event(struct verifier *v, enum event_kind kind, const struct verify_facts *f)
{
	struct event_line *e = v->line;

	event_begin(e, kind, eventlog_origin(v->log), clock_now());
	event_str(e, EK_TOKEN, f->token);
	event_str(e, EK_TEST, f->test);
	event_str(e, EK_CONN, f->conn);
	event_str(e, EK_PEER, f->client);
	event_text(e, EK_FROM, f->from, strlen(f->from));
	event_str(e, EK_DIGEST, f->digest);
	event_num(e, EK_SIZE, (int64_t)f->size);
	return e;
}

static void
write_unjudged(
    struct verifier *v, enum event_kind kind, const struct verify_facts *f, const char *why)
{
	event_str(message_event(v, kind, f), EK_REASON, why);
	write_line(v);
}

/* As an event writes it. */
static bool
has_room(const char *s, size_t len)
{
	size_t room = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		room += c < 0x20 || c > 0x7e ? 6 : c == '"' || c == '\\' ? 2 : 1;
	}
	return room <= RESULTS_ROOM;
}

/* A crash of ours is a mistake to be found; at most a line a minute. */
static void
complain(struct verifier *v, const struct verify_facts *f, const char *why)
{
	int64_t now = clock_monotonic();

	if (v->complained != 0 && now - v->complained < COMPLAIN)
		return;
	v->complained = now;
	log_warn(
	    "verifier: message %s: judging it: %s: please report this, with the message if you "
	    "can",
	    f->digest, why);
}

static void
on_end(void *ctx, const struct pool_end *end)
{
	struct verifier *v = ctx;
	bool judged = end->results != NULL && has_room(end->results, end->results_len);
	const char *why = judged || end->results == NULL ? end->why : "results that are too long";
	struct event_line *e;

	if (end->gave_up) {
		write_unjudged(
		    v, v->ended ? EV_VERIFY_LOST : EV_VERIFY_SKIPPED, end->facts, end->why);
	} else {
		e = message_event(v, judged ? EV_VERIFY_RESULT : EV_VERIFY_CRASHED, end->facts);
		event_num(e, EK_MS, end->ms);
		if (judged)
			event_text(e, EK_RESULTS, end->results, end->results_len);
		event_str(e, EK_LIBSPF2, end->opinion);
		event_str(e, EK_REASON, why);
		write_line(v);
		if (!judged)
			complain(v, end->facts, why);
	}
	handover_done(v->config->handover, end->facts->size);
	if ((v->stopping || v->draining) && pool_count(v->pool) <= 1)
		event_active(v->settle, EV_READ, 0);
}

/* --- messages ------------------------------------------------------------------------------------------- */

static void
take_message(struct verifier *v, const struct verify_facts *f, int fd)
{
	if (clock_now() - f->t > AUDIT_WAIT_MAX / 2) {
		write_unjudged(v, EV_VERIFY_SKIPPED, f, "waited too long for the verifier");
		close(fd);
		handover_done(v->config->handover, f->size);
		return;
	}
	pool_add(v->pool, f, fd);
}

/* At most so many; true: there may be more. */
static bool
take(struct verifier *v, unsigned n)
{
	struct verify_facts f;
	int fd;

	while (n-- > 0) {
		switch (handover_receive(v->config->handover, &f, &fd)) {
		case HANDOVER_MESSAGE:
			take_message(v, &f, fd);
			break;
		case HANDOVER_NONE:
			return false;
		case HANDOVER_END:
			event_del(v->intake);
			v->draining = true;
			event_active(v->settle, EV_READ, 0);
			return false;
		}
	}
	return true;
}

static void
on_intake(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	take(arg, BATCH);
}

static void
on_nursery(evutil_socket_t fd, short what, void *arg)
{
	struct verifier *v = arg;
	uint64_t id;
	int status;

	(void)what;
	for (;;) {
		switch (nursery_receive(fd, &id, &status)) {
		case NURSERY_ENDED:
			pool_child(v->pool, id, status);
			break;
		case NURSERY_NOTHING:
			return;
		case NURSERY_GONE:
			log_warn("verifier: the process that its children come from has ended: "
				 "starting again");
			end_loop(v, EXIT_FAIL_ON);
			return;
		}
	}
}

/* --- audits --------------------------------------------------------------------------------------------- */

/* The order counts: see audit.h. */
static void
look_for_lost(struct verifier *v)
{
	char dir[512];
	struct audit_config c = { .dir = dir,
		.node = v->config->site->conf.node,
		.smtpd = v->config->smtpd,
		.verifier = VERIFIER_PROGRAM,
		.opened = v->opened,
		.began = v->config->began };
	const struct verify_facts *f;
	const void *job = NULL;
	struct audit *a;
	size_t iter = 0, n = 0;
	bool whole;

	site_path(dir, v->config->site, "log", "");
	a = audit_read(&c);
	while (take(v, BATCH))
		;
	if (a == NULL)
		return;
	while ((f = pool_next(v->pool, &job)) != NULL)
		audit_has(a, f);
	for (; (f = audit_lost(a, &iter)) != NULL; n++)
		write_unjudged(v, EV_VERIFY_LOST, f, "its verifier ended before it was judged");
	whole = audit_is_whole(a);
	audit_free(a);
	event_begin(v->line, EV_VERIFY_AUDIT, eventlog_origin(v->log), clock_now());
	event_num(v->line, EK_COUNT, (int64_t)n);
	event_bool(v->line, EK_OK, whole);
	write_line(v);
}

static void
after(struct event *timer, int64_t us)
{
	const struct timeval tv = clock_timeval(us);

	evtimer_add(timer, &tv);
}

/* A line that a worker had not yet written at the first is seen by a later one. */
static void
on_audit(evutil_socket_t fd, short what, void *arg)
{
	static const int64_t next[] = { 5 * CLOCK_SECOND, 55 * CLOCK_SECOND, 3600 * CLOCK_SECOND };
	struct verifier *v = arg;

	(void)fd;
	(void)what;
	look_for_lost(v);
	after(v->audit, next[v->audits]);
	if (v->audits + 1 < sizeof next / sizeof *next)
		v->audits++;
}

/* --- the end -------------------------------------------------------------------------------------------- */

/* Also when the last message has gone. */
static void
on_settle(evutil_socket_t fd, short what, void *arg)
{
	struct verifier *v = arg;

	(void)fd;
	(void)what;
	if (v->stopping)
		take(v, BATCH);
	if ((v->stopping || (v->draining && !event_pending(v->intake, EV_READ, NULL))) &&
	    pool_count(v->pool) == 0)
		end_loop(v, v->code);
	else if (what & EV_TIMEOUT) /* its own time has come */
		handover_settle(v->config->handover);
}

static void
on_stop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end_loop(arg, EXIT_DONE);
}

static void
on_signal(evutil_socket_t number, short what, void *arg)
{
	struct verifier *v = arg;

	(void)what;
	/* The whole site was killed: whoever comes next must not wait for us. */
	if (getppid() != v->parent) {
		end_loop(v, EXIT_DONE);
		return;
	}
	if (number == SIGHUP) {
		v->draining = true;
		return;
	}
	if (v->stopping)
		return;
	v->stopping = true;
	handover_stop(v->config->handover);
	after(v->stop, STOP_WITHIN);
	event_active(v->settle, EV_READ, 0);
}

/* --- the process ---------------------------------------------------------------------------------------- */

static int
open_resolver(struct verifier *v)
{
	const struct site_conf *c = &v->config->site->conf;
	const struct resolve_options o = {
		.forward = c->verify_resolver[0] != '\0' ? c->verify_resolver : NULL,
		.anchor = c->verify_anchor[0] != '\0' ? c->verify_anchor : NULL,
	};
	char err[256];

	v->resolve = resolve_new(v->base, &o, err, sizeof err);
	if (v->resolve == NULL)
		log_warn("verifier: %s", err);
	return v->resolve != NULL ? 0 : -1;
}

/* First of all: its children get nothing of what is opened later. */
static int
open_nursery(struct verifier *v)
{
	const struct site_conf *c = &v->config->site->conf;
	const struct nursery_config nc = { .judges = v->config->judges,
		.n_judges = POOL_JUDGES,
		.limits = { .memory = c->verify_child_memory,
		    .seconds = (unsigned)(c->verify_child_time / CLOCK_SECOND),
		    .sandbox = c->sandbox != 0 },
		.prepare = v->config->prepare };
	pid_t pid;

	v->nursery = nursery_start(&nc, &pid);
	return v->nursery == -1 ? -1 : 0;
}

static int
open_log(struct verifier *v)
{
	const struct site_conf *c = &v->config->site->conf;
	char dir[512];
	const struct eventlog_config lc = { .dir = dir,
		.node = c->node,
		.daemon = VERIFIER_PROGRAM,
		.segment_max = c->segment_max,
		.reserve = c->segment_reserve };

	site_path(dir, v->config->site, "log", "");
	v->opened = clock_now();
	v->log = eventlog_open(&lc);
	return v->log == NULL ? -1 : 0;
}

static void
open_pool(struct verifier *v)
{
	const struct site_conf *c = &v->config->site->conf;
	unsigned children = c->verify_children != 0 ? c->verify_children
						    : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	const struct pool_config pc = { .base = v->base,
		.resolve = v->resolve,
		.nursery = v->nursery,
		.children = children < NURSERY_CHILDREN_MAX ? children : NURSERY_CHILDREN_MAX,
		.lookups_us = c->verify_time,
		.child_us = 3 * c->verify_child_time,
		.give_up_us = GIVE_UP - c->verify_time,
		.ended = on_end,
		.ctx = v };

	v->pool = pool_new(&pc);
}

static void
open_events(struct verifier *v)
{
	static const struct timeval settle = { SETTLE_EVERY / CLOCK_SECOND, 0 };
	sigset_t set;

	v->intake = event_new(
	    v->base, handover_fd(v->config->handover), EV_READ | EV_PERSIST, on_intake, v);
	v->orders = event_new(v->base, v->nursery, EV_READ | EV_PERSIST, on_nursery, v);
	v->settle = event_new(v->base, -1, EV_PERSIST, on_settle, v);
	v->audit = evtimer_new(v->base, on_audit, v);
	v->stop = evtimer_new(v->base, on_stop, v);
	v->term = evsignal_new(v->base, SIGTERM, on_signal, v);
	v->hup = evsignal_new(v->base, SIGHUP, on_signal, v);
	event_add(v->intake, NULL);
	event_add(v->orders, NULL);
	event_add(v->settle, &settle);
	event_add(v->term, NULL);
	event_add(v->hup, NULL);
	event_active(v->audit, EV_TIMEOUT, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void
verifier_close(struct verifier *v)
{
	struct event *events[] = { v->intake, v->orders, v->settle, v->audit, v->stop, v->term,
		v->hup };

	pool_give_up(v->pool, "the verifier ended before it was judged");
	pool_free(v->pool);
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		event_free(events[i]);
	resolve_free(v->resolve);
	eventlog_close(v->log);
	close(v->nursery);
	event_base_free(v->base);
	free(v->line);
}

/* Nothing is judged. */
static int
wait_for_end(void)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigwait(&set, &number);
	return EXIT_DONE;
}

int
verifier_run(const struct verifier_config *config)
{
	struct verifier v = { .config = config, .nursery = -1, .parent = getppid() };

	if (config->handover == NULL)
		return config->confine(config->site) == 0 ? wait_for_end() : EXIT_CANNOT;
	handover_verifier(config->handover);
	/* Where processors are short, accepting comes first. */
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	if (open_nursery(&v) == -1)
		return EXIT_FAIL_ON;
	v.base = event_base_new();
	if (v.base == NULL || open_resolver(&v) == -1)
		return EXIT_FAIL_ON;
	if (config->confine(config->site) == -1 || open_log(&v) == -1)
		return EXIT_CANNOT;
	v.line = xcalloc(1, sizeof *v.line);
	open_pool(&v);
	open_events(&v);
	event_base_dispatch(v.base);
	verifier_close(&v);
	return v.code;
}
