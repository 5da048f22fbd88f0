/* render.c - see render.h.  The placeholders are one table. */
#include "provisioning/render.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "provisioning/address.h"
#include "provisioning/front.h"

#define DKIM_FIRST 200 /* characters of the key in the first of two strings */

struct job {
	const struct site *site;
	const struct test *test;
	unsigned zone; /* of the template, or 1 after ":b" */
	const struct token *token;
	unsigned k;
	char *err;
	size_t errlen;
};

static enum render_result
job_error(const struct job *j, const char *what)
{
	snprintf(j->err, j->errlen, "%s", what);
	return RENDER_ERROR;
}

/* --- names --------------------------------------------------------------------------------------- */

static enum render_result
put_token(char *dst, size_t dstlen, const struct job *j)
{
	snprintf(dst, dstlen, "%s", j->token->text);
	return RENDER_OK;
}

static enum render_result
put_zone(char *dst, size_t dstlen, const struct job *j)
{
	char zone[256];

	site_zone_name(zone, sizeof(zone), j->site, j->test, j->zone);
	snprintf(dst, dstlen, "%s.", zone);
	return RENDER_OK;
}

static enum render_result
put_domain(char *dst, size_t dstlen, const struct job *j)
{
	char zone[256];

	site_zone_name(zone, sizeof(zone), j->site, j->test, j->zone);
	snprintf(dst, dstlen, "%s.%s.", j->token->text, zone);
	return RENDER_OK;
}

static enum render_result
put_mx(char *dst, size_t dstlen, const struct job *j)
{
	char zone[256];

	site_zone_name(zone, sizeof(zone), j->site, j->test, j->zone);
	snprintf(dst, dstlen, "%s.mx%u.%s.", j->token->text, j->k, zone);
	return RENDER_OK;
}

static enum render_result
put_base(char *dst, size_t dstlen, const struct job *j)
{
	snprintf(dst, dstlen, "%s.", j->site->conf.base);
	return RENDER_OK;
}

/* --- addresses ------------------------------------------------------------------------------------- */

static enum render_result
first_of(char *dst, size_t dstlen, const struct conf_list *list)
{
	if (list->n == 0)
		return RENDER_NO_ADDRESS;
	snprintf(dst, dstlen, "%s", list->item[0]);
	return RENDER_OK;
}

static enum render_result
put_ipv4(char *dst, size_t dstlen, const struct job *j)
{
	const struct front *f = j->site->front_of[j->test->number][j->k];

	if (f == NULL)
		return job_error(j, "the test has no such [host]");
	if (f->address[0] == '\0')
		return RENDER_NO_ADDRESS;
	snprintf(dst, dstlen, "%s", f->address);
	return RENDER_OK;
}

static enum render_result
put_ipv4_refused(char *dst, size_t dstlen, const struct job *j)
{
	return first_of(dst, dstlen, &j->site->conf.ipv4_refused);
}

static enum render_result
put_ipv4_silent(char *dst, size_t dstlen, const struct job *j)
{
	return first_of(dst, dstlen, &j->site->conf.ipv4_silent);
}

static enum render_result
ipv6(char *dst, size_t dstlen, const struct job *j, uint64_t id, unsigned number,
    enum address_state state, unsigned host)
{
	struct in6_addr a;
	char text[INET6_ADDRSTRLEN];

	if (host >= address_hosts(state))
		return job_error(
		    j, "so many hosts have no address: 0..31 serve, 0..23 refuse, 0..7 are silent");
	if (!j->site->has_ipv6)
		return RENDER_NO_ADDRESS;
	address_make(&a, &j->site->prefix, id, number, state, host);
	snprintf(dst, dstlen, "%s", inet_ntop(AF_INET6, &a, text, sizeof(text)));
	return RENDER_OK;
}

static enum render_result
put_ipv6(char *dst, size_t dstlen, const struct job *j)
{
	return ipv6(dst, dstlen, j, j->token->id, j->test->number, ADDRESS_SERVES, j->k);
}

