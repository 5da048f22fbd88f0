/* received.c - see received.h. */
#include "verify/received.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- words ---------------------------------------------------------------------------------------------------- */

struct reader {
	const char *p, *end;
};
enum word_kind { WORD_END, WORD_TEXT, WORD_COMMENT, WORD_SEMICOLON };
struct word {
	enum word_kind kind;
	struct span text; /* of a comment without its brackets */
};

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct word
comment(struct reader *r)
{
	struct word w = { .kind = WORD_COMMENT, .text = { r->p + 1, 0 } };
	unsigned depth = 0;

	for (; r->p < r->end; r->p++) {
		if (*r->p == '\\' && r->end - r->p > 1) {
			r->p++;
		} else if (*r->p == '(') {
			depth++;
		} else if (*r->p == ')' && --depth == 0) {
			w.text.n = (size_t)(r->p - w.text.p);
			r->p++;
			return w;
		}
	}
	w.text.n = (size_t)(r->end - w.text.p);
	return w;
}

static struct word
next_word(struct reader *r)
{
	struct word w = { .kind = WORD_TEXT };
	bool quoted = false;

	while (r->p < r->end && blank(*r->p))
		r->p++;
	if (r->p == r->end) {
		w.kind = WORD_END;
		return w;
	}
	if (*r->p == '(')
		return comment(r);
	w.text.p = r->p;
	if (*r->p == ';') {
		w.kind = WORD_SEMICOLON;
		w.text.n = 1;
		r->p++;
		return w;
	}
	for (; r->p < r->end; r->p++) {
		if (*r->p == '\\' && quoted && r->end - r->p > 1)
			r->p++;
		else if (*r->p == '"')
			quoted = !quoted;
		else if (!quoted && (blank(*r->p) || *r->p == '(' || *r->p == ';'))
			break;
	}
	w.text.n = (size_t)(r->p - w.text.p);
	return w;
}

/* Blanks and folds become one blank. */
static void
keep(char *dst, size_t size, struct span s)
{
	size_t n = 0;

	s = span_trim(s);
	for (size_t i = 0; i < s.n && n + 1 < size; i++) {
		bool b = blank(s.p[i]);

		if (b && n > 0 && dst[n - 1] == ' ')
			continue;
		dst[n++] = b ? ' ' : s.p[i];
	}
	dst[n] = '\0';
}

/* --- dates (RFC 5322 3.3, 4.3) -------------------------------------------------------------------------------- */

static int
number(struct span s, size_t min, size_t max)
{
	int x = 0;

	if (s.n < min || s.n > max)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (!isdigit((unsigned char)s.p[i]))
			return -1;
		x = x * 10 + (s.p[i] - '0');
	}
	return x;
}

/* Days from 1970-01-01 in the Gregorian calendar. */
static int64_t
days(int64_t year, int month, int day)
{
	int64_t era, y = month <= 2 ? year - 1 : year;
	int64_t of_era, of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	era = (y >= 0 ? y : y - 399) / 400;
	of_era = y - era * 400;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int
month_number(struct span s)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; s.n == 3 && i < 12; i++)
		if (strncasecmp(s.p, names + 3 * i, 3) == 0)
			return i + 1;
	return -1;
}

static int
year_number(struct span s)
{
	int y = number(s, 2, 4);

	if (s.n == 2 && y >= 0)
		return y < 50 ? 2000 + y : 1900 + y;
	return s.n == 3 && y >= 0 ? 1900 + y : y >= 1900 ? y : -1;
}

/* "HH:MM[:SS]"; -1: none. */
static int
seconds_of_day(struct span s)
{
	int h, m, sec = 0;

	if ((s.n != 5 && s.n != 8 && s.n != 4 && s.n != 7) || s.n < 4)
		return -1;
	if (s.n % 3 == 1) { /* "H:MM": seen, and unambiguous */
		h = number((struct span){ s.p, 1 }, 1, 1);
		s = (struct span){ s.p + 1, s.n - 1 };
	} else {
		h = number((struct span){ s.p, 2 }, 2, 2);
		s = (struct span){ s.p + 2, s.n - 2 };
	}
	m = s.p[0] == ':' ? number((struct span){ s.p + 1, 2 }, 2, 2) : -1;
	if (s.n == 6)
		sec = s.p[3] == ':' ? number((struct span){ s.p + 4, 2 }, 2, 2) : -1;
	if (h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 60)
		return -1;
	return h * 3600 + m * 60 + sec;
}

/* Seconds east of Greenwich. */
static bool
zone_offset(struct span s, int *offset)
{
	static const struct {
		const char *name;
		int hours;
	} names[] = { { "UT", 0 }, { "GMT", 0 }, { "UTC", 0 }, { "EST", -5 }, { "EDT", -4 },
		{ "CST", -6 }, { "CDT", -5 }, { "MST", -7 }, { "MDT", -6 }, { "PST", -8 },
		{ "PDT", -7 } };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (span_is(s, names[i].name)) {
			*offset = names[i].hours * 3600;
			return true;
		}
	if (s.n == 1 && isalpha((unsigned char)*s.p) && toupper((unsigned char)*s.p) != 'J') {
		*offset = 0; /* RFC 5322 4.3: their meaning is not known */
		return true;
	}
	if (s.n != 5 || (*s.p != '+' && *s.p != '-') ||
	    number((struct span){ s.p + 1, 4 }, 4, 4) < 0 || s.p[3] > '5')
		return false;
	*offset = number((struct span){ s.p + 1, 2 }, 2, 2) * 3600 +
		  number((struct span){ s.p + 3, 2 }, 2, 2) * 60;
	if (*s.p == '-')
		*offset = -*offset;
	return true;
}

