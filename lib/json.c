#include "lib/json.h"

#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "lib/utf8.h"

#define DEPTH_MAX   64
#define NODES_MAX   1000000
#define CHUNK_NODES 64

struct chunk {
	struct chunk *next;
	struct json node[CHUNK_NODES];
};

struct json_doc {
	struct json *root;
	struct chunk *chunks; /* the one in use first */
	unsigned used;        /* nodes of that one */
	char *text;           /* copy of the input; strings are decoded in place */
};

struct parser {
	struct json_doc *doc;
	char *p, *end;
	unsigned depth, nodes;
	char *err;
	size_t errlen;
};

__attribute__((format(printf, 2, 3))) static int
fail(struct parser *s, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(s->err, s->errlen, "octet %zu: ", (size_t)(s->p - s->doc->text));

	va_start(ap, fmt);
	if (n >= 0 && (size_t)n < s->errlen)
		vsnprintf(s->err + n, s->errlen - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

static struct json *
new_node(struct parser *s)
{
	struct json_doc *doc = s->doc;

	if (s->nodes == NODES_MAX) {
		fail(s, "more than %d values", NODES_MAX);
		return NULL;
	}
	s->nodes++;
	if (doc->chunks == NULL || doc->used == CHUNK_NODES) {
		struct chunk *chunk = xcalloc(1, sizeof(*chunk));
		chunk->next = doc->chunks;
		doc->chunks = chunk;
		doc->used = 0;
	}
	return &doc->chunks->node[doc->used++];
}

static void
skip_blanks(struct parser *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool
take(struct parser *s, char c)
{
	skip_blanks(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

/* Four hex digits at p, or -1. */
static int
hex4(const char *p, const char *end)
{
	int value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* The escape behind a backslash, decoded to dst; returns the octets written, -1 if it is none. */
static int
read_escape(struct parser *s, char dst[4])
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	int code, low;

	if (s->p == s->end)
		return fail(s, "unterminated string");
	if (*s->p != 'u') {
		at = *s->p != '\0' ? strchr(from, *s->p) : NULL;
		if (at == NULL)
			return fail(s, "unknown escape");
		dst[0] = to[at - from];
		s->p++;
		return 1;
	}
	if ((code = hex4(s->p + 1, s->end)) < 0)
		return fail(s, "bad \\u escape");
	s->p += 5;
	if (code <= 0xff) { /* how we write octets that are no text */
		dst[0] = (char)code;
		return 1;
	}
	if (code < 0xd800 || code > 0xdfff)
		return (int)utf8_put(dst, (uint32_t)code);
	if (code > 0xdbff || s->end - s->p < 6 || s->p[0] != '\\' || s->p[1] != 'u' ||
	    (low = hex4(s->p + 2, s->end)) < 0xdc00 || low > 0xdfff)
		return fail(s, "half a surrogate pair");
	s->p += 6;
	return (int)utf8_put(
	    dst, 0x10000 + ((uint32_t)(code - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
}

/* The opening quote is taken.  What is decoded is never longer than its source, and the NUL takes
 * the place of the closing quote at the latest. */
static int
read_string(struct parser *s, const char **text, size_t *len)
{
	char *start = s->p, *out = s->p;

	while (s->p < s->end && *s->p != '"') {
		size_t n;
		int m;

		if (*s->p == '\\') {
			char decoded[4];
			s->p++;
			if ((m = read_escape(s, decoded)) < 0)
				return -1;
			memcpy(out, decoded, (size_t)m);
			out += m;
			continue;
		}
		if ((unsigned char)*s->p < 0x20)
			return fail(s, "control character in a string");
		if ((n = utf8_length(s->p, (size_t)(s->end - s->p))) == 0)
			return fail(s, "not UTF-8");
		memmove(out, s->p, n);
		out += n;
		s->p += n;
	}
	if (s->p == s->end)
		return fail(s, "unterminated string");
	s->p++;
	*out = '\0';
	*text = start;
	*len = (size_t)(out - start);
	return 0;
}

static size_t
count_digits(const struct parser *s, const char *p)
{
	size_t n = 0;

	while (p + n < s->end && p[n] >= '0' && p[n] <= '9')
		n++;
	return n;
}

/* Digits to a number that stops at the ends of int64_t. */
static int64_t
to_integer(const char *digits, size_t n, bool minus)
{
	int64_t value = 0;

	for (size_t i = 0; i < n; i++) {
		int digit = digits[i] - '0';
		if (minus ? value < (INT64_MIN + digit) / 10 : value > (INT64_MAX - digit) / 10)
			return minus ? INT64_MIN : INT64_MAX;
		value = value * 10 + (minus ? -digit : digit);
	}
	return value;
}

/* RFC 8259 section 6.  Numbers out of range of a double become the largest one. */
static int
read_number(struct parser *s, struct json *node)
{
	char *start = s->p, *digits;
	bool minus = *start == '-';
	size_t n, m = 0;

	digits = start + minus;
	n = count_digits(s, digits);
	if (n == 0 || (n > 1 && *digits == '0'))
		return fail(s, "not a number");
	s->p = digits + n;
	if (s->p < s->end && *s->p == '.') {
		if ((m = count_digits(s, s->p + 1)) == 0)
			return fail(s, "no digit after the decimal point");
		s->p += 1 + m;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		if ((m = count_digits(s, s->p)) == 0)
			return fail(s, "no digit in the exponent");
		s->p += m;
	}
	node->type = JSON_NUMBER;
	node->number = strtod(start, NULL);
	if (node->number > DBL_MAX || node->number < -DBL_MAX)
		node->number = minus ? -DBL_MAX : DBL_MAX;
	if (s->p == digits + n)
		node->integer = to_integer(digits, n, minus);
	else if (node->number >= 9223372036854775808.0)
		node->integer = INT64_MAX;
	else if (node->number < -9223372036854775808.0)
		node->integer = INT64_MIN;
	else
		node->integer = (int64_t)node->number;
	return 0;
}

static int read_value(struct parser *, struct json *);

/* The members of an array or object up to its closing bracket. */
static int
read_children(struct parser *s, struct json *node, char close)
{
	struct json **tail = &node->child, *child;
	const char *key = NULL;
	size_t key_len;

	if (take(s, close))
		return 0;
	do {
		if (node->type == JSON_OBJECT) {
			if (!take(s, '"'))
				return fail(s, "no key where one must stand");
			if (read_string(s, &key, &key_len) < 0)
				return -1;
			if (!take(s, ':'))
				return fail(s, "no colon after the key \"%.40s\"", key);
		}
		if ((child = new_node(s)) == NULL || read_value(s, child) < 0)
			return -1;
		child->key = key;
		*tail = child;
		tail = &child->next;
		node->len++;
	} while (take(s, ','));
	return take(s, close) ? 0 : fail(s, "no \",\" or \"%c\" where one must stand", close);
}

static bool
word(struct parser *s, const char *name)
{
	size_t n = strlen(name);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, name, n) != 0)
		return false;
	s->p += n;
	return true;
}

static int
read_value(struct parser *s, struct json *node)
{
	int rc;

	if (take(s, '"')) {
		node->type = JSON_STRING;
		return read_string(s, &node->string, &node->len);
	}
	if (take(s, '[') || take(s, '{')) {
		bool array = s->p[-1] == '[';

		if (s->depth == DEPTH_MAX)
			return fail(s, "deeper than %d", DEPTH_MAX);
		s->depth++;
		node->type = array ? JSON_ARRAY : JSON_OBJECT;
		rc = read_children(s, node, array ? ']' : '}');
		s->depth--;
		return rc;
	}
	if (s->p == s->end)
		return fail(s, "no value");
	if (*s->p == '-' || (*s->p >= '0' && *s->p <= '9'))
		return read_number(s, node);
	node->type = JSON_BOOL;
	if (word(s, "true")) {
		node->boolean = true;
		return 0;
	}
	if (word(s, "false"))
		return 0;
	node->type = JSON_NULL;
	return word(s, "null") ? 0 : fail(s, "not a value");
}

struct json_doc *
json_parse(const char *text, size_t len, char *err, size_t errlen)
{
	struct json_doc *doc = xcalloc(1, sizeof(*doc));
	struct parser s = { .doc = doc, .err = err, .errlen = errlen };

	doc->text = xmalloc(len + 1);
	if (len > 0)
		memcpy(doc->text, text, len);
	doc->text[len] = '\0';
	s.p = doc->text;
	s.end = doc->text + len;
	doc->root = new_node(&s);
	if (read_value(&s, doc->root) == 0) {
		skip_blanks(&s);
		if (s.p == s.end)
			return doc;
		fail(&s, "more after the value");
	}
	json_free(doc);
	return NULL;
}

const struct json *
json_root(const struct json_doc *doc)
{
	return doc->root;
}

void
json_free(struct json_doc *doc)
{
	if (doc == NULL)
		return;
	while (doc->chunks != NULL) {
		struct chunk *next = doc->chunks->next;
		free(doc->chunks);
		doc->chunks = next;
	}
	free(doc->text);
	free(doc);
}

const struct json *
json_get(const struct json *object, const char *key)
{
	if (object == NULL || object->type != JSON_OBJECT)
		return NULL;
	for (const struct json *child = object->child; child != NULL; child = child->next)
		if (strcmp(child->key, key) == 0)
			return child;
	return NULL;
}

const char *
json_string(const struct json *object, const char *key)
{
	const struct json *node = json_get(object, key);

	return node != NULL && node->type == JSON_STRING ? node->string : NULL;
}

int64_t
json_int(const struct json *object, const char *key, int64_t fallback)
{
	const struct json *node = json_get(object, key);

	return node != NULL && node->type == JSON_NUMBER ? node->integer : fallback;
}
