/* tls.c - see tls.h. */
#include "smtpd/tls.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "provisioning/slots.h"
#include "smtpd/web.h"

struct tls_contexts {
	const struct site *site;
	SSL_CTX **front;                     /* n_fronts; NULL where no address */
	SSL_CTX **host[TEST_NUMBER_MAX + 1]; /* n_hosts of the test; NULL where not used */
	SSL_CTX *plain;                      /* for addresses that belong to nothing; not owned */
	SSL_CTX *web;                        /* HTTPS; its certificates are minted */
	struct mint *mint;
	struct slots *slots; /* certificates of policy hosts that were issued ahead */
	BIO_METHOD *method;
};

struct tls {
	const struct tls_contexts *contexts;
	const struct tls_user *user;
	void *who;
	struct strbuf *out;
	SSL *ssl;
	const char *in; /* octets that OpenSSL has not read yet */
	size_t in_len;
	struct strbuf rest; /* they, between two calls */
	int64_t now_us;
	enum session_tls verdict; /* on the ClientHello */
	bool hello_seen, prepared, established, gone;
};

/* --- memory in place of a socket -------------------------------------------------------------------- */

static int
bio_read(BIO *b, char *dst, size_t len, size_t *n)
{
	struct tls *t = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	*n = t->in_len < len ? t->in_len : len;
	if (*n == 0) {
		BIO_set_retry_read(b);
		return 0;
	}
	memcpy(dst, t->in, *n);
	t->in += *n;
	t->in_len -= *n;
	return 1;
}

static int
bio_write(BIO *b, const char *src, size_t len, size_t *n)
{
	struct tls *t = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	strbuf_add(t->out, src, len);
	*n = len;
	return 1;
}

static long
bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	(void)b;
	(void)num;
	(void)ptr;
	return cmd == BIO_CTRL_FLUSH;
}

/* --- what is seen ------------------------------------------------------------------------------------ */

static void
alert_name(char *dst, size_t dstlen, unsigned level, unsigned desc)
{
	const char *text = SSL_alert_desc_string_long((int)(level << 8 | desc));
	size_t i;

	if (strcmp(text, "unknown") == 0) {
		snprintf(dst, dstlen, "alert_%u", desc);
		return;
	}
	for (i = 0; text[i] != '\0' && i + 1 < dstlen; i++)
		dst[i] = text[i] == ' ' ? '_' : (char)tolower((unsigned char)text[i]);
	dst[i] = '\0';
}

static void
on_message(int out, int version, int type, const void *bytes, size_t len, SSL *ssl, void *arg)
{
	struct tls *t = SSL_get_app_data(ssl);
	const unsigned char *p = bytes;
	char name[64];

	(void)version;
	(void)arg;
	if (t == NULL)
		return;
	if (type == SSL3_RT_ALERT && len == 2) {
		alert_name(name, sizeof name, p[0], p[1]);
		t->user->alert(t->who, out != 0, p[0], name, t->now_us);
		return;
	}
	/* An SSLv2-format hello comes with content type 0. */
	if (out || t->established || len == 0 || p[0] != SSL3_MT_CLIENT_HELLO ||
	    (type != SSL3_RT_HANDSHAKE && !(type == 0 && version == SSL2_VERSION)))
		return;
	if (t->hello_seen) {
		t->user->hello_again(t->who, p, len, t->now_us);
		return;
	}
	t->hello_seen = true;
	t->verdict = t->user->hello(t->who, p, len, t->now_us);
}

static SSL_CTX *
context_of(const struct tls_contexts *c, const struct binding *b)
{
	const struct front *f = b->front;
	SSL_CTX *ctx = NULL;

	if (b->test != NULL && b->host->sni_only && !b->named)
		f = c->site->front_of[b->test->number][b->k];
	else if (b->test != NULL && c->host[b->test->number] != NULL)
		ctx = c->host[b->test->number][b->k];
	if (ctx == NULL && f != NULL)
		ctx = c->front[f - c->site->fronts];
	return ctx != NULL ? ctx : c->plain;
}

