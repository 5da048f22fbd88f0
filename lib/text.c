#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/strbuf.h"

#define FILE_MAX (64U << 20)

struct text_reader {
	char *name, *data;
	size_t len, pos;
	unsigned line;   /* number of the physical line at pos */
	unsigned number; /* first physical line of the logical line read last */
	bool failed;
	char error[512];
	size_t raw_len, words_len;
	char raw[TEXT_LINE_MAX + 1];
	/* Every word takes its octets and a NUL, and a blank parts it from the next. */
	char words[TEXT_LINE_MAX + 2];
};

/* Splitting one logical line: where it stands. */
struct splitter {
	enum { GAP, WORD, QUOTE, CLOSED, BEHIND } state; /* BEHIND: after the section's bracket */
	unsigned quote_line;                             /* where the open quote began */
	struct text_line *line;
};

static int
fail_at(struct text_reader *r, unsigned line, const char *fmt, va_list ap)
{
	int n;

	r->failed = true;
	if (r->error[0] != '\0')
		return -1;
	n = snprintf(r->error, sizeof(r->error), "%s:%u: ", r->name, line);
	if (n > 0 && (size_t)n < sizeof(r->error))
		vsnprintf(r->error + n, sizeof(r->error) - (size_t)n, fmt, ap);
	return -1;
}

__attribute__((format(printf, 3, 4))) static int
syntax(struct text_reader *r, unsigned line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_at(r, line, fmt, ap);
	va_end(ap);
	return -1;
}

int
text_fail(struct text_reader *r, const char *fmt, ...)
{
	bool failed = r->failed;
	va_list ap;

	va_start(ap, fmt);
	fail_at(r, r->number > 0 ? r->number : 1, fmt, ap);
	va_end(ap);
	r->failed = failed; /* the caller may read on */
	return -1;
}

struct text_reader *
text_from(const char *name, const char *data, size_t len)
{
	struct text_reader *r = xcalloc(1, sizeof(*r));

	r->name = xstrdup(name);
	r->data = xmalloc(len);
	if (len > 0)
		memcpy(r->data, data, len);
	r->len = len;
	r->line = 1;
	return r;
}

static int
read_all(struct strbuf *b, int fd)
{
	char block[16384];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		strbuf_add(b, block, (size_t)n);
		if (b->len > FILE_MAX) {
			errno = EFBIG;
			return -1;
		}
	}
	return 0;
}

struct text_reader *
text_open(const char *path, char *err, size_t errlen)
{
	struct text_reader *r = NULL;
	struct strbuf b = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read_all(&b, fd) < 0)
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
	else
		r = text_from(path, b.s, b.len);
	if (fd >= 0)
		close(fd);
	strbuf_clear(&b);
	return r;
}

