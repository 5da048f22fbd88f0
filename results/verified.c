/* verified.c - the results of a verify.result event in the words of zones/auth.h. */
#include "results/verified.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"
#include "results/describe.h"
#include "results/session.h"

#define SPF_LOOKUPS_MAX  10 /* RFC 7208 4.6.4 */
#define SPF_LOOKUPS_NEAR 8
#define SPF_VOIDS_MAX    2
#define RSA_BITS_MUST    1024 /* RFC 8301 3.2 */
#define RSA_BITS_SHOULD  2048

/* Levels of arrays and objects; the report holds them inside its own. */
#define DEPTH_MAX 16

static bool
is_deep(const struct json *o, unsigned levels)
{
	if (levels == 0)
		return true;
	if (o->type != JSON_ARRAY && o->type != JSON_OBJECT)
		return false;
	for (const struct json *child = o->child; child != NULL; child = child->next)
		if (is_deep(child, levels - 1))
			return true;
	return false;
}

struct verified *
verified_read(const struct observation *message, const struct observation *event)
{
	struct verified *v = xcalloc(1, sizeof *v);
	const char *results;
	char err[64];

	v->event = event;
	if (event == NULL) {
		v->state = observation_num(message, EK_HANDED, 0) != 0 ? VERIFIED_OPEN
								       : VERIFIED_LOST;
		return v;
	}
	v->state = VERIFIED_LOST;
	results = text_of(event, EK_RESULTS);
	if (event->kind != EV_VERIFY_RESULT ||
	    (v->doc = json_parse(results, strlen(results), err, sizeof err)) == NULL)
		return v;
	v->results = json_root(v->doc);
	if (v->results->type == JSON_OBJECT && !is_deep(v->results, DEPTH_MAX))
		v->state = VERIFIED_JUDGED;
	else
		v->results = NULL;
	return v;
}

void
verified_free(struct verified *v)
{
	if (v == NULL)
		return;
	json_free(v->doc);
	free(v);
}

/* --- members ---------------------------------------------------------------------------------------- */

const struct json *
verified_part(const struct verified *v, const char *name)
{
	return json_get(v->results, name);
}

const struct json *
verified_spf(const struct verified *v, enum auth_method m)
{
	return json_get(verified_part(v, "spf"), m == AUTH_HELO ? "helo" : "mailfrom");
}

static const char *
text_member(const struct json *o, const char *key)
{
	const char *s = json_string(o, key);

	return s == NULL ? "" : s;
}

static bool
true_member(const struct json *o, const char *key)
{
	const struct json *m = json_get(o, key);

	return m != NULL && m->type == JSON_BOOL && m->boolean;
}

static bool
result_is(const struct json *o, const char *word)
{
	return strcmp(text_member(o, "result"), word) == 0;
}

const char *
verified_libspf2(const struct verified *v)
{
	return v->event == NULL ? "" : text_of(v->event, EK_LIBSPF2);
}

/* The result as the table of words has it; NULL: none of these. */
static const char *
known(enum auth_method m, const struct json *o)
{
	const char *result = text_member(o, "result"), *word;

	for (unsigned i = 0; (word = auth_word(m, i)) != NULL; i++)
		if (strcmp(word, result) == 0)
			return word;
	return NULL;
}

/* --- results ---------------------------------------------------------------------------------------- */

static const struct json *
signatures(const struct verified *v)
{
	return json_get(verified_part(v, "dkim"), "signature");
}

static const struct json *
first_signature(const struct verified *v)
{
	const struct json *all = signatures(v);

	return all == NULL || all->type != JSON_ARRAY ? NULL : all->child;
}

/* The verifier's own limits say nothing about who sent: a header that it has not read to its end, signatures
 * beyond those that it looks at. */
static bool
is_too_large(const struct verified *v)
{
	return true_member(verified_part(v, "message"), "over_limit");
}

static bool
has_more_signatures(const struct verified *v)
{
	int64_t n = 0;

	for (const struct json *s = first_signature(v); s != NULL; s = s->next)
		n++;
	return json_int(verified_part(v, "dkim"), "signatures", 0) > n;
}

