/* hello.c - see hello.h.  MD5 and SHA-256 without EVP are deprecated in OpenSSL 3, but EVP asks for the function by
 * name each time, which costs more than these short texts. */
#define OPENSSL_API_COMPAT 0x10101000L

#include "smtpd/hello.h"

#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	EXT_SNI = 0,
	EXT_GROUPS = 10,
	EXT_FORMATS = 11,
	EXT_SIGALGS = 13,
	EXT_ALPN = 16,
	EXT_VERSIONS = 43,
	EXT_SHARES = 51
};

/* What is left to read.  Every take checks; a failure empties the rest. */
struct span {
	const unsigned char *p;
	size_t len;
};

static bool
take(struct span *dst, struct span *s, size_t n)
{
	if (n > s->len) {
		s->len = 0;
		return false;
	}
	dst->p = s->p;
	dst->len = n;
	s->p += n;
	s->len -= n;
	return true;
}

static bool
take_number(size_t *dst, struct span *s, size_t octets)
{
	struct span v;

	if (!take(&v, s, octets))
		return false;
	*dst = 0;
	for (size_t i = 0; i < octets; i++)
		*dst = *dst << 8 | v.p[i];
	return true;
}

/* A vector with a length in front of it (RFC 8446 3.4). */
static bool
take_vector(struct span *dst, struct span *s, size_t octets)
{
	size_t n;

	return take_number(&n, s, octets) && take(dst, s, n);
}

static void
list_add(struct hello_list *l, size_t v)
{
	if (l->n < HELLO_LIST_MAX)
		l->v[l->n++] = (uint16_t)v;
	l->total++;
}

static void
list_read(struct hello_list *l, struct span s, size_t octets)
{
	size_t v;

	while (take_number(&v, &s, octets))
		list_add(l, v);
}

static void
read_sni(struct hello *h, struct span s)
{
	struct span list, name;
	size_t type;

	if (!take_vector(&list, &s, 2) || !take_number(&type, &list, 1) || type != 0 ||
	    !take_vector(&name, &list, 2))
		return;
	for (size_t i = 0; i < name.len && i < sizeof h->sni - 1; i++)
		h->sni[i] = name.p[i] > 0x20 && name.p[i] < 0x7f ? (char)name.p[i] : '?';
}

static void
read_alpn(struct hello *h, struct span s)
{
	struct span list, name;
	size_t out = 0;

	if (!take_vector(&list, &s, 2))
		return;
	while (take_vector(&name, &list, 1)) {
		if (out + name.len + 2 > sizeof h->alpn)
			return;
		if (out > 0)
			h->alpn[out++] = ',';
		for (size_t i = 0; i < name.len; i++)
			h->alpn[out++] = name.p[i] > 0x20 && name.p[i] < 0x7f && name.p[i] != ','
					     ? (char)name.p[i]
					     : '?';
		h->alpn[out] = '\0';
	}
}

/* KeyShareEntry: group, key_exchange<1..2^16-1> (RFC 8446 4.2.8). */
static void
read_shares(struct hello *h, struct span s)
{
	struct span list, key;
	size_t group;

	if (!take_vector(&list, &s, 2))
		return;
	while (take_number(&group, &list, 2) && take_vector(&key, &list, 2))
		list_add(&h->shares, group);
}

static void
read_extension(struct hello *h, size_t type, struct span body)
{
	struct span v;

	list_add(&h->extensions, type);
	switch (type) {
	case EXT_SNI:
		read_sni(h, body);
		break;
	case EXT_GROUPS:
		if (take_vector(&v, &body, 2))
			list_read(&h->groups, v, 2);
		break;
	case EXT_FORMATS:
		if (take_vector(&v, &body, 1))
			list_read(&h->formats, v, 1);
		break;
	case EXT_SIGALGS:
		if (take_vector(&v, &body, 2))
			list_read(&h->sigalgs, v, 2);
		break;
	case EXT_ALPN:
		read_alpn(h, body);
		break;
	case EXT_SHARES:
		read_shares(h, body);
		break;
	case EXT_VERSIONS:
		if (take_vector(&v, &body, 1)) {
			h->versions.n = h->versions.total = 0;
			h->has_versions = true;
			list_read(&h->versions, v, 2);
		}
		break;
	}
}

/* RFC 5246 E.2: msg_type 1, version, lengths of cipher specs, session id, challenge.  Cipher specs have
 * three octets; those of TLS begin with 0. */
