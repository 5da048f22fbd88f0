/* check_dns.c - see check_dns.h. */
#include "outpost/check_dns.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define SERVER_TIMEOUT_S 3
#define RESOLVE_TRIES    3
#define RESOLVE_PAUSE_S  6

static const char *const security_name[] = {
	[ZONE_SECURE] = "secure",
	[ZONE_INSECURE] = "insecure",
	[ZONE_BOGUS] = "bogus",
};

/* --- a resolver that validates --------------------------------------------------------------------- */

struct ub_ctx *
check_resolver(const struct check_resolver_options *o, char *err, size_t errlen)
{
	static const char *const anchors[] = { "/var/lib/unbound/root.key",
		"/usr/share/dns/root.key" };
	const char *anchor = o->anchor;
	struct ub_ctx *ctx = ub_ctx_create();
	int rc;

	for (size_t i = 0; anchor == NULL && i < sizeof(anchors) / sizeof(*anchors); i++)
		if (access(anchors[i], R_OK) == 0)
			anchor = anchors[i];
	if (ctx == NULL || anchor == NULL) {
		snprintf(err, errlen,
		    "no trust anchor of the root: install dns-root-data or give --trust-anchor "
		    "FILE");
		ub_ctx_delete(ctx);
		return NULL;
	}
	rc = ub_ctx_set_option(ctx, "do-not-query-localhost:", "no");
	if (rc == 0)
		rc = ub_ctx_add_ta_file(ctx, anchor);
	if (rc == 0 && o->forward != NULL)
		rc = ub_ctx_set_fwd(ctx, o->forward);
	else if (rc == 0 && o->hints != NULL)
		rc = ub_ctx_set_option(ctx, "root-hints:", o->hints);
	else if (rc == 0)
		rc = ub_ctx_resolvconf(ctx, NULL);
	if (rc == 0)
		return ctx;
	snprintf(
	    err, errlen, "resolver: %s: look at --resolver and --trust-anchor", ub_strerror(rc));
	ub_ctx_delete(ctx);
	return NULL;
}

static enum zone_security
security_of(const struct ub_result *r)
{
	return r->bogus ? ZONE_BOGUS : r->secure ? ZONE_SECURE : ZONE_INSECURE;
}

/* Records of owner and type in a packet's answer; NULL: none.  The caller owns them. */
static ldns_rr_list *
answer_of(const ldns_pkt *pkt, const struct expect *e)
{
	ldns_rdf *owner = ldns_dname_new_frm_str(e->owner);
	ldns_rr_list *list = ldns_pkt_rr_list_by_name_and_type(
	    pkt, owner, (ldns_rr_type)e->type, LDNS_SECTION_ANSWER);

	ldns_rdf_deep_free(owner);
	return list;
}

static bool
same_data(const struct ub_result *r, const struct expect *e)
{
	ldns_pkt *pkt = NULL;
	bool same;

	if (r->answer_packet == NULL ||
	    ldns_wire2pkt(&pkt, r->answer_packet, (size_t)r->answer_len) != LDNS_STATUS_OK)
		return false;
	same = expect_equal(e, answer_of(pkt, e));
	ldns_pkt_free(pkt);
	return same;
}

static bool
check_result(const struct ub_result *r, const struct expect *e, char *err, size_t errlen)
{
	char buf[12];
	const char *type = rrtype_name(e->type, buf);
	enum zone_security is = security_of(r);

	if (e->fails) {
		if (r->rcode == LDNS_RCODE_SERVFAIL && !r->bogus)
			return true;
		snprintf(err, errlen, "%s %s: should fail, but the resolver has an answer", type,
		    e->owner);
		return false;
	}
	if (is != e->security && !(e->optional && is == ZONE_INSECURE)) {
		snprintf(err, errlen, "%s %s: should be %s, is %s%s%.120s", type, e->owner,
		    security_name[e->security],
		    r->rcode == LDNS_RCODE_SERVFAIL && !r->bogus ? "not resolved"
								 : security_name[is],
		    r->why_bogus != NULL ? ": " : "", r->why_bogus != NULL ? r->why_bogus : "");
		return false;
	}
	if (is == ZONE_BOGUS) /* its data is compared at the name servers */
		return true;
	if (r->rcode != 0 || !same_data(r, e)) {
		snprintf(err, errlen, "%s %s: other records than specified (rcode %d, %s)", type,
		    e->owner, r->rcode, r->havedata ? "some" : "none");
		return false;
	}
	return true;
}

