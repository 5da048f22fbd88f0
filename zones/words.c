/* words.c - see words.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/strbuf.h"
#include "zones/names.h"
#include "zones/test.h"
#include "zones/words.h"

static const char *const early_verbs[] = { "BANNER", "HELO", "EHLO", "STARTTLS", "MAIL", "RCPT",
	"DATA", "DOT", "RSET", "NOOP", "HELP", "VRFY", "EXPN", "QUIT", NULL };

struct selector {
	const char *word;
	unsigned bit;
	int (*parse)(struct words *, struct predicate *);
};

int
words_fail(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->err, w->errlen, fmt, ap);
	va_end(ap);
	return -1;
}

/* The word to read next; NULL at the end of the predicate. */
const char *
words_peek(const struct words *w)
{
	return w->next < w->n && strcmp(w->word[w->next], "and") != 0 ? w->word[w->next] : NULL;
}

bool
words_take(struct words *w, const char *word)
{
	const char *p = words_peek(w);

	if (p == NULL || strcmp(p, word) != 0)
		return false;
	w->next++;
	return true;
}

/* An argument; NULL with the error said if there is none. */
const char *
words_argument(struct words *w, const char *of, const char *what)
{
	const char *p = words_peek(w);

	if (p == NULL)
		words_fail(w, "%s: %s is missing", of, what);
	else
		w->next++;
	return p;
}

int
words_number(struct words *w, const char *of, unsigned *dst, unsigned max)
{
	const char *p = words_argument(w, of, "a number");
	char *end;
	unsigned long v;

	if (p == NULL)
		return -1;
	v = strtoul(p, &end, 10);
	if (p[0] < '0' || p[0] > '9' || *end != '\0' || strlen(p) > 9 || v > max)
		return words_fail(w, "%s %.40s: must be a number from 0 to %u", of, p, max);
	*dst = (unsigned)v;
	return 0;
}

/* "3", "3..", "3..5" */
int
words_range(struct words *w, const char *of, unsigned *min, unsigned *max)
{
	const char *p = words_argument(w, of, "a range N..M");
	const char *dots;
	unsigned long v;
	char *end;

	if (p == NULL)
		return -1;
	dots = strstr(p, "..");
	v = strtoul(p, &end, 10);
	if (p[0] < '0' || p[0] > '9' || strlen(p) > 20 || end != (dots ? dots : p + strlen(p)) ||
	    v > 1000000)
		return words_fail(w, "%s %.40s: must be N, N.. or N..M", of, p);
	*min = (unsigned)v;
	*max = dots == NULL ? *min : UINT32_MAX;
	if (dots != NULL && dots[2] != '\0') {
		v = strtoul(dots + 2, &end, 10);
		if (dots[2] < '0' || dots[2] > '9' || *end != '\0' || v > 1000000)
			return words_fail(w, "%s %.40s: must be N, N.. or N..M", of, p);
		*max = (unsigned)v;
	}
	if (*max < *min)
		return words_fail(w, "%s %.40s: the range ends before it begins", of, p);
	return 0;
}

int
words_duration(struct words *w, const char *of, int64_t *dst)
{
	const char *p = words_argument(w, of, "a duration");

	if (p == NULL)
		return -1;
	if (duration_parse(dst, p) != 0 || *dst <= 0)
		return words_fail(w, "%s %.40s: must be a duration such as 10m", of, p);
	return 0;
}

int
words_name(struct words *w, struct predicate *p, const char *of, const char *name)
{
	if (name == NULL)
		return -1;
	if (p->n_names == PREDICATE_NAMES_MAX)
		return words_fail(w, "%s: more than %d names", of, PREDICATE_NAMES_MAX);
	p->name[p->n_names++] = xstrdup(name);
	return 0;
}

