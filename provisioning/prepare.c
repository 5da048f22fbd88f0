/* prepare.c - see prepare.h. */
#include "provisioning/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "lib/worker.h"
#include "provisioning/certs.h"
#include "provisioning/enrol.h"
#include "provisioning/front.h"
#include "provisioning/keys.h"
#include "provisioning/optout.h"

struct work {
	struct site *site;
	struct prepared *made;
	struct certs_ca ca, other_ca;
	char *err;
	size_t errlen;
};

#define DKIM_ALGORITHM 8 /* RSA, 2048 bits: what every receiver can check */

static bool
exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* --- directories ----------------------------------------------------------------------------------- */

/* Workers write their log segments after they gave up root. */
static int
give_to_user(const struct work *w, const char *path)
{
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0 || w->site->conf.user[0] == '\0')
		return 0;
	if (worker_user(w->site->conf.user, &uid, &gid) != 0) {
		snprintf(w->err, w->errlen,
		    "%s/outpost.conf: user: no user \"%s\": make it with adduser --system",
		    w->site->dir, w->site->conf.user);
		return -1;
	}
	if (chown(path, uid, gid) == 0)
		return 0;
	snprintf(w->err, w->errlen, "%s: cannot give it to %s: %s: %s", path, w->site->conf.user,
	    strerror(errno), log_advice(errno));
	return -1;
}

static int
make_directories(const struct work *w)
{
	static const struct {
		const char *name;
		mode_t mode;
		bool user;
	} dirs[] = {
		{ "keys", 0700, false },
		{ "certs", 0755, false },
		{ "state", 0755, false },
		{ "log", 0755, true },
		{ "run", 0755, true },
	};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		char path[512];

		site_path(path, w->site, "", dirs[i].name);
		if (mkdir(path, dirs[i].mode) != 0 && errno != EEXIST) {
			snprintf(w->err, w->errlen, "%s: cannot make the directory: %s: %s", path,
			    strerror(errno), log_advice(errno));
			return -1;
		}
		if (dirs[i].user && give_to_user(w, path) != 0)
			return -1;
	}
	return 0;
}

/* --- keys --------------------------------------------------------------------------------------------- */

/* The key of the file, made first if there is none.  NULL: err says why. */
static EVP_PKEY *
key_of(struct work *w, const char *path, unsigned algorithm)
{
	EVP_PKEY *key;

	if (exists(path))
		return keys_load(path, w->err, w->errlen);
	key = keys_generate(algorithm);
	if (key == NULL || keys_save(path, key) != 0) {
		snprintf(w->err, w->errlen, "%s: the key could not be made", path);
		EVP_PKEY_free(key);
		return NULL;
	}
	w->made->keys++;
	return key;
}

static int
make_key(struct work *w, const char *path, unsigned algorithm)
{
	EVP_PKEY *key;

	if (exists(path))
		return 0;
	key = key_of(w, path, algorithm);
	EVP_PKEY_free(key);
	return key != NULL ? 0 : -1;
}

/* A journal that says nothing to who has another secret, or NULL: there is none yet. */
static const char *
needs_secret(const struct site *site)
{
	static const char *const journals[] = { ENROL_FILE, OPTOUT_FILE };
	char path[512];
	struct stat sb;

	for (size_t i = 0; i < sizeof(journals) / sizeof(*journals); i++) {
		site_path(path, site, "state", journals[i]);
		if (stat(path, &sb) == 0 && sb.st_size > 0)
			return journals[i];
	}
	return NULL;
}

static int
make_secret(struct work *w)
{
	const char *journal = needs_secret(w->site);
	char path[512];

	site_path(path, w->site, "keys", SITE_SECRET_FILE);
	if (exists(path))
		return 0;
	if (journal != NULL) {
		snprintf(w->err, w->errlen,
		    "%s: it is gone, but not state/%s: restore it from a backup: under another "
		    "secret no token that was given out is known, nor who opted out",
		    path, journal);
		return -1;
	}
	if (keys_secret_new(path) != 0) {
		snprintf(w->err, w->errlen, "%s: the secret could not be made", path);
		return -1;
	}
	w->made->keys++;
	return 0;
}

