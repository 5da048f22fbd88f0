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
#include "tests/unit/authdns/verify.h"

#define CATALOGUE "tests/replay/dns/zones/catalogue"
#define NOW       INT64_C(1795305600000000) /* 2026-11-22 */

struct theatre {
	struct site *site;
	struct zones *zones;
	struct signer *signer;
	struct memory *memory;
	struct limits *limits;
	struct engine engine;
	const struct test *test;
	unsigned zone;
	struct token token;
	uint64_t next_id;
	union sockaddr_any peer, local;
	struct view view;
	int64_t now;
	struct event_origin origin;
	uint8_t query[70000], reply[65536];
	size_t query_len, reply_len;
	int64_t delay;
	ldns_pkt *packet;
	char event[EVENT_LINE_MAX + 1];
	bool has_event;
	struct released *released;
	struct text_reader *reader;
};

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

static int
expand(char *dst, size_t len, const struct theatre *s, const char *text)
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
	if (expand(text, sizeof(text), s, l->word[l->n - 2]) < 0)
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

/* --- expectations --- */

static int
want_rcode(struct theatre *s, const struct text_line *l)
{
	char buf[12];
	unsigned rcode;

	if (s->reply_len < DNS_HEADER)
		return text_fail(s->reader, "no answer");
	rcode = s->reply[3] & 15;
	if (s->packet != NULL && ldns_pkt_edns(s->packet))
		rcode |= (unsigned)ldns_pkt_edns_extended_rcode(s->packet) << 4;
	if (strcmp(rcode_name(rcode, buf), l->word[1]) != 0)
		return text_fail(s->reader, "rcode is %s", rcode_name(rcode, buf));
	return 0;
}

static int
want_flags(struct theatre *s, const struct text_line *l)
{
	static const struct {
		const char *name;
		unsigned bit;
	} flags[] = { { "qr", FLAG_QR }, { "aa", FLAG_AA }, { "tc", FLAG_TC }, { "rd", FLAG_RD },
		{ "ad", FLAG_AD }, { "cd", FLAG_CD }, { "ra", 0x80 } };
	unsigned have = wire_get16(s->reply + 2), want = 0;

	for (unsigned i = 1; i < l->n; i++)
		for (size_t k = 0; k < sizeof(flags) / sizeof(flags[0]); k++)
			if (strcmp(flags[k].name, l->word[i]) == 0)
				want |= flags[k].bit;
	return (have & 0x87b0) != want ? text_fail(s->reader, "flags are %04x", have) : 0;
}

static int
want_counts(struct theatre *s, const struct text_line *l)
{
	for (unsigned i = 0; i < 3; i++)
		if (wire_get16(s->reply + 6 + 2 * i) != strtoul(l->word[i + 1], NULL, 10))
			return text_fail(s->reader, "counts are %u %u %u", wire_get16(s->reply + 6),
			    wire_get16(s->reply + 8), wire_get16(s->reply + 10));
	return 0;
}

static int
want_size(struct theatre *s, const struct text_line *l)
{
	unsigned min, max;

	if (sscanf(l->word[1], "%u..%u", &min, &max) != 2 || s->reply_len < min ||
	    s->reply_len > max)
		return text_fail(s->reader, "size is %zu", s->reply_len);
	return 0;
}

static int
want_silent(struct theatre *s, const struct text_line *l)
{
	(void)l;
	return s->reply_len != 0 ? text_fail(s->reader, "there is an answer") : 0;
}

static int
want_delayed(struct theatre *s, const struct text_line *l)
{
	int64_t d;

	if (duration_parse(&d, l->word[1]) < 0 || d != s->delay)
		return text_fail(s->reader, "delay is %lld us", (long long)s->delay);
	return 0;
}

static ldns_rr_list *
section(struct theatre *s, const char *name)
{
	if (s->packet == NULL)
		return NULL;
	return name[1] == 'n'   ? ldns_pkt_answer(s->packet)
	       : name[1] == 'u' ? ldns_pkt_authority(s->packet)
				: ldns_pkt_additional(s->packet);
}