/* A slow name server, or a busy machine, makes a resolver give up now and then; it remembers that for
 * five seconds, and what it had learned by then makes the next question easier. */
static int
resolve(struct ub_result **r, struct ub_ctx *ctx, const struct expect *e)
{
	int rc;

	for (unsigned tries = 1;; tries++) {
		if ((rc = ub_resolve(ctx, e->owner, e->type, 1, r)) != 0 || e->fails ||
		    (*r)->rcode != LDNS_RCODE_SERVFAIL || (*r)->bogus || tries == RESOLVE_TRIES)
			return rc;
		ub_resolve_free(*r);
		sleep(RESOLVE_PAUSE_S);
	}
}

bool
check_resolved(struct ub_ctx *ctx, const struct expectations *x, char *err, size_t errlen)
{
	bool bogus_seen = false;

	for (size_t i = 0; i < x->n; i++) {
		const struct expect *e = &x->set[i];
		struct ub_result *r;
		bool ok;
		int rc;

		/* A resolver works long on bogus data before it gives up; one name is proof enough. */
		if (e->security == ZONE_BOGUS && bogus_seen)
			continue;
		/* Nor is there more to learn from its waiting for an answer that never comes. */
		if (e->dropped || e->edns == EDNS_DROPPED)
			continue;
		bogus_seen |= e->security == ZONE_BOGUS;
		if ((rc = resolve(&r, ctx, e)) != 0) {
			snprintf(err, errlen, "%s: %s", e->owner, ub_strerror(rc));
			return false;
		}
		ok = check_result(r, e, err, errlen);
		ub_resolve_free(r);
		if (!ok)
			return false;
	}
	return true;
}

/* --- the name servers themselves ---------------------------------------------------------------------- */

static ldns_resolver *
server_new(const char *address, unsigned port)
{
	ldns_resolver *r = ldns_resolver_new();
	ldns_rdf *ns = NULL;
	const struct timeval timeout = { .tv_sec = SERVER_TIMEOUT_S };

	if (ldns_str2rdf_a(&ns, address) != LDNS_STATUS_OK &&
	    ldns_str2rdf_aaaa(&ns, address) != LDNS_STATUS_OK) {
		ldns_resolver_deep_free(r);
		return NULL;
	}
	ldns_resolver_push_nameserver(r, ns);
	ldns_rdf_deep_free(ns);
	ldns_resolver_set_port(r, (uint16_t)port);
	ldns_resolver_set_timeout(r, timeout);
	ldns_resolver_set_retry(r, 1);
	ldns_resolver_set_recursive(r, false);
	ldns_resolver_set_dnssec(r, true);
	ldns_resolver_set_edns_udp_size(r, 1232);
	return r;
}

/* For the next question. */
static void
set_edns(ldns_resolver *server, bool on)
{
	/* ldns asks no more where once nothing came back; here that may have been right. */
	ldns_resolver_set_nameserver_rtt(server, 0, LDNS_RESOLV_RTT_MIN);
	ldns_resolver_set_dnssec(server, on);
	ldns_resolver_set_edns_udp_size(server, on ? 1232 : 0);
}

