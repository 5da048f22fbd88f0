/* site.c - see site.h. */
#include "provisioning/site.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/strbuf.h"
#include "provisioning/address.h"
#include "provisioning/certs.h"
#include "provisioning/front.h"
#include "provisioning/keys.h"

#define DEFAULT_DIR "/var/lib/outpost"

const char *
site_dir(const char *option)
{
	const char *env = getenv("OUTPOST_SITE");

	if (option != NULL)
		return option;
	return env != NULL && env[0] != '\0' ? env : DEFAULT_DIR;
}

void
site_program_dir(char dst[512])
{
	ssize_t n = readlink("/proc/self/exe", dst, 511);
	char *slash;

	dst[n > 0 ? n : 0] = '\0';
	slash = strrchr(dst, '/');
	if (slash != NULL)
		*slash = '\0';
	else
		snprintf(dst, 512, ".");
}

void
site_find_part(char dst[512], const char *const places[])
{
	char program[512], path[PATH_MAX];

	site_program_dir(program);
	for (; *places != NULL; places++) {
		if ((*places)[0] == '/')
			snprintf(dst, 512, "%s", *places);
		else
			snprintf(dst, 512, "%.400s/%s", program, *places);
		if (realpath(dst, path) != NULL && strlen(path) < 512 && access(path, R_OK) == 0) {
			memcpy(dst, path, strlen(path) + 1);
			return;
		}
	}
}

void
site_path(char dst[512], const struct site *site, const char *sub, const char *name)
{
	snprintf(dst, 512, "%s/%s%s%s", site->dir, sub, sub[0] != '\0' ? "/" : "", name);
}

void
site_zone_key_path(char dst[512], const struct site *site, unsigned algorithm)
{
	char name[32];

	snprintf(name, sizeof(name), "zone-%u.pem", algorithm);
	site_path(dst, site, "keys", name);
}

void
site_cert_path(
    char cert[512], char key[512], const struct site *site, const struct test *t, unsigned host)
{
	const struct front *f = site->front_of[t->number][host];
	char name[128];

	cert[0] = key[0] = '\0';
	if (f == NULL)
		return;
	/* The front is part of the name: a test whose host changes gets a new certificate. */
	snprintf(name, sizeof(name), "%s.mx%u.%.8s.pem", t->name, host, f->key);
	site_path(cert, site, "certs", name);
	snprintf(key, 512, "%s", f->certkey);
}

const char *
site_ns4(const struct site *site, const struct test *test, unsigned zone)
{
	const struct conf_list *list = &site->conf.ipv4_child;
	unsigned at = 0;

	if (test->zone[zone].ns == NS_V6)
		return NULL;
	for (size_t i = 0; test->zone[zone].own_address && i < site->catalogue->n; i++) {
		const struct test *t = site->catalogue->tests[i];

		for (unsigned z = 0; z < TEST_ZONES_MAX && t->number <= test->number; z++)
			at += t->zone[z].own_address && (t != test || z <= zone);
	}
	return at < list->n ? list->item[at] : NULL;
}

/* Of the name server addresses all but the one where policies are served, on the same port. */
static bool
is_free_for_web(const struct site *site, const char *address)
{
	const char *policy = site_policy4(site);

	if (policy == NULL || strcmp(policy, address) != 0 ||
	    site->conf.web_port != site->conf.https_port)
		return true;
	for (size_t i = 0; i < site->catalogue->n; i++)
		if (site->catalogue->tests[i]->n_policy > 0)
			return false;
	return true;
}

size_t
site_web_addresses(char dst[][ADDRESS_TEXT_MAX], size_t max, const struct site *site)
{
	const struct site_conf *c = &site->conf;
	struct in6_addr a;
	size_t n = 0;

	for (unsigned i = 0; i < c->web_address.n && n < max; i++)
		snprintf(dst[n++], ADDRESS_TEXT_MAX, "%s", c->web_address.item[i]);
	if (c->web_address.n > 0)
		return n;
	for (unsigned i = 0; i < c->ipv4_parent.n && n < max; i++)
		if (is_free_for_web(site, c->ipv4_parent.item[i]))
			snprintf(dst[n++], ADDRESS_TEXT_MAX, "%s", c->ipv4_parent.item[i]);
	if (site->has_ipv6 && n < max) {
		address_make(&a, &site->prefix, 0, 0, ADDRESS_SERVES, 0);
		inet_ntop(AF_INET6, &a, dst[n++], ADDRESS_TEXT_MAX);
	}
	return n;
}

