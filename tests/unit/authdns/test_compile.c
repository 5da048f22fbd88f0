/* The compiler of zones: what it refuses, and that every RRset and every denial of the shipped
 * catalogue verifies as its test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authdns/compile.h"
#include "authdns/query.h"
#include "lib/log.h"
#include "provisioning/address.h"
#include "provisioning/init.h"
#include "tests/unit/authdns/verify.h"

#include <cmocka.h>

#define NOW INT64_C(1795305600000000)

static char root[64];
static char parent[] = "192.0.2.1", child[] = "192.0.2.2";

static struct site *
make_site(const char *name, const char *catalogue)
{
	struct init_options o = { .base = "lab.example",
		.ipv4 = { .n = 2, .item = { parent, child } },
		.ipv6 = "2001:db8:53::/64",
		.user = "",
		.catalogue = catalogue,
		.node = "unit" };
	struct prepared made;
	char err[400] = "", dir[128];
	bool fresh;
	struct site *s = NULL;

	snprintf(dir, sizeof(dir), "%s/%s", root, name);
	if (init_site(&made, &fresh, dir, &o, err, sizeof(err)) < 0 ||
	    (s = site_load(dir, err, sizeof(err))) == NULL) {
		print_error("%s\n", err);
		fail();
	}
	return s;
}

/* --- what is refused --- */

static void
refused(const char *name, const char *dns, const char *why)
{
	char dir[128], path[200], err[400] = "";
	struct site *s;
	struct zones *z;
	FILE *f;

	snprintf(dir, sizeof(dir), "%s/%s-zones", root, name);
	assert_int_equal(mkdir(dir, 0755), 0);
	snprintf(path, sizeof(path), "cp zones/base.zone %s/", dir);
	assert_int_equal(system(path), 0);
	snprintf(dir + strlen(dir), sizeof(dir) - strlen(dir), "/catalogue");
	assert_int_equal(mkdir(dir, 0755), 0);
	snprintf(path, sizeof(path), "%s/one.test", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
	    "test one\nnumber 1\ngroup dnssec\ntitle \"One\"\nspec \"RFC 1035\"\nabout \"One.\"\n"
	    "[dns]\n{d} 60 MX 10 {mx0}\n{mx0} 60 AAAA {ipv6:0}\n%s\n[host 0]\nstarttls offer\n"
	    "[verdict]\ninconclusive otherwise \"never\"\n"
	    "[trace none]\nend settled\nverdict inconclusive\n",
	    dns);
	fclose(f);
	s = make_site(name, dir);
	z = zones_compile(s, err, sizeof(err));
	assert_null(z);
	if (strstr(err, why) == NULL || strstr(err, "one.test") == NULL) {
		print_error("%s\n", err);
		fail();
	}
	site_free(s);
}

static void
test_refused(void **state)
{
	(void)state;
	refused("order",
	    "x.{d} 60 TXT \"m constant of 20 oct\"\nx.{d} 60 TXT \"{t}\"\nx.{d} 60 TXT "
	    "\"mmmmmmmmmmmmmmmm\"",
	    "order of the records");
	refused("dname", "x.{d} 60 DNAME {mx0}\ny.x.{d} 60 TXT \"occluded\"", "below a DNAME");
	refused("alias", "{zone} 60 DNAME {zone:b}\n[dns b]\n{d:b} 60 MX 10 {mx0:b}\n",
	    "no other records");
}

/* --- the shipped catalogue --- */

static struct event_origin from = { "unit", "authdns", 0, 1 };

static struct event_origin *
origin(void *ctx)
{
	(void)ctx;
	return &from;
}

static void
append(void *ctx, const char *line, size_t len)
{
	(void)ctx;
	(void)line;
	(void)len;
}

struct shop {
	struct zones *zones;
	struct engine engine;
	struct token token;
	unsigned asked, good, bad;
};

static void
count_signatures(struct shop *s, ldns_rr_list *list)
{
	for (size_t i = 0; list != NULL && i < ldns_rr_list_rr_count(list); i++) {
		if (ldns_rr_get_type(ldns_rr_list_rr(list, i)) != LDNS_RR_TYPE_RRSIG)
			continue;
		if (verify_rrsig(s->zones, list, ldns_rr_list_rr(list, i), NOW))
			s->good++;
		else
			s->bad++;
	}
}

