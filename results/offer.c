/* offer.c - see offer.h. */
#include "results/offer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 8 /* told of one list; of more the number */

struct named {
	unsigned number;
	const char *name;
};

static const struct named versions[] = {
	{ 0x0002, "SSLv2" },
	{ 0x0300, "SSLv3" },
	{ 0x0301, "TLSv1.0" },
	{ 0x0302, "TLSv1.1" },
	{ 0x0303, "TLSv1.2" },
	{ 0x0304, "TLSv1.3" },
};

static const struct named groups[] = {
	{ 0x0017, "secp256r1" },
	{ 0x0018, "secp384r1" },
	{ 0x0019, "secp521r1" },
	{ 0x001d, "x25519" },
	{ 0x001e, "x448" },
	{ 0x0100, "ffdhe2048" },
	{ 0x0101, "ffdhe3072" },
	{ 0x0102, "ffdhe4096" },
	{ 0x0103, "ffdhe6144" },
	{ 0x0104, "ffdhe8192" },
	{ 0x0200, "MLKEM512" },
	{ 0x0201, "MLKEM768" },
	{ 0x0202, "MLKEM1024" },
	{ 0x11eb, "SecP256r1MLKEM768" },
	{ 0x11ec, "X25519MLKEM768" },
	{ 0x11ed, "SecP384r1MLKEM1024" },
	{ 0x6399, "X25519Kyber768Draft00" },
	{ 0x639a, "SecP256r1Kyber768Draft00" },
};

/* The registry of TLS cipher suites, without TLS_ and without those that mail has no use for
 * (pre-shared keys, Kerberos, SRP). */
