/* httpsload [-n FETCHES] [-c CONCURRENT] ADDRESS PORT HOST PATH
 *
 * FETCHES times a connection, a full TLS handshake with the server name HOST, GET PATH, and the whole answer;
 * CONCURRENT threads do one after the other.  An answer counts if it is a 200.  Prints one line:
 *   fetches N ok N failed N bytes N seconds S rate R */
#include <err.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/listen.h"

#define THREADS_MAX 200
#define ANSWER_MAX  65536

static struct {
	unsigned long count, concurrent;
	union sockaddr_any to;
	const char *host;
	char request[1024];
} opt = { .count = 2000, .concurrent = 20 };

static atomic_ulong started, ok, failed, bytes;
static SSL_CTX *ctx;

static int
open_connection(void)
{
	socklen_t len = opt.to.sa.sa_family == AF_INET6 ? sizeof(opt.to.in6) : sizeof(opt.to.in);
	struct timeval patience = { .tv_sec = 20 };
	int one = 1, fd = socket(opt.to.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(3, "socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, &opt.to.sa, len) < 0)
		err(3, "connect");
	return fd;
}

/* Reads until the server ends; true: it was a 200. */
static bool
fetch(SSL *ssl)
{
	char answer[ANSWER_MAX];
	size_t len = 0;
	int n;

	if (SSL_connect(ssl) != 1 || SSL_write(ssl, opt.request, (int)strlen(opt.request)) <= 0)
		return false;
	while (len < sizeof(answer) &&
	       (n = SSL_read(ssl, answer + len, (int)(sizeof(answer) - len))) > 0)
		len += (size_t)n;
	atomic_fetch_add(&bytes, len);
	return len > 12 && strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

static void *
load(void *unused)
{
	(void)unused;
	while (atomic_fetch_add(&started, 1) < opt.count) {
		SSL *ssl = SSL_new(ctx);
		int fd = open_connection();
		bool good;

		if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 ||
		    SSL_set_tlsext_host_name(ssl, opt.host) != 1)
			errx(3, "SSL_new");
		good = fetch(ssl);
		atomic_fetch_add(good ? &ok : &failed, 1);
		ERR_clear_error();
		SSL_free(ssl);
		close(fd);
	}
	return NULL;
}

static void
usage(void)
{
	errx(2, "usage: httpsload [-n FETCHES] [-c CONCURRENT] ADDRESS PORT HOST PATH");
}

static void
options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:c:")) != -1) {
		if (c == 'n')
			opt.count = strtoul(optarg, NULL, 10);
		else if (c == 'c')
			opt.concurrent = strtoul(optarg, NULL, 10);
		else
			usage();
	}
	if (argc - optind != 4 || opt.concurrent == 0 || opt.concurrent > THREADS_MAX ||
	    address_parse(&opt.to, argv[optind], (unsigned)atoi(argv[optind + 1])) < 0)
		usage();
	opt.host = argv[optind + 2];
	snprintf(opt.request, sizeof(opt.request),
	    "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", argv[optind + 3], opt.host);
}

int
main(int argc, char **argv)
{
	pthread_t thread[THREADS_MAX];
	int64_t begin;
	double seconds;

	signal(SIGPIPE, SIG_IGN);
	options(argc, argv);
	if ((ctx = SSL_CTX_new(TLS_client_method())) == NULL)
		errx(3, "SSL_CTX_new");
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	begin = clock_monotonic();
	for (unsigned long i = 0; i < opt.concurrent; i++)
		if (pthread_create(&thread[i], NULL, load, NULL) != 0)
			errx(3, "pthread_create");
	for (unsigned long i = 0; i < opt.concurrent; i++)
		pthread_join(thread[i], NULL);
	seconds = (double)(clock_monotonic() - begin) / CLOCK_SECOND;
	printf("fetches %lu ok %lu failed %lu bytes %lu seconds %.3f rate %.0f\n", opt.count, ok,
	    failed, bytes, seconds, (double)ok / seconds);
	SSL_CTX_free(ctx);
	return failed != 0;
}
