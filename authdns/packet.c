#include "authdns/packet.h"

#include <string.h>

#include "authdns/nsec3.h"
#include "lib/hash.h"

#define OPTION_PADDING 12 /* RFC 7830 */
#define COOKIE_LEN     24

/* --- octets, bounded by what may be sent --- */

static bool
room(struct packet *p, size_t len)
{
	if (p->truncated || p->limit - p->len < len)
		p->truncated = true;
	return !p->truncated;
}

static void
put(struct packet *p, const void *data, size_t len)
{
	if (!room(p, len))
		return;
	memcpy(p->buf + p->len, data, len);
	p->len += len;
}

static void
put_flipped(struct packet *p, const uint8_t *data, size_t len)
{
	if (!room(p, len))
		return;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		p->buf[p->len++] = letter ? c ^ 0x20 : c;
	}
}

static void
put_pointer(struct packet *p, size_t name_offset)
{
	uint8_t b[2];

	wire_put16(b, 0xc000 | (unsigned)(DNS_HEADER + name_offset));
	put(p, b, 2);
}

static void
put_owner(struct packet *p, const struct answer_item *i, const struct packet_context *c)
{
	const uint8_t *name = c->msg + DNS_HEADER;
	size_t apex = (size_t)c->query->name_len - i->zone->apex_len;

	if (i->owner == OWNER_ELSEWHERE) {
		put(p, i->node->key, i->node->key_len);
		put_pointer(p, apex);
	} else if (c->deviation->change_case) {
		put_flipped(p, name + i->owner, c->query->name_len - i->owner);
	} else {
		put_pointer(p, i->owner);
	}
}

static void
put_head(struct packet *p, uint16_t type, uint32_t ttl, const struct packet_context *c)
{
	uint8_t b[8];

	if (c->deviation->has_ttl)
		ttl = c->deviation->ttl;
	wire_put32(wire_put16(wire_put16(b, type), 1), ttl);
	put(p, b, sizeof(b));
}

/* --- RRsets --- */

/* RDATA in which the names have the other case; length octets of labels are under 'A'. */
static void
put_rdata_flipped(struct packet *p, uint16_t type, const uint8_t *rdata, size_t len)
{
	size_t before = type == TYPE_MX    ? 2
			: type == TYPE_SRV ? 6
					   : 0,
	       after = type == TYPE_SOA ? 20 : 0;

	if (type != TYPE_NS && type != TYPE_CNAME && type != TYPE_PTR && type != TYPE_MX &&
	    type != TYPE_SRV && type != TYPE_SOA)
		before = len;
	put(p, rdata, before);
	put_flipped(p, rdata + before, len - before - (before < len ? after : 0));
	if (before < len)
		put(p, rdata + len - after, after);
}

/* Record by record; returns how many. */
static unsigned
put_set(struct packet *p, const struct answer_item *i, const struct packet_context *c)
{
	const struct rrset *set = i->set;
	uint8_t plain[65536], *q = plain, *end;

	if (i->section == SECTION_ANSWER && i->owner == 0 && !c->deviation->has_ttl &&
	    !c->deviation->change_case) {
		if (room(p, set->answer.len))
			p->len = (size_t)(blob_copy(
					      p->buf + p->len, &set->answer, &c->place->token) -
					  p->buf);
		return set->n;
	}
	if (set->plain.len > p->limit) {
		p->truncated = true;
		return 0;
	}
	end = blob_copy(plain, &set->plain, &c->place->token);
	for (; q < end; q += 2 + wire_get16(q)) {
		put_owner(p, i, c);
		put_head(p, set->type, i->ttl, c);
		put(p, q, 2);
		if (c->deviation->change_case)
			put_rdata_flipped(p, set->type, q + 2, wire_get16(q));
		else
			put(p, q + 2, wire_get16(q));
	}
	return set->n;
}