static enum render_result
put_policy4(char *dst, size_t dstlen, const struct job *j)
{
	const char *address = site_policy4(j->site);

	if (address == NULL)
		return RENDER_NO_ADDRESS;
	snprintf(dst, dstlen, "%s", address);
	return RENDER_OK;
}

static enum render_result
put_policy6(char *dst, size_t dstlen, const struct job *j)
{
	return ipv6(dst, dstlen, j, j->token->id, j->test->number, ADDRESS_SERVES, SLOT_POLICY);
}

static enum render_result
put_ipv6_refused(char *dst, size_t dstlen, const struct job *j)
{
	return ipv6(dst, dstlen, j, j->token->id, j->test->number, ADDRESS_REFUSES, j->k);
}

static enum render_result
put_ipv6_silent(char *dst, size_t dstlen, const struct job *j)
{
	return ipv6(dst, dstlen, j, j->token->id, j->test->number, ADDRESS_SILENT, j->k);
}

static enum render_result
put_ns4(char *dst, size_t dstlen, const struct job *j)
{
	const char *address;

	if (j->test == NULL)
		return first_of(dst, dstlen, &j->site->conf.ipv4_parent);
	if ((address = site_ns4(j->site, j->test, j->zone)) == NULL)
		return RENDER_NO_ADDRESS;
	snprintf(dst, dstlen, "%s", address);
	return RENDER_OK;
}

static enum render_result
put_ns6(char *dst, size_t dstlen, const struct job *j)
{
	if (j->test == NULL)
		return ipv6(dst, dstlen, j, 0, 0, ADDRESS_SERVES, 0);
	if (j->test->zone[j->zone].ns == NS_V4)
		return RENDER_NO_ADDRESS;
	return ipv6(dst, dstlen, j, 0, j->test->number, ADDRESS_SERVES, j->zone);
}

static enum render_result
put_mail4(char *dst, size_t dstlen, const struct job *j)
{
	const char *address = front_ordinary4(j->site);

	if (address == NULL)
		return RENDER_NO_ADDRESS;
	snprintf(dst, dstlen, "%s", address);
	return RENDER_OK;
}

/* --- digests --------------------------------------------------------------------------------------- */

static enum render_result
hex(char *dst, size_t dstlen, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len && 2 * i + 2 < dstlen; i++)
		snprintf(dst + 2 * i, dstlen - 2 * i, "%02x", data[i]);
	return RENDER_OK;
}

/* NULL: the certificate was not read, or there is no such host. */
static const struct site_digests *
digests(const struct job *j)
{
	const struct site_digests *d = j->site->digests_of[j->test->number];

	if (d != NULL && d[j->k].known)
		return &d[j->k];
	job_error(j, j->site->front_of[j->test->number][j->k] == NULL
			 ? "the test has no such [host]"
			 : "the certificate was not read: run outpost init as root");
	return NULL;
}

static enum render_result
put_spki(char *dst, size_t dstlen, const struct job *j)
{
	const struct site_digests *d = digests(j);

	return d != NULL ? hex(dst, dstlen, d->spki, sizeof(d->spki)) : RENDER_ERROR;
}

static enum render_result
put_spki512(char *dst, size_t dstlen, const struct job *j)
{
	const struct site_digests *d = digests(j);

	return d != NULL ? hex(dst, dstlen, d->spki512, sizeof(d->spki512)) : RENDER_ERROR;
}

static enum render_result
put_cert(char *dst, size_t dstlen, const struct job *j)
{
	const struct site_digests *d = digests(j);

	return d != NULL ? hex(dst, dstlen, d->cert, sizeof(d->cert)) : RENDER_ERROR;
}

