/* front.c - see front.h. */
#include "provisioning/front.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/journal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"

#define FRONTS_FILE "fronts.jsonl"

static void
describe_rule(struct strbuf *b, const struct host_rule *r)
{
	strbuf_printf(b, "rule %d %d %u %s %lld %d %d %lld %u\n", r->at, r->action, r->code,
	    r->text != NULL ? r->text : "-", (long long)r->delay_us, r->when.kind, r->when.key,
	    (long long)r->when.age_us, r->when.count);
}

void
front_key(char dst[65], const struct host *h, unsigned k, const char *owner)
{
	struct strbuf b = { 0 };
	unsigned char digest[32];

	strbuf_printf(&b, "host %u\ngreet %s\nehlo %s\n", k, h->greet != NULL ? h->greet : "-",
	    h->ehlo != NULL ? h->ehlo : "-");
	strbuf_printf(&b, "starttls %d %u %s\nrequire-tls %d\n", h->starttls, h->starttls_code,
	    h->starttls_text != NULL ? h->starttls_text : "-", h->require_tls);
	strbuf_printf(&b, "tls %x %x\nciphers %s\ngroups %s%s\nclient-cert %d\ncert %d\n",
	    (unsigned)h->tls_min, (unsigned)h->tls_max, h->ciphers != NULL ? h->ciphers : "-",
	    h->groups != NULL ? h->groups : "-", h->weak_dh ? "\ndh 1024" : "", h->client_cert,
	    h->cert);
	if (h->sni_only)
		strbuf_puts(&b, "sni-only\n");
	if (owner != NULL)
		strbuf_printf(&b, "owner %s\n", owner);
	for (size_t i = 0; i < h->n_rules; i++)
		if (h->rules[i].at <= AT_MAIL) /* before a recipient binds the session */
			describe_rule(&b, &h->rules[i]);
	if (EVP_Digest(b.s, b.len, digest, NULL, EVP_sha256(), NULL) != 1)
		log_fatal(
		    EXIT_CANNOT, "SHA-256: OpenSSL cannot compute it: repair its installation");
	for (unsigned i = 0; i < sizeof(digest); i++)
		snprintf(dst + 2 * i, 3, "%02x", digest[i]);
	strbuf_clear(&b);
}

bool
front_tls_is_ordinary(const struct host *h)
{
	return h->tls_min <= 0x0303 && h->tls_max >= 0x0304 && h->ciphers == NULL &&
	       h->groups == NULL && !h->weak_dh && !h->client_cert && h->cert == CERT_PKIX_VALID &&
	       !h->sni_only;
}

static bool
is_ordinary(const struct host *h)
{
	for (size_t i = 0; i < h->n_rules; i++)
		if (h->rules[i].at <= AT_MAIL)
			return false;
	for (size_t i = 0; i < h->n_rules; i++)
		if (h->rules[i].at <= AT_MAIL)
			return false;
	return h->used && h->greet == NULL && h->ehlo == NULL && h->starttls == STARTTLS_OFFER &&
	       !h->require_tls && front_tls_is_ordinary(h);
}

const char *
front_ordinary4(const struct site *site)
{
	for (size_t i = 0; i < site->n_fronts; i++) {
		const struct front *f = &site->fronts[i];

		if (f->address[0] != '\0' && f->n_tests > 0 &&
		    is_ordinary(&f->tests[0]->host[f->host]))
			return f->address;
	}
	return NULL;
}

static struct front *
front_find(const struct site *site, const char *key)
{
	for (size_t i = 0; i < site->n_fronts; i++)
		if (strcmp(site->fronts[i].key, key) == 0)
			return &site->fronts[i];
	return NULL;
}

/* Does a record say {what:k}? */
static bool
publishes(const struct test *t, const char *what, unsigned k)
{
	char word[24];

	snprintf(word, sizeof(word), "{%s:%u}", what, k);
	for (size_t i = 0; i < t->n_records; i++)
		if (strstr(t->records[i].rdata, word) != NULL)
			return true;
	return false;
}