static int
make_dns_keys(struct work *w)
{
	unsigned algorithm[SITE_ZONE_KEYS_MAX];
	size_t n = site_algorithms(algorithm, w->site->catalogue);
	char path[512];

	if (make_secret(w) != 0)
		return -1;
	site_path(path, w->site, "keys", SITE_BASE_KEY);
	if (make_key(w, path, SITE_BASE_ALGORITHM) != 0)
		return -1;
	site_path(path, w->site, "keys", SITE_DKIM_KEY);
	if (make_key(w, path, DKIM_ALGORITHM) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		site_zone_key_path(path, w->site, algorithm[i]);
		if (make_key(w, path, algorithm[i]) != 0)
			return -1;
	}
	return 0;
}

/* --- certificates --------------------------------------------------------------------------------------- */

static int
make_ca(struct work *w, struct certs_ca *dst, const char *file, const char *name)
{
	char path[512];

	site_path(path, w->site, "keys", file);
	if ((dst->key = key_of(w, path, 13)) == NULL)
		return -1;
	site_path(path, w->site, "certs", file);
	if (exists(path)) {
		dst->cert = certs_load(path, w->err, w->errlen);
		return dst->cert != NULL ? 0 : -1;
	}
	dst->cert = certs_make_ca(dst->key, name, clock_now());
	if (dst->cert == NULL || certs_save(path, dst->cert, NULL) != 0) {
		snprintf(w->err, w->errlen, "%s: the certificate could not be made", path);
		return -1;
	}
	w->made->certs++;
	return 0;
}

struct names {
	char **name;
	size_t n;
};

static void
add_names(struct names *names, const struct site *site, const struct test *t, unsigned host)
{
	for (unsigned z = 0; z < TEST_ZONES_MAX; z++) {
		char zone[256];

		if (z > 0 && !t->zone[z].used)
			continue;
		site_zone_name(zone, sizeof(zone), site, t, z);
		names->name = xrealloc(names->name, (names->n + 1) * sizeof(*names->name));
		names->name[names->n++] = xasprintf("*.mx%u.%s", host, zone);
	}
}

static int
issue(struct work *w, const char *path, const struct certs_request *r)
{
	X509 *cert = certs_make(r, clock_now());
	int rc = -1;

	if (cert != NULL && certs_save(path, cert, certs_issuer(r)) == 0) {
		w->made->certs++;
		rc = 0;
	} else {
		snprintf(w->err, w->errlen, "%s: the certificate could not be made", path);
	}
	X509_free(cert);
	return rc;
}

static int
make_cert(struct work *w, const char *path, const struct front *f, enum cert_kind kind,
    EVP_PKEY *key, const struct test *const *tests, size_t n)
{
	char *wrong = xasprintf("elsewhere.%s", w->site->conf.base);
	struct names names = { 0 };
	struct certs_request r = { .kind = kind,
		.wrong_name = wrong,
		.key = key,
		.ca = &w->ca,
		.other_ca = &w->other_ca };
	int rc;

	for (size_t i = 0; i < n; i++)
		add_names(&names, w->site, tests[i], f->host);
	r.name = (const char *const *)names.name;
	r.n_names = names.n;
	rc = issue(w, path, &r);
	for (size_t i = 0; i < names.n; i++)
		free(names.name[i]);
	free(names.name);
	free(wrong);
	return rc;
}

static int
make_default_cert(struct work *w, const struct front *f, EVP_PKEY *key)
{
	EVP_PKEY *other;
	int rc;

	if (!f->sni_only)
		return make_cert(w, f->cert, f, f->kind, key, f->tests, f->n_tests);
	if ((other = key_of(w, f->defaultkey, certs_algorithm(CERT_WRONG_NAME))) == NULL)
		return -1;
	rc = make_cert(w, f->cert, f, CERT_WRONG_NAME, other, f->tests, f->n_tests);
	EVP_PKEY_free(other);
	return rc;
}

