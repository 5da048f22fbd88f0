/* dmarc_record.c - see dmarc_record.h. */
#include "verify/dmarc_record.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *
dmarc_policy_word(enum dmarc_policy p)
{
	static const char *const words[] = {
		[DMARC_UNSET] = "",
		[DMARC_INVALID] = "",
		[DMARC_NO_ACTION] = "none",
		[DMARC_QUARANTINE] = "quarantine",
		[DMARC_REJECT] = "reject",
	};

	return words[p];
}

static void __attribute__((format(printf, 3, 4)))
fault(struct dmarc_record *r, bool grave, const char *fmt, ...)
{
	va_list ap;

	if (r->faults < DMARC_FAULTS_MAX) {
		r->fault[r->faults].grave = grave;
		va_start(ap, fmt);
		vsnprintf(r->fault[r->faults].text, sizeof(r->fault[r->faults].text), fmt, ap);
		va_end(ap);
	}
	r->faults++;
}

#define SHOWN(s) (int)((s).n < 60 ? (s).n : 60), (s).p

static bool
word_is(struct span s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

static struct span
trim(const char *p, size_t n)
{
	while (n > 0 && (*p == ' ' || *p == '\t'))
		p++, n--;
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return (struct span){ p, n };
}

/* Up to the separator; *rest is what stands behind it, p NULL if nothing does. */
static struct span
next_item(struct span *rest, char separator)
{
	const char *end = memchr(rest->p, separator, rest->n);
	size_t n = end != NULL ? (size_t)(end - rest->p) : rest->n;
	struct span item = trim(rest->p, n);

	*rest = end != NULL ? (struct span){ end + 1, rest->n - n - 1 } : (struct span){ NULL, 0 };
	return item;
}

/* --- one function for one tag ---------------------------------------------------------------------------- */

static enum dmarc_policy
policy(struct dmarc_record *r, const char *tag, struct span v)
{
	for (enum dmarc_policy p = DMARC_NO_ACTION; p <= DMARC_REJECT; p++)
		if (word_is(v, dmarc_policy_word(p)))
			return p;
	fault(r, true, "%s: \"%.*s\" is none of none, quarantine, reject", tag, SHOWN(v));
	return DMARC_INVALID;
}

static void
read_p(struct dmarc_record *r, struct span v)
{
	r->p = policy(r, "p", v);
}

static void
read_sp(struct dmarc_record *r, struct span v)
{
	r->sp = policy(r, "sp", v);
}

static void
read_np(struct dmarc_record *r, struct span v)
{
	r->np = policy(r, "np", v);
}

static bool
one_of(struct dmarc_record *r, const char *tag, const char *letters, struct span v, char *dst)
{
	if (v.n == 1 && strchr(letters, tolower((unsigned char)*v.p)) != NULL && *v.p != '\0') {
		*dst = (char)tolower((unsigned char)*v.p);
		return true;
	}
	fault(r, true, "%s: \"%.*s\" is none of %c, %c%s", tag, SHOWN(v), letters[0], letters[1],
	    letters[2] != '\0' ? ", u" : "");
	return false;
}

static void
read_adkim(struct dmarc_record *r, struct span v)
{
	char c;

	r->strict_dkim = one_of(r, "adkim", "rs", v, &c) && c == 's';
}

static void
read_aspf(struct dmarc_record *r, struct span v)
{
	char c;

	r->strict_spf = one_of(r, "aspf", "rs", v, &c) && c == 's';
}

static void
read_t(struct dmarc_record *r, struct span v)
{
	char c;

	r->testing = one_of(r, "t", "yn", v, &c) && c == 'y';
}

static void
read_psd(struct dmarc_record *r, struct span v)
{
	one_of(r, "psd", "ynu", v, &r->psd);
}

/* -1: no number, or over max. */
static int64_t
number(struct span v, int64_t max)
{
	int64_t x = 0;

	if (v.n == 0)
		return -1;
	for (size_t i = 0; i < v.n; i++) {
		if (!isdigit((unsigned char)v.p[i]))
			return -1;
		x = x * 10 + (v.p[i] - '0');
		if (x > max)
			return -1;
	}
	return x;
}

static void
read_pct(struct dmarc_record *r, struct span v)
{
	int64_t x = number(v, 100);

	if (x < 0)
		fault(r, true, "pct: \"%.*s\" is no number from 0 to 100", SHOWN(v));
	else
		r->pct = (unsigned)x;
	fault(r, false, "pct: RFC 9989 has no such tag any more (t=y stands for testing)");
}

static void
read_ri(struct dmarc_record *r, struct span v)
{
	int64_t x = number(v, UINT32_MAX);

	if (x < 0)
		fault(r, true, "ri: \"%.*s\" is no number of seconds", SHOWN(v));
	else
		r->interval = (uint32_t)x;
}

static void
read_rf(struct dmarc_record *r, struct span v)
{
	struct span rest = v;

	while (rest.p != NULL) {
		struct span item = next_item(&rest, ':');

		if (!word_is(item, "afrf"))
			fault(r, true, "rf: \"%.*s\" is no known format: afrf is", SHOWN(item));
	}
}

static void
read_fo(struct dmarc_record *r, struct span v)
{
	struct span rest = v;
	char found[8];
	size_t n = 0;

	while (rest.p != NULL) {
		struct span item = next_item(&rest, ':');

		if (item.n != 1 || strchr("01dsDS", *item.p) == NULL || *item.p == '\0') {
			fault(r, true, "fo: \"%.*s\" is none of 0, 1, d, s", SHOWN(item));
			continue;
		}
		if (n + 1 < sizeof(found) &&
		    memchr(found, tolower((unsigned char)*item.p), n) == NULL)
			found[n++] = (char)tolower((unsigned char)*item.p);
	}
	if (n > 0) {
		memcpy(r->fo, found, n);
		r->fo[n] = '\0';
	}
	if (memchr(found, '0', n) != NULL && memchr(found, '1', n) != NULL)
		fault(r, false, "fo: 0 and 1 exclude each other (RFC 9989 4.7)");
}

/* --- addresses for reports ------------------------------------------------------------------------------------ */

/* "!10m" at the end; what is left stays in *uri. */
static bool
take_size(struct dmarc_record *r, const char *tag, struct span *uri, uint64_t *limit)
{
	static const char units[] = "kmgt";
	const char *mark = memchr(uri->p, '!', uri->n), *unit;
	struct span size;
	unsigned shift = 0;
	int64_t x;

	*limit = 0;
	if (mark == NULL)
		return true;
	size = (struct span){ mark + 1, uri->n - (size_t)(mark - uri->p) - 1 };
	uri->n = (size_t)(mark - uri->p);
	if (size.n > 0 && size.p[size.n - 1] != '\0' &&
	    (unit = strchr(units, tolower((unsigned char)size.p[size.n - 1]))) != NULL) {
		shift = 10 * (unsigned)(unit - units + 1);
		size.n--;
	}
	if ((x = number(size, INT64_MAX >> 40)) < 0) {
		fault(r, true,
		    "%s: \"!%.*s\" is no size (RFC 7489 6.4; in an address \"!\" is %%21)", tag,
		    SHOWN(size));
		return false;
	}
	*limit = (uint64_t)x << shift;
	return true;
}

/* The text of a URI with its %XX read; -1: broken, or too long. */
static int
decode(char *dst, size_t size, struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char hex[3] = { 0 }, *end;

		if (n + 1 == size)
			return -1;
		if (s.p[i] != '%') {
			dst[n++] = s.p[i];
			continue;
		}
		if (s.n - i < 3 || !isxdigit((unsigned char)s.p[i + 1]) ||
		    !isxdigit((unsigned char)s.p[i + 2]))
			return -1;
		memcpy(hex, s.p + i + 1, 2);
		dst[n++] = (char)strtol(hex, &end, 16);
		i += 2;
	}
	dst[n] = '\0';
	return (int)n;
}

