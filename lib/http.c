/* http.c - see http.h. */
#include "lib/http.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/clock.h"

void
http_init(struct http_request *r)
{
	memset(r, 0, sizeof *r);
	r->status = 400;
	r->why = "";
	r->head_max = HTTP_HEAD_MAX;
}

void
http_clear(struct http_request *r)
{
	strbuf_clear(&r->head);
}

const char *
http_reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return status < 400 ? "OK" : "Error";
}

static int
bad(struct http_request *r, unsigned status, const char *why)
{
	r->state = HTTP_BAD;
	r->status = status;
	r->why = why;
	return -1;
}

/* RFC 9110 5.6.2 */
static bool
is_token(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)p[i]) &&
		    (p[i] == '\0' || strchr("!#$%&'*+-.^_`|~", p[i]) == NULL))
			return false;
	return len > 0;
}

static bool
is_printable(const char *p, size_t len, bool blanks)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c == 0x7f || c < 0x20 || (c == ' ' && !blanks))
			if (!(blanks && c == '\t'))
				return false;
	}
	return true;
}

/* --- request line ------------------------------------------------------------------------------------ */

/* A host name, or an address in brackets, with a port perhaps. */
static bool
read_host(char dst[HTTP_HOST_MAX + 1], const char *v, size_t len)
{
	const char *colon = len > 0 && v[0] == '[' ? NULL : memchr(v, ':', len);
	size_t n = colon != NULL ? (size_t)(colon - v) : len;

	if (n == 0 || n > HTTP_HOST_MAX)
		return false;
	for (size_t i = n + 1; i < len; i++)
		if (!isdigit((unsigned char)v[i]))
			return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)v[i];

		if (!isalnum(c) && (c == '\0' || strchr("-._:[]", c) == NULL))
			return false;
		dst[i] = (char)tolower(c);
	}
	if (dst[n - 1] == '.')
		n--;
	dst[n] = '\0';
	return n > 0;
}

/* RFC 9112 3.2.2: a server must take "https://host:port/path" as well; then this host counts, not that of the
 * field.  Where the path begins, or NULL: it is no such target. */
static const char *
absolute_form(struct http_request *r, const char *p, const char *end)
{
	static const char *const schemes[] = { "https://", "http://" };
	size_t len = (size_t)(end - p);

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		size_t n = strlen(schemes[i]), authority = 0;

		if (len <= n || strncasecmp(p, schemes[i], n) != 0)
			continue;
		while (n + authority < len && strchr("/?", p[n + authority]) == NULL)
			authority++;
		r->absolute = read_host(r->host, p + n, authority);
		return r->absolute ? p + n + authority : NULL;
	}
	return NULL;
}

static int
read_target(struct http_request *r, const char *p, const char *end)
{
	const char *path = p < end && *p != '/' ? absolute_form(r, p, end) : p;
	size_t len, slash;

	if (path == NULL || p == end || !is_printable(p, (size_t)(end - p), false))
		return bad(r, 400, "target");
	for (const char *c = p; c < end; c++)
		if ((unsigned char)*c > 0x7e || *c == '#')
			return bad(r, 400, "target");
	len = (size_t)(end - path);
	slash = len == 0 || *path != '/'; /* "https://host?query" */
	if (slash + len > HTTP_TARGET_MAX)
		return bad(r, 414, "target too long");
	r->target[0] = '/';
	memcpy(r->target + slash, path, len);
	return 0;
}

/* "GET /path HTTP/1.1", single blanks (RFC 9112 3). */
static int
request_line(struct http_request *r, const char *p, size_t len)
{
	const char *sp = memchr(p, ' ', len), *end = p + len, *sp2;

	if (sp == NULL || !is_token(p, (size_t)(sp - p)))
		return bad(r, 400, "request line");
	if ((size_t)(sp - p) >= sizeof r->method)
		return bad(r, 501, "method");
	memcpy(r->method, p, (size_t)(sp - p));
	p = sp + 1;
	sp2 = memchr(p, ' ', (size_t)(end - p));
	if (sp2 == NULL)
		return bad(r, 505, "HTTP/0.9");
	if (read_target(r, p, sp2) != 0)
		return -1;
	p = sp2 + 1;
	if (end - p != 8 || memcmp(p, "HTTP/", 5) != 0 || !isdigit((unsigned char)p[5]) ||
	    p[6] != '.' || !isdigit((unsigned char)p[7]))
		return bad(r, 400, "version");
	if (p[5] != '1')
		return bad(r, 505, "version");
	r->minor = (unsigned)(p[7] - '0');
	return 0;
}

