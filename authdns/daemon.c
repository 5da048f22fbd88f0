#include "authdns/daemon.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "authdns/compile.h"
#include "authdns/server.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/strbuf.h"
#include "lib/worker.h"
#include "provisioning/lock.h"

/* One address and the sockets of each worker on it. */
struct socket_row {
	union sockaddr_any address;
	int udp[WORKERS_MAX], tcp[WORKERS_MAX];
};

struct daemon {
	const char *dir;
	struct site *site;
	struct zones *zones;
	struct signer *signer;
	struct memory *memory;
	struct limits *limits;
	struct released *released;
	unsigned workers;
	struct socket_row *row;
	unsigned n_rows;
	int lock;
};

/* Its row in outpost-authdns(8). */
static const char worker_calls[] = "recvmmsg sendmmsg recvmsg sendmsg recvfrom sendto accept4 "
				   "getsockname getsockopt setsockopt shutdown";

/* --- what is served --- */

/* A whole new set, or the old one stays. */
static int
load(struct daemon *d)
{
	char err[512] = "";
	struct site *site = site_load(d->dir, err, sizeof(err));
	struct zones *zones = site != NULL ? zones_compile(site, err, sizeof(err)) : NULL;
	struct signer *signer = zones != NULL ? signer_new(zones, site->conf.dns_sign_cache) : NULL;

	if (signer == NULL) {
		if (err[0] != '\0')
			log_warn("%s", err);
		zones_free(zones);
		site_free(site);
		return -1;
	}
	signer_prepare(signer, clock_now() / CLOCK_SECOND);
	signer_free(d->signer);
	zones_free(d->zones);
	site_free(d->site);
	d->site = site;
	d->zones = zones;
	d->signer = signer;
	return 0;
}

/* The table that all daemons of the node share, if a test names it. */
static void
open_memory(struct daemon *d)
{
	if (d->memory == NULL && phase_memory_needed(d->site->catalogue))
		d->memory = phase_memory_open(d->site);
}

/* What workers share; the rates may change with every configuration. */
static int
set_limits(struct daemon *d)
{
	uint8_t random[16];

	if (d->limits == NULL) {
		if (RAND_bytes(random, sizeof(random)) != 1)
			memset(random, 0x5a, sizeof(random));
		if ((d->limits = limits_new(random)) == NULL)
			return -1;
	}
	d->limits->answers.rate = d->site->conf.dns_rate;
	d->limits->invalid.rate = d->site->conf.dns_sign_invalid;
	quota_set(d->limits->tokens, d->site->conf.events_per_token_hour);
	return 0;
}

/* Again at each reload, so that there is room in it; the workers before keep theirs. */
static int
open_released(struct daemon *d)
{
	struct released *r = released_open(d->site, RELEASED_SPARE);

	if (r == NULL)
		return -1;
	released_close(d->released);
	d->released = r;
	return 0;
}

static void
tick(void *ctx)
{
	struct daemon *d = ctx;

	released_refresh(d->released);
}

/* --- sockets --- */

static void
close_row(const struct daemon *d, const struct socket_row *r)
{
	for (unsigned w = 0; w < d->workers; w++) {
		if (r->udp[w] >= 0)
			close(r->udp[w]);
		if (r->tcp[w] >= 0)
			close(r->tcp[w]);
	}
}

static int
open_row(struct daemon *d, const union sockaddr_any *a)
{
	struct socket_row *r;

	for (unsigned i = 0; i < d->n_rows; i++)
		if (memcmp(&d->row[i].address, a, sizeof(*a)) == 0)
			return 0;
	d->row = xrealloc(d->row, (d->n_rows + 1) * sizeof(*d->row));
	r = &d->row[d->n_rows];
	r->address = *a;
	for (unsigned w = 0; w < d->workers; w++)
		r->udp[w] = r->tcp[w] = -1;
	if (listen_alone(a, SOCK_DGRAM) < 0 || listen_alone(a, SOCK_STREAM) < 0)
		return -1;
	for (unsigned w = 0; w < d->workers; w++) {
		r->udp[w] = listen_open(a, SOCK_DGRAM);
		r->tcp[w] = r->udp[w] >= 0 ? listen_open(a, SOCK_STREAM) : -1;
		if (r->tcp[w] < 0) {
			close_row(d, r);
			return -1;
		}
	}
	d->n_rows++;
	return 0;
}

