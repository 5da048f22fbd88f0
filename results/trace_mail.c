/* trace_mail.c - members of a step, put where the verifier puts them. */
#include "results/trace_mail.h"

#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

/* What follows "PART" or "PART.": "=VALUE" is its result; NULL: of another part. */
static const char *
member_of(const char *word, const char *part)
{
	size_t len = strlen(part);

	if (strncmp(word, part, len) != 0 || (word[len] != '.' && word[len] != '='))
		return NULL;
	return word[len] == '.' ? word + len + 1 : word + len;
}

static bool
is_number(const char *s)
{
	size_t digits = strspn(s, "0123456789");

	return digits > 0 && digits < 10 && s[digits] == '\0';
}

static void
put_value(struct strbuf *b, const char *s)
{
	if (strcmp(s, "true") == 0 || strcmp(s, "false") == 0 || is_number(s))
		strbuf_puts(b, s);
	else
		strbuf_json(b, s, strlen(s));
}

/* A member of the part; some stand in lists, or deeper. */
static void
put_member(struct strbuf *b, const char *name, const char *value)
{
	if (strcmp(name, "fault") == 0) {
		json_begin(b, "record", '{');
		json_begin(b, "fault", '[');
		json_begin(b, NULL, '{');
		json_key(b, "text");
		put_value(b, value);
		strbuf_puts(b, "}]}");
	} else if (strcmp(name, "dkim_counts") == 0) {
		json_begin(b, name, '[');
		put_value(b, value);
		json_end(b, ']');
	} else {
		json_key(b, name);
		put_value(b, value);
	}
}

static bool
is_one_of(const char *const *list, const char *name)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

/* Those members of the part that are in the list (which: true), or that are not; first: what a part alone
 * is. */
static void
put_some(struct strbuf *b, const struct trace_step *s, const char *part, const char *first,
    const char *const *list, bool which)
{
	for (unsigned i = 1; i < s->n; i++) {
		const char *m = member_of(s->word[i], part);
		size_t len = m == NULL ? 0 : strcspn(m, "=");
		char *name = len == 0 ? xstrdup(first) : xasprintf("%.*s", (int)len, m);
		if (m != NULL && is_one_of(list, name) == which)
			put_member(b, name, m + len + 1);
		free(name);
	}
}

static const char *
value_of(const struct trace_step *s, const char *member)
{
	size_t len = strlen(member);

	for (unsigned i = 1; i < s->n; i++)
		if (strncmp(s->word[i], member, len) == 0 && s->word[i][len] == '=')
			return s->word[i] + len + 1;
	return NULL;
}

static bool
has(const struct trace_step *s, const char *part)
{
	for (unsigned i = 1; i < s->n; i++)
		if (member_of(s->word[i], part) != NULL)
			return true;
	return false;
}

static const char *const nothing[] = { NULL };
static const char *const of_key[] = { "bits", "testing", NULL };
static const char *const elsewhere[] = { "domain", "name", NULL };

static void
put_part(struct strbuf *b, const struct trace_step *s, const char *part, const char *name)
{
	if (!has(s, part))
		return;
	json_begin(b, name, '{');
	put_some(b, s, part, "result", nothing, false);
	json_end(b, '}');
}

static void
put_signature(struct strbuf *b, const struct trace_step *s, const char *part)
{
	const char *alone = value_of(s, part);

	if (!has(s, part) || (alone != NULL && strcmp(alone, "none") == 0))
		return;
	json_begin(b, NULL, '{');
	put_some(b, s, part, "result", of_key, false);
	json_begin(b, "key", '{');
	put_some(b, s, part, "result", of_key, true);
	json_end(b, '}');
	json_end(b, '}');
}

static void
put_signatures(struct strbuf *b, const struct trace_step *s)
{
	if (!has(s, "dkim"))
		return;
	json_begin(b, "dkim", '{');
	json_begin(b, "signature", '[');
	put_signature(b, s, "dkim");
	put_signature(b, s, "dkim2");
	json_end(b, ']');
	json_end(b, '}');
}

/* The domain is that of the one set that such a chain has, the name that of the one PTR record. */
static void
put_listed(struct strbuf *b, const struct trace_step *s, const char *part, const char *member,
    const char *list, const char *key)
{
	const char *value = value_of(s, member);

	if (!has(s, part))
		return;
	json_begin(b, part, '{');
	put_some(b, s, part, "result", elsewhere, false);
	if (value != NULL) {
		json_begin(b, list, '[');
		json_begin(b, NULL, '{');
		json_key(b, key);
		put_value(b, value);
		strbuf_puts(b, "}]");
	}
	json_end(b, '}');
}

void
trace_mail_results(struct strbuf *b, const struct trace_step *s)
{
	const char *helo = value_of(s, "ehlo.name");

	strbuf_reset(b);
	json_begin(b, NULL, '{');
	json_put_num(b, "v", 1);
	if (helo != NULL) {
		json_key(b, "helo");
		put_value(b, helo);
	}
	json_begin(b, "spf", '{');
	put_part(b, s, "spf", "mailfrom");
	put_part(b, s, "helo", "helo");
	json_end(b, '}');
	put_signatures(b, s);
	put_part(b, s, "author", "author");
	if (has(s, "dmarc")) {
		json_begin(b, "dmarc", '{');
		put_some(b, s, "dmarc", "result", nothing, false);
		put_part(b, s, "rfc7489", "rfc7489");
		put_part(b, s, "rfc9989", "rfc9989");
		json_end(b, '}');
	}
	put_listed(b, s, "arc", "arc.domain", "set", "domain");
	put_listed(b, s, "fcrdns", "fcrdns.name", "name", "name");
	if (has(s, "ehlo")) {
		json_begin(b, "ehlo", '{');
		put_some(b, s, "ehlo", "form", elsewhere, false);
		json_end(b, '}');
	}
	json_end(b, '}');
}