void
site_web_url(char *dst, size_t dstlen, const struct site *site, const char *path)
{
	const struct site_conf *c = &site->conf;
	const char *name = c->web_name[0] != '\0' ? c->web_name : c->base;

	if (!c->web_tls || c->web_port == 443) /* a proxy has the usual port */
		snprintf(dst, dstlen, "https://%s%s", name, path);
	else
		snprintf(dst, dstlen, "https://%s:%u%s", name, c->web_port, path);
}

void
site_web_cert(char cert[512], char key[512], const struct site *site)
{
	if (site->conf.web_cert[0] != '\0') {
		snprintf(cert, 512, "%s", site->conf.web_cert);
		snprintf(key, 512, "%s", site->conf.web_key);
		return;
	}
	site_path(cert, site, "certs", SITE_WEB);
	site_path(key, site, "keys", SITE_WEB);
}

void
site_zone_name(
    char *dst, size_t dstlen, const struct site *site, const struct test *t, unsigned zone)
{
	if (t == NULL)
		snprintf(dst, dstlen, "%s", site->conf.base);
	else
		snprintf(dst, dstlen, "%s%s.%s", t->name, zone == 1 ? "-b" : "", site->conf.base);
}

/* --- configuration ----------------------------------------------------------------------------- */

/* Lower case, letters, digits, hyphens and dots, labels of 1 to 63, no final dot. */
static bool
is_domain(char *name)
{
	size_t label = 0;

	for (char *p = name; *p != '\0'; p++) {
		*p = (char)tolower((unsigned char)*p);
		if (*p == '.') {
			if (label == 0 || p[1] == '\0')
				return false;
			label = 0;
			continue;
		}
		if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_')
			return false;
		if (++label > 63)
			return false;
	}
	return label > 0;
}

static int
check_prefix(struct site *site, const char *path, char *err, size_t errlen)
{
	char text[64], *slash;

	if (site->conf.ipv6[0] == '\0')
		return 0;
	snprintf(text, sizeof(text), "%s", site->conf.ipv6);
	slash = strchr(text, '/');
	if (slash != NULL)
		*slash = '\0';
	if (slash == NULL || strcmp(slash + 1, "64") != 0 ||
	    inet_pton(AF_INET6, text, &site->prefix) != 1) {
		snprintf(err, errlen,
		    "%s: ipv6: \"%s\" is not an IPv6 prefix of length 64: write PREFIX::/64", path,
		    site->conf.ipv6);
		return -1;
	}
	for (unsigned i = 8; i < 16; i++) {
		if (site->prefix.s6_addr[i] != 0) {
			snprintf(err, errlen,
			    "%s: ipv6: \"%s\" has bits right of its 64: write PREFIX::/64", path,
			    site->conf.ipv6);
			return -1;
		}
	}
	site->has_ipv6 = true;
	return 0;
}

static int
check_addresses(const struct site *site, const char *path, char *err, size_t errlen)
{
	const struct {
		const char *key;
		const struct conf_list *list;
	} lists[] = {
		{ "ipv4-parent", &site->conf.ipv4_parent },
		{ "ipv4-child", &site->conf.ipv4_child },
		{ "ipv4-front", &site->conf.ipv4_front },
		{ "ipv4-refused", &site->conf.ipv4_refused },
		{ "ipv4-silent", &site->conf.ipv4_silent },
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		for (unsigned j = 0; j < lists[i].list->n; j++) {
			struct in_addr a;

			if (inet_pton(AF_INET, lists[i].list->item[j], &a) == 1)
				continue;
			snprintf(err, errlen, "%s: %s: \"%s\" is not an IPv4 address", path,
			    lists[i].key, lists[i].list->item[j]);
			return -1;
		}
	}
	if (site->conf.ipv4_parent.n == 0 && !site->has_ipv6) {
		snprintf(err, errlen,
		    "%s: neither ipv4-parent nor ipv6 is set: the site needs an address", path);
		return -1;
	}
	return 0;
}

/* Left of the base stand the token, mxK, the test's name and "_25._tcp": 255 octets in all. */
#define BASE_MAX                                                                                   \
	(253 - (sizeof("_25._tcp.") - 1) - (TOKEN_LEN + 1) - sizeof("mx31") - (TEST_NAME_MAX + 3))