/* All signatures together: pass if one passes, temperror if one might. */
static const char *
dkim_result(const struct verified *v)
{
	const struct json *all = signatures(v);
	bool temporary = false;

	if (all == NULL || all->type != JSON_ARRAY)
		return NULL;
	for (const struct json *s = all->child; s != NULL; s = s->next) {
		if (result_is(s, "pass"))
			return "pass";
		temporary |= result_is(s, "temperror");
	}
	if (has_more_signatures(v))
		return NULL;
	return all->child == NULL ? "none" : temporary ? "temperror" : "fail";
}

/* It fails, and a signature that was not looked at might have passed: nobody knows. */
static const char *
dmarc_result(const struct verified *v)
{
	const char *result = known(AUTH_DMARC, verified_part(v, "dmarc"));

	return result != NULL && strcmp(result, "fail") == 0 && has_more_signatures(v) ? NULL
										       : result;
}

/* A chain that fails because a key could not be had may hold another time. */
static const char *
arc_result(const struct verified *v)
{
	const struct json *arc = verified_part(v, "arc");

	if (result_is(arc, "fail") && true_member(arc, "temporary"))
		return "temperror";
	return known(AUTH_ARC, arc);
}

/* The facts about the name, what is best first. */
static const char *
ehlo_result(const struct verified *v)
{
	const struct json *ehlo = verified_part(v, "ehlo");
	const char *form = text_member(ehlo, "form");

	if (*form == '\0')
		return NULL;
	if (strcmp(form, "literal") == 0)
		return "literal";
	if (strcmp(form, "name") != 0)
		return "invalid";
	return true_member(ehlo, "matches")    ? "pass"
	       : true_member(ehlo, "failed")   ? "temperror"
	       : true_member(ehlo, "resolves") ? "other"
					       : "unknown";
}

const char *
verified_result(const struct verified *v, enum auth_method m)
{
	switch (m) {
	case AUTH_SPF:
	case AUTH_HELO:
		return known(m, verified_spf(v, m));
	case AUTH_DKIM:
		return is_too_large(v) ? NULL : dkim_result(v);
	case AUTH_DMARC:
		return is_too_large(v) ? NULL : dmarc_result(v);
	case AUTH_ARC:
		return is_too_large(v) ? NULL : arc_result(v);
	case AUTH_EHLO:
		return ehlo_result(v);
	default:
		return known(m, verified_part(v, auth_method_name(m)));
	}
}

/* --- other words ------------------------------------------------------------------------------------ */

static bool
spf_allows_all(const struct verified *v)
{
	const char *term = text_member(verified_spf(v, AUTH_SPF), "term");

	return result_is(verified_spf(v, AUTH_SPF), "pass") &&
	       (strcasecmp(term, "all") == 0 || strcasecmp(term, "+all") == 0);
}

static bool
spf_lookups_over(const struct verified *v)
{
	return json_int(verified_spf(v, AUTH_SPF), "lookups", 0) > SPF_LOOKUPS_MAX;
}

static bool
spf_lookups_near(const struct verified *v)
{
	int64_t n = json_int(verified_spf(v, AUTH_SPF), "lookups", 0);

	return n >= SPF_LOOKUPS_NEAR && n <= SPF_LOOKUPS_MAX;
}

static bool
spf_voids_over(const struct verified *v)
{
	return json_int(verified_spf(v, AUTH_SPF), "voids", 0) > SPF_VOIDS_MAX;
}

/* A temporary error of one of the two is no other opinion, nor is a crash. */
static bool
spf_differs(const struct verified *v)
{
	const char *ours = text_member(verified_spf(v, AUTH_SPF), "result");
	const char *theirs = verified_libspf2(v);

	return *ours != '\0' && *theirs != '\0' && strcmp(theirs, "crashed") != 0 &&
	       strcmp(ours, "temperror") != 0 && strcmp(theirs, "temperror") != 0 &&
	       strcmp(ours, theirs) != 0;
}

static bool
any_signature(const struct verified *v, bool (*holds)(const struct json *))
{
	for (const struct json *s = first_signature(v); s != NULL; s = s->next)
		if (holds(s))
			return true;
	return false;
}

static bool
is_sha1(const struct json *s)
{
	return strcasecmp(text_member(s, "algorithm"), "rsa-sha1") == 0;
}

static bool
is_rsa(const struct json *s)
{
	return strncasecmp(text_member(s, "algorithm"), "rsa", 3) == 0;
}

