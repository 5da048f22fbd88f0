/* contexts.c - see contexts.h. */
#include "smtpd/contexts.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/strbuf.h"
#include "provisioning/front.h"
#include "provisioning/slots.h"
#include "smtpd/tls.h"

/* Of TLS 1.3. */
#define SUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

struct contexts {
	const struct site *site;
	SSL_CTX **front;                     /* n_fronts; NULL where no address */
	SSL_CTX **host[TEST_NUMBER_MAX + 1]; /* n_hosts of the test; NULL where not used */
	SSL_CTX *plain;                      /* for addresses that belong to nothing; not owned */
	bool plain_ordinary;                 /* nothing is wrong with it */
	SSL_CTX *web;                        /* HTTPS; each connection brings its certificate */
	struct slots *slots; /* certificates of policy hosts that were issued ahead */
};

/* Any client certificate will do: it is noted, not judged. */
static int
take_any(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static int
set_versions_and_ciphers(SSL_CTX *ctx, const struct host *h)
{
	int min = h->tls_min != 0 ? h->tls_min : TLS1_2_VERSION;
	int max = h->tls_max != 0 ? h->tls_max : TLS1_3_VERSION;

	SSL_CTX_set_security_level(
	    ctx, 0); /* a test may want old things; the list below says what */
	if (SSL_CTX_set_min_proto_version(ctx, min) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, max) != 1)
		return -1;
	/* ALL without !aNULL would let clients choose anonymous key exchange: no certificate shown. */
	if (SSL_CTX_set_cipher_list(ctx, h->ciphers != NULL && min < TLS1_3_VERSION
					     ? h->ciphers
					     : "ALL:!aNULL:!eNULL:@SECLEVEL=0") != 1)
		return -1;
	if (SSL_CTX_set_ciphersuites(
		ctx, h->ciphers != NULL && min >= TLS1_3_VERSION ? h->ciphers : SUITES) != 1)
		return -1;
	if (SSL_CTX_set1_groups_list(
		ctx, h->groups != NULL ? h->groups
				       : "X25519:P-256:P-384:P-521:X448:ffdhe2048:ffdhe3072") != 1)
		return -1;
	SSL_CTX_set_dh_auto(ctx, h->weak_dh ? 2 : 1); /* 2: always 1024 bits */
	return 0;
}

/* ALPN (RFC 7301): we speak http/1.1 and say so to whoever asks; who offers other things only is
 * served all the same. */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *outlen, const unsigned char *in,
    unsigned inlen, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";

	(void)ssl;
	(void)arg;
	return SSL_select_next_proto((unsigned char **)(uintptr_t)out, outlen, ours,
		   sizeof ours - 1, in, inlen) == OPENSSL_NPN_NEGOTIATED
		   ? SSL_TLSEXT_ERR_OK
		   : SSL_TLSEXT_ERR_NOACK;
}

/* Nothing is tested here by what the client would rather have (its hello is in an event), so the suite with the cheapest
 * hash is taken: a handshake costs a tenth less. */
static SSL_CTX *
web_context(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, SUITES) != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	tls_instrument(ctx);
	SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	return ctx;
}

static SSL_CTX *
context_new(const struct host *h, const char *cert, const char *key, char *err, size_t errlen)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	const char *what = "TLS settings";

	if (ctx == NULL)
		goto bad;
	if (set_versions_and_ciphers(ctx, h) == -1)
		goto bad;
	tls_instrument(ctx);
	if (h->client_cert)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, take_any);
	what = cert;
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		goto bad;
	what = key;
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		goto bad;
	return ctx;
bad:
	snprintf(err, errlen,
	    "%s: %s: restore it from a backup, or remove it and run outpost init, which makes what "
	    "is missing",
	    what, ERR_reason_error_string(ERR_get_error()));
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return NULL;
}

/* For addresses that belong to nothing: one with nothing wrong, if there is any. */
static void
take_plain(struct contexts *c, SSL_CTX *ctx, const struct host *h)
{
	bool ordinary = front_tls_is_ordinary(h);

	if (c->plain != NULL && (c->plain_ordinary || !ordinary))
		return;
	c->plain = ctx;
	c->plain_ordinary = ordinary;
}

