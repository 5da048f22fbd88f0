/* daemon.c - see daemon.h. */
#include "web/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/worker.h"
#include "provisioning/lock.h"
#include "provisioning/apikeys.h"
#include "provisioning/invitations.h"
#include "provisioning/optout.h"
#include "provisioning/released.h"
#include "provisioning/runs.h"
#include "results/store.h"
#include "web/assets.h"
#include "web/desk.h"
#include "web/serve.h"

#define PROGRAM       "web"
#define ADDRESSES_MAX 16
#define FDS_MORE      64
#define SOCKET_BUFFER (1 << 20) /* requests that wait for the desk */
#define SEND_MAX_S    10        /* that the desk waits for a process that takes nothing */
#define DESKS_MAX     17        /* the desk, and web-readers */

struct daemon {
	const char *dir;
	struct site *site;
	SSL_CTX *tls;
	int fds[ADDRESSES_MAX];
	unsigned n_fds;
	/* Who serves and the desk; who serves and each reader. */
	int ours[DESKS_MAX], theirs[DESKS_MAX];
	unsigned n_desks;
	uid_t uid;
	gid_t gid;
	int lock;
};

/* Their rows in outpost-web(8).  All from ROLE_READER on are readers. */
enum role { ROLE_SERVE, ROLE_DESK, ROLE_READER };
#define CALLS_DESK                                                                                 \
	"recvfrom sendmsg pread64 pwrite64 access faccessat faccessat2 stat lstat readlink "       \
	"readlinkat getcwd unlink fchmod fchown geteuid"
#define CALLS_PLAIN " ioctl" /* of a buffer without TLS: how much is there */
#define CALLS_SERVE                                                                                \
	"accept4 recvfrom sendto recvmsg sendmsg getsockopt setsockopt shutdown socketpair"
static const struct {
	const char *process, *calls;
} roles[] = {
	[ROLE_SERVE] = { "web", CALLS_SERVE },
	[ROLE_DESK] = { "web desk", CALLS_DESK },
	[ROLE_READER] = { "web reader", CALLS_DESK },
};

/* Its own ends stay open alone: who waits for the other end to close must not wait for a third. */
static void
close_others(const struct daemon *d, unsigned index)
{
	for (unsigned i = 0; i < d->n_desks; i++) {
		if (index != ROLE_SERVE)
			close(d->ours[i]);
		if (index != ROLE_DESK + i)
			close(d->theirs[i]);
	}
	for (unsigned i = 0; i < d->n_fds && index != ROLE_SERVE; i++)
		close(d->fds[i]);
}

static int
run_serve(struct daemon *d)
{
	struct serve_config config = { .site = d->site,
		.tls = d->tls,
		.fds = d->fds,
		.n_fds = d->n_fds,
		.desks = d->ours,
		.n_desks = d->n_desks };
	struct sandbox box = { .process = roles[ROLE_SERVE].process,
		.calls = d->tls != NULL ? CALLS_SERVE : CALLS_SERVE CALLS_PLAIN };

	if (RAND_bytes(config.key, sizeof config.key) != 1)
		return EXIT_CANNOT;
	/* Who speaks with strangers has no need for it. */
	OPENSSL_cleanse(&d->site->token_key, sizeof d->site->token_key);
	if (d->site->conf.sandbox && sandbox_enter(&box) == -1)
		return EXIT_CANNOT;
	return serve_run(&config);
}

static int
run_desk(const struct daemon *d, enum role role, int fd)
{
	struct sandbox box = {
		.process = roles[role].process, .calls = roles[role].calls, .folder = d->site->dir
	};
	struct desk *desk = desk_open(d->site, role == ROLE_READER);
	int rc = EXIT_CANNOT;

	if (desk != NULL && (!d->site->conf.sandbox || sandbox_enter(&box) == 0))
		rc = desk_serve(desk, fd);
	desk_close(desk);
	return rc;
}

static int
run_process(unsigned index, void *ctx)
{
	struct daemon *d = ctx;

	assets_prepare();
	close_others(d, index);
	return index == ROLE_SERVE ? run_serve(d)
				   : run_desk(d, index == ROLE_DESK ? ROLE_DESK : ROLE_READER,
					 d->theirs[index - ROLE_DESK]);
}

/* --- what the desk may write ---------------------------------------------------------------------------- */

