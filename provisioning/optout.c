/* optout.c - see optout.h. */
#include "provisioning/optout.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/journal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"

#define LINK_MAC 10

static const char *const kinds[] = { "address", "domain", "network", "as" };
#define KINDS (sizeof kinds / sizeof *kinds)

const char *
optout_kind_name(enum optout_kind kind)
{
	return kinds[kind];
}

/* --- what is said about whom ------------------------------------------------------------------------------ */

static void
mac_of(uint8_t *dst, size_t n, const struct site *site, const char *purpose, const void *data,
    size_t len)
{
	uint8_t mac[EVP_MAX_MD_SIZE], said[32 + OPTOUT_TEXT_MAX];
	size_t head = strlen(purpose) + 1; /* the NUL keeps purposes apart */

	memcpy(said, purpose, head);
	memcpy(said + head, data, len);
	if (HMAC(EVP_sha256(), site->token_key.secret, sizeof site->token_key.secret, said,
		head + len, mac, NULL) == NULL)
		log_fatal(EXIT_CANNOT, "opt-out: HMAC: check the OpenSSL installation");
	memcpy(dst, mac, n);
}

static void
set_hash(struct optout *o, const struct site *site, enum optout_kind kind, const char *text)
{
	const char *at = strrchr(text, '@');
	char said[OPTOUT_TEXT_MAX];
	int n = snprintf(said, sizeof said, "%.*s%s",
	    (int)(at != NULL ? optout_address_mailbox(text) : 0), text, at != NULL ? at : text);

	o->kind = kind;
	mac_of(o->hash, sizeof o->hash, site,
	    kind == OPTOUT_ADDRESS ? "optout address" : "optout domain", said, (size_t)n);
}

static void
mask(struct in6_addr *a, unsigned bits)
{
	for (unsigned i = bits; i < 128; i++)
		a->s6_addr[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
}

static void
mapped(struct in6_addr *dst, const struct in_addr *a)
{
	memset(dst, 0, sizeof *dst);
	dst->s6_addr[10] = dst->s6_addr[11] = 0xff;
	memcpy(dst->s6_addr + 12, a, 4);
}

static bool
read_number(unsigned long *dst, const char *text, unsigned long max)
{
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 10 || text[n] != '\0')
		return false;
	*dst = strtoul(text, NULL, 10);
	return *dst <= max;
}

/* 1 it is one, 0 something else, -1 a wrong one. */
static int
read_network(struct optout *o, const char *text)
{
	char address[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	struct in_addr four;
	unsigned long bits;
	unsigned all;

	if (len >= sizeof address)
		return 0;
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(AF_INET, address, &four) == 1) {
		mapped(&o->network, &four);
		all = 32;
	} else if (inet_pton(AF_INET6, address, &o->network) == 1) {
		all = 128;
	} else {
		return text[len] == '/' ? -1 : 0;
	}
	bits = all;
	if (text[len] == '/' && (!read_number(&bits, text + len + 1, all) || bits == 0))
		return -1;
	o->kind = OPTOUT_NETWORK;
	o->bits = 128 - all + (unsigned)bits;
	mask(&o->network, o->bits);
	return 1;
}

bool
optout_parse(struct optout *o, const struct site *site, const char *text, const char **why)
{
	char lower[OPTOUT_TEXT_MAX];
	unsigned long number;
	int rc;

	memset(o, 0, sizeof *o);
	if (strchr(text, '@') != NULL) {
		*why = "not a mail address: USER@DOMAIN, without quotes and comments";
		if (strlen(text) >= OPTOUT_TEXT_MAX ||
		    !optout_address(lower, text, strlen(text), NULL))
			return false;
		set_hash(o, site, OPTOUT_ADDRESS, lower);
		return true;
	}
	if ((rc = read_network(o, text)) != 0) {
		*why = "not a network: ADDRESS/BITS, from 1 to 32 or 128 bits";
		return rc > 0;
	}
	if (strncasecmp(text, "AS", 2) == 0 && isdigit((unsigned char)text[2]) &&
	    strchr(text, '.') == NULL) {
		*why = "not the number of an autonomous system: AS1 to AS4294967295";
		if (!read_number(&number, text + 2, UINT32_MAX) || number == 0)
			return false;
		o->kind = OPTOUT_AS;
		o->as = (uint32_t)number;
		return true;
	}
	*why = "neither a mail address, nor a domain with a dot, nor ADDRESS/BITS, nor AS64500";
	if (!optout_address_domain(lower, text, strlen(text)))
		return false;
	set_hash(o, site, OPTOUT_DOMAIN, lower);
	return true;
}