static int
contexts_of_test(struct contexts *c, const struct test *t, char *err, size_t errlen)
{
	char cert[512], key[512];

	c->host[t->number] = xcalloc(t->n_hosts > 0 ? t->n_hosts : 1, sizeof(SSL_CTX *));
	for (unsigned k = 0; k < t->n_hosts; k++) {
		if (!t->host[k].used || t->host[k].starttls == STARTTLS_OFF)
			continue;
		site_cert_path(cert, key, c->site, t, k);
		if (cert[0] == '\0')
			continue;
		c->host[t->number][k] = context_new(&t->host[k], cert, key, err, errlen);
		if (c->host[t->number][k] == NULL)
			return -1;
		take_plain(c, c->host[t->number][k], &t->host[k]);
	}
	return 0;
}

struct contexts *
contexts_new(const struct site *site, char *err, size_t errlen)
{
	struct contexts *c = xcalloc(1, sizeof *c);

	c->site = site;
	c->front = xcalloc(site->n_fronts + 1, sizeof(SSL_CTX *));
	for (size_t i = 0; i < site->n_fronts; i++) {
		const struct front *f = &site->fronts[i];
		const struct host *h;

		if ((f->address[0] == '\0' && !f->sni_only) || f->n_tests == 0)
			continue;
		h = &f->tests[0]->host[f->host];
		if (h->starttls == STARTTLS_OFF)
			continue;
		c->front[i] = context_new(h, f->cert, f->defaultkey, err, errlen);
		if (c->front[i] == NULL)
			goto bad;
		take_plain(c, c->front[i], h);
	}
	if ((c->web = web_context()) == NULL) {
		snprintf(err, errlen, "TLS settings of the HTTPS server");
		goto bad;
	}
	if ((c->slots = slots_load(site, clock_now())) == NULL) {
		snprintf(err, errlen, "the pool of certificates cannot be read");
		goto bad;
	}
	for (size_t i = 0; i < site->catalogue->n; i++)
		if (contexts_of_test(c, site->catalogue->tests[i], err, errlen) == -1)
			goto bad;
	return c;
bad:
	contexts_free(c);
	return NULL;
}

void
contexts_free(struct contexts *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->site->n_fronts; i++)
		SSL_CTX_free(c->front[i]);
	for (size_t i = 0; i < c->site->catalogue->n; i++) {
		const struct test *t = c->site->catalogue->tests[i];

		for (unsigned k = 0; c->host[t->number] != NULL && k < t->n_hosts; k++)
			SSL_CTX_free(c->host[t->number][k]);
		free(c->host[t->number]);
	}
	slots_free(c->slots);
	SSL_CTX_free(c->web);
	free(c->front);
	free(c);
}

/* --- who gets which ------------------------------------------------------------------------------- */

/* For whom nothing deviates any more: the host's own if nothing is wrong with it. */
static SSL_CTX *
ordinary_context(const struct contexts *c, const struct binding *b)
{
	SSL_CTX **of_test = c->host[b->test->number], *ctx = NULL;

	if (of_test != NULL && b->k < b->test->n_hosts &&
	    front_tls_is_ordinary(&b->test->host[b->k]))
		ctx = of_test[b->k];
	return ctx != NULL ? ctx : c->plain;
}

SSL_CTX *
contexts_of_binding(const struct contexts *c, const struct binding *b)
{
	const struct front *f = b->front;
	SSL_CTX *ctx = NULL;

	if (b->released)
		return ordinary_context(c, b);
	if (b->test != NULL && b->host->sni_only && !b->named)
		f = c->site->front_of[b->test->number][b->k];
	else if (b->test != NULL && c->host[b->test->number] != NULL)
		ctx = c->host[b->test->number][b->k];
	if (ctx == NULL && f != NULL)
		ctx = c->front[f - c->site->fronts];
	return ctx != NULL ? ctx : c->plain;
}

SSL_CTX *
contexts_of_web(const struct contexts *c)
{
	return c->web;
}

bool
contexts_use_issued(const struct contexts *c, SSL *ssl, const char *name)
{
	return slots_use(c->slots, ssl, name);
}
