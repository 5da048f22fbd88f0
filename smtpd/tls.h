/* tls.h - the TLS instrument: contexts made at start, one engine per connection that is fed with octets and
 * tells its session (session.h) everything it sees: ClientHello, alerts both ways, what was negotiated.
 * OpenSSL reads and writes memory only; sockets are the caller's. */
#ifndef SMTPD_TLS_H
#define SMTPD_TLS_H

#include "lib/strbuf.h"
#include "smtpd/mint.h"
#include "smtpd/session.h"

struct tls_contexts;
struct tls;

/* Whom the engine of a connection tells what it sees, and asks: an SMTP session or an HTTPS
 * connection. */
struct tls_user {
	enum session_tls (*hello)(void *, const unsigned char *msg, size_t len, int64_t now_us);
	/* The second ClientHello, after our HelloRetryRequest (RFC 8446 4.1.4): only recorded. */
	void (*hello_again)(void *, const unsigned char *msg, size_t len, int64_t now_us);
	bool (*waits)(const void *); /* the delay that hello asked for is not over */
	/* The context of a new connection, and after the ClientHello the right certificate. */
	SSL_CTX *(*context)(const struct tls_contexts *, const void *);
	void (*prepare)(const struct tls_contexts *, void *, SSL *);
	void (*done)(void *, const struct session_tls_done *, int64_t now_us);
	void (*failed)(void *, const char *reason, int64_t now_us);
	void (*alert)(void *, bool out, unsigned level, const char *name, int64_t now_us);
	void (*input)(void *, const char *bytes, size_t len, int64_t now_us);
};
extern const struct tls_user tls_of_session, tls_of_web;

/* One context per front and per (test, host), private keys read.  NULL: "what: why" in err. */
struct tls_contexts *tls_contexts_new(const struct site *, char *err, size_t errlen);
/* Where HTTPS connections get their certificates from; not owned. */
void tls_contexts_set_mint(struct tls_contexts *, struct mint *);
void tls_contexts_free(struct tls_contexts *); /* accepts NULL */

/* who: the session or connection that user knows; out: where what must be sent is appended.
 * NULL: out of memory. */
struct tls *tls_new(
    const struct tls_contexts *, const struct tls_user *, void *who, struct strbuf *out);
void tls_free(struct tls *); /* accepts NULL */

enum tls_result {
	TLS_MORE,   /* wants more input */
	TLS_CLOSED, /* the peer sent close_notify */
	TLS_FAILED, /* fatal; the alert, if any, is in out */
};
/* Octets from the peer (len 0: go on after a delay); plaintext goes to the user. */
enum tls_result tls_input(struct tls *, const char *bytes, size_t len, int64_t now_us);
/* 0, or -1: fatal. */
int tls_write(struct tls *, const char *bytes, size_t len, int64_t now_us);
/* Puts close_notify into out, if the handshake was finished. */
void tls_shutdown(struct tls *, int64_t now_us);
bool tls_established(const struct tls *);

#endif
