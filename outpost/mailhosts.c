/* mailhosts.c - see mailhosts.h.  RFC 5321 5.1: the MX hosts, or the domain itself. */
#include "outpost/mailhosts.h"

#include <stdio.h>
#include <string.h>
#include <unbound.h>

#include "results/whereabouts.h"

#define HOSTS_MAX 16

enum { A = 1, MX = 15, AAAA = 28 };

struct job {
	const struct site *site;
	const struct optouts *all;
	struct whereabouts *where;
	struct ub_ctx *ub;
	char *why;
	size_t whylen;
};

/* A name in wire form, as libunbound gives it: not compressed. */
static bool
read_name(char dst[256], const unsigned char *wire, int len)
{
	size_t n = 0;

	for (int i = 0; i < len && wire[i] != 0; i += 1 + wire[i]) {
		if (wire[i] > 63 || i + 1 + wire[i] > len || n + wire[i] + 2u > 255)
			return false;
		if (n > 0)
			dst[n++] = '.';
		memcpy(dst + n, wire + i + 1, wire[i]);
		n += wire[i];
	}
	dst[n] = '\0';
	return true;
}

static struct ub_result *
ask(const struct job *j, const char *name, int type)
{
	struct ub_result *r = NULL;

	if (ub_resolve(j->ub, name, type, 1, &r) == 0 && (r->rcode == 0 || r->rcode == 3))
		return r;
	ub_resolve_free(r);
	snprintf(j->why, j->whylen, "the mail hosts cannot be looked up now: %.80s", name);
	return NULL;
}

static int
look_address(const struct job *j, const char *data, int len)
{
	union sockaddr_any a;
	struct place place;
	char text[ADDRESS_TEXT_MAX];

	memset(&a, 0, sizeof(a));
	if (len == 4) {
		a.sa.sa_family = AF_INET;
		memcpy(&a.in.sin_addr, data, 4);
	} else if (len == 16) {
		a.sa.sa_family = AF_INET6;
		memcpy(&a.in6.sin6_addr, data, 16);
	} else {
		return 0;
	}
	address_format(text, &a);
	if (optouts_has_network(j->all, &a)) {
		snprintf(j->why, j->whylen, "opted out: network of %s", text);
		return 1;
	}
	if (optouts_number(j->all, OPTOUT_AS) > 0 && whereabouts_of(&place, j->where, text) &&
	    optouts_has_as(j->all, place.as)) {
		snprintf(j->why, j->whylen, "opted out: AS%u", place.as);
		return 1;
	}
	return 0;
}

static int
look_host(const struct job *j, const char *name)
{
	static const int types[] = { A, AAAA };
	int rc = 0;

	for (size_t t = 0; t < 2 && rc == 0; t++) {
		struct ub_result *r = ask(j, name, types[t]);

		if (r == NULL)
			return -1;
		for (int i = 0; r->havedata && r->data[i] != NULL && rc == 0; i++)
			rc = look_address(j, r->data[i], r->len[i]);
		ub_resolve_free(r);
	}
	return rc;
}

static int
look_domain(const struct job *j, const char *domain)
{
	struct ub_result *r = ask(j, domain, MX);
	char name[256];
	int rc = 0;

	if (r == NULL)
		return -1;
	if (!r->havedata)
		rc = look_host(j, domain);
	for (int i = 0; r->havedata && r->data[i] != NULL && i < HOSTS_MAX && rc == 0; i++)
		if (r->len[i] > 3 &&
		    read_name(name, (const unsigned char *)r->data[i] + 2, r->len[i] - 2))
			rc = look_host(j, name);
	ub_resolve_free(r);
	return rc;
}

int
mailhosts_are_out(char *why, size_t whylen, const struct site *site, const struct optouts *all,
    const char *domain)
{
	struct job j = { .site = site, .all = all, .why = why, .whylen = whylen };
	int rc = -1;

	if (optouts_number(all, OPTOUT_NETWORK) + optouts_number(all, OPTOUT_AS) == 0)
		return 0;
	snprintf(why, whylen, "no resolver");
	if (optouts_number(all, OPTOUT_AS) > 0 &&
	    (j.where = whereabouts_open(&site->conf.location_database)) == NULL) {
		snprintf(why, whylen,
		    "autonomous systems are out, but there is no location-database to know them "
		    "by");
		return -1;
	}
	j.ub = ub_ctx_create();
	if (j.ub != NULL && (site->conf.verify_resolver[0] != '\0'
				    ? ub_ctx_set_fwd(j.ub, site->conf.verify_resolver)
				    : ub_ctx_resolvconf(j.ub, NULL)) == 0)
		rc = look_domain(&j, domain);
	if (j.ub != NULL)
		ub_ctx_delete(j.ub);
	whereabouts_close(j.where);
	return rc;
}
