/* tie.c - see tie.h. */
#include "results/tie.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "lib/hash.h"
#include "lib/strbuf.h"
#include "lib/suffix.h"

/* Results that are read of one address with one envelope sender. */
#define OF_SENDER_MAX 3

#define V4_WIDEST 12 /* networks that an SPF record may name as its owner's */
#define V6_WIDEST 32

enum tie {
	TIE_TEXT,
	TIE_NETWORK,
	TIE_ADDRESS,
	TIE_CLAIM,
	TIE_NAME,
	TIE_SENDER,
	TIE_NEIGHBOUR,
	TIE_MESSAGE
};

/* Who could foresee a hash would write a Message-ID that has the same as the participant's address. */
static const uint8_t *
secret(void)
{
	static uint8_t key[16];
	static bool made;

	if (!made)
		made = getrandom(key, sizeof key, 0) == (ssize_t)sizeof key;
	return key;
}

static uint64_t
hash_of(enum tie kind, const void *text, size_t len)
{
	uint8_t key[16];
	uint64_t h;

	memcpy(key, secret(), sizeof key);
	key[0] ^= (uint8_t)kind;
	h = hash_sip(key, text, len);
	return h == 0 ? 1 : h;
}

static uint64_t
hash_lower(enum tie kind, const char *text)
{
	char lower[256];
	size_t len = strlen(text);

	if (len >= sizeof lower)
		return hash_of(kind, text, len);
	for (size_t i = 0; i < len; i++)
		lower[i] = (char)tolower((unsigned char)text[i]);
	return hash_of(kind, lower, len);
}

