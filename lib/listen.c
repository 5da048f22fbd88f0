#include "lib/listen.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

#define BACKLOG      4096
#define UDP_BUFFER   (4 << 20) /* a burst of 64-packet batches while a worker signs */
#define HOLDER_MAX   64
#define NET_LINE_MAX 512
#define ENDING_MAX   (3 * CLOCK_SECOND) /* a daemon that is being stopped */

int
address_parse(union sockaddr_any *dst, const char *text, unsigned port)
{
	if (port > 65535)
		return -1;
	memset(dst, 0, sizeof(*dst));
	if (inet_pton(AF_INET, text, &dst->in.sin_addr) == 1) {
		dst->in.sin_family = AF_INET;
		dst->in.sin_port = htons((uint16_t)port);
		return 0;
	}
	memset(dst, 0, sizeof(*dst));
	if (inet_pton(AF_INET6, text, &dst->in6.sin6_addr) == 1) {
		dst->in6.sin6_family = AF_INET6;
		dst->in6.sin6_port = htons((uint16_t)port);
		return 0;
	}
	return -1;
}

static char *
put_decimal(char *p, unsigned octet)
{
	if (octet >= 100)
		*p++ = (char)('0' + octet / 100);
	if (octet >= 10)
		*p++ = (char)('0' + octet / 10 % 10);
	*p++ = (char)('0' + octet % 10);
	return p;
}

static char *
put_hex(char *p, unsigned group)
{
	static const char digits[] = "0123456789abcdef";

	if (group >= 0x1000)
		*p++ = digits[group >> 12];
	if (group >= 0x100)
		*p++ = digits[group >> 8 & 15];
	if (group >= 0x10)
		*p++ = digits[group >> 4 & 15];
	*p++ = digits[group & 15];
	return p;
}

static char *
put_ipv4(char *p, const uint8_t octet[4])
{
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0)
			*p++ = '.';
		p = put_decimal(p, octet[i]);
	}
	return p;
}

/* RFC 5952: the longest run of two or more zero groups, the first of equals, becomes "::". */
static char *
put_ipv6(char *p, const uint8_t octet[16])
{
	unsigned group[8], run = 0, from = 8, longest = 1;

	for (unsigned i = 0; i < 8; i++) {
		group[i] = (unsigned)octet[2 * i] << 8 | octet[2 * i + 1];
		run = group[i] == 0 ? run + 1 : 0;
		if (run > longest) {
			longest = run;
			from = i + 1 - run;
		}
	}
	for (unsigned i = 0; i < 8; i++) {
		if (i == from) {
			*p++ = ':';
			*p++ = ':';
			i += longest - 1;
			continue;
		}
		if (i > 0 && i != from + longest)
			*p++ = ':';
		p = put_hex(p, group[i]);
	}
	return p;
}

/* By hand: this runs twice for every event, and inet_ntop goes through sprintf. */
void
address_format(char dst[ADDRESS_TEXT_MAX], const union sockaddr_any *a)
{
	char *p = dst;

	if (a->sa.sa_family == AF_INET)
		p = put_ipv4(p, (const uint8_t *)&a->in.sin_addr);
	else if (a->sa.sa_family != AF_INET6)
		*p++ = '-';
	else if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		p = put_ipv4(p, &a->in6.sin6_addr.s6_addr[12]);
	else
		p = put_ipv6(p, a->in6.sin6_addr.s6_addr);
	*p = '\0';
}

unsigned
address_port(const union sockaddr_any *a)
{
	/* Both families have the port at the same place. */
	return ntohs(a->in.sin_port);
}

int
address_family(const union sockaddr_any *a)
{
	return a->sa.sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr) ? 6 : 4;
}

/* Inode of the next socket of a table of /proc/net that waits for peers on the port (st 0A listening, 07 unconnected UDP); 0:
 * no more. */
static unsigned long
next_waiting(FILE *f, unsigned port)
{
	char line[NET_LINE_MAX];

	while (fgets(line, sizeof(line), f) != NULL) {
		unsigned lport, state;
		unsigned long inode;

		if (sscanf(line,
			" %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u "
			"%lu",
			&lport, &state, &inode) == 3 &&
		    lport == port && (state == 0x0a || state == 0x07))
			return inode;
	}
	return 0;
}

/* Of the first of them, or 0. */
static unsigned long
port_inode(const char *table, unsigned port)
{
	FILE *f = fopen(table, "re");
	unsigned long inode = f != NULL ? next_waiting(f, port) : 0;

	if (f != NULL)
		fclose(f);
	return inode;
}

static bool
holds(const char *pid, const char *link_text)
{
	char path[64], text[64];
	struct dirent *e;
	bool found = false;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	if ((d = opendir(path)) == NULL)
		return false;
	while (!found && (e = readdir(d)) != NULL) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, text, sizeof(text) - 1);

		if (n > 0) {
			text[n] = '\0';
			found = strcmp(text, link_text) == 0;
		}
	}
	closedir(d);
	return found;
}

bool
listen_held(pid_t pid, unsigned port)
{
	static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6" };
	char link_text[64], process[24];
	bool found = false;

	snprintf(process, sizeof(process), "%d", (int)pid);
	for (size_t i = 0; i < 2 && !found; i++) {
		FILE *f = fopen(tables[i], "re");
		unsigned long inode;

		while (f != NULL && !found && (inode = next_waiting(f, port)) != 0) {
			snprintf(link_text, sizeof(link_text), "socket:[%lu]", inode);
			found = holds(process, link_text);
		}
		if (f != NULL)
			fclose(f);
	}
	return found;
}

