/* smtpload [-s] [-n SESSIONS] [-c CONCURRENT] [-f FIRST] [-b BYTES] [-i SECONDS] [-S SITE]
 *     ADDRESS PORT RCPT
 *
 * SESSIONS complete sessions, CONCURRENT at a time: EHLO, MAIL, RCPT, DATA, a message of BYTES octets,
 * QUIT, each command after the reply to the one before.  '%' in RCPT is the token of the next
 * participant, valid under the key of SITE.  -s: STARTTLS first, a full TLS 1.3 handshake each time.
 * -i: instead, opens CONCURRENT sessions, stops after EHLO (and STARTTLS), says "idle" and holds them
 * for SECONDS.  Prints one line:
 *   sessions N ok N failed N bytes N seconds S rate R */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/listen.h"
#include "lib/strbuf.h"
#include "provisioning/token.h"
#include "tests/bench/key.h"

#define REPLY_MAX 4096
#define EVENTS    256
#define OPENING   20

enum step { GREETING, EHLO, STARTTLS, EHLO_TLS, MAIL, RCPT, DATA, MESSAGE, QUIT, DONE };
enum { PLAIN_NEXT, TLS_NEXT };

/* What a reply must begin with, and the step that follows it with and without TLS. */
static const struct {
	const char *expect;
	enum step next[2];
} steps[] = {
	[GREETING] = { "220", { EHLO, EHLO } },
	[EHLO] = { "250", { MAIL, STARTTLS } },
	[STARTTLS] = { "220", { EHLO_TLS, EHLO_TLS } },
	[EHLO_TLS] = { "250", { MAIL, MAIL } },
	[MAIL] = { "250", { RCPT, RCPT } },
	[RCPT] = { "250", { DATA, DATA } },
	[DATA] = { "354", { MESSAGE, MESSAGE } },
	[MESSAGE] = { "250", { QUIT, QUIT } },
	[QUIT] = { "221", { DONE, DONE } },
};

struct session {
	int fd;
	enum step step;
	uint64_t id;
	SSL *ssl;
	bool handshake;
	uint32_t want; /* epoll mask now in force */
	size_t len;
	char reply[REPLY_MAX];
	size_t out_len, out_sent;
	const char *out;
	char command[512];
};

static struct options {
	bool tls;
	unsigned long count, concurrent, idle_s;
	uint64_t first;
	size_t bytes;
	const char *rcpt;
	struct token_key key;
	union sockaddr_any to;
} opt = { .count = 20000, .concurrent = 20, .first = 1, .bytes = 1024 };

static struct {
	unsigned long started, ok, failed, idle;
	uint64_t bytes;
} tally;

static SSL_CTX *ctx;
static struct strbuf message;
static int epoll_fd;

static void start(struct session *);

static void
make_message(void)
{
	static const char line[] =
	    "The quick brown fox jumps over the lazy dog, again and again.\r\n";

	strbuf_puts(&message, "From: <load@sender.example>\r\nTo: <probe@bench.example>\r\n"
			      "Subject: load\r\nDate: Sat, 21 Nov 2026 20:00:00 +0000\r\n"
			      "Message-ID: <load@sender.example>\r\n\r\n");
	while (message.len + 2 < opt.bytes) {
		size_t left = opt.bytes - 2 - message.len, n = sizeof(line) - 1;

		strbuf_add(&message, line, left < n ? left : n);
	}
	strbuf_puts(&message, "\r\n.\r\n");
}

static void
finish(struct session *s, bool ok)
{
	if (ok)
		tally.ok++;
	else if (tally.failed++ < 3)
		warnx("session %" PRIu64 " failed at step %d: %.*s", s->id, (int)s->step,
		    (int)s->len, s->reply);
	SSL_free(s->ssl);
	s->ssl = NULL;
	close(s->fd);
	s->fd = -1;
	if (tally.started < opt.count)
		start(s);
}

