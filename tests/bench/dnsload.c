/* dnsload [-dep] [-n COUNT] [-m PARTICIPANTS] [-f FIRST] [-w WINDOW] [-S SITE] ADDRESS PORT TYPE:NAME...
 *
 * Sends COUNT queries, each for a name that was never asked before: '%' in NAME is the token of the
 * next participant (FIRST, FIRST+1, ...), valid under the key of SITE.  -m: there are so many of them, who
 * come again and again.  WINDOW queries are under way at a time, so the server is never idle and never
 * flooded.  Queries are made before the clock starts.  -e: EDNS with 1232 octets; -d: the same with DO.
 * -p: asks nothing, prints the first name, or with -n so many, one a line.  Otherwise prints one line:
 *   sent N replies N lost N noerror N answers N bytes N seconds S rate R */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/listen.h"
#include "lib/strbuf.h"
#include "provisioning/token.h"
#include "tests/bench/key.h"

#define BATCH     64
#define PATTERNS  8
#define QUERY_MAX 158 /* a million are made beforehand */
#define REPLY_MAX 4096
#define SPIN_US   20
#define LOST_MS   500 /* silence that means that what is under way is lost */

struct query {
	uint16_t len;
	uint8_t wire[QUERY_MAX];
};

struct pattern {
	uint16_t type;
	const char *name;
};

static const struct {
	const char *name;
	uint16_t type;
} types[] = { { "A", 1 }, { "NS", 2 }, { "SOA", 6 }, { "MX", 15 }, { "TXT", 16 }, { "AAAA", 28 },
	{ "TLSA", 52 } };

static struct options {
	bool edns, dnssec, print;
	unsigned long count, participants, window;
	uint64_t first;
	struct token_key key;
	struct pattern pattern[PATTERNS];
	unsigned n_patterns;
} opt = { .participants = ULONG_MAX, .window = 512, .first = 1 };

static struct tally {
	unsigned long sent, replies, lost, noerror, answers;
	uint64_t bytes;
} tally;

static struct pattern
pattern_parse(const char *text)
{
	const char *colon = strchr(text, ':');

	if (colon == NULL)
		errx(2, "%s: want TYPE:NAME", text);
	if (strlen(colon) + TOKEN_LEN + 40 > QUERY_MAX)
		errx(2, "%s: too long", text);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strlen(types[i].name) == (size_t)(colon - text) &&
		    strncmp(types[i].name, text, (size_t)(colon - text)) == 0)
			return (struct pattern){ types[i].type, colon + 1 };
	errx(2, "%s: no such type", text);
}

static size_t
put_name(uint8_t *dst, const char *name, const char *token)
{
	uint8_t *at = dst + 1, *length = dst;

	for (const char *c = name; *c != '\0'; c++) {
		if (*c == '.') {
			*length = (uint8_t)(at - length - 1);
			length = at++;
		} else if (*c == '%') {
			memcpy(at, token, TOKEN_LEN);
			at += TOKEN_LEN;
		} else {
			*at++ = (uint8_t)*c;
		}
	}
	*length = (uint8_t)(at - length - 1);
	if (*length != 0)
		*at++ = 0;
	return (size_t)(at - dst);
}

static void
make_query(struct query *q, unsigned long i)
{
	const struct pattern *p = &opt.pattern[i % opt.n_patterns];
	static const uint8_t opt_rr[] = { 0, 0, 41, 1232 >> 8, 1232 & 255, 0, 0, 0, 0, 0, 0 };
	struct token token;
	uint8_t *w = q->wire;
	size_t len = 12;

	token_from_id(&token, opt.first + i / opt.n_patterns % opt.participants, &opt.key);
	memset(w, 0, len);
	w[0] = (uint8_t)(i >> 8);
	w[1] = (uint8_t)i;
	w[5] = 1;
	len += put_name(w + len, p->name, token.text);
	w[len++] = (uint8_t)(p->type >> 8);
	w[len++] = (uint8_t)p->type;
	w[len++] = 0;
	w[len++] = 1;
	if (opt.edns) {
		w[11] = 1;
		memcpy(w + len, opt_rr, sizeof(opt_rr));
		if (opt.dnssec)
			w[len + 7] = 0x80;
		len += sizeof(opt_rr);
	}
	q->len = (uint16_t)len;
}