static struct front *
front_of(struct site *site, const struct test *t, unsigned k)
{
	const struct host *h = &t->host[k];
	bool alone = publishes(t, "cert", k);
	struct front *f;
	char key[65], name[64];

	front_key(key, h, k, alone ? t->name : NULL);
	if ((f = front_find(site, key)) != NULL)
		return f;
	site->fronts = xrealloc(site->fronts, (site->n_fronts + 1) * sizeof(*f));
	f = &site->fronts[site->n_fronts++];
	memset(f, 0, sizeof(*f));
	memcpy(f->key, key, sizeof(key));
	f->host = k;
	f->kind = h->cert;
	f->sni_only = h->sni_only;
	f->alone = alone && !h->sni_only;
	snprintf(name, sizeof(name), "front-%.16s.pem", key);
	site_path(f->certkey, site, "keys", name);
	snprintf(name, sizeof(name), "front-%.16s%s.pem", key, f->sni_only ? "-default" : "");
	site_path(f->defaultkey, site, "keys", name);
	return f;
}

/* The default certificate names all tests of the front, so its file is named after them:
 * a test that joins later gets a new file, and no file is ever written twice. */
static void
name_default_cert(struct site *site, struct front *f)
{
	struct strbuf b = { 0 };
	unsigned char digest[32];
	char name[64];

	for (size_t i = 0; i < f->n_tests; i++)
		strbuf_printf(&b, "%s\n", f->tests[i]->name);
	if (EVP_Digest(b.s, b.len, digest, NULL, EVP_sha256(), NULL) != 1)
		log_fatal(
		    EXIT_CANNOT, "SHA-256: OpenSSL cannot compute it: repair its installation");
	strbuf_clear(&b);
	snprintf(name, sizeof(name), "front-%.16s-%02x%02x%02x%02x.pem", f->key, digest[0],
	    digest[1], digest[2], digest[3]);
	site_path(f->cert, site, "certs", name);
}

/* Which tests choose first when addresses are few. */
static const char *const set_order[] = { "quick", "standard", "full" };

static bool
is_of_rank(const struct test *t, size_t rank)
{
	for (size_t i = 0; i < rank; i++)
		if (catalogue_in_set(t, set_order[i]))
			return false;
	return catalogue_in_set(t, set_order[rank]);
}

static void
add_test(struct site *site, const struct test *t)
{
	for (unsigned k = 0; k < t->n_hosts; k++) {
		struct front *f;

		if (!t->host[k].used)
			continue;
		f = front_of(site, t, k);
		f->wanted |= publishes(t, "ipv4", k);
		f->tests = xrealloc(f->tests, (f->n_tests + 1) * sizeof(*f->tests));
		f->tests[f->n_tests++] = t;
	}
}

bool
front_reachable4(const struct site *site, const struct test *t)
{
	for (unsigned k = 0; k < t->n_hosts; k++) {
		const struct front *f = site->front_of[t->number][k];

		if (f != NULL && f->address[0] == '\0' && publishes(t, "ipv4", k))
			return false;
	}
	return true;
}

void
fronts_build(struct site *site)
{
	const struct catalogue *c = site->catalogue;
	char unused[512];

	fronts_clear(site);
	for (size_t rank = 0; rank < sizeof(set_order) / sizeof(*set_order); rank++)
		for (size_t i = 0; i < c->n; i++)
			if (is_of_rank(c->tests[i], rank))
				add_test(site, c->tests[i]);
	/* Only now do the fronts stay where they are in memory. */
	for (size_t i = 0; i < site->n_fronts; i++) {
		struct front *f = &site->fronts[i];

		name_default_cert(site, f);
		for (size_t j = 0; j < f->n_tests; j++)
			site->front_of[f->tests[j]->number][f->host] = f;
		if (f->alone)
			site_cert_path(f->cert, unused, site, f->tests[0], f->host);
	}
}

