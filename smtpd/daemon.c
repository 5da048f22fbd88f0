/* daemon.c - see daemon.h. */
#include "smtpd/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/worker.h"
#include "provisioning/lock.h"
#include "provisioning/phase.h"
#include "provisioning/released.h"
#include "smtpd/io.h"
#include "smtpd/judges.h"
#include "smtpd/mint.h"
#include "smtpd/tap.h"
#include "smtpd/verifier.h"

#define PROGRAM    "smtpd"
#define FDS_MORE   64 /* descriptors beside connections */
#define BODY_SHARE 4  /* of so many connections one may have a body that arrives */

struct daemon {
	const char *dir;
	struct site *site;
	struct contexts *contexts;
	struct memory *memory;
	struct quota *quota, *operator_mail;
	struct released *released;
	unsigned workers;
	int *fds; /* n_open: n_fds for each worker, the last n_https of them for HTTPS */
	unsigned n_open, n_fds, n_https;
	struct mint_setup mint;
	struct handover *handover; /* of this generation; NULL: nothing is judged */
	int64_t began;             /* before its workers; 0: the first */
	int tap[2];
	bool has_tap;
	int lock;
};

/* What the kinds of children may do: their rows in outpost-smtpd(8). */
enum role { ROLE_WORKER, ROLE_MINT, ROLE_VERIFIER, ROLE_TAP };
static const struct {
	const char *process, *calls;
	bool logs;
} roles[] = {
	[ROLE_WORKER] = { "smtpd worker",
	    "recvfrom sendto recvmsg sendmsg accept4 getsockname getsockopt setsockopt shutdown "
	    "socketpair memfd_create",
	    true },
	[ROLE_VERIFIER] = { "smtpd verifier",
	    "socket bind connect recvfrom sendto recvmsg sendmsg getsockname getsockopt setsockopt "
	    "memfd_create rt_sigtimedwait",
	    true },
	[ROLE_MINT] = { "smtpd mint", "recvmsg sendto pread64", false },
	[ROLE_TAP] = { "smtpd tap", "recvfrom", true },
};

static int
confine(const struct site *site, enum role role)
{
	char folder[512];
	struct sandbox box = { .process = roles[role].process,
		.calls = roles[role].calls,
		.folder = roles[role].logs ? folder : NULL };

	site_path(folder, site, "log", "");
	return site->conf.sandbox ? sandbox_enter(&box) : 0;
}

static int
confine_verifier(const struct site *site)
{
	return confine(site, ROLE_VERIFIER);
}

static int
run_verifier(const struct daemon *d)
{
	const struct verifier_config c = { .site = d->site,
		.handover = d->handover,
		.judges = judges,
		.prepare = verify_warm_up,
		.confine = confine_verifier,
		.began = d->began,
		.smtpd = PROGRAM };

	return verifier_run(&c);
}

/* The verifier's children read strangers' mail: nothing may be in their memory that is worth reading or that
 * others of us believe. */
static void
forget_all(struct daemon *d)
{
	OPENSSL_cleanse(&d->site->token_key, sizeof d->site->token_key);
	contexts_free(d->contexts);
	memory_close(d->memory);
	quota_free(d->quota);
	quota_free(d->operator_mail);
	released_close(d->released);
	d->released = NULL;
	d->contexts = NULL;
	d->memory = NULL;
	d->quota = d->operator_mail = NULL;
}

static enum role
role_of(const struct daemon *d, unsigned index)
{
	static const enum role more[] = { ROLE_MINT, ROLE_VERIFIER, ROLE_TAP };

	return index < d->workers ? ROLE_WORKER : more[index - d->workers];
}

static int
run_worker(unsigned index, void *ctx)
{
	struct daemon *d = ctx;
	struct io_config c = { .site = d->site,
		.contexts = d->contexts,
		.mint = &d->mint,
		.memory = d->memory,
		.quota = d->quota,
		.operator_mail = d->operator_mail,
		.released = d->released,
		.handover = d->handover,
		.worker = index,
		.n_fds = d->n_fds,
		.n_https = d->n_https,
		.program = PROGRAM };
	enum role role = role_of(d, index);

	/* The keys of the certificate authorities are the mint's alone. */
	if (role != ROLE_MINT) {
		close(d->mint.key[0]);
		close(d->mint.key[1]);
	}
	if (role == ROLE_VERIFIER) { /* confines itself when it has read its files */
		forget_all(d);
		return run_verifier(d);
	}
	if (confine(d->site, role) == -1)
		return EXIT_CANNOT;
	/* The verifier knows by its end of the way who of the workers is left. */
	if (role != ROLE_WORKER)
		handover_free(d->handover);
	if (role == ROLE_MINT)
		return mint_run(&d->mint, d->site);
	if (role == ROLE_TAP)
		return tap_run(d->tap, d->site, d->quota, index, PROGRAM);
	c.fds = d->fds + index * d->n_fds;
	return io_run(&c);
}

