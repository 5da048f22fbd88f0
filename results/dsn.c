/* dsn.c - see dsn.h. */
#include "results/dsn.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"
#include "results/mime.h"

#define FORWARDS_MAX 2
#define GROUPS_MAX   256

static const char *const actions[DSN_ACTION_MAX] = { "failed", "delayed", "delivered", "relayed",
	"expanded" };

const char *
dsn_action_name(enum dsn_action a)
{
	return (unsigned)a < DSN_ACTION_MAX ? actions[a] : "?";
}

bool
dsn_status_is(const char *status, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(status, prefix, len) == 0 && (status[len] == '\0' || status[len] == '.');
}

/* --- fields ---------------------------------------------------------------------------------------- */

/* One digit 2, 4 or 5, and two numbers of one to three digits (RFC 3463 2). */
static bool
is_status(const char *s)
{
	if (*s != '2' && *s != '4' && *s != '5')
		return false;
	s++;
	for (unsigned i = 0; i < 2; i++) {
		size_t n = s[0] == '.' ? strspn(s + 1, "0123456789") : 0;
		if (n == 0 || n > 3)
			return false;
		s += 1 + n;
	}
	return *s == '\0';
}

/* "\x{HEX}" of RFC 6533 3: the character in UTF-8; 0: it is none. */
static size_t
embedded(char dst[4], size_t *used, const char *s)
{
	unsigned long c;
	char *end;
	size_t n = 0;

	if (strncmp(s, "\\x{", 3) != 0 || !isxdigit((unsigned char)s[3]))
		return 0;
	c = strtoul(s + 3, &end, 16);
	if (*end != '}' || end - s > 9 || c < 0x20 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*used = (size_t)(end - s) + 1;
	if (c < 0x80) {
		dst[n++] = (char)c;
	} else if (c < 0x800) {
		dst[n++] = (char)(0xc0 | c >> 6);
		dst[n++] = (char)(0x80 | (c & 63));
	} else {
		if (c < 0x10000) {
			dst[n++] = (char)(0xe0 | c >> 12);
		} else {
			dst[n++] = (char)(0xf0 | c >> 18);
			dst[n++] = (char)(0x80 | (c >> 12 & 63));
		}
		dst[n++] = (char)(0x80 | (c >> 6 & 63));
		dst[n++] = (char)(0x80 | (c & 63));
	}
	return n;
}

/* "TYPE; VALUE" without its type.  Addresses of type utf-8 may have characters embedded. */
static void
untyped(char *dst, size_t len, const char *value)
{
	const char *p = strchr(value, ';');
	bool utf8 = p != NULL && strncasecmp(value, "utf-8", 5) == 0;
	size_t at = 0;

	p = p == NULL ? value : p + 1;
	p += strspn(p, " \t");
	while (*p != '\0') {
		char c[4];
		size_t used = 1, n = utf8 ? embedded(c, &used, p) : 0;
		if (n == 0) {
			c[0] = *p;
			n = 1;
		}
		if (at + n >= len)
			break;
		memcpy(dst + at, c, n);
		at += n;
		p += used;
	}
	dst[at] = '\0';
}

static void
field_untyped(char *dst, size_t len, struct span group, const char *name)
{
	char value[1024];

	*dst = '\0';
	if (mime_field(value, sizeof value, group, name))
		untyped(dst, len, value);
}

/* --- groups ---------------------------------------------------------------------------------------- */

static bool
read_recipient(struct dsn_recipient *r, struct span group)
{
	char action[32], status[64];
	unsigned a = 0;

	if (!mime_field(action, sizeof action, group, "Action") ||
	    !mime_field(status, sizeof status, group, "Status"))
		return false;
	action[strcspn(action, " \t(;")] = '\0'; /* comments are allowed */
	status[strcspn(status, " \t(;")] = '\0';
	while (a < DSN_ACTION_MAX && strcasecmp(actions[a], action) != 0)
		a++;
	if (a == DSN_ACTION_MAX || !is_status(status))
		return false;
	r->action = (enum dsn_action)a;
	snprintf(r->status, sizeof r->status, "%.11s", status);
	field_untyped(r->final, sizeof r->final, group, "Final-Recipient");
	field_untyped(r->original, sizeof r->original, group, "Original-Recipient");
	field_untyped(r->diagnostic, sizeof r->diagnostic, group, "Diagnostic-Code");
	field_untyped(r->remote_mta, sizeof r->remote_mta, group, "Remote-MTA");
	return r->final[0] != '\0' || r->original[0] != '\0';
}

static void
read_group(struct dsn *d, struct span group, bool first)
{
	struct dsn_recipient r;

	if (first) {
		field_untyped(d->reporting_mta, sizeof d->reporting_mta, group, "Reporting-MTA");
		mime_field(d->envelope_id, sizeof d->envelope_id, group, "Original-Envelope-Id");
		mime_field(d->arrival, sizeof d->arrival, group, "Arrival-Date");
		return;
	}
	if (!read_recipient(&r, group))
		d->malformed++;
	else if (d->n == DSN_RECIPIENTS_MAX)
		d->beyond++;
	else
		d->rcpt[d->n++] = r;
}

/* Groups of fields with empty lines between (RFC 3464 2.1): the first is of the message. */
static void
read_groups(struct dsn *d, const char *s, size_t len)
{
	const char *p = s, *end = s + len, *from = NULL;
	unsigned groups = 0;

	while (p < end && groups < GROUPS_MAX) {
		const char *line = p, *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = nl == NULL ? (size_t)(end - p) : (size_t)(nl - p);
		bool empty = n == 0 || (n == 1 && line[0] == '\r');

		p = nl == NULL ? end : nl + 1;
		if (!empty && from == NULL)
			from = line;
		if (from == NULL || (!empty && p < end))
			continue;
		read_group(
		    d, (struct span){ from, (size_t)((empty ? line : p) - from) }, groups++ == 0);
		from = NULL;
	}
}

/* --- parts ----------------------------------------------------------------------------------------- */

static bool
is_bounce(const struct mime_part *p)
{
	char value[512], type[64];

	return strcmp(p->type, "multipart/report") == 0 &&
	       mime_field(value, sizeof value, p->head, "Content-Type") &&
	       mime_parameter(type, sizeof type, value, "report-type") &&
	       strcasecmp(type, "delivery-status") == 0;
}

static bool
is_message(const struct mime_part *p)
{
	return strcmp(p->type, "message/rfc822") == 0 || strcmp(p->type, "message/global") == 0;
}

static bool
is_bounce_or_message(const struct mime_part *p)
{
	return is_bounce(p) || is_message(p);
}

static bool
is_status_part(const struct mime_part *p)
{
	return strcmp(p->type, "message/delivery-status") == 0 ||
	       strcmp(p->type, "message/global-delivery-status") == 0;
}

static bool
is_text(const struct mime_part *p)
{
	return strcmp(p->type, "text/plain") == 0;
}

/* What the bounce says to people, blanks and line ends joined. */
static void
read_words(struct dsn *d, const char *s, size_t len)
{
	struct mime_part text;
	struct strbuf b = { 0 };
	size_t at = 0;

	if (mime_find(&text, s, len, is_text) && mime_decode(&b, &text, DSN_MAX)) {
		for (size_t i = 0; i < b.len && at + 1 < sizeof d->words; i++) {
			bool blank = b.s[i] == '\0' || isspace((unsigned char)b.s[i]);
			if (!blank)
				d->words[at++] = b.s[i];
			else if (at > 0 && d->words[at - 1] != ' ')
				d->words[at++] = ' ';
		}
		at -= at > 0 && d->words[at - 1] == ' ';
	}
	d->words[at] = '\0';
	strbuf_clear(&b);
}

/* bounce: the multipart/report, head and body in one. */
static struct dsn *
read_bounce(struct span bounce, char *why, size_t whylen)
{
	struct mime_part status;
	struct strbuf b = { 0 };
	struct dsn *d;

	if (!mime_find(&status, bounce.s, bounce.len, is_status_part)) {
		snprintf(why, whylen, "a report without message/delivery-status");
		return NULL;
	}
	if (!mime_decode(&b, &status, DSN_MAX)) {
		strbuf_clear(&b);
		snprintf(why, whylen, "its delivery status cannot be decoded");
		return NULL;
	}
	d = xcalloc(1, sizeof *d);
	if (b.len > 0)
		read_groups(d, b.s, b.len);
	strbuf_clear(&b);
	read_words(d, bounce.s, bounce.len);
	if (d->n > 0)
		return d;
	snprintf(why, whylen, "its delivery status names no recipient");
	free(d);
	return NULL;
}

static struct dsn *
read_message(const char *s, size_t len, unsigned forwards, char *why, size_t whylen)
{
	struct mime_part found;
	struct strbuf b = { 0 };
	struct dsn *d = NULL;

	if (!mime_find(&found, s, len, is_bounce_or_message)) {
		snprintf(why, whylen, "no multipart/report of delivery-status");
		return NULL;
	}
	if (is_bounce(&found))
		return read_bounce((struct span){ found.head.s,
				       (size_t)(found.body.s + found.body.len - found.head.s) },
		    why, whylen);
	snprintf(why, whylen, "forwarded too often, or in an unknown encoding");
	if (forwards < FORWARDS_MAX && mime_decode(&b, &found, DSN_MAX) && b.len > 0)
		d = read_message(b.s, b.len, forwards + 1, why, whylen);
	strbuf_clear(&b);
	return d;
}

struct dsn *
dsn_read(const char *message, size_t len, char *why, size_t whylen)
{
	return read_message(message, len < DSN_MAX ? len : DSN_MAX, 0, why, whylen);
}