/* "NAME (pid N)" of the process that owns the socket; false if /proc does not tell. */
static bool
inode_holder(char dst[HOLDER_MAX], unsigned long inode)
{
	char link_text[64];
	struct dirent *e;
	bool found = false;
	DIR *d = opendir("/proc");

	if (d == NULL)
		return false;
	snprintf(link_text, sizeof(link_text), "socket:[%lu]", inode);
	while (!found && (e = readdir(d)) != NULL) {
		char path[64], name[32] = "?";
		FILE *f;

		if (!isdigit((unsigned char)e->d_name[0]) || !holds(e->d_name, link_text))
			continue;
		found = true;
		snprintf(path, sizeof(path), "/proc/%.20s/comm", e->d_name);
		if ((f = fopen(path, "re")) != NULL) {
			if (fgets(name, sizeof(name), f) != NULL)
				name[strcspn(name, "\n")] = '\0';
			fclose(f);
		}
		snprintf(dst, HOLDER_MAX, "%s (pid %.20s)", name, e->d_name);
	}
	closedir(d);
	return found;
}

static void
log_in_use(const char *where, unsigned port, int type)
{
	static const char *const tables[2][2] = {
		{ "/proc/net/tcp", "/proc/net/tcp6" },
		{ "/proc/net/udp", "/proc/net/udp6" },
	};
	const char *const *table = tables[type == SOCK_DGRAM];
	char holder[HOLDER_MAX];
	unsigned long inode;

	for (int i = 0; i < 2; i++) {
		if ((inode = port_inode(table[i], port)) != 0 && inode_holder(holder, inode)) {
			log_warn(
			    "%s: the port is in use by %s: stop it or take it off this address",
			    where, holder);
			return;
		}
	}
	log_warn("%s: the port is in use: find the process with 'ss -lntup' and stop it", where);
}

static int
set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int
set_options(int fd, int family, int type, bool shared)
{
	if (shared && set(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
		return -1;
	if (type == SOCK_STREAM) {
		/* Connections in TIME_WAIT must not stop a restart; accepted sockets inherit
		 * TCP_NODELAY. */
		if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0 ||
		    set(fd, IPPROTO_TCP, TCP_NODELAY, 1) < 0)
			return -1;
	} else {
		/* Past net.core.rmem_max if we are root; a smaller buffer only loses bursts. */
		if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, UDP_BUFFER) < 0)
			set(fd, SOL_SOCKET, SO_RCVBUF, UDP_BUFFER);
		if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, UDP_BUFFER) < 0)
			set(fd, SOL_SOCKET, SO_SNDBUF, UDP_BUFFER);
	}
	if (family != AF_INET6)
		return 0;
	if (set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0 ||
	    set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1) < 0)
		return -1;
	if (type == SOCK_DGRAM && set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) < 0)
		return -1;
	return 0;
}

struct place {
	const union sockaddr_any *address;
	socklen_t len;
	int type;
	char text[ADDRESS_TEXT_MAX + 24]; /* for messages */
};

static void
place_set(struct place *p, const union sockaddr_any *a, int type)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(text, a);
	p->address = a;
	p->len = a->sa.sa_family == AF_INET6 ? sizeof(a->in6) : sizeof(a->in);
	p->type = type;
	snprintf(p->text, sizeof(p->text), "%s port %u/%s", text, address_port(a),
	    type == SOCK_DGRAM ? "udp" : "tcp");
}

static void
log_bind(const struct place *p)
{
	if (errno == EADDRINUSE)
		log_in_use(p->text, address_port(p->address), p->type);
	else if (errno == EADDRNOTAVAIL)
		log_warn("%s: this host has no such address: add it to an interface", p->text);
	else if (errno == EACCES)
		log_warn("%s: %s: start as root", p->text, strerror(errno));
	else
		log_warn("%s: %s", p->text, strerror(errno));
}

static int
socket_new(const struct place *p, bool shared)
{
	int family = p->address->sa.sa_family;
	int fd = socket(family, p->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		log_warn("%s: socket: %s", p->text, strerror(errno));
		return -1;
	}
	if (set_options(fd, family, p->type, shared) < 0) {
		log_warn("%s: setsockopt: %s", p->text, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

int
listen_open(const union sockaddr_any *a, int type)
{
	struct place p;
	int fd;

	place_set(&p, a, type);
	if ((fd = socket_new(&p, true)) < 0)
		return -1;
	if (bind(fd, &a->sa, p.len) < 0 || (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)) {
		log_bind(&p);
		close(fd);
		return -1;
	}
	return fd;
}

int
listen_alone(const union sockaddr_any *a, int type)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	int64_t until = clock_monotonic() + ENDING_MAX;
	struct place p;
	int fd, rc;

	place_set(&p, a, type);
	if ((fd = socket_new(&p, false)) < 0)
		return -1;
	while (
	    (rc = bind(fd, &a->sa, p.len)) < 0 && errno == EADDRINUSE && clock_monotonic() < until)
		nanosleep(&pause, NULL);
	if (rc < 0)
		log_bind(&p);
	close(fd);
	return rc;
}