static void
put_hex(char *dst, const uint8_t *hash)
{
	for (size_t i = 0; i < OPTOUT_HASH; i++)
		snprintf(dst + 2 * i, 3, "%02x", hash[i]);
}

void
optout_format(char dst[96], const struct optout *o)
{
	char address[INET6_ADDRSTRLEN], hex[2 * OPTOUT_HASH + 1];
	bool four = IN6_IS_ADDR_V4MAPPED(&o->network) && o->bits >= 96;

	switch (o->kind) {
	case OPTOUT_NETWORK:
		inet_ntop(four ? AF_INET : AF_INET6, o->network.s6_addr + (four ? 12 : 0), address,
		    sizeof address);
		snprintf(dst, 96, "%s/%u", address, o->bits - (four ? 96 : 0));
		break;
	case OPTOUT_AS:
		snprintf(dst, 96, "AS%" PRIu32, o->as);
		break;
	default:
		put_hex(hex, o->hash);
		snprintf(dst, 96, "%s %s", kinds[o->kind], hex);
	}
}

/* --- the link ------------------------------------------------------------------------------------------------ */

static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

void
optout_link(char dst[OPTOUT_LINK_LEN + 1], const struct site *site, const char *address)
{
	uint8_t octets[OPTOUT_HASH + LINK_MAC + 1] = { 0 };
	char lower[OPTOUT_TEXT_MAX] = "";
	struct optout o = { 0 };

	optout_address(lower, address, strlen(address), NULL);
	set_hash(&o, site, OPTOUT_ADDRESS, lower);
	memcpy(octets, o.hash, OPTOUT_HASH);
	mac_of(octets + OPTOUT_HASH, LINK_MAC, site, "optout link", o.hash, OPTOUT_HASH);
	for (unsigned i = 0; i < OPTOUT_LINK_LEN; i++) {
		unsigned bit = i * 5, two = (unsigned)octets[bit / 8] << 8 | octets[bit / 8 + 1];

		dst[i] = digits[two >> (11 - bit % 8) & 31];
	}
	dst[OPTOUT_LINK_LEN] = '\0';
}

bool
optout_link_read(struct optout *o, const struct site *site, const char *link)
{
	uint8_t octets[OPTOUT_HASH + LINK_MAC + 1] = { 0 }, mac[LINK_MAC];

	if (strlen(link) != OPTOUT_LINK_LEN || strspn(link, digits) != OPTOUT_LINK_LEN)
		return false;
	for (unsigned i = 0; i < OPTOUT_LINK_LEN; i++) {
		unsigned bit = i * 5, value = (unsigned)(strchr(digits, link[i]) - digits)
					      << (11 - bit % 8);

		octets[bit / 8] |= (uint8_t)(value >> 8);
		octets[bit / 8 + 1] |= (uint8_t)value;
	}
	mac_of(mac, LINK_MAC, site, "optout link", octets, OPTOUT_HASH);
	if (CRYPTO_memcmp(mac, octets + OPTOUT_HASH, LINK_MAC) != 0)
		return false;
	memset(o, 0, sizeof *o);
	o->kind = OPTOUT_ADDRESS;
	memcpy(o->hash, octets, OPTOUT_HASH);
	return true;
}

/* --- the list ------------------------------------------------------------------------------------------------ */

struct row {
	struct optout o;
	int64_t t_us;
	uint64_t client;
	char by[16];
	bool again; /* it was there; the row only counts for who asked */
};
struct optouts {
	const struct site *site;
	char path[512];
	uint64_t offset;
	struct row *row;
	size_t n, n_of[KINDS];
	uint32_t *slot, mask; /* open addressing over hashes: row + 1 */
};

