/* authdns.c - plays the scripts tests/replay/dns/NAME.dns through the shipped query core: no socket, a fixed clock.
 *
 *   at parent|child|v4|v6 TEST|v6 TEST b|none  which address is asked (default: child)
 *   test NAME [b]                       whose {d}, {mx0}, {zone} the lines below mean; new token
 *   from ADDRESS                        of the resolver (default 192.0.2.53)
 *   option KEY=NUMBER                   sign-invalid, rate: of the engine
 *   clock +DURATION                     later
 *   query [udp|tcp|do|rd|cd|ad|upper|plain|edns=N|version=N|cookie=HEX|ecs=HEX|times=N]... NAME TYPE
 *   raw HEX [tcp] [pad=N]               octets as they are; N octets of zeros follow
 *   rcode R | flags "qr aa" | counts AN NS AR | size MIN..MAX | silent | delayed DURATION
 *   answer|authority|additional "RR"    there is such a record
 *   nsec3 NAME ITERATIONS "TYPES"       there is one NSEC3, of this name and nothing beyond it
 *   signed GOOD BAD                     RRSIGs in the answer that verify, and that do not
 *   same-question                       the question came back octet for octet
 *   owner UPPER                         some owner is spelled in the other case
 *   event KEY=VALUE...                  of the event that the query made; KEY= : without it
 *   no-event                            it made none
 * Names and records may use the placeholders of the test. */
#include <glob.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "authdns/compile.h"
#include "authdns/query.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "lib/text.h"
#include "provisioning/address.h"
#include "provisioning/init.h"
#include "provisioning/render.h"
#include "tests/replay/authdns_theatre.h"

#define CATALOGUE "tests/replay/dns/zones/catalogue"

static struct event_origin *
origin(void *ctx)
{
	return &((struct theatre *)ctx)->origin;
}

static void
append(void *ctx, const char *line, size_t len)
{
	struct theatre *s = ctx;

	memcpy(s->event, line, len);
	s->event[len] = '\0';
	s->has_event = true;
}

int
theatre_expand(char *dst, size_t len, const struct theatre *s, const char *text)
{
	char err[200] = "";

	if (render(dst, len, text, s->site, s->test, s->zone, &s->token, err, sizeof(err)) !=
	    RENDER_OK)
		return text_fail(s->reader, "%s: %s", text, err);
	return 0;
}

/* --- stage directions --- */

static int
do_at(struct theatre *s, const struct text_line *l)
{
	const char *w = l->word[1];
	struct address_parts none;
	const struct test *t;
	char text[64];

	(void)none;
	if (strcmp(w, "v6") == 0) {
		t = l->n > 2 ? catalogue_find(s->site->catalogue, l->word[2], strlen(l->word[2]))
			     : NULL;
		memset(&s->local, 0, sizeof(s->local));
		s->local.in6.sin6_family = AF_INET6;
		address_make(&s->local.in6.sin6_addr, &s->site->prefix, 0,
		    t != NULL ? t->number : 0, ADDRESS_SERVES, l->n > 3);
	} else {
		snprintf(text, sizeof(text), "%s",
		    strcmp(w, "parent") == 0  ? "192.0.2.1"
		    : strcmp(w, "child") == 0 ? "192.0.2.2"
					      : "192.0.2.9");
		address_parse(&s->local, text, 53);
	}
	view_of(&s->view, s->zones, &s->local);
	return 0;
}

static int
do_test(struct theatre *s, const struct text_line *l)
{
	s->test = catalogue_find(s->site->catalogue, l->word[1], strlen(l->word[1]));
	s->zone = l->n > 2;
	if (s->test == NULL)
		return text_fail(s->reader, "no such test");
	token_from_id(&s->token, ++s->next_id, &s->site->token_key);
	return 0;
}

static int
do_release(struct theatre *s, const struct text_line *l)
{
	(void)l;
	released_note(s->released, s->token.id);
	return 0;
}

static int
do_from(struct theatre *s, const struct text_line *l)
{
	return address_parse(&s->peer, l->word[1], 5353) < 0
		   ? text_fail(s->reader, "not an address")
		   : 0;
}

static int
do_option(struct theatre *s, const struct text_line *l)
{
	unsigned v = (unsigned)strtoul(strchr(l->word[1], '=') + 1, NULL, 10);

	if (strncmp(l->word[1], "sign-invalid=", 13) == 0)
		s->limits->invalid.rate = v;
	else if (strncmp(l->word[1], "rate=", 5) == 0)
		s->limits->answers.rate = v;
	else
		return text_fail(s->reader, "no such option");
	return 0;
}

static int
do_clock(struct theatre *s, const struct text_line *l)
{
	int64_t d;

	if (duration_parse(&d, l->word[1] + 1) < 0)
		return text_fail(s->reader, "not a duration");
	s->now += d;
	s->has_event = false;
	engine_tick(&s->engine, s->now);
	return 0;
}

/* --- queries --- */

