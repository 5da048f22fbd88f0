/* The TLS instrument against OpenSSL as a client, both in memory: what is seen is told, in whatever pieces it
 * comes, and what the user decides on the ClientHello is what happens. */
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "provisioning/certs.h"
#include "provisioning/keys.h"
#include "smtpd/tls.h"

#include <cmocka.h> /* last: it has a macro test_free */

static SSL_CTX *server_ctx, *client_ctx;
static X509 *cert;
static EVP_PKEY *key;

static struct seen {
	enum tls_verdict verdict;
	bool waits, no_cert;
	struct strbuf told, input;
} seen;
static struct tls *tls;
static struct strbuf out;
static SSL *client;
static BIO *to_client, *from_client;

/* --- the user ------------------------------------------------------------------------------------- */

static enum tls_verdict
on_hello(void *who, const unsigned char *msg, size_t len, int64_t now_us)
{
	struct seen *s = who;

	assert_int_equal(now_us, 7);
	assert_true(msg == NULL || (len > 4 && msg[0] == SSL3_MT_CLIENT_HELLO));
	strbuf_puts(&s->told, msg != NULL ? "hello " : "again ");
	return msg != NULL ? s->verdict : TLS_GO;
}

static void
on_hello_again(void *who, const unsigned char *msg, size_t len, int64_t now_us)
{
	struct seen *s = who;

	(void)now_us;
	assert_true(len > 4 && msg[0] == SSL3_MT_CLIENT_HELLO);
	strbuf_puts(&s->told, "retry ");
}

static bool
waits(const void *who)
{
	return ((const struct seen *)who)->waits;
}

static void
on_done(void *who, const struct tls_done *d, int64_t now_us)
{
	struct seen *s = who;

	(void)now_us;
	strbuf_printf(&s->told, "done:%s:%s ", d->version, d->sni != NULL ? d->sni : "-");
}

static void
on_failed(void *who, const char *reason, int64_t now_us)
{
	struct seen *s = who;

	(void)now_us;
	assert_true(strlen(reason) > 0);
	strbuf_puts(&s->told, "failed ");
}

static void
on_alert(void *who, bool alert_out, unsigned level, const char *name, int64_t now_us)
{
	struct seen *s = who;

	(void)now_us;
	strbuf_printf(&s->told, "%s:%u:%s ", alert_out ? "out" : "in", level, name);
}

static void
on_input(void *who, const char *bytes, size_t len, int64_t now_us)
{
	struct seen *s = who;

	(void)now_us;
	strbuf_add(&s->input, bytes, len);
}

static const struct tls_user user = { on_hello, on_hello_again, waits, on_done, on_failed, on_alert,
	on_input };

static void
prepare(void *arg, SSL *ssl)
{
	struct seen *s = arg;

	strbuf_puts(&s->told, "prepare ");
	if (s->no_cert)
		return;
	assert_int_equal(SSL_use_certificate(ssl, cert), 1);
	assert_int_equal(SSL_use_PrivateKey(ssl, key), 1);
}

/* --- both ends ------------------------------------------------------------------------------------- */

static void
begin(const char *groups)
{
	const struct tls_setup setup = { server_ctx, prepare, &seen, &user, &seen, &out };

	seen = (struct seen){ .verdict = TLS_GO };
	assert_non_null(tls = tls_new(&setup));
	client = SSL_new(client_ctx);
	to_client = BIO_new(BIO_s_mem());
	from_client = BIO_new(BIO_s_mem());
	SSL_set_bio(client, to_client, from_client);
	SSL_set_connect_state(client);
	SSL_set_tlsext_host_name(client, "mx.example");
	if (groups != NULL)
		assert_int_equal(SSL_set1_groups_list(client, groups), 1);
}

static void
end(void)
{
	tls_free(tls);
	SSL_free(client);
	strbuf_clear(&seen.told);
	strbuf_clear(&seen.input);
	strbuf_clear(&out);
	ERR_clear_error();
}

/* What the client has said so far, in pieces of this many octets. */
static enum tls_result
feed(size_t piece)
{
	enum tls_result r = TLS_MORE;
	char bytes[65536];
	int n = BIO_read(from_client, bytes, sizeof bytes);

	for (size_t at = 0; n > 0 && at < (size_t)n && r == TLS_MORE; at += piece) {
		size_t len = (size_t)n - at < piece ? (size_t)n - at : piece;

		r = tls_input(tls, bytes + at, len, 7);
	}
	if (out.len > 0)
		BIO_write(to_client, out.s, (int)out.len);
	strbuf_reset(&out);
	return r;
}

static bool
shake(size_t piece)
{
	enum tls_result r = TLS_MORE;

	for (unsigned i = 0; i < 10 && r == TLS_MORE; i++) {
		if (SSL_do_handshake(client) == 1 && tls_established(tls))
			return true;
		r = feed(piece);
	}
	ERR_clear_error();
	return false;
}

