/* address.c - see address.h. */
#include "verify/address.h"

#include <ctype.h>
#include <idn2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"

/* --- domains ----------------------------------------------------------------------------------------- */

static bool
right_labels(const char *name)
{
	size_t label = 0;

	for (const char *p = name;; p++) {
		if (*p != '.' && *p != '\0') {
			if (++label > 63)
				return false;
			continue;
		}
		if (label == 0)
			return false;
		label = 0;
		if (*p == '\0')
			return p - name <= 253;
	}
}

static size_t
dots(const char *s)
{
	size_t n = 0;

	for (; (s = strchr(s, '.')) != NULL; s++)
		n++;
	return n;
}

static int
to_ascii(char dst[ADDRESS_DOMAIN_SIZE], const char *domain, const char **why)
{
	char *ascii = NULL;
	int rc = idn2_to_ascii_8z(domain, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

	if (rc != IDN2_OK)
		*why = idn2_strerror(rc);
	else if (strlen(ascii) >= ADDRESS_DOMAIN_SIZE)
		*why = "the domain is too long";
	else if (dots(ascii) != dots(domain)) /* some take U+3002 for a dot, RFC 6531 does not */
		*why = "the domain holds a character that some take for a dot";
	else
		memcpy(dst, ascii, strlen(ascii) + 1);
	idn2_free(ascii);
	return *why == NULL ? 0 : -1;
}

int
address_domain(char dst[ADDRESS_DOMAIN_SIZE], const char *domain, size_t len, const char **why)
{
	char text[4 * ADDRESS_DOMAIN_SIZE]; /* UTF-8 is up to 4 octets a character */
	bool ascii = true;

	*why = NULL;
	if (len >= sizeof(text)) {
		*why = "the domain is too long";
		return -1;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)domain[i];

		if (c <= 0x20 || c == 0x7f)
			*why = "the domain holds a blank or a control character";
		ascii &= c < 0x80;
	}
	for (size_t i = 0, n; i < len && *why == NULL; i += n)
		if ((n = utf8_length(domain + i, len - i)) == 0)
			*why = "the domain is no UTF-8";
	if (*why != NULL)
		return -1;
	memcpy(text, domain, len);
	text[len] = '\0';
	if (ascii && len >= ADDRESS_DOMAIN_SIZE)
		*why = "the domain is too long";
	else if (ascii)
		memcpy(dst, text, len + 1);
	else if (to_ascii(dst, text, why) != 0)
		return -1;
	if (*why == NULL && !right_labels(dst))
		*why = "an empty label, one over 63 octets, or a domain over 253";
	for (char *p = dst; *why == NULL && *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return *why == NULL ? 0 : -1;
}

/* --- tokens of RFC 5322 3.2 ------------------------------------------------------------------------------ */

enum token_type { TOKEN_END, TOKEN_ATOM, TOKEN_QUOTED, TOKEN_LITERAL, TOKEN_SPECIAL };
struct token {
	enum token_type type;
	const char *p;
	size_t n;
	bool blank; /* blanks or comments stand before it */
};
struct parser {
	const char *start, *p, *end;
	struct token t; /* the next one */
	bool failed;
	struct address_author *a;
};

/* The first failure counts. */
static bool __attribute__((format(printf, 2, 3))) fail(struct parser *s, const char *fmt, ...)
{
	va_list ap;

	if (!s->failed) {
		va_start(ap, fmt);
		vsnprintf(s->a->why, sizeof(s->a->why), fmt, ap);
		va_end(ap);
	}
	s->failed = true;
	return false;
}

static int
place(const struct parser *s)
{
	return (int)(s->p - s->start) + 1;
}

/* One character of text that is not part of an address; a line end only where it folds. */
static bool
free_text(struct parser *s)
{
	unsigned char c = (unsigned char)*s->p;
	size_t n = 1;

	if (c >= 0x80 && (n = utf8_length(s->p, (size_t)(s->end - s->p))) == 0) {
		s->a->not_utf8 = true;
		n = 1;
	}
	if (c == '\r' && s->end - s->p >= 3 && s->p[1] == '\n' &&
	    (s->p[2] == ' ' || s->p[2] == '\t'))
		n = 3;
	else if ((c < 0x20 && c != '\t') || c == 0x7f)
		return fail(s, "a control character at octet %d", place(s));
	s->p += n;
	return true;
}

static bool
comment(struct parser *s)
{
	unsigned depth = 0;

	s->a->comment = true;
	while (s->p < s->end) {
		if (*s->p == '(')
			depth++;
		else if (*s->p == ')')
			depth--;
		else if (*s->p == '\\' && s->end - s->p > 1)
			s->p++;
		if (!free_text(s))
			return false;
		if (depth == 0)
			return true;
	}
	return fail(s, "a comment has no end");
}

static bool
blanks(struct parser *s)
{
	const char *from = s->p;

	while (s->p < s->end && strchr(" \t\r(", *s->p) != NULL && *s->p != '\0')
		if (*s->p == '(' ? !comment(s) : !free_text(s))
			return false;
	s->t.blank = s->p > from;
	return true;
}

static bool
enclosed(struct parser *s, char last)
{
	s->p++;
	while (s->p < s->end && *s->p != last) {
		if (*s->p == '\\' && s->end - s->p > 1)
			s->p++;
		else if (*s->p == '[' && last == ']')
			return fail(s, "\"[\" inside an address literal");
		if (!free_text(s))
			return false;
	}
	if (s->p == s->end)
		return fail(s, "\"%s\" without its end", last == '"' ? "\\\"" : "[");
	s->p++;
	return true;
}

static bool
atom_octet(char c)
{
	return (unsigned char)c >= 0x80 || isalnum((unsigned char)c) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
advance(struct parser *s)
{
	struct token *t = &s->t;

	if (!blanks(s))
		return false;
	t->p = s->p;
	if (s->p == s->end) {
		t->type = TOKEN_END;
	} else if (*s->p == '"' || *s->p == '[') {
		t->type = *s->p == '"' ? TOKEN_QUOTED : TOKEN_LITERAL;
		if (!enclosed(s, *s->p == '"' ? '"' : ']'))
			return false;
	} else if (strchr("<>@,;:.", *s->p) != NULL && *s->p != '\0') {
		t->type = TOKEN_SPECIAL;
		s->p++;
	} else if (atom_octet(*s->p)) {
		t->type = TOKEN_ATOM;
		while (s->p < s->end && atom_octet(*s->p))
			if (!free_text(s))
				return false;
	} else {
		return fail(s, "%s at octet %d",
		    *s->p == ')'                    ? "\")\" without its \"(\""
		    : isprint((unsigned char)*s->p) ? "a backslash or \"]\""
						    : "a control character",
		    place(s));
	}
	t->n = (size_t)(s->p - t->p);
	return true;
}

static bool
at(const struct parser *s, char special)
{
	return s->t.type == TOKEN_SPECIAL && *s->t.p == special;
}

/* --- mailboxes ---------------------------------------------------------------------------------------------- */

/* The words before "@", "<", ":", "," or ";": what they are is known only there. */
struct words {
	char text[320]; /* as a local part: without blanks and comments */
	size_t n;
	bool cut, utf8;
	unsigned words;
	bool adjacent; /* two words without a dot between: a phrase, no local part */
	bool last_dot, first_dot, two_dots;
	bool blank; /* inside */
	bool encoded;
};

static bool
all_utf8(const struct token *t)
{
	for (size_t i = 0, n; i < t->n; i += n)
		if ((n = utf8_length(t->p + i, t->n - i)) == 0)
			return false;
	return true;
}

static bool
take_words(struct parser *s, struct words *w)
{
	*w = (struct words){ .utf8 = true };
	while (s->t.type == TOKEN_ATOM || s->t.type == TOKEN_QUOTED || at(s, '.')) {
		bool dot = at(s, '.');

		w->blank |= s->t.blank && (w->words > 0 || w->last_dot);
		w->first_dot |= dot && w->words == 0;
		w->two_dots |= dot && w->last_dot;
		w->adjacent |= !dot && w->words > 0 && !w->last_dot;
		w->words += !dot;
		w->last_dot = dot;
		w->utf8 &= all_utf8(&s->t);
		w->encoded |= s->t.type == TOKEN_ATOM && s->t.n > 2 && memcmp(s->t.p, "=?", 2) == 0;
		if (s->t.n < sizeof(w->text) - w->n) {
			memcpy(w->text + w->n, s->t.p, s->t.n);
			w->n += s->t.n;
		} else {
			w->cut = true;
		}
		if (!advance(s))
			return false;
	}
	w->text[w->n] = '\0';
	return true;
}

static void
note_domain(struct address_author *a, const char *domain)
{
	for (size_t i = 0; i < a->domains && i < ADDRESS_DOMAINS_MAX; i++)
		if (strcmp(a->domain[i], domain) == 0)
			return;
	if (a->domains > ADDRESS_DOMAINS_MAX)
		return;
	if (a->domains < ADDRESS_DOMAINS_MAX)
		memcpy(a->domain[a->domains], domain, strlen(domain) + 1);
	a->domains++;
}

/* "." and atoms, or a literal; written as it stood without blanks. */
static bool
take_domain(struct parser *s, char text[4 * ADDRESS_DOMAIN_SIZE], bool *literal)
{
	size_t n = 0;
	bool dot = true, first = true;

	*literal = s->t.type == TOKEN_LITERAL;
	while (*literal || (dot ? s->t.type == TOKEN_ATOM : at(s, '.'))) {
		if (s->t.n >= 4 * ADDRESS_DOMAIN_SIZE - n)
			return fail(s, "the domain of an address is too long");
		s->a->obsolete |= s->t.blank && !first;
		memcpy(text + n, s->t.p, s->t.n);
		n += s->t.n;
		dot = !dot;
		first = false;
		if (!advance(s))
			return false;
		if (*literal)
			break;
	}
	text[n] = '\0';
	if (n == 0)
		return fail(s, "no domain behind \"@\" at octet %d", place(s));
	if (!*literal && dot)
		return fail(s, "a domain that ends in a dot");
	return true;
}

/* What follows the local part. */
static bool
take_address(struct parser *s, const struct words *w)
{
	char text[4 * ADDRESS_DOMAIN_SIZE], domain[ADDRESS_DOMAIN_SIZE];
	struct address_author *a = s->a;
	const char *why;
	bool literal;

	if (w->words == 0 || w->first_dot || w->last_dot || w->two_dots)
		return fail(s, "%s before \"@\"", w->words == 0 ? "nothing" : "a dot too many");
	if (w->adjacent && w->encoded)
		return fail(s, "an encoded word holds \"@\", which RFC 2047 5 (3) forbids");
	if (w->adjacent)
		return fail(s, "several words before \"@\" outside of \"<>\"");
	if (w->cut || !w->utf8)
		return fail(s, w->cut ? "a local part over 319 octets" : "an address is no UTF-8");
	a->obsolete |= w->blank || s->t.blank;
	if (!advance(s))
		return false;
	a->obsolete |= s->t.blank;
	if (!take_domain(s, text, &literal))
		return false;
	if (a->mailboxes++ == 0)
		snprintf(
		    a->address, sizeof(a->address), "%.*s@%.*s", (int)w->n, w->text, 190, text);
	if (literal)
		return fail(s, "%.100s is an address literal: it has no domain", text);
	if (address_domain(domain, text, strlen(text), &why) != 0)
		return fail(s, "the domain of an address: %s", why);
	note_domain(a, domain);
	return true;
}

/* RFC 5322 4.4: "<@a,@b:user@c>". */
static bool
skip_route(struct parser *s)
{
	char text[4 * ADDRESS_DOMAIN_SIZE];
	bool literal;

	s->a->obsolete = true;
	while (!at(s, ':')) {
		if (at(s, ',')) {
			if (!advance(s))
				return false;
			continue;
		}
		if (!at(s, '@'))
			return fail(s, "a route without \":\"");
		if (!advance(s) || !take_domain(s, text, &literal))
			return false;
	}
	return advance(s);
}

static bool
take_angle(struct parser *s)
{
	struct words w;

	if (!advance(s) || (at(s, '@') && !skip_route(s)) || !take_words(s, &w))
		return false;
	if (!at(s, '@'))
		return fail(s, w.words == 0 ? "nothing between \"<\" and \">\""
					    : "no \"@\" between \"<\" and \">\"");
	if (!take_address(s, &w))
		return false;
	s->a->obsolete |= s->t.blank && !at(s, '>');
	return at(s, '>') ? advance(s) : fail(s, "\"<\" without its \">\"");
}

static bool
take_list(struct parser *s)
{
	bool group = false;

	for (;;) {
		struct words w;

		if (!take_words(s, &w))
			return false;
		s->a->encoded |= w.encoded;
		if (at(s, ':') && w.words > 0 && !group) {
			s->a->group = group = true;
			if (!advance(s))
				return false;
			continue;
		}
		if (at(s, '<') || at(s, '@')) {
			if (at(s, '<') ? !take_angle(s) : !take_address(s, &w))
				return false;
		} else if (w.words > 0 || w.last_dot) {
			return fail(s, "\"%.60s\" is no address: there is no \"@\"", w.text);
		} else if (!(group && at(s, ';'))) {
			s->a->obsolete |= at(s, ',') || s->t.type == TOKEN_END;
		}
		if (group && at(s, ';')) {
			group = false;
			if (!advance(s))
				return false;
		}
		if (s->t.type == TOKEN_END)
			return group ? fail(s, "a group without its \";\"") : true;
		if (!at(s, ','))
			return fail(s, "\"%.1s\" at octet %d, where \",\" or the end should be",
			    s->t.p, (int)(s->t.p - s->start) + 1);
		if (!advance(s))
			return false;
	}
}

bool
address_field(struct address_author *a, const char *value, size_t len)
{
	struct parser s = { .start = value, .p = value, .end = value + len, .a = a };

	memset(a, 0, sizeof(*a));
	a->fields = 1;
	while (s.end > value && (s.end[-1] == '\n' || s.end[-1] == '\r'))
		s.end--;
	if (!advance(&s) || !take_list(&s))
		return false;
	if (a->mailboxes == 0)
		fail(&s, "the From field names nobody");
	else if (a->domains > 1)
		fail(&s,
		    "the authors are of several domains: RFC 7489 6.6.1 leaves open which counts");
	return !s.failed;
}

bool
address_author(struct address_author *a, const struct mail *m)
{
	const struct mail_field *from;
	size_t fields = mail_count(m, "From"), next = 0;

	from = mail_find(m, "From", &next);
	if (fields == 1 && from != NULL && !m->over_limit)
		return address_field(a, from->value.p, from->value.n);
	/* What the first of several says is told, but counts for nothing. */
	if (from != NULL)
		address_field(a, from->value.p, from->value.n);
	else
		memset(a, 0, sizeof(*a));
	a->fields = fields;
	if (m->over_limit)
		snprintf(a->why, sizeof(a->why), "the header is too large to be judged");
	else if (fields == 0)
		snprintf(a->why, sizeof(a->why), "there is no From field");
	else
		snprintf(a->why, sizeof(a->why),
		    "there are %zu From fields: RFC 5322 3.6 allows one", fields);
	return false;
}
