/* slots.c - see slots.h. */
#include "provisioning/slots.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/journal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "provisioning/certs.h"
#include "provisioning/keys.h"

#define POOL_FILE "pool.jsonl"

enum { TYPE_A = 1, TYPE_AAAA = 28 };

static void
slot_path(char dst[512], const struct site *site, const char *where, const struct token *token,
    const char *end)
{
	char name[64];

	snprintf(name, sizeof name, "pool/%s.%s", token->text, end);
	site_path(dst, site, where, name);
}

/* --- names ------------------------------------------------------------------------------------------- */

static bool
has_valid_policy(const struct test *t)
{
	for (unsigned i = 0; i < t->n_policy; i++)
		if (t->policy[i].cert == CERT_PKIX_VALID)
			return true;
	return false;
}

static bool
in_set(const struct test *t, const char *set)
{
	while (*set != '\0') {
		size_t len = strcspn(set, ",");
		for (size_t i = 0; i < t->n_in_sets; i++)
			if (strlen(t->in_sets[i]) == len && strncmp(t->in_sets[i], set, len) == 0)
				return true;
		set += len + (set[len] == ',');
	}
	return false;
}

/* Does the name, a template, lead to the HTTPS host? */
static bool
has_address(const struct test *t, const char *name)
{
	for (size_t i = 0; i < t->n_records; i++)
		if ((t->records[i].type == TYPE_A || t->records[i].type == TYPE_AAAA) &&
		    strcmp(t->records[i].owner, name) == 0)
			return true;
	return false;
}

size_t
slots_names(char ***dst, const struct site *site, const struct token *token, const char *set)
{
	char **names = xcalloc(4 * site->catalogue->n + 1, sizeof *names), zone[256];
	size_t n = 0;

	for (size_t i = 0; i < site->catalogue->n; i++) {
		const struct test *t = site->catalogue->tests[i];
		if (!in_set(t, set))
			continue;
		site_zone_name(zone, sizeof zone, site, t, 0);
		if (has_valid_policy(t) && has_address(t, "mta-sts.{d}"))
			names[n++] = xasprintf("mta-sts.%s.%s", token->text, zone);
		for (unsigned z = 0; z < TEST_ZONES_MAX; z++) {
			if (!has_address(t, z == 0 ? "tlsrpt.{d}" : "tlsrpt.{d:b}"))
				continue;
			site_zone_name(zone, sizeof zone, site, t, z);
			names[n++] = xasprintf("tlsrpt.%s.%s", token->text, zone);
		}
	}
	*dst = names;
	return n;
}

void
slots_names_free(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* --- a slot is made ---------------------------------------------------------------------------------- */

static X509_REQ *
make_request(EVP_PKEY *key, char *const *names, size_t n)
{
	STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
	X509_REQ *req = X509_REQ_new();
	struct strbuf alt = { 0 };
	X509_EXTENSION *ext;
	bool ok = false;

	for (size_t i = 0; i < n; i++)
		strbuf_printf(&alt, "%sDNS:%s", i > 0 ? "," : "", names[i]);
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt.s);
	/* No CN: it has room for 64 characters only, and nobody reads it any more. */
	if (req != NULL && exts != NULL && ext != NULL && sk_X509_EXTENSION_push(exts, ext) > 0) {
		ok = X509_REQ_set_version(req, X509_REQ_VERSION_1) == 1 &&
		     X509_REQ_set_pubkey(req, key) == 1 &&
		     X509_REQ_add_extensions(req, exts) == 1 &&
		     X509_REQ_sign(req, key, EVP_sha256()) > 0;
		ext = NULL;
	}
	X509_EXTENSION_free(ext);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	strbuf_clear(&alt);
	if (ok)
		return req;
	log_warn("certificate request: OpenSSL cannot make it: check its installation");
	X509_REQ_free(req);
	return NULL;
}

