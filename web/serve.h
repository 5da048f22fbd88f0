/* serve.h - the process that speaks with browsers, on libevent: connections, TLS, limits, static files and
 * streams.  What must be known or changed it asks the desk (desk.h).  It has no file and no secret
 * but the key of the certificate. */
#ifndef WEB_SERVE_H
#define WEB_SERVE_H

#include "lib/clients.h"
#include "lib/http.h"
#include "provisioning/site.h"
#include "web/frame.h"
#include "web/route.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <openssl/ssl.h>

struct serve_config {
	const struct site *site;
	SSL_CTX *tls;   /* NULL: plain */
	const int *fds; /* listening sockets */
	unsigned n_fds;
	const int *desks; /* SOCK_SEQPACKET, not blocking: the desk, then readers */
	unsigned n_desks;
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
	bool keep;                    /* for another request */
	bool ended;                   /* the client sends no more, and may still read */
	bool streams;                 /* the route is one of a stream */
	uint32_t ask;                 /* that somebody works at; 0: none */
	uint64_t turn;                /* it waits for a reader; 0: not */
	char run[ROUTE_PART_MAX + 1]; /* that a reader is to look at; "" the desk is asked */
	char subject[64];
};

/* A process that is asked. */
struct desk_link {
	struct serve *serve;
	int fd;
	struct event *event;
	struct frame_reader reader;
	bool here; /* of a reader: one has begun */
	/* Of a reader: what it works at (0: nothing), since when, the run, and that of before. */
	uint32_t ask;
	int64_t since;
	char run[ROUTE_PART_MAX + 1];
};

struct serve {
	const struct serve_config *config;
	struct event_base *base;
	struct event **listeners, *term, *hup, *relisten, *beat;
	struct desk_link *links;
	struct conn *all;
	unsigned n, n_streams;
	struct clients *clients;
	uint32_t ask;
	uint64_t turn;
	bool draining;
};

/* ask.c: who is asked.  What is quick and what changes something is the desk's.  Reports may take long: each is made by
 * a reader that has nothing else to do, never two of one run at once, so that whoever has much to read
 * holds up nobody but himself. */
/* The request of the connection.  0; -1: nobody takes it now. */
int ask_begin(struct conn *);
/* An answer came over this link. */
void ask_answered(struct desk_link *, uint32_t id);
/* A reader says that it begins.  If another one had begun before on this link, that one died: what it was at is
 * answered as busy and not given out again, because it may be what it died of. */
void ask_is_here(struct desk_link *);
/* Who waits gets a reader, if one is free. */
void ask_next(struct serve *);

void conn_new(struct serve *, int fd, const union sockaddr_any *peer); /* takes fd */
void conn_free(struct conn *);
void conn_answer(struct conn *, const struct frame *); /* of the desk */
void conn_busy(struct conn *);                         /* nobody takes its request */
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
