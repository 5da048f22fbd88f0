/* resolve.c - see resolve.h. */
#include "verify/resolve.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unbound.h>
#include <unbound-event.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/strbuf.h"
#include "verify/packet.h"

#define CLASS_IN 1

/* One question on its way. */
struct slot {
	struct resolve *r;
	struct resolve_job *job; /* NULL: free */
	const struct lookup *lookup;
	struct event *timer;
	int id; /* for ub_cancel; 0: answered while it was asked */
};
struct resolve_job {
	struct resolve *r;
	TAILQ_ENTRY(resolve_job) link;
	struct lookups *book;
	size_t asked; /* iterator of lookup_wanted */
	size_t waiting;
	bool all_asked;
	void (*done)(void *ctx);
	void *ctx;
};
struct resolve {
	struct ub_ctx *ub;
	/* Asking and telling happen here only: libunbound may answer from within a question, and is not
	 * asked again from within an answer. */
	struct event *pump;
	TAILQ_HEAD(, resolve_job) jobs; /* the first asks next */
	struct timeval timeout;
	char timeout_text[64];
	unsigned n;
	struct slot *slots;
	struct packet packet;
};

/* --- answers ------------------------------------------------------------------------------------------ */

static void
put(struct slot *s, enum lookup_status status, bool secure, const char *why, const struct packet *p)
{
	/* One that is too large is noted as that by the book itself. */
	lookup_put(s->job->book, s->lookup->name, s->lookup->type, status, secure, why,
	    p != NULL ? p->rdata : NULL, p != NULL ? p->n : 0);
}

static void
release(struct slot *s)
{
	s->job->waiting--;
	s->job = NULL;
	evtimer_del(s->timer);
	event_active(s->r->pump, EV_TIMEOUT, 0);
}

static const char *
rcode_text(unsigned rcode)
{
	static const char *const names[] = { "no error", "FORMERR", "SERVFAIL", "NXDOMAIN",
		"NOTIMP", "REFUSED" };

	return rcode < sizeof(names) / sizeof(*names) ? names[rcode] : "an error";
}

static void
on_answer(void *arg, int rcode, void *wire, int len, int security, char *why_bogus, int limited)
{
	struct slot *s = arg;
	struct packet *p = &s->r->packet;
	const char *why;
	bool secure = security == 2;

	(void)limited;
	if (s->job == NULL)
		return;
	s->id = 0;
	if (security == 1)
		put(s, LOOKUP_BOGUS, false, why_bogus != NULL ? why_bogus : "validation failed",
		    NULL);
	else if (rcode != 0)
		put(s, LOOKUP_FAILED, false, rcode_text((unsigned)rcode), NULL);
	else if (wire == NULL || len < 0 ||
		 packet_read(p, wire, (size_t)len, s->lookup->name, s->lookup->type, &why) != 0)
		put(s, LOOKUP_FAILED, false, wire == NULL ? "no answer" : why, NULL);
	else if (p->rcode == 3)
		put(s, LOOKUP_NXDOMAIN, secure, NULL, NULL);
	else if (p->rcode != 0)
		put(s, LOOKUP_FAILED, false, rcode_text(p->rcode), NULL);
	else
		put(s, p->n > 0 ? LOOKUP_OK : LOOKUP_NODATA, secure, NULL, p);
	release(s);
}

static void
on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct slot *s = arg;

	(void)fd;
	(void)what;
	if (s->job == NULL)
		return;
	ub_cancel(s->r->ub, s->id);
	s->id = 0;
	put(s, LOOKUP_FAILED, false, s->r->timeout_text, NULL);
	release(s);
}

/* --- questions -------------------------------------------------------------------------------------------- */

static struct slot *
free_slot(struct resolve *r)
{
	for (unsigned i = 0; i < r->n; i++)
		if (r->slots[i].job == NULL)
			return &r->slots[i];
	return NULL;
}