static int
want_record(struct theatre *s, const struct text_line *l)
{
	ldns_rr_list *list = section(s, l->word[0]);
	ldns_rr *want = NULL;
	char text[4096];
	bool found = false;

	if (expand(text, sizeof(text), s, l->word[1]) < 0)
		return -1;
	if (ldns_rr_new_frm_str(&want, text, 0, NULL, NULL) != LDNS_STATUS_OK)
		return text_fail(s->reader, "%s: not a record", text);
	for (size_t i = 0; list != NULL && i < ldns_rr_list_rr_count(list) && !found; i++) {
		ldns_rr *have = ldns_rr_list_rr(list, i);

		found = ldns_rr_compare(have, want) == 0 && ldns_rr_ttl(have) == ldns_rr_ttl(want);
	}
	ldns_rr_free(want);
	if (found)
		return 0;
	if (s->packet != NULL)
		ldns_pkt_print(stderr, s->packet);
	return text_fail(s->reader, "%s: not there", text);
}

/* RFC 5155: owner and next hash as ldns makes them. */
static int
want_nsec3(struct theatre *s, const struct text_line *l)
{
	ldns_rr_list *list = section(s, "authority");
	unsigned iterations = (unsigned)strtoul(l->word[2], NULL, 10), found = 0;
	char name[1024], label[80], *types = NULL, *hash = NULL, *next = NULL;
	ldns_rdf *owner = NULL, *hashed = NULL;

	if (expand(name, sizeof(name), s, l->word[1]) < 0)
		return -1;
	owner = ldns_dname_new_frm_str(name);
	hashed = owner != NULL ? ldns_nsec3_hash_name(owner, 1, (uint16_t)iterations, 0, NULL)
			       : NULL;
	hash = hashed != NULL ? ldns_rdf2str(hashed) : NULL;
	for (size_t i = 0; hash != NULL && list != NULL && i < ldns_rr_list_rr_count(list); i++) {
		ldns_rr *rr = ldns_rr_list_rr(list, i);
		char *at;

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_NSEC3)
			continue;
		found++;
		at = ldns_rdf2str(ldns_rr_owner(rr));
		snprintf(label, sizeof(label), "%.32s", at);
		free(at);
		types = ldns_rdf2str(ldns_rr_rdf(rr, 5));
		next = ldns_rdf2str(ldns_rr_rdf(rr, 4));
		if (ldns_nsec3_iterations(rr) != iterations || ldns_nsec3_salt_length(rr) != 0)
			found += 100;
		/* the next hash shares all but its end */
		if (strncasecmp(label, hash, 32) != 0 || strncasecmp(next, hash, 24) != 0 ||
		    strcasecmp(next, label) <= 0)
			found += 1000;
		for (size_t n = types != NULL ? strlen(types) : 0; n > 0 && types[n - 1] == ' ';
		     n--)
			types[n - 1] = '\0';
		if (strcmp(types != NULL ? types : "", l->word[3]) != 0)
			found += 10000;
		free(next);
		free(types);
	}
	ldns_rdf_deep_free(owner);
	ldns_rdf_deep_free(hashed);
	free(hash);
	if (found == 1)
		return 0;
	if (s->packet != NULL)
		ldns_pkt_print(stderr, s->packet);
	return text_fail(s->reader, "it is not there (%u)", found);
}

static int
want_signed(struct theatre *s, const struct text_line *l)
{
	static const char *const sections[] = { "answer", "authority", "additional" };
	unsigned good = 0, bad = 0;

	for (unsigned k = 0; k < 3; k++) {
		ldns_rr_list *list = section(s, sections[k]);

		for (size_t i = 0; list != NULL && i < ldns_rr_list_rr_count(list); i++)
			if (ldns_rr_get_type(ldns_rr_list_rr(list, i)) == LDNS_RR_TYPE_RRSIG) {
				if (verify_rrsig(s->zones, list, ldns_rr_list_rr(list, i), s->now))
					good++;
				else
					bad++;
			}
	}
	if (good != strtoul(l->word[1], NULL, 10) || bad != strtoul(l->word[2], NULL, 10)) {
		if (s->packet != NULL)
			ldns_pkt_print(stderr, s->packet);
		return text_fail(s->reader, "%u signatures verify, %u do not", good, bad);
	}
	return 0;
}