static void
say(struct session *s)
{
	struct token token;
	const char *mark;

	s->out = s->command;
	s->command[0] = '\0';
	switch (s->step) {
	case EHLO:
	case EHLO_TLS:
		strcpy(s->command, "EHLO load.sender.example\r\n");
		break;
	case STARTTLS:
		strcpy(s->command, "STARTTLS\r\n");
		break;
	case MAIL:
		strcpy(s->command, "MAIL FROM:<load@sender.example>\r\n");
		break;
	case RCPT:
		token_from_id(&token, s->id, &opt.key);
		mark = strchr(opt.rcpt, '%');
		snprintf(s->command, sizeof(s->command), "RCPT TO:<%.*s%s%s>\r\n",
		    mark != NULL ? (int)(mark - opt.rcpt) : (int)strlen(opt.rcpt), opt.rcpt,
		    mark != NULL ? token.text : "", mark != NULL ? mark + 1 : "");
		break;
	case DATA:
		strcpy(s->command, "DATA\r\n");
		break;
	case MESSAGE:
		s->out = message.s;
		break;
	case QUIT:
		strcpy(s->command, "QUIT\r\n");
		break;
	default:
		break;
	}
	s->out_len = s->step == MESSAGE ? message.len : strlen(s->command);
	s->out_sent = 0;
}

/* Bytes moved, 0: would block (want says for what), -1: over. */
static int
tls_result(struct session *s, int rc, uint32_t *want)
{
	switch (SSL_get_error(s->ssl, rc)) {
	case SSL_ERROR_NONE:
		return rc;
	case SSL_ERROR_WANT_READ:
		*want = EPOLLIN;
		return 0;
	case SSL_ERROR_WANT_WRITE:
		*want = EPOLLOUT;
		return 0;
	default:
		ERR_clear_error();
		return -1;
	}
}

static int
move(struct session *s, bool out, uint32_t *want)
{
	ssize_t n;

	*want = out ? EPOLLOUT : EPOLLIN;
	if (s->ssl != NULL)
		return tls_result(s,
		    out ? SSL_write(s->ssl, s->out + s->out_sent, (int)(s->out_len - s->out_sent))
			: SSL_read(s->ssl, s->reply + s->len, (int)(REPLY_MAX - s->len)),
		    want);
	n = out ? send(s->fd, s->out + s->out_sent, s->out_len - s->out_sent, MSG_NOSIGNAL)
		: recv(s->fd, s->reply + s->len, REPLY_MAX - s->len, 0);
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	return n == 0 ? -1 : (int)n;
}

/* The reply is whole when its last line has a space after the code. */
static bool
reply_whole(const struct session *s)
{
	const char *line = s->reply;

	if (s->len < 5 || s->len == REPLY_MAX || s->reply[s->len - 1] != '\n')
		return false;
	for (const char *c = s->reply; c < s->reply + s->len - 1; c++)
		if (*c == '\n')
			line = c + 1;
	return line + 3 < s->reply + s->len && line[3] == ' ';
}

static bool
next_step(struct session *s)
{
	if (strncmp(s->reply, steps[s->step].expect, 3) != 0)
		return false;
	if (s->step == STARTTLS) {
		s->ssl = SSL_new(ctx);
		SSL_set_fd(s->ssl, s->fd);
		SSL_set_connect_state(s->ssl);
		s->handshake = true;
	}
	s->step = steps[s->step].next[opt.tls ? TLS_NEXT : PLAIN_NEXT];
	s->len = 0;
	return true;
}

/* Goes on until the socket would block. */
static void
drive(struct session *s)
{
	uint32_t want = EPOLLIN;
	int n;

	for (;;) {
		if (s->handshake) {
			n = tls_result(s, SSL_do_handshake(s->ssl), &want);
			if (n > 0) {
				s->handshake = false;
				say(s);
				continue;
			}
		} else if (s->out_sent < s->out_len) {
			n = move(s, true, &want);
			s->out_sent += n > 0 ? (size_t)n : 0;
		} else {
			n = move(s, false, &want);
			s->len += n > 0 ? (size_t)n : 0;
			tally.bytes += n > 0 ? (uint64_t)n : 0;
			if (n > 0 && reply_whole(s)) {
				if (!next_step(s)) {
					n = -1;
				} else if (s->step == DONE) {
					finish(s, true);
					return;
				} else if (s->step == MAIL && opt.idle_s > 0) {
					tally.idle++;
					n = 0;
				} else if (!s->handshake) {
					say(s);
				}
			}
		}
		if (n < 0) {
			finish(s, false);
			return;
		}
		if (n == 0)
			break;
	}
	if (want != s->want) {
		struct epoll_event e = { .events = want, .data.ptr = s };

		s->want = want;
		if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, s->fd, &e) < 0)
			err(3, "epoll_ctl");
	}
}

