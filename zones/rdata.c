/* rdata.c - see rdata.h. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "zones/names.h"
#include "zones/rdata.h"
#include "zones/test.h"

/* A quoted word as a master-file character string (RFC 1035 5.1). */
static void
add_quoted(struct strbuf *b, const char *s)
{
	strbuf_puts(b, "\"");
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			strbuf_printf(b, "\\%c", c);
		else if (c < 0x20 || c > 0x7e)
			strbuf_printf(b, "\\%03u", c);
		else
			strbuf_printf(b, "%c", c);
	}
	strbuf_puts(b, "\"");
}

/* Which kind of address a placeholder gives: 4, 6 or 0 for none. */
static int
placeholder_family(enum placeholder_kind k)
{
	switch (k) {
	case PH_IPV4:
	case PH_IPV4_REFUSED:
	case PH_IPV4_SILENT:
	case PH_POLICY4:
	case PH_NS4:
	case PH_MAIL4:
		return 4;
	case PH_IPV6:
	case PH_IPV6_REFUSED:
	case PH_IPV6_SILENT:
	case PH_POLICY6:
	case PH_NS6:
		return 6;
	default:
		return 0;
	}
}

static int
check_address(const char *word, int family, char *err, size_t errlen)
{
	unsigned char addr[16];
	struct placeholder p;

	if (word[0] != '{') {
		if (inet_pton(family == 4 ? AF_INET : AF_INET6, word, addr) == 1)
			return 0;
		snprintf(err, errlen, "%.60s: no IPv%d address", word, family);
		return -1;
	}
	if (placeholder_parse(&p, word, err, errlen) != 0)
		return -1;
	if (placeholder_family(p.kind) != family || word[p.len] != '\0') {
		snprintf(err, errlen, "%.60s: gives no IPv%d address", word, family);
		return -1;
	}
	return 0;
}

/* Every brace of a word begins a known placeholder, and addresses stand only in A and AAAA. */
static int
check_placeholders(const char *word, uint16_t type, char *err, size_t errlen)
{
	struct placeholder p;

	for (const char *s = word; *s != '\0'; s++) {
		if (s[0] == '%' && s[1] == '{' && strchr(s, '}') != NULL) {
			s = strchr(s, '}'); /* a macro of SPF, RFC 7208 7.1 */
			continue;
		}
		if (*s == '}') {
			snprintf(err, errlen, "%.60s: a brace is closed that was not opened", word);
			return -1;
		}
		if (*s != '{')
			continue;
		if (placeholder_parse(&p, s, err, errlen) != 0)
			return -1;
		if (placeholder_family(p.kind) != 0 && type != 1 && type != 28 && type != 16 &&
		    type != 64 && type != 65 &&
		    !(type == 15 && p.kind == PH_IPV4 && strcmp(s + p.len, ".") == 0)) {
			snprintf(err, errlen, "%.60s: an address has no place in this type", word);
			return -1;
		}
		s += p.len - 1;
	}
	return 0;
}

static int
check_number(const char *word, unsigned long max, const char *what, char *err, size_t errlen)
{
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	if (isdigit((unsigned char)word[0]) && *end == '\0' && n <= max)
		return 0;
	snprintf(err, errlen, "%s %.40s: must be a number from 0 to %lu", what, word, max);
	return -1;
}

/* A domain name: a template name, "." or an absolute one, also one that is the digits of an address. */
static int
check_name(const char *word, char *err, size_t errlen)
{
	struct template_name name;
	struct placeholder p;
	size_t len = strlen(word);

	if (strchr(word, '{') == NULL && len > 0 && word[len - 1] == '.' && len < 254)
		return 0;
	if (strchr(word, '{') == NULL) {
		snprintf(err, errlen, "%.60s: a name ends in a placeholder or in a dot", word);
		return -1;
	}
	if (placeholder_parse(&p, word, err, errlen) == 0 && p.kind == PH_IPV4 &&
	    strcmp(word + p.len, ".") == 0)
		return 0;
	return template_name_parse(&name, word, err, errlen);
}

static int
check_tlsa(const struct text_line *l, unsigned from, char *err, size_t errlen)
{
	for (unsigned i = 0; i < 3; i++)
		if (check_number(l->word[from + i], 255, "TLSA", err, errlen) != 0)
			return -1;
	for (unsigned i = from + 3; i < l->n; i++)
		if (l->word[i][0] != '{' &&
		    strspn(l->word[i], "0123456789abcdefABCDEF") != strlen(l->word[i])) {
			snprintf(err, errlen, "%.40s: TLSA data is hexadecimal or a placeholder",
			    l->word[i]);
			return -1;
		}
	return 0;
}

static int
check_type(const struct text_line *l, unsigned from, uint16_t type, char *err, size_t errlen)
{
	switch (type) {
	case 1:
		return check_address(l->word[from], 4, err, errlen);
	case 28:
		return check_address(l->word[from], 6, err, errlen);
	case 2:
	case 5:
	case 39:
		return check_name(l->word[from], err, errlen);
	case 15:
		if (check_number(l->word[from], 65535, "preference", err, errlen) != 0)
			return -1;
		return check_name(l->word[from + 1], err, errlen);
	case 52:
		return check_tlsa(l, from, err, errlen);
	case 41:
	case 46:
	case 47:
	case 50:
		snprintf(err, errlen, "this type: is made by the name server, not by a test");
		return -1;
	default:
		return 0;
	}
}

char *
rdata_text(const struct text_line *l, unsigned from, uint16_t type, char *err, size_t errlen)
{
	struct strbuf b = { 0 };
	unsigned min, max;
	char buf[12];

	rrtype_fields(type, &min, &max);
	if (l->n - from < min || (max != 0 && l->n - from > max)) {
		snprintf(err, errlen, "%s: has %u words of data, it needs %s%u",
		    rrtype_name(type, buf), l->n - from, max == min ? "" : "at least ", min);
		return NULL;
	}
	for (unsigned i = from; i < l->n; i++)
		if (check_placeholders(l->word[i], type, err, errlen) != 0)
			return NULL;
	if (check_type(l, from, type, err, errlen) != 0)
		return NULL;
	for (unsigned i = from; i < l->n; i++) {
		if (i > from)
			strbuf_puts(&b, " ");
		if (l->quoted[i])
			add_quoted(&b, l->word[i]);
		else
			strbuf_puts(&b, l->word[i]);
	}
	return b.s;
}
