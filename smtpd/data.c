/* data.c - see data.h.  One state machine over octets; the digest is fed with runs, not octets. */
#include "smtpd/data.h"

#include <string.h>
#include <strings.h>

/* Where we stand in CR LF "." CR LF.  A dot after CR LF is never content (RFC 5321 4.5.2); the CR
 * after it is withheld until the next octet tells what it was. */
enum { IN_LINE, IN_CR, AT_START, IN_DOT, IN_DOT_CR };

#define HEADER_LINE_MAX 65536

static const char *const kept_fields[] = { "Message-ID", "To", "From", "Subject", "Date",
	"Received", "DKIM-Signature", "Authentication-Results", "ARC-Seal", "ARC-Message-Signature",
	"ARC-Authentication-Results", "Return-Path", "User-Agent", "X-Mailer", "Sender", "Reply-To",
	"Cc", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "TLS-Required",
	"Auto-Submitted", "In-Reply-To" };

void
data_init(struct data *d, const EVP_MD *sha256, size_t headers_max)
{
	memset(d, 0, sizeof *d);
	d->state = AT_START;
	d->in_header = true;
	d->headers_max = headers_max;
	d->digest = EVP_MD_CTX_new();
	if (d->digest != NULL)
		EVP_DigestInit_ex(d->digest, sha256, NULL);
}

void
data_clear(struct data *d)
{
	EVP_MD_CTX_free(d->digest);
	strbuf_clear(&d->headers);
	strbuf_clear(&d->line);
	strbuf_clear(&d->raw);
	memset(d, 0, sizeof *d);
}

static bool
is_kept(const char *line, size_t len)
{
	for (size_t i = 0; i < sizeof kept_fields / sizeof *kept_fields; i++) {
		size_t n = strlen(kept_fields[i]);

		if (len > n && line[n] == ':' && strncasecmp(line, kept_fields[i], n) == 0)
			return true;
	}
	return false;
}

/* One line of the header section, without its end. */
static void
header_line(struct data *d)
{
	const char *s = d->line.s;
	size_t len = d->line.len, room;

	if (len == 0) {
		d->in_header = false;
		strbuf_clear(&d->line);
		return;
	}
	if (s[0] != ' ' && s[0] != '\t')
		d->keeping = is_kept(s, len);
	if (d->keeping) {
		room = d->headers_max - d->headers.len;
		if (len + 2 > room) {
			d->headers_cut = true;
			d->keeping = false;
		} else {
			strbuf_add(&d->headers, s, len);
			strbuf_add(&d->headers, "\r\n", 2);
		}
	}
	strbuf_reset(&d->line);
}

/* Content octets, in order, for the header section: lines end at LF, with or without CR. */
static void
header_input(struct data *d, const char *p, size_t len)
{
	while (len > 0 && d->in_header) {
		const char *lf = memchr(p, '\n', len);
		size_t n = lf != NULL ? (size_t)(lf - p) : len;
		size_t room = HEADER_LINE_MAX - d->line.len;

		if (n > 0)
			strbuf_add(&d->line, p, n < room ? n : room);
		if (lf == NULL)
			return;
		if (d->line.len > 0 && d->line.s[d->line.len - 1] == '\r')
			d->line.s[--d->line.len] = '\0';
		header_line(d);
		p += n + 1;
		len -= n + 1;
	}
}

static void
content(struct data *d, const char *p, size_t len)
{
	if (len == 0)
		return;
	d->size += len;
	if (d->digest != NULL)
		EVP_DigestUpdate(d->digest, p, len);
	if (d->sink != NULL)
		d->sink(d->sink_ctx, p, len);
	if (d->raw.len < d->raw_max)
		strbuf_add(
		    &d->raw, p, len < d->raw_max - d->raw.len ? len : d->raw_max - d->raw.len);
	if (d->in_header)
		header_input(d, p, len);
}

static void
line_end(struct data *d)
{
	d->lines++;
	if (d->column > d->longest)
		d->longest = d->column;
	d->column = 0;
}

static void
count_octet(struct data *d, unsigned char c)
{
	d->column++;
	if (c == '\n')
		d->bare_lf++;
	else if (c == '\0')
		d->nul++;
	else if (c > 127)
		d->eightbit++;
}

