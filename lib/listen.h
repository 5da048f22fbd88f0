/* listen.h - sockets of a daemon, opened by the parent before it drops privileges. */
#ifndef LIB_LISTEN_H
#define LIB_LISTEN_H

#include <sys/socket.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/* Large enough for both families. */
union sockaddr_any {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* "192.0.2.1" or "2001:db8::1" (no port) -> address; 0 or -1. */
int address_parse(union sockaddr_any *dst, const char *text, unsigned port);
#define ADDRESS_TEXT_MAX 46
void address_format(char dst[ADDRESS_TEXT_MAX], const union sockaddr_any *); /* v4-mapped as IPv4 */
unsigned address_port(const union sockaddr_any *);
int address_family(const union sockaddr_any *); /* 4 or 6 */

/* One non-blocking, close-on-exec socket bound with SO_REUSEPORT (and IPV6_V6ONLY, IPV6_FREEBIND,
 * IPV6_RECVPKTINFO for UDP).  type SOCK_DGRAM or SOCK_STREAM (which then listens, backlog 4096).
 * -1: reason logged, with the name of the process that holds the port where /proc tells. */
int listen_open(const union sockaddr_any *, int type);
/* Does this process listen on the TCP port, on whichever address?  A connection to find out would be an observation. */
bool listen_held(pid_t pid, unsigned port);
/* Asked before the first listen_open of an address: does no other process have it?  SO_REUSEPORT would
 * let two daemons share it unnoticed, each with half of what comes.  One that is just ending is waited
 * for, 3 s at most.  0, or -1: logged as above. */
int listen_alone(const union sockaddr_any *, int type);

#endif
