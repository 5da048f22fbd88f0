/* tls.h - the TLS instrument: contexts made at start, one engine per connection that is fed with octets and
 * tells its session (session.h) everything it sees: ClientHello, alerts both ways, what was negotiated.
 * OpenSSL reads and writes memory only; sockets are the caller's. */
#ifndef SMTPD_TLS_H
#define SMTPD_TLS_H

#include "lib/strbuf.h"
#include "smtpd/session.h"

struct tls_contexts;

/* One context per front and per (test, host), private keys read.  NULL: "what: why" in err. */
struct tls_contexts *tls_contexts_new(const struct site *, char *err, size_t errlen);
void tls_contexts_free(struct tls_contexts *); /* accepts NULL */

struct tls; /* one connection */

/* out: where what must be sent is appended.  NULL: out of memory. */
struct tls *tls_new(const struct tls_contexts *, struct session *, struct strbuf *out);
void tls_free(struct tls *); /* accepts NULL */

enum tls_result {
	TLS_MORE,   /* wants more input */
	TLS_CLOSED, /* the peer sent close_notify */
	TLS_FAILED, /* fatal; the alert, if any, is in out */
};
/* Octets from the peer (len 0: go on after a delay); plaintext goes to session_input. */
enum tls_result tls_input(struct tls *, const char *bytes, size_t len, int64_t now_us);
/* 0, or -1: fatal. */
int tls_write(struct tls *, const char *bytes, size_t len, int64_t now_us);
/* Puts close_notify into out, if the handshake was finished. */
void tls_shutdown(struct tls *, int64_t now_us);
bool tls_established(const struct tls *);

#endif