static int
want_same_question(struct theatre *s, const struct text_line *l)
{
	size_t n = DNS_HEADER;

	(void)l;
	while (n < s->query_len && s->query[n] != 0)
		n += 1 + (size_t)s->query[n];
	n += 5;
	if (s->reply_len < n ||
	    memcmp(s->query + DNS_HEADER, s->reply + DNS_HEADER, n - DNS_HEADER) != 0)
		return text_fail(s->reader, "it is not the same");
	return 0;
}

static int
want_owner_upper(struct theatre *s, const struct text_line *l)
{
	ldns_rr_list *list = section(s, "answer");
	char *text = list != NULL ? ldns_rr_list2str(list) : NULL;
	bool upper = text != NULL && strstr(text, "MX0") != NULL;

	(void)l;
	free(text);
	return upper ? 0 : text_fail(s->reader, "nothing is");
}

static int
want_event(struct theatre *s, const struct text_line *l)
{
	struct event e;
	char err[120];
	int rc = 0;

	if (!s->has_event)
		return text_fail(s->reader, "there is no event");
	if (event_decode(&e, s->event, strlen(s->event), err, sizeof(err)) < 0)
		return text_fail(s->reader, "event: %s", err);
	for (unsigned i = 1; i < l->n && rc == 0; i++) {
		char want[1024], have[1200] = "", *eq = strchr(l->word[i], '=');
		int k;

		for (k = 0; k < EK_MAX; k++)
			if (strlen(event_key((enum event_key)k)->name) ==
				(size_t)(eq - l->word[i]) &&
			    strncmp(event_key((enum event_key)k)->name, l->word[i],
				(size_t)(eq - l->word[i])) == 0)
				break;
		if (k == EK_MAX) {
			rc = text_fail(s->reader, "%s: no such key", l->word[i]);
			break;
		}
		if (strncmp(l->word[i], "at=", 3) == 0)
			snprintf(want, sizeof(want), "%s", eq + 1);
		else if (expand(want, sizeof(want), s, eq + 1) < 0) {
			rc = -1;
			break;
		}
		if (e.v[k].set && e.v[k].text != NULL)
			snprintf(have, sizeof(have), "%s", e.v[k].text);
		else if (e.v[k].set)
			snprintf(have, sizeof(have), "%lld", (long long)e.v[k].num);
		if (strcmp(want, have) != 0)
			rc = text_fail(
			    s->reader, "%s: it is \"%s\" in %s", l->word[i], have, s->event);
	}
	event_clear(&e);
	return rc;
}

static int
want_no_event(struct theatre *s, const struct text_line *l)
{
	(void)l;
	return s->has_event ? text_fail(s->reader, "there is one: %s", s->event) : 0;
}

static const struct direction {
	const char *word;
	unsigned min;
	int (*run)(struct theatre *, const struct text_line *);
} directions[] = {
	{ "at", 1, do_at },
	{ "test", 1, do_test },
	{ "release", 0, do_release },
	{ "from", 1, do_from },
	{ "option", 1, do_option },
	{ "clock", 1, do_clock },
	{ "query", 2, do_query },
	{ "raw", 1, do_raw },
	{ "rcode", 1, want_rcode },
	{ "flags", 0, want_flags },
	{ "counts", 3, want_counts },
	{ "size", 1, want_size },
	{ "silent", 0, want_silent },
	{ "delayed", 1, want_delayed },
	{ "answer", 1, want_record },
	{ "authority", 1, want_record },
	{ "additional", 1, want_record },
	{ "nsec3", 3, want_nsec3 },
	{ "signed", 2, want_signed },
	{ "same-question", 0, want_same_question },
	{ "upper-case", 0, want_owner_upper },
	{ "event", 1, want_event },
	{ "no-event", 0, want_no_event },
};

static int
play_line(struct theatre *s, const struct text_line *l)
{
	for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++)
		if (strcmp(directions[i].word, l->word[0]) == 0)
			return l->n > directions[i].min ? directions[i].run(s, l)
							: text_fail(s->reader, "too short");
	return text_fail(s->reader, "%s: no such direction", l->word[0]);
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
