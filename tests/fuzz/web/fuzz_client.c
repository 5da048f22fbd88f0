/* fuzz_client.c - any octets as X-Forwarded-For: who asks is always an address, of a peer that is no proxy the peer's. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "web/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct conf_list proxies = { 2, { "127.0.0.1", "2001:db8::1" } };
	char *text = xstrndup((const char *)data, size);
	union sockaddr_any peer = { 0 }, c, network;

	address_parse(&peer, "127.0.0.1", 1);
	client_of(&c, &peer, text, &proxies);
	if (c.sa.sa_family != AF_INET && c.sa.sa_family != AF_INET6)
		abort();
	client_network(&network, &c);
	if (!client_same_network(&network, &c))
		abort();
	address_parse(&peer, "192.0.2.1", 1);
	client_of(&c, &peer, text, &proxies);
	if (memcmp(&c, &peer, sizeof c) != 0)
		abort();
	free(text);
	return 0;
}