/* The next question of the first job that has one; that job goes to the end of the line. */
static const struct lookup *
next_question(struct resolve *r, struct resolve_job **owner)
{
	struct resolve_job *job;

	TAILQ_FOREACH(job, &r->jobs, link)
	{
		const struct lookup *l;

		if (job->all_asked)
			continue;
		if ((l = lookup_wanted(job->book, &job->asked)) == NULL) {
			job->all_asked = true;
			continue;
		}
		TAILQ_REMOVE(&r->jobs, job, link);
		TAILQ_INSERT_TAIL(&r->jobs, job, link);
		*owner = job;
		return l;
	}
	return NULL;
}

static void
ask(struct slot *s, struct resolve_job *job, const struct lookup *l)
{
	int rc, id = 0;

	s->job = job;
	s->lookup = l;
	s->id = 0;
	job->waiting++;
	evtimer_add(s->timer, &s->r->timeout);
	rc = ub_resolve_event(
	    s->r->ub, l->name[0] != '\0' ? l->name : ".", l->type, CLASS_IN, s, on_answer, &id);
	if (rc != 0 && s->job != NULL) {
		put(s, LOOKUP_FAILED, false, ub_strerror(rc), NULL);
		release(s);
	}
	if (s->job != NULL)
		s->id = id;
}

static struct resolve_job *
next_finished(struct resolve *r)
{
	struct resolve_job *job;

	TAILQ_FOREACH(job, &r->jobs, link)
	if (job->all_asked && job->waiting == 0)
		return job;
	return NULL;
}

static void
on_pump(evutil_socket_t fd, short what, void *arg)
{
	struct resolve *r = arg;
	struct resolve_job *job;
	const struct lookup *l;
	struct slot *s;

	(void)fd;
	(void)what;
	while ((s = free_slot(r)) != NULL && (l = next_question(r, &job)) != NULL)
		ask(s, job, l);
	/* Whoever is told may start and cancel others. */
	while ((job = next_finished(r)) != NULL) {
		void (*done)(void *ctx) = job->done;
		void *ctx = job->ctx;

		TAILQ_REMOVE(&r->jobs, job, link);
		free(job);
		done(ctx);
	}
}

struct resolve_job *
resolve_start(struct resolve *r, struct lookups *book, void (*done)(void *ctx), void *ctx)
{
	struct resolve_job *job = xcalloc(1, sizeof(*job));

	job->r = r;
	job->book = book;
	job->done = done;
	job->ctx = ctx;
	TAILQ_INSERT_TAIL(&r->jobs, job, link);
	event_active(r->pump, EV_TIMEOUT, 0);
	return job;
}

void
resolve_cancel(struct resolve_job *job)
{
	struct resolve *r = job->r;

	for (unsigned i = 0; i < r->n; i++) {
		struct slot *s = &r->slots[i];

		if (s->job != job)
			continue;
		ub_cancel(r->ub, s->id);
		release(s);
	}
	TAILQ_REMOVE(&r->jobs, job, link);
	free(job);
}

/* --- set-up --------------------------------------------------------------------------------------------------- */

static const char *
find_anchor(const char *given)
{
	static const char *const places[] = { "/var/lib/unbound/root.key",
		"/usr/share/dns/root.key" };

	if (given != NULL)
		return given;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (access(places[i], R_OK) == 0)
			return places[i];
	return NULL;
}

static int
set_source(struct ub_ctx *ub, const struct resolve_options *o)
{
	if (o->forward != NULL)
		return ub_ctx_set_fwd(ub, o->forward);
	if (o->hints != NULL)
		return ub_ctx_set_option(ub, "root-hints:", o->hints);
	return ub_ctx_resolvconf(ub, NULL);
}