/* NULL, or what is wrong with a mailto URI. */
static const char *
read_mailto(struct dmarc_uri *dst, struct span uri)
{
	struct span address = { uri.p + 7, uri.n - 7 };
	const char *query = memchr(address.p, '?', address.n), *at, *why;
	char text[sizeof(dst->text)];
	int n;

	if (query != NULL)
		address.n = (size_t)(query - address.p);
	for (size_t i = 0; i < uri.n; i++)
		if (uri.p[i] <= ' ' || uri.p[i] > '~' || strchr("<>\"\\", uri.p[i]) != NULL)
			return "a character that no URI may have";
	if ((n = decode(text, sizeof(text), address)) < 0)
		return "a broken % sequence";
	if ((at = memrchr(text, '@', (size_t)n)) == NULL || at == text)
		return "no address";
	if (address_domain(dst->host, at + 1, (size_t)(text + n - at - 1), &why) != 0) {
		dst->host[0] = '\0';
		return why;
	}
	return NULL;
}

static size_t
read_uris(
    struct dmarc_record *r, const char *tag, struct dmarc_uri uris[DMARC_URIS_MAX], struct span v)
{
	struct span rest = v;
	size_t n = 0, too_many = 0;

	while (rest.p != NULL) {
		struct span uri = next_item(&rest, ',');
		const char *colon = memchr(uri.p, ':', uri.n), *why;
		struct dmarc_uri *dst = &uris[n];

		if (n == DMARC_URIS_MAX) {
			too_many++;
			continue;
		}
		memset(dst, 0, sizeof(*dst));
		if (!take_size(r, tag, &uri, &dst->limit))
			continue;
		if (uri.n >= sizeof(dst->text)) {
			fault(
			    r, true, "%s: an address over %zu octets", tag, sizeof(dst->text) - 1);
		} else if (colon == NULL || colon >= uri.p + uri.n) {
			fault(r, true, "%s: \"%.*s\" is no URI: it should begin with mailto:", tag,
			    SHOWN(uri));
		} else if (!word_is((struct span){ uri.p, (size_t)(colon - uri.p) }, "mailto")) {
			fault(r, true, "%s: \"%.*s\": receivers need only know mailto: URIs", tag,
			    SHOWN(uri));
		} else if ((why = read_mailto(dst, uri)) != NULL) {
			fault(r, true, "%s: \"%.*s\": %s", tag, SHOWN(uri), why);
		} else {
			memcpy(dst->text, uri.p, uri.n);
			n++;
		}
	}
	if (too_many > 0)
		fault(r, false,
		    "%s: over %d addresses: the others are not looked at (receivers "
		    "need to serve two)",
		    tag, DMARC_URIS_MAX);
	return n;
}

