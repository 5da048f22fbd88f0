/* web.h - one HTTPS connection: a policy host (RFC 8461 3.3) or a receiver of TLS reports (RFC 8460
 * 3), fed with octets and time, answering through the same functions as an SMTP session (session.h).
 *
 * One request, one response, close.  Whose it is tells the address (IPv6), the server name or the Host
 * field; which of them is recorded.  A POST is answered 2xx when its event is on disk. */
#ifndef SMTPD_WEB_H
#define SMTPD_WEB_H

#include "lib/chunked.h"
#include "lib/http.h"
#include "smtpd/policy.h"
#include "smtpd/session.h"
#include "smtpd/web_name.h"

enum web_state { WEB_START, WEB_HEAD, WEB_BODY, WEB_SLOW, WEB_COMMIT, WEB_CLOSING };

struct web {
	const struct session_env *env;
	void *ctx;
	char conn[32];
	union sockaddr_any peer, local;

	enum web_state state;
	enum session_how how;
	int64_t start_us, wait_us, now_us;

	const char *by; /* "address", "sni", "host"; NULL: unbound */
	struct token token;
	const struct test *test;
	unsigned zone;
	enum web_host host; /* that SNI names */
	unsigned phase;
	bool released; /* the participant was */
	char sni[256];
	bool hello, tls_failed, ended, was_tls, tls_closed;
	unsigned requests;

	struct http_request request;
	struct chunked chunks; /* of a body with that coding */
	struct strbuf body;    /* of a POST, while it comes */
	char dev[160];
	/* the response, during WEB_SLOW and WEB_COMMIT */
	unsigned status;
	struct strbuf content;
	char type[128], location[512];
};

void web_init(struct web *, const struct session_env *, void *ctx, const char *conn,
    const union sockaddr_any *peer, const union sockaddr_any *local, int64_t now_us);
void web_start(struct web *, int64_t now_us);
void web_clear(struct web *);

void web_input(struct web *, const char *bytes, size_t len, int64_t now_us);
void web_committed(struct web *, int64_t now_us);
int64_t web_deadline(const struct web *);
void web_tick(struct web *, int64_t now_us);
void web_shift(struct web *, int64_t us); /* as session_shift */
void web_end(struct web *, enum session_how, int64_t now_us);

/* The functions for its TLS engine (tls.h); who is the connection. */
extern const struct tls_user web_tls;
/* Which certificate is to be shown: its name, no final dot, and its kind. */
enum cert_kind web_certificate(const struct web *, char name[256]);

/* --- between web.c and web_tls.c -------------------------------------------------------------------- */
/* The participant and the test that the name tells.  false: they are not those of the address. */
bool web_take_name(struct web *, const struct web_name *, const char *by);
/* In which phase the test is; whether the participant was released. */
void web_look_up(struct web *);
/* What is served then; NULL: no policy. */
const struct policy *web_policy(const struct web *);
struct event_line *web_event(struct web *, enum event_kind);
void web_event_end(struct web *);

#endif