static int
write_request(FILE *f, void *ctx)
{
	return PEM_write_X509_REQ(f, ctx) == 1 ? 0 : -1;
}

static int
make_folder(const struct site *site, const char *where, mode_t mode)
{
	char path[512];

	site_path(path, site, where, "pool");
	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	log_warn("%s: cannot make the directory: %s", path, strerror(errno));
	return -1;
}

int
slots_request(
    struct slot *dst, char csr[512], char chain[512], const struct site *site, const char *set)
{
	char path[512], **names = NULL;
	X509_REQ *req = NULL;
	EVP_PKEY *key = NULL;
	size_t n = 0;
	int rc = -1;

	memset(dst, 0, sizeof *dst);
	snprintf(dst->set, sizeof dst->set, "%s", set);
	if (token_new(&dst->token, site->conf.node_number, &site->token_key) != 0) {
		log_warn("pool: no randomness: check the OpenSSL installation");
		return -1;
	}
	n = slots_names(&names, site, &dst->token, set);
	if (n == 0 || n > SLOTS_NAMES_MAX) {
		log_warn("pool: set %s: %zu policy hosts: a certificate has 1 to %d names", set, n,
		    SLOTS_NAMES_MAX);
		goto out;
	}
	if (make_folder(site, "keys", 0700) != 0 || make_folder(site, "certs", 0755) != 0)
		goto out;
	slot_path(path, site, "keys", &dst->token, "pem");
	slot_path(csr, site, "certs", &dst->token, "csr");
	slot_path(chain, site, "certs", &dst->token, "pem");
	key = keys_generate(certs_algorithm(CERT_PKIX_VALID));
	if (key == NULL || (req = make_request(key, names, n)) == NULL)
		goto out;
	if (keys_save(path, key) == 0 && keys_create_file(csr, 0644, write_request, req) == 0)
		rc = 0;
	else
		slots_remove(site, &dst->token);
out:
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	slots_names_free(names, n);
	return rc;
}

void
slots_remove(const struct site *site, const struct token *token)
{
	static const struct {
		const char *where, *end;
	} files[] = { { "keys", "pem" }, { "certs", "csr" }, { "certs", "pem" } };
	char path[512];

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		slot_path(path, site, files[i].where, token, files[i].end);
		unlink(path);
	}
}

/* --- the certificate ----------------------------------------------------------------------------------- */

/* The chain in the file, the leaf first.  NULL: none. */
static STACK_OF(X509) * read_chain(const char *path)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	FILE *f = fopen(path, "re");
	X509 *cert;

	while (f != NULL && chain != NULL && sk_X509_num(chain) < 8 &&
	       (cert = PEM_read_X509(f, NULL, NULL, NULL)) != NULL)
		sk_X509_push(chain, cert);
	ERR_clear_error();
	if (f != NULL)
		fclose(f);
	if (sk_X509_num(chain) > 0)
		return chain;
	sk_X509_free(chain);
	return NULL;
}

static bool
end_of(int64_t *until_us, const X509 *cert)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return false;
	*until_us = (int64_t)timegm(&tm) * CLOCK_SECOND;
	return true;
}

/* Why the certificate does not do for the slot; NULL: it does. */
static const char *
unfit(const X509 *leaf, const EVP_PKEY *key, char *const *names, size_t n, int64_t until_us,
    int64_t now_us)
{
	if (X509_check_private_key(leaf, key) != 1)
		return "it is for another key";
	for (size_t i = 0; i < n; i++)
		if (X509_check_host((X509 *)(uintptr_t)leaf, names[i], 0,
			X509_CHECK_FLAG_NO_WILDCARDS, NULL) != 1)
			return names[i];
	if (until_us < now_us + SLOTS_MARGIN * CLOCK_SECOND)
		return "it ends too soon";
	return NULL;
}

