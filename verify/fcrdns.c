/* fcrdns.c - see fcrdns.h. */
#include "verify/fcrdns.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TYPE_A    1
#define TYPE_PTR  12
#define TYPE_AAAA 28

const char *
fcrdns_verdict_word(enum fcrdns_verdict v)
{
	static const char *const words[] = {
		[FCRDNS_NONE] = "none",
		[FCRDNS_PASS] = "pass",
		[FCRDNS_FAIL] = "fail",
		[FCRDNS_TEMPERROR] = "temperror",
		[FCRDNS_PERMERROR] = "permerror",
	};

	return words[v];
}

const char *
helo_form_word(enum helo_form f)
{
	static const char *const words[] = {
		[HELO_MISSING] = "missing",
		[HELO_MALFORMED] = "malformed",
		[HELO_LITERAL] = "literal",
		[HELO_SINGLE_LABEL] = "single label",
		[HELO_NAME] = "name",
	};

	return words[f];
}

/* --- addresses ------------------------------------------------------------------------------------------- */

struct address {
	uint8_t octet[16];
	size_t n; /* 4, 16; 0: none */
	uint16_t type;
};

static struct address
read_address(const char *text)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	struct address a = { .n = 0 };

	if (inet_pton(AF_INET, text, a.octet) == 1) {
		a.n = 4;
	} else if (inet_pton(AF_INET6, text, a.octet) == 1) {
		a.n = 16;
		if (memcmp(a.octet, mapped, sizeof(mapped)) == 0) {
			memmove(a.octet, a.octet + 12, 4);
			a.n = 4;
		}
	}
	a.type = a.n == 4 ? TYPE_A : TYPE_AAAA;
	return a;
}

static void
reverse_name(char dst[80], const struct address *a)
{
	size_t at = 0;

	for (size_t i = a->n; i > 0; i--) {
		if (a->n == 4)
			at += (size_t)sprintf(dst + at, "%u.", a->octet[i - 1]);
		else
			at += (size_t)sprintf(
			    dst + at, "%x.%x.", a->octet[i - 1] & 15, a->octet[i - 1] >> 4);
	}
	strcpy(dst + at, a->n == 4 ? "in-addr.arpa" : "ip6.arpa");
}

static bool
has_address(const struct lookup *l, const struct address *a)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->type == a->type && l->rdata[i].len == a->n &&
		    memcmp(l->rdata[i].data, a->octet, a->n) == 0)
			return true;
	return false;
}

static bool
is_failure(const struct lookup *l)
{
	return l->status == LOOKUP_FAILED || l->status == LOOKUP_BOGUS;
}

/* --- the names of the address ------------------------------------------------------------------------------ */

/* How many lead back to it; *open: questions are. */
static size_t
confirm(struct fcrdns_result *r, const struct lookup *ptr, const struct address *a,
    struct lookups *book, bool *open)
{
	char name[LOOKUP_NAME_SIZE];
	size_t confirmed = 0, kept = 0;

	for (size_t i = 0; i < ptr->n; i++) {
		const struct lookup *l;

		if (lookup_name(name, ptr->rdata[i].data, ptr->rdata[i].len) < 0 || name[0] == '\0')
			continue;
		if (r->names++ >= FCRDNS_NAMES_MAX)
			continue;
		l = lookup_get(book, name, a->type);
		*open |= l->status == LOOKUP_WANTED;
		snprintf(r->name[kept].name, sizeof(r->name[kept].name), "%.255s", name);
		r->name[kept].failed = is_failure(l);
		r->name[kept].confirmed = has_address(l, a);
		if (r->name[kept].confirmed && confirmed++ == 0)
			r->secure = ptr->secure && l->secure;
		kept++;
	}
	return confirmed;
}

static void
conclude(struct fcrdns_result *r, size_t confirmed, const struct address *a)
{
	bool failed = false;

	for (size_t i = 0; i < r->names && i < FCRDNS_NAMES_MAX; i++)
		failed |= r->name[i].failed;
	r->verdict = r->names == 0   ? FCRDNS_NONE
		     : confirmed > 0 ? FCRDNS_PASS
		     : failed        ? FCRDNS_TEMPERROR
				     : FCRDNS_FAIL;
	if (r->verdict == FCRDNS_FAIL)
		snprintf(r->reason, sizeof(r->reason), "%.100s%s has no %s record of that address",
		    r->name[0].name, r->names > 1 ? " (like its other names)" : "",
		    a->n == 4 ? "A" : "AAAA");
	else if (r->verdict == FCRDNS_TEMPERROR)
		snprintf(r->reason, sizeof(r->reason), "the addresses of %.100s could not be had",
		    r->name[0].name);
}

enum verify_step
fcrdns_check(const char *client, struct lookups *book, struct fcrdns_result *r)
{
	struct address a = read_address(client);
	const struct lookup *ptr;
	char reverse[80];
	bool open = false;
	size_t confirmed;

	memset(r, 0, sizeof(*r));
	if (a.n == 0) {
		r->verdict = FCRDNS_PERMERROR;
		snprintf(r->reason, sizeof(r->reason), "the client is no IP address");
		return VERIFY_DONE;
	}
	reverse_name(reverse, &a);
	ptr = lookup_get(book, reverse, TYPE_PTR);
	if (ptr->status == LOOKUP_WANTED)
		return VERIFY_NEED;
	r->secure = ptr->secure;
	if (is_failure(ptr)) {
		r->verdict = FCRDNS_TEMPERROR;
		snprintf(r->reason, sizeof(r->reason), "%s PTR: %.120s", reverse, ptr->why);
		return VERIFY_DONE;
	}
	confirmed = confirm(r, ptr, &a, book, &open);
	if (open)
		return VERIFY_NEED;
	conclude(r, confirmed, &a);
	if (r->verdict == FCRDNS_NONE)
		snprintf(r->reason, sizeof(r->reason),
		    "the address has no name: there is no %s PTR", reverse);
	return VERIFY_DONE;
}