static bool
decode_sslv2(struct hello *h, struct span s)
{
	size_t type, version, n_specs, n_id, n_challenge, spec;
	struct span specs;

	if (!take_number(&type, &s, 1) || type != 1 || !take_number(&version, &s, 2) ||
	    !take_number(&n_specs, &s, 2) || !take_number(&n_id, &s, 2) ||
	    !take_number(&n_challenge, &s, 2) || n_specs % 3 != 0 ||
	    n_specs + n_id + n_challenge != s.len || !take(&specs, &s, n_specs))
		return false;
	h->sslv2 = true;
	h->legacy_version = (uint16_t)version;
	list_add(&h->versions, version);
	while (take_number(&spec, &specs, 3))
		if (spec < 0x10000)
			list_add(&h->ciphers, spec);
	return true;
}

static bool
decode_body(struct hello *h, struct span s)
{
	struct span v, exts, body;
	size_t n;

	if (!take_number(&n, &s, 2))
		return false;
	h->legacy_version = (uint16_t)n;
	list_add(&h->versions, n);
	if (!take(&v, &s, 32) || !take_vector(&v, &s, 1) || !take_vector(&v, &s, 2))
		return false;
	list_read(&h->ciphers, v, 2);
	if (v.len % 2 != 0 || !take_vector(&v, &s, 1))
		return false;
	if (s.len == 0)
		return true; /* no extensions at all: legal before TLS 1.3 */
	if (!take_vector(&exts, &s, 2))
		return false;
	while (exts.len > 0) {
		if (!take_number(&n, &exts, 2) || !take_vector(&body, &exts, 2))
			return false;
		read_extension(h, n, body);
	}
	return s.len == 0;
}

void
hello_decode(struct hello *h, const unsigned char *msg, size_t len)
{
	struct span s = { msg, len }, body;
	size_t type, n;

	memset(h, 0, sizeof *h);
	if (decode_sslv2(h, s))
		return;
	memset(h, 0, sizeof *h);
	if (!take_number(&type, &s, 1) || type != 1 || !take_number(&n, &s, 3) ||
	    !take(&body, &s, n)) {
		h->malformed = true;
		return;
	}
	h->malformed = !decode_body(h, body) || s.len != 0;
}

static const char hex_digits[] = "0123456789abcdef";

/* One number of a list as text, without an end; its length.  Printed by hand: every ClientHello has
 * a hundred of them, three times over. */
static size_t
put_hex(char dst[5], unsigned v)
{
	for (int i = 3; i >= 0; i--, v >>= 4)
		dst[i] = hex_digits[v & 15];
	return 4;
}

static size_t
put_decimal(char dst[5], unsigned v)
{
	size_t n = 1;

	for (unsigned rest = v; rest > 9; rest /= 10)
		n++;
	for (size_t i = n; i > 0; i--, v /= 10)
		dst[i - 1] = (char)('0' + v % 10);
	return n;
}

/* Its length. */
static size_t
list_format(char *dst, size_t dstlen, const struct hello_list *l, size_t (*put)(char[5], unsigned),
    char join)
{
	size_t out = 0;
	char one[5];

	dst[0] = '\0';
	for (unsigned i = 0; i < l->n; i++) {
		size_t n = put(one, l->v[i]);

		if (out + n + 2 > dstlen)
			break;
		if (i > 0)
			dst[out++] = join;
		memcpy(dst + out, one, n);
		out += n;
		dst[out] = '\0';
	}
	return out;
}

void
hello_list_hex(char *dst, size_t dstlen, const struct hello_list *l)
{
	list_format(dst, dstlen, l, put_hex, ',');
}

void
hello_list_decimal(char *dst, size_t dstlen, const struct hello_list *l)
{
	list_format(dst, dstlen, l, put_decimal, ',');
}

/* RFC 8701: 0x0a0a, 0x1a1a ... 0xfafa. */
static bool
is_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static void
without_grease(struct hello_list *dst, const struct hello_list *src)
{
	dst->n = dst->total = 0;
	for (unsigned i = 0; i < src->n; i++)
		if (!is_grease(src->v[i]))
			list_add(dst, src->v[i]);
}

