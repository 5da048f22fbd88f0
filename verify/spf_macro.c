#include "verify/spf_macro.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/strbuf.h"

#define DELIMITERS ".-+,/_="
#define PARTS_MAX                                                                                  \
	128 /* 7.3: at least a value of 127 must be supported; a name has no more labels */

/* One element of a macro string, taken apart. */
struct piece {
	char letter; /* of %{...}, lower case; 0: literal stands for the whole */
	char literal[4];
	bool url;       /* the letter was upper case */
	bool reverse;   /* r */
	unsigned parts; /* 0: all */
	char delimiters[sizeof(DELIMITERS)];
	size_t len; /* what it takes in the string */
};

int
spf_error_at(struct spf_error *err, size_t at, const char *fmt, ...)
{
	va_list ap;

	err->at = at;
	va_start(ap, fmt);
	vsnprintf(err->why, sizeof(err->why), fmt, ap);
	va_end(ap);
	return -1;
}

/* Behind "%{": letter, digits, r, delimiters, }. */
static int
parse_letter(struct piece *p, const char *s, size_t len, size_t base, struct spf_error *err)
{
	size_t i = 2, n = 0;
	unsigned long parts = 0;
	bool digits = false;

	if (i == len || s[i] == '\0' || strchr("slodipvhcrt", tolower((unsigned char)s[i])) == NULL)
		return spf_error_at(err, base + i, "unknown macro letter after %%{");
	p->letter = (char)tolower((unsigned char)s[i]);
	p->url = isupper((unsigned char)s[i]);
	for (i++; i < len && isdigit((unsigned char)s[i]); i++) {
		parts = parts * 10 + (unsigned long)(s[i] - '0');
		parts = parts > PARTS_MAX ? PARTS_MAX : parts;
		digits = true;
	}
	if (digits && parts == 0)
		return spf_error_at(err, base + i - 1, "a macro may not ask for 0 parts");
	p->parts = (unsigned)parts;
	if (i < len && (s[i] == 'r' || s[i] == 'R')) {
		p->reverse = true;
		i++;
	}
	for (; i < len && s[i] != '\0' && strchr(DELIMITERS, s[i]) != NULL; i++)
		if (strchr(p->delimiters, s[i]) == NULL)
			p->delimiters[n++] = s[i];
	if (i == len || s[i] != '}')
		return spf_error_at(err, base + i,
		    i == len ? "a macro is not closed by }" : "this may not stand in a macro");
	p->len = i + 1;
	return 0;
}

/* The piece at the start of s; base is its place, for errors. */
static int
parse_piece(struct piece *p, const char *s, size_t len, size_t base, struct spf_error *err)
{
	memset(p, 0, sizeof(*p));
	p->len = 1;
	if (s[0] != '%') {
		p->literal[0] = s[0];
		return 0;
	}
	if (len > 1 && s[1] == '{')
		return parse_letter(p, s, len, base, err);
	p->len = 2;
	if (len > 1 && s[1] == '%')
		strcpy(p->literal, "%");
	else if (len > 1 && s[1] == '_')
		strcpy(p->literal, " ");
	else if (len > 1 && s[1] == '-')
		strcpy(p->literal, "%20");
	else
		return spf_error_at(err, base, "%% is not followed by { %% _ or -");
	return 0;
}

int
spf_macro_check(const char *s, size_t len, bool exp, bool *ends, struct spf_error *err)
{
	struct piece p;

	*ends = false;
	for (size_t i = 0; i < len; i += p.len) {
		unsigned char c = (unsigned char)s[i];

		if (c > 0x7e || c < (exp ? 0x20 : 0x21))
			return spf_error_at(err, i, "octet 0x%02x is not printable ASCII", c);
		if (parse_piece(&p, s + i, len - i, i, err) < 0)
			return -1;
		if (!exp && p.letter != 0 && strchr("crt", p.letter) != NULL)
			return spf_error_at(
			    err, i + 2, "macro letter %c is for explanations only", p.letter);
		*ends = c == '%';
	}
	return 0;
}

bool
spf_macro_uses(const char *s, size_t len, char letter)
{
	struct spf_error err;
	struct piece p;

	for (size_t i = 0; i < len; i += p.len) {
		if (parse_piece(&p, s + i, len - i, i, &err) < 0)
			return false;
		if (p.letter == letter)
			return true;
	}
	return false;
}

void
spf_address_format(char dst[SPF_ADDRESS_SIZE], const struct spf_address *a)
{
	inet_ntop(a->v6 ? AF_INET6 : AF_INET, a->octets, dst, SPF_ADDRESS_SIZE);
}

int
spf_address_parse(struct spf_address *a, const char *text)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, a->octets) == 1)
		return 0;
	if (inet_pton(AF_INET6, text, a->octets) != 1)
		return -1;
	a->v6 = memcmp(a->octets, mapped, sizeof(mapped)) != 0;
	if (!a->v6) {
		memmove(a->octets, a->octets + 12, 4);
		memset(a->octets + 4, 0, 12);
	}
	return 0;
}