static int
open_list(struct daemon *d, const struct conf_list *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		union sockaddr_any a;

		memset(&a, 0, sizeof(a));
		if (address_parse(&a, l->item[i], d->site->conf.dns_port) < 0) {
			log_warn("%s: not an address: correct it in outpost.conf", l->item[i]);
			return -1;
		}
		if (open_row(d, &a) < 0)
			return -1;
	}
	return 0;
}

/* New addresses are opened; those that are no longer named stay open and answer REFUSED. */
static int
open_sockets(struct daemon *d)
{
	union sockaddr_any any;

	if (open_list(d, &d->site->conf.ipv4_parent) < 0 ||
	    open_list(d, &d->site->conf.ipv4_child) < 0)
		return -1;
	if (!d->site->has_ipv6)
		return 0;
	memset(&any, 0, sizeof(any));
	return address_parse(&any, "::", d->site->conf.dns_port) < 0 ? -1 : open_row(d, &any);
}

/* --- workers --- */

static int
run_worker(unsigned index, void *ctx)
{
	struct daemon *d = ctx;
	union sockaddr_any address[SERVER_SOCKETS_MAX];
	int udp[SERVER_SOCKETS_MAX], tcp[SERVER_SOCKETS_MAX];
	char folder[512];
	struct sandbox box = {
		.process = "authdns worker", .calls = worker_calls, .folder = folder
	};
	struct server_config c = { d->zones, d->signer, d->memory, d->limits, d->released, index,
		address, udp, tcp, 0 };

	for (unsigned i = 0; i < d->n_rows && c.n < SERVER_SOCKETS_MAX; i++) {
		address[c.n] = d->row[i].address;
		udp[c.n] = d->row[i].udp[index];
		tcp[c.n++] = d->row[i].tcp[index];
	}
	site_path(folder, d->site, "log", "");
	if (d->site->conf.sandbox && sandbox_enter(&box) < 0)
		return EXIT_CANNOT;
	return server_run(&c);
}

static int
reload(void *ctx)
{
	struct daemon *d = ctx;

	if (load(d) < 0 || open_sockets(d) < 0 || set_limits(d) < 0 || open_released(d) < 0)
		return -1;
	open_memory(d);
	log_info("reloaded: %zu tests", d->site->catalogue->n);
	return 0;
}

static void
raise_file_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static void
clear(struct daemon *d)
{
	for (unsigned i = 0; i < d->n_rows; i++)
		close_row(d, &d->row[i]);
	free(d->row);
	signer_free(d->signer);
	zones_free(d->zones);
	site_free(d->site);
	limits_free(d->limits);
	released_close(d->released);
	if (d->memory != NULL)
		memory_close(d->memory);
	if (d->lock >= 0)
		close(d->lock);
}

int
daemon_run(const char *dir)
{
	struct daemon d = { .dir = dir, .lock = -1 };
	struct worker_config w = { .run = run_worker, .reload = reload, .tick = tick, .ctx = &d };
	int code = EXIT_CANNOT;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (load(&d) < 0)
		return EXIT_USAGE;
	d.workers = d.site->conf.workers != 0 ? d.site->conf.workers
		    : processors > 0          ? (unsigned)processors
					      : 1;
	if (d.workers > WORKERS_MAX)
		d.workers = WORKERS_MAX;
	raise_file_limit();
	if (d.site->conf.user[0] != '\0' && geteuid() == 0 &&
	    worker_user(d.site->conf.user, &w.uid, &w.gid) < 0) {
		log_warn("%s: no such user: create it or set another in outpost.conf",
		    d.site->conf.user);
		code = EXIT_USAGE;
		goto out;
	}
	if ((d.lock = lock_site(d.site, "authdns")) < 0 || open_sockets(&d) < 0)
		goto out;
	if (d.n_rows == 0) {
		log_warn("%s: no address to serve at: set ipv4-parent and ipv4-child, or ipv6, in "
			 "outpost.conf",
		    dir);
		code = EXIT_USAGE;
		goto out;
	}
	if (set_limits(&d) < 0 || open_released(&d) < 0)
		goto out;
	open_memory(&d);
	w.n = d.workers;
	log_info("%zu tests in %u zones, %u workers", d.site->catalogue->n, d.zones->n, d.workers);
	code = worker_supervise(&w);
out:
	clear(&d);
	return code;
}