/* A digest that no key has, as stable as the right one. */
static enum render_result
put_wrong(char *dst, size_t dstlen, const struct job *j, const EVP_MD *md)
{
	const struct site_digests *d = digests(j);
	uint8_t input[5 + sizeof(d->spki)] = "wrong", wrong[EVP_MAX_MD_SIZE];
	unsigned len;

	if (d == NULL)
		return RENDER_ERROR;
	memcpy(input + 5, d->spki, sizeof(d->spki));
	if (EVP_Digest(input, sizeof(input), wrong, &len, md, NULL) != 1)
		return job_error(j, "OpenSSL cannot compute a digest");
	return hex(dst, dstlen, wrong, len);
}

static enum render_result
put_spki_wrong(char *dst, size_t dstlen, const struct job *j)
{
	return put_wrong(dst, dstlen, j, EVP_sha256());
}

static enum render_result
put_spki512_wrong(char *dst, size_t dstlen, const struct job *j)
{
	return put_wrong(dst, dstlen, j, EVP_sha512());
}

static enum render_result
put_ca_spki(char *dst, size_t dstlen, const struct job *j)
{
	return hex(dst, dstlen, j->site->ca_spki, sizeof(j->site->ca_spki));
}

static enum render_result
put_other_ca_spki(char *dst, size_t dstlen, const struct job *j)
{
	return hex(dst, dstlen, j->site->other_ca_spki, sizeof(j->site->other_ca_spki));
}

/* --- mail that we write ------------------------------------------------------------------------------ */

/* The key is longer than a string of a TXT record may be (RFC 1035 3.3), so it is given in two. */
static enum render_result
put_dkim(char *dst, size_t dstlen, const struct job *j)
{
	size_t len = strlen(j->site->dkim), half = len < DKIM_FIRST ? len : DKIM_FIRST;

	if (len == 0)
		return RENDER_NO_ADDRESS; /* a site that was made before there was one */
	if (j->k == 0)
		snprintf(dst, dstlen, "%.*s", (int)half, j->site->dkim);
	else
		snprintf(dst, dstlen, "%s", j->site->dkim + half);
	return RENDER_OK;
}

static enum render_result
put_spf(char *dst, size_t dstlen, const struct job *j)
{
	const struct site_conf *c = &j->site->conf;
	struct in6_addr a;
	char text[INET6_ADDRSTRLEN];
	size_t at = 0;

	if (c->mail_spf[0] != '\0') {
		snprintf(dst, dstlen, "%s", c->mail_spf);
		return RENDER_OK;
	}
	*dst = '\0';
	if (c->ipv4_parent.n > 0)
		at = (size_t)snprintf(dst, dstlen, "ip4:%s", c->ipv4_parent.item[0]);
	if (j->site->has_ipv6 && at + 1 < dstlen) {
		address_make(&a, &j->site->prefix, 0, 0, ADDRESS_SERVES, 0);
		snprintf(dst + at, dstlen - at, "%sip6:%s", at > 0 ? " " : "",
		    inet_ntop(AF_INET6, &a, text, sizeof(text)));
	}
	return RENDER_OK;
}

/* --- the table --------------------------------------------------------------------------------------- */

enum {
	NEEDS_TOKEN = 1,
	NEEDS_TEST = 2,
	NEEDS_CERTS = 4,
	SUFFIX_K = 8 /* mx0 */,
	ARG_K = 16 /* :0 */,
	ARG_B = 32 /* :b */
};

