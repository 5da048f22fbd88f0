#include "verify/spf_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *
type_word(uint16_t type)
{
	switch (type) {
	case SPF_TYPE_A:
		return "A";
	case SPF_TYPE_AAAA:
		return "AAAA";
	case SPF_TYPE_MX:
		return "MX";
	case SPF_TYPE_PTR:
		return "PTR";
	default:
		return "TXT";
	}
}

/* Adds to what was found, "..." when there is no more room. */
static void __attribute__((format(printf, 2, 3))) found(struct spf_run *r, const char *fmt, ...)
{
	char *s = r->step->found, more[300];
	size_t used = strlen(s), room = sizeof(r->step->found) - used;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(more, sizeof(more), fmt, ap);
	va_end(ap);
	if (used >= 3 && strcmp(s + used - 3, "...") == 0)
		return;
	if (strlen(more) + sizeof(", ...") < room)
		snprintf(s + used, room, "%s%s", used > 0 ? ", " : "", more);
	else
		snprintf(s + used, room, "%s", used > 0 ? ", ..." : "...");
}

static const char *
status_word(const struct lookup *l)
{
	switch (l->status) {
	case LOOKUP_NODATA:
		return "no such record";
	case LOOKUP_NXDOMAIN:
		return l->name[0] != '\0' ? "no such name" : "no possible name";
	case LOOKUP_BOGUS:
		return "DNSSEC: bogus";
	case LOOKUP_FAILED:
		return "DNS error";
	default:
		return "";
	}
}

enum answer { ANSWER, EMPTY, DNS_ERROR, TOO_VOID };

static enum answer
judge(struct spf_run *r, const struct lookup *l)
{
	if (l->status == LOOKUP_OK)
		return ANSWER;
	if (l->status != LOOKUP_NODATA && l->status != LOOKUP_NXDOMAIN)
		return DNS_ERROR;
	if (l->name[0] == '\0' || r->explaining)
		return EMPTY;
	r->out->void_queries++;
	if (r->void_term)
		return EMPTY;
	r->void_term = true;
	if (++r->out->voids <= SPF_VOIDS_MAX)
		return EMPTY;
	spf_reason(r, "more than %d terms look up what does not exist; the last asked for %s of %s",
	    SPF_VOIDS_MAX, type_word(l->type), l->name);
	return TOO_VOID;
}

/* What an answer without records means to a, mx and exists. */
static enum spf_outcome
without(struct spf_run *r, const struct lookup *l, enum answer a)
{
	if (a == DNS_ERROR)
		spf_reason(r, "the lookup of %s of %s failed: %s%s%s", type_word(l->type),
		    l->name[0] != '\0' ? l->name : r->step->target, status_word(l),
		    l->why[0] != '\0' ? ": " : "", l->why);
	return a == DNS_ERROR  ? SPF_TERM_TEMPERROR
	       : a == TOO_VOID ? SPF_TERM_PERMERROR
			       : SPF_NO_MATCH;
}

static bool
in_network(const struct spf_address *a, const uint8_t *network, unsigned prefix)
{
	unsigned whole = prefix / 8, rest = prefix % 8;

	return memcmp(a->octets, network, whole) == 0 &&
	       (rest == 0 || ((a->octets[whole] ^ network[whole]) >> (8 - rest)) == 0);
}

static uint16_t
address_type(const struct spf_run *r)
{
	return r->macro.client.v6 ? SPF_TYPE_AAAA : SPF_TYPE_A;
}

/* One of the addresses is in the client's network. */
static bool
addresses_match(struct spf_run *r, const struct lookup *l, unsigned prefix)
{
	struct spf_address a = { .v6 = r->macro.client.v6 };
	size_t len = a.v6 ? 16 : 4;
	char text[SPF_ADDRESS_SIZE];
	bool match = false;

	for (size_t i = 0; i < l->n; i++) {
		if (l->rdata[i].len != len)
			continue;
		memcpy(a.octets, l->rdata[i].data, len);
		spf_address_format(text, &a);
		found(r, "%s", text);
		match = match || in_network(&r->macro.client, a.octets, prefix);
	}
	return match;
}

static unsigned
term_prefix(const struct spf_run *r, const struct spf_term *t)
{
	return r->macro.client.v6 ? t->prefix6 : t->prefix4;
}

