/* Any octets as a DNS query, through the shipped query core with a compiled site.  The first octet
 * says over what and to whom it came. */
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authdns/compile.h"
#include "authdns/query.h"
#include "lib/log.h"
#include "provisioning/address.h"
#include "provisioning/init.h"

#define NOW INT64_C(1795305600000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct event_origin from = { "fuzz", "authdns", 0, 1 };
static char line[EVENT_LINE_MAX];
static size_t line_len;
static unsigned lines;

static struct event_origin *
origin(void *ctx)
{
	(void)ctx;
	return &from;
}

static void
append(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	memcpy(line, text, len);
	line_len = len;
	lines++;
}

static struct engine *
engine_get(void)
{
	static struct engine g;
	static const uint8_t random[16] = { 7 };
	static const struct engine_log log = { origin, append, NULL };
	static char a[] = "192.0.2.1", b[] = "192.0.2.2";
	struct init_options o = { .base = "lab.example",
		.ipv4 = { .n = 2, .item = { a, b } },
		.ipv6 = "2001:db8:53::/64",
		.user = "",
		.catalogue = "tests/replay/dns/zones/catalogue",
		.node = "fuzz" };
	char dir[] = "/tmp/outpost-fuzz-XXXXXX", command[64], err[400] = "";
	struct prepared made;
	struct site *site;
	struct zones *zones = NULL;
	bool fresh;

	if (g.zones != NULL)
		return &g;
	log_quiet(true);
	if (mkdtemp(dir) == NULL || init_site(&made, &fresh, dir, &o, err, sizeof(err)) < 0 ||
	    (site = site_load(dir, err, sizeof(err))) == NULL ||
	    (zones = zones_compile(site, err, sizeof(err))) == NULL)
		log_fatal(EXIT_CANNOT, "%s", err);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0)
		log_fatal(EXIT_CANNOT, "%s: not removed", dir);
	/* tokens that a corpus file can spell */
	memset(site->token_key.secret, 0x42, sizeof(site->token_key.secret));
	token_key_prepare(&site->token_key);
	engine_init(&g, zones, signer_new(zones, 64), NULL, limits_new(random), &log, random);
	g.limits->invalid.rate = 1000000;
	return &g;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t reply[65535];
	static const char *const locals[] = { "192.0.2.1", "192.0.2.2", "192.0.2.9",
		"2001:db8:53::", "2001:db8:53::e140" };
	struct engine *g = engine_get();
	union sockaddr_any peer, local;
	struct view view;
	struct query_in in = {
		.peer = &peer, .local = &local, .view = &view, .may_delay = true, .now_us = NOW
	};
	struct query_out out = { .buf = reply };
	struct event e;
	char err[100];

	if (len == 0)
		return 0;
	address_parse(&peer, (data[0] & 0x80) != 0 ? "2001:db8::53" : "192.0.2.53", 5353);
	address_parse(&local, locals[data[0] % 5], 53);
	view_of(&view, g->zones, &local);
	in.tcp = (data[0] & 0x40) != 0;
	in.wire = data + 1;
	in.len = len - 1;
	out.cap = in.tcp ? sizeof(reply) : DNS_UDP_MAX;
	lines = 0;
	query_run(g, &in, &out);
	if (out.len > out.cap || (out.len > 0 && out.len < DNS_HEADER) || lines > 1)
		abort();
	if (out.len > 0) {
		ldns_pkt *p = NULL;

		if (memcmp(reply, data + 1, 2) != 0 || (reply[2] & 0x80) == 0 ||
		    ldns_wire2pkt(&p, reply, out.len) != LDNS_STATUS_OK)
			abort();
		ldns_pkt_free(p);
	}
	if (lines > 0) {
		if (event_decode(&e, line, line_len - 1, err, sizeof(err)) < 0)
			abort();
		event_clear(&e);
	}
	return 0;
}