static int
append(const struct site *site, struct strbuf *line)
{
	char path[512];
	int rc;

	site_path(path, site, "state", POOL_FILE);
	rc = journal_append(path, line->s, line->len);
	strbuf_clear(line);
	return rc;
}

static int
note_ready(const struct slot *s, const struct site *site, int64_t now_us)
{
	struct strbuf line = { 0 };

	json_begin(&line, NULL, '{');
	json_put_time(&line, "t", now_us);
	json_put(&line, "token", s->token.text);
	json_put(&line, "set", s->set);
	json_put_time(&line, "until", s->until_us);
	json_end(&line, '}');
	return append(site, &line);
}

int
slots_accept(struct slot *s, const struct site *site, int64_t now_us)
{
	char path[512], chain_path[512], err[600] = "", **names;
	size_t n = slots_names(&names, site, &s->token, s->set);
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
	const char *why = "there is no certificate in it";
	int rc = -1;

	slot_path(path, site, "keys", &s->token, "pem");
	slot_path(chain_path, site, "certs", &s->token, "pem");
	key = keys_load(path, err, sizeof err);
	chain = read_chain(chain_path);
	if (key == NULL)
		why = err;
	else if (chain != NULL && end_of(&s->until_us, sk_X509_value(chain, 0)))
		why = unfit(sk_X509_value(chain, 0), key, names, n, s->until_us, now_us);
	if (why != NULL) {
		log_warn("%s: not what was asked for: %s", chain_path, why);
	} else {
		rc = note_ready(s, site, now_us);
		slot_path(path, site, "certs", &s->token, "csr");
		unlink(path);
	}
	sk_X509_pop_free(chain, X509_free);
	EVP_PKEY_free(key);
	slots_names_free(names, n);
	return rc;
}

/* --- who has which ------------------------------------------------------------------------------------- */

struct each {
	const struct site *site;
	int (*row)(void *ctx, const struct slot *);
	void *ctx;
};

static int
on_line(void *ctx, const char *line, size_t len)
{
	struct each *each = ctx;
	struct slot s;
	char err[128];
	struct json_doc *doc = json_parse(line, len, err, sizeof err);
	const char *token, *set, *until;
	int rc = 0;

	if (doc == NULL) {
		journal_complain(err, JOURNAL_SKIPPED);
		return 0;
	}
	memset(&s, 0, sizeof s);
	token = json_string(json_root(doc), "token");
	set = json_string(json_root(doc), "set");
	until = json_string(json_root(doc), "until");
	s.taken = set == NULL;
	if (token != NULL && strlen(token) == TOKEN_LEN && token_decode(&s.token, token) &&
	    (s.taken || (until != NULL && clock_parse(&s.until_us, until, strlen(until)) == 0))) {
		snprintf(s.set, sizeof s.set, "%s", s.taken ? "" : set);
		rc = each->row(each->ctx, &s);
	}
	json_free(doc);
	return rc;
}

int
slots_each(const struct site *site, int (*row)(void *ctx, const struct slot *), void *ctx)
{
	struct each each = { site, row, ctx };
	char path[512];

	site_path(path, site, "state", POOL_FILE);
	return journal_read(path, on_line, &each);
}

struct free_slots {
	const char *set;
	int64_t until_us;
	struct token *token;
	size_t n;
};

static int
note_free(void *ctx, const struct slot *s)
{
	struct free_slots *f = ctx;

	for (size_t i = 0; s->taken && i < f->n; i++)
		if (f->token[i].id == s->token.id)
			f->token[i].id = 0;
	if (s->taken || strcmp(s->set, f->set) != 0 || s->until_us < f->until_us)
		return 0;
	f->token = xrealloc(f->token, (f->n + 1) * sizeof *f->token);
	f->token[f->n++] = s->token;
	return 0;
}