/* Key and default certificate of a front, then one certificate for each of its tests. */
static int
make_front_certs(struct work *w, const struct front *f)
{
	EVP_PKEY *key = key_of(w, f->certkey, certs_algorithm(f->kind));
	char cert[512], certkey[512];
	int rc = -1;

	if (key == NULL)
		return -1;
	if (!exists(f->cert) && make_default_cert(w, f, key) != 0)
		goto out;
	for (size_t i = 0; i < f->n_tests; i++) {
		site_cert_path(cert, certkey, w->site, f->tests[i], f->host);
		if (!exists(cert) && make_cert(w, cert, f, f->kind, key, &f->tests[i], 1) != 0)
			goto out;
	}
	rc = 0;
out:
	EVP_PKEY_free(key);
	return rc;
}

/* The web site's own, unless the operator has one for it. */
static int
make_web_cert(struct work *w)
{
	const struct site_conf *c = &w->site->conf;
	const char *name = c->web_name[0] != '\0' ? c->web_name : c->base;
	struct certs_request r = { .kind = CERT_PKIX_VALID,
		.name = &name,
		.n_names = 1,
		.ca = &w->ca,
		.other_ca = &w->other_ca };
	char path[512], keypath[512];
	int rc;

	site_web_cert(path, keypath, w->site);
	if (!c->web || !c->web_tls || c->web_cert[0] != '\0' || exists(path))
		return 0;
	if ((r.key = key_of(w, keypath, certs_algorithm(r.kind))) == NULL)
		return -1;
	rc = issue(w, path, &r);
	EVP_PKEY_free(r.key);
	return rc;
}

static int
make_certs(struct work *w)
{
	char *ca = xasprintf("Outpost CA of %s", w->site->conf.base);
	char *other = xasprintf("Outpost CA that nobody trusts, of %s", w->site->conf.base);
	int rc = make_ca(w, &w->ca, SITE_CA, ca) != 0 ||
			 make_ca(w, &w->other_ca, SITE_OTHER_CA, other) != 0
		     ? -1
		     : make_web_cert(w);

	for (size_t i = 0; i < w->site->n_fronts && rc == 0; i++)
		rc = make_front_certs(w, &w->site->fronts[i]);
	X509_free(w->ca.cert);
	X509_free(w->other_ca.cert);
	EVP_PKEY_free(w->ca.key);
	EVP_PKEY_free(w->other_ca.key);
	free(ca);
	free(other);
	return rc;
}

static int
assign_fronts(struct work *w)
{
	int n = fronts_assign(w->site);

	if (n < 0) {
		snprintf(
		    w->err, w->errlen, "%s/state/fronts.jsonl: cannot be written", w->site->dir);
		return -1;
	}
	w->made->fronts = (unsigned)n;
	return 0;
}

/* Two at once would make the same key twice, and one of them would find it there and fail.
 * The descriptor that holds the lock, or -1. */
static int
lock_site(const char *dir)
{
	char *path = xasprintf("%s/outpost.conf", dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	free(path);
	if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int
site_prepare(struct prepared *made, const char *dir, char *err, size_t errlen)
{
	struct work w = { .made = made, .err = err, .errlen = errlen };
	mode_t mask = umask(022);
	int rc, lock = lock_site(dir);

	memset(made, 0, sizeof(*made));
	w.site = site_open(dir, 0, err, errlen);
	rc = w.site == NULL || make_directories(&w) != 0 || make_dns_keys(&w) != 0 ||
		     make_certs(&w) != 0 || assign_fronts(&w) != 0
		 ? -1
		 : 0;
	site_free(w.site);
	if (lock >= 0)
		close(lock);
	umask(mask);
	return rc;
}
