#include "authdns/record.h"

#include <ldns/ldns.h>
#include <string.h>

#include "lib/strbuf.h"
#include "provisioning/render.h"

const struct token record_tokens[RENDERINGS] = {
	[FOR_SENTINEL] = { SENTINEL_ID, SENTINEL_TEXT },
	[FOR_LOWEST] = { 0, "2222222222222222" },
	[FOR_HIGHEST] = { UINT64_C(0xffffffffffff), "zzzzzzzzzzzzzzzz" },
};

#define RECORD_TEXT_MAX 32768

/* RDATA of a record in wire form, from ldns' form of the whole. */
static int
rdata_wire(uint8_t **dst, size_t *len, ldns_rr *rr, struct arena *a)
{
	ldns_buffer *b = ldns_buffer_new(LDNS_MAX_PACKETLEN);
	size_t head = ldns_rdf_size(ldns_rr_owner(rr)) + 10;
	int rc = -1;

	if (b != NULL && ldns_rr2buffer_wire(b, rr, LDNS_SECTION_ANSWER) == LDNS_STATUS_OK &&
	    ldns_buffer_position(b) >= head) {
		*len = ldns_buffer_position(b) - head;
		*dst = arena_alloc(a, *len + 1);
		memcpy(*dst, ldns_buffer_begin(b) + head, *len);
		rc = 0;
	}
	ldns_buffer_free(b);
	return rc;
}

static int
parse_text(struct rendering *dst, struct arena *a, const char *text, const char **why)
{
	ldns_rr *rr = NULL;
	ldns_status s = ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL);
	int rc = -1;

	if (s != LDNS_STATUS_OK) {
		*why = ldns_get_errorstr_by_id(s);
		return -1;
	}
	dst->owner_len = (uint8_t)ldns_rdf_size(ldns_rr_owner(rr));
	memcpy(dst->owner, ldns_rdf_data(ldns_rr_owner(rr)), dst->owner_len);
	*why = "no wire form";
	if (rdata_wire(&dst->rdata, &dst->len, rr, a) == 0) {
		ldns_rr2canonical(rr);
		rc = rdata_wire(&dst->canon, &dst->canon_len, rr, a);
	}
	ldns_rr_free(rr);
	return rc;
}

static enum render_result
render_one(struct rendering *dst, struct arena *a, const struct record_source *src,
    const struct dns_record *d, const struct token *token, char *err, size_t errlen)
{
	char *text = xmalloc(RECORD_TEXT_MAX), type[12], why_buf[160] = "";
	const char *why = why_buf;
	enum render_result r;
	size_t at;

	r = render(
	    text, 1024, d->owner, src->site, src->test, src->zone, token, why_buf, sizeof(why_buf));
	if (r == RENDER_OK) {
		at = strlen(text);
		at += (size_t)snprintf(text + at, RECORD_TEXT_MAX - at, " %u IN %s ", d->ttl,
		    rrtype_name(d->type, type));
		r = render(text + at, RECORD_TEXT_MAX - at, d->rdata, src->site, src->test,
		    src->zone, token, why_buf, sizeof(why_buf));
	}
	if (r == RENDER_OK && parse_text(dst, a, text, &why) < 0)
		r = RENDER_ERROR;
	if (r == RENDER_ERROR)
		snprintf(err, errlen, "%s:%u: %s %s: %s", src->path, d->line, d->owner,
		    rrtype_name(d->type, type), why);
	free(text);
	return r;
}

static void
append(struct record_list *l, const struct record *r)
{
	l->r = xgrow(l->r, l->n, sizeof(*l->r));
	l->r[l->n++] = *r;
}

int
record_add(struct record_list *l, struct arena *a, const struct record_source *src,
    const struct dns_record *d, char *err, size_t errlen)
{
	struct record r = { .path = src->path, .line = d->line, .type = d->type, .ttl = d->ttl };

	for (unsigned i = 0; i < RENDERINGS; i++)
		switch (render_one(&r.as[i], a, src, d, &record_tokens[i], err, errlen)) {
		case RENDER_OK:
			break;
		case RENDER_NO_ADDRESS:
			return 0;
		case RENDER_ERROR:
			return -1;
		}
	append(l, &r);
	return 0;
}

void
record_add_raw(struct record_list *l, struct arena *a, const uint8_t *owner, size_t owner_len,
    uint16_t type, uint32_t ttl, const uint8_t *rdata, size_t len)
{
	struct record r = { .path = "", .type = type, .ttl = ttl };
	uint8_t *copy = arena_alloc(a, len + 1);

	memcpy(copy, rdata, len);
	for (unsigned i = 0; i < RENDERINGS; i++) {
		memcpy(r.as[i].owner, owner, owner_len);
		r.as[i].owner_len = (uint8_t)owner_len;
		r.as[i].rdata = r.as[i].canon = copy;
		r.as[i].len = r.as[i].canon_len = len;
	}
	append(l, &r);
}

void
record_clear(struct record_list *l)
{
	free(l->r);
	memset(l, 0, sizeof(*l));
}