static bool
is_forbidden(const struct json *s)
{
	int64_t bits = json_int(json_get(s, "key"), "bits", 0);

	return is_rsa(s) && bits > 0 && bits < RSA_BITS_MUST;
}

static bool
is_short(const struct json *s)
{
	int64_t bits = json_int(json_get(s, "key"), "bits", 0);

	return is_rsa(s) && bits >= RSA_BITS_MUST && bits < RSA_BITS_SHOULD;
}

static bool
has_length(const struct json *s)
{
	return json_int(s, "body_limit", -1) >= 0;
}

static bool
is_broken(const struct json *s)
{
	return !result_is(s, "pass") && !result_is(s, "temperror");
}

static bool
is_testing(const struct json *s)
{
	return true_member(json_get(s, "key"), "testing");
}

static bool
dkim_sha1(const struct verified *v)
{
	return any_signature(v, is_sha1);
}

static bool
dkim_forbidden(const struct verified *v)
{
	return any_signature(v, is_forbidden);
}

static bool
dkim_short(const struct verified *v)
{
	return any_signature(v, is_short);
}

static bool
dkim_length(const struct verified *v)
{
	return any_signature(v, has_length);
}

static bool
dkim_broken(const struct verified *v)
{
	const char *result = dkim_result(v);

	return result != NULL && strcmp(result, "pass") == 0 && any_signature(v, is_broken);
}

static bool
dkim_testing(const struct verified *v)
{
	return any_signature(v, is_testing);
}

/* It passes, and by no signature that a verifier without Ed25519 knows. */
static bool
dkim_ed25519_only(const struct verified *v)
{
	bool passes = false;

	for (const struct json *s = first_signature(v); s != NULL; s = s->next) {
		if (!result_is(s, "pass"))
			continue;
		if (strncasecmp(text_member(s, "algorithm"), "ed25519", 7) != 0)
			return false;
		passes = true;
	}
	return passes;
}

static const struct json *
dmarc_view(const struct verified *v, const char *standard)
{
	return json_get(verified_part(v, "dmarc"), standard);
}

static bool
dmarc_policy_none(const struct verified *v)
{
	return strcmp(text_member(dmarc_view(v, "rfc7489"), "policy"), "none") == 0;
}

/* Did SPF pass for the author's domain? */
static bool
dmarc_by_spf(const struct verified *v)
{
	return true_member(dmarc_view(v, "rfc7489"), "spf_counts") &&
	       result_is(verified_spf(v, AUTH_SPF), "pass");
}

/* Did a signature of it? dkim_counts are the indices of those that are aligned. */
static bool
dmarc_by_dkim(const struct verified *v)
{
	const struct json *counts = json_get(dmarc_view(v, "rfc7489"), "dkim_counts");
	int64_t i = 0;

	for (const struct json *s = first_signature(v); s != NULL; s = s->next, i++) {
		const struct json *c = counts == NULL || counts->type != JSON_ARRAY ? NULL
										    : counts->child;
		for (; c != NULL && result_is(s, "pass"); c = c->next)
			if (c->type == JSON_NUMBER && c->integer == i)
				return true;
	}
	return false;
}

static bool
dmarc_spf_only(const struct verified *v)
{
	return result_is(verified_part(v, "dmarc"), "pass") && dmarc_by_spf(v) && !dmarc_by_dkim(v);
}

/* By result or by what shall become of the mail.  A temporary error is no other opinion. */
static bool
dmarc_tree_differs(const struct verified *v)
{
	const struct json *list = dmarc_view(v, "rfc7489"), *tree = dmarc_view(v, "rfc9989");

	return list != NULL && tree != NULL && !result_is(list, "temperror") &&
	       !result_is(tree, "temperror") &&
	       (strcmp(text_member(list, "result"), text_member(tree, "result")) != 0 ||
		   strcmp(text_member(list, "policy"), text_member(tree, "policy")) != 0);
}

static bool
dmarc_problems(const struct verified *v)
{
	const struct json *faults = json_get(json_get(dmarc_view(v, "rfc7489"), "record"), "fault");

	return faults != NULL && faults->type == JSON_ARRAY && faults->child != NULL;
}

/* The last who sealed said himself that the chain was broken when it came to him. */
static bool
arc_cv_fail(const struct verified *v)
{
	return true_member(verified_part(v, "arc"), "failed_before");
}

