/* chunked.c - see chunked.h. */
#include "lib/chunked.h"

static void
bad(struct chunked *c, const char *why)
{
	c->state = CHUNKED_BAD;
	c->why = why;
}

/* -1: no digit. */
static int
digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f')
		return (ch | 0x20) - 'a' + 10;
	return -1;
}

static void
size_octet(struct chunked *c, char ch)
{
	int v = digit(ch);

	if (v >= 0 && c->digits < CHUNKED_DIGITS_MAX) {
		c->left = c->left * 16 + (unsigned)v;
		c->digits++;
	} else if (v >= 0 || c->digits == 0) {
		bad(c, "chunk size");
	} else if (ch == '\r') {
		c->state = CHUNKED_SIZE_LF;
	} else if (ch == ';' || ch == ' ' || ch == '\t') {
		c->blank = ch != ';';
		c->state = CHUNKED_EXTENSION;
	} else {
		bad(c, "chunk size");
	}
}

/* Extensions and trailer fields mean nothing to us, but they must be lines of text. */
static bool
is_extra(struct chunked *c, char ch)
{
	if (++c->extra > CHUNKED_EXTRA_MAX)
		bad(c, "chunk extensions or trailers too long");
	else if (ch != '\t' && ((unsigned char)ch < 0x20 || ch == 0x7f))
		bad(c, "chunk extension or trailer");
	return c->state != CHUNKED_BAD;
}

static void
extension_octet(struct chunked *c, char ch)
{
	if (c->blank && ch != ';' && ch != ' ' && ch != '\t') {
		bad(c, "chunk size");
	} else if (ch == '\r') {
		c->state = CHUNKED_SIZE_LF;
	} else if (is_extra(c, ch) && ch == ';') {
		c->blank = false;
	}
}

static void
expect(struct chunked *c, char ch, char want, enum chunked_state next)
{
	if (ch != want)
		bad(c, "chunk without CR LF");
	else
		c->state = next;
}

static void
trailer_octet(struct chunked *c, char ch)
{
	if (ch == '\r')
		c->state = c->state == CHUNKED_TRAILER ? CHUNKED_LAST_LF : CHUNKED_FIELD_LF;
	else if (is_extra(c, ch))
		c->state = CHUNKED_FIELD;
}

static void
octet(struct chunked *c, char ch)
{
	switch (c->state) {
	case CHUNKED_SIZE:
		size_octet(c, ch);
		break;
	case CHUNKED_EXTENSION:
		extension_octet(c, ch);
		break;
	case CHUNKED_SIZE_LF:
		expect(c, ch, '\n', c->left > 0 ? CHUNKED_DATA : CHUNKED_TRAILER);
		break;
	case CHUNKED_DATA_CR:
		expect(c, ch, '\r', CHUNKED_DATA_LF);
		break;
	case CHUNKED_DATA_LF:
		expect(c, ch, '\n', CHUNKED_SIZE);
		c->digits = 0;
		c->blank = false;
		break;
	case CHUNKED_TRAILER:
	case CHUNKED_FIELD:
		trailer_octet(c, ch);
		break;
	case CHUNKED_FIELD_LF:
		expect(c, ch, '\n', CHUNKED_TRAILER);
		break;
	case CHUNKED_LAST_LF:
		expect(c, ch, '\n', CHUNKED_DONE);
		break;
	case CHUNKED_DATA:
	case CHUNKED_DONE:
	case CHUNKED_BAD:
	case CHUNKED_LARGE:
		break;
	}
}

size_t
chunked_input(struct chunked *c, struct strbuf *body, uint64_t max, const char *bytes, size_t len)
{
	size_t used = 0, n;

	while (used < len && c->state < CHUNKED_DONE) {
		if (c->state != CHUNKED_DATA) {
			octet(c, bytes[used++]);
			/* Told at once, not when the octets have come. */
			if (c->state == CHUNKED_DATA && c->left > max - body->len)
				c->state = CHUNKED_LARGE;
			continue;
		}
		n = len - used < c->left ? len - used : (size_t)c->left;
		strbuf_add(body, bytes + used, n);
		used += n;
		c->left -= n;
		if (c->left == 0)
			c->state = CHUNKED_DATA_CR;
	}
	return used;
}
