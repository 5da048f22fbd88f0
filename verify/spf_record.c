#include "verify/spf_record.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#define VERSION     "v=spf1"
#define VERSION_LEN 6

/* What may follow the name of a mechanism. */
enum argument {
	NOTHING,
	DOMAIN,          /* :domain-spec, needed */
	MAYBE_DOMAIN,    /* [:domain-spec] */
	DOMAIN_AND_CIDR, /* [:domain-spec] [/24] [//64] */
	ADDRESS4,
	ADDRESS6,
};

static const struct {
	const char *name;
	enum spf_kind kind;
	enum argument argument;
} mechanisms[] = {
	{ "all", SPF_ALL, NOTHING },        /* RFC 7208 5.1 */
	{ "include", SPF_INCLUDE, DOMAIN }, /* 5.2 */
	{ "a", SPF_A, DOMAIN_AND_CIDR },    /* 5.3 */
	{ "mx", SPF_MX, DOMAIN_AND_CIDR },  /* 5.4 */
	{ "ptr", SPF_PTR, MAYBE_DOMAIN },   /* 5.5 */
	{ "ip4", SPF_IP4, ADDRESS4 },       /* 5.6 */
	{ "ip6", SPF_IP6, ADDRESS6 },       /* 5.6 */
	{ "exists", SPF_EXISTS, DOMAIN },   /* 5.7 */
};

/* Mistakes that are met in the wild. */
static const struct {
	const char *name, *hint;
} hints[] = {
	{ "ipv4", "unknown mechanism: it is called ip4" },
	{ "ipv6", "unknown mechanism: it is called ip6" },
	{ "ip", "unknown mechanism: there are ip4 and ip6" },
	{ "includes", "unknown mechanism: it is called include" },
	{ "redirect", "redirect is a modifier: it is written redirect=" },
	{ "exp", "exp is a modifier: it is written exp=" },
};

static bool
same(const char *name, const char *s, size_t len)
{
	return strlen(name) == len && strncasecmp(name, s, len) == 0;
}

bool
spf_record_is(const char *record, size_t len)
{
	return len >= VERSION_LEN && strncasecmp(record, VERSION, VERSION_LEN) == 0 &&
	       (len == VERSION_LEN || record[VERSION_LEN] == ' ');
}

/* domain-end (7.1): a dot and a top label that is not all digits. */
static int
check_end(const char *s, size_t len, size_t base, struct spf_error *err)
{
	size_t n = len > 0 && s[len - 1] == '.' ? len - 1 : len, start = n;
	bool dash = false, letter = false;

	while (start > 0 && s[start - 1] != '.')
		start--;
	for (size_t i = start; i < n; i++) {
		if (s[i] == '-')
			dash = true;
		else if (!isalnum((unsigned char)s[i]))
			return spf_error_at(err, base + i,
			    "\"%c\" may not stand in the last label of a name", s[i]);
		letter = letter || isalpha((unsigned char)s[i]);
	}
	if (start == n)
		return spf_error_at(err, base + n, "the last label of the name is empty");
	if (s[start] == '-' || s[n - 1] == '-')
		return spf_error_at(
		    err, base + start, "the last label of a name may not begin or end with -");
	if (!letter && !dash)
		return spf_error_at(err, base + start,
		    "the last label of a name may not be a number (is an address meant: ip4:, "
		    "ip6:?)");
	if (start == 0)
		return spf_error_at(err, base, "a name of one label only");
	return 0;
}

static int
domain_spec(struct spf_term *t, const char *s, size_t len, struct spf_error *err)
{
	size_t base = t->at + (size_t)(s - t->text);
	bool ends;

	if (len == 0)
		return spf_error_at(err, base, "a domain name is missing");
	if (spf_macro_check(s, len, false, &ends, err) < 0) {
		err->at += base;
		return -1;
	}
	t->domain = s;
	t->domain_len = len;
	return ends ? 0 : check_end(s, len, base, err);
}