/* --- fields ------------------------------------------------------------------------------------------ */

static int
field_host(struct http_request *r, const char *v, size_t len)
{
	char ignored[HTTP_HOST_MAX + 1];

	if (r->has_host)
		return bad(r, 400, "two Host fields");
	r->has_host = true;
	return read_host(r->absolute ? ignored : r->host, v, len) ? 0 : bad(r, 400, "Host");
}

static int
field_length(struct http_request *r, const char *v, size_t len)
{
	uint64_t n = 0;

	if (r->has_length)
		return bad(r, 400, "two Content-Length fields");
	if (len == 0 || len > 15)
		return bad(r, len == 0 ? 400 : 413, "Content-Length");
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)v[i]))
			return bad(r, 400, "Content-Length");
		n = 10 * n + (uint64_t)(v[i] - '0');
	}
	r->has_length = true;
	r->length = n;
	return 0;
}

/* RFC 9112 6.1: of the codings we know this one.  Two of them, or one that came with HTTP/1.0, are ways to
 * smuggle. */
static int
field_coding(struct http_request *r, const char *v, size_t len)
{
	if (r->chunked || r->minor == 0)
		return bad(r, 400, "Transfer-Encoding");
	if (!r->takes_chunked || len != 7 || strncasecmp(v, "chunked", 7) != 0)
		return bad(r, 501, "Transfer-Encoding");
	r->chunked = true;
	return 0;
}

static int
field_expect(struct http_request *r, const char *v, size_t len)
{
	if (len != 12 || strncasecmp(v, "100-continue", 12) != 0)
		return bad(r, 417, "Expect");
	r->expects = true;
	return 0;
}

static int
keep(char *dst, size_t dstlen, const char *v, size_t len)
{
	snprintf(dst, dstlen, "%.*s", (int)(len < dstlen ? len : dstlen - 1), v);
	return 0;
}

static int
field_agent(struct http_request *r, const char *v, size_t len)
{
	return keep(r->agent, sizeof r->agent, v, len);
}

static int
field_type(struct http_request *r, const char *v, size_t len)
{
	return keep(r->type, sizeof r->type, v, len);
}

static int
field_encoding(struct http_request *r, const char *v, size_t len)
{
	return keep(r->encoding, sizeof r->encoding, v, len);
}

static const struct {
	const char *name;
	int (*take)(struct http_request *, const char *value, size_t len);
} fields[] = {
	{ "Host", field_host },
	{ "Content-Length", field_length },
	{ "Transfer-Encoding", field_coding },
	{ "Expect", field_expect },
	{ "User-Agent", field_agent },
	{ "Content-Type", field_type },
	{ "Content-Encoding", field_encoding },
};

/* "Name: value" (RFC 9112 5): no blank before the colon, no folding. */
static int
field_line(struct http_request *r, const char *p, size_t len)
{
	const char *colon = memchr(p, ':', len);
	size_t name = colon != NULL ? (size_t)(colon - p) : 0;

	if (colon == NULL || !is_token(p, name))
		return bad(r, 400, "field name");
	p = colon + 1;
	len -= name + 1;
	while (len > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		len--;
	}
	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	if (!is_printable(p, len, true))
		return bad(r, 400, "field value");
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (strlen(fields[i].name) == name &&
		    strncasecmp(fields[i].name, colon - name, name) == 0)
			return fields[i].take(r, p, len);
	return 0;
}

/* --- the head ------------------------------------------------------------------------------------------ */

static int
whole(struct http_request *r)
{
	if (r->minor >= 1 && !r->has_host)
		return bad(r, 400, "no Host field");
	if (r->chunked && r->has_length) /* RFC 9112 6.3: the best known way to smuggle */
		return bad(r, 400, "Transfer-Encoding and Content-Length");
	r->state = HTTP_READ;
	return 0;
}

