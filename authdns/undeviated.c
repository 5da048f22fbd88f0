/* undeviated.c - see undeviated.h. */
#include "authdns/undeviated.h"

#include <stdlib.h>
#include <string.h>

#include "authdns/wire.h"
#include "lib/strbuf.h"
#include "provisioning/front.h"

static void
add(struct undeviated *u, const struct dns_record *like, const char *owner, uint16_t type,
    const char *rdata, uint32_t ttl)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->record[i].type == type && strcmp(u->record[i].owner, owner) == 0 &&
		    strcmp(u->record[i].rdata, rdata) == 0)
			return;
	u->record = xrealloc(u->record, (u->n + 1) * sizeof *u->record);
	u->record[u->n++] = (struct dns_record){ .line = like->line,
		.zone = like->zone,
		.owner = xstrdup(owner),
		.ttl = ttl,
		.type = type,
		.rdata = xstrdup(rdata) };
}

/* A host that is there on IPv6 too; -1: none is. */
static int
first_host(const struct test *t)
{
	for (unsigned k = 0; k < t->n_hosts; k++)
		if (t->host[k].used)
			return (int)k;
	return -1;
}

static void
add_host(struct undeviated *u, const struct site *site, const struct test *t,
    const struct dns_record *like, const char *owner)
{
	const char *v4 = front_ordinary4(site);
	int k = first_host(t);
	char v6[16];

	if (v4 != NULL)
		add(u, like, owner, TYPE_A, v4, UNDEVIATED_TTL);
	snprintf(v6, sizeof v6, "{ipv6:%d}", k);
	if (k >= 0 && site->has_ipv6)
		add(u, like, owner, TYPE_AAAA, v6, UNDEVIATED_TTL);
}

/* "{mx3}", "{mx3:b}" */
static bool
is_host(const char *owner)
{
	return strncmp(owner, "{mx", 3) == 0;
}

/* A name that mail can be addressed to: all that carries the token and is neither a host nor some protocol's. */
static bool
is_domain(const char *owner)
{
	return owner[0] != '_' && strstr(owner, "._") == NULL && strstr(owner, "{mx") == NULL &&
	       (strstr(owner, "{d") != NULL || strstr(owner, "{t}") != NULL) &&
	       strncmp(owner, "mta-sts.", 8) != 0 && strncmp(owner, "tlsrpt.", 7) != 0;
}

/* Without the token it is everybody's. */
static bool
is_shared(const char *owner)
{
	return strstr(owner, "{d") == NULL && strstr(owner, "{t}") == NULL &&
	       strstr(owner, "{mx") == NULL;
}

static void
add_like(
    struct undeviated *u, const struct site *site, const struct test *t, const struct dns_record *d)
{
	const char *host = d->zone == 0 ? "{mx0}" : "{mx0:b}";
	struct strbuf mx = { 0 };

	if (is_host(d->owner)) {
		add_host(u, site, t, d, d->owner);
	} else if (is_domain(d->owner)) {
		strbuf_printf(&mx, "10 %s", host);
		add(u, d, d->owner, TYPE_MX, mx.s, UNDEVIATED_TTL);
		add_host(u, site, t, d, host);
		strbuf_clear(&mx);
	} else if (strncmp(d->owner, "_mta-sts.", 9) == 0 && t->n_policy > 0) {
		add(u, d, d->owner, TYPE_TXT, "\"v=STSv1; id=released\"", UNDEVIATED_TTL);
	} else if (strncmp(d->owner, "mta-sts.", 8) == 0 || is_shared(d->owner)) {
		add(u, d, d->owner, d->type, d->rdata, d->ttl);
	}
}

void
undeviated_init(struct undeviated *u, const struct site *site, const struct test *t, unsigned zone)
{
	memset(u, 0, sizeof *u);
	for (size_t i = 0; i < t->n_records; i++)
		if (t->records[i].zone == zone)
			add_like(u, site, t, &t->records[i]);
}

void
undeviated_clear(struct undeviated *u)
{
	for (size_t i = 0; i < u->n; i++) {
		free(u->record[i].owner);
		free(u->record[i].rdata);
	}
	free(u->record);
	memset(u, 0, sizeof *u);
}