/* "/" and a number at the end of s: its start, len if there is none. */
static size_t
find_prefix(const char *s, size_t len)
{
	size_t i = len;

	while (i > 0 && isdigit((unsigned char)s[i - 1]))
		i--;
	return i < len && i > 0 && s[i - 1] == '/' ? i - 1 : len;
}

/* The number behind the slash at s[0], len octets with it. */
static int
prefix(unsigned *bits, const char *s, size_t len, unsigned max, size_t base, struct spf_error *err)
{
	unsigned n = 0;

	if (len > 2 && s[1] == '0')
		return spf_error_at(err, base, "a prefix length begins with 0");
	for (size_t i = 1; i < len && n <= max; i++)
		n = n * 10 + (unsigned)(s[i] - '0');
	if (n > max)
		return spf_error_at(err, base, "a prefix length over %u", max);
	*bits = n;
	return 0;
}

/* s: all behind the name of the mechanism. */
static int
domain_and_cidr(struct spf_term *t, const char *s, size_t len, struct spf_error *err)
{
	size_t base = t->at + (size_t)(s - t->text), slash = find_prefix(s, len);

	if (slash < len && slash > 0 && s[slash - 1] == '/') {
		if (prefix(&t->prefix6, s + slash, len - slash, 128, base + slash, err) < 0)
			return -1;
		len = slash - 1;
		slash = find_prefix(s, len);
	}
	if (slash < len) {
		if (prefix(&t->prefix4, s + slash, len - slash, 32, base + slash, err) < 0)
			return -1;
		len = slash;
	}
	if (len == 0)
		return 0;
	if (s[0] != ':')
		return spf_error_at(
		    err, base, "what follows the mechanism is neither : nor a prefix length");
	return domain_spec(t, s + 1, len - 1, err);
}

static int
address(struct spf_term *t, const char *s, size_t len, bool v6, struct spf_error *err)
{
	size_t base = t->at + (size_t)(s - t->text), slash;
	char text[64];

	if (len < 2 || s[0] != ':')
		return spf_error_at(err, base, "an address is missing");
	slash = find_prefix(s, len);
	if (slash < len && prefix(v6 ? &t->prefix6 : &t->prefix4, s + slash, len - slash,
			       v6 ? 128 : 32, base + slash, err) < 0)
		return -1;
	if (slash - 1 < sizeof(text)) {
		memcpy(text, s + 1, slash - 1);
		text[slash - 1] = '\0';
		if (inet_pton(v6 ? AF_INET6 : AF_INET, text, t->address) == 1)
			return 0;
	}
	return spf_error_at(err, base + 1, "no IPv%c address", v6 ? '6' : '4');
}

static int
argument(struct spf_term *t, enum argument what, const char *s, size_t len, struct spf_error *err)
{
	size_t base = t->at + (size_t)(s - t->text);

	switch (what) {
	case NOTHING:
		return len == 0 ? 0 : spf_error_at(err, base, "nothing may follow this mechanism");
	case MAYBE_DOMAIN:
		if (len == 0)
			return 0;
		/* fall through */
	case DOMAIN:
		if (len == 0 || s[0] != ':')
			return spf_error_at(err, base, "this mechanism needs : and a domain name");
		return domain_spec(t, s + 1, len - 1, err);
	case DOMAIN_AND_CIDR:
		return domain_and_cidr(t, s, len, err);
	default:
		return address(t, s, len, what == ADDRESS6, err);
	}
}

static int
unknown(const struct spf_term *t, const char *name, size_t len, struct spf_error *err)
{
	size_t at = t->at + (size_t)(name - t->text);

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (same(hints[i].name, name, len))
			return spf_error_at(err, at, "%s", hints[i].hint);
	if (len > 0 && isdigit((unsigned char)name[0]))
		return spf_error_at(
		    err, at, "unknown mechanism (an address needs ip4: or ip6: before it)");
	return spf_error_at(err, at, len > 0 ? "unknown mechanism" : "a mechanism is missing");
}

