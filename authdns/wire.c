#include "authdns/wire.h"

#include <stdio.h>
#include <string.h>

/* The question name: no compression (there is nothing to point at but the header), 255 octets.
 * Returns the offset after it, or 0. */
static size_t
read_name(struct dns_query *q, const uint8_t *msg, size_t len, const char **what)
{
	size_t at = DNS_HEADER;

	for (;;) {
		uint8_t n;

		if (at >= len) {
			*what = "short-question";
			return 0;
		}
		n = msg[at];
		if (n > 63) {
			*what = n >= 0xc0 ? "compressed-question" : "label-type";
			return 0;
		}
		if (at + 1 + n - DNS_HEADER > DNS_NAME_MAX ||
		    (n != 0 && at + 2 + n - DNS_HEADER > DNS_NAME_MAX)) {
			*what = "long-name";
			return 0;
		}
		if (n == 0)
			break;
		if (at + 1 + n > len) {
			*what = "short-question";
			return 0;
		}
		q->label[q->labels++] = (uint8_t)(at - DNS_HEADER);
		at += 1 + (size_t)n;
	}
	at++;
	q->name_len = (uint8_t)(at - DNS_HEADER);
	return at;
}

static int
read_question(struct dns_query *q, const uint8_t *msg, size_t len, const char **what)
{
	size_t at = read_name(q, msg, len, what);

	if (at == 0 || at + 4 > len) {
		if (at != 0)
			*what = "short-question";
		q->labels = 0;
		q->name_len = 0;
		return -1;
	}
	q->qtype = wire_get16(msg + at);
	q->qclass = wire_get16(msg + at + 2);
	q->question_end = at + 4;
	q->has_question = true;
	return 0;
}

/* RFC 6891 6.1.2; the options stand in RDATA. */
static int
read_options(struct dns_query *q, const uint8_t *p, size_t len, const char **what)
{
	while (len > 0) {
		size_t n;
		uint16_t code;

		if (len < 4 || (size_t)wire_get16(p + 2) > len - 4) {
			*what = "short-option";
			return -1;
		}
		code = wire_get16(p);
		n = wire_get16(p + 2);
		if (q->n_options < QUERY_OPTIONS_MAX)
			q->option[q->n_options++] = code;
		if (code == OPTION_COOKIE && q->cookie == NULL) {
			q->cookie = p + 4;
			q->cookie_len = n;
		} else if (code == OPTION_ECS && q->ecs == NULL) {
			q->ecs = p + 4;
			q->ecs_len = n;
		}
		p += 4 + n;
		len -= 4 + n;
	}
	return 0;
}

/* One record of the additional section at *at: it must be an OPT, and the only one. */
static int
read_additional(struct dns_query *q, const uint8_t *msg, size_t len, size_t *at, const char **what)
{
	size_t n;

	if (len - *at < 11) {
		*what = "short-additional";
		return -1;
	}
	if (msg[*at] != 0 || wire_get16(msg + *at + 1) != TYPE_OPT) {
		*what = msg[*at] == 0 && wire_get16(msg + *at + 1) == TYPE_TSIG ? "tsig"
										: "additional";
		return -1;
	}
	if (q->has_opt) {
		*what = "two-opt";
		return -1;
	}
	q->has_opt = true;
	q->edns_size = wire_get16(msg + *at + 3);
	q->edns_version = msg[*at + 6];
	q->dnssec_ok = msg[*at + 7] >> 7;
	n = wire_get16(msg + *at + 9);
	if (n > len - *at - 11) {
		*what = "short-opt";
		return -1;
	}
	if (read_options(q, msg + *at + 11, n, what) < 0)
		return -1;
	*at += 11 + n;
	return 0;
}

enum wire_result
wire_query(struct dns_query *q, const uint8_t *msg, size_t len, const char **what)
{
	size_t at;

	memset(q, 0, sizeof(*q));
	*what = NULL;
	if (len < DNS_HEADER || (msg[2] & 0x80) != 0)
		return WIRE_IGNORE;
	q->id = wire_get16(msg);
	q->flags = wire_get16(msg + 2);
	if (((q->flags >> 11) & 15) != 0) {
		*what = "opcode";
		return WIRE_NOTIMP;
	}
	if (wire_get16(msg + 4) != 1) {
		*what = "qdcount";
		return WIRE_FORMERR;
	}
	if (read_question(q, msg, len, what) < 0)
		return WIRE_FORMERR;
	if (wire_get16(msg + 6) != 0 || wire_get16(msg + 8) != 0) {
		*what = "records-in-query";
		return WIRE_FORMERR;
	}
	at = q->question_end;
	for (unsigned n = wire_get16(msg + 10); n > 0; n--)
		if (read_additional(q, msg, len, &at, what) < 0)
			return WIRE_FORMERR;
	if (at != len) {
		*what = "trailing-bytes";
		return WIRE_FORMERR;
	}
	if (q->edns_version != 0) {
		*what = "edns-version";
		return WIRE_BADVERS;
	}
	return WIRE_OK;
}

