/* trace_mail.c - members of a step, put where the verifier puts them. */
#include "results/trace_mail.h"

#include <string.h>

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

/* Some members stand in lists. */
static void
put_member(struct strbuf *b, const char *part, const char *name, size_t len, const char *value)
{
	if (strcmp(part, "dmarc") == 0 && len == 7 && memcmp(name, "problem", 7) == 0) {
		strbuf_puts(b, "\"problems\":[");
		put_value(b, value);
		strbuf_puts(b, "]");
	} else {
		strbuf_printf(b, "\"%.*s\":", (int)len, name);
		put_value(b, value);
	}
}

/* How many members the part has. */
static unsigned
put_members(struct strbuf *b, const struct trace_step *s, const char *part)
{
	unsigned n = 0;

	for (unsigned i = 1; i < s->n; i++) {
		const char *m = member_of(s->word[i], part);
		size_t len = m == NULL ? 0 : strcspn(m, "=");
		if (m == NULL)
			continue;
		strbuf_puts(b, n++ > 0 ? "," : "");
		if (len == 0)
			put_member(b, part, "result", 6, m + 1);
		else
			put_member(b, part, m, len, m + len + 1);
	}
	return n;
}

static bool
has(const struct trace_step *s, const char *part)
{
	for (unsigned i = 1; i < s->n; i++)
		if (member_of(s->word[i], part) != NULL)
			return true;
	return false;
}

static bool
says(const struct trace_step *s, const char *word)
{
	for (unsigned i = 1; i < s->n; i++)
		if (strcmp(s->word[i], word) == 0)
			return true;
	return false;
}

static void
put_part(struct strbuf *b, const struct trace_step *s, const char *part, const char *name)
{
	if (!has(s, part))
		return;
	strbuf_puts(b, b->s[b->len - 1] == '{' ? "" : ",");
	strbuf_printf(b, "\"%s\":{", name);
	put_members(b, s, part);
	strbuf_puts(b, "}");
}

static void
put_signatures(struct strbuf *b, const struct trace_step *s)
{
	if (!has(s, "dkim"))
		return;
	strbuf_puts(b, ",\"dkim\":[");
	if (!says(s, "dkim=none")) {
		strbuf_puts(b, "{");
		put_members(b, s, "dkim");
		strbuf_puts(b, "}");
	}
	if (has(s, "dkim2")) {
		strbuf_puts(b, ",{");
		put_members(b, s, "dkim2");
		strbuf_puts(b, "}");
	}
	strbuf_puts(b, "]");
}

/* cv and domain are those of the one set that such a chain has. */
static void
put_arc(struct strbuf *b, const struct trace_step *s)
{
	const char *domain = NULL, *cv = NULL;

	if (!has(s, "arc"))
		return;
	for (unsigned i = 1; i < s->n; i++) {
		const char *m = member_of(s->word[i], "arc");
		domain = m != NULL && strncmp(m, "domain=", 7) == 0 ? m + 7 : domain;
		cv = m != NULL && strncmp(m, "cv=", 3) == 0 ? m + 3 : cv;
	}
	strbuf_puts(b, ",\"arc\":{");
	if (put_members(b, s, "arc") > 0)
		strbuf_puts(b, ",");
	strbuf_puts(b, "\"sets\":[");
	if (!says(s, "arc=none")) {
		strbuf_puts(b, "{\"instance\":1,\"cv\":");
		put_value(b, cv == NULL ? "none" : cv);
		strbuf_puts(b, ",\"domain\":");
		put_value(b, domain == NULL ? "" : domain);
		strbuf_puts(b, "}");
	}
	strbuf_puts(b, "]}");
}

void
trace_mail_results(struct strbuf *b, const struct trace_step *s)
{
	strbuf_reset(b);
	strbuf_puts(b, "{\"version\":1,\"spf\":{");
	put_part(b, s, "spf", "mail_from");
	put_part(b, s, "helo", "helo");
	strbuf_puts(b, "}");
	put_signatures(b, s);
	if (has(s, "dmarc")) {
		strbuf_puts(b, ",\"dmarc\":{");
		put_members(b, s, "dmarc");
		put_part(b, s, "psl", "psl");
		put_part(b, s, "tree", "tree");
		strbuf_puts(b, "}");
	}
	put_arc(b, s);
	put_part(b, s, "fcrdns", "fcrdns");
	put_part(b, s, "ehlo", "ehlo");
	strbuf_puts(b, "}");
}