static void
start(struct session *s)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = s };
	socklen_t len = opt.to.sa.sa_family == AF_INET6 ? sizeof(opt.to.in6) : sizeof(opt.to.in);
	int one = 1;

	memset(s, 0, sizeof(*s));
	s->id = opt.first + tally.started++;
	s->step = GREETING;
	s->want = EPOLLIN;
	s->fd = socket(opt.to.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		err(3, "socket");
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(s->fd, &opt.to.sa, len) < 0)
		err(3, "connect");
	if (fcntl(s->fd, F_SETFL, O_NONBLOCK) < 0 ||
	    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->fd, &e) < 0)
		err(3, "epoll_ctl");
}

static void
run(void)
{
	struct session *s = xcalloc(opt.concurrent, sizeof(*s));
	struct epoll_event e[EVENTS];

	for (unsigned long i = 0; i < opt.concurrent; i++)
		s[i].fd = -1;
	/* What is to be held is opened few at a time: the peak of many handshakes is another thing. */
	for (unsigned long i = 0;
	     i < opt.concurrent && tally.started < opt.count && (opt.idle_s == 0 || i < OPENING);
	     i++)
		start(&s[i]);
	while (tally.ok + tally.failed + tally.idle < opt.count) {
		int n = epoll_wait(epoll_fd, e, EVENTS, 20000);

		if (n < 0 && errno != EINTR)
			err(3, "epoll_wait");
		if (n == 0) {
			warnx("no reply for 20 s: giving up");
			tally.failed = opt.count - tally.ok;
		}
		for (int i = 0; i < n; i++)
			drive(e[i].data.ptr);
		while (opt.idle_s > 0 && tally.started < opt.count &&
		       tally.started < tally.idle + OPENING)
			start(&s[tally.started]);
	}
	if (opt.idle_s > 0) {
		printf("idle\n");
		fflush(stdout);
		sleep((unsigned)opt.idle_s);
	}
	for (unsigned long i = 0; i < opt.concurrent; i++) {
		SSL_free(s[i].ssl);
		if (s[i].fd >= 0)
			close(s[i].fd);
	}
	free(s);
}

static void
usage(void)
{
	errx(2, "usage: smtpload [-s] [-n SESSIONS] [-c CONCURRENT] [-f FIRST] [-b BYTES] "
		"[-i SECONDS] [-S SITE] ADDRESS PORT RCPT");
}

static void
options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "sn:c:f:b:i:S:")) != -1) {
		switch (c) {
		case 's':
			opt.tls = true;
			break;
		case 'n':
			opt.count = strtoul(optarg, NULL, 10);
			break;
		case 'c':
			opt.concurrent = strtoul(optarg, NULL, 10);
			break;
		case 'f':
			opt.first = strtoull(optarg, NULL, 10);
			break;
		case 'b':
			opt.bytes = strtoul(optarg, NULL, 10);
			break;
		case 'i':
			opt.idle_s = strtoul(optarg, NULL, 10);
			break;
		case 'S':
			key_load(&opt.key, optarg);
			break;
		default:
			usage();
		}
	}
	if (argc - optind != 3 || opt.concurrent == 0 ||
	    address_parse(&opt.to, argv[optind], (unsigned)atoi(argv[optind + 1])) < 0)
		usage();
	opt.rcpt = argv[optind + 2];
	if (opt.idle_s > 0)
		opt.count = opt.concurrent;
}

int
main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };
	int64_t begin;
	double seconds;

	signal(SIGPIPE, SIG_IGN);
	options(argc, argv);
	if (opt.concurrent > 1000)
		setrlimit(RLIMIT_NOFILE, &files);
	make_message();
	ctx = SSL_CTX_new(TLS_client_method());
	if (ctx == NULL)
		errx(3, "SSL_CTX_new");
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	begin = clock_monotonic();
	run();
	seconds = (double)(clock_monotonic() - begin) / CLOCK_SECOND;
	printf("sessions %lu ok %lu failed %lu bytes %" PRIu64 " seconds %.3f rate %.0f\n",
	    opt.count, tally.ok, tally.failed, tally.bytes, seconds, (double)tally.ok / seconds);
	SSL_CTX_free(ctx);
	strbuf_clear(&message);
	return tally.failed != 0;
}