/* A question with EDNS fares as the test says. */
static bool
check_edns(
    ldns_resolver *server, const char *address, const struct expect *e, char *err, size_t errlen)
{
	ldns_rdf *owner = ldns_dname_new_frm_str(e->owner);
	ldns_pkt *pkt = NULL;
	bool answered, formerr;

	set_edns(server, true);
	answered = ldns_resolver_query_status(&pkt, server, owner, (ldns_rr_type)e->type,
		       LDNS_RR_CLASS_IN, 0) == LDNS_STATUS_OK &&
		   pkt != NULL;
	formerr = answered && ldns_pkt_get_rcode(pkt) == LDNS_RCODE_FORMERR;
	ldns_pkt_free(pkt);
	ldns_rdf_deep_free(owner);
	if (e->edns == EDNS_REFUSED ? formerr : !answered)
		return true;
	snprintf(
	    err, errlen, "%s: %s takes a question with EDNS, and should not", e->owner, address);
	return false;
}

static bool
check_answer(
    ldns_resolver *server, const char *address, const struct expect *e, char *err, size_t errlen)
{
	ldns_rdf *owner = ldns_dname_new_frm_str(e->owner);
	ldns_pkt *pkt = NULL;
	char buf[12];
	const char *type = rrtype_name(e->type, buf);
	bool ok = true;

	set_edns(server, e->edns == EDNS_KNOWN);
	/* ldns asks again over TCP when the answer has TC. */
	if (ldns_resolver_query_status(&pkt, server, owner, (ldns_rr_type)e->type, LDNS_RR_CLASS_IN,
		0) != LDNS_STATUS_OK ||
	    pkt == NULL) {
		ok = e->dropped;
		if (!ok)
			snprintf(err, errlen, "%s %s: no answer from %s", type, e->owner, address);
	} else if (e->dropped || (int)ldns_pkt_get_rcode(pkt) != e->rcode) {
		snprintf(err, errlen, "%s %s: %s answers rcode %d", type, e->owner, address,
		    (int)ldns_pkt_get_rcode(pkt));
		ok = false;
	} else if (e->rcode == 0 && (!ldns_pkt_aa(pkt) || !expect_equal(e, answer_of(pkt, e)))) {
		snprintf(err, errlen, "%s %s: %s has other records than specified", type, e->owner,
		    address);
		ok = false;
	}
	ldns_pkt_free(pkt);
	ldns_rdf_deep_free(owner);
	return ok;
}

/* One name server of one zone of the test, t NULL: of BASE, for aliases; true if it has no such address. */
static bool
check_server(const struct site *site, const struct test *t, unsigned zone, const char *placeholder,
    const struct expectations *x, char *err, size_t errlen)
{
	char address[ADDRESS_TEXT_MAX];
	ldns_resolver *server;
	bool ok = true;

	if (render(address, sizeof(address), placeholder, site, t, zone, NULL, err, errlen) !=
	    RENDER_OK)
		return true;
	if ((server = server_new(address, site->conf.dns_port)) == NULL)
		return true;
	if (t != NULL && x->n > 0 && x->set[0].zone == zone && x->set[0].edns != EDNS_KNOWN)
		ok = check_edns(server, address, &x->set[0], err, errlen);
	for (size_t i = 0; i < x->n && ok; i++)
		if (x->set[i].zone == zone && x->set[i].alias == (t == NULL))
			ok = check_answer(server, address, &x->set[i], err, errlen);
	ldns_resolver_deep_free(server);
	return ok;
}

bool
check_served(const struct site *site, const struct test *t, const struct expectations *x, char *err,
    size_t errlen)
{
	for (unsigned z = 0; z < TEST_ZONES_MAX; z++) {
		if (z > 0 && !t->zone[z].used)
			continue;
		if (!check_server(site, t, z, "{ns4}", x, err, errlen) ||
		    !check_server(site, t, z, "{ns6}", x, err, errlen))
			return false;
	}
	return check_server(site, NULL, 0, "{ns4}", x, err, errlen) &&
	       check_server(site, NULL, 0, "{ns6}", x, err, errlen);
}
