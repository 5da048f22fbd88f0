/* predicate.c - words of verdict rules into struct predicate; see predicate.h and FORMAT.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "zones/auth.h"
#include "zones/names.h"
#include "zones/predicate.h"
#include "zones/test.h"
#include "zones/words.h"

static const char *const stages[STAGE_MAX] = { "none", "syn", "connect", "banner", "ehlo",
	"starttls", "hello", "handshake", "tls-ehlo", "mail", "rcpt", "data", "accepted" };
static const char *const outcomes[OUTCOME_MAX] = { "accepted", "refused", "open", "unknown" };
static const char *const trait_answers[TRAIT_MAX] = { "yes", "no", "open", "unknown" };
static const char *const message_traits[] = { "8bit", "bare-lf", "bare-cr", "nul", "long-line",
	"over-size", "canary", NULL };
static const char *const said_verbs[] = { "EHLO", "HELO", "STARTTLS", "MAIL", "RCPT", "DATA",
	"BDAT", "RSET", "NOOP", "VRFY", "HELP", "QUIT", NULL };
static const char *const hello_things[HELLO_THING_MAX] = {
	[HELLO_ANY] = "",
	[HELLO_TLS13] = "version tls1.3",
	[HELLO_TLS12] = "version tls1.2",
	[HELLO_OLD] = "version old",
	[HELLO_SSL] = "version ssl",
	[HELLO_HYBRID] = "group hybrid",
	[HELLO_DRAFT_HYBRID] = "group draft-hybrid",
	[HELLO_FORBIDDEN] = "cipher forbidden",
	[HELLO_WEAK] = "cipher weak",
	[HELLO_STATIC] = "cipher static",
	[HELLO_MODERN] = "cipher modern",
};
static const char *const outgoing_words[] = { "sent", "sent-limit", "sent-void", "sent-tree",
	"delivered", "deferred", "refused", "clear", "tls", "tls-old", "verified", "published",
	"dane", "dane-some", "dane-insecure", "dane-none", "dane-bogus", "sts", "sts-none",
	"sts-invalid", NULL };
static const char *const report_words[] = { "true", "false", "any", NULL };

const char *
outgoing_word(unsigned i)
{
	return i < sizeof outgoing_words / sizeof outgoing_words[0] ? outgoing_words[i] : NULL;
}

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

const char *
hello_thing_name(enum hello_thing thing)
{
	return (unsigned)thing < HELLO_THING_MAX ? hello_things[thing] : "?";
}

/* --- predicates ------------------------------------------------------------------------------- */
static int
arg_stage(struct words *w, struct predicate *p)
{
	const char *s = words_argument(w, "gave-up-at", "a stage");

	if (s == NULL)
		return -1;
	p->stage = stage_by_name(s, (unsigned)strlen(s));
	if (p->stage == STAGE_MAX || p->stage == STAGE_NONE || p->stage == STAGE_ACCEPTED)
		return words_fail(w, "gave-up-at %.40s: no such stage", s);
	return 0;
}

static int
arg_completed(struct words *w, struct predicate *p)
{
	return words_range(w, "completed", &p->commands_min, &p->commands_max);
}

static int
arg_seen(struct words *w, struct predicate *p)
{
	const char *s;

	if (!words_take(w, "dns"))
		return words_fail(w, "seen: dns must follow");
	if (words_take(w, "any"))
		return 0;
	if ((s = words_argument(w, "seen dns", "a type")) == NULL)
		return -1;
	p->type = rrtype_by_name(s);
	if (p->type == 0)
		return words_fail(w, "seen dns %.40s: no such type", s);
	if (!rrtype_can_be_asked(p->type) || p->type == 255)
		return words_fail(w,
		    "seen dns %.40s: that type is never asked of us; any type is written any", s);
	return 0;
}

static int
arg_stale(struct words *w, struct predicate *p)
{
	if (!words_take(w, "host"))
		return words_fail(w, "stale: host must follow");
	return selector_host(w, p) != 0 ? -1 : words_duration(w, "stale", &p->age_us);
}

static int
arg_said(struct words *w, struct predicate *p)
{
	const char *s;

	if (words_one_of(w, p, "said", said_verbs) != 0)
		return -1;
	s = words_peek(w);
	if (s == NULL || strcspn(s, "abcdefghijklmnopqrstuvwxyz") < strlen(s)) {
		if (s == NULL || strcmp(s, "8bit") != 0)
			return 0;
	}
	w->next++;
	return words_name(w, p, "said", s);
}