/* --- the terms, RFC 7208 5.3 to 5.7 --- */

static enum spf_outcome
term_a(struct spf_run *r, const struct spf_term *t, const char *name)
{
	const struct lookup *l = spf_ask(r, name, address_type(r));
	enum answer a;

	if (r->need)
		return SPF_NO_MATCH;
	if ((a = judge(r, l)) != ANSWER) {
		found(r, "%s: %s", type_word(address_type(r)), status_word(l));
		return without(r, l, a);
	}
	return addresses_match(r, l, term_prefix(r, t)) ? SPF_MATCH : SPF_NO_MATCH;
}

/* The names in an MX or PTR answer; returns how many are to be looked at. */
static size_t
names_in(const struct lookup *l, size_t skip, char names[SPF_NAMES_MAX][LOOKUP_NAME_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; i < l->n && n < SPF_NAMES_MAX; i++)
		if (l->rdata[i].len > skip &&
		    lookup_name(names[n], l->rdata[i].data + skip, l->rdata[i].len - skip) >= 0)
			n++;
	return n;
}

static enum spf_outcome
term_mx(struct spf_run *r, const struct spf_term *t, const char *name)
{
	char names[SPF_NAMES_MAX][LOOKUP_NAME_SIZE];
	const struct lookup *l = spf_ask(r, name, SPF_TYPE_MX), *of;
	enum spf_outcome outcome;
	enum answer a;
	size_t n;

	if (r->need)
		return SPF_NO_MATCH;
	if ((a = judge(r, l)) != ANSWER) {
		found(r, "MX: %s", status_word(l));
		return without(r, l, a);
	}
	if (l->n > SPF_NAMES_MAX) {
		spf_reason(
		    r, "%s has %zu mail exchangers, more than %d", l->name, l->n, SPF_NAMES_MAX);
		return SPF_TERM_PERMERROR;
	}
	n = names_in(l, 2, names);
	for (size_t i = 0; i < n; i++)
		spf_ask(r, names[i], address_type(r)); /* all at once */
	if (r->need)
		return SPF_NO_MATCH;
	for (size_t i = 0; i < n; i++) {
		of = spf_ask(r, names[i], address_type(r));
		found(r, "%s", names[i][0] != '\0' ? names[i] : "null MX");
		if ((a = judge(r, of)) != ANSWER) {
			if ((outcome = without(r, of, a)) != SPF_NO_MATCH)
				return outcome;
		} else if (addresses_match(r, of, term_prefix(r, t))) {
			return SPF_MATCH;
		}
	}
	return SPF_NO_MATCH;
}

static enum spf_outcome
term_exists(struct spf_run *r, const struct spf_term *t, const char *name)
{
	const struct lookup *l = spf_ask(r, name, SPF_TYPE_A);
	enum answer a;

	(void)t;
	if (r->need)
		return SPF_NO_MATCH;
	if ((a = judge(r, l)) != ANSWER) {
		found(r, "A: %s", status_word(l));
		return without(r, l, a);
	}
	found(r, "exists");
	return SPF_MATCH;
}

static void
reverse_name(char *dst, size_t size, const struct spf_address *a)
{
	size_t used = 0;

	for (unsigned i = a->v6 ? 16 : 4; i-- > 0;)
		used += (size_t)(a->v6 ? snprintf(dst + used, size - used, "%x.%x.",
					     a->octets[i] & 15u, a->octets[i] >> 4)
				       : snprintf(dst + used, size - used, "%u.", a->octets[i]));
	snprintf(dst + used, size - used, "%s.arpa", a->v6 ? "ip6" : "in-addr");
}

/* name is domain or below it; as text of the book, case-blind. */
static bool
is_below(const char *name, const char *domain)
{
	size_t n = strlen(name), d = strlen(domain);

	return n >= d && strcasecmp(name + n - d, domain) == 0 &&
	       (n == d || (n > d && name[n - d - 1] == '.'));
}

/* A host name of the client's whose address is the client (5.5): that of domain or else the first below
 * it; any other if other is wanted.  false: none. */