/* Skips over octets that change nothing but the column: the great majority. */
static size_t
plain_span(const unsigned char *p, size_t len)
{
	size_t i = 0;

	while (i < len && p[i] > '\r' && p[i] < 0x80)
		i++;
	return i;
}

size_t
data_input(struct data *d, const char *bytes, size_t len, bool *done)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t i = 0, run = 0; /* [run, i) is content not yet taken */
	unsigned char c;

	*done = false;
	while (i < len) {
		c = p[i];
		switch (d->state) {
		case AT_START:
			if (c == '.') {
				content(d, bytes + run, i - run);
				run = ++i;
				d->state = IN_DOT;
				continue;
			}
			d->state = IN_LINE;
			/* fall through */
		case IN_LINE:
			if (c == '\r') {
				d->state = IN_CR;
			} else if (c > '\r' && c < 0x80) {
				size_t n = plain_span(p + i, len - i);

				d->column += n;
				i += n;
				continue;
			} else {
				count_octet(d, c);
			}
			break;
		case IN_CR:
			if (c == '\n') {
				line_end(d);
				d->state = AT_START;
				break;
			}
			d->bare_cr++;
			d->column++;
			d->state = IN_LINE;
			continue; /* this octet again */
		case IN_DOT:
			if (c == '\r') {
				content(d, bytes + run, i - run);
				run = ++i;
				d->state = IN_DOT_CR;
				continue;
			}
			d->state = IN_LINE;
			continue;
		case IN_DOT_CR:
			if (c == '\n') {
				*done = true;
				if (d->in_header && d->line.len > 0)
					header_line(d);
				return i + 1;
			}
			content(d, "\r", 1);
			d->bare_cr++;
			d->column++;
			d->state = IN_LINE;
			continue;
		}
		i++;
	}
	content(d, bytes + run, i - run);
	return i;
}

void
data_chunk(struct data *d, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (d->state == IN_CR && c == '\n') {
			line_end(d);
			d->state = AT_START;
			continue;
		}
		if (d->state == IN_CR) {
			d->bare_cr++;
			d->column++;
		}
		d->state = c == '\r' ? IN_CR : IN_LINE;
		if (c != '\r')
			count_octet(d, c);
	}
	content(d, bytes, len);
}

void
data_end(struct data *d)
{
	if (d->state == IN_CR)
		d->bare_cr++;
	if (d->column > 0)
		line_end(d);
	if (d->in_header && d->line.len > 0)
		header_line(d);
}

void
data_digest(struct data *d, char hex[65])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	hex[0] = '\0';
	if (d->digest == NULL || EVP_DigestFinal_ex(d->digest, md, &n) != 1 || n != 32)
		return;
	for (unsigned i = 0; i < n; i++) {
		hex[2 * i] = digits[md[i] >> 4];
		hex[2 * i + 1] = digits[md[i] & 15];
	}
	hex[64] = '\0';
}

void
data_field(const struct data *d, const char *name, char *dst, size_t dstlen)
{
	const char *p = d->headers.s != NULL ? d->headers.s : "", *end = p + d->headers.len;
	size_t n = strlen(name), out = 0;
	bool in = false;

	dst[0] = '\0';
	while (p < end) {
		const char *cr = memchr(p, '\r', (size_t)(end - p));
		const char *stop;

		while (cr != NULL && cr + 1 < end && cr[1] != '\n')
			cr = memchr(cr + 1, '\r', (size_t)(end - cr - 1));
		stop = cr != NULL ? cr : end;
		if (in && *p != ' ' && *p != '\t')
			break;
		if (!in && (size_t)(stop - p) > n && p[n] == ':' && strncasecmp(p, name, n) == 0) {
			in = true;
			for (p += n + 1; p < stop && (*p == ' ' || *p == '\t');)
				p++;
		}
		for (; in && p < stop && out + 1 < dstlen; p++)
			dst[out++] = *p;
		p = cr != NULL ? cr + 2 : end;
	}
	while (out > 0 && (dst[out - 1] == ' ' || dst[out - 1] == '\t'))
		out--;
	dst[out] = '\0';
}
