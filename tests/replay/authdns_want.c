/* authdns_want.c - what a script of tests/replay/dns may expect of an answer and of its event. */
#include "tests/replay/authdns_theatre.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "tests/unit/authdns/verify.h"

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

	if (theatre_expand(text, sizeof(text), s, l->word[1]) < 0)
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

	if (theatre_expand(name, sizeof(name), s, l->word[1]) < 0)
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
		else if (theatre_expand(want, sizeof(want), s, eq + 1) < 0) {
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

const struct direction theatre_wants[] = {
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
	{ NULL, 0, NULL },
};