/* A file that the operator's commands write, as root, and the desk reads, or writes as well. */
static int
share(const struct daemon *d, const char *path, bool writes)
{
	uid_t owner = writes ? d->uid : (uid_t)-1;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	int rc = fd < 0 || (d->uid != 0 && fchown(fd, owner, d->gid) != 0) ? -1 : 0;

	if (rc != 0)
		log_warn("%s: %s: make it writable", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

static int
share_files(const struct daemon *d)
{
	static const struct {
		const char *name;
		bool writes;
	} journals[] = { { "enrol.jsonl", true }, { RUNS_FILE, true }, { OPTOUT_FILE, true },
		{ INVITATIONS_FILE, true }, { RELEASED_FILE, true }, { APIKEYS_FILE, false },
		{ "check.jsonl", false } };
	static const char *const stores[] = { "store.db", "store.db-wal", "store.db-shm" };
	char path[512];
	struct store *st;

	site_path(path, d->site, "", stores[0]);
	if ((st = store_open(path)) == NULL)
		return -1;
	store_close(st);
	for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
		site_path(path, d->site, "", stores[i]);
		if (d->uid != 0 && share(d, path, true) != 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof journals / sizeof *journals; i++) {
		site_path(path, d->site, "state", journals[i].name);
		if (share(d, path, journals[i].writes) != 0)
			return -1;
	}
	return 0;
}

/* --- start ---------------------------------------------------------------------------------------------- */

static int
load(struct site **site, SSL_CTX **tls, const char *dir)
{
	char err[512] = "";

	*tls = NULL;
	if ((*site = site_open(dir, SITE_SECRET, err, sizeof err)) == NULL) {
		log_warn("%s", err);
		return -1;
	}
	if ((*site)->conf.web_tls && (*tls = serve_tls(*site)) == NULL) {
		site_free(*site);
		return -1;
	}
	return 0;
}

static void
close_pairs(const int *ours, const int *theirs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		close(ours[i]);
		close(theirs[i]);
	}
}

/* A generation has pairs of its own: the old one goes on with its own until its last request. */
static int
make_pairs(struct daemon *d)
{
	struct timeval tv = { .tv_sec = SEND_MAX_S };
	int size = SOCKET_BUFFER, pair[2];

	for (unsigned i = 0; i < d->n_desks; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
			log_warn("socketpair: %s", strerror(errno));
			close_pairs(d->ours, d->theirs, i);
			return -1;
		}
		fcntl(pair[0], F_SETFL, O_NONBLOCK);
		for (unsigned k = 0; k < 2; k++)
			setsockopt(pair[k], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
		setsockopt(pair[1], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
		d->ours[i] = pair[0];
		d->theirs[i] = pair[1];
	}
	return 0;
}

static int
reload(void *ctx)
{
	struct daemon *d = ctx, new = *d;

	if (load(&new.site, &new.tls, d->dir) != 0)
		return -1;
	if (make_pairs(&new) != 0) {
		SSL_CTX_free(new.tls);
		site_free(new.site);
		return -1;
	}
	close_pairs(d->ours, d->theirs, d->n_desks);
	SSL_CTX_free(d->tls);
	site_free(d->site);
	*d = new;
	return 0;
}

static int
open_listeners(struct daemon *d)
{
	char address[ADDRESSES_MAX][ADDRESS_TEXT_MAX];
	size_t n = site_web_addresses(address, ADDRESSES_MAX, d->site);

	for (size_t i = 0; i < n; i++) {
		union sockaddr_any a;
		int fd;

		memset(&a, 0, sizeof a);
		if (address_parse(&a, address[i], d->site->conf.web_port) != 0) {
			log_warn("outpost.conf: web-address: \"%s\" is no address", address[i]);
			return -1;
		}
		/* Policy hosts have all other IPv6 addresses. */
		if ((a.sa.sa_family == AF_INET && listen_alone(&a, SOCK_STREAM) == -1) ||
		    (fd = listen_open(&a, SOCK_STREAM)) == -1)
			return -1;
		d->fds[d->n_fds++] = fd;
	}
	if (n == 0)
		log_warn("outpost.conf: no address for the web site: set web-address");
	return n > 0 ? 0 : -1;
}

static void
raise_limit(const struct site_conf *c)
{
	struct rlimit l;
	rlim_t want = c->web_max + FDS_MORE;

	if (getrlimit(RLIMIT_NOFILE, &l) == -1 || l.rlim_cur >= want)
		return;
	l.rlim_cur = want < l.rlim_max ? want : l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur < want)
		log_warn("limit of open files: web-max %u is more than %llu allow", c->web_max,
		    (unsigned long long)l.rlim_cur);
}

/* 0, or the code to exit with, and the reason is logged. */
static int
prepare(struct daemon *d, struct worker_config *wc)
{
	const struct site_conf *c = &d->site->conf;

	raise_limit(c);
	if (geteuid() == 0 && c->user[0] != '\0' && worker_user(c->user, &wc->uid, &wc->gid) == -1)
		return EXIT_USAGE;
	d->uid = wc->uid;
	d->gid = wc->gid;
	if ((d->lock = lock_site(d->site, PROGRAM)) == -1 || share_files(d) != 0 ||
	    open_listeners(d) != 0)
		return EXIT_CANNOT;
	d->n_desks = 1 + c->web_readers;
	if (make_pairs(d) != 0) {
		d->n_desks = 0;
		return EXIT_CANNOT;
	}
	wc->n = 1 + d->n_desks;
	return 0;
}

static void
clear(struct daemon *d)
{
	for (unsigned i = 0; i < d->n_fds; i++)
		close(d->fds[i]);
	close_pairs(d->ours, d->theirs, d->n_desks);
	if (d->lock >= 0)
		close(d->lock);
	SSL_CTX_free(d->tls);
	site_free(d->site);
}

int
daemon_run(const char *dir)
{
	struct daemon d = { .dir = dir, .lock = -1 };
	struct worker_config wc = { .run = run_process, .reload = reload, .ctx = &d };
	int code;

	if (load(&d.site, &d.tls, dir) != 0)
		return EXIT_USAGE;
	if ((code = prepare(&d, &wc)) == 0) {
		log_info("ready: %u addresses", d.n_fds);
		code = worker_supervise(&wc);
	}
	clear(&d);
	return code;
}
