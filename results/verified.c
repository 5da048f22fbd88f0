/* verified.c - the results of a verify.result event in the words of zones/auth.h. */
#include "results/verified.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"

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

const char *
verified_text(const struct json *o, const char *key)
{
	const char *s = json_string(o, key);

	return s == NULL ? "" : s;
}

bool
verified_true(const struct json *o, const char *key)
{
	const struct json *m = json_get(o, key);

	return m != NULL && m->type == JSON_BOOL && m->boolean;
}

bool
verified_result_is(const struct json *o, const char *word)
{
	return strcmp(verified_text(o, "result"), word) == 0;
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
	const char *result = verified_text(o, "result"), *word;

	for (unsigned i = 0; (word = auth_word(m, i)) != NULL; i++)
		if (strcmp(word, result) == 0)
			return word;
	return NULL;
}

/* --- results ---------------------------------------------------------------------------------------- */

const struct json *
verified_signatures(const struct verified *v)
{
	const struct json *all = json_get(verified_part(v, "dkim"), "signature");

	return all == NULL || all->type != JSON_ARRAY ? NULL : all->child;
}

bool
verified_is_too_large(const struct verified *v)
{
	return verified_true(verified_part(v, "message"), "over_limit");
}

bool
verified_has_more_signatures(const struct verified *v)
{
	int64_t n = 0;

	for (const struct json *s = verified_signatures(v); s != NULL; s = s->next)
		n++;
	return json_int(verified_part(v, "dkim"), "signatures", 0) > n;
}

/* All signatures together: pass if one passes, temperror if one might. */
static const char *
dkim_result(const struct verified *v)
{
	const struct json *all = json_get(verified_part(v, "dkim"), "signature");
	bool temporary = false;

	if (all == NULL || all->type != JSON_ARRAY)
		return NULL;
	for (const struct json *s = all->child; s != NULL; s = s->next) {
		if (verified_result_is(s, "pass"))
			return "pass";
		temporary |= verified_result_is(s, "temperror");
	}
	if (verified_has_more_signatures(v))
		return NULL;
	return all->child == NULL ? "none" : temporary ? "temperror" : "fail";
}

/* It fails, and a signature that was not looked at might have passed: nobody knows. */
static const char *
dmarc_result(const struct verified *v)
{
	const char *result = known(AUTH_DMARC, verified_part(v, "dmarc"));

	return result != NULL && strcmp(result, "fail") == 0 && verified_has_more_signatures(v)
		   ? NULL
		   : result;
}

/* A chain that fails because a key could not be had may hold another time. */
static const char *
arc_result(const struct verified *v)
{
	const struct json *arc = verified_part(v, "arc");

	if (verified_result_is(arc, "fail") && verified_true(arc, "temporary"))
		return "temperror";
	return known(AUTH_ARC, arc);
}

/* The facts about the name, what is best first. */
static const char *
ehlo_result(const struct verified *v)
{
	const struct json *ehlo = verified_part(v, "ehlo");
	const char *form = verified_text(ehlo, "form");

	if (*form == '\0')
		return NULL;
	if (strcmp(form, "literal") == 0)
		return "literal";
	if (strcmp(form, "name") != 0)
		return "invalid";
	return verified_true(ehlo, "matches")    ? "pass"
	       : verified_true(ehlo, "failed")   ? "temperror"
	       : verified_true(ehlo, "resolves") ? "other"
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
		return verified_is_too_large(v) ? NULL : dkim_result(v);
	case AUTH_DMARC:
		return verified_is_too_large(v) ? NULL : dmarc_result(v);
	case AUTH_ARC:
		return verified_is_too_large(v) ? NULL : arc_result(v);
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
	const char *term = verified_text(verified_spf(v, AUTH_SPF), "term");

	return verified_result_is(verified_spf(v, AUTH_SPF), "pass") &&
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
	const char *ours = verified_text(verified_spf(v, AUTH_SPF), "result");
	const char *theirs = verified_libspf2(v);

	return *ours != '\0' && *theirs != '\0' && strcmp(theirs, "crashed") != 0 &&
	       strcmp(ours, "temperror") != 0 && strcmp(theirs, "temperror") != 0 &&
	       strcmp(ours, theirs) != 0;
}

