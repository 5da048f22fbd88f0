/* packet.c - see packet.h. */
#include "verify/packet.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define HEADER_LEN 12
#define TYPE_CNAME 5
#define CLASS_IN   1

/* --- names ------------------------------------------------------------------------------------------- */

/* One octet of a label as text has it.  Characters used; 0: a broken escape. */
static size_t
unescape(uint8_t *octet, const char *text)
{
	unsigned value;

	if (text[0] != '\\') {
		*octet = (uint8_t)tolower((unsigned char)text[0]);
		return 1;
	}
	if (!isdigit((unsigned char)text[1])) {
		*octet = (uint8_t)tolower((unsigned char)text[1]);
		return text[1] == '\0' ? 0 : 2;
	}
	if (!isdigit((unsigned char)text[2]) || !isdigit((unsigned char)text[3]))
		return 0;
	value = (unsigned)((text[1] - '0') * 100 + (text[2] - '0') * 10 + text[3] - '0');
	*octet = (uint8_t)tolower((int)(value & 255));
	return value > 255 ? 0 : 4;
}

size_t
packet_name_wire(uint8_t dst[255], const char *text)
{
	size_t at = 0, label = 0, used;

	if (text[0] == '\0' || strcmp(text, ".") == 0) {
		dst[0] = 0;
		return 1;
	}
	dst[at++] = 0;
	for (; *text != '\0'; text += used) {
		uint8_t octet;

		used = 1;
		if (*text == '.') {
			if (dst[label] == 0)
				return 0;
			if (text[1] == '\0')
				break;
			label = at;
			octet = 0;
		} else if ((used = unescape(&octet, text)) == 0 || ++dst[label] > 63) {
			return 0;
		}
		if (at == 254)
			return 0;
		dst[at++] = octet;
	}
	dst[at++] = 0;
	return at;
}

/* --- a message ------------------------------------------------------------------------------------------ */

struct cursor {
	const uint8_t *wire;
	size_t len, at;
};

static unsigned
u16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* A name, compressed or not, lower case, into 255 octets; its length, 0: malformed. */
static size_t
take_name(struct cursor *c, uint8_t dst[255])
{
	size_t at = c->at, out = 0, limit = c->at;
	bool jumped = false;

	for (;;) {
		uint8_t n;

		if (at >= c->len)
			return 0;
		n = c->wire[at];
		if (n >= 0xc0) {
			if (c->len - at < 2)
				return 0;
			if (!jumped)
				c->at = at + 2;
			jumped = true;
			/* Only backwards, before all that was read so far: so it ends. */
			if ((at = u16(c->wire + at) & 0x3fff) >= limit)
				return 0;
			limit = at;
			continue;
		}
		if (n > 63 || c->len - at < 1u + n || out + 1u + n > (n == 0 ? 255 : 254))
			return 0;
		dst[out++] = n;
		for (size_t i = 1; i <= n; i++)
			dst[out++] = (uint8_t)tolower(c->wire[at + i]);
		at += 1u + n;
		if (n == 0)
			break;
	}
	if (!jumped)
		c->at = at;
	return out;
}

struct record {
	uint8_t owner[255];
	size_t owner_len;
	unsigned type, class;
	size_t data, data_len; /* where in the message */
};

static bool
take_record(struct cursor *c, struct record *r)
{
	if ((r->owner_len = take_name(c, r->owner)) == 0 || c->len - c->at < 10)
		return false;
	r->type = u16(c->wire + c->at);
	r->class = u16(c->wire + c->at + 2);
	r->data_len = u16(c->wire + c->at + 8);
	r->data = c->at + 10;
	if (c->len - r->data < r->data_len)
		return false;
	c->at = r->data + r->data_len;
	return true;
}

/* Types whose data may be compressed (RFC 3597 4 and what stood before it): octets, then names, then
 * the rest as it is. */