static void
read_rua(struct dmarc_record *r, struct span v)
{
	r->rua_n = read_uris(r, "rua", r->rua, v);
}

static void
read_ruf(struct dmarc_record *r, struct span v)
{
	r->ruf_n = read_uris(r, "ruf", r->ruf, v);
}

/* --- the list ---------------------------------------------------------------------------------------------------- */

static void
read_v(struct dmarc_record *r, struct span v)
{
	(void)r;
	(void)v;
}

static const struct tag_row {
	const char *name;
	void (*read)(struct dmarc_record *, struct span);
} tags[] = {
	{ "v", read_v },         /* looked at before */
	{ "p", read_p },         /* RFC 7489 6.3 */
	{ "sp", read_sp },       /* RFC 7489 6.3 */
	{ "np", read_np },       /* RFC 9091, RFC 9989 4.7 */
	{ "adkim", read_adkim }, /* RFC 7489 6.3 */
	{ "aspf", read_aspf },   /* RFC 7489 6.3 */
	{ "pct", read_pct },     /* RFC 7489 6.3; not in RFC 9989 */
	{ "t", read_t },         /* RFC 9989 4.7 */
	{ "psd", read_psd },     /* RFC 9989 4.7 */
	{ "fo", read_fo },       /* RFC 7489 6.3 */
	{ "rf", read_rf },       /* RFC 7489 6.3; not in RFC 9989 */
	{ "ri", read_ri },       /* RFC 7489 6.3; not in RFC 9989 */
	{ "rua", read_rua },     /* RFC 7489 6.3 */
	{ "ruf", read_ruf },     /* RFC 7489 6.3 */
};
#define TAGS (sizeof(tags) / sizeof(*tags))