/* RFC 6672 3.1: what stands left of the DNAME in the question, and the DNAME's target. */
static unsigned
put_synthesis(struct packet *p, const struct answer_item *i, const struct packet_context *c)
{
	uint8_t target[2 + DNS_NAME_MAX], b[2];
	size_t left = c->query->name_len - i->node->key_len - i->zone->apex_len;

	blob_copy(target, &i->set->plain, &c->place->token);
	put_pointer(p, 0);
	put_head(p, TYPE_CNAME, i->ttl, c);
	wire_put16(b, (unsigned)left + wire_get16(target));
	put(p, b, 2);
	put(p, c->msg + DNS_HEADER, left);
	put(p, target + 2, wire_get16(target));
	return 1;
}

/* --- NSEC, NSEC3 --- */

/* The name that comes next in canonical order (RFC 4034 6.1, RFC 4471 3.1.2): \000 before it, or where
 * that is too long, its first label with the last octet one higher. */
static size_t
next_name(uint8_t *dst, const uint8_t *lower, size_t len)
{
	uint8_t *last;

	if (len + 2 <= DNS_NAME_MAX) {
		dst[0] = 1;
		dst[1] = 0;
		memcpy(dst + 2, lower, len);
		return len + 2;
	}
	memcpy(dst, lower, len);
	last = dst + dst[0];
	if (*last == 0xff)
		return 0;
	*last = *last == 'A' - 1 ? 'Z' + 1 : *last + 1;
	return len;
}

struct nsec {
	uint16_t type;
	uint8_t owner[DNS_NAME_MAX]; /* lower case */
	size_t owner_len;
	uint8_t rdata[DNS_NAME_MAX + sizeof(((struct type_bitmap *)0)->wire)];
	size_t len;
	uint32_t ttl;
};

/* The owner becomes its hash. */
static void
nsec3_make(struct nsec *n, const struct zone *z)
{
	uint8_t hash[NSEC3_HASH];

	nsec3_hash(hash, n->owner, n->owner_len, z->options->iterations, NULL, 0);
	n->owner[0] = NSEC3_LABEL;
	nsec3_label(n->owner + 1, hash);
	memcpy(n->owner + 1 + NSEC3_LABEL, z->apex, z->apex_len);
	n->owner_len = 1 + NSEC3_LABEL + z->apex_len;
	nsec3_rdata(n->rdata, hash, z->options->iterations);
	n->len = NSEC3_RDATA;
}

static int
nsec_make(struct nsec *n, const struct answer_item *i, const struct packet_context *c)
{
	const struct type_bitmap *b = i->node != NULL ? &i->node->bitmap : &i->zone->absent;

	n->owner_len = c->query->name_len - i->owner;
	n->ttl = i->ttl;
	n->type = i->zone->nsec3 ? TYPE_NSEC3 : TYPE_NSEC;
	wire_name_lower(n->owner, c->msg + DNS_HEADER + i->owner, n->owner_len);
	if (i->zone->nsec3)
		nsec3_make(n, i->zone);
	else if ((n->len = next_name(n->rdata, n->owner, n->owner_len)) == 0)
		return -1;
	memcpy(n->rdata + n->len, b->wire, b->len);
	n->len += b->len;
	return 0;
}

static void
put_nsec_owner(struct packet *p, const struct nsec *n, const struct answer_item *i,
    const struct packet_context *c)
{
	if (n->type == TYPE_NSEC) {
		put_owner(p, i, c);
		return;
	}
	put(p, n->owner, 1 + NSEC3_LABEL);
	put_pointer(p, (size_t)c->query->name_len - i->zone->apex_len);
}

static void
put_nsec(struct packet *p, const struct nsec *n, const struct answer_item *i,
    const struct packet_context *c)
{
	uint8_t b[2];

	put_nsec_owner(p, n, i, c);
	put_head(p, n->type, n->ttl, c);
	wire_put16(b, (unsigned)n->len);
	put(p, b, 2);
	put(p, n->rdata, n->len);
}