static const struct placeholder {
	const char *name;
	unsigned flags;
	enum render_result (*put)(char *dst, size_t dstlen, const struct job *);
} placeholders[] = {
	{ "t", NEEDS_TOKEN, put_token },
	{ "d", NEEDS_TOKEN | NEEDS_TEST | ARG_B, put_domain },
	{ "zone", ARG_B, put_zone },
	{ "base", 0, put_base },
	{ "mx", NEEDS_TOKEN | NEEDS_TEST | SUFFIX_K | ARG_B, put_mx },
	{ "ipv4", NEEDS_TEST | ARG_K, put_ipv4 },
	{ "ipv4-refused", 0, put_ipv4_refused },
	{ "ipv4-silent", 0, put_ipv4_silent },
	{ "ipv6", NEEDS_TOKEN | NEEDS_TEST | ARG_K, put_ipv6 },
	{ "policy4", 0, put_policy4 },
	{ "policy6", NEEDS_TOKEN | NEEDS_TEST, put_policy6 },
	{ "ipv6-refused", NEEDS_TOKEN | NEEDS_TEST | ARG_K, put_ipv6_refused },
	{ "ipv6-silent", NEEDS_TOKEN | NEEDS_TEST | ARG_K, put_ipv6_silent },
	{ "ns4", 0, put_ns4 },
	{ "ns6", 0, put_ns6 },
	{ "mail4", 0, put_mail4 },
	{ "spki", NEEDS_TEST | ARG_K, put_spki },
	{ "spki-wrong", NEEDS_TEST | ARG_K, put_spki_wrong },
	{ "spki512", NEEDS_TEST | ARG_K, put_spki512 },
	{ "spki512-wrong", NEEDS_TEST | ARG_K, put_spki512_wrong },
	{ "cert", NEEDS_TEST | ARG_K, put_cert },
	{ "ca-spki", NEEDS_CERTS, put_ca_spki },
	{ "other-ca-spki", NEEDS_CERTS, put_other_ca_spki },
	{ "dkim", ARG_K, put_dkim },
	{ "spf", 0, put_spf },
};

/* "0".."31", nothing else. */
static bool
parse_k(unsigned *k, const char *text, size_t len)
{
	if (len == 0 || len > 2 || (len == 2 && text[0] == '0'))
		return false;
	*k = 0;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return false;
		*k = 10 * *k + (unsigned)(text[i] - '0');
	}
	return *k < TEST_HOSTS_MAX;
}

/* Is word[0..len) this placeholder?  Fills k and zone of the job. */
static bool
matches(struct job *j, const struct placeholder *p, const char *word, size_t len)
{
	size_t n = strlen(p->name);
	const char *colon = memchr(word, ':', len);
	size_t head = colon != NULL ? (size_t)(colon - word) : len;
	size_t arg = colon != NULL ? len - head - 1 : 0;

	if (head < n || memcmp(word, p->name, n) != 0)
		return false;
	if (p->flags & SUFFIX_K) {
		if (!parse_k(&j->k, word + n, head - n))
			return false;
	} else if (head != n) {
		return false;
	}
	if (p->flags & ARG_K)
		return colon != NULL && parse_k(&j->k, colon + 1, arg);
	if (colon == NULL)
		return true;
	j->zone = 1;
	return (p->flags & ARG_B) != 0 && arg == 1 && colon[1] == 'b';
}

static enum render_result
expand(char *dst, size_t dstlen, const struct job *from, const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(placeholders) / sizeof(*placeholders); i++) {
		const struct placeholder *p = &placeholders[i];
		struct job j = *from;

		if (!matches(&j, p, word, len))
			continue;
		if ((p->flags & NEEDS_TOKEN) && j.token == NULL)
			return job_error(&j, "no token here");
		if ((p->flags & NEEDS_TEST) && j.test == NULL)
			return job_error(&j, "no test here");
		if ((p->flags & NEEDS_CERTS) && !(j.site->has & SITE_CERTS))
			return job_error(
			    &j, "the certificates were not read: run outpost init as root");
		if (j.zone == 1 && (j.test == NULL || !j.test->zone[1].used))
			return job_error(&j, "the test has no second zone");
		return p->put(dst, dstlen, &j);
	}
	return job_error(from, "no such placeholder");
}

