/* names.c - see names.h and the end of test.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "zones/names.h"
#include "zones/test.h"

/* Types with a mnemonic; words of RDATA in our text, 0 for "any number". */
static const struct {
	const char *name;
	uint16_t number;
	uint8_t min, max;
} rrtypes[] = {
	{ "A", 1, 1, 1 },
	{ "NS", 2, 1, 1 },
	{ "CNAME", 5, 1, 1 },
	{ "SOA", 6, 7, 7 },
	{ "PTR", 12, 1, 1 },
	{ "HINFO", 13, 2, 2 },
	{ "MX", 15, 2, 2 },
	{ "TXT", 16, 1, 0 },
	{ "RP", 17, 2, 2 },
	{ "AFSDB", 18, 2, 2 },
	{ "SIG", 24, 1, 0 },
	{ "KEY", 25, 4, 0 },
	{ "AAAA", 28, 1, 1 },
	{ "LOC", 29, 1, 0 },
	{ "NXT", 30, 1, 0 },
	{ "SRV", 33, 4, 4 },
	{ "NAPTR", 35, 6, 6 },
	{ "CERT", 37, 4, 0 },
	{ "A6", 38, 1, 0 },
	{ "DNAME", 39, 1, 1 },
	{ "OPT", 41, 1, 0 },
	{ "DS", 43, 4, 0 },
	{ "SSHFP", 44, 3, 0 },
	{ "RRSIG", 46, 9, 0 },
	{ "NSEC", 47, 1, 0 },
	{ "DNSKEY", 48, 4, 0 },
	{ "NSEC3", 50, 5, 0 },
	{ "NSEC3PARAM", 51, 4, 4 },
	{ "TLSA", 52, 4, 0 },
	{ "SMIMEA", 53, 4, 0 },
	{ "CDS", 59, 4, 0 },
	{ "CDNSKEY", 60, 4, 0 },
	{ "OPENPGPKEY", 61, 1, 0 },
	{ "CSYNC", 62, 2, 0 },
	{ "SVCB", 64, 2, 0 },
	{ "HTTPS", 65, 2, 0 },
	{ "SPF", 99, 1, 0 },
	{ "TKEY", 249, 1, 0 },
	{ "TSIG", 250, 1, 0 },
	{ "IXFR", 251, 1, 0 },
	{ "AXFR", 252, 1, 0 },
	{ "ANY", 255, 1, 0 },
	{ "URI", 256, 3, 3 },
	{ "CAA", 257, 3, 3 },
};
#define N_RRTYPES (sizeof rrtypes / sizeof rrtypes[0])

static const struct {
	const char *name;
	unsigned number;
} rcodes[] = {
	{ "NOERROR", 0 },
	{ "FORMERR", 1 },
	{ "SERVFAIL", 2 },
	{ "NXDOMAIN", 3 },
	{ "NOTIMP", 4 },
	{ "REFUSED", 5 },
	{ "YXDOMAIN", 6 },
	{ "YXRRSET", 7 },
	{ "NXRRSET", 8 },
	{ "NOTAUTH", 9 },
	{ "NOTZONE", 10 },
	{ "BADVERS", 16 },
	{ "BADCOOKIE", 23 },
};
#define N_RCODES (sizeof rcodes / sizeof rcodes[0])

/* Decimal without sign, blanks or leading zeros, at most max.  -1: none. */
static long
digits(const char *s, size_t len, unsigned long max)
{
	unsigned long v = 0;

	if (len == 0 || len > 5 || (len > 1 && s[0] == '0'))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (unsigned long)(s[i] - '0');
	}
	return v > max ? -1 : (long)v;
}

uint16_t
rrtype_by_name(const char *name)
{
	long n;

	for (size_t i = 0; i < N_RRTYPES; i++)
		if (strcasecmp(rrtypes[i].name, name) == 0)
			return rrtypes[i].number;
	if (strncasecmp(name, "TYPE", 4) != 0)
		return 0;
	n = digits(name + 4, strlen(name + 4), 65535);
	return n < 0 ? 0 : (uint16_t)n;
}

const char *
rrtype_name(uint16_t type, char buf[12])
{
	for (size_t i = 0; i < N_RRTYPES; i++)
		if (rrtypes[i].number == type)
			return rrtypes[i].name;
	snprintf(buf, 12, "TYPE%u", (unsigned)type);
	return buf;
}

void
rrtype_fields(uint16_t type, unsigned *min, unsigned *max)
{
	*min = 1;
	*max = 0;
	for (size_t i = 0; i < N_RRTYPES; i++)
		if (rrtypes[i].number == type) {
			*min = rrtypes[i].min;
			*max = rrtypes[i].max;
		}
}

bool
rrtype_can_be_asked(uint16_t type)
{
	return type != 0 && type != 41 && !(type >= 128 && type <= 254);
}

int
rcode_by_name(const char *name)
{
	for (size_t i = 0; i < N_RCODES; i++)
		if (strcasecmp(rcodes[i].name, name) == 0)
			return (int)rcodes[i].number;
	if (strncasecmp(name, "RCODE", 5) != 0)
		return -1;
	return (int)digits(name + 5, strlen(name + 5), 4095);
}