static int
on_client_hello(SSL *ssl, int *alert, void *arg)
{
	struct tls *t = SSL_get_app_data(ssl);

	(void)arg;
	if (t->verdict == TLS_DELAY && !t->user->waits(t->who))
		t->verdict = t->user->hello(t->who, NULL, 0, t->now_us);
	switch (t->verdict) {
	case TLS_GO:
		if (!t->prepared) /* we are called for the second ClientHello too */
			t->user->prepare(t->contexts, t->who, ssl);
		t->prepared = true;
		return SSL_CLIENT_HELLO_SUCCESS;
	case TLS_DELAY:
	case TLS_HOLD:
	case TLS_GONE:
		return SSL_CLIENT_HELLO_RETRY;
	case TLS_ABORT:
		break;
	}
	*alert = SSL_AD_HANDSHAKE_FAILURE;
	return SSL_CLIENT_HELLO_ERROR;
}

/* --- contexts ------------------------------------------------------------------------------------ */

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
	if (SSL_CTX_set_ciphersuites(ctx, h->ciphers != NULL && min >= TLS1_3_VERSION
					      ? h->ciphers
					      : "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_"
						"CHACHA20_POLY1305_SHA256") != 1)
		return -1;
	if (SSL_CTX_set1_groups_list(
		ctx, h->groups != NULL ? h->groups
				       : "X25519:P-256:P-384:P-521:X448:ffdhe2048:ffdhe3072") != 1)
		return -1;
	SSL_CTX_set_dh_auto(ctx, h->weak_dh ? 2 : 1); /* 2: always 1024 bits */
	return 0;
}

static void
set_manners(SSL_CTX *ctx)
{
	SSL_CTX_set_options(
	    ctx, SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(
	    ctx, SSL_SESS_CACHE_OFF); /* resumption would hide handshakes */
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"smtpd", 5);
	SSL_CTX_set_msg_callback(ctx, on_message);
	SSL_CTX_set_client_hello_cb(ctx, on_client_hello, NULL);
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

static SSL_CTX *
web_context(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	set_manners(ctx);
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
	set_manners(ctx);
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
	snprintf(err, errlen, "%s: %s: run \"outpost init\" again to make what is missing", what,
	    ERR_reason_error_string(ERR_get_error()));
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return NULL;
}

static int
contexts_of_test(struct tls_contexts *c, const struct test *t, char *err, size_t errlen)
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
		if (c->plain == NULL)
			c->plain = c->host[t->number][k];
	}
	return 0;
}

struct tls_contexts *
tls_contexts_new(const struct site *site, char *err, size_t errlen)
{
	struct tls_contexts *c = xcalloc(1, sizeof *c);

	c->site = site;
	c->front = xcalloc(site->n_fronts + 1, sizeof(SSL_CTX *));
	c->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "session");
	if (c->method == NULL)
		goto bad;
	BIO_meth_set_read_ex(c->method, bio_read);
	BIO_meth_set_write_ex(c->method, bio_write);
	BIO_meth_set_ctrl(c->method, bio_ctrl);
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
		if (c->plain == NULL)
			c->plain = c->front[i];
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
	tls_contexts_free(c);
	return NULL;
}

void
tls_contexts_free(struct tls_contexts *c)
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
	BIO_meth_free(c->method);
	SSL_CTX_free(c->web);
	free(c->front);
	free(c);
}

/* --- one connection -------------------------------------------------------------------------------- */

struct tls *
tls_new(const struct tls_contexts *c, const struct tls_user *user, void *who, struct strbuf *out)
{
	struct tls *t = xcalloc(1, sizeof *t);
	SSL_CTX *ctx = user->context(c, who);
	BIO *bio;

	t->contexts = c;
	t->user = user;
	t->who = who;
	t->out = out;
	t->ssl = ctx != NULL ? SSL_new(ctx) : NULL;
	bio = BIO_new(c->method);
	if (t->ssl == NULL || bio == NULL) {
		BIO_free(bio);
		tls_free(t);
		return NULL;
	}
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_accept_state(t->ssl);
	SSL_set_app_data(t->ssl, t);
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	if (t->ssl != NULL) {
		SSL_set_app_data(t->ssl, NULL);
		SSL_free(t->ssl);
	}
	strbuf_clear(&t->rest);
	free(t);
}