enum render_result
render(char *dst, size_t dstlen, const char *text, const struct site *site, const struct test *test,
    unsigned zone, const struct token *token, char *err, size_t errlen)
{
	char why[160] = "";
	const struct job j = { site, test, zone, token, 0, why, sizeof(why) };
	size_t len = 0;

	while (*text != '\0') {
		char piece[512];
		size_t n = strcspn(text, "{"), word;

		if (n > 0 && text[n] == '{' && text[n - 1] == '%')
			n += strcspn(text + n, "}"); /* a macro of SPF */
		if (n > 0) {
			if (len + n >= dstlen)
				goto too_long;
			memcpy(dst + len, text, n);
			len += n;
			text += n;
			continue;
		}
		word = strcspn(text, "}");
		if (text[word] == '\0') {
			snprintf(err, errlen, "\"%.40s\": } is missing", text);
			return RENDER_ERROR;
		}
		switch (expand(piece, sizeof(piece), &j, text + 1, word - 1)) {
		case RENDER_OK:
			break;
		case RENDER_NO_ADDRESS:
			return RENDER_NO_ADDRESS;
		case RENDER_ERROR:
			snprintf(err, errlen, "%.*s: %s", (int)(word + 1 > 60 ? 60 : word + 1),
			    text, why);
			return RENDER_ERROR;
		}
		n = strlen(piece);
		if (len + n >= dstlen)
			goto too_long;
		memcpy(dst + len, piece, n);
		len += n;
		text += word + 1;
	}
	if (len >= dstlen)
		goto too_long;
	dst[len] = '\0';
	return RENDER_OK;
too_long:
	snprintf(err, errlen, "the text gets longer than %zu octets", dstlen);
	return RENDER_ERROR;
}

void
render_domain(char *dst, size_t dstlen, const struct site *site, const struct test *test,
    const struct token *token)
{
	char zone[256];

	site_zone_name(zone, sizeof(zone), site, test, 0);
	snprintf(dst, dstlen, "%s.%s", token->text, zone);
}

/* --- the way back -------------------------------------------------------------------------------- */

/* Cuts the last label off name[0..*len): its start, or NULL at the end. */
static const char *
last_label(const char *name, size_t *len, size_t *label_len)
{
	size_t start = *len;

	if (*len == 0)
		return NULL;
	while (start > 0 && name[start - 1] != '.')
		start--;
	*label_len = *len - start;
	*len = start > 0 ? start - 1 : 0;
	return name + start;
}

static const struct test *
find_zone(unsigned *zone, const struct site *site, const char *label, size_t len)
{
	const struct test *t = catalogue_find(site->catalogue, label, len);

	*zone = 0;
	if (t != NULL)
		return t->n_graded_on > 0 ? NULL : t; /* has no names of its own */
	*zone = 1;
	if (len < 3 || strncasecmp(label + len - 2, "-b", 2) != 0)
		return NULL;
	t = catalogue_find(site->catalogue, label, len - 2);
	return t != NULL && t->zone[1].used ? t : NULL;
}

bool
name_split(struct name_parts *dst, const char *name, size_t len, const struct site *site)
{
	size_t base = strlen(site->conf.base), label_len;
	const char *label;

	memset(dst, 0, sizeof(*dst));
	dst->host = -1;
	if (len <= base + 1 || name[len - base - 1] != '.' ||
	    strncasecmp(name + len - base, site->conf.base, base) != 0)
		return false;
	len -= base + 1;
	if ((label = last_label(name, &len, &label_len)) == NULL ||
	    (dst->test = find_zone(&dst->zone, site, label, label_len)) == NULL)
		return false;
	if ((label = last_label(name, &len, &label_len)) == NULL)
		return true;
	if (label_len >= 3 && label_len <= 4 && strncasecmp(label, "mx", 2) == 0) {
		unsigned k;

		if (!parse_k(&k, label + 2, label_len - 2))
			return true;
		dst->host = (int)k;
		if ((label = last_label(name, &len, &label_len)) == NULL)
			return true;
	}
	if (!(site->has & SITE_SECRET))
		return true;
	/* {t}.LABEL.{zone}: a further mail domain */
	if (token_parse(&dst->token, label, label_len, &site->token_key) != TOKEN_OK &&
	    (dst->host >= 0 || (label = last_label(name, &len, &label_len)) == NULL ||
		token_parse(&dst->token, label, label_len, &site->token_key) != TOKEN_OK))
		dst->token.id = 0;
	return true;
}
