/* serve.c - see serve.h. */
#include "web/serve.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "web/assets.h"
#include "web/client.h"

#define BEAT_S     20 /* proxies and browsers give up streams that say nothing */
#define RELISTEN_S 1
#define DRAIN_S    30

/* --- accepting ------------------------------------------------------------------------------------------ */

static void
accept_all(struct serve *s, bool on)
{
	for (unsigned i = 0; i < s->config->n_fds; i++) {
		if (on)
			event_add(s->listeners[i], NULL);
		else
			event_del(s->listeners[i]);
	}
}

/* Over a limit it is closed at once: there is no request yet that could be answered. */
static bool
admit(struct serve *s, const union sockaddr_any *peer)
{
	const struct site_conf *c = &s->config->site->conf;
	union sockaddr_any network;

	if (s->n >= c->web_max)
		return false;
	if (client_is_proxy(peer, &c->web_proxy))
		return true;
	client_network(&network, peer);
	if (clients_enter(s->clients, &network) <= c->web_per_client)
		return true;
	clients_leave(s->clients, &network);
	return false;
}

static void
on_accept(evutil_socket_t listener, short what, void *ctx)
{
	struct serve *s = ctx;
	int one = 1;

	(void)what;
	for (unsigned i = 0; i < 64; i++) {
		union sockaddr_any peer = { 0 };
		socklen_t len = sizeof peer;
		int fd = accept4((int)listener, &peer.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS)) {
			struct timeval tv = { .tv_sec = RELISTEN_S };

			accept_all(s, false);
			evtimer_add(s->relisten, &tv);
		}
		if (fd < 0)
			return;
		if (!admit(s, &peer)) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		conn_new(s, fd, &peer);
	}
}

static void
on_relisten(evutil_socket_t fd, short what, void *ctx)
{
	struct serve *s = ctx;

	(void)fd;
	(void)what;
	if (!s->draining)
		accept_all(s, true);
}

/* --- the desk ---------------------------------------------------------------------------------------------- */

static void
on_desk(evutil_socket_t fd, short what, void *ctx)
{
	struct desk_link *l = ctx;
	struct serve *s = l->serve;
	struct conn *c, *next;
	struct frame f;
	int rc;

	(void)what;
	while ((rc = frame_receive(&f, &l->reader, (int)fd)) > 0) {
		if (f.id == 0 && f.n == 0) {
			ask_is_here(l);
			continue;
		}
		for (c = s->all; c != NULL; c = next) {
			next = c->next;
			if (f.id != 0 && c->state == CONN_ASKED && c->ask == f.id)
				conn_answer(c, &f);
			else if (f.id == 0 && f.n == 1 && c->state == CONN_STREAM &&
				 strlen(c->subject) == f.field[0].len &&
				 memcmp(c->subject, f.field[0].s, f.field[0].len) == 0)
				conn_news(c);
		}
		ask_answered(l, f.id);
	}
	if (rc < 0) {
		log_warn("the desk is gone: stopping");
		event_base_loopbreak(s->base);
	}
}

static void
on_beat(evutil_socket_t fd, short what, void *ctx)
{
	struct serve *s = ctx;

	(void)fd;
	(void)what;
	for (struct conn *c = s->all; c != NULL; c = c->next)
		if (c->state == CONN_STREAM)
			conn_beat(c);
	ask_next(s);
}

/* --- TLS ---------------------------------------------------------------------------------------------------- */

/* RFC 7301 3.2: who offers nothing that is spoken here is told so, and is no mail program that was led astray. */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *outlen, const unsigned char *in,
    unsigned inlen, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1\x08http/1.0";
	unsigned char *selected;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&selected, outlen, ours, sizeof ours - 1, in, inlen) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = selected;
	return SSL_TLSEXT_ERR_OK;
}

SSL_CTX *
serve_tls(const struct site *site)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	char cert[512], key[512];

	site_web_cert(cert, key, site);
	if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1) {
		log_warn("%s, %s: %s: %s", cert, key,
		    ERR_reason_error_string(ERR_peek_last_error()),
		    site->conf.web_cert[0] != '\0'
			? "see web-cert and web-key of outpost.conf: a chain and its key, in PEM"
			: "restore both from a backup, or remove both and run outpost init");
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	return ctx;
}

/* --- from start to end ----------------------------------------------------------------------------------- */

static void
on_signal(evutil_socket_t number, short what, void *ctx)
{
	struct serve *s = ctx;
	struct timeval tv = { .tv_sec = DRAIN_S };
	struct conn *c, *next;

	(void)what;
	accept_all(s, false);
	if (number == SIGTERM || s->n == 0) {
		event_base_loopbreak(s->base);
		return;
	}
	for (c = s->all; c != NULL; c = next) {
		next = c->next;
		conn_drain(c);
	}
	s->draining = true;
	if (s->n == 0)
		event_base_loopbreak(s->base);
	else
		event_base_loopexit(s->base, &tv);
}

static int
serve_open(struct serve *s)
{
	const struct serve_config *c = s->config;
	struct timeval beat = { .tv_sec = BEAT_S };
	sigset_t set;

	if ((s->base = event_base_new()) == NULL)
		return -1;
	s->clients = clients_new(c->site->conf.web_max, c->key);
	memcpy(&s->ask, c->key, sizeof s->ask); /* not those of who was here before */
	s->listeners = xcalloc(c->n_fds, sizeof(*s->listeners));
	for (unsigned i = 0; i < c->n_fds; i++)
		s->listeners[i] = event_new(s->base, c->fds[i], EV_READ | EV_PERSIST, on_accept, s);
	s->links = xcalloc(c->n_desks, sizeof(*s->links));
	for (unsigned i = 0; i < c->n_desks; i++) {
		struct desk_link *l = &s->links[i];

		l->serve = s;
		l->fd = c->desks[i];
		l->event = event_new(s->base, l->fd, EV_READ | EV_PERSIST, on_desk, l);
		event_add(l->event, NULL);
	}
	s->beat = event_new(s->base, -1, EV_PERSIST, on_beat, s);
	s->relisten = evtimer_new(s->base, on_relisten, s);
	s->term = evsignal_new(s->base, SIGTERM, on_signal, s);
	s->hup = evsignal_new(s->base, SIGHUP, on_signal, s);
	event_add(s->beat, &beat);
	event_add(s->term, NULL);
	event_add(s->hup, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	accept_all(s, true);
	return 0;
}

static void
serve_close(struct serve *s)
{
	s->draining = false;
	while (s->all != NULL)
		conn_free(s->all);
	for (unsigned i = 0; i < s->config->n_fds; i++)
		event_free(s->listeners[i]);
	for (unsigned i = 0; i < s->config->n_desks; i++) {
		event_free(s->links[i].event);
		frame_reader_clear(&s->links[i].reader);
	}
	event_free(s->beat);
	event_free(s->relisten);
	event_free(s->term);
	event_free(s->hup);
	event_base_free(s->base);
	clients_free(s->clients);
	free(s->links);
	free(s->listeners);
}

int
serve_run(const struct serve_config *config)
{
	struct serve s = { .config = config };

	if (serve_open(&s) != 0) {
		log_warn("worker: could not start");
		return EXIT_CANNOT;
	}
	event_base_dispatch(s.base);
	serve_close(&s);
	return EXIT_DONE;
}
