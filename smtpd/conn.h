/* conn.h - a connection of a worker, what it speaks, and the worker around it.  Private to the rim: io.c
 * (the worker), accept.c (where connections come from), conn.c (their sockets, timers and ends), speak.c
 * (what the cores ask for, and how they are called). */
#ifndef SMTPD_CONN_H
#define SMTPD_CONN_H

#include <event2/event.h>

#include "lib/eventlog.h"
#include "lib/clients.h"
#include "smtpd/io.h"
#include "smtpd/web.h"

#define READ_MAX 65536

struct io;
struct conn;

/* What a connection speaks. */
struct speech {
	size_t size; /* of its core */
	const struct tls_user *tls;
	/* The context of its TLS, and after the ClientHello its certificate. */
	SSL_CTX *(*context)(const struct conn *);
	void (*prepare)(void *conn, SSL *);
	void (*tick)(void *, int64_t now_us);
	int64_t (*deadline)(const void *);
	void (*committed)(void *, int64_t now_us);
	void (*end)(void *, enum session_how, int64_t now_us);
	void (*clear)(void *);
	void (*shift)(void *, int64_t us);
};

struct conn {
	const struct speech *speech;
	union { /* owned; zeros until it is set up, and no larger than what is spoken needs */
		void *core;
		struct session *session;
		struct web *web;
	};
	struct io *io;
	union sockaddr_any peer;
	unsigned of_client; /* connections of this address when it came */
	int fd;
	struct event *readable, *timer;
	struct event *writable; /* made when a client does not read */
	int64_t armed_us;       /* when timer fires; INT64_MAX: not armed */
	struct tls *tls;
	struct strbuf out;  /* octets for the socket */
	struct strbuf hold; /* replies that wait for the disk, or for STARTTLS to begin */
	uint64_t ticket;    /* of the last event */
	bool committing, closing, reset, shut, reading, starting_tls, eof;
	struct strbuf first;      /* octets that came behind STARTTLS */
	struct body *body;        /* of the message that arrives; NULL: none */
	struct conn *next, *prev; /* all */
	struct conn *commit_next; /* waiting for the disk, in order of tickets */
};

struct listener {
	struct io *io;
	struct event *ev;
	int fd;
	bool v6, https;
	union sockaddr_any local;
};

struct io {
	const struct io_config *config;
	struct session_env env;
	struct event_base *base;
	struct eventlog *log;
	struct event_line line;
	struct listener *listeners;
	struct event *commit_ev, *term_ev, *hup_ev, *relisten_ev;
	struct clients *clients;
	struct mint *mint;
	struct conn *all;
	struct conn *commit_first, **commit_last;
	unsigned n_conns;
	uint64_t counter;
	char id[40]; /* prefix of connection names */
	int spare_fd, code;
	int64_t complained_us;
	int64_t ahead_us; /* of the wall clock before the monotonic one */
	uint64_t refused; /* since the last event that says so */
	bool draining;
	char buf[READ_MAX];
};

/* speak.c */
extern const struct session_ops conn_ops;
extern const struct speech speech_smtp, speech_https;
bool conn_is_smtp(const struct conn *);
/* From now on its octets are those of TLS.  0, or -1: out of memory. */
int conn_begin_tls(struct conn *);
/* Why the connection ends, if the core knows already. */
enum session_how *conn_how(struct conn *);
void conn_put(struct conn *, const char *bytes, size_t len);
/* The event log has failed: serving stops. */
void io_blind(struct io *) __attribute__((noreturn));

/* conn.c */
/* Takes over the descriptor and counts it; the caller sets up the core. */
struct conn *conn_open(struct io *, int fd, const union sockaddr_any *peer, const struct speech *);
/* Ends the session and the connection.  The caller returns at once. */
void conn_end(struct conn *, enum session_how);
/* After every call into the core; the connection may be gone when it returns. */
void conn_settle(struct conn *);
/* The committing thread has written and synced. */
void on_durable(evutil_socket_t, short, void *);

/* accept.c */
void on_accept(evutil_socket_t, short, void *);
void on_relisten(evutil_socket_t, short, void *);
void accept_all(struct io *, bool on);
void accept_refused(struct io *); /* writes how many, if any */

#endif