void
wire_name_lower(uint8_t *dst, const uint8_t *src, size_t len)
{
	for (size_t i = 0; i < len; i++)
		dst[i] = wire_lower(src[i]);
}

bool
wire_name_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (wire_lower(a[i]) != wire_lower(b[i]))
			return false;
	return true;
}

size_t
wire_name_text(char dst[DNS_NAME_TEXT_MAX], const uint8_t *name, size_t len)
{
	char *out = dst;

	for (size_t at = 0; at < len && name[at] != 0; at += 1 + (size_t)name[at]) {
		if (at > 0)
			*out++ = '.';
		for (const uint8_t *p = name + at + 1, *end = p + name[at]; p < end; p++) {
			if (*p > 0x20 && *p < 0x7f) {
				if (*p == '.' || *p == '\\')
					*out++ = '\\';
				*out++ = (char)*p;
				continue;
			}
			*out++ = '\\';
			*out++ = (char)('0' + *p / 100);
			*out++ = (char)('0' + *p / 10 % 10);
			*out++ = (char)('0' + *p % 10);
		}
	}
	if (out == dst)
		*out++ = '.';
	*out = '\0';
	return (size_t)(out - dst);
}

/* One character of a label, escapes resolved: how much text was used, 0 if it is no character. */
static size_t
name_char(uint8_t *dst, const char *s)
{
	if (s[0] != '\\') {
		*dst = (uint8_t)s[0];
		return 1;
	}
	if (s[1] >= '0' && s[1] <= '9') {
		unsigned v;

		if (s[2] < '0' || s[2] > '9' || s[3] < '0' || s[3] > '9')
			return 0;
		v = (unsigned)((s[1] - '0') * 100 + (s[2] - '0') * 10 + (s[3] - '0'));
		*dst = (uint8_t)v;
		return v < 256 ? 4 : 0;
	}
	*dst = (uint8_t)s[1];
	return s[1] != '\0' ? 2 : 0;
}

size_t
wire_name_parse(uint8_t dst[DNS_NAME_MAX], const char *s)
{
	size_t at = 0;

	if (strcmp(s, ".") == 0)
		s++;
	while (*s != '\0') {
		size_t start = at++;

		while (*s != '\0' && *s != '.') {
			uint8_t c;
			size_t used = name_char(&c, s);

			if (used == 0 || at - start > 63 || at >= DNS_NAME_MAX - 1)
				return 0;
			dst[at++] = c;
			s += used;
		}
		if (at == start + 1)
			return 0;
		dst[start] = (uint8_t)(at - start - 1);
		if (*s == '.')
			s++;
	}
	if (at >= DNS_NAME_MAX)
		return 0;
	dst[at++] = 0;
	return at;
}

unsigned
wire_name_labels(const uint8_t *name)
{
	unsigned n = 0;

	for (; *name != 0; name += 1 + *name)
		n++;
	return n;
}

int
bitmap_build(struct type_bitmap *b, const uint16_t *types, size_t n)
{
	b->len = 0;
	for (unsigned window = 0; window < BITMAP_WINDOWS; window++) {
		uint8_t bits[32] = { 0 };
		unsigned used = 0;

		for (size_t i = 0; i < n; i++)
			if (types[i] >> 8 == window) {
				unsigned low = types[i] & 0xff;

				bits[low / 8] |= (uint8_t)(0x80 >> low % 8);
				if (low / 8 + 1 > used)
					used = low / 8 + 1;
			}
		if (used == 0)
			continue;
		if (b->len + 2 + used > sizeof(b->wire))
			return -1;
		b->wire[b->len++] = (uint8_t)window;
		b->wire[b->len++] = (uint8_t)used;
		memcpy(b->wire + b->len, bits, used);
		b->len += used;
	}
	return 0;
}