/* --- RRSIG --- */

struct canon_context {
	const struct rrset *set;
	const struct token *token;
	const struct nsec *nsec;
};

static size_t
canon_set(uint8_t *dst, const void *ctx)
{
	const struct canon_context *c = ctx;

	return (size_t)(blob_copy(dst, &c->set->canon, c->token) - dst);
}

static size_t
canon_nsec(uint8_t *dst, const void *ctx)
{
	const struct nsec *n = ((const struct canon_context *)ctx)->nsec;
	uint8_t *p = dst;

	memcpy(p, n->owner, n->owner_len);
	p += n->owner_len;
	p = wire_put16(wire_put32(wire_put16(wire_put16(p, n->type), 1), n->ttl), (unsigned)n->len);
	memcpy(p, n->rdata, n->len);
	return (size_t)(p - dst) + n->len;
}

static void
sign_identity(struct sign_request *r, const struct answer_item *i, const struct nsec *n,
    const struct packet_context *c)
{
	const struct place *p = c->place;

	r->keep = !p->invalid;
	r->owner = p->token.id;
	if (i->set != NULL) {
		r->id = i->set->id;
		r->fixed = i->set->fixed;
		r->labels = i->node->labels;
		r->ttl = i->set->ttl;
		return;
	}
	r->ttl = n->ttl;
	r->labels = n->type == TYPE_NSEC3 ? i->zone->labels + 1
		    : i->node != NULL     ? i->node->labels
					  : c->query->labels;
	if (i->node != NULL) {
		r->id = i->node->id;
		r->fixed = i->node->token_at < 0;
		return;
	}
	r->id = i->zone->absent_id;
	r->fixed = false;
	r->owner = r->keep ? hash_sip(c->name_key, n->owner, n->owner_len) : 0;
}

/* 1 written, 0 none to write, -1 failed. */
static int
put_rrsig(struct packet *p, const struct answer_item *i, const struct nsec *n,
    const struct packet_context *c)
{
	uint16_t type = i->set != NULL ? i->set->type : n->type;
	struct canon_context canon = { i->set, &c->place->token, n };
	struct sign_request r = { .zone = i->zone,
		.type = type,
		.ctx = &canon,
		.canon = i->set != NULL ? canon_set : canon_nsec };
	bool at_apex = i->owner != OWNER_ELSEWHERE && i->owner != 0, fresh;
	uint8_t rdata[RRSIG_MAX], b[2];
	size_t len;

	r.mode = deviate_sign(c->place, i->zone, type, at_apex, c->now);
	if (r.mode != SIGN_RIGHT)
		deviation_note(c->deviation, sign_mode_text(r.mode));
	if (r.mode == SIGN_NONE)
		return 0;
	sign_identity(&r, i, n, c);
	len = signer_sign(c->signer, rdata, &r, c->now->now_us / 1000000, &fresh);
	if (len == 0)
		return -1;
	if (i->set != NULL)
		put_owner(p, i, c);
	else
		put_nsec_owner(p, n, i, c);
	put_head(p, TYPE_RRSIG, i->ttl, c);
	wire_put16(b, (unsigned)len);
	put(p, b, 2);
	put(p, rdata, len);
	return 1;
}

/* --- the whole --- */