static size_t
find_tag(struct span name)
{
	size_t i = 0;

	while (i < TAGS && !word_is(name, tags[i].name))
		i++;
	return i;
}

bool
dmarc_record_is(const char *text, size_t len)
{
	struct span rest = { text, len }, first = next_item(&rest, ';'), name, value = first;

	if (first.n == 0 || first.p != text)
		return false;
	name = next_item(&value, '=');
	if (value.p == NULL || !word_is(name, "v"))
		return false;
	value = trim(value.p, value.n);
	return value.n == 6 && memcmp(value.p, "DMARC1", 6) == 0;
}

static void
read_item(struct dmarc_record *r, struct span item, unsigned place, unsigned *seen)
{
	struct span value = item, name = next_item(&value, '=');
	size_t i = find_tag(name);

	if (value.p == NULL) {
		fault(r, true, "\"%.*s\" is no tag: there is no \"=\" (a \";\" too many?)",
		    SHOWN(item));
		return;
	}
	value = trim(value.p, value.n);
	if (i == TAGS) {
		fault(r, false, "%.*s: no DMARC tag has this name: it is passed over", SHOWN(name));
		return;
	}
	if ((*seen & 1u << i) != 0) {
		fault(r, true,
		    "%s: it stands there twice: by RFC 6376 3.2 that makes the record void, "
		    "most receivers take the first",
		    tags[i].name);
		return;
	}
	*seen |= 1u << i;
	if (strcmp(tags[i].name, "p") == 0 && place != 1)
		fault(r, false, "p: RFC 7489 6.4 wants it next to v");
	if (value.n == 0)
		fault(r, true, "%s: it has no value", tags[i].name);
	if (value.n > 0)
		tags[i].read(r, value);
	else if (tags[i].read == read_p || tags[i].read == read_sp || tags[i].read == read_np)
		*(tags[i].read == read_p      ? &r->p
		    : tags[i].read == read_sp ? &r->sp
					      : &r->np) = DMARC_INVALID;
}

static void
look_over(struct dmarc_record *r, unsigned seen)
{
	bool fo = (seen & 1u << find_tag((struct span){ "fo", 2 })) != 0;
	bool ruf = (seen & 1u << find_tag((struct span){ "ruf", 3 })) != 0;

	if (r->p == DMARC_UNSET)
		fault(r, true,
		    r->rua_n > 0 ? "p: it is not there: with rua that means p=none"
				 : "p: it is not there, and no rua: the record means nothing (RFC "
				   "7489 6.6.3), or p=none (RFC 9989 4.7)");
	if (fo && !ruf)
		fault(r, false, "fo: it counts only with ruf");
}

void
dmarc_record_parse(struct dmarc_record *r, const char *text, size_t len)
{
	struct span rest = { text, len };
	unsigned place = 0, seen = 0;

	memset(r, 0, sizeof(*r));
	r->pct = 100;
	r->psd = 'u';
	r->fo[0] = '0';
	r->interval = 86400;
	memcpy(r->text, text, len < sizeof(r->text) ? len : sizeof(r->text) - 1);
	for (size_t i = 0; i < sizeof(r->text) - 1 && i < len; i++)
		if (r->text[i] == '\0') /* what stands behind it is to be seen */
			r->text[i] = '?';
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || (unsigned char)text[i] > '~') {
			fault(r, false, "octet %zu of the record is not printable", i + 1);
			break;
		}
	while (rest.p != NULL) {
		struct span item = next_item(&rest, ';');

		if (item.n > 0)
			read_item(r, item, place++, &seen);
		else if (rest.p != NULL)
			fault(r, false, "two \";\" with nothing between them");
	}
	look_over(r, seen);
}

enum dmarc_effect
dmarc_record_effect(const struct dmarc_record *r, bool tree)
{
	bool valid = r->p >= DMARC_NO_ACTION || (tree && r->p == DMARC_UNSET);

	if (valid && r->sp != DMARC_INVALID && !(tree && r->np == DMARC_INVALID))
		return DMARC_AS_WRITTEN;
	return r->rua_n > 0 ? DMARC_AS_NONE : DMARC_NOT_APPLIED;
}
