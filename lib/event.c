/* event.c - the encoder: hand-written appends into one buffer.  What stands before a value or at
 * the head of a line is spelled out once at start, from the tables of event_table.c. */
#include "lib/event.h"

#include <assert.h>
#include <string.h>

#include "lib/clock.h"

#define PIECE_MAX 24

static struct piece {
	unsigned char len;
	char text[PIECE_MAX]; /* ,"name": */
} before[EK_MAX], kind_piece[EV_KIND_MAX];
static bool plain[256]; /* octets that stand for themselves inside a string */
static bool may_carry[EV_KIND_MAX][EK_MAX];

static void
piece_set(struct piece *p, const char *a, const char *name, const char *z)
{
	assert(strlen(a) + strlen(name) + strlen(z) <= PIECE_MAX);
	for (; *a != '\0'; a++)
		p->text[p->len++] = *a;
	for (; *name != '\0'; name++)
		p->text[p->len++] = *name;
	for (; *z != '\0'; z++)
		p->text[p->len++] = *z;
}

__attribute__((constructor)) static void
pieces_set(void)
{
	for (int c = 0x20; c <= 0x7e; c++)
		plain[c] = c != '"' && c != '\\';
	for (int k = 0; k < EK_MAX; k++)
		piece_set(&before[k], ",\"", event_key((enum event_key)k)->name, "\":");
	for (int k = 0; k < EV_KIND_MAX; k++) {
		const struct event_kind_row *row = event_kind((enum event_kind)k);
		piece_set(&kind_piece[k], ",\"ev\":\"", row->name, "\"");
		for (const enum event_key *key = row->keys; *key != EK_MAX; key++)
			may_carry[k][*key] = true;
		may_carry[k][EK_TOKEN] = may_carry[k][EK_TEST] = true;
		may_carry[k][EK_CONN] = may_carry[k][EK_CUT] = true;
	}
}

static char *
put_escaped(char *p, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	*p++ = '\\';
	if (c == '"' || c == '\\') {
		*p++ = (char)c;
		return p;
	}
	memcpy(p, "u00", 3);
	p[3] = hex[c >> 4];
	p[4] = hex[c & 15];
	return p + 5;
}

/* Whether eight octets all stand for themselves.  A word minus 1 in each octet, where the octet had
 * no top bit, has a top bit just where the octet was 0: so one value is looked for in all eight. */
static inline bool
all_plain(uint64_t w)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\', del = w ^ ones * 0x7f;

	return (((w - ones * 0x20) | (quote - ones) | (slash - ones) | (del - ones) | w) & tops) ==
	       0;
}

/* There is room for six octets for each of s. */
static inline char *
put_text(char *p, const char *s, size_t len)
{
	while (len > 0) {
		size_t n = len < 8 ? len : 8;
		uint64_t w;

		if (n == 8) {
			memcpy(&w, s, 8);
			if (all_plain(w)) {
				memcpy(p, &w, 8);
				p += 8;
				s += 8;
				len -= 8;
				continue;
			}
		}
		len -= n;
		for (; n > 0; n--) {
			unsigned char c = (unsigned char)*s++;
			if (plain[c])
				*p++ = (char)c;
			else
				p = put_escaped(p, c);
		}
	}
	return p;
}

