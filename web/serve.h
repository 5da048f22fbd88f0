/* serve.h - the process that speaks with browsers, on libevent: connections, TLS, limits, static files and
 * streams.  What must be known or changed it asks the desk (desk.h).  It has no file and no secret
 * but the key of the certificate. */
#ifndef WEB_SERVE_H
#define WEB_SERVE_H

#include "lib/clients.h"
#include "lib/http.h"
#include "provisioning/site.h"
#include "web/frame.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <openssl/ssl.h>

struct serve_config {
	const struct site *site;
	SSL_CTX *tls;   /* NULL: plain */
	const int *fds; /* listening sockets */
	unsigned n_fds;
	int desk;        /* SOCK_SEQPACKET, not blocking */
	uint8_t key[16]; /* random */
};
/* Until SIGTERM, or SIGHUP and the last request.  The exit code. */
int serve_run(const struct serve_config *);

/* A context for the certificate of the site.  NULL: logged. */
SSL_CTX *serve_tls(const struct site *);

/* --- inside ------------------------------------------------------------------------------------------ */

enum conn_state {
	CONN_IDLE, /* waits for a request */
	CONN_HEAD, /* some of its head is there */
	CONN_BODY,
	CONN_ASKED, /* the desk thinks */
	CONN_SENDING,
	CONN_STREAM,
	CONN_CLOSING /* all is sent; what still comes is not looked at */
};

struct conn {
	struct conn *next, *prev;
	struct serve *serve;
	struct bufferevent *bev;
	struct event *timer;
	union sockaddr_any peer;
	bool proxied;              /* by a proxy of ours: its connections are not counted */
	union sockaddr_any client; /* of this request */
	bool secure;
	enum conn_state state;
	struct http_request http;
	struct strbuf body;
	unsigned requests;
	bool keep;    /* for another request */
	bool streams; /* the route is one of a stream */
	uint32_t ask;
	char subject[64];
};

struct serve {
	const struct serve_config *config;
	struct event_base *base;
	struct event **listeners, *desk, *term, *hup, *relisten, *beat;
	struct conn *all;
	unsigned n, n_streams;
	struct clients *clients;
	uint32_t ask;
	bool draining;
	struct frame_reader reader;
};

void conn_new(struct serve *, int fd, const union sockaddr_any *peer); /* takes fd */
void conn_free(struct conn *);
void conn_answer(struct conn *, const struct frame *); /* of the desk */
void conn_news(struct conn *);                         /* of its subject */
void conn_beat(struct conn *);
void conn_drain(struct conn *);

/* Response head and body into the output; the one place where fields that protect are written. */
struct response {
	unsigned status;
	const char *type, *fields; /* fields: whole lines */
	const char *cache;         /* Cache-Control */
	const char *body;
	size_t len;
	bool keep, head, stream, secure;
};
void response_write(struct strbuf *dst, const struct response *, int64_t now_us);

#endif