const char *
rcode_name(unsigned rcode, char buf[12])
{
	for (size_t i = 0; i < N_RCODES; i++)
		if (rcodes[i].number == rcode)
			return rcodes[i].name;
	snprintf(buf, 12, "RCODE%u", rcode & 4095);
	return buf;
}

/* --- placeholders ----------------------------------------------------------------------------- */
enum ph_argument {
	PH_PLAIN,  /* {t} */
	PH_ZONED,  /* {d}, {d:b} */
	PH_INSIDE, /* {mxK}, {mxK:b}: the number belongs to the word */
	PH_NUMBER, /* {ipv4:K} */
};
static const struct {
	const char *word;
	enum ph_argument argument;
	unsigned max; /* largest number */
	bool needs_host;
	const char *usage;
} placeholders[PH_MAX] = {
	[PH_TOKEN] = { "t", PH_PLAIN, 0, false, "{t}" },
	[PH_D] = { "d", PH_ZONED, 0, false, "{d}" },
	[PH_ZONE] = { "zone", PH_ZONED, 0, false, "{zone}" },
	[PH_BASE] = { "base", PH_PLAIN, 0, false, "{base}" },
	[PH_MX] = { "mx", PH_INSIDE, TEST_HOSTS_MAX - 1, false, "{mxK}" },
	[PH_NS4] = { "ns4", PH_PLAIN, 0, false, "{ns4}" },
	[PH_NS6] = { "ns6", PH_PLAIN, 0, false, "{ns6}" },
	[PH_MAIL4] = { "mail4", PH_PLAIN, 0, false, "{mail4}" },
	[PH_IPV4] = { "ipv4", PH_NUMBER, TEST_HOSTS_MAX - 1, true, "{ipv4:K}" },
	[PH_IPV4_REFUSED] = { "ipv4-refused", PH_PLAIN, 0, false, "{ipv4-refused}" },
	[PH_IPV4_SILENT] = { "ipv4-silent", PH_PLAIN, 0, false, "{ipv4-silent}" },
	[PH_IPV6] = { "ipv6", PH_NUMBER, TEST_HOSTS_MAX - 1, true, "{ipv6:K}" },
	[PH_IPV6_REFUSED] = { "ipv6-refused", PH_NUMBER, 23, false, "{ipv6-refused:K}" },
	[PH_IPV6_SILENT] = { "ipv6-silent", PH_NUMBER, 7, false, "{ipv6-silent:K}" },
	[PH_POLICY4] = { "policy4", PH_PLAIN, 0, false, "{policy4}" },
	[PH_POLICY6] = { "policy6", PH_PLAIN, 0, false, "{policy6}" },
	[PH_SPKI] = { "spki", PH_NUMBER, TEST_HOSTS_MAX - 1, true, "{spki:K}" },
	[PH_SPKI_WRONG] = { "spki-wrong", PH_NUMBER, TEST_HOSTS_MAX - 1, true, "{spki-wrong:K}" },
	[PH_SPKI512] = { "spki512", PH_NUMBER, TEST_HOSTS_MAX - 1, true, "{spki512:K}" },
	[PH_SPKI512_WRONG] = { "spki512-wrong", PH_NUMBER, TEST_HOSTS_MAX - 1, true,
	    "{spki512-wrong:K}" },
	[PH_CERT] = { "cert", PH_NUMBER, TEST_HOSTS_MAX - 1, true, "{cert:K}" },
	[PH_CA_SPKI] = { "ca-spki", PH_PLAIN, 0, false, "{ca-spki}" },
	[PH_OTHER_CA_SPKI] = { "other-ca-spki", PH_PLAIN, 0, false, "{other-ca-spki}" },
	[PH_DKIM] = { "dkim", PH_NUMBER, 1, false, "{dkim:K}" },
	[PH_SPF] = { "spf", PH_PLAIN, 0, false, "{spf}" },
};

bool
placeholder_needs_host(enum placeholder_kind kind)
{
	return placeholders[kind].needs_host;
}

const char *
placeholder_usage(enum placeholder_kind kind)
{
	return placeholders[kind].usage;
}

/* Does body (len) say placeholder k?  1 yes, 0 no, -1 its number is out of range. */
static int
placeholder_match(struct placeholder *dst, enum placeholder_kind k, const char *body, size_t len)
{
	const char *word = placeholders[k].word, *rest;
	size_t wlen = strlen(word);
	long n;

	dst->kind = k;
	dst->number = dst->zone = 0;
	if (len < wlen || memcmp(body, word, wlen) != 0)
		return 0;
	rest = body + wlen;
	len -= wlen;
	if (placeholders[k].argument == PH_PLAIN)
		return len == 0;
	if (placeholders[k].argument != PH_NUMBER && len >= 2 &&
	    memcmp(rest + len - 2, ":b", 2) == 0) {
		dst->zone = 1;
		len -= 2;
	}
	if (placeholders[k].argument == PH_ZONED)
		return len == 0;
	if (placeholders[k].argument == PH_NUMBER) {
		if (len == 0 || rest[0] != ':')
			return 0;
		rest++;
		len--;
	} else if (len == 0 || rest[0] < '0' || rest[0] > '9') {
		return 0;
	}
	n = digits(rest, len, placeholders[k].max);
	dst->number = n < 0 ? 0 : (unsigned)n;
	return n < 0 ? -1 : 1;
}

