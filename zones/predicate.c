/* predicate.c - words of verdict rules into struct predicate; see predicate.h and FORMAT.md. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/strbuf.h"
#include "zones/names.h"
#include "zones/predicate.h"
#include "zones/test.h"

static const char *const stages[STAGE_MAX] = { "none", "syn", "connect", "banner", "ehlo",
	"starttls", "hello", "handshake", "tls-ehlo", "mail", "rcpt", "data", "accepted" };
static const char *const outcomes[OUTCOME_MAX] = { "accepted", "refused", "open", "unknown" };
static const char *const trait_answers[TRAIT_MAX] = { "yes", "no", "open", "unknown" };
static const char *const early_verbs[] = { "BANNER", "HELO", "EHLO", "STARTTLS", "MAIL", "RCPT",
	"DATA", "DOT", "RSET", "NOOP", "HELP", "VRFY", "EXPN", "QUIT", NULL };
static const char *const message_traits[] = { "8bit", "bare-lf", "bare-cr", "nul", "long-line",
	NULL };
static const char *const report_words[] = { "true", "false", "any", NULL };

const char *
stage_name(enum stage s)
{
	return (unsigned)s < STAGE_MAX ? stages[s] : "?";
}

enum stage
stage_by_name(const char *name, unsigned len)
{
	for (unsigned i = 0; i < STAGE_MAX; i++)
		if (strlen(stages[i]) == len && memcmp(stages[i], name, len) == 0)
			return (enum stage)i;
	return STAGE_MAX;
}

const char *
outcome_name(enum outcome o)
{
	return (unsigned)o < OUTCOME_MAX ? outcomes[o] : "?";
}

enum outcome
outcome_by_name(const char *name)
{
	for (unsigned i = 0; i < OUTCOME_MAX; i++)
		if (strcmp(outcomes[i], name) == 0)
			return (enum outcome)i;
	return OUTCOME_MAX;
}

const char *
trait_answer_name(enum trait_answer a)
{
	return (unsigned)a < TRAIT_MAX ? trait_answers[a] : "?";
}

enum trait_answer
trait_answer_by_name(const char *name)
{
	for (unsigned i = 0; i < TRAIT_MAX; i++)
		if (strcmp(trait_answers[i], name) == 0)
			return (enum trait_answer)i;
	return TRAIT_MAX;
}

/* --- the words of one rule, read from the left ------------------------------------------------ */
struct words {
	char *const *word;
	unsigned n, next;
	char *err;
	size_t errlen;
	unsigned depth; /* of after and within */
};

static int fail(struct words *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int
fail(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->err, w->errlen, fmt, ap);
	va_end(ap);
	return -1;
}

/* The word to read next; NULL at the end of the predicate. */
static const char *
peek(const struct words *w)
{
	return w->next < w->n && strcmp(w->word[w->next], "and") != 0 ? w->word[w->next] : NULL;
}

static bool
take(struct words *w, const char *word)
{
	const char *p = peek(w);

	if (p == NULL || strcmp(p, word) != 0)
		return false;
	w->next++;
	return true;
}

/* An argument; NULL with the error said if there is none. */
static const char *
argument(struct words *w, const char *of, const char *what)
{
	const char *p = peek(w);

	if (p == NULL)
		fail(w, "%s: %s is missing", of, what);
	else
		w->next++;
	return p;
}

static int
number(struct words *w, const char *of, unsigned *dst, unsigned max)
{
	const char *p = argument(w, of, "a number");
	char *end;
	unsigned long v;

	if (p == NULL)
		return -1;
	v = strtoul(p, &end, 10);
	if (p[0] < '0' || p[0] > '9' || *end != '\0' || strlen(p) > 9 || v > max)
		return fail(w, "%s %.40s: must be a number from 0 to %u", of, p, max);
	*dst = (unsigned)v;
	return 0;
}