int
tie_order(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

uint64_t
tie_text(const char *text)
{
	return hash_lower(TIE_TEXT, text);
}

static uint64_t
part_of_address(enum tie kind, const char *address, size_t v4, size_t v6)
{
	unsigned char a[16];

	if (inet_pton(AF_INET, address, a) == 1)
		return hash_of(kind, a, v4);
	return inet_pton(AF_INET6, address, a) == 1 ? hash_of(kind, a, v6) : 0;
}

uint64_t
tie_network(const char *address)
{
	return part_of_address(TIE_NETWORK, address, 3, 6);
}

uint64_t
tie_address(const char *address)
{
	return part_of_address(TIE_ADDRESS, address, 4, 8);
}

/* --- names ---------------------------------------------------------------------------------------------- */

/* In lower case, without what follows a blank and the final dot.  False: it is no full name of a host. */
static bool
host_name(char dst[256], const char *said)
{
	size_t len = strcspn(said, " ");

	if (len > 0 && said[len - 1] == '.')
		len--;
	if (len == 0 || len >= 256)
		return false;
	for (size_t i = 0; i < len; i++)
		dst[i] = (char)tolower((unsigned char)said[i]);
	dst[len] = '\0';
	return strspn(dst, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == len && dst[0] != '.' &&
	       strstr(dst, "..") == NULL && strchr(dst, '.') != NULL &&
	       inet_addr(dst) == INADDR_NONE && strncmp(dst, "localhost", 9) != 0;
}

uint64_t
tie_claim(const char *ehlo)
{
	char name[256];

	return host_name(name, ehlo) ? hash_lower(TIE_CLAIM, suffix_organisation(name)) : 0;
}

/* Is one of the numbers in the name this one? */
static bool
has_number(const char *name, unsigned long n)
{
	while (*name != '\0') {
		char *end;
		if (!isdigit((unsigned char)*name)) {
			name++;
			continue;
		}
		if (strtoul(name, &end, 10) == n)
			return true;
		name = end;
	}
	return false;
}

/* Made of the address: the last two numbers of it, or all of it in hex, stand there. */
static bool
is_made_of(const char *name, const char *address)
{
	unsigned char a[16];
	char hex[12];

	if (inet_pton(AF_INET, address, a) == 1) {
		snprintf(hex, sizeof hex, "%02x%02x%02x%02x", a[0], a[1], a[2], a[3]);
		return strstr(name, hex) != NULL ||
		       (has_number(name, a[2]) && has_number(name, a[3]));
	}
	if (inet_pton(AF_INET6, address, a) != 1)
		return false;
	snprintf(hex, sizeof hex, "%02x%02x", a[4], a[5]);
	if (strstr(name, hex) == NULL)
		return false;
	snprintf(hex, sizeof hex, "%02x%02x", a[6], a[7]);
	return strstr(name, hex) != NULL;
}

static uint64_t
name_hash(const char *name, const char *address)
{
	return hash_lower(TIE_NAME, is_made_of(name, address) ? name : suffix_organisation(name));
}

/* Does a name of the address, below the same registered domain, lead back to it? */
static bool
is_confirmed(const struct verified *v, const char *name)
{
	const struct json *all = json_get(verified_part(v, "fcrdns"), "name");
	char reverse[256];

	if (all == NULL || all->type != JSON_ARRAY)
		return false;
	for (const struct json *n = all->child; n != NULL; n = n->next) {
		if (verified_true(n, "confirmed") && host_name(reverse, verified_text(n, "name")) &&
		    strcmp(suffix_organisation(reverse), suffix_organisation(name)) == 0)
			return true;
	}
	return false;
}

/* "ip4:192.0.2.0/8", "all", "exists:%{i}.example": such a term lets in whom its owner does not know. */
static bool
is_loose(const char *term)
{
	const char *slash = strchr(term, '/');

	if (*term == '+' || *term == '?' || *term == '~' || *term == '-')
		term++;
	if (strcasecmp(term, "all") == 0 || strncasecmp(term, "exists", 6) == 0)
		return true;
	if (slash == NULL)
		return false;
	if (strncasecmp(term, "ip6:", 4) == 0)
		return atoi(slash + 1) < V6_WIDEST;
	return slash[1] != '/' && atoi(slash + 1) < V4_WIDEST;
}

static bool
spf_passes(const struct verified *v, enum auth_method m)
{
	const struct json *spf = verified_spf(v, m);

	return verified_result_is(spf, "pass") && !is_loose(verified_text(spf, "term"));
}

/* --- the book ---------------------------------------------------------------------------------------- */

struct proof {
	uint64_t address, hash;
	uint64_t claim; /* holds only for sessions that say so; 0: for all */
	bool name;      /* of a name, not of an envelope sender */
};
struct tie_book {
	struct proof *item; /* in the order of addresses */
	size_t n;
};

static int
proof_order(const void *pa, const void *pb)
{
	const struct proof *a = pa, *b = pb;
	int d = tie_order(&a->address, &b->address);

	if (d == 0)
		d = tie_order(&a->hash, &b->hash);
	return d != 0 ? d : tie_order(&a->claim, &b->claim);
}

static void
note(struct tie_book *b, const char *peer, struct proof p)
{
	p.address = hash_lower(TIE_TEXT, peer);
	b->item = xgrow(b->item, b->n, sizeof *b->item);
	b->item[b->n++] = p;
}

/* A name that is proved, and its other addresses: whoever comes from there and says the same name is it too. */
static void
note_name(struct tie_book *b, const struct verified *v, const char *peer, const char *name)
{
	const struct json *all = json_get(verified_part(v, "ehlo"), "address");
	uint64_t hash = name_hash(name, peer);

	note(b, peer, (struct proof){ .hash = hash, .name = true });
	if (all == NULL || all->type != JSON_ARRAY)
		return;
	for (const struct json *a = all->child; a != NULL; a = a->next)
		if (a->type == JSON_STRING && tie_address(a->string) != 0)
			note(b, a->string,
			    (struct proof){ .hash = hash, .claim = tie_claim(name), .name = true });
}

static void
read_result(struct tie_book *b, const struct observation *o)
{
	struct verified *v = verified_read(o, o);
	const char *peer = text_of(o, EK_PEER);
	char name[256];

	if (v->state == VERIFIED_JUDGED) {
		const char *said = verified_text(v->results, "helo");
		const char *domain = verified_text(verified_spf(v, AUTH_SPF), "domain");
		if (host_name(name, said) && (verified_true(verified_part(v, "ehlo"), "matches") ||
						 is_confirmed(v, name) || spf_passes(v, AUTH_HELO)))
			note_name(b, v, peer, name);
		if (*text_of(o, EK_FROM) != '\0' && spf_passes(v, AUTH_SPF) &&
		    host_name(name, domain))
			note(b, peer,
			    (struct proof){
				.hash = hash_lower(TIE_SENDER, suffix_organisation(name)) });
	}
	verified_free(v);
}

static int
result_order(const void *pa, const void *pb)
{
	const struct observation *a = *(const struct observation *const *)pa;
	const struct observation *b = *(const struct observation *const *)pb;
	int d = strcmp(text_of(a, EK_PEER), text_of(b, EK_PEER));

	if (d == 0)
		d = strcasecmp(text_of(a, EK_FROM), text_of(b, EK_FROM));
	return d != 0 ? d : observation_order(a, b);
}

struct tie_book *
tie_book_read(const struct observations *obs, const char *token)
{
	const struct observation **all = xcalloc(obs->n + 1, sizeof *all);
	struct tie_book *b = xcalloc(1, sizeof *b);
	size_t n = 0, of_address = 0, of_sender = 0;

	for (size_t i = 0; i < obs->n; i++)
		if (obs->item[i]->kind == EV_VERIFY_RESULT &&
		    strcmp(text_of(obs->item[i], EK_TOKEN), token) == 0)
			all[n++] = obs->item[i];
	if (n > 0)
		qsort(all, n, sizeof *all, result_order);
	for (size_t i = 0; i < n; i++) {
		bool address = i > 0 &&
			       strcmp(text_of(all[i], EK_PEER), text_of(all[i - 1], EK_PEER)) == 0;
		bool sender = address && strcasecmp(text_of(all[i], EK_FROM),
					     text_of(all[i - 1], EK_FROM)) == 0;
		of_address = address ? of_address : 0;
		of_sender = sender ? of_sender + 1 : 0;
		if (of_sender < OF_SENDER_MAX && of_address++ < TIES_OF_ADDRESS)
			read_result(b, all[i]);
	}
	if (b->n > 0)
		qsort(b->item, b->n, sizeof *b->item, proof_order);
	free(all);
	return b;
}

void
tie_book_free(struct tie_book *b)
{
	if (b == NULL)
		return;
	free(b->item);
	free(b);
}

/* --- a session ------------------------------------------------------------------------------------------ */

static void
add(struct ties *t, uint64_t hash)
{
	for (unsigned i = 0; i < t->n; i++)
		if (t->hash[i] == hash)
			return;
	if (hash != 0 && t->n < TIES_MAX)
		t->hash[t->n++] = hash;
}

void
ties_of(
    struct ties *t, const struct tie_book *b, const char *peer, const char *ehlo, const char *msgid)
{
	uint64_t at = hash_lower(TIE_TEXT, peer), network = tie_network(peer),
		 claim = tie_claim(ehlo);
	size_t lo = 0, hi = b->n;
	bool named = false;

	*t = (struct ties){
		.message = *msgid == '\0' ? 0 : hash_of(TIE_MESSAGE, msgid, strlen(msgid))
	};
	add(t, tie_address(peer));
	add(t, t->message);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (b->item[mid].address < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < b->n && b->item[lo].address == at; lo++) {
		if (b->item[lo].claim != 0 && b->item[lo].claim != claim)
			continue;
		add(t, b->item[lo].hash);
		named |= b->item[lo].name;
	}
	if (!named && network != 0 && claim != 0)
		add(t, hash_of(TIE_NEIGHBOUR, (uint64_t[]){ network, claim }, 2 * sizeof network));
}

bool
tie_came_over(const char *headers, const char *address)
{
	size_t len = strlen(address);
	bool trace = false;

	while (*headers != '\0') {
		size_t line = strcspn(headers, "\n");
		if (*headers != ' ' && *headers != '\t')
			trace = strncasecmp(headers, "Received:", 9) == 0;
		for (size_t i = 0; trace && i + len <= line; i++) {
			char before = i == 0 ? ' ' : headers[i - 1], after = headers[i + len];
			if (strncasecmp(headers + i, address, len) == 0 &&
			    !isxdigit((unsigned char)before) && before != '.' &&
			    !isxdigit((unsigned char)after) &&
			    (after != '.' || !isdigit((unsigned char)headers[i + len + 1])) &&
			    after != ':')
				return true;
		}
		headers += line + (headers[line] == '\n');
	}
	return false;
}
