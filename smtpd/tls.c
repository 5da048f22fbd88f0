/* tls.c - see tls.h. */
#include "smtpd/tls.h"

#include <ctype.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tls {
	struct tls_setup setup;
	const struct tls_user *user; /* of setup */
	void *who;
	SSL *ssl;
	const char *in; /* octets that OpenSSL has not read yet */
	size_t in_len;
	struct strbuf rest; /* they, between two calls */
	int64_t now_us;
	enum tls_verdict verdict; /* on the ClientHello */
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
	strbuf_add(t->setup.out, src, len);
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
			t->setup.prepare(t->setup.arg, ssl);
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

void
tls_instrument(SSL_CTX *ctx)
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

/* --- one connection -------------------------------------------------------------------------------- */

/* The one of the process. */
static BIO_METHOD *
memory_method(void)
{
	static BIO_METHOD *m;

	if (m == NULL &&
	    (m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "memory")) != NULL) {
		BIO_meth_set_read_ex(m, bio_read);
		BIO_meth_set_write_ex(m, bio_write);
		BIO_meth_set_ctrl(m, bio_ctrl);
	}
	return m;
}

struct tls *
tls_new(const struct tls_setup *setup)
{
	struct tls *t = xcalloc(1, sizeof *t);
	BIO_METHOD *method = memory_method();
	BIO *bio = method != NULL ? BIO_new(method) : NULL;

	t->setup = *setup;
	t->user = setup->user;
	t->who = setup->who;
	t->ssl = setup->context != NULL ? SSL_new(setup->context) : NULL;
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
	struct tls_done d = { .version = SSL_get_version(t->ssl),
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
