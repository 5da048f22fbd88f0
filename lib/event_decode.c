/* event_decode.c - the decoder: a strict reader of flat JSON objects.  Pure: one allocation, as
 * large as the line, holds every string. */
#include "lib/event.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/strbuf.h"

struct reader {
	const char *p, *end;
	char *mem; /* where the next decoded string goes */
	char *err;
	size_t errlen;
};

struct member {
	const char *key;
	size_t key_len;
	enum event_type type;
	struct event_value value;
};

#define HEAD_NAME_MAX 4
enum head { HEAD_V, HEAD_T, HEAD_NODE, HEAD_D, HEAD_W, HEAD_N, HEAD_EV, HEADS };
static const struct {
	const char *name;
	enum event_type type;
} heads[HEADS] = {
	[HEAD_V] = { "v", EVT_NUM },
	[HEAD_T] = { "t", EVT_TEXT },
	[HEAD_NODE] = { "node", EVT_TEXT },
	[HEAD_D] = { "d", EVT_TEXT },
	[HEAD_W] = { "w", EVT_NUM },
	[HEAD_N] = { "n", EVT_NUM },
	[HEAD_EV] = { "ev", EVT_TEXT },
};

__attribute__((format(printf, 2, 3))) static int
fail(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->err, r->errlen, fmt, ap);
	va_end(ap);
	return -1;
}

static void
skip_blanks(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\r' || *r->p == '\n'))
		r->p++;
}