static int
arg_message(struct words *w, struct predicate *p)
{
	return words_one_of(w, p, "message", message_traits);
}

/* [with|without KIND WHAT] */
static int
arg_hello(struct words *w, struct predicate *p)
{
	const char *kind, *what;
	char thing[40];

	if (!words_take(w, "with") && !(p->without = words_take(w, "without")))
		return 0;
	kind = words_argument(w, "hello", "version, group or cipher");
	what = kind == NULL ? NULL : words_argument(w, kind, "which");
	if (what == NULL)
		return -1;
	snprintf(thing, sizeof thing, "%s %s", kind, what);
	for (int i = HELLO_ANY + 1; i < HELLO_THING_MAX; i++) {
		if (strcmp(hello_things[i], thing) == 0) {
			p->thing = (enum hello_thing)i;
			return 0;
		}
	}
	return words_fail(w, "hello %.40s %.40s: no such thing", kind, what);
}

static int
arg_report(struct words *w, struct predicate *p)
{
	return words_one_of(w, p, "report", report_words);
}

static int
arg_again(struct words *w, struct predicate *p)
{
	p->maybe = words_take(w, "maybe");
	return 0;
}

static int
arg_outgoing(struct words *w, struct predicate *p)
{
	return words_one_of(w, p, "outgoing", outgoing_words);
}

static int
arg_dsn(struct words *w, struct predicate *p)
{
	const char *s = words_argument(w, "dsn", "a status");

	if (s == NULL)
		return -1;
	if (strspn(s, "0123456789.") != strlen(s) || (s[0] != '2' && s[0] != '4' && s[0] != '5') ||
	    strlen(s) > 11)
		return words_fail(w, "dsn %.40s: must be a status such as 5 or 4.7 or 5.7.1", s);
	return words_name(w, p, "dsn", s);
}

static int
arg_auth(struct words *w, struct predicate *p)
{
	const char *s = words_argument(w, "auth", "a method");
	enum auth_method method;

	for (unsigned i = 0; s != NULL && auth_state(i) != NULL; i++)
		if (strcmp(auth_state(i), s) == 0)
			return words_name(w, p, "auth", s);
	if (s == NULL || (method = auth_method_by_name(s)) == AUTH_METHOD_MAX)
		return s == NULL ? -1 : words_fail(w, "auth %.40s: no such method", s);
	if (words_name(w, p, "auth", s) != 0 || (s = words_argument(w, "auth", "a word")) == NULL)
		return -1;
	if (!auth_word_exists(method, s))
		return words_fail(w, "auth %s %.40s: no such word", auth_method_name(method), s);
	return words_name(w, p, "auth", s);
}

static int
arg_names(struct words *w, struct predicate *p)
{
	const char *s;

	while ((s = words_peek(w)) != NULL) {
		w->next++;
		if (words_name(w, p, "control any", s) != 0)
			return -1;
	}
	return p->n_names > 0 ? 0 : words_fail(w, "control any: names of tests must follow");
}

static int
arg_contrast(struct words *w, struct predicate *p)
{
	const char *s = words_argument(w, "contrast", "accepted, refused, open or unknown");

	if (s == NULL)
		return -1;
	p->outcome = outcome_by_name(s);
	if (p->outcome == OUTCOME_MAX)
		return words_fail(
		    w, "contrast %.40s: must be accepted, refused, open or unknown", s);
	return 0;
}

static int
arg_trait(struct words *w, struct predicate *p)
{
	const char *s;

	if (words_name(w, p, "trait", words_argument(w, "trait", "a name")) != 0)
		return -1;
	if ((s = words_peek(w)) == NULL)
		return 0;
	w->next++;
	p->answer = trait_answer_by_name(s);
	if (p->answer == TRAIT_MAX)
		return words_fail(
		    w, "trait %s %.40s: must be yes, no, open or unknown", p->name[0], s);
	return 0;
}