static uint32_t *
place(const struct optouts *all, const struct optout *o)
{
	uint64_t key;
	uint32_t i;

	memcpy(&key, o->hash, sizeof key);
	for (i = (uint32_t)key & all->mask; all->slot[i] != 0; i = (i + 1) & all->mask) {
		const struct optout *have = &all->row[all->slot[i] - 1].o;

		if (have->kind == o->kind && memcmp(have->hash, o->hash, OPTOUT_HASH) == 0)
			break;
	}
	return &all->slot[i];
}

static bool
is_hashed(enum optout_kind kind)
{
	return kind == OPTOUT_ADDRESS || kind == OPTOUT_DOMAIN;
}

static void
enter(struct optouts *all, size_t index)
{
	if (is_hashed(all->row[index].o.kind) && !all->row[index].again)
		*place(all, &all->row[index].o) = (uint32_t)index + 1;
}

static void
enlarge(struct optouts *all)
{
	free(all->slot);
	all->mask = all->mask != 0 ? all->mask * 2 + 1 : 255;
	all->slot = xcalloc((size_t)all->mask + 1, sizeof *all->slot);
	for (size_t i = 0; i < all->n; i++)
		enter(all, i);
}

static bool
same_network(const struct optout *a, const struct optout *b)
{
	return a->bits == b->bits && memcmp(&a->network, &b->network, sizeof a->network) == 0;
}

bool
optouts_has(const struct optouts *all, const struct optout *o)
{
	if (is_hashed(o->kind))
		return *place(all, o) != 0;
	for (size_t i = 0; i < all->n; i++)
		if (all->row[i].o.kind == o->kind &&
		    (o->kind == OPTOUT_AS ? all->row[i].o.as == o->as
					  : same_network(&all->row[i].o, o)))
			return true;
	return false;
}

static bool
read_hash(uint8_t dst[OPTOUT_HASH], const char *hex)
{
	if (hex == NULL || strlen(hex) != 2 * OPTOUT_HASH ||
	    strspn(hex, "0123456789abcdef") != 2 * OPTOUT_HASH)
		return false;
	for (size_t i = 0; i < OPTOUT_HASH; i++) {
		unsigned octet;

		sscanf(hex + 2 * i, "%2x", &octet);
		dst[i] = (uint8_t)octet;
	}
	return true;
}

static bool
read_row(struct row *r, const struct optouts *all, const struct json *o)
{
	const char *kind = json_string(o, "kind"), *what = json_string(o, "what"),
		   *t = json_string(o, "t"), *by = json_string(o, "by"),
		   *client = json_string(o, "client"), *why;
	size_t k = 0;

	while (k < KINDS && (kind == NULL || strcmp(kinds[k], kind) != 0))
		k++;
	if (k == KINDS || what == NULL)
		return false;
	r->o.kind = (enum optout_kind)k;
	if (is_hashed(r->o.kind) ? !read_hash(r->o.hash, what)
				 : !optout_parse(&r->o, all->site, what, &why) || r->o.kind != k)
		return false;
	if (t != NULL)
		clock_parse(&r->t_us, t, strlen(t));
	snprintf(r->by, sizeof r->by, "%s", by != NULL ? by : "");
	r->client = client != NULL ? strtoull(client, NULL, 16) : 0;
	return true;
}

static int
on_line(void *ctx, const char *line, size_t len)
{
	struct optouts *all = ctx;
	struct row r = { 0 };
	char err[128];
	struct json_doc *doc = json_parse(line, len, err, sizeof err);

	/* One that cannot be read may be of somebody who must get no mail. */
	if (doc == NULL || !read_row(&r, all, json_root(doc))) {
		journal_complain(doc == NULL ? err : "not of an opt-out",
		    "no mail leaves until the line is mended or taken out");
		json_free(doc);
		return -1;
	}
	json_free(doc);
	all->row = xgrow(all->row, all->n, sizeof *all->row);
	r.again = optouts_has(all, &r.o);
	all->row[all->n++] = r;
	all->n_of[r.o.kind] += !r.again;
	if (2 * all->n >= all->mask)
		enlarge(all);
	enter(all, all->n - 1);
	return 0;
}

