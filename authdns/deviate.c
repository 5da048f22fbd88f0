#include "authdns/deviate.h"

#include <stdio.h>
#include <string.h>

#include "lib/hash.h"

void
deviation_note(struct deviation *d, const char *text)
{
	size_t n = strlen(d->text);

	if (strstr(d->text, text) == NULL)
		snprintf(d->text + n, sizeof(d->text) - n, "%s%s", n > 0 ? ", " : "", text);
}

/* Key of memory.h: (token, test, line, KEY). */
static uint64_t
memory_key(const struct place *p, const struct answer_rule *r, const struct circumstances *c)
{
	struct {
		uint64_t id;
		uint32_t test, line;
		uint8_t address[16];
	} k;
	uint64_t h;

	memset(&k, 0, sizeof(k));
	k.id = p->token.id;
	k.test = p->zone->test->number;
	k.line = r->line;
	if (r->when.key == KEY_ADDRESS || r->when.key == KEY_NETWORK) {
		bool whole = r->when.key == KEY_ADDRESS;

		if (address_family(c->peer) == 6)
			memcpy(k.address, &c->peer->in6.sin6_addr, whole ? 16 : 7);
		else
			memcpy(k.address, &c->peer->in.sin_addr, whole ? 4 : 3);
	}
	h = hash_sip(c->memory->key, &k, sizeof(k));
	return h != 0 ? h : 1;
}

static bool
holds(const struct place *p, const struct answer_rule *r, const struct circumstances *c)
{
	struct memory_fact f;

	if (r->when.kind == COND_ALWAYS)
		return true;
	if (r->when.kind == COND_PHASE)
		return r->when.count == p->phase;
	if (c->memory->ctx == NULL || p->token.id == 0)
		return false;
	f = c->memory->touch(c->memory->ctx, memory_key(p, r, c), c->now_us);
	if (r->when.kind == COND_COUNT)
		return f.count <= r->when.count;
	return c->now_us - f.first_us <
	       r->when.age_us / (c->memory->pace > 0 ? c->memory->pace : 1);
}

static bool
matches(const struct answer_rule *r, const struct zone *z, uint16_t type, const char *at)
{
	return r->zone == z->index && (r->type == TYPE_ANY || r->type == type) &&
	       (r->name == NULL || strcmp(r->name, at) == 0);
}

/* false: the rule has nothing to act on here. */
static bool
apply(struct deviation *d, const struct answer_rule *r, const struct dns_query *q,
    const struct circumstances *c)
{
	switch (r->action) {
	case ANSWER_RCODE:
		d->rcode = (int)r->rcode;
		return true;
	case ANSWER_DROP:
		d->drop = true;
		return true;
	case ANSWER_DROP_EDNS:
		d->drop = d->drop || q->has_opt;
		return q->has_opt;
	case ANSWER_DELAY:
		d->delay_us = r->delay_us;
		return c->may_delay;
	case ANSWER_TC:
		d->tc = !c->tcp;
		return d->tc;
	case ANSWER_NOEDNS: /* a server older than RFC 2671: FORMERR without OPT */
		d->no_edns = q->has_opt;
		if (d->no_edns)
			d->rcode = RCODE_FORMERR;
		return d->no_edns;
	case ANSWER_TTL:
		d->has_ttl = true;
		d->ttl = r->number;
		return true;
	case ANSWER_CASE:
		d->change_case = true;
		return true;
	case ANSWER_PAD:
		d->pad = q->has_opt ? r->number : 0;
		return q->has_opt;
	case ANSWER_SIGN:
		break;
	}
	return false;
}

void
deviate(struct deviation *d, const struct place *p, const struct dns_query *q,
    const struct circumstances *c)
{
	const struct zone *z = p->zone;
	unsigned done = 0;

	d->rcode = -1;
	d->drop = d->tc = d->no_edns = d->change_case = d->has_ttl = false;
	d->delay_us = 0;
	d->pad = 0;
	d->text[0] = '\0';
	if (z != NULL && z->undeviated)
		deviation_note(d, "released");
	if (z == NULL || !z->has_rules || p->cut != NULL)
		return;
	for (size_t i = 0; i < z->test->n_answers; i++) {
		const struct answer_rule *r = &z->test->answers[i];

		if (r->action == ANSWER_SIGN || (done & 1U << r->action) != 0 ||
		    !matches(r, z, q->qtype, p->at) || !holds(p, r, c))
			continue;
		done |= 1U << r->action;
		if (apply(d, r, q, c))
			deviation_note(d, r->text);
	}
	if (d->delay_us > 0 && !c->may_delay)
		d->delay_us = 0;
}

enum sign_mode
deviate_sign(const struct place *p, const struct zone *z, uint16_t type, bool at_apex,
    const struct circumstances *c)
{
	static const char *const apex[] = { "{zone}", "{zone:b}" };
	const char *at = at_apex ? apex[z->index] : p->at;

	if (z->has_rules)
		for (size_t i = 0; i < z->test->n_answers; i++) {
			const struct answer_rule *r = &z->test->answers[i];

			if (r->action == ANSWER_SIGN && matches(r, z, type, at) && holds(p, r, c))
				return r->sign;
		}
	if (z->undeviated)
		return SIGN_RIGHT;
	if (type == TYPE_NSEC && z->options != NULL && z->options->denial == DENIAL_CORRUPT)
		return SIGN_CORRUPT;
	/* The keys are everybody's: who was released must find them good. */
	return type == TYPE_DNSKEY ? SIGN_RIGHT : z->sign;
}

const char *
sign_mode_text(enum sign_mode m)
{
	static const char *const text[] = { [SIGN_RIGHT] = "sign right",
		[SIGN_CORRUPT] = "sign corrupt",
		[SIGN_EXPIRED] = "sign expired",
		[SIGN_FUTURE] = "sign future",
		[SIGN_NONE] = "sign none" };

	return text[m];
}