static void
head_read(struct http_request *r)
{
	const char *p = r->head.s, *end = p + r->head.len;
	unsigned n = 0;

	for (; p < end && r->state == HTTP_READING; n++) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)(lf - p);

		if (len == 0 || lf[-1] != '\r') {
			bad(r, 400, "bare LF");
		} else if (memchr(p, '\r', len - 1) != NULL || memchr(p, '\0', len) != NULL) {
			bad(r, 400, "bare CR or NUL");
		} else if (n == 0) {
			request_line(r, p, len - 1);
			r->fields = len + 1;
		} else if (len == 1) {
			whole(r);
		} else if (n > HTTP_FIELDS_MAX) {
			bad(r, 431, "too many fields");
		} else {
			field_line(r, p, len - 1);
		}
		p = lf + 1;
	}
}

/* Where the head ends in (p, len), the first empty line included; 0: not yet.  A line may begin in what
 * came before. */
static size_t
head_end(const struct strbuf *before, const char *p, size_t len)
{
	unsigned lfs = 0; /* how much of LF [CR] LF was seen: 1 LF, 2 LF CR */
	const char *tail = before->s != NULL ? before->s : "";

	if (before->len >= 1 && tail[before->len - 1] == '\n')
		lfs = 1;
	else if (before->len >= 2 && tail[before->len - 1] == '\r' && tail[before->len - 2] == '\n')
		lfs = 2;
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '\n') {
			if (lfs != 0)
				return i + 1;
			lfs = 1;
		} else {
			lfs = lfs == 1 && p[i] == '\r' ? 2 : 0;
		}
	}
	return 0;
}

size_t
http_input(struct http_request *r, const char *bytes, size_t len)
{
	size_t end, room = r->head_max - r->head.len, used;

	if (r->state != HTTP_READING || len == 0)
		return 0;
	end = head_end(&r->head, bytes, len < room ? len : room);
	used = end != 0 ? end : len < room ? len : room;
	strbuf_add(&r->head, bytes, used);
	if (end != 0) {
		head_read(r);
		if (r->state == HTTP_READING)
			bad(r, 400, "request line");
	} else if (r->head.len >= r->head_max) {
		bad(r, memchr(r->head.s, '\n', r->head.len) == NULL ? 414 : 431, "head too long");
	}
	return used;
}

/* The first field of this name whose line begins at p or behind; the line behind it.  NULL: there is none. */
static const char *
find_field(
    const struct http_request *r, const char *p, const char *name, const char **value, size_t *len)
{
	size_t n = strlen(name);
	const char *end = r->head.s + r->head.len, *next;

	for (; p < end; p = next) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		next = lf + 1;
		if ((size_t)(lf - p) <= n || p[n] != ':' || strncasecmp(p, name, n) != 0)
			continue;
		p += n + 1;
		*len = (size_t)(lf - p) - 1;
		while (*len > 0 && (*p == ' ' || *p == '\t')) {
			p++;
			(*len)--;
		}
		while (*len > 0 && (p[*len - 1] == ' ' || p[*len - 1] == '\t'))
			(*len)--;
		*value = p;
		return next;
	}
	return NULL;
}

int
http_field(const struct http_request *r, const char *name, char *dst, size_t dstlen)
{
	const char *value;
	size_t len;

	if (r->state != HTTP_READ ||
	    find_field(r, r->head.s + r->fields, name, &value, &len) == NULL || len >= dstlen)
		return -1;
	memcpy(dst, value, len);
	dst[len] = '\0';
	return (int)len;
}

int
http_list(const struct http_request *r, const char *name, char *dst, size_t dstlen)
{
	struct strbuf all = { 0 };
	const char *value, *p = NULL;
	size_t len, cut;

	if (r->state == HTTP_READ)
		p = find_field(r, r->head.s + r->fields, name, &value, &len);
	if (p == NULL)
		return -1;
	for (; p != NULL; p = find_field(r, p, name, &value, &len)) {
		strbuf_puts(&all, all.len > 0 ? "," : "");
		strbuf_add(&all, value, len);
	}
	cut = all.len < dstlen ? 0 : all.len - dstlen + 1;
	len = all.len - cut;
	if (len > 0)
		memcpy(dst, all.s + cut, len);
	dst[len] = '\0';
	strbuf_clear(&all);
	return (int)len;
}

void
http_date(char dst[HTTP_DATE_MAX], int64_t t_us)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)(t_us / CLOCK_SECOND);
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(dst, HTTP_DATE_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
	    tm.tm_mday, months[tm.tm_mon], (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min,
	    tm.tm_sec);
}