static const struct {
	enum auth_method method;
	const char *word;
	bool (*holds)(const struct verified *);
} words[] = {
	{ AUTH_SPF, "allow-all", spf_allows_all },
	{ AUTH_SPF, "lookups-over", spf_lookups_over },
	{ AUTH_SPF, "lookups-near", spf_lookups_near },
	{ AUTH_SPF, "voids-over", spf_voids_over },
	{ AUTH_SPF, "libspf2-differs", spf_differs },
	{ AUTH_DKIM, "sha1", dkim_sha1 },
	{ AUTH_DKIM, "key-forbidden", dkim_forbidden },
	{ AUTH_DKIM, "key-short", dkim_short },
	{ AUTH_DKIM, "length", dkim_length },
	{ AUTH_DKIM, "broken", dkim_broken },
	{ AUTH_DKIM, "ed25519-only", dkim_ed25519_only },
	{ AUTH_DKIM, "testing", dkim_testing },
	{ AUTH_DMARC, "policy-none", dmarc_policy_none },
	{ AUTH_DMARC, "spf-only", dmarc_spf_only },
	{ AUTH_DMARC, "tree-differs", dmarc_tree_differs },
	{ AUTH_DMARC, "problems", dmarc_problems },
	{ AUTH_ARC, "cv-fail", arc_cv_fail },
};

bool
verified_is(const struct verified *v, enum auth_method m, const char *word)
{
	const char *result = verified_result(v, m);

	if (result != NULL && strcmp(result, word) == 0)
		return true;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (words[i].method == m && strcmp(words[i].word, word) == 0)
			return words[i].holds(v);
	return false;
}

/* --- in words --------------------------------------------------------------------------------------- */

/* "before VALUE after", nothing if there is no value. */
static void
say(struct strbuf *b, const char *before, const char *value, const char *after)
{
	if (*value == '\0')
		return;
	strbuf_puts(b, before);
	describe_said(b, value);
	strbuf_puts(b, after);
}

static void
say_spf(struct strbuf *b, const struct verified *v, enum auth_method m)
{
	const struct json *spf = verified_spf(v, m);
	const char *where = text_member(spf, "term_domain");

	describe_said(b, text_member(spf, "result"));
	say(b, " by ", text_member(spf, "term"), "");
	say(b, result_is(spf, "none") ? " for " : " in the record of ",
	    *where != '\0' ? where : text_member(spf, "domain"), "");
	if (result_is(spf, "permerror") || result_is(spf, "temperror"))
		say(b, ": ", text_member(spf, "reason"), "");
	if (m == AUTH_SPF && spf_differs(v))
		say(b, " (libspf2: ", verified_libspf2(v), ")");
}

#define SIGNATURES_SAID 3

static void
say_signature(struct strbuf *b, const struct json *s)
{
	int64_t bits = json_int(json_get(s, "key"), "bits", 0);

	describe_said(b, text_member(s, "result"));
	say(b, " of ", text_member(s, "domain"), "");
	say(b, ", selector ", text_member(s, "selector"), "");
	say(b, ", ", text_member(s, "algorithm"), "");
	if (bits > 0 && is_rsa(s))
		strbuf_printf(b, " with %d bits", (int)bits);
	if (!result_is(s, "pass"))
		say(b, ": ", text_member(s, "reason"), "");
}

static void
say_dkim(struct strbuf *b, const struct verified *v)
{
	const struct json *s = first_signature(v);
	unsigned n = 0;

	if (s == NULL)
		strbuf_puts(b, "not signed");
	for (; s != NULL && n < SIGNATURES_SAID; s = s->next, n++) {
		strbuf_puts(b, n > 0 ? "; " : "");
		say_signature(b, s);
	}
	if (s != NULL)
		strbuf_puts(b, "; and more");
}

static void
say_dmarc(struct strbuf *b, const struct verified *v)
{
	const struct json *dmarc = verified_part(v, "dmarc"), *list = dmarc_view(v, "rfc7489");
	bool spf = dmarc_by_spf(v), dkim = dmarc_by_dkim(v);

	describe_said(b, text_member(dmarc, "result"));
	say(b, " for ", text_member(verified_part(v, "author"), "domain"), "");
	if (result_is(dmarc, "pass") && (spf || dkim))
		strbuf_puts(b, spf && dkim ? " by SPF and DKIM" : spf ? " by SPF" : " by DKIM");
	say(b, ", policy ", text_member(list, "policy"), "");
	if (!result_is(dmarc, "pass"))
		say(b, ": ", text_member(list, "reason"), "");
	if (dmarc_tree_differs(v)) {
		const struct json *tree = dmarc_view(v, "rfc9989");
		say(b, " (by RFC 9989: ", text_member(tree, "result"), "");
		say(b, ", policy ", text_member(tree, "policy"), "");
		strbuf_puts(b, ")");
	}
}

