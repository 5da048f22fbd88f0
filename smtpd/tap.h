/* tap.h - sees SYNs to measurement addresses before the firewall does: packet sockets get a copy of what
 * arrives, so a connection that is refused or ignored is an observation, too (net.syn). */
#ifndef SMTPD_TAP_H
#define SMTPD_TAP_H

#include "lib/quota.h"
#include "provisioning/site.h"

/* The two packet sockets (IPv4, IPv6; -1 if the site has none of that family), filtered in the kernel.
 * Wants CAP_NET_RAW: the parent opens, a child reads.  0, or -1 logged. */
int tap_open(int fds[2], const struct site *);
/* Writes net.syn events into its own segment until SIGTERM or SIGHUP.  Exit code. */
int tap_run(
    const int fds[2], const struct site *, struct quota *, unsigned worker, const char *program);

/* What one SYN tells. */
struct tap_syn {
	union sockaddr_any peer, local;
	struct token token; /* id 0: not known */
	const struct test *test;
	int host; /* -1: not known */
	const char *state;
};
/* packet: from its IP header on.  false: no SYN to an address of ours.  Pure. */
bool tap_parse(struct tap_syn *, const unsigned char *packet, size_t len, const struct site *);

#endif
