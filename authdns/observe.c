#include "authdns/observe.h"

#include <arpa/inet.h>
#include <string.h>

static char *
put_unsigned(char *p, unsigned v)
{
	char digits[10];
	unsigned n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	while (n > 0)
		*p++ = digits[--n];
	return p;
}

static void
put_options(struct event_line *e, const struct dns_query *q)
{
	char text[QUERY_OPTIONS_MAX * 6 + 1], *p = text;

	for (unsigned i = 0; i < q->n_options; i++) {
		if (i > 0)
			*p++ = ',';
		p = put_unsigned(p, q->option[i]);
	}
	if (p > text)
		event_text(e, EK_OPTS, text, (size_t)(p - text));
}

static void
put_cookie(struct event_line *e, const struct dns_query *q)
{
	static const char hex[] = "0123456789abcdef";
	char text[128];
	size_t n = q->cookie_len < 64 ? q->cookie_len : 64;

	if (q->cookie == NULL || n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		text[2 * i] = hex[q->cookie[i] >> 4];
		text[2 * i + 1] = hex[q->cookie[i] & 15];
	}
	event_text(e, EK_COOKIE, text, 2 * n);
}

/* RFC 7871 6; what is malformed is told as the option code only. */
static void
put_ecs(struct event_line *e, const struct dns_query *q)
{
	char text[INET6_ADDRSTRLEN + 10], *p;
	uint8_t address[16] = { 0 };
	unsigned family;

	if (q->ecs == NULL || q->ecs_len < 4 || q->ecs_len > 20)
		return;
	family = wire_get16(q->ecs);
	if ((family != 1 && family != 2) || (family == 1 && q->ecs_len > 8))
		return;
	memcpy(address, q->ecs + 4, q->ecs_len - 4);
	if (inet_ntop(family == 1 ? AF_INET : AF_INET6, address, text, INET6_ADDRSTRLEN) == NULL)
		return;
	p = text + strlen(text);
	*p++ = '/';
	p = put_unsigned(p, q->ecs[2]);
	*p++ = '/';
	p = put_unsigned(p, q->ecs[3]);
	event_text(e, EK_ECS, text, (size_t)(p - text));
}

static void
put_flags(struct event_line *e, const struct dns_query *q)
{
	char text[16], *p = text;

	if (q->flags & FLAG_RD)
		p = stpcpy(p, " rd");
	if (q->flags & FLAG_AD)
		p = stpcpy(p, " ad");
	if (q->flags & FLAG_CD)
		p = stpcpy(p, " cd");
	if (q->dnssec_ok)
		p = stpcpy(p, " do");
	if (p > text)
		event_text(e, EK_FLAGS, text + 1, (size_t)(p - text - 1));
}

static void
put_question(struct event_line *e, const struct observation *o)
{
	char text[DNS_NAME_TEXT_MAX];
	size_t len;

	if (!o->query->has_question)
		return;
	len = wire_name_text(text, o->in->wire + DNS_HEADER, o->query->name_len);
	event_text(e, EK_QNAME, text, len);
	event_str(e, EK_QTYPE, rrtype_name(o->query->qtype, text));
}

static void
put_edns(struct event_line *e, const struct dns_query *q)
{
	if (!q->has_opt)
		return;
	event_num(e, EK_EDNS, q->edns_size);
	if (q->edns_version != 0)
		event_num(e, EK_EDNSVER, q->edns_version);
	if (q->n_options > 0) {
		put_options(e, q);
		put_cookie(e, q);
		put_ecs(e, q);
	}
}

/* May another event of the token be written?  The first that may not says so. */
static bool
within_quota(struct engine *g, const struct token *token, int64_t now_us)
{
	struct event_line *e = &g->line;

	switch (quota_take(g->limits->tokens, token->id, now_us)) {
	case QUOTA_WITHIN:
		return true;
	case QUOTA_REACHED:
		event_begin(e, EV_LIMIT_EVENTS, g->log.origin(g->log.ctx), now_us);
		event_text(e, EK_TOKEN, token->text, TOKEN_LEN);
		event_num(e, EK_COUNT, quota_limit(g->limits->tokens));
		event_end(e);
		g->log.append(g->log.ctx, e->buf, e->len);
		return false;
	case QUOTA_OVER:
		break;
	}
	return false;
}

void
observe_query(struct engine *g, const struct observation *o)
{
	struct event_line *e = &g->line;
	const struct place *p = o->place;
	char text[ADDRESS_TEXT_MAX], rcode[12];

	if (p != NULL && p->token.id != 0 && !within_quota(g, &p->token, o->in->now_us))
		return;

	event_begin(e, EV_DNS_QUERY, g->log.origin(g->log.ctx), o->in->now_us);
	if (p != NULL && p->token.id != 0)
		event_text(e, EK_TOKEN, p->token.text, TOKEN_LEN);
	if (p != NULL && p->about != NULL && p->about->test != NULL)
		event_str(e, EK_TEST, p->about->test->name);
	event_str(e, EK_CONN, o->in->conn);
	address_format(text, o->in->peer);
	event_str(e, EK_PEER, text);
	event_num(e, EK_PORT, address_port(o->in->peer));
	address_format(text, o->in->local);
	event_str(e, EK_LOCAL, text);
	event_text(e, EK_VIA, o->in->tcp ? "tcp" : "udp", 3);
	event_num(e, EK_ID, o->query->id);
	put_question(e, o);
	put_flags(e, o->query);
	put_edns(e, o->query);
	if (p != NULL)
		event_str(e, EK_AT, p->at);
	event_str(e, EK_RCODE, o->dropped ? "DROP" : rcode_name(o->rcode, rcode));
	event_num(e, EK_SIZE, (int64_t)o->size);
	event_bool(e, EK_TC, o->truncated);
	event_str(e, EK_DEV, o->dev);
	if (p != NULL && p->phase != 0 && p->zone == p->about)
		event_num(e, EK_PHASE, p->phase);
	event_str(e, EK_WHAT, o->what);
	event_end(e);
	g->log.append(g->log.ctx, e->buf, e->len);
}
