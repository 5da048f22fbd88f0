/* behave.c - see behave.h. */
#include "smtpd/behave.h"

#include <string.h>

#include "lib/hash.h"

/* The part of the key that KEY adds to (token, test, line). */
static size_t
key_tail(unsigned char *dst, size_t room, const struct behave_who *who, enum memory_key key)
{
	const union sockaddr_any *a = who->peer;
	size_t n = 0;

	switch (key) {
	case KEY_TOKEN:
		return 0;
	case KEY_SENDER:
		for (; n < who->sender_len && n < room; n++)
			dst[n] = (unsigned char)who->sender[n];
		return n;
	case KEY_ADDRESS:
	case KEY_NETWORK:
		if (a->sa.sa_family == AF_INET) {
			n = key == KEY_ADDRESS ? 4 : 3; /* /24 */
			memcpy(dst, &a->in.sin_addr, n);
		} else {
			n = key == KEY_ADDRESS ? 16 : 8; /* /64 */
			memcpy(dst, &a->in6.sin6_addr, n);
		}
		return n;
	}
	return 0;
}

/* Key of a fact in the memory table. */
static uint64_t
key_of(const struct behave_who *who, unsigned line, enum memory_key key)
{
	unsigned char buf[17 + 320];
	uint64_t h;

	for (unsigned i = 0; i < 8; i++)
		buf[i] = (unsigned char)(who->id >> (56 - 8 * i));
	for (unsigned i = 0; i < 4; i++) {
		buf[8 + i] = (unsigned char)(who->test->number >> (24 - 8 * i));
		buf[12 + i] = (unsigned char)(line >> (24 - 8 * i));
	}
	buf[16] = (unsigned char)key;
	h = hash_sip(who->memory->key, buf, 17 + key_tail(buf + 17, sizeof buf - 17, who, key));
	return h != 0 ? h : 1;
}

static bool
condition_holds(const struct condition *c, unsigned line, const struct behave_who *who)
{
	struct memory_fact f;

	switch (c->kind) {
	case COND_ALWAYS:
		return true;
	case COND_PHASE:
		return who->test != NULL && who->phase == c->count;
	case COND_AGE:
	case COND_COUNT:
		/* Without a token every stranger would share one clock. */
		if (who->test == NULL)
			return false;
		f = who->memory->touch(who->memory->ctx, key_of(who, line, c->key), who->now_us);
		if (c->kind == COND_COUNT)
			return f.count <= c->count;
		return who->now_us - f.first_us <
		       c->age_us / (who->memory->pace > 0 ? who->memory->pace : 1);
	}
	return false;
}

void
behave_at(struct behaviour *dst, const struct host *host, enum smtp_point at, int mailbox,
    const struct behave_who *who)
{
	const struct host_rule *delay = NULL;

	memset(dst, 0, sizeof *dst);
	for (size_t i = 0; i < host->n_rules; i++) {
		const struct host_rule *r = &host->rules[i];

		if (r->at != at || (r->mailbox >= 0 && r->mailbox != mailbox))
			continue;
		if (r->action == DO_DELAY ? delay != NULL : dst->rule != NULL)
			continue;
		if (!condition_holds(&r->when, r->line, who))
			continue;
		if (r->action == DO_DELAY)
			delay = r;
		else
			dst->rule = r;
	}
	if (delay != NULL) {
		dst->delay_us = delay->delay_us;
		dst->dev = delay->dev;
	}
	if (dst->rule != NULL)
		dst->dev = dst->rule->dev;
}