static int
mechanism(struct spf_term *t, struct spf_error *err)
{
	const char *name = t->text;
	size_t len = t->len, n = 0;

	t->qualifier = '+';
	if (strchr("+-~?", name[0]) != NULL) {
		t->qualifier = name[0];
		name++;
		len--;
	}
	while (n < len && name[n] != ':' && name[n] != '/')
		n++;
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		if (same(mechanisms[i].name, name, n)) {
			t->kind = mechanisms[i].kind;
			return argument(t, mechanisms[i].argument, name + n, len - n, err);
		}
	}
	return unknown(t, name, n, err);
}

/* name_len: of what stands before the "=". */
static int
modifier(struct spf_term *t, size_t name_len, struct spf_error *err)
{
	const char *value = t->text + name_len + 1;
	size_t len = t->len - name_len - 1;
	bool ends;

	if (same(VERSION, t->text, t->len))
		return spf_error_at(
		    err, t->at, "the version a second time (are two records in one?)");
	if (name_len == 0 || !isalpha((unsigned char)t->text[0]))
		return spf_error_at(
		    err, t->at, "the name of a modifier does not begin with a letter");
	for (size_t i = 0; i < name_len; i++)
		if (!isalnum((unsigned char)t->text[i]) && strchr("-_.", t->text[i]) == NULL)
			return spf_error_at(err, t->at + i,
			    "\"%c\" may not stand in the name of a modifier", t->text[i]);
	t->kind = SPF_MODIFIER;
	if (same("redirect", t->text, name_len))
		t->kind = SPF_REDIRECT;
	else if (same("exp", t->text, name_len))
		t->kind = SPF_EXP;
	if (t->kind != SPF_MODIFIER)
		return domain_spec(t, value, len, err);
	if (spf_macro_check(value, len, false, &ends, err) < 0) {
		err->at += t->at + name_len + 1;
		return -1;
	}
	return 0;
}

int
spf_record_next(
    const char *record, size_t len, size_t *at, struct spf_term *t, struct spf_error *err)
{
	size_t i = *at < VERSION_LEN ? VERSION_LEN : *at, delimiter = 0;

	while (i < len && record[i] == ' ')
		i++;
	if (i >= len)
		return 0;
	*t = (struct spf_term){ .text = record + i, .at = i, .prefix4 = 32, .prefix6 = 128 };
	while (i < len && record[i] != ' ') {
		unsigned char c = (unsigned char)record[i];

		if (c < 0x21 || c > 0x7e)
			return spf_error_at(err, i, "octet 0x%02x is not printable ASCII", c);
		i++;
	}
	t->len = i - t->at;
	*at = i;
	/* A modifier has its "=" before any ":" or "/" (4.6.1). */
	while (delimiter < t->len && strchr("=:/", t->text[delimiter]) == NULL)
		delimiter++;
	if (delimiter < t->len && t->text[delimiter] == '=')
		return modifier(t, delimiter, err) < 0 ? -1 : 1;
	return mechanism(t, err) < 0 ? -1 : 1;
}

int
spf_record_check(const char *record, size_t len, struct spf_error *err)
{
	bool redirect = false, exp = false;
	struct spf_term t;
	size_t at = 0;
	int rc;

	if (len > SPF_RECORD_MAX)
		return spf_error_at(err, SPF_RECORD_MAX, "longer than %d octets", SPF_RECORD_MAX);
	while ((rc = spf_record_next(record, len, &at, &t, err)) == 1) {
		if ((t.kind == SPF_REDIRECT && redirect) || (t.kind == SPF_EXP && exp))
			return spf_error_at(err, t.at, "%s a second time",
			    t.kind == SPF_EXP ? "exp=" : "redirect=");
		redirect = redirect || t.kind == SPF_REDIRECT;
		exp = exp || t.kind == SPF_EXP;
	}
	return rc;
}