static void
put_opt(struct packet *p, unsigned rcode, const struct packet_context *c)
{
	uint8_t b[11 + 4 + COOKIE_LEN + 4], *q = b, *length_at;
	unsigned pad = c->deviation != NULL ? c->deviation->pad : 0;
	static const uint8_t zeros[65536];

	if (!c->with_opt)
		return;
	*q++ = 0;
	q = wire_put16(wire_put16(q, TYPE_OPT), DNS_UDP_MAX);
	q = wire_put32(q, (uint32_t)(rcode >> 4) << 24 | (c->query->dnssec_ok ? 0x8000U : 0));
	length_at = q;
	q += 2;
	if (c->cookie != NULL) {
		q = wire_put16(wire_put16(q, OPTION_COOKIE), COOKIE_LEN);
		memcpy(q, c->cookie, COOKIE_LEN);
		q += COOKIE_LEN;
	}
	if (pad > p->len + (size_t)(q - b) + 4 && p->limit > p->len + (size_t)(q - b) + 4) {
		size_t most = pad < p->limit ? pad : p->limit;

		pad = (unsigned)(most - p->len - (size_t)(q - b) - 4);
		q = wire_put16(wire_put16(q, OPTION_PADDING), pad);
	} else {
		pad = 0;
	}
	wire_put16(length_at, (unsigned)(q - length_at - 2) + pad);
	put(p, b, (size_t)(q - b));
	put(p, zeros, pad);
}

static size_t
opt_room(const struct packet_context *c)
{
	return !c->with_opt ? 0 : c->cookie != NULL ? 11 + 4 + COOKIE_LEN : 11;
}

static void
put_header(struct packet *p, unsigned rcode, bool authoritative, bool tc,
    const unsigned counts[SECTIONS], const struct packet_context *c)
{
	const struct dns_query *q = c->query;
	uint8_t *b = p->buf;
	/* CD is cleared, AD never set: RFC 4035 3.1.6. */
	unsigned flags = FLAG_QR | (q->flags & (0x7800 | FLAG_RD)) | (rcode & 15);

	if (authoritative)
		flags |= FLAG_AA;
	if (tc)
		flags |= FLAG_TC;
	b = wire_put16(wire_put16(b, q->id), flags);
	b = wire_put16(b, q->has_question);
	for (unsigned s = 0; s < SECTIONS; s++)
		b = wire_put16(b, counts[s] + (s == SECTION_ADDITIONAL && c->with_opt));
}

static void
put_question(struct packet *p, const struct packet_context *c)
{
	p->len = DNS_HEADER;
	p->truncated = false;
	if (c->query->has_question)
		put(p, c->msg + DNS_HEADER, c->query->question_end - DNS_HEADER);
}

void
packet_empty(
    struct packet *p, unsigned rcode, bool authoritative, bool tc, const struct packet_context *c)
{
	static const unsigned none[SECTIONS];

	put_question(p, c);
	put_opt(p, rcode, c);
	put_header(p, rcode, authoritative, tc, none, c);
}

/* Returns records written, -1: a signature could not be made. */
static int
put_item(struct packet *p, const struct answer_item *i, const struct packet_context *c)
{
	struct nsec nsec;
	unsigned n = 0;
	int rc;

	if (i->synthesis)
		return (int)put_synthesis(p, i, c);
	if (i->set == NULL && nsec_make(&nsec, i, c) < 0)
		return -1;
	if (i->set != NULL && !i->only_rrsig)
		n = put_set(p, i, c);
	else if (i->set == NULL) {
		put_nsec(p, &nsec, i, c);
		n = 1;
	}
	if (!i->sign || !(c->query->dnssec_ok || i->only_rrsig) || p->truncated)
		return (int)n;
	rc = put_rrsig(p, i, &nsec, c);
	return rc < 0 ? -1 : (int)n + rc;
}

int
packet_write(struct packet *p, const struct answer *a, const struct packet_context *c)
{
	unsigned counts[SECTIONS] = { 0 };
	size_t whole = p->limit;

	put_question(p, c);
	p->limit -= opt_room(c);
	for (unsigned i = 0; i < a->n; i++) {
		int n = put_item(p, &a->item[i], c);

		if (n < 0)
			return -1;
		counts[a->item[i].section] += (unsigned)n;
	}
	p->limit = whole;
	if (p->truncated) {
		packet_empty(p, a->rcode, a->authoritative, true, c);
		p->truncated = true;
		return 0;
	}
	put_opt(p, a->rcode, c);
	put_header(p, a->rcode, a->authoritative, false, counts, c);
	return 0;
}