static const struct {
	unsigned type, before, names;
} compressed[] = {
	{ 2, 0, 1 },  /* NS */
	{ 5, 0, 1 },  /* CNAME */
	{ 6, 0, 2 },  /* SOA */
	{ 12, 0, 1 }, /* PTR */
	{ 15, 2, 1 }, /* MX */
	{ 17, 0, 2 }, /* RP */
	{ 18, 2, 1 }, /* AFSDB */
	{ 33, 6, 1 }, /* SRV */
	{ 39, 0, 1 }, /* DNAME */
};

static const char *
copy_data(struct packet *p, const struct cursor *message, const struct record *r)
{
	struct cursor c = { message->wire, r->data + r->data_len, r->data };
	uint8_t *start = p->mem + p->used;
	size_t names = 0, before = 0, out = 0;

	for (size_t i = 0; i < sizeof(compressed) / sizeof(*compressed); i++)
		if (compressed[i].type == r->type) {
			names = compressed[i].names;
			before = compressed[i].before;
		}
	if (p->n == PACKET_RECORDS_MAX || sizeof(p->mem) - p->used < r->data_len + names * 255)
		return "the answer has too many records";
	if (before > r->data_len)
		return "a record is malformed";
	memcpy(start, c.wire + c.at, before);
	c.at += before;
	out = before;
	for (size_t i = 0; i < names; i++) {
		size_t len = take_name(&c, start + out);

		if (len == 0)
			return "a name in a record is malformed";
		out += len;
	}
	if (names > 0 && c.at < c.len && r->type != 6)
		return "a record is malformed";
	memcpy(start + out, c.wire + c.at, c.len - c.at);
	out += c.len - c.at;
	if (out > UINT16_MAX)
		return "a record is malformed";
	p->rdata[p->n].data = start;
	p->rdata[p->n++].len = (uint16_t)out;
	p->used += out;
	return NULL;
}

/* The records of owner, and where its alias points to. */
static const char *
collect(struct packet *p, struct cursor answer, unsigned count, uint16_t type, uint8_t owner[255],
    size_t *owner_len, bool *alias)
{
	uint8_t target[255];
	size_t target_len = 0;
	struct record r;
	const char *why;

	*alias = false;
	for (; count > 0; count--) {
		if (!take_record(&answer, &r))
			return "the answer is malformed";
		if (r.class != CLASS_IN || r.owner_len != *owner_len ||
		    memcmp(r.owner, owner, r.owner_len) != 0)
			continue;
		if (r.type == type) {
			if ((why = copy_data(p, &answer, &r)) != NULL)
				return why;
		} else if (r.type == TYPE_CNAME) {
			struct cursor data = { answer.wire, r.data + r.data_len, r.data };

			if ((target_len = take_name(&data, target)) == 0)
				return "an alias is malformed";
		}
	}
	if (p->n == 0 && target_len > 0) {
		memcpy(owner, target, target_len);
		*owner_len = target_len;
		*alias = true;
	}
	return NULL;
}

int
packet_read(struct packet *p, const uint8_t *wire, size_t len, const char *name, uint16_t type,
    const char **why)
{
	struct cursor c = { wire, len, HEADER_LEN };
	uint8_t owner[255];
	size_t owner_len = packet_name_wire(owner, name);
	bool alias = true;
	unsigned aliases = 0;

	p->n = p->used = 0;
	p->rcode = 0;
	*why = "the answer is malformed";
	if (owner_len == 0 || len < HEADER_LEN || (wire[2] & 0x80) == 0)
		return -1;
	p->rcode = wire[3] & 15;
	if (p->rcode != 0)
		return 0;
	for (unsigned i = u16(wire + 4); i > 0; i--) {
		uint8_t question[255];

		if (take_name(&c, question) == 0 || c.len - c.at < 4)
			return -1;
		c.at += 4;
	}
	while (alias) {
		if (aliases++ > PACKET_ALIASES_MAX) {
			*why = "too many aliases";
			return -1;
		}
		if ((*why = collect(p, c, u16(wire + 6), type, owner, &owner_len, &alias)) != NULL)
			return -1;
	}
	return 0;
}