/* --- EHLO -------------------------------------------------------------------------------------------------------- */

/* RFC 5321 4.1.2, Domain; NULL: it is one. */
static const char *
wrong_name(const char *name)
{
	size_t label = 0, len = strlen(name);

	if (len > 255)
		return "a name over 255 octets";
	for (size_t i = 0; i <= len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c == '.' || c == '\0') {
			if (label == 0)
				return i == len && i > 0 ? "a dot at its end" : "an empty label";
			if (label > 63)
				return "a label over 63 octets";
			if (name[i - 1] == '-' || name[i - label] == '-')
				return "a label with a hyphen at its end";
			label = 0;
		} else if (c > 0x7e) {
			return "characters outside of ASCII";
		} else if (!isalnum(c) && c != '-') {
			return c == '_' ? "an underscore" : "a character that no host name has";
		} else {
			label++;
		}
	}
	return NULL;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 4.1.3). */
static struct address
read_literal(const char *helo)
{
	char text[64];
	size_t len = strlen(helo);
	struct address none = { .n = 0 }, a;
	bool six = strncasecmp(helo, "[IPv6:", 6) == 0;

	if (len < 3 || len - 2 >= sizeof(text) || helo[len - 1] != ']')
		return none;
	memcpy(text, helo + 1, len - 2);
	text[len - 2] = '\0';
	a = read_address(six ? text + 5 : text);
	return six || strchr(text, ':') == NULL ? a : none;
}

static void
note(struct helo_result *r, const char *text, const char *detail)
{
	if (r->reason[0] == '\0')
		snprintf(r->reason, sizeof(r->reason), "%s%s", text, detail);
}

static void
check_literal(struct helo_result *r, const char *helo, const struct address *client)
{
	struct address a = read_literal(helo);

	r->form = a.n > 0 ? HELO_LITERAL : HELO_MALFORMED;
	if (a.n == 0) {
		note(r, "no address literal: RFC 5321 4.1.3", "");
		return;
	}
	r->matches = a.n == client->n && memcmp(a.octet, client->octet, a.n) == 0;
	if (!r->matches)
		note(r, "an address literal, and not that of the client", "");
}

static void
keep_addresses(struct helo_result *r, const struct lookup *l)
{
	size_t len = l->type == TYPE_A ? 4 : 16;

	for (size_t i = 0; i < l->n && r->addresses < HELO_ADDRESSES_MAX; i++)
		if (l->rdata[i].len == len &&
		    inet_ntop(l->type == TYPE_A ? AF_INET : AF_INET6, l->rdata[i].data,
			r->address[r->addresses], sizeof(r->address[0])) != NULL)
			r->addresses++;
}

static enum verify_step
check_name(struct helo_result *r, const char *helo, const struct address *client,
    const struct fcrdns_result *reverse, struct lookups *book)
{
	const struct lookup *l[2] = { lookup_get(book, helo, TYPE_A),
		lookup_get(book, helo, TYPE_AAAA) };

	if (l[0]->status == LOOKUP_WANTED || l[1]->status == LOOKUP_WANTED)
		return VERIFY_NEED;
	for (size_t i = 0; i < 2; i++) {
		r->resolves |= l[i]->n > 0;
		r->matches |= has_address(l[i], client);
		keep_addresses(r, l[i]);
	}
	/* Addresses of the other kind say nothing about one that could not be had. */
	r->failed = !r->matches && (is_failure(l[client->type == TYPE_A ? 0 : 1]) ||
				       (!r->resolves && (is_failure(l[0]) || is_failure(l[1]))));
	for (size_t i = 0; i < reverse->names && i < FCRDNS_NAMES_MAX; i++) {
		bool same = strcasecmp(reverse->name[i].name, helo) == 0;

		r->is_reverse |= same;
		r->reverse_confirmed |= same && reverse->name[i].confirmed;
	}
	if (r->form == HELO_SINGLE_LABEL)
		note(r, "one label: RFC 5321 2.3.5 wants a full name", "");
	else if (r->failed)
		note(r, "its addresses could not be had", "");
	else if (!r->resolves)
		note(r, "a name without address: RFC 5321 2.3.5 wants one that resolves", "");
	else if (!r->matches && l[client->n == 4 ? 0 : 1]->n == 0)
		note(r, "it has no address of the client's kind: no ",
		    client->n == 4 ? "A record" : "AAAA record");
	else if (!r->matches)
		note(r, "its addresses are others than the client's", "");
	return VERIFY_DONE;
}

enum verify_step
helo_check(const char *client, const char *helo, const struct fcrdns_result *reverse,
    struct lookups *book, struct helo_result *r)
{
	struct address a = read_address(client);
	const char *wrong;

	memset(r, 0, sizeof(*r));
	if (helo[0] == '\0') {
		r->form = HELO_MISSING;
		note(r, "the client said no EHLO", "");
		return VERIFY_DONE;
	}
	if (helo[0] == '[') {
		check_literal(r, helo, &a);
		return VERIFY_DONE;
	}
	r->form = HELO_MALFORMED;
	if (read_address(helo).n > 0) {
		note(r, "an address without brackets: RFC 5321 4.1.3", "");
		return VERIFY_DONE;
	}
	if ((wrong = wrong_name(helo)) != NULL) {
		note(r, "no host name (RFC 5321 4.1.2): ", wrong);
		return VERIFY_DONE;
	}
	r->form = strchr(helo, '.') != NULL ? HELO_NAME : HELO_SINGLE_LABEL;
	return check_name(r, helo, &a, reverse, book);
}