static int
note_taken(const struct site *site, const struct token *token, int64_t now_us)
{
	struct strbuf line = { 0 };

	json_begin(&line, NULL, '{');
	json_put_time(&line, "t", now_us);
	json_put(&line, "token", token->text);
	json_put_bool(&line, "taken", true);
	json_end(&line, '}');
	return append(site, &line);
}

int
slots_take(struct token *dst, const struct site *site, const char *set, int64_t now_us)
{
	struct free_slots f = { .set = set, .until_us = now_us + SLOTS_MARGIN * CLOCK_SECOND };
	int rc = slots_each(site, note_free, &f);

	for (size_t i = 0; rc == 0 && i < f.n; i++) {
		if (f.token[i].id != 0) {
			*dst = f.token[i];
			rc = note_taken(site, dst, now_us) == 0 ? 1 : -1;
		}
	}
	free(f.token);
	return rc;
}

/* --- who serves them ------------------------------------------------------------------------------------- */

struct served {
	char token[TOKEN_LEN + 1];
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
};
struct slots {
	const struct site *site;
	int64_t now_us;
	struct served *slot; /* in the order of their tokens */
	size_t n;
};

static int
load_slot(void *ctx, const struct slot *s)
{
	struct slots *p = ctx;
	char path[512], err[600];
	struct served v;

	if (s->taken || s->until_us < p->now_us)
		return 0;
	slot_path(path, p->site, "certs", &s->token, "pem");
	if ((v.chain = read_chain(path)) == NULL) {
		log_warn(
		    "%s: no certificate: this token's policy hosts get one of the site's CA", path);
		return 0;
	}
	slot_path(path, p->site, "keys", &s->token, "pem");
	if ((v.key = keys_load(path, err, sizeof err)) == NULL) {
		log_warn("%s", err);
		sk_X509_pop_free(v.chain, X509_free);
		return 0;
	}
	snprintf(v.token, sizeof v.token, "%s", s->token.text);
	p->slot = xrealloc(p->slot, (p->n + 1) * sizeof *p->slot);
	p->slot[p->n++] = v;
	return 0;
}

static int
by_token(const void *a, const void *b)
{
	return strcasecmp(((const struct served *)a)->token, ((const struct served *)b)->token);
}

struct slots *
slots_load(const struct site *site, int64_t now_us)
{
	struct slots *p = xcalloc(1, sizeof *p);

	p->site = site;
	p->now_us = now_us;
	if (slots_each(site, load_slot, p) == -1) {
		slots_free(p);
		return NULL;
	}
	if (p->n > 0)
		qsort(p->slot, p->n, sizeof *p->slot, by_token);
	return p;
}

void
slots_free(struct slots *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++) {
		sk_X509_pop_free(p->slot[i].chain, X509_free);
		EVP_PKEY_free(p->slot[i].key);
	}
	free(p->slot);
	free(p);
}

size_t
slots_size(const struct slots *p)
{
	return p->n;
}

bool
slots_use(const struct slots *p, SSL *ssl, const char *name)
{
	const char *label = strchr(name, '.');
	const struct served *v;
	struct served want;

	if (p->n == 0 || label == NULL || strlen(label + 1) < TOKEN_LEN ||
	    label[1 + TOKEN_LEN] != '.')
		return false;
	snprintf(want.token, sizeof want.token, "%.*s", TOKEN_LEN, label + 1);
	v = bsearch(&want, p->slot, p->n, sizeof *p->slot, by_token);
	if (v == NULL || X509_check_host(sk_X509_value(v->chain, 0), name, 0, 0, NULL) != 1)
		return false;
	if (SSL_use_certificate(ssl, sk_X509_value(v->chain, 0)) != 1 ||
	    SSL_use_PrivateKey(ssl, v->key) != 1)
		goto bad;
	for (int i = 1; i < sk_X509_num(v->chain); i++)
		if (SSL_add1_chain_cert(ssl, sk_X509_value(v->chain, i)) != 1)
			goto bad;
	return true;
bad:
	ERR_clear_error();
	return false;
}