static const struct named ciphers[] = {
	{ 0x0000, "NULL_WITH_NULL_NULL" },
	{ 0x0001, "RSA_WITH_NULL_MD5" },
	{ 0x0002, "RSA_WITH_NULL_SHA" },
	{ 0x0003, "RSA_EXPORT_WITH_RC4_40_MD5" },
	{ 0x0004, "RSA_WITH_RC4_128_MD5" },
	{ 0x0005, "RSA_WITH_RC4_128_SHA" },
	{ 0x0006, "RSA_EXPORT_WITH_RC2_CBC_40_MD5" },
	{ 0x0007, "RSA_WITH_IDEA_CBC_SHA" },
	{ 0x0008, "RSA_EXPORT_WITH_DES40_CBC_SHA" },
	{ 0x0009, "RSA_WITH_DES_CBC_SHA" },
	{ 0x000a, "RSA_WITH_3DES_EDE_CBC_SHA" },
	{ 0x000b, "DH_DSS_EXPORT_WITH_DES40_CBC_SHA" },
	{ 0x000c, "DH_DSS_WITH_DES_CBC_SHA" },
	{ 0x000d, "DH_DSS_WITH_3DES_EDE_CBC_SHA" },
	{ 0x000e, "DH_RSA_EXPORT_WITH_DES40_CBC_SHA" },
	{ 0x000f, "DH_RSA_WITH_DES_CBC_SHA" },
	{ 0x0010, "DH_RSA_WITH_3DES_EDE_CBC_SHA" },
	{ 0x0011, "DHE_DSS_EXPORT_WITH_DES40_CBC_SHA" },
	{ 0x0012, "DHE_DSS_WITH_DES_CBC_SHA" },
	{ 0x0013, "DHE_DSS_WITH_3DES_EDE_CBC_SHA" },
	{ 0x0014, "DHE_RSA_EXPORT_WITH_DES40_CBC_SHA" },
	{ 0x0015, "DHE_RSA_WITH_DES_CBC_SHA" },
	{ 0x0016, "DHE_RSA_WITH_3DES_EDE_CBC_SHA" },
	{ 0x0017, "DH_anon_EXPORT_WITH_RC4_40_MD5" },
	{ 0x0018, "DH_anon_WITH_RC4_128_MD5" },
	{ 0x0019, "DH_anon_EXPORT_WITH_DES40_CBC_SHA" },
	{ 0x001a, "DH_anon_WITH_DES_CBC_SHA" },
	{ 0x001b, "DH_anon_WITH_3DES_EDE_CBC_SHA" },
	{ 0x002f, "RSA_WITH_AES_128_CBC_SHA" },
	{ 0x0030, "DH_DSS_WITH_AES_128_CBC_SHA" },
	{ 0x0031, "DH_RSA_WITH_AES_128_CBC_SHA" },
	{ 0x0032, "DHE_DSS_WITH_AES_128_CBC_SHA" },
	{ 0x0033, "DHE_RSA_WITH_AES_128_CBC_SHA" },
	{ 0x0034, "DH_anon_WITH_AES_128_CBC_SHA" },
	{ 0x0035, "RSA_WITH_AES_256_CBC_SHA" },
	{ 0x0036, "DH_DSS_WITH_AES_256_CBC_SHA" },
	{ 0x0037, "DH_RSA_WITH_AES_256_CBC_SHA" },
	{ 0x0038, "DHE_DSS_WITH_AES_256_CBC_SHA" },
	{ 0x0039, "DHE_RSA_WITH_AES_256_CBC_SHA" },
	{ 0x003a, "DH_anon_WITH_AES_256_CBC_SHA" },
	{ 0x003b, "RSA_WITH_NULL_SHA256" },
	{ 0x003c, "RSA_WITH_AES_128_CBC_SHA256" },
	{ 0x003d, "RSA_WITH_AES_256_CBC_SHA256" },
	{ 0x003e, "DH_DSS_WITH_AES_128_CBC_SHA256" },
	{ 0x003f, "DH_RSA_WITH_AES_128_CBC_SHA256" },
	{ 0x0040, "DHE_DSS_WITH_AES_128_CBC_SHA256" },
	{ 0x0041, "RSA_WITH_CAMELLIA_128_CBC_SHA" },
	{ 0x0042, "DH_DSS_WITH_CAMELLIA_128_CBC_SHA" },
	{ 0x0043, "DH_RSA_WITH_CAMELLIA_128_CBC_SHA" },
	{ 0x0044, "DHE_DSS_WITH_CAMELLIA_128_CBC_SHA" },
	{ 0x0045, "DHE_RSA_WITH_CAMELLIA_128_CBC_SHA" },
	{ 0x0046, "DH_anon_WITH_CAMELLIA_128_CBC_SHA" },
	{ 0x0062, "RSA_EXPORT1024_WITH_DES_CBC_SHA" },
	{ 0x0063, "DHE_DSS_EXPORT1024_WITH_DES_CBC_SHA" },
	{ 0x0064, "RSA_EXPORT1024_WITH_RC4_56_SHA" },
	{ 0x0065, "DHE_DSS_EXPORT1024_WITH_RC4_56_SHA" },
	{ 0x0066, "DHE_DSS_WITH_RC4_128_SHA" },
	{ 0x0067, "DHE_RSA_WITH_AES_128_CBC_SHA256" },
	{ 0x0068, "DH_DSS_WITH_AES_256_CBC_SHA256" },
	{ 0x0069, "DH_RSA_WITH_AES_256_CBC_SHA256" },
	{ 0x006a, "DHE_DSS_WITH_AES_256_CBC_SHA256" },
	{ 0x006b, "DHE_RSA_WITH_AES_256_CBC_SHA256" },
	{ 0x006c, "DH_anon_WITH_AES_128_CBC_SHA256" },
	{ 0x006d, "DH_anon_WITH_AES_256_CBC_SHA256" },
	{ 0x0084, "RSA_WITH_CAMELLIA_256_CBC_SHA" },
	{ 0x0085, "DH_DSS_WITH_CAMELLIA_256_CBC_SHA" },
	{ 0x0086, "DH_RSA_WITH_CAMELLIA_256_CBC_SHA" },
	{ 0x0087, "DHE_DSS_WITH_CAMELLIA_256_CBC_SHA" },
	{ 0x0088, "DHE_RSA_WITH_CAMELLIA_256_CBC_SHA" },
	{ 0x0089, "DH_anon_WITH_CAMELLIA_256_CBC_SHA" },
	{ 0x0096, "RSA_WITH_SEED_CBC_SHA" },
	{ 0x0097, "DH_DSS_WITH_SEED_CBC_SHA" },
	{ 0x0098, "DH_RSA_WITH_SEED_CBC_SHA" },
	{ 0x0099, "DHE_DSS_WITH_SEED_CBC_SHA" },
	{ 0x009a, "DHE_RSA_WITH_SEED_CBC_SHA" },
	{ 0x009b, "DH_anon_WITH_SEED_CBC_SHA" },
	{ 0x009c, "RSA_WITH_AES_128_GCM_SHA256" },
	{ 0x009d, "RSA_WITH_AES_256_GCM_SHA384" },
	{ 0x009e, "DHE_RSA_WITH_AES_128_GCM_SHA256" },
	{ 0x009f, "DHE_RSA_WITH_AES_256_GCM_SHA384" },
	{ 0x00a0, "DH_RSA_WITH_AES_128_GCM_SHA256" },
	{ 0x00a1, "DH_RSA_WITH_AES_256_GCM_SHA384" },
	{ 0x00a2, "DHE_DSS_WITH_AES_128_GCM_SHA256" },
	{ 0x00a3, "DHE_DSS_WITH_AES_256_GCM_SHA384" },
	{ 0x00a4, "DH_DSS_WITH_AES_128_GCM_SHA256" },
	{ 0x00a5, "DH_DSS_WITH_AES_256_GCM_SHA384" },
	{ 0x00a6, "DH_anon_WITH_AES_128_GCM_SHA256" },
	{ 0x00a7, "DH_anon_WITH_AES_256_GCM_SHA384" },
	{ 0x00ba, "RSA_WITH_CAMELLIA_128_CBC_SHA256" },
	{ 0x00bd, "DHE_DSS_WITH_CAMELLIA_128_CBC_SHA256" },
	{ 0x00be, "DHE_RSA_WITH_CAMELLIA_128_CBC_SHA256" },
	{ 0x00bf, "DH_anon_WITH_CAMELLIA_128_CBC_SHA256" },
	{ 0x00c0, "RSA_WITH_CAMELLIA_256_CBC_SHA256" },
	{ 0x00c3, "DHE_DSS_WITH_CAMELLIA_256_CBC_SHA256" },
	{ 0x00c4, "DHE_RSA_WITH_CAMELLIA_256_CBC_SHA256" },
	{ 0x00c5, "DH_anon_WITH_CAMELLIA_256_CBC_SHA256" },
	{ 0x1301, "AES_128_GCM_SHA256" },
	{ 0x1302, "AES_256_GCM_SHA384" },
	{ 0x1303, "CHACHA20_POLY1305_SHA256" },
	{ 0x1304, "AES_128_CCM_SHA256" },
	{ 0x1305, "AES_128_CCM_8_SHA256" },
	{ 0xc001, "ECDH_ECDSA_WITH_NULL_SHA" },
	{ 0xc002, "ECDH_ECDSA_WITH_RC4_128_SHA" },
	{ 0xc003, "ECDH_ECDSA_WITH_3DES_EDE_CBC_SHA" },
	{ 0xc004, "ECDH_ECDSA_WITH_AES_128_CBC_SHA" },
	{ 0xc005, "ECDH_ECDSA_WITH_AES_256_CBC_SHA" },
	{ 0xc006, "ECDHE_ECDSA_WITH_NULL_SHA" },
	{ 0xc007, "ECDHE_ECDSA_WITH_RC4_128_SHA" },
	{ 0xc008, "ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA" },
	{ 0xc009, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA" },
	{ 0xc00a, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA" },
	{ 0xc00b, "ECDH_RSA_WITH_NULL_SHA" },
	{ 0xc00c, "ECDH_RSA_WITH_RC4_128_SHA" },
	{ 0xc00d, "ECDH_RSA_WITH_3DES_EDE_CBC_SHA" },
	{ 0xc00e, "ECDH_RSA_WITH_AES_128_CBC_SHA" },
	{ 0xc00f, "ECDH_RSA_WITH_AES_256_CBC_SHA" },
	{ 0xc010, "ECDHE_RSA_WITH_NULL_SHA" },
	{ 0xc011, "ECDHE_RSA_WITH_RC4_128_SHA" },
	{ 0xc012, "ECDHE_RSA_WITH_3DES_EDE_CBC_SHA" },
	{ 0xc013, "ECDHE_RSA_WITH_AES_128_CBC_SHA" },
	{ 0xc014, "ECDHE_RSA_WITH_AES_256_CBC_SHA" },
	{ 0xc015, "ECDH_anon_WITH_NULL_SHA" },
	{ 0xc016, "ECDH_anon_WITH_RC4_128_SHA" },
	{ 0xc017, "ECDH_anon_WITH_3DES_EDE_CBC_SHA" },
	{ 0xc018, "ECDH_anon_WITH_AES_128_CBC_SHA" },
	{ 0xc019, "ECDH_anon_WITH_AES_256_CBC_SHA" },
	{ 0xc023, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256" },
	{ 0xc024, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384" },
	{ 0xc025, "ECDH_ECDSA_WITH_AES_128_CBC_SHA256" },
	{ 0xc026, "ECDH_ECDSA_WITH_AES_256_CBC_SHA384" },
	{ 0xc027, "ECDHE_RSA_WITH_AES_128_CBC_SHA256" },
	{ 0xc028, "ECDHE_RSA_WITH_AES_256_CBC_SHA384" },
	{ 0xc029, "ECDH_RSA_WITH_AES_128_CBC_SHA256" },
	{ 0xc02a, "ECDH_RSA_WITH_AES_256_CBC_SHA384" },
	{ 0xc02b, "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
	{ 0xc02c, "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" },
	{ 0xc02d, "ECDH_ECDSA_WITH_AES_128_GCM_SHA256" },
	{ 0xc02e, "ECDH_ECDSA_WITH_AES_256_GCM_SHA384" },
	{ 0xc02f, "ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
	{ 0xc030, "ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
	{ 0xc031, "ECDH_RSA_WITH_AES_128_GCM_SHA256" },
	{ 0xc032, "ECDH_RSA_WITH_AES_256_GCM_SHA384" },
	{ 0xc050, "RSA_WITH_ARIA_128_GCM_SHA256" },
	{ 0xc051, "RSA_WITH_ARIA_256_GCM_SHA384" },
	{ 0xc052, "DHE_RSA_WITH_ARIA_128_GCM_SHA256" },
	{ 0xc053, "DHE_RSA_WITH_ARIA_256_GCM_SHA384" },
	{ 0xc056, "DHE_DSS_WITH_ARIA_128_GCM_SHA256" },
	{ 0xc057, "DHE_DSS_WITH_ARIA_256_GCM_SHA384" },
	{ 0xc05c, "ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256" },
	{ 0xc05d, "ECDHE_ECDSA_WITH_ARIA_256_GCM_SHA384" },
	{ 0xc060, "ECDHE_RSA_WITH_ARIA_128_GCM_SHA256" },
	{ 0xc061, "ECDHE_RSA_WITH_ARIA_256_GCM_SHA384" },
	{ 0xc072, "ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256" },
	{ 0xc073, "ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384" },
	{ 0xc076, "ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256" },
	{ 0xc077, "ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384" },
	{ 0xc09c, "RSA_WITH_AES_128_CCM" },
	{ 0xc09d, "RSA_WITH_AES_256_CCM" },
	{ 0xc09e, "DHE_RSA_WITH_AES_128_CCM" },
	{ 0xc09f, "DHE_RSA_WITH_AES_256_CCM" },
	{ 0xc0a0, "RSA_WITH_AES_128_CCM_8" },
	{ 0xc0a1, "RSA_WITH_AES_256_CCM_8" },
	{ 0xc0a2, "DHE_RSA_WITH_AES_128_CCM_8" },
	{ 0xc0a3, "DHE_RSA_WITH_AES_256_CCM_8" },
	{ 0xc0ac, "ECDHE_ECDSA_WITH_AES_128_CCM" },
	{ 0xc0ad, "ECDHE_ECDSA_WITH_AES_256_CCM" },
	{ 0xc0ae, "ECDHE_ECDSA_WITH_AES_128_CCM_8" },
	{ 0xc0af, "ECDHE_ECDSA_WITH_AES_256_CCM_8" },
	{ 0xcc13, "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256_DRAFT" },
	{ 0xcc14, "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256_DRAFT" },
	{ 0xcca8, "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
	{ 0xcca9, "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" },
	{ 0xccaa, "DHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
};

#define N(a) (sizeof(a) / sizeof *(a))

static const char *
name_of(const struct named *table, size_t n, unsigned number)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (table[mid].number == number)
			return table[mid].name;
		if (table[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static const char *
or_number(const char *name, unsigned number, char buf[16])
{
	if (name != NULL)
		return name;
	snprintf(buf, 16, "0x%04x", number & 0xffff);
	return buf;
}

const char *
offer_version(unsigned number, char buf[16])
{
	return or_number(name_of(versions, N(versions), number), number, buf);
}

const char *
offer_group(unsigned number, char buf[16])
{
	return or_number(name_of(groups, N(groups), number), number, buf);
}

const char *
offer_cipher(unsigned number, char buf[16])
{
	return or_number(name_of(ciphers, N(ciphers), number), number, buf);
}

/* --- things --------------------------------------------------------------------------------------- */

static bool
is_any_version(unsigned v)
{
	return name_of(versions, N(versions), v) != NULL;
}

static bool
is_tls13(unsigned v)
{
	return v == 0x0304;
}

static bool
is_tls12(unsigned v)
{
	return v == 0x0303;
}

static bool
is_old(unsigned v)
{
	return v < 0x0303 && is_any_version(v);
}

static bool
is_ssl(unsigned v)
{
	return v < 0x0301 && is_any_version(v);
}

static bool
is_hybrid(unsigned v)
{
	return v >= 0x11eb && v <= 0x11ed;
}

static bool
is_draft_hybrid(unsigned v)
{
	return v == 0x6399 || v == 0x639a;
}

/* A cipher suite's name says what it is: KEY EXCHANGE_WITH_CIPHER_MAC; those of TLS 1.3 have no WITH. */
static bool
has_piece(unsigned v, const char *const *pieces)
{
	const char *name = name_of(ciphers, N(ciphers), v);

	for (; name != NULL && *pieces != NULL; pieces++) {
		size_t len = strlen(*pieces);
		if ((*pieces)[0] == '^' ? strncmp(name, *pieces + 1, len - 1) == 0
					: strstr(name, *pieces) != NULL)
			return true;
	}
	return false;
}

static bool
is_forbidden(unsigned v)
{
	static const char *const pieces[] = { "NULL", "RC4", "EXPORT", "WITH_DES", NULL };

	return has_piece(v, pieces);
}

static bool
is_weak(unsigned v)
{
	static const char *const pieces[] = { "3DES", "_anon_", NULL };

	return !is_forbidden(v) && has_piece(v, pieces);
}

static bool
is_static(unsigned v)
{
	static const char *const pieces[] = { "^RSA_", "^DH_RSA_", "^DH_DSS_", "^ECDH_RSA_",
		"^ECDH_ECDSA_", NULL };

	return has_piece(v, pieces);
}

static bool
is_modern(unsigned v)
{
	static const char *const key[] = { "^ECDHE_", "^AES_", "^CHACHA20_", NULL };
	static const char *const aead[] = { "_GCM_", "_CCM", "CHACHA20", NULL };

	return has_piece(v, key) && has_piece(v, aead);
}

/* Which list tells it, by which numbers, and how they are called. */
static const struct {
	enum event_key list;
	bool (*is)(unsigned number);
	const char *(*name)(unsigned number, char buf[16]);
	bool tls13; /* only TLS 1.3 can use it */
} things[HELLO_THING_MAX] = {
	[HELLO_ANY] = { EK_VERSIONS, is_any_version, offer_version, false },
	[HELLO_TLS13] = { EK_VERSIONS, is_tls13, offer_version, false },
	[HELLO_TLS12] = { EK_VERSIONS, is_tls12, offer_version, false },
	[HELLO_OLD] = { EK_VERSIONS, is_old, offer_version, false },
	[HELLO_SSL] = { EK_VERSIONS, is_ssl, offer_version, false },
	[HELLO_HYBRID] = { EK_GROUPS, is_hybrid, offer_group, true },
	[HELLO_DRAFT_HYBRID] = { EK_GROUPS, is_draft_hybrid, offer_group, true },
	[HELLO_FORBIDDEN] = { EK_CIPHERS, is_forbidden, offer_cipher, false },
	[HELLO_WEAK] = { EK_CIPHERS, is_weak, offer_cipher, false },
	[HELLO_STATIC] = { EK_CIPHERS, is_static, offer_cipher, false },
	[HELLO_MODERN] = { EK_CIPHERS, is_modern, offer_cipher, false },
};

/* The next number of a list "0304,0303"; false: no more. */
static bool
next_number(unsigned *number, const char **p)
{
	char *end;

	if (**p == '\0')
		return false;
	*number = (unsigned)strtoul(*p, &end, 16);
	if (end == *p)
		return false;
	*p = *end == ',' ? end + 1 : end;
	return true;
}

static bool
lists(const struct observation *hello, enum event_key list, bool (*is)(unsigned))
{
	const char *p = text_of(hello, list);
	unsigned number;

	while (next_number(&number, &p)) {
		if (is(number))
			return true;
	}
	return false;
}

/* RFC 6176 3: the format of SSL 2 is forbidden whatever version stands in it. */
static bool
is_sslv2_format(const struct observation *hello, enum hello_thing thing)
{
	return thing == HELLO_SSL && observation_is(hello, EK_WHAT, "sslv2");
}

bool
offer_has(const struct observation *hello, enum hello_thing thing)
{
	if (thing == HELLO_ANY)
		return true;
	if (things[thing].tls13 && !lists(hello, EK_VERSIONS, is_tls13))
		return false;
	return is_sslv2_format(hello, thing) || lists(hello, things[thing].list, things[thing].is);
}

bool
offer_counts(const struct facts *f, const struct attempt *a)
{
	if (a->hello == NULL)
		return false;
	if (a->accepted)
		return true;
	for (size_t i = 0; *a->peer != '\0' && i < f->n_attempts; i++) {
		if (f->attempts[i].accepted && strcmp(f->attempts[i].peer, a->peer) == 0)
			return true;
	}
	return false;
}

/* --- in words --------------------------------------------------------------------------------------- */

struct told {
	struct strbuf text;
	bool said; /* a ClientHello came over this family */
	unsigned n;
	unsigned seen[256];
};

static void
tell(struct told *t, unsigned number, const char *name)
{
	for (unsigned i = 0; i < t->n && i < N(t->seen); i++) {
		if (t->seen[i] == number)
			return;
	}
	if (t->n < N(t->seen))
		t->seen[t->n] = number;
	if (t->n++ < NAMES_MAX)
		strbuf_printf(&t->text, "%s%s", t->text.len > 0 ? ", " : "", name);
}

static void
tell_hello(struct told *t, const struct observation *hello, enum hello_thing thing)
{
	const char *p = text_of(hello, things[thing].list);
	unsigned number;
	char buf[16];

	t->said = true;
	if (!offer_has(hello, thing))
		return;
	if (is_sslv2_format(hello, thing))
		tell(t, 0x10000, "a hello in the format of SSL 2");
	while (next_number(&number, &p)) {
		if (things[thing].is(number))
			tell(t, number, things[thing].name(number, buf));
	}
}

static void
put_told(struct strbuf *b, const struct told *t, const char *where)
{
	strbuf_puts(b, t->n == 0 ? "nothing" : t->text.s);
	if (t->n > NAMES_MAX)
		strbuf_printf(b, " and %u more", t->n - NAMES_MAX);
	strbuf_puts(b, where);
}

void
offer_names(struct strbuf *b, const struct facts *f, enum hello_thing thing)
{
	struct told v4 = { .n = 0 }, v6 = { .n = 0 };

	for (size_t i = 0; i < f->n_attempts; i++) {
		const struct attempt *a = &f->attempts[i];
		if (offer_counts(f, a))
			tell_hello(a->family == 6 ? &v6 : &v4, a->hello, thing);
	}
	if (v4.said && v6.said && v4.n == v6.n &&
	    (v4.n == 0 || strcmp(v4.text.s, v6.text.s) == 0)) {
		put_told(b, &v4, " over IPv4 and IPv6");
	} else {
		if (v4.said)
			put_told(b, &v4, " over IPv4");
		if (v4.said && v6.said)
			strbuf_puts(b, ", ");
		if (v6.said)
			put_told(b, &v6, " over IPv6");
	}
	strbuf_clear(&v4.text);
	strbuf_clear(&v6.text);
}