bool
tls_established(const struct tls *t)
{
	return t->established;
}

static void
report_done(struct tls *t)
{
	struct session_tls_done d = { .version = SSL_get_version(t->ssl),
		.cipher = SSL_get_cipher_name(t->ssl) };
	X509 *peer = SSL_get0_peer_certificate(t->ssl);
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	char cert[65], sigalg[64];
	int nid, type;

	nid = (int)SSL_get_negotiated_group(t->ssl);
	if (nid != NID_undef)
		d.group = SSL_group_to_name(t->ssl, nid);
	if (SSL_get_signature_type_nid(t->ssl, &type) == 1) {
		snprintf(sigalg, sizeof sigalg, "%s", OBJ_nid2sn(type));
		if (SSL_get_signature_nid(t->ssl, &nid) == 1 && nid != NID_undef)
			snprintf(sigalg, sizeof sigalg, "%s+%s", OBJ_nid2sn(type), OBJ_nid2sn(nid));
		d.sigalg = sigalg;
	}
	d.sni = SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name);
	d.resumed = SSL_session_reused(t->ssl) == 1;
	if (peer != NULL && X509_digest(peer, EVP_sha256(), md, &n) == 1) {
		for (unsigned i = 0; i < n && i < 32; i++)
			snprintf(cert + 2 * i, 3, "%02x", md[i]);
		d.clientcert = cert;
	}
	t->user->done(t->who, &d, t->now_us);
}

static enum tls_result
failed(struct tls *t)
{
	unsigned long e = ERR_get_error();
	const char *reason = e != 0 ? ERR_reason_error_string(e) : NULL;

	ERR_clear_error();
	t->gone = true;
	if (!t->established)
		t->user->failed(t->who, reason != NULL ? reason : "handshake failed", t->now_us);
	return TLS_FAILED;
}

static enum tls_result
handshake(struct tls *t)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(t->ssl);
	if (rc == 1) {
		t->established = true;
		report_done(t);
		return TLS_MORE;
	}
	switch (SSL_get_error(t->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_CLIENT_HELLO_CB:
		return TLS_MORE;
	default:
		return failed(t);
	}
}

static enum tls_result
read_plaintext(struct tls *t)
{
	char plain[16384];
	size_t n;
	int rc;

	for (;;) {
		ERR_clear_error();
		rc = SSL_read_ex(t->ssl, plain, sizeof plain, &n);
		if (rc == 1) {
			t->user->input(t->who, plain, n, t->now_us);
			continue;
		}
		switch (SSL_get_error(t->ssl, rc)) {
		case SSL_ERROR_WANT_READ:
		case SSL_ERROR_WANT_WRITE:
			return TLS_MORE;
		case SSL_ERROR_ZERO_RETURN:
			return TLS_CLOSED;
		default:
			return failed(t);
		}
	}
}

enum tls_result
tls_input(struct tls *t, const char *bytes, size_t len, int64_t now_us)
{
	enum tls_result r = TLS_MORE;
	struct strbuf rest = t->rest;

	if (t->gone)
		return TLS_FAILED;
	memset(&t->rest, 0, sizeof t->rest);
	t->now_us = now_us;
	if (rest.len > 0) {
		strbuf_add(&rest, bytes, len);
		bytes = rest.s;
		len = rest.len;
	}
	t->in = bytes;
	t->in_len = len;
	if (!t->established)
		r = handshake(t);
	if (t->established && r == TLS_MORE)
		r = read_plaintext(t);
	if (t->in_len > 0 && r == TLS_MORE)
		strbuf_add(&t->rest, t->in, t->in_len);
	t->in = NULL;
	t->in_len = 0;
	strbuf_clear(&rest);
	return r;
}