/* "3", "3..", "3..5" */
static int
range(struct words *w, const char *of, unsigned *min, unsigned *max)
{
	const char *p = argument(w, of, "a range N..M");
	const char *dots;
	unsigned long v;
	char *end;

	if (p == NULL)
		return -1;
	dots = strstr(p, "..");
	v = strtoul(p, &end, 10);
	if (p[0] < '0' || p[0] > '9' || strlen(p) > 20 || end != (dots ? dots : p + strlen(p)) ||
	    v > 1000000)
		return fail(w, "%s %.40s: must be N, N.. or N..M", of, p);
	*min = (unsigned)v;
	*max = dots == NULL ? *min : UINT32_MAX;
	if (dots != NULL && dots[2] != '\0') {
		v = strtoul(dots + 2, &end, 10);
		if (dots[2] < '0' || dots[2] > '9' || *end != '\0' || v > 1000000)
			return fail(w, "%s %.40s: must be N, N.. or N..M", of, p);
		*max = (unsigned)v;
	}
	if (*max < *min)
		return fail(w, "%s %.40s: the range ends before it begins", of, p);
	return 0;
}

static int
duration(struct words *w, const char *of, int64_t *dst)
{
	const char *p = argument(w, of, "a duration");

	if (p == NULL)
		return -1;
	if (duration_parse(dst, p) != 0 || *dst <= 0)
		return fail(w, "%s %.40s: must be a duration such as 10m", of, p);
	return 0;
}

static int
add_name(struct words *w, struct predicate *p, const char *of, const char *name)
{
	if (name == NULL)
		return -1;
	if (p->n_names == PREDICATE_NAMES_MAX)
		return fail(w, "%s: more than %d names", of, PREDICATE_NAMES_MAX);
	p->name[p->n_names++] = xstrdup(name);
	return 0;
}