static void
say_arc(struct strbuf *b, const struct verified *v)
{
	const struct json *arc = verified_part(v, "arc"), *sets = json_get(arc, "set"),
			  *last = NULL;
	unsigned n = 0;

	if (result_is(arc, "none")) {
		strbuf_puts(b, "no chain");
		return;
	}
	for (const struct json *s = sets == NULL ? NULL : sets->child; s != NULL; s = s->next, n++)
		last = s;
	describe_said(b, text_member(arc, "result"));
	if (n > 0)
		strbuf_printf(b, ", %u set%s", n, n == 1 ? "" : "s");
	say(b, ", the last by ", text_member(last, "domain"), "");
	if (!result_is(arc, "pass"))
		say(b, ": ", text_member(arc, "reason"), "");
}

static void
say_fcrdns(struct strbuf *b, const struct verified *v)
{
	const struct json *f = verified_part(v, "fcrdns"), *names = json_get(f, "name"),
			  *told = NULL;

	for (const struct json *n = names == NULL ? NULL : names->child; n != NULL; n = n->next)
		if (told == NULL || true_member(n, "confirmed"))
			told = n;
	if (result_is(f, "none"))
		strbuf_puts(b, "no name");
	else
		describe_said(b, text_member(f, "result"));
	say(b, result_is(f, "pass") ? " as " : ", named ", text_member(told, "name"), "");
}

static void
say_ehlo(struct strbuf *b, const struct verified *v)
{
	static const char *const means[][2] = {
		{ "pass", ", which has this address" },
		{ "other", ", which has other addresses" },
		{ "unknown", ", which has no address" },
		{ "literal", ", an address in place of a name" },
		{ "invalid", ", which is no full name" },
		{ "temperror", ", which could not be looked up" },
	};
	const char *name = text_member(v->results, "helo"), *result = ehlo_result(v);

	describe_said(b, *name == '\0' ? "nothing" : name);
	for (size_t i = 0; result != NULL && i < sizeof means / sizeof means[0]; i++)
		if (strcmp(result, means[i][0]) == 0)
			strbuf_puts(b, means[i][1]);
}

void
verified_describe(struct strbuf *b, const struct verified *v, enum auth_method m)
{
	if (v->state == VERIFIED_OPEN) {
		strbuf_puts(b, "not judged yet");
		return;
	}
	if (v->state == VERIFIED_LOST) {
		strbuf_puts(b, "not judged: ");
		if (v->event == NULL)
			strbuf_puts(b, "no verifier saw it");
		else if (v->event->kind == EV_VERIFY_CRASHED)
			strbuf_puts(b, "the verifier crashed");
		else
			strbuf_puts(b, v->event->kind == EV_VERIFY_SKIPPED ? "skipped"
				       : v->event->kind == EV_VERIFY_LOST  ? "lost"
									   : "results unreadable");
		if (v->event != NULL)
			say(b, ", ", text_of(v->event, EK_REASON), "");
		return;
	}
	if (verified_result(v, m) == NULL) {
		strbuf_puts(b, "not judged");
		if (is_too_large(v))
			say(b, ": ", text_member(verified_part(v, "message"), "wrong"), "");
		else if (has_more_signatures(v))
			strbuf_puts(b, ": there are more signatures than are looked at");
		return;
	}
	switch (m) {
	case AUTH_SPF:
	case AUTH_HELO:
		say_spf(b, v, m);
		break;
	case AUTH_DKIM:
		say_dkim(b, v);
		break;
	case AUTH_DMARC:
		say_dmarc(b, v);
		break;
	case AUTH_ARC:
		say_arc(b, v);
		break;
	case AUTH_FCRDNS:
		say_fcrdns(b, v);
		break;
	default:
		say_ehlo(b, v);
		break;
	}
}
