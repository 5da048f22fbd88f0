/* client.c - see client.h. */
#include "web/client.h"

#include <stdio.h>
#include <string.h>

static bool
same_host(const union sockaddr_any *a, const union sockaddr_any *b)
{
	char ta[ADDRESS_TEXT_MAX], tb[ADDRESS_TEXT_MAX];

	address_format(ta, a);
	address_format(tb, b);
	return strcmp(ta, tb) == 0;
}

bool
client_is_proxy(const union sockaddr_any *peer, const struct conf_list *proxies)
{
	for (unsigned i = 0; i < proxies->n; i++) {
		union sockaddr_any proxy;

		memset(&proxy, 0, sizeof proxy);
		if (address_parse(&proxy, proxies->item[i], 0) == 0 && same_host(&proxy, peer))
			return true;
	}
	return false;
}

void
client_of(union sockaddr_any *dst, const union sockaddr_any *peer, const char *forwarded,
    const struct conf_list *proxies)
{
	size_t end = strlen(forwarded);

	*dst = *peer;
	while (end > 0 && client_is_proxy(dst, proxies)) {
		union sockaddr_any named;
		char text[ADDRESS_TEXT_MAX];
		size_t from = end;

		while (from > 0 && forwarded[from - 1] != ',')
			from--;
		while (forwarded[from] == ' ' || forwarded[from] == '\t')
			from++;
		while (end > from && (forwarded[end - 1] == ' ' || forwarded[end - 1] == '\t'))
			end--;
		if (end - from >= sizeof text)
			return;
		snprintf(text, sizeof text, "%.*s", (int)(end - from), forwarded + from);
		memset(&named, 0, sizeof named);
		if (address_parse(&named, text, 0) != 0)
			return;
		*dst = named;
		while (from > 0 && forwarded[from - 1] != ',')
			from--;
		end = from > 0 ? from - 1 : 0;
	}
}

void
client_network(union sockaddr_any *dst, const union sockaddr_any *a)
{
	char text[ADDRESS_TEXT_MAX];

	memset(dst, 0, sizeof *dst);
	if (a->sa.sa_family == AF_INET6 && address_family(a) == 6) {
		dst->in6.sin6_family = AF_INET6;
		memcpy(&dst->in6.sin6_addr, &a->in6.sin6_addr, 8);
		return;
	}
	address_format(text, a);
	address_parse(dst, text, 0);
}

bool
client_same_network(const union sockaddr_any *a, const union sockaddr_any *b)
{
	union sockaddr_any na, nb;

	client_network(&na, a);
	client_network(&nb, b);
	return same_host(&na, &nb);
}