#define TOLD(text) assert_string_equal(seen.told.s != NULL ? seen.told.s : "", text)

/* --- the tests ------------------------------------------------------------------------------------- */

static void
octets_go_both_ways(void **state)
{
	static const size_t pieces[] = { 65536, 100, 1 };
	char text[16];

	(void)state;
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		begin(NULL);
		assert_true(shake(pieces[i]));
		TOLD("hello prepare done:TLSv1.3:mx.example ");
		assert_int_equal(SSL_write(client, "EHLO x\r\n", 8), 8);
		assert_int_equal(feed(pieces[i]), TLS_MORE);
		assert_int_equal(seen.input.len, 8);
		assert_memory_equal(seen.input.s, "EHLO x\r\n", 8);
		assert_int_equal(tls_write(tls, "250 x\r\n", 7, 7), 0);
		feed(1);
		assert_int_equal(SSL_read(client, text, sizeof text), 7);
		assert_memory_equal(text, "250 x\r\n", 7);
		SSL_shutdown(client);
		assert_int_equal(feed(pieces[i]), TLS_CLOSED);
		tls_shutdown(tls, 7);
		feed(1);
		assert_int_equal(SSL_shutdown(client), 1);
		TOLD("hello prepare done:TLSv1.3:mx.example in:1:close_notify out:1:close_notify ");
		end();
	}
}

static void
a_second_hello_is_no_first(void **state)
{
	(void)state;
	/* A key share that the server does not take, and a group that it does. */
	assert_int_equal(SSL_CTX_set1_groups_list(server_ctx, "P-256"), 1);
	begin("X25519:P-256");
	assert_true(shake(65536));
	TOLD("hello prepare retry done:TLSv1.3:mx.example ");
	end();
	assert_int_equal(SSL_CTX_set1_groups_list(server_ctx, "X25519:P-256"), 1);
}

static void
the_user_decides(void **state)
{
	(void)state;
	begin(NULL);
	seen.verdict = TLS_ABORT;
	assert_false(shake(65536));
	TOLD("hello out:2:handshake_failure failed ");
	assert_int_equal(tls_input(tls, "x", 1, 7), TLS_FAILED);
	assert_int_equal(tls_write(tls, "x", 1, 7), -1);
	end();

	begin(NULL);
	seen.verdict = TLS_HOLD;
	assert_false(shake(65536));
	TOLD("hello ");
	assert_int_equal(BIO_pending(to_client), 0);
	end();

	begin(NULL);
	seen.verdict = TLS_DELAY;
	seen.waits = true;
	assert_false(shake(65536));
	TOLD("hello ");
	assert_int_equal(tls_input(tls, "", 0, 7), TLS_MORE);
	TOLD("hello ");
	seen.waits = false;
	assert_int_equal(tls_input(tls, "", 0, 7), TLS_MORE);
	TOLD("hello again prepare ");
	assert_true(shake(65536));
	TOLD("hello again prepare done:TLSv1.3:mx.example ");
	end();
}

static void
failures_are_told(void **state)
{
	(void)state;
	begin(NULL);
	seen.no_cert = true;
	assert_false(shake(65536));
	TOLD("hello prepare out:2:handshake_failure failed ");
	end();

	begin(NULL);
	SSL_set_verify(client, SSL_VERIFY_PEER, NULL); /* it trusts nobody */
	assert_false(shake(65536));
	TOLD("hello prepare in:2:unknown_ca failed ");
	end();

	begin(NULL);
	assert_int_equal(tls_input(tls, "EHLO in the clear\r\n", 19, 7), TLS_FAILED);
	TOLD("failed ");
	tls_shutdown(tls, 7);
	end();

	seen = (struct seen){ .verdict = TLS_GO };
	assert_null(tls_new(&(struct tls_setup){ .user = &user, .out = &out }));
}

static int
setup(void **state)
{
	static const char *const names[] = { "mx.example" };
	struct certs_request r = { .kind = CERT_SELF_SIGNED, .name = names, .n_names = 1 };

	(void)state;
	r.key = key = keys_generate(13);
	cert = certs_make(&r, clock_now());
	server_ctx = SSL_CTX_new(TLS_server_method());
	client_ctx = SSL_CTX_new(TLS_client_method());
	tls_instrument(server_ctx);
	return cert != NULL && SSL_CTX_set1_groups_list(server_ctx, "X25519:P-256") == 1 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	X509_free(cert);
	EVP_PKEY_free(key);
	SSL_CTX_free(server_ctx);
	SSL_CTX_free(client_ctx);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octets_go_both_ways),
		cmocka_unit_test(a_second_hello_is_no_first),
		cmocka_unit_test(the_user_decides),
		cmocka_unit_test(failures_are_told),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
