/* client.h - who asks: the address of the connection, or behind a proxy of ours the one that it names; and
 * the network that limits count.  Pure. */
#ifndef WEB_CLIENT_H
#define WEB_CLIENT_H

#include <stdbool.h>

#include "lib/conf.h"
#include "lib/listen.h"

bool client_is_proxy(const union sockaddr_any *peer, const struct conf_list *proxies);

/* forwarded: the value of X-Forwarded-For, "" none: "client, proxy, proxy".  Each proxy appends whom it
 * saw, so the last address that is none of ours is the only one that nobody could make up.  Of a peer that is
 * no proxy of ours the field is not looked at. */
void client_of(union sockaddr_any *dst, const union sockaddr_any *peer, const char *forwarded,
    const struct conf_list *proxies);

/* The IPv4 address, also of a mapped one, or the first 64 bits of IPv6; no port. */
void client_network(union sockaddr_any *dst, const union sockaddr_any *);
bool client_same_network(const union sockaddr_any *, const union sockaddr_any *);

#endif
