/* wire.h - DNS messages as bytes: a strict reader of queries (RFC 1035 4.1, RFC 6891) and the
 * helpers for names in wire form.  Pure, no heap; every byte is hostile. */
#ifndef AUTHDNS_WIRE_H
#define AUTHDNS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_MAX   255
#define DNS_LABELS_MAX 127
#define DNS_HEADER     12
#define DNS_UDP_PLAIN  512  /* RFC 1035 4.2.1, without EDNS */
#define DNS_UDP_MAX    1232 /* most that we send over UDP, and what we offer */

enum {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_PTR = 12,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_SRV = 33,
	TYPE_DNAME = 39,
	TYPE_OPT = 41,
	TYPE_DS = 43,
	TYPE_RRSIG = 46,
	TYPE_NSEC = 47,
	TYPE_DNSKEY = 48,
	TYPE_NSEC3 = 50,
	TYPE_NSEC3PARAM = 51,
	TYPE_NXNAME = 128,
	TYPE_TKEY = 249,
	TYPE_TSIG = 250,
	TYPE_IXFR = 251,
	TYPE_AXFR = 252,
	TYPE_MAILB = 253,
	TYPE_MAILA = 254,
	TYPE_ANY = 255
};
enum {
	RCODE_NOERROR,
	RCODE_FORMERR,
	RCODE_SERVFAIL,
	RCODE_NXDOMAIN,
	RCODE_NOTIMP,
	RCODE_REFUSED,
	RCODE_YXDOMAIN,
	RCODE_BADVERS = 16,
	RCODE_BADCOOKIE = 23
};
enum {
	FLAG_QR = 0x8000,
	FLAG_AA = 0x0400,
	FLAG_TC = 0x0200,
	FLAG_RD = 0x0100,
	FLAG_AD = 0x0020,
	FLAG_CD = 0x0010
};
enum { OPTION_ECS = 8, OPTION_COOKIE = 10 };

#define QUERY_OPTIONS_MAX 32

/* Offsets point into the message that was read. */
struct dns_query {
	uint16_t id, flags;       /* flags: the second word of the header */
	bool has_question;        /* the question is whole and may be echoed */
	uint8_t name_len, labels; /* of the name at offset 12, root label included in the length */
	uint8_t label[DNS_LABELS_MAX]; /* offsets of its labels, from the start of the name */
	uint16_t qtype, qclass;
	size_t question_end;
	bool has_opt, dnssec_ok;
	uint16_t edns_size;
	uint8_t edns_version;
	unsigned n_options;
	uint16_t option[QUERY_OPTIONS_MAX]; /* codes, in order */
	const uint8_t *cookie, *ecs;        /* first of its kind, NULL if none */
	size_t cookie_len, ecs_len;
};

enum wire_result {
	WIRE_OK,
	WIRE_IGNORE, /* no query at all: too short for a header, or a response */
	WIRE_FORMERR,
	WIRE_NOTIMP,  /* opcode other than QUERY */
	WIRE_BADVERS, /* EDNS version over 0 */
};
/* what: one word for the oddity, NULL on WIRE_OK.  On every result but IGNORE the fields read so far
 * are valid, those after the fault are zero. */
enum wire_result wire_query(
    struct dns_query *dst, const uint8_t *msg, size_t len, const char **what);

static inline uint16_t
wire_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint8_t *
wire_put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}
static inline uint8_t *
wire_put32(uint8_t *p, uint32_t v)
{
	return wire_put16(wire_put16(p, v >> 16), v & 0xffff);
}
static inline uint8_t
wire_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Copies len bytes of a name in lower case (length octets are under 'A': RFC 1035 limits labels to 63). */
void wire_name_lower(uint8_t *dst, const uint8_t *src, size_t len);
/* Equal but for case. */
bool wire_name_equal(const uint8_t *a, const uint8_t *b, size_t len);

/* Presentation form without the final dot, "." for the root; dots and backslashes inside labels are
 * escaped, bytes that do not print are \DDD (RFC 4343 2.1).  Returns the length. */
#define DNS_NAME_TEXT_MAX (4 * DNS_NAME_MAX + 1)
size_t wire_name_text(char dst[DNS_NAME_TEXT_MAX], const uint8_t *name, size_t len);

/* Text of a name, absolute or not, to wire form; escapes as above.  Length, or 0: not a name. */
size_t wire_name_parse(uint8_t dst[DNS_NAME_MAX], const char *text);
/* Labels of a whole name, the root not counted. */
unsigned wire_name_labels(const uint8_t *name);

/* An empty type bitmap takes no room; a type goes in at most once.  RFC 4034 4.1.2. */
#define BITMAP_WINDOWS 256
struct type_bitmap {
	uint8_t wire[8 + 34 * 4]; /* the windows that are in use; 4 of them at most */
	size_t len;
};
/* Builds from a list of types in any order, duplicates allowed.  -1: more windows than fit. */
int bitmap_build(struct type_bitmap *dst, const uint16_t *types, size_t n);

#endif