/* Asks the zone's own server over TCP with DO. */
static unsigned
ask(struct shop *s, const struct zone *z, const struct node *node, const char *prefix,
    uint16_t type)
{
	uint8_t msg[600] = { 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1 }, *p = msg + DNS_HEADER;
	static uint8_t reply[65535];
	union sockaddr_any peer, local;
	struct view view;
	struct query_in in = { .wire = msg,
		.peer = &peer,
		.local = &local,
		.view = &view,
		.tcp = true,
		.now_us = NOW };
	struct query_out out = { .buf = reply, .cap = sizeof(reply) };
	ldns_pkt *packet = NULL;
	unsigned rcode;

	if (prefix[0] != '\0') {
		*p++ = (uint8_t)strlen(prefix);
		p = (uint8_t *)stpcpy((char *)p, prefix);
	}
	memcpy(p, node->key, node->key_len);
	if (node->token_at >= 0)
		memcpy(p + node->token_at, s->token.text, TOKEN_LEN);
	p += node->key_len;
	memcpy(p, z->apex, z->apex_len);
	p = wire_put16(wire_put16(p + z->apex_len, type), 1);
	*p++ = 0;
	p = wire_put16(wire_put32(wire_put16(wire_put16(p, TYPE_OPT), 1232), 0x8000), 0);
	in.len = (size_t)(p - msg);
	memset(&local, 0, sizeof(local));
	local.in6.sin6_family = AF_INET6;
	address_make(&local.in6.sin6_addr, &s->zones->site->prefix, 0,
	    z->test != NULL ? z->test->number : 0, ADDRESS_SERVES, z->index);
	if (!z->on_v6)
		address_parse(&local, child, 53);
	address_parse(&peer, "192.0.2.53", 5353);
	view_of(&view, s->zones, &local);
	query_run(&s->engine, &in, &out);
	s->asked++;
	if (out.len == 0)
		return 99;
	assert_int_equal(ldns_wire2pkt(&packet, reply, out.len), LDNS_STATUS_OK);
	count_signatures(s, ldns_pkt_answer(packet));
	count_signatures(s, ldns_pkt_authority(packet));
	rcode = reply[3] & 15;
	ldns_pkt_free(packet);
	return rcode;
}

static void
judge_zone(struct shop *s, const struct zone *z)
{
	enum zone_security want = z->options != NULL ? zone_security(z->options) : ZONE_SECURE;

	s->good = s->bad = 0;
	if (z->alias)
		return; /* BASE answers for it */
	for (unsigned k = 0; k <= z->mask; k++) {
		const struct node *n = z->table[k];

		if (n == NULL)
			continue;
		for (unsigned i = 0; i < n->n_sets; i++)
			assert_int_not_equal(ask(s, z, n, "", n->sets[i].type), RCODE_NXDOMAIN);
		assert_int_not_equal(ask(s, z, n, "", 65280), RCODE_NXDOMAIN);
		if (n->cut == NULL)
			assert_int_not_equal(ask(s, z, n, "nothing", TYPE_A), RCODE_NXDOMAIN);
	}
	if (want == ZONE_INSECURE && !z->is_signed) {
		assert_int_equal(s->good + s->bad, 0);
	} else if (want == ZONE_SECURE && !z->has_rules) {
		assert_int_equal(s->bad, 0);
		assert_true(s->good > 10);
	} else if (z->sign != SIGN_RIGHT) {
		assert_int_equal(s->good, 1); /* of the keys, which are everybody's */
	}
}

static void
test_catalogue(void **state)
{
	static struct shop s;
	static const struct engine_log log = { origin, append, NULL };
	static const uint8_t random[16] = { 3 };
	struct limits *limits;
	struct site *site = make_site("shipped", "zones/catalogue");
	struct signer *signer;
	char err[400] = "";

	(void)state;
	s.zones = zones_compile(site, err, sizeof(err));
	if (s.zones == NULL)
		print_error("%s\n", err);
	assert_non_null(s.zones);
	signer = signer_new(s.zones, 256);
	assert_non_null(signer);
	signer_prepare(signer, NOW / 1000000);
	limits = limits_new(random);
	assert_non_null(limits);
	limits->invalid.rate = 1000000;
	engine_init(&s.engine, s.zones, signer, NULL, limits, &log, random);
	token_from_id(&s.token, 4711, &site->token_key);
	for (unsigned i = 0; i < s.zones->n; i++)
		judge_zone(&s, &s.zones->zone[i]);
	assert_true(s.asked > 10 * s.zones->n);
	signer_free(signer);
	limits_free(limits);
	zones_free(s.zones);
	site_free(site);
}

static int
set_up(void **state)
{
	(void)state;
	log_quiet(true);
	snprintf(root, sizeof(root), "/tmp/outpost-compile-XXXXXX");
	return mkdtemp(root) != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused),
		cmocka_unit_test(test_catalogue) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