int
words_one_of(struct words *w, struct predicate *p, const char *of, const char *const *list)
{
	const char *name = words_argument(w, of, "a word");

	if (name == NULL)
		return -1;
	for (; *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return words_name(w, p, of, name);
	return words_fail(w, "%s %.40s: no such word", of, name);
}

/* --- selectors -------------------------------------------------------------------------------- */

int
selector_host(struct words *w, struct predicate *p)
{
	unsigned k = 0;

	if (words_number(w, "host", &k, TEST_HOSTS_MAX - 1) != 0)
		return -1;
	p->host = (int)k;
	return 0;
}

static int
sel_mailbox(struct words *w, struct predicate *p)
{
	unsigned k = 0;

	if (words_number(w, "mailbox", &k, 7) != 0)
		return -1;
	p->mailbox = (int)k;
	return 0;
}

static int
sel_v4(struct words *w, struct predicate *p)
{
	(void)w;
	p->family = 4;
	return 0;
}

static int
sel_v6(struct words *w, struct predicate *p)
{
	(void)w;
	p->family = 6;
	return 0;
}

static int
sel_clear(struct words *w, struct predicate *p)
{
	(void)w;
	p->tls = 0;
	return 0;
}

static int
sel_tls(struct words *w, struct predicate *p)
{
	(void)w;
	p->tls = 1;
	return 0;
}

static int
sel_sni(struct words *w, struct predicate *p)
{
	(void)w;
	p->sni = true;
	return 0;
}

static int
sel_phase(struct words *w, struct predicate *p)
{
	unsigned k = 0;

	if (words_number(w, "phase", &k, TEST_PHASES_MAX) != 0)
		return -1;
	if (k == 0)
		return words_fail(w, "phase 0: phases begin with 1");
	p->phase = (int)k;
	return 0;
}

static int
sel_client_cert(struct words *w, struct predicate *p)
{
	(void)w;
	p->client_cert = true;
	return 0;
}

static int
sel_count(struct words *w, struct predicate *p)
{
	return words_range(w, "count", &p->count_min, &p->count_max);
}

static int
nested(struct words *w, struct predicate **dst, const char *of)
{
	if (words_peek(w) == NULL)
		return words_fail(w, "%s: a predicate is missing", of);
	if (++w->depth > 2)
		return words_fail(w, "%s: at most two predicates inside one another", of);
	*dst = xcalloc(1, sizeof **dst);
	if (predicate_one(*dst, w) != 0)
		return -1;
	w->depth--;
	if ((*dst)->negated)
		return words_fail(w, "%s not: there is no moment of what did not happen", of);
	if ((*dst)->kind >= P_AGAIN)
		return words_fail(w, "%s %s: it has no moments", of, predicate_word((*dst)->kind));
	return 0;
}

static int
sel_after(struct words *w, struct predicate *p)
{
	return nested(w, &p->after, "after");
}

static int
sel_returned(struct words *w, struct predicate *p)
{
	return nested(w, &p->returned, "returned");
}

static int
sel_lost(struct words *w, struct predicate *p)
{
	(void)w;
	p->lost = true;
	return 0;
}

static int
sel_canary(struct words *w, struct predicate *p)
{
	(void)w;
	p->canary = true;
	return 0;
}

static int
sel_within(struct words *w, struct predicate *p)
{
	if (words_duration(w, "within", &p->within_us) != 0)
		return -1;
	if (words_take(w, "before"))
		p->within_side = WITHIN_BEFORE;
	else if (words_take(w, "after"))
		p->within_side = WITHIN_AFTER;
	else if (words_take(w, "of"))
		p->within_side = WITHIN_OF;
	else
		return words_fail(w, "within: before, after or of must follow the duration");
	return nested(w, &p->within_of, "within");
}

static int
sel_at(struct words *w, struct predicate *p)
{
	struct template_name name;
	const char *s;

	if (p->kind == P_EARLY)
		return words_one_of(w, p, "at", early_verbs);
	if (p->at != NULL)
		return words_fail(w, "at, below, address: one of them may stand there");
	if ((s = words_argument(w, "at", "a name")) == NULL ||
	    template_name_parse(&name, s, w->err, w->errlen) != 0)
		return -1;
	p->at = xstrdup(s);
	return 0;
}

static int
sel_below(struct words *w, struct predicate *p)
{
	p->at_kind = AT_BELOW;
	return sel_at(w, p);
}

static int
sel_address(struct words *w, struct predicate *p)
{
	p->at_kind = AT_ADDRESS;
	return sel_at(w, p);
}

static int
sel_rcode(struct words *w, struct predicate *p)
{
	const char *s = words_argument(w, "rcode", "a response code");

	if (s == NULL)
		return -1;
	p->rcode = strcmp(s, "DROP") == 0 ? RCODE_DROP : rcode_by_name(s);
	if (p->rcode < 0)
		return words_fail(w, "rcode %.40s: no such response code", s);
	return 0;
}

static int
sel_via(struct words *w, struct predicate *p)
{
	if (words_take(w, "udp"))
		p->via = VIA_UDP;
	else if (words_take(w, "tcp"))
		p->via = VIA_TCP;
	else if (words_take(w, "v4"))
		p->via = VIA_V4;
	else if (words_take(w, "v6"))
		p->via = VIA_V6;
	else
		return words_fail(w, "via: udp, tcp, v4 or v6 must follow");
	return 0;
}

static int
sel_status(struct words *w, struct predicate *p)
{
	if (words_number(w, "status", &p->number, 599) != 0)
		return -1;
	if (p->number < 100)
		return words_fail(w, "status %u: must be 100 to 599", p->number);
	return 0;
}

static int
sel_dev(struct words *w, struct predicate *p)
{
	return words_name(w, p, "dev", words_argument(w, "dev", "a deviation"));
}

static const struct selector selectors[] = {
	{ "host", S_HOST, selector_host },
	{ "mailbox", S_MAILBOX, sel_mailbox },
	{ "v4", S_FAMILY, sel_v4 },
	{ "v6", S_FAMILY, sel_v6 },
	{ "clear", S_TLS, sel_clear },
	{ "tls", S_TLS, sel_tls },
	{ "sni", S_SNI, sel_sni },
	{ "client-cert", S_CLIENT_CERT, sel_client_cert },
	{ "phase", S_PHASE, sel_phase },
	{ "count", S_COUNT, sel_count },
	{ "at", S_AT, sel_at },
	{ "below", S_BELOW, sel_below },
	{ "address", S_BELOW, sel_address },
	{ "rcode", S_RCODE, sel_rcode },
	{ "via", S_VIA, sel_via },
	{ "status", S_STATUS, sel_status },
	{ "dev", S_DEV, sel_dev },
	{ "returned", S_RETURNED, sel_returned },
	{ "lost", S_LOST, sel_lost },
	{ "canary", S_CANARY, sel_canary },
	{ "after", S_TIME, sel_after },
	{ "within", S_TIME, sel_within },
};
#define N_SELECTORS (sizeof selectors / sizeof selectors[0])

const char *
predicate_selector(unsigned i)
{
	return i < N_SELECTORS ? selectors[i].word : NULL;
}

int
selectors_parse(struct predicate *p, const char *of, unsigned allowed, struct words *w)
{
	unsigned seen = 0;
	const char *word;

	while ((word = words_peek(w)) != NULL) {
		size_t i = 0;
		while (i < N_SELECTORS && strcmp(selectors[i].word, word) != 0)
			i++;
		if (i == N_SELECTORS)
			return words_fail(w, "%.40s: no such selector, or and is missing", word);
		if ((allowed & selectors[i].bit) == 0)
			return words_fail(w, "%s %s: %s has no such selector", of, word, of);
		/* v4 and v6, clear and tls exclude each other; after and within are two. */
		unsigned once = selectors[i].bit == S_TIME
				    ? UINT32_C(1) << (31 - (N_SELECTORS - 1 - i))
				    : selectors[i].bit;
		if (seen & once)
			return words_fail(
			    w, "%s: said twice, or against what was said before", word);
		seen |= once;
		w->next++;
		if (selectors[i].parse(w, p) != 0)
			return -1;
	}
	return 0;
}