static void
send_some(int fd, struct query *q, unsigned long n)
{
	struct mmsghdr msg[BATCH] = { 0 };
	struct iovec iov[BATCH];

	for (unsigned long i = 0; i < n; i++) {
		iov[i] = (struct iovec){ q[i].wire, q[i].len };
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	for (unsigned long done = 0; done < n;) {
		int k = sendmmsg(fd, msg + done, (unsigned)(n - done), 0);

		if (k < 0 && errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
			err(3, "sendmmsg");
		done += k > 0 ? (unsigned long)k : 0;
	}
	tally.sent += n;
}

/* Does not sleep in the kernel: to wake us would be the server's work, and the more of it the slower
 * the server is. */
static int
spin(int fd, struct mmsghdr *msg)
{
	int64_t now = clock_monotonic(), give_up = now + LOST_MS * CLOCK_SECOND / 1000;
	int n;

	for (;;) {
		n = recvmmsg(fd, msg, BATCH, MSG_DONTWAIT, NULL);
		if (n >= 0 || errno != EAGAIN || now > give_up)
			return n;
		for (int64_t until = now + SPIN_US; now < until;)
			now = clock_monotonic();
	}
}

/* Waits for replies; returns how many came. */
static int
receive_some(int fd)
{
	static uint8_t buf[BATCH][REPLY_MAX];
	struct mmsghdr msg[BATCH] = { 0 };
	struct iovec iov[BATCH];
	int n;

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ buf[i], REPLY_MAX };
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	n = spin(fd, msg);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		err(3, "recvmmsg");
	for (int i = 0; i < n; i++) {
		tally.noerror += (buf[i][3] & 15) == 0;
		tally.answers += (unsigned long)buf[i][6] << 8 | buf[i][7];
		tally.bytes += msg[i].msg_len;
	}
	tally.replies += (unsigned long)n;
	return n;
}

static void
run(int fd, struct query *q)
{
	while (tally.replies + tally.lost < opt.count) {
		unsigned long under_way = tally.sent - tally.replies - tally.lost;
		unsigned long n = opt.count - tally.sent;

		if (n > BATCH)
			n = BATCH;
		if (n > 0 && under_way + n <= opt.window) {
			send_some(fd, q + tally.sent, n);
			continue;
		}
		if (receive_some(fd) == 0)
			tally.lost += under_way;
	}
}

static void
print_name(unsigned long i)
{
	const char *name = opt.pattern[0].name, *mark = strchr(name, '%');
	struct token token;

	token_from_id(&token, opt.first + i, &opt.key);
	if (mark != NULL)
		printf("%.*s%s%s\n", (int)(mark - name), name, token.text, mark + 1);
	else
		printf("%s\n", name);
}

static void
usage(void)
{
	errx(2, "usage: dnsload [-dep] [-n COUNT] [-m PARTICIPANTS] [-f FIRST] [-w WINDOW] "
		"[-S SITE] ADDRESS PORT TYPE:NAME...");
}

static int
connect_to(const char *address, const char *port)
{
	union sockaddr_any a;
	int fd, size = 8 << 20;

	if (address_parse(&a, address, (unsigned)atoi(port)) < 0)
		errx(2, "%s port %s: no address", address, port);
	fd = socket(a.sa.sa_family, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, &a.sa, sizeof(a)) < 0)
		err(3, "%s", address);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

int
main(int argc, char **argv)
{
	struct query *q;
	int64_t start;
	double seconds;
	int c, fd;

	while ((c = getopt(argc, argv, "depn:m:f:w:S:")) != -1) {
		switch (c) {
		case 'd':
			opt.dnssec = true; /* FALLTHROUGH */
		case 'e':
			opt.edns = true;
			break;
		case 'p':
			opt.print = true;
			break;
		case 'n':
			opt.count = strtoul(optarg, NULL, 10);
			break;
		case 'm':
			opt.participants = strtoul(optarg, NULL, 10);
			break;
		case 'f':
			opt.first = strtoull(optarg, NULL, 10);
			break;
		case 'w':
			opt.window = strtoul(optarg, NULL, 10);
			break;
		case 'S':
			key_load(&opt.key, optarg);
			break;
		default:
			usage();
		}
	}
	if (argc - optind < 3 || argc - optind > PATTERNS + 2 || opt.window < BATCH ||
	    opt.participants == 0)
		usage();
	if (opt.count == 0)
		opt.count = opt.print ? 1 : 200000;
	for (int i = optind + 2; i < argc; i++)
		opt.pattern[opt.n_patterns++] = pattern_parse(argv[i]);

	if (opt.print) {
		for (unsigned long i = 0; i < opt.count; i++)
			print_name(i);
		return 0;
	}
	fd = connect_to(argv[optind], argv[optind + 1]);
	q = xcalloc(opt.count, sizeof(*q));
	for (unsigned long i = 0; i < opt.count; i++)
		make_query(&q[i], i);
	start = clock_monotonic();
	run(fd, q);
	seconds = (double)(clock_monotonic() - start) / CLOCK_SECOND;
	printf("sent %lu replies %lu lost %lu noerror %lu answers %lu bytes %" PRIu64
	       " seconds %.3f rate %.0f\n",
	    tally.sent, tally.replies, tally.lost, tally.noerror, tally.answers, tally.bytes,
	    seconds, (double)tally.replies / seconds);
	free(q);
	return 0;
}
