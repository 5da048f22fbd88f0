/* tls.h - the TLS instrument: one engine per connection that is fed with octets and tells everything it sees:
 * ClientHello, alerts both ways, what was negotiated.  OpenSSL reads and writes memory only; sockets are
 * the caller's, and so are certificates. */
#ifndef SMTPD_TLS_H
#define SMTPD_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/strbuf.h"

/* What becomes of a handshake after its ClientHello. */
enum tls_verdict {
	TLS_GO,
	TLS_ABORT, /* a fatal alert */
	TLS_DELAY, /* asked again as soon as waits says that it is over */
	TLS_HOLD,  /* silence */
	TLS_GONE   /* the connection ends without a word */
};

/* What was negotiated.  NULL: nothing known. */
struct tls_done {
	const char *version, *cipher, *group, *sigalg, *sni;
	const char *clientcert; /* SHA-256 in hex */
	bool resumed;
};

/* Whom the engine tells what it sees, and asks. */
struct tls_user {
	/* A ClientHello, raw.  After TLS_DELAY once more, with NULL. */
	enum tls_verdict (*hello)(void *who, const unsigned char *msg, size_t len, int64_t now_us);
	/* The second ClientHello, after our HelloRetryRequest (RFC 8446 4.1.4): only recorded. */
	void (*hello_again)(void *who, const unsigned char *msg, size_t len, int64_t now_us);
	bool (*waits)(const void *who); /* the delay that hello asked for is not over */
	void (*done)(void *who, const struct tls_done *, int64_t now_us);
	void (*failed)(void *who, const char *reason, int64_t now_us);
	void (*alert)(void *who, bool out, unsigned level, const char *name, int64_t now_us);
	void (*input)(void *who, const char *bytes, size_t len, int64_t now_us); /* plaintext */
};

/* Makes a context one for engines: nothing is resumed or renegotiated, everything is seen. */
void tls_instrument(SSL_CTX *);

struct tls;
struct tls_setup {
	SSL_CTX *context; /* instrumented; NULL: tls_new fails */
	/* After the ClientHello: the certificate for the name it asked for.  Without one the handshake fails,
	 * and is seen to. */
	void (*prepare)(void *arg, SSL *);
	void *arg;
	const struct tls_user *user;
	void *who;
	struct strbuf *out; /* where what must be sent is appended */
};
struct tls *tls_new(const struct tls_setup *); /* NULL: out of memory */
void tls_free(struct tls *);                   /* accepts NULL */

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