int
placeholder_parse(struct placeholder *dst, const char *text, char *err, size_t errlen)
{
	const char *end = strchr(text, '}');
	int r;

	if (end == NULL) {
		snprintf(err, errlen, "%.20s: the brace is not closed", text);
		return -1;
	}
	dst->len = (size_t)(end - text) + 1;
	for (unsigned k = 0; k < PH_MAX; k++) {
		r = placeholder_match(dst, (enum placeholder_kind)k, text + 1, dst->len - 2);
		if (r > 0)
			return 0;
		if (r < 0) {
			snprintf(err, errlen, "%.*s: K must be 0 to %u",
			    (int)(dst->len > 40 ? 40 : dst->len), text, placeholders[k].max);
			return -1;
		}
	}
	snprintf(
	    err, errlen, "%.*s: no such placeholder", (int)(dst->len > 40 ? 40 : dst->len), text);
	return -1;
}

/* Labels with their dots, as a template may have them before the placeholder. */
static int
labels_check(const char *name, size_t len, char *err, size_t errlen)
{
	size_t label = 0;

	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		if (c == '.') {
			if (label == 0 || label > 63) {
				snprintf(err, errlen, "%.60s: a label must have 1 to 63 characters",
				    name);
				return -1;
			}
			label = 0;
			continue;
		}
		if (!islower((unsigned char)c) && !isdigit((unsigned char)c) && c != '-' &&
		    c != '_') {
			snprintf(err, errlen, "%.60s: a label is made of a-z, 0-9, - and _", name);
			return -1;
		}
		label++;
	}
	if (label != 0) {
		snprintf(err, errlen, "%.60s: there must be a dot before the placeholder", name);
		return -1;
	}
	if (len > 100) {
		snprintf(
		    err, errlen, "%.60s: more than 100 characters before the placeholder", name);
		return -1;
	}
	return 0;
}

/* "{t}.LABEL.": what it says of dst, and where the placeholder behind it begins.  NULL: err. */
static const char *
side_parse(struct template_name *dst, const char *name, const char *after, char *err, size_t errlen)
{
	const char *brace = strchr(after, '{');
	size_t len = brace != NULL ? (size_t)(brace - after) : 0;

	if (len < 3 || after[0] != '.' || memchr(after + 1, '.', len - 2) != NULL ||
	    strncmp(brace, "{zone", 5) != 0) {
		snprintf(err, errlen, "%.60s: {t} must be followed by .LABEL.{zone}", name);
		return NULL;
	}
	if (labels_check(after + 1, len - 1, err, errlen) != 0)
		return NULL;
	/* mxK and a second token would be read as something else */
	if (len == 2 + 16 || (strncmp(after + 1, "mx", 2) == 0 && len < 7)) {
		snprintf(err, errlen, "%.60s: LABEL must not look like mxK or a token", name);
		return NULL;
	}
	dst->side = after + 1;
	dst->side_len = len - 2;
	return brace;
}

int
template_name_parse(struct template_name *dst, const char *name, char *err, size_t errlen)
{
	const char *brace = strchr(name, '{');
	struct placeholder p;

	if (brace == NULL) {
		snprintf(
		    err, errlen, "%.60s: a name must end in {d}, {mxK}, {zone} or {base}", name);
		return -1;
	}
	dst->label = name;
	dst->label_len = (size_t)(brace - name);
	if (labels_check(name, dst->label_len, err, errlen) != 0 ||
	    placeholder_parse(&p, brace, err, errlen) != 0)
		return -1;
	dst->side = NULL;
	dst->side_len = 0;
	if (p.kind == PH_TOKEN && brace[p.len] != '\0' &&
	    ((brace = side_parse(dst, name, brace + p.len, err, errlen)) == NULL ||
		placeholder_parse(&p, brace, err, errlen) != 0))
		return -1;
	dst->host = p.number;
	dst->zone = p.zone;
	switch (p.kind) {
	case PH_D:
		dst->root = ROOT_D;
		break;
	case PH_MX:
		dst->root = ROOT_MX;
		break;
	case PH_ZONE:
		dst->root = dst->side != NULL ? ROOT_SIDE : ROOT_ZONE;
		break;
	case PH_BASE:
		dst->root = ROOT_BASE;
		break;
	default:
		snprintf(
		    err, errlen, "%.60s: a name must end in {d}, {mxK}, {zone} or {base}", name);
		return -1;
	}
	if (brace[p.len] != '\0') {
		snprintf(err, errlen,
		    "%.60s: nothing may follow the placeholder, which stands for the rest", name);
		return -1;
	}
	return 0;
}