int
optouts_refresh(struct optouts *all)
{
	struct stat sb;

	if (stat(all->path, &sb) == 0 && (uint64_t)sb.st_size < all->offset) {
		log_warn(
		    "%s: shorter than it was: opt-outs are never removed: restore it", all->path);
		return -1;
	}
	return journal_follow(all->path, &all->offset, on_line, all);
}

struct optouts *
optouts_open(const struct site *site)
{
	struct optouts *all = xcalloc(1, sizeof *all);

	all->site = site;
	enlarge(all);
	site_path(all->path, site, "state", OPTOUT_FILE);
	if (optouts_refresh(all) == 0)
		return all;
	optouts_close(all);
	return NULL;
}

void
optouts_close(struct optouts *all)
{
	if (all == NULL)
		return;
	free(all->row);
	free(all->slot);
	free(all);
}

size_t
optouts_number(const struct optouts *all, enum optout_kind kind)
{
	return all->n_of[kind];
}

int
optouts_each(const struct optouts *all,
    int (*row)(void *, const struct optout *, int64_t, const char *), void *ctx)
{
	int rc = 0;

	for (size_t i = 0; i < all->n && rc == 0; i++)
		if (!all->row[i].again)
			rc = row(ctx, &all->row[i].o, all->row[i].t_us, all->row[i].by);
	return rc;
}

int
optouts_add(
    struct optouts *all, const struct optout *o, const char *by, uint64_t client, int64_t now_us)
{
	char what[96];
	struct strbuf line = { 0 };
	bool there;
	int rc;

	if (optouts_refresh(all) != 0)
		return -1;
	there = optouts_has(all, o);
	if (there && client == 0)
		return 1;
	if (is_hashed(o->kind))
		put_hex(what, o->hash);
	else
		optout_format(what, o);
	json_begin(&line, NULL, '{');
	json_put_time(&line, "t", now_us);
	json_put(&line, "kind", kinds[o->kind]);
	json_put(&line, "what", what);
	json_put(&line, "by", by);
	json_put_hash(&line, "client", client);
	json_end(&line, '}');
	rc = journal_append(all->path, line.s, line.len);
	strbuf_clear(&line);
	return rc != 0 || optouts_refresh(all) != 0 ? -1 : there;
}

unsigned
optouts_of(const struct optouts *all, uint64_t client)
{
	unsigned n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += all->row[i].client == client;
	return n;
}

/* --- who must get none --------------------------------------------------------------------------------------- */

static bool
is_at_or_below(const char *domain, const char *base)
{
	size_t n = strlen(domain), m = strlen(base);

	return n >= m && strcasecmp(domain + n - m, base) == 0 &&
	       (n == m || domain[n - m - 1] == '.');
}

bool
optouts_has_address(const struct optouts *all, const char *address)
{
	char lower[OPTOUT_TEXT_MAX];
	const char *domain;
	struct optout o = { 0 };
	bool out;

	if (strlen(address) >= sizeof lower ||
	    !optout_address(lower, address, strlen(address), &domain))
		return true;
	out = is_at_or_below(domain, all->site->conf.base);
	/* All of it, found or not: who can measure the time learns how many labels he wrote. */
	set_hash(&o, all->site, OPTOUT_ADDRESS, lower);
	out |= optouts_has(all, &o);
	for (; domain != NULL; domain = strchr(domain, '.')) {
		domain += *domain == '.';
		set_hash(&o, all->site, OPTOUT_DOMAIN, domain);
		out |= optouts_has(all, &o);
	}
	return out;
}

bool
optouts_has_network(const struct optouts *all, const union sockaddr_any *a)
{
	struct in6_addr whole, part;

	if (a->sa.sa_family == AF_INET)
		mapped(&whole, &a->in.sin_addr);
	else
		whole = a->in6.sin6_addr;
	for (size_t i = 0; i < all->n; i++) {
		const struct optout *o = &all->row[i].o;

		if (o->kind != OPTOUT_NETWORK)
			continue;
		part = whole;
		mask(&part, o->bits);
		if (memcmp(&part, &o->network, sizeof part) == 0)
			return true;
	}
	return false;
}

bool
optouts_has_as(const struct optouts *all, uint32_t as)
{
	struct optout o = { .kind = OPTOUT_AS, .as = as };

	return optouts_has(all, &o);
}