static int
one_of(struct words *w, struct predicate *p, const char *of, const char *const *list)
{
	const char *name = argument(w, of, "a word");

	if (name == NULL)
		return -1;
	for (; *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return add_name(w, p, of, name);
	return fail(w, "%s %.40s: no such word", of, name);
}

/* --- selectors -------------------------------------------------------------------------------- */
static int predicate_one(struct predicate *, struct words *);

static int
sel_host(struct words *w, struct predicate *p)
{
	unsigned k = 0;

	if (number(w, "host", &k, TEST_HOSTS_MAX - 1) != 0)
		return -1;
	p->host = (int)k;
	return 0;
}

static int
sel_mailbox(struct words *w, struct predicate *p)
{
	unsigned k = 0;

	if (number(w, "mailbox", &k, 7) != 0)
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

	if (number(w, "phase", &k, TEST_PHASES_MAX) != 0)
		return -1;
	if (k == 0)
		return fail(w, "phase 0: phases begin with 1");
	p->phase = (int)k;
	return 0;
}

static int
sel_count(struct words *w, struct predicate *p)
{
	return range(w, "count", &p->count_min, &p->count_max);
}

static int
nested(struct words *w, struct predicate **dst, const char *of)
{
	if (peek(w) == NULL)
		return fail(w, "%s: a predicate is missing", of);
	if (++w->depth > 2)
		return fail(w, "%s: at most two predicates inside one another", of);
	*dst = xcalloc(1, sizeof **dst);
	if (predicate_one(*dst, w) != 0)
		return -1;
	w->depth--;
	if ((*dst)->negated)
		return fail(w, "%s not: there is no moment of what did not happen", of);
	if ((*dst)->kind >= P_AGAIN)
		return fail(w, "%s %s: it has no moments", of, predicate_word((*dst)->kind));
	return 0;
}

static int
sel_after(struct words *w, struct predicate *p)
{
	return nested(w, &p->after, "after");
}

static int
sel_within(struct words *w, struct predicate *p)
{
	if (duration(w, "within", &p->within_us) != 0)
		return -1;
	if (take(w, "before"))
		p->within_side = WITHIN_BEFORE;
	else if (take(w, "after"))
		p->within_side = WITHIN_AFTER;
	else if (take(w, "of"))
		p->within_side = WITHIN_OF;
	else
		return fail(w, "within: before, after or of must follow the duration");
	return nested(w, &p->within_of, "within");
}

static int
sel_at(struct words *w, struct predicate *p)
{
	struct template_name name;
	const char *s;

	if (p->kind == P_EARLY)
		return one_of(w, p, "at", early_verbs);
	if ((s = argument(w, "at", "a name")) == NULL ||
	    template_name_parse(&name, s, w->err, w->errlen) != 0)
		return -1;
	p->at = xstrdup(s);
	return 0;
}

static int
sel_rcode(struct words *w, struct predicate *p)
{
	const char *s = argument(w, "rcode", "a response code");

	if (s == NULL)
		return -1;
	p->rcode = strcmp(s, "DROP") == 0 ? RCODE_DROP : rcode_by_name(s);
	if (p->rcode < 0)
		return fail(w, "rcode %.40s: no such response code", s);
	return 0;
}

static int
sel_via(struct words *w, struct predicate *p)
{
	if (take(w, "udp"))
		p->via = VIA_UDP;
	else if (take(w, "tcp"))
		p->via = VIA_TCP;
	else if (take(w, "v4"))
		p->via = VIA_V4;
	else if (take(w, "v6"))
		p->via = VIA_V6;
	else
		return fail(w, "via: udp, tcp, v4 or v6 must follow");
	return 0;
}

static int
sel_status(struct words *w, struct predicate *p)
{
	if (number(w, "status", &p->number, 599) != 0)
		return -1;
	if (p->number < 100)
		return fail(w, "status %u: must be 100 to 599", p->number);
	return 0;
}

static int
sel_dev(struct words *w, struct predicate *p)
{
	return add_name(w, p, "dev", argument(w, "dev", "a deviation"));
}

enum {
	S_HOST = 1,
	S_MAILBOX = 2,
	S_FAMILY = 4,
	S_TLS = 8,
	S_SNI = 16,
	S_PHASE = 32,
	S_COUNT = 64,
	S_TIME = 128,
	S_AT = 256,
	S_RCODE = 512,
	S_VIA = 1024,
	S_STATUS = 2048,
	S_DEV = 4096,
	S_ANY = S_PHASE | S_COUNT | S_TIME,
	S_SESSION = S_HOST | S_FAMILY | S_TLS | S_SNI | S_ANY,
};
static const struct selector {
	const char *word;
	unsigned bit;
	int (*parse)(struct words *, struct predicate *);
} selectors[] = {
	{ "host", S_HOST, sel_host },
	{ "mailbox", S_MAILBOX, sel_mailbox },
	{ "v4", S_FAMILY, sel_v4 },
	{ "v6", S_FAMILY, sel_v6 },
	{ "clear", S_TLS, sel_clear },
	{ "tls", S_TLS, sel_tls },
	{ "sni", S_SNI, sel_sni },
	{ "phase", S_PHASE, sel_phase },
	{ "count", S_COUNT, sel_count },
	{ "at", S_AT, sel_at },
	{ "rcode", S_RCODE, sel_rcode },
	{ "via", S_VIA, sel_via },
	{ "status", S_STATUS, sel_status },
	{ "dev", S_DEV, sel_dev },
	{ "after", S_TIME, sel_after },
	{ "within", S_TIME, sel_within },
};
#define N_SELECTORS (sizeof selectors / sizeof selectors[0])

/* --- predicates ------------------------------------------------------------------------------- */
static int
arg_stage(struct words *w, struct predicate *p)
{
	const char *s = argument(w, "gave-up-at", "a stage");

	if (s == NULL)
		return -1;
	p->stage = stage_by_name(s, (unsigned)strlen(s));
	if (p->stage == STAGE_MAX || p->stage == STAGE_NONE || p->stage == STAGE_ACCEPTED)
		return fail(w, "gave-up-at %.40s: no such stage", s);
	return 0;
}

static int
arg_completed(struct words *w, struct predicate *p)
{
	return range(w, "completed", &p->commands_min, &p->commands_max);
}

static int
arg_seen(struct words *w, struct predicate *p)
{
	const char *s;

	if (!take(w, "dns"))
		return fail(w, "seen: dns must follow");
	if (take(w, "any"))
		return 0;
	if ((s = argument(w, "seen dns", "a type")) == NULL)
		return -1;
	p->type = rrtype_by_name(s);
	if (p->type == 0)
		return fail(w, "seen dns %.40s: no such type", s);
	if (!rrtype_can_be_asked(p->type) || p->type == 255)
		return fail(w,
		    "seen dns %.40s: that type is never asked of us; any type is written any", s);
	return 0;
}

static int
arg_stale(struct words *w, struct predicate *p)
{
	if (!take(w, "host"))
		return fail(w, "stale: host must follow");
	return sel_host(w, p) != 0 ? -1 : duration(w, "stale", &p->age_us);
}

static int
arg_message(struct words *w, struct predicate *p)
{
	return one_of(w, p, "message", message_traits);
}

static int
arg_report(struct words *w, struct predicate *p)
{
	return one_of(w, p, "report", report_words);
}

static int
arg_dsn(struct words *w, struct predicate *p)
{
	const char *s = argument(w, "dsn", "a status");

	if (s == NULL)
		return -1;
	if (strspn(s, "0123456789.") != strlen(s) || (s[0] != '2' && s[0] != '4' && s[0] != '5') ||
	    strlen(s) > 11)
		return fail(w, "dsn %.40s: must be a status such as 5 or 4.7 or 5.7.1", s);
	return add_name(w, p, "dsn", s);
}

static int
arg_names(struct words *w, struct predicate *p)
{
	const char *s;

	while ((s = peek(w)) != NULL) {
		w->next++;
		if (add_name(w, p, "control any", s) != 0)
			return -1;
	}
	return p->n_names > 0 ? 0 : fail(w, "control any: names of tests must follow");
}

static int
arg_contrast(struct words *w, struct predicate *p)
{
	const char *s = argument(w, "contrast", "accepted, refused, open or unknown");

	if (s == NULL)
		return -1;
	p->outcome = outcome_by_name(s);
	if (p->outcome == OUTCOME_MAX)
		return fail(w, "contrast %.40s: must be accepted, refused, open or unknown", s);
	return 0;
}

static int
arg_trait(struct words *w, struct predicate *p)
{
	const char *s;

	if (add_name(w, p, "trait", argument(w, "trait", "a name")) != 0)
		return -1;
	if ((s = peek(w)) == NULL)
		return 0;
	w->next++;
	p->answer = trait_answer_by_name(s);
	if (p->answer == TRAIT_MAX)
		return fail(w, "trait %s %.40s: must be yes, no, open or unknown", p->name[0], s);
	return 0;
}

static const struct row {
	const char *word, *second; /* second: NULL if one word says it */
	const char *usage;
	int (*parse)(struct words *, struct predicate *); /* NULL: no argument */
	unsigned selectors;
} rows[P_KIND_MAX] = {
	[P_ACCEPTED] = { "accepted", NULL, "accepted", NULL, S_SESSION | S_MAILBOX },
	[P_ATTEMPTED] = { "attempted", NULL, "attempted", NULL, S_SESSION },
	[P_GAVE_UP_AT] = { "gave-up-at", NULL, "gave-up-at STAGE", arg_stage, S_SESSION },
	[P_COMPLETED] = { "completed", NULL, "completed N..M", arg_completed, S_SESSION },
	[P_SEEN] = { "seen", NULL, "seen dns TYPE|any [at NAME] [rcode R] [via udp|tcp|v4|v6]",
	    arg_seen, S_AT | S_RCODE | S_VIA | S_ANY },
	[P_FETCHED] = { "fetched", NULL, "fetched [status N]", NULL, S_STATUS | S_ANY },
	[P_MET] = { "met", NULL, "met [dev D]", NULL, S_DEV | S_HOST | S_FAMILY | S_TLS | S_ANY },
	[P_EARLY] = { "early", NULL, "early [at VERB]", NULL, S_AT | S_SESSION },
	[P_STALE] = { "stale", NULL, "stale host K D", arg_stale, S_FAMILY | S_ANY },
	[P_MESSAGE] = { "message", NULL, "message TRAIT", arg_message, S_SESSION | S_MAILBOX },
	[P_REPORT] = { "report", NULL, "report true|false|any", arg_report, S_COUNT | S_TIME },
	[P_DSN] = { "dsn", NULL, "dsn CODE", arg_dsn, S_COUNT | S_TIME },
	[P_AGAIN] = { "again", NULL, "again", NULL, 0 },
	[P_SENT] = { "sent", NULL, "sent", NULL, 0 },
	[P_CONTROL_ACCEPTED] = { "control", "accepted", "control accepted", NULL, 0 },
	[P_CONTROL_ANY] = { "control", "any", "control any A B", arg_names, 0 },
	[P_CONTRAST] = { "contrast", NULL, "contrast accepted|refused|open|unknown", arg_contrast,
	    0 },
	[P_TRAIT] = { "trait", NULL, "trait NAME [yes|no|open|unknown]", arg_trait, 0 },
	[P_SETTLED] = { "settled", NULL, "settled", NULL, 0 },
	[P_OTHERWISE] = { "otherwise", NULL, "otherwise", NULL, 0 },
};

const char *
predicate_word(enum predicate_kind kind)
{
	return (unsigned)kind < P_KIND_MAX ? rows[kind].word : "?";
}

const char *
predicate_usage(enum predicate_kind kind)
{
	return (unsigned)kind < P_KIND_MAX ? rows[kind].usage : "?";
}

const char *
predicate_selector(unsigned i)
{
	return i < N_SELECTORS ? selectors[i].word : NULL;
}

static const struct row *
find_row(struct words *w)
{
	const char *word = argument(w, "rule", "a predicate");
	bool half = false;

	if (word == NULL)
		return NULL;
	for (size_t i = 0; i < P_KIND_MAX; i++) {
		if (strcmp(rows[i].word, word) != 0)
			continue;
		if (rows[i].second == NULL || take(w, rows[i].second))
			return &rows[i];
		half = true;
	}
	fail(w, half ? "%.40s: accepted or any must follow" : "%.40s: no such predicate", word);
	return NULL;
}

static int
parse_selectors(struct predicate *p, const struct row *row, struct words *w)
{
	unsigned seen = 0;
	const char *word;

	while ((word = peek(w)) != NULL) {
		size_t i = 0;
		while (i < N_SELECTORS && strcmp(selectors[i].word, word) != 0)
			i++;
		if (i == N_SELECTORS)
			return fail(w, "%.40s: no such selector, or and is missing", word);
		if ((row->selectors & selectors[i].bit) == 0)
			return fail(
			    w, "%s %s: %s has no such selector", row->word, word, row->word);
		/* v4 and v6, clear and tls exclude each other; after and within are two. */
		unsigned once = selectors[i].bit == S_TIME ? 1u << (16 + i) : selectors[i].bit;
		if (seen & once)
			return fail(w, "%s: said twice, or against what was said before", word);
		seen |= once;
		w->next++;
		if (selectors[i].parse(w, p) != 0)
			return -1;
	}
	return 0;
}

/* One predicate, up to "and" or the end. */
static int
predicate_one(struct predicate *p, struct words *w)
{
	const struct row *row;

	p->host = p->mailbox = p->phase = p->tls = p->rcode = -1;
	p->count_min = 1;
	p->count_max = UINT32_MAX;
	p->negated = take(w, "not");
	if ((row = find_row(w)) == NULL)
		return -1;
	p->kind = (enum predicate_kind)(row - rows);
	if (row->parse != NULL && row->parse(w, p) != 0)
		return -1;
	return parse_selectors(p, row, w);
}

static void
clear_one(struct predicate *p)
{
	predicate_free(p->after, p->after != NULL);
	predicate_free(p->within_of, p->within_of != NULL);
	free(p->at);
	for (unsigned i = 0; i < p->n_names; i++)
		free(p->name[i]);
}

void
predicate_free(struct predicate *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		clear_one(&p[i]);
	free(p);
}

#define RULE_MAX 16 /* predicates of one rule */

int
predicate_parse(
    struct predicate **out, size_t *n_out, char *const *word, unsigned n, char *err, size_t errlen)
{
	struct words w = { word, n, 0, err, errlen, 0 };
	struct predicate *all = xcalloc(RULE_MAX, sizeof *all);
	size_t k = 0;

	do {
		if (k == RULE_MAX) {
			fail(&w, "rule: more than %d predicates", RULE_MAX);
			goto bad;
		}
		k++;
		w.depth = 0;
		if (predicate_one(&all[k - 1], &w) != 0)
			goto bad;
		if (all[k - 1].kind == P_OTHERWISE && (all[k - 1].negated || w.next < n || k > 1)) {
			fail(&w, "otherwise: must stand alone");
			goto bad;
		}
	} while (w.next++ < n);
	*out = all;
	*n_out = k;
	return 0;
bad:
	predicate_free(all, k);
	return -1;
}
