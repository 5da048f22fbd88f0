/* bind.c - see bind.h. */
#include "smtpd/bind.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "provisioning/address.h"

/* What a host does that belongs to no test: the ordinary thing. */
static const struct host plain_host = {
	.used = true,
	.starttls = STARTTLS_OFFER,
	.tls_min = 0x0303,
	.tls_max = 0x0304,
};

const struct host *
bind_ordinary(void)
{
	return &plain_host;
}

const char *
bind_by_name(enum bind_by by)
{
	static const char *const names[] = { NULL, "address", "sni", "rcpt" };

	return names[by];
}

static bool
front_has(const struct front *f, const struct test *t)
{
	for (size_t i = 0; i < f->n_tests; i++)
		if (f->tests[i] == t)
			return true;
	return false;
}

static void
bind_front(struct binding *b, const struct site *site, const struct in_addr *local)
{
	char text[INET_ADDRSTRLEN];

	if (inet_ntop(AF_INET, local, text, sizeof text) == NULL)
		return;
	for (size_t i = 0; i < site->n_fronts; i++) {
		const struct front *f = &site->fronts[i];

		if (f->n_tests == 0 || strcmp(f->address, text) != 0)
			continue;
		b->front = f;
		b->k = f->host;
		b->host = &f->tests[0]->host[f->host];
		return;
	}
}

void
bind_address(struct binding *b, const struct site *site, const union sockaddr_any *local)
{
	struct address_parts parts;
	struct in_addr v4;
	const struct test *t;

	memset(b, 0, sizeof *b);
	b->host = &plain_host;
	if (local->sa.sa_family == AF_INET) {
		bind_front(b, site, &local->in.sin_addr);
		return;
	}
	if (IN6_IS_ADDR_V4MAPPED(&local->in6.sin6_addr)) {
		memcpy(&v4, &local->in6.sin6_addr.s6_addr[12], 4);
		bind_front(b, site, &v4);
		return;
	}
	if (!site->has_ipv6 || !address_split(&parts, &local->in6.sin6_addr, &site->prefix))
		return;
	t = parts.test <= TEST_NUMBER_MAX ? site->catalogue->by_number[parts.test] : NULL;
	if (parts.id == 0 || t == NULL || parts.state != ADDRESS_SERVES ||
	    !t->host[parts.host].used)
		return;
	token_from_id(&b->token, parts.id, &site->token_key);
	b->by = BIND_ADDRESS;
	b->test = t;
	b->k = parts.host;
	b->host = &t->host[parts.host];
}

static enum bind_result
split(struct name_parts *dst, const struct site *site, const char *name, size_t len)
{
	if (len > 0 && name[len - 1] == '.')
		len--;
	if (!name_split(dst, name, len, site) || dst->test == NULL)
		return BIND_UNKNOWN;
	return dst->token.id != 0 ? BIND_NEW : BIND_FORGED;
}

static bool
same(const struct binding *b, const struct name_parts *p)
{
	return b->test == p->test && b->token.id == p->token.id;
}

enum bind_result
bind_sni(struct binding *b, const struct site *site, const char *name, size_t len)
{
	struct name_parts p;
	enum bind_result r = split(&p, site, name, len);

	if (r != BIND_NEW)
		return r;
	if (b->test != NULL) {
		b->named = same(b, &p) && p.host == (int)b->k;
		return same(b, &p) ? BIND_SAME : BIND_OTHER;
	}
	if (p.host < 0 || b->front == NULL || !front_has(b->front, p.test) ||
	    (unsigned)p.host != b->k)
		return BIND_FOREIGN;
	b->by = BIND_SNI;
	b->named = true;
	b->token = p.token;
	b->test = p.test;
	b->host = &p.test->host[b->k];
	return BIND_NEW;
}

enum bind_result
bind_rcpt(struct binding *dst, const struct binding *now, const struct site *site,
    const char *domain, size_t len)
{
	struct name_parts p;
	enum bind_result r = split(&p, site, domain, len);

	*dst = *now;
	if (r != BIND_NEW)
		return r;
	dst->zone = p.zone;
	if (p.host >= 0)
		return BIND_UNKNOWN; /* a host's name is no mail domain */
	if (now->test != NULL && same(now, &p))
		return BIND_SAME;
	dst->released = false;
	dst->token = p.token;
	dst->test = p.test;
	if (now->by == BIND_ADDRESS)
		return BIND_OTHER;
	if (now->front == NULL || !front_has(now->front, p.test))
		return BIND_FOREIGN;
	dst->by = BIND_RCPT;
	dst->k = now->front->host;
	dst->host = &p.test->host[dst->k];
	return BIND_NEW;
}

int
bind_mailbox(const struct binding *b, const char *local, size_t len)
{
	return test_mailbox(b->test, b->zone, local, len);
}
