/* site.h - the zones of the replay scripts as a compiled site, and questions to them; for unit tests. */
#ifndef TESTS_UNIT_AUTHDNS_SITE_H
#define TESTS_UNIT_AUTHDNS_SITE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authdns/compile.h"
#include "authdns/locate.h"
#include "lib/log.h"
#include "provisioning/address.h"
#include "provisioning/init.h"
#include "provisioning/render.h"

#define SITE_NOW INT64_C(1795305600000000) /* 2026-11-22 */

struct test_site {
	char dir[64];
	struct site *site;
	struct zones *zones;
	struct token token;
};

static inline int
test_site_open(struct test_site *s)
{
	static char a[] = "192.0.2.1", b[] = "192.0.2.2";
	struct init_options o = { .base = "lab.example",
		.ipv4 = { .n = 2, .item = { a, b } },
		.ipv6 = "2001:db8:53::/64",
		.user = "",
		.catalogue = "tests/replay/dns/zones/catalogue",
		.node = "unit" };
	struct prepared made;
	char err[400] = "";
	bool fresh;

	log_quiet(true);
	snprintf(s->dir, sizeof(s->dir), "/tmp/outpost-unit-XXXXXX");
	if (mkdtemp(s->dir) == NULL || init_site(&made, &fresh, s->dir, &o, err, sizeof(err)) < 0 ||
	    (s->site = site_load(s->dir, err, sizeof(err))) == NULL ||
	    (s->zones = zones_compile(s->site, err, sizeof(err))) == NULL) {
		fprintf(stderr, "%s\n", err);
		return -1;
	}
	token_from_id(&s->token, 4711, &s->site->token_key);
	return 0;
}

static inline int
test_site_close(struct test_site *s)
{
	char command[100];

	zones_free(s->zones);
	site_free(s->site);
	snprintf(command, sizeof(command), "rm -rf %s", s->dir);
	return system(command);
}

/* The template's name (of the test; NULL: BASE) as a question with DO. */
static inline void
test_site_ask(struct dns_query *q, uint8_t msg[600], const struct test_site *s, const char *test,
    const char *name, uint16_t type)
{
	const struct test *t = test != NULL ? catalogue_find(s->site->catalogue, test, strlen(test))
					    : NULL;
	static const uint8_t opt[] = { 0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 0 };
	char text[1024], err[200];
	const char *what;
	uint8_t *p = msg;

	memset(msg, 0, 600);
	msg[5] = msg[11] = 1;
	p += DNS_HEADER;
	if (render(text, sizeof(text), name, s->site, t, 0, &s->token, err, sizeof(err)) !=
	    RENDER_OK)
		abort();
	p += wire_name_parse(p, text);
	p = wire_put16(wire_put16(p, type), 1);
	memcpy(p, opt, sizeof(opt));
	if (wire_query(q, msg, (size_t)(p - msg) + sizeof(opt), &what) != WIRE_OK)
		abort();
}

static inline void
test_site_view(struct view *v, const struct test_site *s, const char *local)
{
	union sockaddr_any a;

	memset(&a, 0, sizeof(a));
	if (address_parse(&a, local, 53) < 0)
		abort();
	view_of(v, s->zones, &a);
}

/* Where a name is, asked at an address. */
static inline void
test_site_find(struct place *p, struct dns_query *q, uint8_t msg[600], const struct test_site *s,
    const char *local, const char *test, const char *name, uint16_t type)
{
	struct view v;

	test_site_view(&v, s, local);
	test_site_ask(q, msg, s, test, name, type);
	locate(p, s->zones, q, msg + DNS_HEADER, &v);
}

/* For a group of tests: the site of the file. */
static struct test_site s;

static inline int
test_site_set_up(void **state)
{
	(void)state;
	return test_site_open(&s);
}

static inline int
test_site_tear_down(void **state)
{
	(void)state;
	return test_site_close(&s);
}

#endif