static bool
any_signature(const struct verified *v, bool (*holds)(const struct json *))
{
	for (const struct json *s = verified_signatures(v); s != NULL; s = s->next)
		if (holds(s))
			return true;
	return false;
}

static bool
is_sha1(const struct json *s)
{
	return strcasecmp(verified_text(s, "algorithm"), "rsa-sha1") == 0;
}

bool
verified_is_rsa(const struct json *s)
{
	return strncasecmp(verified_text(s, "algorithm"), "rsa", 3) == 0;
}

static bool
is_forbidden(const struct json *s)
{
	int64_t bits = json_int(json_get(s, "key"), "bits", 0);

	return verified_is_rsa(s) && bits > 0 && bits < RSA_BITS_MUST;
}

static bool
is_short(const struct json *s)
{
	int64_t bits = json_int(json_get(s, "key"), "bits", 0);

	return verified_is_rsa(s) && bits >= RSA_BITS_MUST && bits < RSA_BITS_SHOULD;
}

static bool
has_length(const struct json *s)
{
	return json_int(s, "body_limit", -1) >= 0;
}

static bool
is_broken(const struct json *s)
{
	return !verified_result_is(s, "pass") && !verified_result_is(s, "temperror");
}

static bool
is_testing(const struct json *s)
{
	return verified_true(json_get(s, "key"), "testing");
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

	for (const struct json *s = verified_signatures(v); s != NULL; s = s->next) {
		if (!verified_result_is(s, "pass"))
			continue;
		if (strncasecmp(verified_text(s, "algorithm"), "ed25519", 7) != 0)
			return false;
		passes = true;
	}
	return passes;
}

const struct json *
verified_dmarc(const struct verified *v, const char *standard)
{
	return json_get(verified_part(v, "dmarc"), standard);
}

static bool
dmarc_policy_none(const struct verified *v)
{
	return strcmp(verified_text(verified_dmarc(v, "rfc7489"), "policy"), "none") == 0;
}

bool
verified_by_spf(const struct verified *v)
{
	return verified_true(verified_dmarc(v, "rfc7489"), "spf_counts") &&
	       verified_result_is(verified_spf(v, AUTH_SPF), "pass");
}

/* dkim_counts are the indices of those that are aligned. */
bool
verified_by_dkim(const struct verified *v)
{
	const struct json *counts = json_get(verified_dmarc(v, "rfc7489"), "dkim_counts");
	int64_t i = 0;

	for (const struct json *s = verified_signatures(v); s != NULL; s = s->next, i++) {
		const struct json *c = counts == NULL || counts->type != JSON_ARRAY ? NULL
										    : counts->child;
		for (; c != NULL && verified_result_is(s, "pass"); c = c->next)
			if (c->type == JSON_NUMBER && c->integer == i)
				return true;
	}
	return false;
}

static bool
dmarc_spf_only(const struct verified *v)
{
	return verified_result_is(verified_part(v, "dmarc"), "pass") && verified_by_spf(v) &&
	       !verified_by_dkim(v);
}

/* By result or by what shall become of the mail.  A temporary error is no other opinion. */
static bool
dmarc_tree_differs(const struct verified *v)
{
	const struct json *list = verified_dmarc(v, "rfc7489"),
			  *tree = verified_dmarc(v, "rfc9989");

	return list != NULL && tree != NULL && !verified_result_is(list, "temperror") &&
	       !verified_result_is(tree, "temperror") &&
	       (strcmp(verified_text(list, "result"), verified_text(tree, "result")) != 0 ||
		   strcmp(verified_text(list, "policy"), verified_text(tree, "policy")) != 0);
}

static bool
dmarc_problems(const struct verified *v)
{
	const struct json *faults = json_get(
	    json_get(verified_dmarc(v, "rfc7489"), "record"), "fault");

	return faults != NULL && faults->type == JSON_ARRAY && faults->child != NULL;
}

/* The last who sealed said himself that the chain was broken when it came to him. */
static bool
arc_cv_fail(const struct verified *v)
{
	return verified_true(verified_part(v, "arc"), "failed_before");
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