static const struct row {
	const char *word, *second; /* second: NULL if one word says it */
	const char *usage;
	int (*parse)(struct words *, struct predicate *); /* NULL: no argument */
	unsigned selectors;
} rows[P_KIND_MAX] = {
	[P_ACCEPTED] = { "accepted", NULL, "accepted", NULL, S_SESSION | S_MAILBOX | S_RETURNED },
	[P_ATTEMPTED] = { "attempted", NULL, "attempted", NULL, S_SESSION },
	[P_GAVE_UP_AT] = { "gave-up-at", NULL, "gave-up-at STAGE", arg_stage, S_SESSION },
	[P_COMPLETED] = { "completed", NULL, "completed N..M", arg_completed, S_SESSION },
	[P_SEEN] = { "seen", NULL,
	    "seen dns TYPE|any [at|below|address NAME] [rcode R] [via udp|tcp|v4|v6]", arg_seen,
	    S_AT | S_BELOW | S_RCODE | S_VIA | S_LOST | S_ANY },
	[P_FETCHED] = { "fetched", NULL, "fetched [status N]", NULL, S_STATUS | S_ANY },
	[P_MET] = { "met", NULL, "met [dev D]", NULL, S_DEV | S_HOST | S_LOST | S_ANY },
	[P_EARLY] = { "early", NULL, "early [at VERB]", NULL, S_AT | S_ANY },
	[P_STALE] = { "stale", NULL, "stale host K D", arg_stale, S_COUNT | S_TIME },
	[P_SAID] = { "said", NULL, "said VERB [WORD]", arg_said, S_HOST | S_TLS | S_ANY },
	[P_MESSAGE] = { "message", NULL, "message TRAIT", arg_message,
	    S_SESSION | S_MAILBOX | S_CANARY },
	[P_HELLO] = { "hello", NULL, "hello [with|without THING]", arg_hello, S_SESSION },
	[P_REPORT] = { "report", NULL, "report true|false|any", arg_report, S_COUNT | S_TIME },
	[P_DSN] = { "dsn", NULL, "dsn CODE", arg_dsn, S_COUNT | S_TIME },
	[P_AUTH] = { "auth", NULL, "auth METHOD WORD|judged|open|lost", arg_auth,
	    S_SESSION | S_MAILBOX | S_CANARY },
	[P_OUTGOING] = { "outgoing", NULL, "outgoing WORD", arg_outgoing, S_COUNT | S_TIME },
	[P_AGAIN] = { "again", NULL, "again [maybe]", arg_again, 0 },
	[P_SENT] = { "sent", NULL, "sent", NULL, 0 },
	[P_CONTROL_ACCEPTED] = { "control", "accepted", "control accepted", NULL, 0 },
	[P_CONTROL_RETURNED] = { "control", "returned", "control returned", NULL, 0 },
	[P_CONTROL_ANY] = { "control", "any", "control any A B", arg_names, 0 },
	[P_CONTROL_AUTH] = { "control", "auth", "control auth METHOD WORD|judged|open|lost",
	    arg_auth, 0 },
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

static const struct row *
find_row(struct words *w)
{
	const char *word = words_argument(w, "rule", "a predicate");
	bool half = false;

	if (word == NULL)
		return NULL;
	for (size_t i = 0; i < P_KIND_MAX; i++) {
		if (strcmp(rows[i].word, word) != 0)
			continue;
		if (rows[i].second == NULL || words_take(w, rows[i].second))
			return &rows[i];
		half = true;
	}
	words_fail(w,
	    half ? "%.40s: accepted, returned, any or auth must follow"
		 : "%.40s: no such predicate",
	    word);
	return NULL;
}

/* One predicate, up to "and" or the end. */
int
predicate_one(struct predicate *p, struct words *w)
{
	const struct row *row;

	p->host = p->mailbox = p->phase = p->tls = p->rcode = -1;
	p->count_min = 1;
	p->count_max = UINT32_MAX;
	p->negated = words_take(w, "not");
	if ((row = find_row(w)) == NULL)
		return -1;
	p->kind = (enum predicate_kind)(row - rows);
	if (row->parse != NULL && row->parse(w, p) != 0)
		return -1;
	return selectors_parse(p, row->word, row->selectors, w);
}

static void
clear_one(struct predicate *p)
{
	predicate_free(p->after, p->after != NULL);
	predicate_free(p->within_of, p->within_of != NULL);
	predicate_free(p->returned, p->returned != NULL);
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
			words_fail(&w, "rule: more than %d predicates", RULE_MAX);
			goto bad;
		}
		k++;
		w.depth = 0;
		if (predicate_one(&all[k - 1], &w) != 0)
			goto bad;
		if (all[k - 1].kind == P_OTHERWISE && (all[k - 1].negated || w.next < n || k > 1)) {
			words_fail(&w, "otherwise: must stand alone");
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
