/* verified_describe.c - what was found about a message, in a line for people. */
#include <string.h>

#include "results/describe.h"
#include "results/verified.h"

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
	const char *where = verified_text(spf, "term_domain");

	describe_said(b, verified_text(spf, "result"));
	say(b, " by ", verified_text(spf, "term"), "");
	say(b, verified_result_is(spf, "none") ? " for " : " in the record of ",
	    *where != '\0' ? where : verified_text(spf, "domain"), "");
	if (verified_result_is(spf, "permerror") || verified_result_is(spf, "temperror"))
		say(b, ": ", verified_text(spf, "reason"), "");
	if (m == AUTH_SPF && verified_is(v, AUTH_SPF, "libspf2-differs"))
		say(b, " (libspf2: ", verified_libspf2(v), ")");
}

#define SIGNATURES_SAID 3

static void
say_signature(struct strbuf *b, const struct json *s)
{
	int64_t bits = json_int(json_get(s, "key"), "bits", 0);

	describe_said(b, verified_text(s, "result"));
	say(b, " of ", verified_text(s, "domain"), "");
	say(b, ", selector ", verified_text(s, "selector"), "");
	say(b, ", ", verified_text(s, "algorithm"), "");
	if (bits > 0 && verified_is_rsa(s))
		strbuf_printf(b, " with %d bits", (int)bits);
	if (!verified_result_is(s, "pass"))
		say(b, ": ", verified_text(s, "reason"), "");
}

static void
say_dkim(struct strbuf *b, const struct verified *v)
{
	const struct json *s = verified_signatures(v);
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
	const struct json *dmarc = verified_part(v, "dmarc"), *list = verified_dmarc(v, "rfc7489");
	bool spf = verified_by_spf(v), dkim = verified_by_dkim(v);

	describe_said(b, verified_text(dmarc, "result"));
	say(b, " for ", verified_text(verified_part(v, "author"), "domain"), "");
	if (verified_result_is(dmarc, "pass") && (spf || dkim))
		strbuf_puts(b, spf && dkim ? " by SPF and DKIM" : spf ? " by SPF" : " by DKIM");
	say(b, ", policy ", verified_text(list, "policy"), "");
	if (!verified_result_is(dmarc, "pass"))
		say(b, ": ", verified_text(list, "reason"), "");
	if (verified_is(v, AUTH_DMARC, "tree-differs")) {
		const struct json *tree = verified_dmarc(v, "rfc9989");
		say(b, " (by RFC 9989: ", verified_text(tree, "result"), "");
		say(b, ", policy ", verified_text(tree, "policy"), "");
		strbuf_puts(b, ")");
	}
}

static void
say_arc(struct strbuf *b, const struct verified *v)
{
	const struct json *arc = verified_part(v, "arc"), *sets = json_get(arc, "set"),
			  *last = NULL;
	unsigned n = 0;

	if (verified_result_is(arc, "none")) {
		strbuf_puts(b, "no chain");
		return;
	}
	for (const struct json *s = sets == NULL ? NULL : sets->child; s != NULL; s = s->next, n++)
		last = s;
	describe_said(b, verified_text(arc, "result"));
	if (n > 0)
		strbuf_printf(b, ", %u set%s", n, n == 1 ? "" : "s");
	say(b, ", the last by ", verified_text(last, "domain"), "");
	if (!verified_result_is(arc, "pass"))
		say(b, ": ", verified_text(arc, "reason"), "");
}

static void
say_fcrdns(struct strbuf *b, const struct verified *v)
{
	const struct json *f = verified_part(v, "fcrdns"), *names = json_get(f, "name"),
			  *told = NULL;

	for (const struct json *n = names == NULL ? NULL : names->child; n != NULL; n = n->next)
		if (told == NULL || verified_true(n, "confirmed"))
			told = n;
	if (verified_result_is(f, "none"))
		strbuf_puts(b, "no name");
	else
		describe_said(b, verified_text(f, "result"));
	say(b, verified_result_is(f, "pass") ? " as " : ", named ", verified_text(told, "name"),
	    "");
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
	const char *name = verified_text(v->results, "helo"),
		   *result = verified_result(v, AUTH_EHLO);

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
		if (verified_is_too_large(v))
			say(b, ": ", verified_text(verified_part(v, "message"), "wrong"), "");
		else if (verified_has_more_signatures(v))
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