/* Skips blanks, then takes c if it is next. */
static bool
take(struct reader *r, char c)
{
	skip_blanks(r);
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The octet of the escape after a backslash, or -1. */
static int
read_escape(struct reader *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	int value = 0;

	if (r->p == r->end)
		return -1;
	if (*r->p != 'u') {
		at = *r->p != '\0' ? strchr(from, *r->p) : NULL;
		r->p++;
		return at != NULL ? (unsigned char)to[at - from] : -1;
	}
	if (r->end - r->p < 5)
		return -1;
	for (int i = 1; i <= 4; i++) {
		int digit = hex_digit(r->p[i]);
		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	r->p += 5;
	return value <= 0xff ? value : -1;
}

/* The opening quote is taken.  A tool that rewrote the line may have put U+0080 to U+00FF as
 * UTF-8: that is one octet here too. */
static int
read_string(struct reader *r, const char **text, size_t *len)
{
	char *start = r->mem;

	for (;;) {
		unsigned char c;
		int octet;

		if (r->p == r->end)
			return fail(r, "unterminated string");
		c = (unsigned char)*r->p++;
		if (c == '"')
			break;
		if (c < 0x20)
			return fail(r, "control character in a string");
		octet = c;
		if (c == '\\' && (octet = read_escape(r)) < 0)
			return fail(r, "bad escape in a string");
		if (c >= 0x80) {
			if (c < 0xc2 || c > 0xc3 || r->p == r->end || (*r->p & 0xc0) != 0x80)
				return fail(r, "octet 0x%02x in a string", c);
			octet = (c & 0x03) << 6 | (*r->p++ & 0x3f);
		}
		*r->mem++ = (char)octet;
	}
	*text = start;
	*len = (size_t)(r->mem - start);
	*r->mem++ = '\0';
	return 0;
}

static int
read_number(struct reader *r, int64_t *num)
{
	bool minus = *r->p == '-';
	const char *start = r->p += minus;
	uint64_t value = 0, max = (uint64_t)INT64_MAX + minus;

	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
		unsigned digit = (unsigned)(*r->p - '0');
		if (value > (max - digit) / 10)
			return fail(r, "number out of range");
		value = value * 10 + digit;
	}
	if (r->p == start || (*start == '0' && r->p - start > 1))
		return fail(r, "not a number");
	if (r->p < r->end && (*r->p == '.' || *r->p == 'e' || *r->p == 'E'))
		return fail(r, "number is not an integer");
	*num = minus ? (int64_t)(0 - value) : (int64_t)value;
	return 0;
}

static int
read_value(struct reader *r, struct member *m)
{
	size_t left;

	if (take(r, '"')) {
		m->type = EVT_TEXT;
		return read_string(r, &m->value.text, &m->value.len);
	}
	left = (size_t)(r->end - r->p);
	if (left >= 4 && memcmp(r->p, "true", 4) == 0) {
		r->p += 4;
		m->type = EVT_BOOL;
		m->value.num = 1;
		return 0;
	}
	if (left >= 5 && memcmp(r->p, "false", 5) == 0) {
		r->p += 5;
		m->type = EVT_BOOL;
		return 0;
	}
	if (left > 0 && (*r->p == '-' || (*r->p >= '0' && *r->p <= '9'))) {
		m->type = EVT_NUM;
		return read_number(r, &m->value.num);
	}
	return fail(r, "value of \"%.40s\" is neither string, integer nor boolean", m->key);
}

static int
read_member(struct reader *r, struct member *m)
{
	memset(m, 0, sizeof(*m));
	m->value.set = true;
	if (!take(r, '"'))
		return fail(r, "no key where one must stand");
	if (read_string(r, &m->key, &m->key_len) < 0)
		return -1;
	if (!take(r, ':'))
		return fail(r, "no colon after \"%.40s\"", m->key);
	return read_value(r, m);
}

/* The key's index, or EK_MAX.  Lines carry keys in the order of the table, so the search begins
 * behind the key found last. */
static enum event_key
find_key(const struct member *m, unsigned *hint)
{
	for (unsigned i = 0; i < EK_MAX; i++) {
		unsigned k = (*hint + i) % EK_MAX;
		const char *name = event_key((enum event_key)k)->name;
		if (name[0] == m->key[0] && strlen(name) == m->key_len &&
		    memcmp(name, m->key, m->key_len) == 0) {
			*hint = k + 1;
			return (enum event_key)k;
		}
	}
	return EK_MAX;
}

static int
find_head(const struct member *m)
{
	for (int h = 0; h < HEADS && m->key_len <= HEAD_NAME_MAX; h++)
		if (strlen(heads[h].name) == m->key_len &&
		    memcmp(heads[h].name, m->key, m->key_len) == 0)
			return h;
	return HEADS;
}

static int
store(struct reader *r, struct event_value *dst, const struct member *m, enum event_type type)
{
	static const char *const names[] = { "a string", "an integer", "a boolean" };

	if (dst->set)
		return fail(r, "\"%s\" stands twice", m->key);
	if (m->type != type)
		return fail(r, "\"%s\" is not %s", m->key, names[type]);
	*dst = m->value;
	return 0;
}

static int
fill_head(struct reader *r, struct event *dst, const struct event_value head[HEADS])
{
	for (int h = 0; h < HEADS; h++)
		if (!head[h].set)
			return fail(r, "no \"%s\"", heads[h].name);
	if (head[HEAD_V].num != 1)
		return fail(r, "version %lld is not 1", (long long)head[HEAD_V].num);
	if (clock_parse(&dst->t, head[HEAD_T].text, head[HEAD_T].len) < 0)
		return fail(r, "\"%.40s\" is no time", head[HEAD_T].text);
	if (head[HEAD_W].num < 0 || head[HEAD_W].num > INT32_MAX || head[HEAD_N].num < 0)
		return fail(r, "worker or number out of range");
	dst->node = head[HEAD_NODE].text;
	dst->daemon = head[HEAD_D].text;
	dst->worker = (unsigned)head[HEAD_W].num;
	dst->n = (uint64_t)head[HEAD_N].num;
	dst->kind_name = head[HEAD_EV].text;
	dst->kind = event_kind_by_name(head[HEAD_EV].text, head[HEAD_EV].len);
	return 0;
}

static int
read_object(struct reader *r, struct event *dst)
{
	struct event_value head[HEADS] = { 0 };
	unsigned hint = 0;
	struct member m;

	if (!take(r, '{'))
		return fail(r, "not a JSON object");
	do {
		int h;
		enum event_key k;

		if (read_member(r, &m) < 0)
			return -1;
		h = find_head(&m);
		if (h < HEADS) {
			if (store(r, &head[h], &m, heads[h].type) < 0)
				return -1;
			continue;
		}
		k = find_key(&m, &hint);
		if (k < EK_MAX && store(r, &dst->v[k], &m, event_key(k)->type) < 0)
			return -1;
	} while (take(r, ','));
	if (!take(r, '}'))
		return fail(r, "object is not closed");
	skip_blanks(r);
	if (r->p != r->end)
		return fail(r, "more after the object");
	return fill_head(r, dst, head);
}

int
event_decode(struct event *dst, const char *line, size_t len, char *err, size_t errlen)
{
	struct reader r = { .p = line, .end = line + len, .err = err, .errlen = errlen };

	memset(dst, 0, sizeof(*dst));
	if (len > EVENT_LINE_MAX)
		return fail(&r, "longer than %d octets", EVENT_LINE_MAX);
	/* A string needs its octets and a NUL, which take less than it with its quotes. */
	r.mem = dst->mem = xmalloc(len + 1);
	if (read_object(&r, dst) == 0)
		return 0;
	event_clear(dst);
	return -1;
}

void
event_clear(struct event *e)
{
	free(e->mem);
	memset(e, 0, sizeof(*e));
}

enum event_kind
event_kind_by_name(const char *name, size_t len)
{
	for (int k = 0; k < EV_KIND_MAX; k++) {
		const char *known = event_kind((enum event_kind)k)->name;
		if (strlen(known) == len && memcmp(known, name, len) == 0)
			return (enum event_kind)k;
	}
	return EV_KIND_MAX;
}