/* i: dotted quad, or the nibbles with dots (7.3). */
static void
value_i(struct strbuf *b, const struct spf_address *a)
{
	char text[SPF_ADDRESS_SIZE];

	if (!a->v6) {
		spf_address_format(text, a);
		strbuf_puts(b, text);
		return;
	}
	for (unsigned i = 0; i < 16; i++)
		strbuf_printf(
		    b, "%s%X.%X", i > 0 ? "." : "", a->octets[i] >> 4, a->octets[i] & 15u);
}

static void
value(struct strbuf *b, char letter, const struct spf_macro *m)
{
	char text[SPF_ADDRESS_SIZE];

	switch (letter) {
	case 's':
		strbuf_printf(b, "%s@%s", m->local, m->sender_domain);
		break;
	case 'l':
		strbuf_puts(b, m->local);
		break;
	case 'o':
		strbuf_puts(b, m->sender_domain);
		break;
	case 'd':
		strbuf_puts(b, m->domain);
		break;
	case 'i':
		value_i(b, &m->client);
		break;
	case 'p':
		strbuf_puts(b, m->validated[0] != '\0' ? m->validated : "unknown");
		break;
	case 'v':
		strbuf_puts(b, m->client.v6 ? "ip6" : "in-addr");
		break;
	case 'h':
		strbuf_puts(b, m->helo);
		break;
	case 'c':
		spf_address_format(text, &m->client);
		strbuf_puts(b, text);
		break;
	case 'r':
		strbuf_puts(b, m->us[0] != '\0' ? m->us : "unknown");
		break;
	default: /* t */
		strbuf_printf(b, "%lld", (long long)m->now);
	}
}

/* Splits, reverses, takes the right-hand parts and joins them by dots. */
static void
transform(struct strbuf *dst, const char *s, size_t len, const struct piece *p)
{
	const char *delimiters = p->delimiters[0] != '\0' ? p->delimiters : ".";
	size_t parts = 1, first, at = 0;
	struct {
		size_t at, len;
	} part[2 * SPF_VALUE_MAX + 2];

	for (size_t i = 0; i < len && parts < sizeof(part) / sizeof(part[0]); i++) {
		if (strchr(delimiters, s[i]) == NULL)
			continue;
		part[parts - 1].at = at;
		part[parts - 1].len = i - at;
		parts++;
		at = i + 1;
	}
	part[parts - 1].at = at;
	part[parts - 1].len = len - at;
	first = p->parts > 0 && p->parts < parts ? parts - p->parts : 0;
	for (size_t i = first; i < parts; i++) {
		size_t k = p->reverse ? parts - 1 - i : i;

		if (i > first)
			strbuf_add(dst, ".", 1);
		strbuf_add(dst, s + part[k].at, part[k].len);
	}
}

static void
url_escape(struct strbuf *dst, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (isalnum(c) || (c != '\0' && strchr("-._~", c) != NULL))
			strbuf_add(dst, s + i, 1);
		else
			strbuf_printf(dst, "%%%02X", c);
	}
}

/* Appends what p stands for. */
static void
expand(struct strbuf *dst, const struct piece *p, const struct spf_macro *m)
{
	struct strbuf plain = { 0 }, parts = { 0 };

	if (p->letter == 0) {
		strbuf_puts(dst, p->literal);
		return;
	}
	value(&plain, p->letter, m);
	if (p->parts > 0 || p->reverse || p->delimiters[0] != '\0')
		transform(&parts, plain.len > 0 ? plain.s : "", plain.len, p);
	else
		strbuf_add(&parts, plain.s, plain.len);
	if (p->url)
		url_escape(dst, parts.s, parts.len);
	else
		strbuf_add(dst, parts.s, parts.len);
	strbuf_clear(&plain);
	strbuf_clear(&parts);
}

void
spf_macro_domain(char dst[SPF_DOMAIN_SIZE], const char *s, size_t len, const struct spf_macro *m)
{
	const size_t keep = 4096; /* the rest, at the left, cannot matter */
	struct strbuf b = { 0 };
	struct spf_error err;
	struct piece p;
	const char *name;
	size_t n;

	for (size_t i = 0; i < len; i += p.len) {
		if (parse_piece(&p, s + i, len - i, i, &err) < 0)
			break;
		expand(&b, &p, m);
		if (b.len > 2 * keep) {
			memmove(b.s, b.s + b.len - keep, keep + 1);
			b.len = keep;
		}
	}
	name = b.len > 0 ? b.s : "";
	n = b.len;
	if (n > 0 && name[n - 1] == '.')
		n--;
	while (n >= SPF_DOMAIN_SIZE) {
		const char *dot = memchr(name, '.', n);
		size_t cut = dot != NULL ? (size_t)(dot - name) + 1 : n;

		name += cut;
		n -= cut;
	}
	memcpy(dst, name, n);
	dst[n] = '\0';
	strbuf_clear(&b);
}

void
spf_macro_text(char *dst, size_t size, const char *s, size_t len, const struct spf_macro *m)
{
	struct strbuf b = { 0 };
	struct spf_error err;
	struct piece p;

	for (size_t i = 0; i < len && b.len < size; i += p.len) {
		if (parse_piece(&p, s + i, len - i, i, &err) < 0)
			break;
		expand(&b, &p, m);
	}
	snprintf(dst, size, "%s", b.len > 0 ? b.s : "");
	strbuf_clear(&b);
}