int64_t
received_time(const char *text, size_t len)
{
	struct reader r = { text, text + len };
	struct span part[8];
	size_t n = 0, at = 0;
	int day, month, year, seconds, offset = 0;

	while (n < 8) {
		struct word w = next_word(&r);

		if (w.kind == WORD_END)
			break;
		if (w.kind == WORD_SEMICOLON)
			return RECEIVED_NO_TIME;
		if (w.kind == WORD_TEXT)
			part[n++] = w.text;
	}
	/* "Sat," or "Sat ,", which is of no account. */
	if (n > 0 && isalpha((unsigned char)part[0].p[0]))
		at = n > 1 && part[1].n == 1 && part[1].p[0] == ',' ? 2 : 1;
	if (n - at != 5) /* without a zone nobody knows whose time it is */
		return RECEIVED_NO_TIME;
	day = number(part[at], 1, 2);
	month = month_number(part[at + 1]);
	year = year_number(part[at + 2]);
	seconds = seconds_of_day(part[at + 3]);
	if (day < 1 || day > 31 || month < 0 || year < 0 || seconds < 0 ||
	    !zone_offset(part[at + 4], &offset))
		return RECEIVED_NO_TIME;
	return days(year, month, day) * 86400 + seconds - offset;
}

/* --- one field --------------------------------------------------------------------------------------------------- */

/* The places that a keyword's value goes to. */
static char *
place_of(struct received_hop *h, struct span keyword, size_t *size)
{
	const struct {
		const char *keyword;
		char *dst;
		size_t size;
	} places[] = {
		{ "from", h->from, sizeof(h->from) },
		{ "by", h->by, sizeof(h->by) },
		{ "with", h->with, sizeof(h->with) },
		{ "for", h->for_whom, sizeof(h->for_whom) },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (span_is(keyword, places[i].keyword)) {
			*size = places[i].size;
			return places[i].dst;
		}
	return NULL;
}

static void
wrong(struct received_hop *h, const char *what)
{
	if (h->wrong[0] == '\0')
		snprintf(h->wrong, sizeof(h->wrong), "%s", what);
}

void
received_hop_read(struct received_hop *h, const char *value, size_t len)
{
	struct reader r = { value, value + len };
	const char *date = NULL;
	char *dst = NULL;
	bool from = false;
	size_t size = 0;

	memset(h, 0, sizeof(*h));
	h->time = RECEIVED_NO_TIME;
	for (;;) {
		struct word w = next_word(&r);

		if (w.kind == WORD_END)
			break;
		if (w.kind == WORD_SEMICOLON) {
			date = r.p;
			continue;
		}
		if (date != NULL)
			continue;
		if (w.kind == WORD_COMMENT) {
			if (from && h->from_info[0] == '\0')
				keep(h->from_info, sizeof(h->from_info), w.text);
		} else if (dst != NULL && dst[0] == '\0') {
			keep(dst, size, w.text);
			from = dst == h->from;
			dst = NULL;
		} else {
			dst = place_of(h, w.text, &size);
			from = false;
		}
	}
	if (date != NULL)
		h->time = received_time(date, (size_t)(value + len - date));
	if (h->by[0] == '\0')
		wrong(h, "it does not say by whom");
	if (date == NULL)
		wrong(h, "it has no date");
	else if (h->time == RECEIVED_NO_TIME)
		wrong(h, "its date cannot be read (RFC 5322 3.3)");
	if (h->from[0] == '\0' && h->with[0] != '\0' && strcasecmp(h->with, "local") != 0 &&
	    strncasecmp(h->with, "lmtp", 4) != 0)
		wrong(h, "it does not say from whom");
}

/* --- all of them --------------------------------------------------------------------------------------------------- */

void
received_read(struct received_result *r, const struct mail *m, int64_t now)
{
	const struct mail_field *f;
	int64_t later = RECEIVED_NO_TIME, first = RECEIVED_NO_TIME;
	size_t at = 0;

	memset(r, 0, sizeof(*r));
	r->hops = mail_count(m, "Received");
	while ((f = mail_find(m, "Received", &at)) != NULL) {
		struct received_hop one, *h = r->n < RECEIVED_HOPS_MAX ? &r->hop[r->n++] : &one;

		received_hop_read(h, f->value.p, f->value.n);
		r->wrong += h->wrong[0] != '\0';
		if (h->time == RECEIVED_NO_TIME)
			continue;
		if (first == RECEIVED_NO_TIME) {
			first = h->time;
			r->ahead = h->time > now ? h->time - now : 0;
		}
		if (later != RECEIVED_NO_TIME && h->time > later) {
			r->backwards++;
			if (h->time - later > r->most)
				r->most = h->time - later;
		}
		later = h->time;
		r->has_span = true;
		r->span = first - h->time;
	}
}