void
fronts_clear(struct site *site)
{
	for (size_t i = 0; i < site->n_fronts; i++)
		free(site->fronts[i].tests);
	free(site->fronts);
	site->fronts = NULL;
	site->n_fronts = 0;
	memset(site->front_of, 0, sizeof(site->front_of));
}

static bool
is_configured(const struct site *site, const char *address)
{
	for (unsigned i = 0; i < site->conf.ipv4_front.n; i++)
		if (strcmp(site->conf.ipv4_front.item[i], address) == 0)
			return true;
	return false;
}

/* The latest line about an address or a front wins. */
static int
on_line(void *ctx, const char *line, size_t len)
{
	struct site *site = ctx;
	char err[128];
	struct json_doc *doc = json_parse(line, len, err, sizeof(err));
	const char *key, *address;
	struct front *f;

	if (doc == NULL) {
		journal_complain(err, JOURNAL_SKIPPED);
		return 0;
	}
	key = json_string(json_root(doc), "front");
	address = json_string(json_root(doc), "address");
	if (key != NULL && address != NULL && is_configured(site, address)) {
		for (size_t i = 0; i < site->n_fronts; i++)
			if (strcmp(site->fronts[i].address, address) == 0)
				site->fronts[i].address[0] = '\0';
		if ((f = front_find(site, key)) != NULL)
			snprintf(f->address, sizeof(f->address), "%s", address);
	}
	json_free(doc);
	return 0;
}

int
fronts_load(struct site *site)
{
	char path[512];

	for (size_t i = 0; i < site->n_fronts; i++)
		site->fronts[i].address[0] = '\0';
	site_path(path, site, "state", FRONTS_FILE);
	return journal_read(path, on_line, site) == 0 ? 0 : -1;
}

/* Addresses that a line of the journal names: the free ones among them are taken last, because
 * resolvers may still remember what was there. */
struct used {
	const struct conf_list *all;
	bool seen[CONF_LIST_MAX];
};

static int
on_used(void *ctx, const char *line, size_t len)
{
	struct used *u = ctx;
	char err[128];
	struct json_doc *doc = json_parse(line, len, err, sizeof(err));
	const char *address = doc != NULL ? json_string(json_root(doc), "address") : NULL;

	for (unsigned i = 0; address != NULL && i < u->all->n; i++)
		if (strcmp(u->all->item[i], address) == 0)
			u->seen[i] = true;
	json_free(doc);
	return 0;
}

static const char *
free_address(const struct site *site, const struct used *u)
{
	for (int reuse = 0; reuse < 2; reuse++) {
		for (unsigned i = 0; i < u->all->n; i++) {
			bool taken = u->seen[i] != (reuse == 1);

			for (size_t j = 0; j < site->n_fronts && !taken; j++)
				taken = strcmp(site->fronts[j].address, u->all->item[i]) == 0;
			if (!taken)
				return u->all->item[i];
		}
	}
	return NULL;
}

int
fronts_assign(struct site *site)
{
	struct used used = { .all = &site->conf.ipv4_front };
	char path[512];
	int given = 0;

	site_path(path, site, "state", FRONTS_FILE);
	if (journal_read(path, on_used, &used) != 0)
		return -1;
	for (size_t i = 0; i < site->n_fronts; i++) {
		struct front *f = &site->fronts[i];
		const char *address;
		struct strbuf line = { 0 };
		int rc;

		if (!f->wanted || f->address[0] != '\0' ||
		    (address = free_address(site, &used)) == NULL)
			continue;
		snprintf(f->address, sizeof(f->address), "%s", address);
		json_begin(&line, NULL, '{');
		json_put(&line, "front", f->key);
		json_put_num(&line, "host", f->host);
		json_put(&line, "address", f->address);
		json_end(&line, '}');
		rc = journal_append(path, line.s, line.len);
		strbuf_clear(&line);
		if (rc != 0)
			return -1;
		given++;
	}
	/* Journals are private by default, but this one is in the DNS anyway, and whoever reads a report
	 * needs it. */
	if (given > 0 && chmod(path, 0644) != 0)
		log_warn("%s: cannot be made readable: reports can be read by root only", path);
	return given;
}
