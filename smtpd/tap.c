/* tap.c - see tap.h. */
#include "smtpd/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <net/ethernet.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/event.h"
#include "lib/eventlog.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "provisioning/address.h"

#define TCP_SYN 0x02
#define TCP_ACK 0x10
#define SNAP    128 /* IP and TCP headers are enough */
#define N(a)    (sizeof(a) / sizeof *(a))

static int
open_filtered(unsigned short ethertype, struct sock_filter *code, size_t n)
{
	struct sock_fprog prog = { .len = (unsigned short)n, .filter = code };
	int fd, size = 4 << 20;

	/* A socket of one protocol sees what arrives, not what we send. */
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog) == -1)
		goto bad;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	{
		/* struct sockaddr_ll, whose header clashes with others */
		struct {
			unsigned short family, protocol;
			int ifindex;
			unsigned short hatype;
			unsigned char pkttype, halen, addr[8];
		} ll = { .family = AF_PACKET, .protocol = htons(ethertype) };

		if (bind(fd, (struct sockaddr *)&ll, sizeof ll) == -1)
			goto bad;
	}
	return fd;
bad:
	log_warn("tap: packet socket: %s: run as root, or set tap 0", strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

/* IPv4: TCP, first fragment, SYN without ACK, to the port. */
static int
open_v4(unsigned port)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 9),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 7, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TCP_SYN | TCP_ACK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TCP_SYN, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SNAP),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return open_filtered(ETHERTYPE_IP, code, N(code));
}

/* IPv6: the site's /64, TCP without extension headers, SYN without ACK, to the port. */
static int
open_v6(const struct in6_addr *prefix, unsigned port)
{
	uint32_t high, low;

	memcpy(&high, prefix->s6_addr, 4);
	memcpy(&low, prefix->s6_addr + 4, 4);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 24),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(high), 0, 10),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 28),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(low), 0, 8),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 6),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 40 + 13),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TCP_SYN | TCP_ACK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TCP_SYN, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 40 + 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SNAP),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return open_filtered(ETHERTYPE_IPV6, code, N(code));
}

int
tap_open(int fds[2], const struct site *site)
{
	const struct site_conf *c = &site->conf;

	fds[0] = fds[1] = -1;
	if (c->ipv4_front.n + c->ipv4_refused.n + c->ipv4_silent.n > 0 &&
	    (fds[0] = open_v4(c->smtp_port)) == -1)
		return -1;
	if (site->has_ipv6 && (fds[1] = open_v6(&site->prefix, c->smtp_port)) == -1) {
		if (fds[0] != -1)
			close(fds[0]);
		return -1;
	}
	return 0;
}

static bool
in_list(const struct conf_list *l, const char *address)
{
	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->item[i], address) == 0)
			return true;
	return false;
}

static bool
parse_v4(struct tap_syn *s, const struct site *site)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(text, &s->local);
	if (in_list(&site->conf.ipv4_refused, text))
		s->state = "refuses";
	else if (in_list(&site->conf.ipv4_silent, text))
		s->state = "silent";
	else if (in_list(&site->conf.ipv4_front, text))
		s->state = "serves";
	else
		return false;
	for (size_t i = 0; i < site->n_fronts; i++)
		if (strcmp(site->fronts[i].address, text) == 0)
			s->host = (int)site->fronts[i].host;
	return true;
}

static bool
parse_v6(struct tap_syn *s, const struct site *site)
{
	static const char *const states[] = { "serves", "refuses", "silent" };
	struct address_parts parts;

	if (!site->has_ipv6 || !address_split(&parts, &s->local.in6.sin6_addr, &site->prefix) ||
	    parts.id == 0)
		return false;
	s->state = states[parts.state];
	s->host = (int)parts.host;
	s->test = parts.test <= TEST_NUMBER_MAX ? site->catalogue->by_number[parts.test] : NULL;
	if (s->test != NULL)
		token_from_id(&s->token, parts.id, &site->token_key);
	return true;
}