static int
load_conf(struct site *site, char *err, size_t errlen)
{
	const struct conf_row *rows;
	char path[512];
	size_t n;

	rows = site_rows(&n);
	site_path(path, site, "", "outpost.conf");
	if (access(path, R_OK) != 0) {
		snprintf(err, errlen, "%s: %s: %s", path, strerror(errno),
		    errno == ENOENT ? "make a site with outpost init DIR" : "run as root");
		return -1;
	}
	if (conf_load(&site->conf, rows, n, path, err, errlen) != 0)
		return -1;
	if (!is_domain(site->conf.base) || strlen(site->conf.base) > BASE_MAX) {
		snprintf(err, errlen,
		    "%s: base: \"%s\" is not a domain name of at most %zu characters", path,
		    site->conf.base, (size_t)BASE_MAX);
		return -1;
	}
	if (strcmp(site->conf.verify, "all") != 0 && strcmp(site->conf.verify, "none") != 0) {
		snprintf(
		    err, errlen, "%s: verify: \"%s\": write all or none", path, site->conf.verify);
		return -1;
	}
	if (check_prefix(site, path, err, errlen) != 0)
		return -1;
	return check_addresses(site, path, err, errlen);
}

/* --- catalogue --------------------------------------------------------------------------------- */

void
site_find_catalogue(char dst[512], char base_zone[512], const char *conf_dir)
{
	/* From the programs of a source tree, from bin, from libexec/outpost. */
	static const char *const catalogues[] = { "../zones/catalogue",
		"../share/outpost/zones/catalogue", "../../share/outpost/zones/catalogue",
		OUTPOST_SHAREDIR "/zones/catalogue", NULL };
	static const char *const bases[] = { "../zones/base.zone",
		"../share/outpost/zones/base.zone", "../../share/outpost/zones/base.zone",
		OUTPOST_SHAREDIR "/zones/base.zone", NULL };

	if (conf_dir[0] != '\0')
		snprintf(dst, 512, "%s", conf_dir);
	else
		site_find_part(dst, catalogues);
	snprintf(base_zone, 512, "%.490s/../base.zone", dst);
	if (access(base_zone, R_OK) != 0)
		site_find_part(base_zone, bases);
}

/* --- what keys/ and certs/ hold ------------------------------------------------------------------ */

static int
load_secret(struct site *site, char *err, size_t errlen)
{
	char path[512];

	site_path(path, site, "keys", SITE_SECRET_FILE);
	if (keys_secret_load(site->token_key.secret, path, err, errlen) != 0)
		return -1;
	token_key_prepare(&site->token_key);
	return 0;
}

static int
load_zone_key(
    struct site_zone_key *dst, const char *path, unsigned algorithm, char *err, size_t errlen)
{
	EVP_PKEY *key = keys_load(path, err, errlen);

	if (key == NULL)
		return -1;
	if (zone_key_set(dst, key, algorithm) == 0)
		return 0;
	snprintf(err, errlen, "%s: not a key of algorithm %u: " KEYS_RESTORE, path, algorithm);
	return -1;
}

size_t
site_algorithms(unsigned dst[SITE_ZONE_KEYS_MAX], const struct catalogue *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		for (unsigned z = 0; z < TEST_ZONES_MAX; z++) {
			const struct zone_options *o = &c->tests[i]->zone[z];
			size_t j = 0;

			if ((z > 0 && !o->used) || o->algorithm == 0)
				continue;
			while (j < n && dst[j] != o->algorithm)
				j++;
			if (j == n && n < SITE_ZONE_KEYS_MAX)
				dst[n++] = o->algorithm;
		}
	}
	return n;
}

/* The public half of the key that signs what we write.  A site that was made before there was one has none. */
static int
load_dkim(struct site *site, char *err, size_t errlen)
{
	char path[512];
	unsigned char *der = NULL;
	EVP_PKEY *key;
	int len = 0;

	site_path(path, site, "keys", SITE_DKIM_KEY);
	if (access(path, F_OK) != 0)
		return 0;
	if ((key = keys_load(path, err, errlen)) == NULL)
		return -1;
	len = i2d_PUBKEY(key, &der);
	if (len > 0 && 4 * ((size_t)len + 2) / 3 < sizeof(site->dkim))
		EVP_EncodeBlock((unsigned char *)site->dkim, der, len);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	return 0;
}

static int
load_zone_keys(struct site *site, char *err, size_t errlen)
{
	unsigned algorithm[SITE_ZONE_KEYS_MAX];
	size_t n = site_algorithms(algorithm, site->catalogue);
	char path[512];

	site_path(path, site, "keys", SITE_BASE_KEY);
	if (load_zone_key(&site->base_key, path, SITE_BASE_ALGORITHM, err, errlen) != 0)
		return -1;
	if (load_dkim(site, err, errlen) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		site_zone_key_path(path, site, algorithm[i]);
		if (load_zone_key(
			&site->zone_key[site->n_zone_keys++], path, algorithm[i], err, errlen) != 0)
			return -1;
	}
	return 0;
}

static int
load_digests(struct site_digests *dst, const char *path, char *err, size_t errlen)
{
	X509 *cert = certs_load(path, err, errlen);

	if (cert == NULL)
		return -1;
	dst->known = certs_digests(dst->spki, dst->spki512, dst->cert, cert) == 0;
	X509_free(cert);
	return 0;
}

