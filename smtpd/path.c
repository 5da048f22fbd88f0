/* path.c - see path.h. */
#include "smtpd/path.h"

#include <string.h>
#include <strings.h>

static bool
is_atext(unsigned char c)
{
	if (c > 127)
		return true;
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL;
}

/* Length of the local part (dot-string or quoted string) at p, 0 if there is none. */
static size_t
local_span(const char *p, const char *end)
{
	const char *s = p;

	if (p < end && *p == '"') {
		for (p++; p < end && *p != '"'; p++) {
			if (*p == '\\' && ++p == end)
				return 0;
			if ((unsigned char)*p < 0x20 || *p == 0x7f)
				return 0;
		}
		return p < end ? (size_t)(p + 1 - s) : 0;
	}
	while (p < end && (is_atext((unsigned char)*p) || (*p == '.' && p > s && p[-1] != '.')))
		p++;
	return p > s && p[-1] != '.' ? (size_t)(p - s) : 0;
}

/* Length of a domain or address literal at p, 0 if there is none (RFC 5321 4.1.2, 4.1.3). */
static size_t
domain_span(const char *p, const char *end)
{
	const char *s = p, *label = p;
	unsigned char c;

	if (p < end && *p == '[') {
		for (p++; p < end && *p != ']'; p++) {
			c = (unsigned char)*p;
			if (c <= 0x20 || c > 0x7e || c == '[' || c == '\\')
				return 0;
		}
		return p < end && p > s + 1 ? (size_t)(p + 1 - s) : 0;
	}
	for (; p < end; p++) {
		c = (unsigned char)*p;
		if (c == '.') {
			if (p == label || p - label > 63 || p[-1] == '-')
				return 0;
			label = p + 1;
			continue;
		}
		/* The underscore is not legal here, but it is met; nothing is gained by refusing. */
		if (c > 127 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		    c == '_' || (c == '-' && p > label))
			continue;
		break;
	}
	if (p == label || p - label > 63 || p[-1] == '-')
		return 0;
	return (size_t)(p - s);
}

/* Skips "@a,@b:" (RFC 5321 appendix C: accepted and ignored).  NULL: malformed. */
static const char *
skip_route(const char *p, const char *end)
{
	size_t n;

	while (p < end && *p == '@') {
		n = domain_span(p + 1, end);
		if (n == 0)
			return NULL;
		p += 1 + n;
		if (p < end && *p == ',')
			p++;
		else if (p < end && *p == ':')
			return p + 1;
		else
			return NULL;
	}
	return p;
}

int
path_parse(struct path *dst, size_t *used, const char *text, size_t len)
{
	const char *p = text, *end = text + len;

	memset(dst, 0, sizeof *dst);
	if (p == end || *p++ != '<')
		return -1;
	if (p < end && *p == '@' && (p = skip_route(p, end)) == NULL)
		return -1;
	dst->text = dst->local = dst->domain = p;
	if (p < end && *p == '>') {
		*used = (size_t)(p + 1 - text);
		return 0;
	}
	dst->local_len = local_span(p, end);
	if (dst->local_len == 0 || dst->local_len > PATH_LOCAL_MAX)
		return -1;
	p += dst->local_len;
	dst->domain = p;
	if (p < end && *p == '@') {
		dst->domain = ++p;
		dst->domain_len = domain_span(p, end);
		if (dst->domain_len == 0 || dst->domain_len > PATH_DOMAIN_MAX)
			return -1;
		p += dst->domain_len;
	}
	if (p == end || *p != '>')
		return -1;
	dst->len = (size_t)(p - dst->text);
	for (size_t i = 0; i < dst->len; i++)
		if ((unsigned char)dst->text[i] > 127)
			dst->utf8 = true;
	*used = (size_t)(p + 1 - text);
	return 0;
}

static const struct {
	const char *name;
	unsigned bit;
	bool value; /* must have one; else must not */
} param_rows[] = {
	{ "SIZE", PARAM_SIZE, true },
	{ "BODY", PARAM_BODY, true },
	{ "SMTPUTF8", PARAM_SMTPUTF8, false },
	{ "RET", PARAM_RET, true },
	{ "ENVID", PARAM_ENVID, true },
	{ "NOTIFY", PARAM_NOTIFY, true },
	{ "ORCPT", PARAM_ORCPT, true },
	{ "REQUIRETLS", PARAM_REQUIRETLS, false },
};

static bool
word_is(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(s, word, len) == 0;
}

/* The value of the parameters whose value we use. */
static bool
param_value(struct params *dst, unsigned bit, const char *v, size_t len, unsigned allowed)
{
	if (bit == PARAM_SIZE) {
		if (len == 0 || len > 19) /* 20DIGIT would pass 64 bits */
			return false;
		for (size_t i = 0; i < len; i++) {
			if (v[i] < '0' || v[i] > '9')
				return false;
			dst->size = dst->size * 10 + (uint64_t)(v[i] - '0');
		}
	}
	if (bit == PARAM_BODY) {
		dst->eightbit = word_is(v, len, "8BITMIME");
		dst->binary = word_is(v, len, "BINARYMIME") && (allowed & PARAM_BINARY);
		return dst->eightbit || dst->binary || word_is(v, len, "7BIT");
	}
	if (bit == PARAM_RET)
		return word_is(v, len, "FULL") || word_is(v, len, "HDRS");
	return len > 0;
}

static enum params_err
param_one(struct params *dst, const char *word, size_t len, unsigned allowed)
{
	const char *eq = memchr(word, '=', len);
	size_t n = eq != NULL ? (size_t)(eq - word) : len;

	for (size_t i = 0; i < sizeof param_rows / sizeof *param_rows; i++) {
		if (!word_is(word, n, param_rows[i].name))
			continue;
		if (!(allowed & param_rows[i].bit))
			return PARAMS_UNKNOWN;
		if ((dst->seen & param_rows[i].bit) || param_rows[i].value != (eq != NULL))
			return PARAMS_SYNTAX;
		dst->seen |= param_rows[i].bit;
		if (eq != NULL &&
		    !param_value(dst, param_rows[i].bit, eq + 1, len - n - 1, allowed))
			return PARAMS_SYNTAX;
		return PARAMS_OK;
	}
	return PARAMS_UNKNOWN;
}

enum params_err
params_parse(struct params *dst, const char *text, size_t len, unsigned allowed)
{
	size_t i = 0, n;
	enum params_err e;

	memset(dst, 0, sizeof *dst);
	while (i < len) {
		if (text[i] != ' ' && text[i] != '\t')
			return PARAMS_SYNTAX;
		while (i < len && (text[i] == ' ' || text[i] == '\t'))
			i++;
		for (n = 0; i + n < len && text[i + n] != ' ' && text[i + n] != '\t';)
			n++;
		if (n == 0)
			break;
		e = param_one(dst, text + i, n, allowed);
		if (e != PARAMS_OK)
			return e;
		i += n;
	}
	return PARAMS_OK;
}