static int
load(struct site **site, struct contexts **contexts, const char *dir)
{
	char err[512] = "";

	*contexts = NULL;
	*site = site_open(dir, SITE_SECRET | SITE_CERTS, err, sizeof err);
	if (*site != NULL)
		*contexts = contexts_new(*site, err, sizeof err);
	if (*contexts == NULL) {
		log_warn("%s", err);
		site_free(*site);
		return -1;
	}
	return 0;
}

/* The way from the workers of a generation to its verifier. */
static int
open_handover(struct handover **h, const struct site_conf *c)
{
	const struct handover_limits l = { .count = c->verify_queue,
		.octets = c->verify_memory,
		.message = c->verify_message,
		.bodies = c->smtp_max / BODY_SHARE + 1 };

	*h = strcmp(c->verify, "all") == 0 ? handover_new(&l) : NULL;
	return *h == NULL && strcmp(c->verify, "all") == 0 ? -1 : 0;
}

static int
reload(void *ctx)
{
	struct daemon *d = ctx;
	struct site *site;
	struct contexts *contexts;
	struct handover *handover;
	struct released *released;

	if (load(&site, &contexts, d->dir) == -1)
		return -1;
	if ((released = released_open(site, RELEASED_SPARE)) == NULL ||
	    open_handover(&handover, &site->conf) == -1) {
		released_close(released);
		contexts_free(contexts);
		site_free(site);
		return -1;
	}
	/* The earlier generation keeps its own, and its verifier until its last worker has ended. */
	handover_free(d->handover);
	d->handover = handover;
	released_close(d->released);
	d->released = released;
	d->began = clock_now();
	contexts_free(d->contexts);
	site_free(d->site);
	d->site = site;
	d->contexts = contexts;
	quota_set(d->quota, site->conf.events_per_token_hour);
	quota_set(d->operator_mail, site->conf.smtp_operator);
	return 0;
}

static void
tick(void *ctx)
{
	struct daemon *d = ctx;

	released_refresh(d->released);
}

static int
add_listener(struct daemon *d, const union sockaddr_any *a)
{
	int fd = listen_open(a, SOCK_STREAM);

	if (fd == -1)
		return -1;
	d->fds = xgrow(d->fds, d->n_open, sizeof *d->fds);
	d->fds[d->n_open++] = fd;
	return 0;
}

static bool
has_policies(const struct catalogue *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->tests[i]->n_policy > 0)
			return true;
	return false;
}

static int
listen_at(struct daemon *d, unsigned worker, const char *address, unsigned port)
{
	union sockaddr_any a;
	/* The web site has one of the IPv6 addresses. */
	bool shared = port == d->site->conf.https_port && strcmp(address, "::") == 0;

	memset(&a, 0, sizeof a);
	if (address_parse(&a, address, port) == -1 ||
	    (worker == 0 && !shared && listen_alone(&a, SOCK_STREAM) == -1))
		return -1;
	return add_listener(d, &a);
}

static int
open_https(struct daemon *d, unsigned w)
{
	const struct site_conf *c = &d->site->conf;
	const char *v4 = site_policy4(d->site);
	unsigned before = d->n_open;

	if (!has_policies(d->site->catalogue))
		return 0;
	if ((v4 != NULL && listen_at(d, w, v4, c->https_port) == -1) ||
	    (d->site->has_ipv6 && listen_at(d, w, "::", c->https_port) == -1))
		return -1;
	d->n_https = d->n_open - before;
	return 0;
}