static int
set_up(struct ub_ctx *ub, const struct resolve_options *o, const char *anchor)
{
	/* Loopback and private addresses are resolvers and senders like others: of labs, of networks
	 * behind one door. */
	static const char *const options[][2] = {
		{ "do-not-query-localhost:", "no" },
		{ "unblock-lan-zones:", "yes" },
	};
	int rc = 0;

	ub_ctx_debugout(ub, NULL);
	for (size_t i = 0; i < sizeof(options) / sizeof(*options) && rc == 0; i++)
		rc = ub_ctx_set_option(ub, options[i][0], options[i][1]);
	if (rc == 0)
		rc = ub_ctx_add_ta_file(ub, anchor);
	return rc == 0 ? set_source(ub, o) : rc;
}

static void
on_first(void *arg, int rcode, void *wire, int len, int security, char *why_bogus, int limited)
{
	(void)arg;
	(void)rcode;
	(void)wire;
	(void)len;
	(void)security;
	(void)why_bogus;
	(void)limited;
}

static struct ub_ctx *
open_resolver(struct event_base *base, const struct resolve_options *o, char *err, size_t errlen)
{
	const char *anchor = find_anchor(o->anchor);
	const char *files[] = { anchor, o->hints };
	struct ub_ctx *ub;
	int rc;

	if (anchor == NULL) {
		snprintf(err, errlen,
		    "no trust anchor of the root: install dns-root-data, or name its file");
		return NULL;
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (files[i] != NULL && access(files[i], R_OK) != 0) {
			snprintf(err, errlen, "%.200s: %s", files[i], strerror(errno));
			return NULL;
		}
	if ((ub = ub_ctx_create_event(base)) == NULL) {
		snprintf(err, errlen, "libunbound: no memory");
		return NULL;
	}
	/* The first question makes libunbound read its files; this one needs no network. */
	if ((rc = set_up(ub, o, anchor)) == 0)
		rc = ub_resolve_event(ub, "localhost.", 1, CLASS_IN, NULL, on_first, NULL);
	if (rc == 0)
		return ub;
	snprintf(err, errlen, "libunbound: %s: look at the resolver's address and the trust anchor",
	    ub_strerror(rc));
	ub_ctx_delete(ub);
	return NULL;
}

struct resolve *
resolve_new(struct event_base *base, const struct resolve_options *o, char *err, size_t errlen)
{
	unsigned timeout = o->timeout_ms > 0 ? o->timeout_ms : RESOLVE_TIMEOUT_MS;
	struct ub_ctx *ub = open_resolver(base, o, err, errlen);
	struct resolve *r;

	if (ub == NULL)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	r->ub = ub;
	TAILQ_INIT(&r->jobs);
	r->timeout.tv_sec = timeout / 1000;
	r->timeout.tv_usec = (suseconds_t)(timeout % 1000) * 1000;
	snprintf(r->timeout_text, sizeof(r->timeout_text), "no answer in %u.%u s", timeout / 1000,
	    timeout % 1000 / 100);
	r->n = o->concurrent > 0 ? o->concurrent : RESOLVE_CONCURRENT;
	r->slots = xcalloc(r->n, sizeof(*r->slots));
	for (unsigned i = 0; i < r->n; i++) {
		r->slots[i].r = r;
		if ((r->slots[i].timer = evtimer_new(base, on_timeout, &r->slots[i])) == NULL)
			log_fatal(EXIT_CANNOT, "libevent: no memory");
	}
	if ((r->pump = evtimer_new(base, on_pump, r)) == NULL)
		log_fatal(EXIT_CANNOT, "libevent: no memory");
	return r;
}

void
resolve_free(struct resolve *r)
{
	struct resolve_job *job;

	if (r == NULL)
		return;
	while ((job = TAILQ_FIRST(&r->jobs)) != NULL)
		resolve_cancel(job);
	ub_ctx_delete(r->ub);
	for (unsigned i = 0; i < r->n; i++)
		event_free(r->slots[i].timer);
	event_free(r->pump);
	free(r->slots);
	free(r);
}