static char *
put_num(char *p, int64_t num)
{
	uint64_t rest = num < 0 ? 0 - (uint64_t)num : (uint64_t)num;
	char text[20];
	size_t n = sizeof(text);

	do {
		text[--n] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (num < 0)
		*p++ = '-';
	memcpy(p, text + n, sizeof(text) - n);
	return p + (sizeof(text) - n);
}

/* There is room for PIECE_MAX octets: a copy of fixed size is a few instructions. */
static inline char *
put_piece(char *p, const struct piece *piece)
{
	memcpy(p, piece->text, PIECE_MAX);
	return p + piece->len;
}

#define CUT_TEXT ",\"cut\":true"
#define END_TEXT "}\n"
#define CUT_LEN  (sizeof(CUT_TEXT) - 1)
#define END_LEN  (sizeof(END_TEXT) - 1)

/* A key of another type makes a line that nobody can read; one that its kind does not promise makes
 * the manual wrong, which is worth an abort only where a developer sees it. */
static inline void
check_key(const struct event_line *e, enum event_key key, enum event_type type)
{
	assert(event_key(key)->type == type);
#ifdef OUTPOST_DEBUG
	assert(may_carry[e->kind][key]);
#else
	(void)e;
#endif
}

/* Octets that may still be added before the end. */
static size_t
room(const struct event_line *e, bool cut)
{
	size_t end = EVENT_LINE_MAX - END_LEN - (cut ? CUT_LEN : 0);

	return end > e->len ? end - e->len : 0;
}

/* Where the escaped text at s may end so that it has at most max octets and no half escape. */
static size_t
whole_escapes(const char *s, size_t max)
{
	size_t n = 0;

	for (;;) {
		size_t step = s[n] != '\\' ? 1 : s[n + 1] == 'u' ? 6 : 2;
		if (n + step > max)
			return n;
		n += step;
	}
}

/* Makes room for need octets by shortening the longest value so far; false if that is too short. */
static bool
make_room(struct event_line *e, size_t need)
{
	size_t over, keep;
	char *value = e->buf + e->longest;

	if (need <= room(e, e->cut))
		return true;
	over = e->len + need - (EVENT_LINE_MAX - END_LEN - CUT_LEN);
	if (over > e->longest_len)
		return false;
	keep = whole_escapes(value, e->longest_len - over);
	memmove(value + keep, value + e->longest_len, e->len - e->longest - e->longest_len);
	e->len -= e->longest_len - keep;
	e->longest_len = keep;
	e->cut = true;
	return true;
}

void
event_begin(struct event_line *e, enum event_kind kind, struct event_origin *origin, int64_t t_us)
{
	char *p = e->buf;

	e->kind = kind;
	e->cut = false;
	e->longest = e->longest_len = 0;
	memcpy(p, "{\"v\":1,\"t\":\"", 12);
	p += 12;
	clock_format(p, t_us);
	p += CLOCK_TEXT_MAX - 1;
	memcpy(p, "\",\"node\":\"", 10);
	p = put_text(p + 10, origin->node, strnlen(origin->node, EVENT_NODE_MAX));
	memcpy(p, "\",\"d\":\"", 7);
	p = put_text(p + 7, origin->daemon, strnlen(origin->daemon, EVENT_NODE_MAX));
	memcpy(p, "\",\"w\":", 6);
	p = put_num(p + 6, origin->worker);
	memcpy(p, ",\"n\":", 5);
	p = put_num(p + 5, (int64_t)origin->n++);
	p = put_piece(p, &kind_piece[kind]);
	e->len = (size_t)(p - e->buf);
}

/* The way of a value that may not fit: it or the longest before it is cut, whichever is longer. */
static void
text_tight(struct event_line *e, enum event_key key, const char *s, size_t len)
{
	size_t fixed = before[key].len + 2U, escaped = 0, fit;
	char *p;

	for (size_t i = 0; i < len && escaped < EVENT_LINE_MAX; i++)
		escaped += plain[(unsigned char)s[i]] ? 1 : s[i] == '"' || s[i] == '\\' ? 2 : 6;
	if (fixed + escaped > room(e, e->cut)) {
		e->cut = true;
		if (escaped > e->longest_len || !make_room(e, fixed + escaped))
			if (!make_room(e, fixed))
				return;
	}
	fit = room(e, e->cut) - fixed;
	p = e->buf + e->len;
	memcpy(p, before[key].text, before[key].len);
	p += before[key].len;
	*p++ = '"';
	e->len = (size_t)(p - e->buf);
	escaped = 0;
	for (size_t i = 0; i < len; i++) {
		char one[6];
		size_t n = (size_t)(put_text(one, s + i, 1) - one);
		if (escaped + n > fit)
			break;
		memcpy(p + escaped, one, n);
		escaped += n;
	}
	if (escaped > e->longest_len) {
		e->longest = e->len;
		e->longest_len = escaped;
	}
	p[escaped] = '"';
	e->len += escaped + 1;
}

void
event_text(struct event_line *e, enum event_key key, const char *s, size_t len)
{
	char *p, *start;

	check_key(e, key, EVT_TEXT);
	if (len > EVENT_LINE_MAX || len * 6 + PIECE_MAX + 2 > room(e, true)) {
		text_tight(e, key, s, len);
		return;
	}
	start = put_piece(e->buf + e->len, &before[key]);
	*start++ = '"';
	p = put_text(start, s, len);
	if ((size_t)(p - start) > e->longest_len) {
		e->longest = (size_t)(start - e->buf);
		e->longest_len = (size_t)(p - start);
	}
	*p++ = '"';
	e->len = (size_t)(p - e->buf);
}

void
event_str(struct event_line *e, enum event_key key, const char *s)
{
	if (s != NULL && *s != '\0')
		event_text(e, key, s, strlen(s));
}

void
event_num(struct event_line *e, enum event_key key, int64_t num)
{
	char *p;

	check_key(e, key, EVT_NUM);
	if (!make_room(e, PIECE_MAX + 20))
		return;
	p = put_piece(e->buf + e->len, &before[key]);
	e->len = (size_t)(put_num(p, num) - e->buf);
}

void
event_bool(struct event_line *e, enum event_key key, bool on)
{
	char *p;

	check_key(e, key, EVT_BOOL);
	if (!on || !make_room(e, PIECE_MAX + 4))
		return;
	p = put_piece(e->buf + e->len, &before[key]);
	memcpy(p, "true", 4);
	e->len = (size_t)(p + 4 - e->buf);
}

void
event_end(struct event_line *e)
{
	if (e->cut && e->len + CUT_LEN + END_LEN <= EVENT_LINE_MAX) {
		memcpy(e->buf + e->len, CUT_TEXT, CUT_LEN);
		e->len += CUT_LEN;
	}
	memcpy(e->buf + e->len, END_TEXT, END_LEN);
	e->len += END_LEN;
}
