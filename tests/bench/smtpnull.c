/* smtpnull ADDRESS PORT - the floor of an SMTP receiver: answers what smtpload says and keeps nothing, in
 * plaintext and, after STARTTLS, with OpenSSL, TLS 1.3 and an ECDSA P-256 certificate.  What a server costs
 * above this is its own work. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/listen.h"
#include "lib/strbuf.h"
#include "provisioning/certs.h"
#include "provisioning/keys.h"

#define EVENTS 256
#define PIECE  16384

struct conn {
	int fd;
	SSL *ssl;
	bool data, quit, starttls;
	unsigned tail; /* octets of CRLF.CRLF that were seen */
	size_t len;
	char line[512];
};

static SSL_CTX *ctx;
static int epoll_fd;

static const struct {
	const char *verb, *reply;
} replies[] = {
	{ "EHLO", "250-null.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 STARTTLS\r\n" },
	{ "MAIL", "250 2.1.0 Ok\r\n" },
	{ "RCPT", "250 2.1.5 Ok\r\n" },
	{ "DATA", "354 Go ahead\r\n" },
	{ "QUIT", "221 2.0.0 Bye\r\n" },
	{ "STARTTLS", "220 2.0.0 Ready\r\n" },
};

static void
say(struct conn *c, const char *text)
{
	int len = (int)strlen(text);

	/* Replies are far smaller than the socket's buffer. */
	if (c->ssl != NULL ? SSL_write(c->ssl, text, len) != len
			   : send(c->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		c->quit = true;
}

static void
command(struct conn *c)
{
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		size_t len = strlen(replies[i].verb);

		if (c->len < len || strncasecmp(c->line, replies[i].verb, len) != 0)
			continue;
		say(c, replies[i].reply);
		c->data = replies[i].verb[0] == 'D';
		c->quit = c->quit || replies[i].verb[0] == 'Q';
		c->starttls = replies[i].verb[0] == 'S';
		c->tail = 2;
		return;
	}
	say(c, "502 5.5.1 What?\r\n");
}

static void
feed(struct conn *c, const char *p, size_t n)
{
	static const char end[] = "\r\n.\r\n";

	for (size_t i = 0; i < n; i++) {
		if (c->data) {
			c->tail = p[i] == end[c->tail] ? c->tail + 1 : p[i] == '\r';
			if (c->tail == sizeof(end) - 1) {
				c->data = false;
				say(c, "250 2.0.0 Ok\r\n");
			}
		} else if (p[i] == '\n') {
			command(c);
			c->len = 0;
		} else if (c->len < sizeof(c->line)) {
			c->line[c->len++] = p[i];
		}
	}
}

static void
end(struct conn *c)
{
	SSL_free(c->ssl);
	close(c->fd);
	free(c);
}

/* Octets, 0: would block, -1: over. */
static ssize_t
take(struct conn *c, char *buf, size_t len)
{
	ssize_t n;

	if (c->ssl == NULL) {
		n = recv(c->fd, buf, len, 0);
		return n > 0 ? n : n < 0 && errno == EAGAIN ? 0 : -1;
	}
	n = SSL_read(c->ssl, buf, (int)len);
	if (n > 0)
		return n;
	n = SSL_get_error(c->ssl, (int)n) == SSL_ERROR_WANT_READ ? 0 : -1;
	ERR_clear_error();
	return n;
}

static void
serve(struct conn *c)
{
	static char buf[PIECE];
	ssize_t n;

	while ((n = take(c, buf, sizeof(buf))) > 0) {
		feed(c, buf, (size_t)n);
		if (c->quit)
			break;
		if (c->starttls) {
			c->starttls = false;
			c->ssl = SSL_new(ctx);
			SSL_set_fd(c->ssl, c->fd);
			SSL_set_accept_state(c->ssl);
		}
	}
	if (n < 0 || c->quit) {
		if (c->ssl != NULL)
			SSL_shutdown(c->ssl);
		end(c);
	}
}

static void
welcome(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct conn *c = xcalloc(1, sizeof(*c));
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

		c->fd = fd;
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
			err(3, "epoll_ctl");
		say(c, "220 null.example ESMTP\r\n");
	}
}

static void
make_context(void)
{
	EVP_PKEY *key = keys_generate(certs_algorithm(CERT_PKIX_VALID));
	X509 *cert = key != NULL ? certs_make_ca(key, "null.example", clock_now()) : NULL;

	ctx = SSL_CTX_new(TLS_server_method());
	if (cert == NULL || ctx == NULL || SSL_CTX_use_certificate(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, key) != 1)
		errx(3, "no certificate");
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	X509_free(cert);
	EVP_PKEY_free(key);
}

int
main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };
	struct epoll_event e[EVENTS], listening = { .events = EPOLLIN };
	union sockaddr_any a;
	int fd;

	if (argc != 3 || address_parse(&a, argv[1], (unsigned)atoi(argv[2])) < 0)
		errx(2, "usage: smtpnull ADDRESS PORT");
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_NOFILE, &files);
	make_context();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if ((fd = listen_open(&a, SOCK_STREAM)) < 0 ||
	    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &listening) < 0)
		return 3;
	for (;;) {
		int n = epoll_wait(epoll_fd, e, EVENTS, -1);

		if (n < 0 && errno != EINTR)
			err(3, "epoll_wait");
		for (int i = 0; i < n; i++) {
			if (e[i].data.ptr == NULL)
				welcome(fd);
			else
				serve(e[i].data.ptr);
		}
	}
}