int
tls_write(struct tls *t, const char *bytes, size_t len, int64_t now_us)
{
	size_t n;

	if (t->gone || len == 0)
		return t->gone ? -1 : 0;
	t->now_us = now_us;
	ERR_clear_error();
	/* Memory takes everything, so nothing is left over. */
	if (SSL_write_ex(t->ssl, bytes, len, &n) == 1 && n == len)
		return 0;
	ERR_clear_error();
	t->gone = true;
	return -1;
}

void
tls_shutdown(struct tls *t, int64_t now_us)
{
	t->now_us = now_us;
	if (t->established && !t->gone && !(SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN))
		SSL_shutdown(t->ssl);
	ERR_clear_error();
}

/* --- users ------------------------------------------------------------------------------------------- */

static enum session_tls
smtp_hello(void *who, const unsigned char *msg, size_t len, int64_t now_us)
{
	return session_hello(who, msg, len, now_us);
}

static void
smtp_hello_again(void *who, const unsigned char *msg, size_t len, int64_t now_us)
{
	session_hello_again(who, msg, len, now_us);
}

static bool
smtp_waits(const void *who)
{
	return ((const struct session *)who)->wait != WAIT_NONE;
}

static SSL_CTX *
smtp_context(const struct tls_contexts *c, const void *who)
{
	return context_of(c, &((const struct session *)who)->bind);
}

/* The name may have bound the session to a test: its certificate. */
static void
smtp_prepare(const struct tls_contexts *c, void *who, SSL *ssl)
{
	SSL_set_SSL_CTX(ssl, smtp_context(c, who));
}

static void
smtp_done(void *who, const struct session_tls_done *d, int64_t now_us)
{
	session_tls_done(who, d, now_us);
}

static void
smtp_failed(void *who, const char *reason, int64_t now_us)
{
	session_tls_failed(who, reason, now_us);
}

static void
smtp_alert(void *who, bool out, unsigned level, const char *name, int64_t now_us)
{
	session_tls_alert(who, out, level, name, now_us);
}

static void
smtp_input(void *who, const char *bytes, size_t len, int64_t now_us)
{
	session_input(who, bytes, len, now_us);
}

const struct tls_user tls_of_session = { smtp_hello, smtp_hello_again, smtp_waits, smtp_context,
	smtp_prepare, smtp_done, smtp_failed, smtp_alert, smtp_input };

static enum session_tls
https_hello(void *who, const unsigned char *msg, size_t len, int64_t now_us)
{
	return web_hello(who, msg, len, now_us);
}

static void
https_hello_again(void *who, const unsigned char *msg, size_t len, int64_t now_us)
{
	web_hello_again(who, msg, len, now_us);
}

static bool
https_waits(const void *who)
{
	(void)who;
	return false;
}

static SSL_CTX *
https_context(const struct tls_contexts *c, const void *who)
{
	(void)who;
	return c->web;
}

/* Without a certificate the handshake fails, and is seen to. */
static void
https_prepare(const struct tls_contexts *c, void *who, SSL *ssl)
{
	char name[256];
	enum cert_kind kind = web_certificate(who, name);

	if (kind == CERT_PKIX_VALID && slots_use(c->slots, ssl, name))
		return;
	if (c->mint != NULL)
		mint_use(c->mint, ssl, kind, name);
}

static void
https_done(void *who, const struct session_tls_done *d, int64_t now_us)
{
	web_tls_done(who, d, now_us);
}

static void
https_failed(void *who, const char *reason, int64_t now_us)
{
	web_tls_failed(who, reason, now_us);
}

static void
https_alert(void *who, bool out, unsigned level, const char *name, int64_t now_us)
{
	web_tls_alert(who, out, level, name, now_us);
}

static void
https_input(void *who, const char *bytes, size_t len, int64_t now_us)
{
	web_input(who, bytes, len, now_us);
}

const struct tls_user tls_of_web = { https_hello, https_hello_again, https_waits, https_context,
	https_prepare, https_done, https_failed, https_alert, https_input };

void
tls_contexts_set_mint(struct tls_contexts *c, struct mint *mint)
{
	c->mint = mint;
}