bool
tap_parse(struct tap_syn *s, const unsigned char *p, size_t len, const struct site *site)
{
	const unsigned char *tcp;
	size_t head;

	memset(s, 0, sizeof *s);
	s->host = -1;
	if (len < 40)
		return false;
	if (p[0] >> 4 == 4) {
		head = (size_t)(p[0] & 15) * 4;
		if (head < 20 || len < head + 20 || p[9] != IPPROTO_TCP)
			return false;
		s->peer.sa.sa_family = s->local.sa.sa_family = AF_INET;
		memcpy(&s->peer.in.sin_addr, p + 12, 4);
		memcpy(&s->local.in.sin_addr, p + 16, 4);
	} else if (p[0] >> 4 == 6) {
		head = 40;
		if (len < head + 20 || p[6] != IPPROTO_TCP)
			return false;
		s->peer.sa.sa_family = s->local.sa.sa_family = AF_INET6;
		memcpy(&s->peer.in6.sin6_addr, p + 8, 16);
		memcpy(&s->local.in6.sin6_addr, p + 24, 16);
	} else {
		return false;
	}
	tcp = p + head;
	if ((tcp[13] & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return false;
	memcpy(&s->peer.in.sin_port, tcp, 2); /* at the same place in both families */
	memcpy(&s->local.in.sin_port, tcp + 2, 2);
	return p[0] >> 4 == 4 ? parse_v4(s, site) : parse_v6(s, site);
}

static void
write_syn(struct event_line *e, struct eventlog *log, const struct tap_syn *s)
{
	char text[ADDRESS_TEXT_MAX];

	event_begin(e, EV_NET_SYN, eventlog_origin(log), clock_now());
	if (s->test != NULL) {
		event_str(e, EK_TOKEN, s->token.text);
		event_str(e, EK_TEST, s->test->name);
	}
	address_format(text, &s->peer);
	event_str(e, EK_PEER, text);
	event_num(e, EK_PORT, address_port(&s->peer));
	address_format(text, &s->local);
	event_str(e, EK_LOCAL, text);
	event_num(e, EK_LPORT, address_port(&s->local));
	if (s->host >= 0)
		event_num(e, EK_HOST, s->host);
	event_str(e, EK_STATE, s->state);
	event_end(e);
	eventlog_append(log, e->buf, e->len);
}

/* A flood of SYNs shall not fill the disk: so many an hour to a participant's addresses, and where the address
 * names none, from a sender's. */
static bool
within_quota(struct quota *q, const struct tap_syn *s)
{
	uint64_t who = s->token.id;

	if (s->test == NULL)
		memcpy(&who,
		    s->peer.sa.sa_family == AF_INET ? (const void *)&s->peer.in.sin_addr
						    : &s->peer.in6.sin6_addr,
		    s->peer.sa.sa_family == AF_INET ? 4 : 8);
	return quota_take(q, who, clock_now()) == QUOTA_WITHIN;
}

/* Everything that waits at one socket.  Bounded, so that the log is written in between. */
static void
drain(int fd, struct event_line *e, struct eventlog *log, const struct site *site, struct quota *q)
{
	unsigned char packet[SNAP];
	struct tap_syn s;

	for (unsigned i = 0; i < 1024; i++) {
		ssize_t n = recv(fd, packet, sizeof packet, 0);

		if (n < 0)
			return;
		if (tap_parse(&s, packet, (size_t)n, site) && within_quota(q, &s))
			write_syn(e, log, &s);
	}
}

int
tap_run(const int fds[2], const struct site *site, struct quota *quota, unsigned worker,
    const char *program)
{
	char dir[512];
	struct eventlog_config lc = { .dir = dir,
		.node = site->conf.node,
		.daemon = program,
		.worker = worker,
		.segment_max = site->conf.segment_max,
		.reserve = site->conf.segment_reserve };
	struct event_line *e = xcalloc(1, sizeof *e);
	struct pollfd p[3] = { { .fd = fds[0], .events = POLLIN },
		{ .fd = fds[1], .events = POLLIN }, { .events = POLLIN } };
	struct eventlog *log;
	sigset_t set;
	int code = EXIT_DONE;

	site_path(dir, site, "log", "");
	log = eventlog_open(&lc);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	p[2].fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (log == NULL || p[2].fd == -1) {
		log_warn("tap: could not start");
		return EXIT_CANNOT;
	}
	while (!(p[2].revents & POLLIN)) {
		if (poll(p, 3, -1) == -1 && errno != EINTR) {
			log_warn("tap: poll: %s", strerror(errno));
			code = EXIT_CANNOT;
			break;
		}
		for (unsigned i = 0; i < 2; i++)
			if (p[i].revents & POLLIN)
				drain(p[i].fd, e, log, site, quota);
		if (eventlog_write(log) == -1) {
			log_warn("event log: %s: serving stops", eventlog_reason(log));
			code = EXIT_CANNOT;
			break;
		}
	}
	close(p[2].fd);
	eventlog_close(log);
	free(e);
	return code;
}