static size_t
unhex(uint8_t *dst, const char *text)
{
	size_t n = 0;
	unsigned v;

	for (; sscanf(text, "%2x", &v) == 1; text += 2)
		dst[n++] = (uint8_t)v;
	return n;
}

static void
run(struct theatre *s, bool tcp)
{
	struct query_in in = { .wire = s->query,
		.len = s->query_len,
		.peer = &s->peer,
		.local = &s->local,
		.view = &s->view,
		.tcp = tcp,
		.may_delay = true,
		.conn = tcp ? "0-1-1" : NULL,
		.now_us = s->now };
	struct query_out out = { .buf = s->reply, .cap = tcp ? 65535 : DNS_UDP_MAX };

	s->has_event = false;
	ldns_pkt_free(s->packet);
	s->packet = NULL;
	query_run(&s->engine, &in, &out);
	s->reply_len = out.len;
	s->delay = out.delay_us;
	if (out.len > 0 && ldns_wire2pkt(&s->packet, s->reply, out.len) != LDNS_STATUS_OK)
		s->packet = NULL;
}

struct options {
	bool tcp, dnssec, upper, plain;
	unsigned flags, size, version, times;
	uint8_t opt[512];
	size_t opt_len;
};

static void
add_option(struct options *o, unsigned code, const char *hex)
{
	uint8_t data[256];
	size_t n = unhex(data, hex);
	uint8_t *p = wire_put16(wire_put16(o->opt + o->opt_len, code), (unsigned)n);

	memcpy(p, data, n);
	o->opt_len += 4 + n;
}

static int
read_option(struct options *o, const char *w)
{
	if (strcmp(w, "tcp") == 0)
		o->tcp = true;
	else if (strcmp(w, "do") == 0)
		o->dnssec = true;
	else if (strcmp(w, "upper") == 0)
		o->upper = true;
	else if (strcmp(w, "plain") == 0)
		o->plain = true;
	else if (strcmp(w, "rd") == 0)
		o->flags |= FLAG_RD;
	else if (strcmp(w, "cd") == 0)
		o->flags |= FLAG_CD;
	else if (strcmp(w, "ad") == 0)
		o->flags |= FLAG_AD;
	else if (sscanf(w, "edns=%u", &o->size) == 1 || sscanf(w, "version=%u", &o->version) == 1 ||
		 sscanf(w, "times=%u", &o->times) == 1)
		;
	else if (strncmp(w, "cookie=", 7) == 0)
		add_option(o, OPTION_COOKIE, w + 7);
	else if (strncmp(w, "ecs=", 4) == 0)
		add_option(o, OPTION_ECS, w + 4);
	else
		return strcmp(w, "udp") == 0 ? 0 : -1;
	return 0;
}

static int
do_query(struct theatre *s, const struct text_line *l)
{
	struct options o = { .size = 1232, .times = 1 };
	uint8_t name[DNS_NAME_MAX], *p = s->query;
	char text[1024];
	size_t len;
	uint16_t type = rrtype_by_name(l->word[l->n - 1]);

	for (unsigned i = 1; i + 2 < l->n; i++)
		if (read_option(&o, l->word[i]) < 0)
			return text_fail(s->reader, "%s: no such option", l->word[i]);
	if (theatre_expand(text, sizeof(text), s, l->word[l->n - 2]) < 0)
		return -1;
	len = wire_name_parse(name, text);
	if (len == 0)
		return text_fail(s->reader, "%s: not a name", text);
	if (strcmp(l->word[l->n - 1], "ANY") == 0)
		type = TYPE_ANY;
	for (size_t i = 0; i < len && o.upper; i++)
		name[i] = name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i];
	p = wire_put16(wire_put16(p, 0x1234), o.flags);
	p = wire_put32(wire_put32(p, 0x00010000), o.plain ? 0 : 1);
	memcpy(p, name, len);
	p = wire_put16(wire_put16(p + len, type), 1);
	if (!o.plain) {
		*p++ = 0;
		p = wire_put16(wire_put16(p, TYPE_OPT), o.size);
		p = wire_put32(p, (uint32_t)o.version << 16 | (o.dnssec ? 0x8000U : 0));
		p = wire_put16(p, (unsigned)o.opt_len);
		memcpy(p, o.opt, o.opt_len);
		p += o.opt_len;
	}
	s->query_len = (size_t)(p - s->query);
	while (o.times-- > 0)
		run(s, o.tcp);
	return 0;
}

static int
do_raw(struct theatre *s, const struct text_line *l)
{
	bool tcp = false;

	s->query_len = unhex(s->query, l->word[1]);
	for (unsigned i = 2; i < l->n; i++) {
		unsigned n;

		if (strcmp(l->word[i], "tcp") == 0)
			tcp = true;
		else if (sscanf(l->word[i], "pad=%u", &n) == 1) {
			memset(s->query + s->query_len, 0, n);
			s->query_len += n;
		}
	}
	run(s, tcp);
	return 0;
}