static bool
validated_name(struct spf_run *r, const char *domain, bool other, char dst[LOOKUP_NAME_SIZE])
{
	char names[SPF_NAMES_MAX][LOOKUP_NAME_SIZE], reverse[80];
	const struct lookup *l, *of;
	int best = 0;
	size_t n;

	reverse_name(reverse, sizeof(reverse), &r->macro.client);
	l = spf_ask(r, reverse, SPF_TYPE_PTR);
	if (r->need)
		return false;
	if (judge(r, l) != ANSWER) {
		found(r, "PTR: %s", status_word(l));
		return false;
	}
	n = names_in(l, 0, names);
	for (size_t i = 0; i < n; i++)
		if (other || is_below(names[i], domain))
			spf_ask(r, names[i], address_type(r)); /* all at once */
	if (r->need)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool below = is_below(names[i], domain);
		int value = strcasecmp(names[i], domain) == 0 ? 3 : below ? 2 : 1;

		found(r, "%s", names[i]);
		if (value <= best || (!below && !other))
			continue;
		of = spf_ask(r, names[i], address_type(r));
		if (judge(r, of) != ANSWER ||
		    !addresses_match(r, of, r->macro.client.v6 ? 128 : 32))
			continue;
		best = value;
		memcpy(dst, names[i], LOOKUP_NAME_SIZE);
	}
	if (l->n > SPF_NAMES_MAX)
		found(r, "%zu more passed over", l->n - SPF_NAMES_MAX);
	return best > 0;
}

static enum spf_outcome
term_ptr(struct spf_run *r, const struct spf_term *t, const char *name)
{
	char dst[LOOKUP_NAME_SIZE];
	bool match = validated_name(r, name, false, dst);

	(void)t;
	if (!r->need && r->out->voids > SPF_VOIDS_MAX)
		return SPF_TERM_PERMERROR;
	return match ? SPF_MATCH : SPF_NO_MATCH;
}

/* A name that holds octets which text would need \ for is of no use in another name. */
void
spf_validate(struct spf_run *r)
{
	char domain[LOOKUP_NAME_SIZE], name[LOOKUP_NAME_SIZE];

	spf_name(domain, r->macro.domain);
	r->validated[0] = '\0';
	if (validated_name(r, domain, true, name) && strchr(name, '\\') == NULL)
		snprintf(r->validated, sizeof(r->validated), "%.*s", (int)sizeof(r->validated) - 1,
		    name);
	r->macro.validated = r->validated;
}

int
spf_target(struct spf_run *r, const struct spf_term *t, char dst[SPF_DOMAIN_SIZE])
{
	if (t->domain == NULL) {
		snprintf(dst, SPF_DOMAIN_SIZE, "%s", r->macro.domain);
		return 0;
	}
	if (spf_macro_uses(t->domain, t->domain_len, 'p'))
		spf_validate(r);
	spf_macro_domain(dst, t->domain, t->domain_len, &r->macro);
	return r->out->voids > SPF_VOIDS_MAX ? -1 : 0;
}

int
spf_count(struct spf_run *r)
{
	if (r->explaining || ++r->out->lookups <= SPF_LOOKUPS_MAX)
		return 0;
	spf_reason(r, "more than %d terms need a lookup", SPF_LOOKUPS_MAX);
	return -1;
}

enum spf_outcome
spf_term(struct spf_run *r, const struct spf_term *t)
{
	static enum spf_outcome (*const looks_up[])(
	    struct spf_run *, const struct spf_term *, const char *) = {
		[SPF_A] = term_a,
		[SPF_MX] = term_mx,
		[SPF_PTR] = term_ptr,
		[SPF_EXISTS] = term_exists,
	};
	char target[SPF_DOMAIN_SIZE], name[LOOKUP_NAME_SIZE];

	if (t->kind == SPF_IP4 || t->kind == SPF_IP6)
		return r->macro.client.v6 == (t->kind == SPF_IP6) &&
			       in_network(&r->macro.client, t->address, term_prefix(r, t))
			   ? SPF_MATCH
			   : SPF_NO_MATCH;
	if (spf_count(r) < 0)
		return SPF_TERM_PERMERROR;
	if (spf_target(r, t, target) < 0)
		return SPF_TERM_PERMERROR;
	if (r->need)
		return SPF_NO_MATCH;
	spf_name(name, target);
	spf_text(r->step->target, sizeof(r->step->target), target, strlen(target));
	return looks_up[t->kind](r, t, name);
}