/* Every worker has sockets of its own at every address; the kernel spreads the connections. */
static int
open_listeners(struct daemon *d)
{
	const struct site_conf *c = &d->site->conf;

	for (unsigned w = 0; w < d->workers; w++) {
		for (unsigned i = 0; i < c->ipv4_front.n; i++)
			if (listen_at(d, w, c->ipv4_front.item[i], c->smtp_port) == -1)
				return -1;
		if (d->site->has_ipv6 && listen_at(d, w, "::", c->smtp_port) == -1)
			return -1;
		if (open_https(d, w) == -1)
			return -1;
	}
	if (d->n_open == 0) {
		log_warn("outpost.conf: no SMTP address: set ipv4-front or ipv6");
		return -1;
	}
	d->n_fds = d->n_open / d->workers;
	return 0;
}

static void
raise_limit(const struct site_conf *c)
{
	struct rlimit l;
	rlim_t want = c->smtp_max + c->smtp_max / BODY_SHARE + c->verify_queue + FDS_MORE +
		      (rlim_t)WORKERS_MAX * CONF_LIST_MAX;

	if (getrlimit(RLIMIT_NOFILE, &l) == -1 || l.rlim_cur >= want)
		return;
	if (l.rlim_max < want)
		l.rlim_max = want; /* as root; else the hard limit must do */
	l.rlim_cur = want;
	if (setrlimit(RLIMIT_NOFILE, &l) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
	log_warn("limit of open files: %s: smtp-max %u is more than %llu allow", strerror(errno),
	    c->smtp_max, (unsigned long long)l.rlim_cur);
}

static struct quota *
open_quota(unsigned per_hour)
{
	uint8_t random[16];
	struct quota *q;

	if (RAND_bytes(random, sizeof random) != 1) {
		log_warn("no random numbers: check the OpenSSL installation");
		return NULL;
	}
	if ((q = quota_new(random)) != NULL)
		quota_set(q, per_hour);
	return q;
}

/* What all processes share; 0 or the code to exit with, and the reason is logged. */
static int
prepare(struct daemon *d, struct worker_config *wc)
{
	const struct site_conf *c = &d->site->conf;

	raise_limit(c);
	d->workers = c->workers != 0 ? c->workers : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	if (d->workers > WORKERS_MAX - 3)
		d->workers = WORKERS_MAX - 3;
	if (geteuid() == 0 && c->user[0] != '\0' && worker_user(c->user, &wc->uid, &wc->gid) == -1)
		return EXIT_USAGE;
	if ((d->lock = lock_site(d->site, PROGRAM)) == -1 ||
	    (d->memory = phase_memory_open(d->site)) == NULL ||
	    (d->quota = open_quota(c->events_per_token_hour)) == NULL ||
	    (d->operator_mail = open_quota(c->smtp_operator)) == NULL ||
	    (d->released = released_open(d->site, RELEASED_SPARE)) == NULL ||
	    mint_setup_open(&d->mint, d->site) == -1 || open_listeners(d) == -1 ||
	    open_handover(&d->handover, c) == -1)
		return EXIT_CANNOT;
	d->has_tap = c->tap && geteuid() == 0;
	if (d->has_tap && tap_open(d->tap, d->site) == -1)
		return EXIT_CANNOT;
	wc->n = d->workers + 2 + (d->has_tap ? 1 : 0); /* and the mint and the verifier */
	return 0;
}

static void
clear(struct daemon *d)
{
	for (unsigned i = 0; i < d->n_open; i++)
		close(d->fds[i]);
	free(d->fds);
	memory_close(d->memory);
	quota_free(d->quota);
	quota_free(d->operator_mail);
	released_close(d->released);
	handover_free(d->handover);
	mint_setup_close(&d->mint);
	if (d->lock >= 0)
		close(d->lock);
	contexts_free(d->contexts);
	site_free(d->site);
}

int
daemon_run(const char *dir)
{
	struct daemon d = { .dir = dir, .tap = { -1, -1 }, .lock = -1 };
	struct worker_config wc = { .run = run_worker, .reload = reload, .tick = tick, .ctx = &d };
	int code;

	if (load(&d.site, &d.contexts, dir) == -1)
		return EXIT_USAGE;
	if ((code = prepare(&d, &wc)) == 0) {
		log_info("ready: %u workers, %u addresses, %zu tests", d.workers, d.n_fds,
		    d.site->catalogue->n);
		code = worker_supervise(&wc);
	}
	clear(&d);
	return code;
}