static const struct direction directions[] = {
	{ "at", 1, do_at },
	{ "test", 1, do_test },
	{ "release", 0, do_release },
	{ "from", 1, do_from },
	{ "option", 1, do_option },
	{ "clock", 1, do_clock },
	{ "query", 2, do_query },
	{ "raw", 1, do_raw },
	{ NULL, 0, NULL },
};

static const struct direction *
direction_find(const struct direction *d, const char *word)
{
	while (d->word != NULL && strcmp(d->word, word) != 0)
		d++;
	return d->word != NULL ? d : NULL;
}

static int
play_line(struct theatre *s, const struct text_line *l)
{
	const struct direction *d = direction_find(directions, l->word[0]);

	if (d == NULL)
		d = direction_find(theatre_wants, l->word[0]);
	if (d == NULL)
		return text_fail(s->reader, "%s: no such direction", l->word[0]);
	return l->n > d->min ? d->run(s, l) : text_fail(s->reader, "too short");
}

/* Every script starts with a fresh engine and cache. */
static int
play(struct theatre *s, const char *path, char *err, size_t errlen)
{
	struct engine_log log = { origin, append, s };
	static const uint8_t random[16] = { 1, 2, 3 };
	struct text_line l;
	int rc;

	s->reader = text_open(path, err, errlen);
	if (s->reader == NULL)
		return -1;
	s->signer = signer_new(s->zones, 64);
	signer_prepare(s->signer, NOW / CLOCK_SECOND);
	s->limits = limits_new(random);
	if (s->limits == NULL)
		return -1;
	s->limits->answers.rate = s->site->conf.dns_rate;
	s->limits->invalid.rate = s->site->conf.dns_sign_invalid;
	s->released = released_open(s->site, 16);
	if (s->released == NULL)
		return -1;
	engine_init(&s->engine, s->zones, s->signer, s->memory, s->limits, &log, random);
	s->engine.released = s->released;
	s->now = NOW;
	s->origin = (struct event_origin){ "replay", "authdns", 0, 1 };
	address_parse(&s->peer, "192.0.2.53", 5353);
	address_parse(&s->local, "192.0.2.2", 53);
	view_of(&s->view, s->zones, &s->local);
	s->test = s->site->catalogue->tests[0];
	while ((rc = text_next(s->reader, &l)) == 1)
		if (l.n > 0 && play_line(s, &l) < 0) {
			rc = -1;
			break;
		}
	snprintf(err, errlen, "%s", text_error(s->reader));
	text_close(s->reader);
	signer_free(s->signer);
	limits_free(s->limits);
	released_close(s->released);
	ldns_pkt_free(s->packet);
	s->packet = NULL;
	return rc;
}

static int
set_up(struct theatre *s, const char *dir, const char *catalogue, char *err, size_t errlen)
{
	char a[] = "192.0.2.1", b[] = "192.0.2.2", memory[600];
	struct init_options o = { .base = "lab.example",
		.ipv4 = { .n = 2, .item = { a, b } },
		.ipv6 = "2001:db8:53::/64",
		.user = "",
		.catalogue = catalogue,
		.node = "replay" };
	struct prepared made;
	bool fresh;

	log_quiet(true);
	if (init_site(&made, &fresh, dir, &o, err, errlen) < 0 ||
	    (s->site = site_load(dir, err, errlen)) == NULL ||
	    (s->zones = zones_compile(s->site, err, errlen)) == NULL)
		return -1;
	snprintf(memory, sizeof(memory), "%s/run/memory", dir);
	s->memory = memory_open(memory, 1024);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct theatre s;
	char dir[] = "/tmp/outpost-replay-XXXXXX", err[EVENT_LINE_MAX + 512] = "", command[100];
	glob_t script = { 0 };
	int failed = 0;

	log_program("replay");
	if (argc > 1) {
		script.gl_pathv = argv + 1;
		script.gl_pathc = (size_t)argc - 1;
	} else if (glob("tests/replay/dns/*"
			".dns",
		       0, NULL, &script) != 0) {
		printf("Bail out! no scripts in tests/replay/dns: start at the top of the tree\n");
		return 1;
	}
	if (mkdtemp(dir) == NULL || set_up(&s, dir, CATALOGUE, err, sizeof(err)) < 0) {
		printf("Bail out! %s\n", err);
		return 1;
	}
	printf("1..%zu\n", script.gl_pathc);
	for (size_t i = 0; i < script.gl_pathc; i++) {
		bool ok = play(&s, script.gl_pathv[i], err, sizeof(err)) == 0;

		printf("%sok %zu - %s\n", ok ? "" : "not ", i + 1, script.gl_pathv[i]);
		if (!ok)
			printf("# %s\n", err);
		failed += !ok;
	}
	memory_close(s.memory);
	zones_free(s.zones);
	site_free(s.site);
	if (argc == 1)
		globfree(&script);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) != 0 || failed > 0;
}