static void
put_digest(char *dst, size_t digits, const unsigned char *digest)
{
	for (size_t i = 0; i < digits; i++)
		dst[i] = hex_digits[digest[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
	dst[digits] = '\0';
}

/* Longest text of a list: 5 digits and a comma each. */
#define LIST_TEXT (HELLO_LIST_MAX * 6 + 1)

/* The parts are joined by ",", the numbers in them by "-". */
void
hello_ja3(char dst[33], const struct hello *h)
{
	struct hello_list l;
	const struct hello_list *const parts[] = { &h->ciphers, &h->extensions, &h->groups,
		&h->formats };
	unsigned char digest[MD5_DIGEST_LENGTH];
	char text[8 + 4 * LIST_TEXT];
	size_t n = put_decimal(text, h->legacy_version);

	for (unsigned i = 0; i < 4; i++) {
		if (i == 3)
			l = *parts[i]; /* point formats have no GREASE: RFC 8701 2 */
		else
			without_grease(&l, parts[i]);
		text[n++] = ',';
		n += list_format(text + n, sizeof text - n, &l, put_decimal, '-');
	}
	MD5((const unsigned char *)text, n, digest);
	put_digest(dst, 32, digest);
}

static const char *
ja4_version(const struct hello *h)
{
	static const struct {
		uint16_t v;
		const char *text;
	} rows[] = { { 0x0304, "13" }, { 0x0303, "12" }, { 0x0302, "11" }, { 0x0301, "10" },
		{ 0x0300, "s3" }, { 0x0002, "s2" } };
	uint16_t best = 0;

	for (unsigned i = 0; i < h->versions.n; i++)
		if (!is_grease(h->versions.v[i]) && h->versions.v[i] > best)
			best = h->versions.v[i];
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].v == best)
			return rows[i].text;
	return "00";
}

/* First and last character of the first ALPN value; "00" without one; hex digits if not alphanumeric. */
static void
ja4_alpn(char dst[3], const struct hello *h)
{
	size_t n = strcspn(h->alpn, ",");
	unsigned char a, z;

	if (n == 0) {
		memcpy(dst, "00", 3);
		return;
	}
	a = (unsigned char)h->alpn[0];
	z = (unsigned char)h->alpn[n - 1];
#define ALNUM(c) (((c) >= '0' && (c) <= '9') || (((c) | 0x20) >= 'a' && ((c) | 0x20) <= 'z'))
	if (ALNUM(a) && ALNUM(z))
		snprintf(dst, 3, "%c%c", a, z);
	else
		snprintf(dst, 3, "%x%x", a >> 4, z & 15);
#undef ALNUM
}

/* The first 12 digits of SHA-256; zeros if there is nothing to hash. */
static void
ja4_digest(char dst[13], const char *text, size_t len)
{
	unsigned char digest[SHA256_DIGEST_LENGTH] = { 0 };
	SHA256_CTX ctx;

	if (len > 0) {
		SHA256_Init(&ctx);
		SHA256_Update(&ctx, text, len);
		SHA256_Final(digest, &ctx);
	}
	put_digest(dst, 12, digest);
}

static int
by_value(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

void
hello_ja4(char dst[37], const struct hello *h)
{
	struct hello_list ciphers, exts, hashed, sigalgs;
	char alpn[3], text[2 * LIST_TEXT + 2];
	size_t n;
	unsigned n_ciphers, n_exts;

	without_grease(&ciphers, &h->ciphers);
	without_grease(&exts, &h->extensions);
	without_grease(&sigalgs, &h->sigalgs);
	hashed.n = hashed.total = 0;
	for (unsigned i = 0; i < exts.n; i++)
		if (exts.v[i] != EXT_SNI && exts.v[i] != EXT_ALPN)
			list_add(&hashed, exts.v[i]);
	n_ciphers = ciphers.n < 99 ? ciphers.n : 99;
	n_exts = exts.n < 99 ? exts.n : 99;
	ja4_alpn(alpn, h);
	snprintf(dst, 37, "t%s%c%02u%02u%s_", ja4_version(h), h->sni[0] != '\0' ? 'd' : 'i',
	    n_ciphers, n_exts, alpn);
	qsort(ciphers.v, ciphers.n, sizeof *ciphers.v, by_value);
	qsort(hashed.v, hashed.n, sizeof *hashed.v, by_value);
	n = list_format(text, LIST_TEXT, &ciphers, put_hex, ',');
	ja4_digest(dst + 11, text, n);
	dst[23] = '_';
	n = list_format(text, LIST_TEXT, &hashed, put_hex, ',');
	if (hashed.n > 0 && sigalgs.n > 0) {
		text[n++] = '_';
		n += list_format(text + n, LIST_TEXT, &sigalgs, put_hex, ',');
	}
	ja4_digest(dst + 24, text, n);
}