static int
load_ca(uint8_t spki[32], const struct site *site, const char *name, char *err, size_t errlen)
{
	struct site_digests digests;
	char path[512];

	site_path(path, site, "certs", name);
	if (load_digests(&digests, path, err, errlen) != 0)
		return -1;
	memcpy(spki, digests.spki, sizeof(digests.spki));
	return 0;
}

static int
load_test_certs(struct site *site, const struct test *t, char *err, size_t errlen)
{
	char cert[512], key[512];

	site->digests_of[t->number] = xcalloc(TEST_HOSTS_MAX, sizeof(struct site_digests));
	for (unsigned k = 0; k < t->n_hosts; k++) {
		if (!t->host[k].used)
			continue;
		site_cert_path(cert, key, site, t, k);
		if (load_digests(&site->digests_of[t->number][k], cert, err, errlen) != 0)
			return -1;
	}
	return 0;
}

static int
load_certs(struct site *site, char *err, size_t errlen)
{
	if (load_ca(site->ca_spki, site, SITE_CA, err, errlen) != 0 ||
	    load_ca(site->other_ca_spki, site, SITE_OTHER_CA, err, errlen) != 0)
		return -1;
	for (size_t i = 0; i < site->catalogue->n; i++)
		if (load_test_certs(site, site->catalogue->tests[i], err, errlen) != 0)
			return -1;
	for (size_t i = 0; i < site->n_fronts; i++) {
		const char *path[] = { site->fronts[i].cert, site->fronts[i].certkey,
			site->fronts[i].defaultkey };

		for (size_t j = 0; j < 3; j++) {
			if (access(path[j], F_OK) != 0) {
				keys_unreadable(err, errlen, path[j], errno);
				return -1;
			}
		}
	}
	return 0;
}

static const struct part {
	unsigned bit;
	int (*load)(struct site *, char *err, size_t errlen);
} parts[] = {
	{ SITE_SECRET, load_secret },
	{ SITE_KEYS, load_zone_keys },
	{ SITE_CERTS, load_certs },
};

struct site *
site_open_conf(const char *dir, char *err, size_t errlen)
{
	struct site *site;

	if (strlen(dir) >= sizeof(site->dir)) {
		snprintf(err, errlen, "%s: path too long: use a shorter one", dir);
		return NULL;
	}
	site = xcalloc(1, sizeof(*site));
	snprintf(site->dir, sizeof(site->dir), "%s", dir);
	if (load_conf(site, err, errlen) != 0) {
		site_free(site);
		return NULL;
	}
	site_find_catalogue(site->catalogue_dir, site->base_zone, site->conf.catalogue);
	return site;
}

struct site *
site_open(const char *dir, unsigned need, char *err, size_t errlen)
{
	struct site *site = site_open_conf(dir, err, errlen);

	if (site == NULL)
		return NULL;
	if ((site->catalogue = catalogue_load(site->catalogue_dir, err, errlen)) == NULL)
		goto fail;
	fronts_build(site);
	if (fronts_load(site) != 0) {
		snprintf(err, errlen, "%s/state/fronts.jsonl: cannot be read", dir);
		goto fail;
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		char why[400];

		if (parts[i].load(site, why, sizeof(why)) == 0) {
			site->has |= parts[i].bit;
		} else if (need & parts[i].bit) {
			snprintf(err, errlen, "%s", why);
			goto fail;
		}
	}
	return site;
fail:
	site_free(site);
	return NULL;
}

struct site *
site_load(const char *dir, char *err, size_t errlen)
{
	return site_open(dir, SITE_ALL, err, errlen);
}

void
site_free(struct site *site)
{
	const struct conf_row *rows;
	size_t n;

	if (site == NULL)
		return;
	rows = site_rows(&n);
	conf_clear(&site->conf, rows, n);
	fronts_clear(site);
	zone_key_clear(&site->base_key);
	for (size_t i = 0; i < site->n_zone_keys; i++)
		zone_key_clear(&site->zone_key[i]);
	for (size_t i = 0; i <= TEST_NUMBER_MAX; i++)
		free(site->digests_of[i]);
	catalogue_free(site->catalogue);
	OPENSSL_cleanse(&site->token_key, sizeof(site->token_key));
	free(site);
}

const char *
site_policy4(const struct site *site)
{
	const struct site_conf *c = &site->conf;

	return c->ipv4_policy.n > 0  ? c->ipv4_policy.item[0]
	       : c->ipv4_child.n > 0 ? c->ipv4_child.item[0]
				     : NULL;
}