void
text_close(struct text_reader *r)
{
	if (r == NULL)
		return;
	free(r->name);
	free(r->data);
	free(r);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next physical line without its end; false at the end of the data. */
static bool
peek_line(const struct text_reader *r, const char **line, size_t *len, size_t *next)
{
	const char *start = r->data + r->pos, *newline;
	size_t left = r->len - r->pos;

	if (left == 0)
		return false;
	newline = memchr(start, '\n', left);
	*line = start;
	*len = newline != NULL ? (size_t)(newline - start) : left;
	*next = r->pos + *len + (newline != NULL);
	if (*len > 0 && start[*len - 1] == '\r')
		(*len)--;
	return true;
}

/* Nothing but blanks or a comment.  Inside a quote # is text. */
static bool
is_nothing(const char *line, size_t len, bool in_quote)
{
	size_t i = 0;

	while (i < len && is_blank(line[i]))
		i++;
	return i == len || (line[i] == '#' && !in_quote);
}

static int
start_word(struct text_reader *r, struct splitter *s)
{
	struct text_line *line = s->line;

	if (line->n == TEXT_WORDS_MAX)
		return syntax(r, r->line, "more than %d words in one line", TEXT_WORDS_MAX);
	line->word[line->n] = r->words + r->words_len;
	line->len[line->n] = 0;
	line->quoted[line->n] = false;
	line->n++;
	return 0;
}

static void
put(struct text_reader *r, struct splitter *s, char c)
{
	r->words[r->words_len++] = c;
	s->line->len[s->line->n - 1]++;
}

static void
end_word(struct text_reader *r, struct splitter *s)
{
	if (s->state == WORD || s->state == CLOSED)
		r->words[r->words_len++] = '\0';
	s->state = GAP;
}

static int
hex_value(char c)
{
	const char *digits = "0123456789abcdef", *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	at = c != '\0' ? strchr(digits, c) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

/* The escape whose backslash stands at text[0]; the octets it takes, 0 if it is none. */
static size_t
escape(const char *text, size_t len, char *octet)
{
	static const char from[] = "\"\\nrt", to[] = "\"\\\n\r\t";
	const char *at;
	int high, low;

	if (len < 2 || text[1] == '\0')
		return 0;
	if ((at = strchr(from, text[1])) != NULL) {
		*octet = to[at - from];
		return 2;
	}
	if (text[1] != 'x' || len < 4 || (high = hex_value(text[2])) < 0 ||
	    (low = hex_value(text[3])) < 0)
		return 0;
	*octet = (char)(high << 4 | low);
	return 4;
}

/* A character inside quotes; returns the octets taken, 0 after an error. */
static size_t
step_quote(struct text_reader *r, struct splitter *s, const char *text, size_t len)
{
	char octet = text[0];
	size_t n = 1;

	if (octet == '"') {
		s->state = CLOSED;
		return 1;
	}
	if (octet == '\\' && (n = escape(text, len, &octet)) == 0) {
		syntax(
		    r, r->line, "bad escape in quotes, only \\\" \\\\ \\n \\r \\t \\xHH are known");
		return 0;
	}
	put(r, s, octet);
	return n;
}

/* A character outside quotes and blanks. */
static int
step_word(struct text_reader *r, struct splitter *s, char c)
{
	struct text_line *line = s->line;

	if (s->state == BEHIND)
		return syntax(r, r->line, "text after the section's \"]\"");
	if (line->section && c == ']') {
		end_word(r, s);
		s->state = BEHIND;
		return 0;
	}
	if (s->state == CLOSED)
		return syntax(r, r->line, "text right after a closing quote, a blank is missing");
	if (c == '"' && s->state == WORD && r->words[r->words_len - 1] != '=')
		return syntax(
		    r, r->line, "quote inside a word, it may stand at its start or after \"=\"");
	if (s->state == GAP && start_word(r, s) < 0)
		return -1;
	if (c == '"') {
		line->quoted[line->n - 1] = s->state == GAP;
		s->quote_line = r->line;
		s->state = QUOTE;
		return 0;
	}
	s->state = WORD;
	put(r, s, c);
	return 0;
}

/* Adds text (a physical line without the blanks at its ends) to the logical line. */
static int
split(struct text_reader *r, struct splitter *s, const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		char c = text[i];

		n = 1;
		if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f)
			return syntax(r, r->line, "control character 0x%02x", (unsigned char)c);
		if (s->state != QUOTE && c == '#' && (i == 0 || is_blank(text[i - 1]))) {
			len = i;
			break;
		}
		if (s->state == QUOTE) {
			if ((n = step_quote(r, s, text + i, len - i)) == 0)
				return -1;
		} else if (is_blank(c)) {
			if (s->state != BEHIND)
				end_word(r, s);
		} else if (step_word(r, s, c) < 0) {
			return -1;
		}
	}
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	memcpy(r->raw + r->raw_len, text, len);
	r->raw_len += len;
	return 0;
}

/* Takes the physical line at pos into the logical line. */
static int
take_line(struct text_reader *r, struct splitter *s, const char *text, size_t len, size_t next)
{
	bool first = r->raw_len == 0;

	while (len > 0 && is_blank(text[len - 1]))
		len--;
	while (len > 0 && is_blank(*text)) {
		text++;
		len--;
	}
	if (r->raw_len + !first + len > TEXT_LINE_MAX)
		return syntax(r, r->line, "line longer than %d octets", TEXT_LINE_MAX);
	if (!first) {
		r->raw[r->raw_len++] = ' ';
		if (s->state == QUOTE)
			put(r, s, ' ');
		else if (s->state != BEHIND)
			end_word(r, s);
	} else if (*text == '[') {
		s->line->section = true;
		r->raw[r->raw_len++] = '[';
		text++;
		len--;
	}
	if (split(r, s, text, len) < 0)
		return -1;
	r->pos = next;
	r->line++;
	return 0;
}

static int
finish_line(struct text_reader *r, struct splitter *s)
{
	struct text_line *line = s->line;

	if (s->state == QUOTE)
		return syntax(r, s->quote_line,
		    "quote is not closed, or its next line does not begin with a blank");
	if (line->section && s->state != BEHIND)
		return syntax(r, r->number, "section without \"]\"");
	if (s->state != BEHIND)
		end_word(r, s);
	line->word[line->n] = NULL;
	r->raw[r->raw_len] = '\0';
	line->raw = r->raw;
	line->number = r->number;
	return 1;
}

int
text_next(struct text_reader *r, struct text_line *line)
{
	struct splitter s = { .state = GAP, .line = line };
	const char *text;
	size_t len, next;

	line->n = 0;
	line->section = false;
	r->raw_len = r->words_len = 0;
	if (r->failed)
		return -1;
	while (peek_line(r, &text, &len, &next)) {
		if (is_nothing(text, len, s.state == QUOTE)) {
			r->pos = next;
			r->line++;
			continue;
		}
		if (is_blank(*text) && r->raw_len == 0)
			return syntax(r, r->line, "line begins with a blank but continues nothing");
		if (!is_blank(*text) && r->raw_len > 0)
			break;
		if (r->raw_len == 0)
			r->number = r->line;
		if (take_line(r, &s, text, len, next) < 0)
			return -1;
	}
	return r->raw_len > 0 ? finish_line(r, &s) : 0;
}

const char *
text_error(const struct text_reader *r)
{
	return r->error;
}
