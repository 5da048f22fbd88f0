/* describe.c - one function for each kind of event that a timeline shows. */
#include "results/describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/utf8.h"
#include "results/dsn.h"
#include "results/mime.h"
#include "results/verified.h"

#define SAID_MAX 200 /* of what a stranger said, in one line */

void
describe_said(struct strbuf *b, const char *s)
{
	size_t n = 0;

	for (; *s != '\0' && n < SAID_MAX; s++, n++) {
		char c = (unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e ? '?' : *s;
		strbuf_add(b, &c, 1);
	}
	if (*s != '\0')
		strbuf_puts(b, "...");
}

void
describe_text(struct strbuf *b, const char *s)
{
	for (size_t n, left = strlen(s); left > 0; s += n, left -= n) {
		n = utf8_length(s, left);
		if (n != 0 && utf8_is_plain(s, n)) {
			strbuf_add(b, s, n);
			continue;
		}
		strbuf_puts(b, n == 0 ? "?" : " ");
		n = n == 0 ? 1 : n;
	}
}

/* "before VALUE", nothing if there is no value. */
static void
say_key(struct strbuf *b, const struct observation *o, enum event_key key, const char *before)
{
	const char *s = text_of(o, key);

	if (*s != '\0') {
		strbuf_puts(b, before);
		describe_said(b, s);
	}
}

static void
say_reply(struct strbuf *b, const struct observation *o)
{
	int64_t reply = observation_num(o, EK_REPLY, -1);
	const char *text = text_of(o, EK_ECODE);

	if (reply < 0)
		return;
	if (reply == 0) {
		strbuf_puts(b, ": no reply, the connection ended");
		return;
	}
	strbuf_printf(b, ": %d ", (int)reply);
	/* The text may repeat the code. */
	if (strlen(text) > 4 && (text[3] == ' ' || text[3] == '-') &&
	    strspn(text, "0123456789") == 3)
		text += 4;
	describe_said(b, text);
}

static void
describe_query(struct strbuf *b, const struct observation *o)
{
	const char *name = text_of(o, EK_QNAME);

	describe_said(b, text_of(o, EK_QTYPE));
	strbuf_puts(b, " ");
	describe_said(b, *name != '\0' ? name : text_of(o, EK_AT));
	say_key(b, o, EK_RCODE, ": ");
	if (observation_num(o, EK_TC, 0))
		strbuf_puts(b, ", truncated");
	strbuf_puts(b, ", asked by ");
	describe_said(b, text_of(o, EK_PEER));
	strbuf_puts(b, observation_is(o, EK_VIA, "tcp") ? " over TCP" : " over UDP");
	if (strstr(text_of(o, EK_FLAGS), "do") != NULL)
		strbuf_puts(b, ", wants DNSSEC");
}

static void
describe_syn(struct strbuf *b, const struct observation *o)
{
	strbuf_puts(b, "SYN from ");
	describe_said(b, text_of(o, EK_PEER));
	strbuf_printf(b, " to host %d", (int)observation_num(o, EK_HOST, 0));
	if (observation_is(o, EK_STATE, "silent"))
		strbuf_puts(b, ", which is silent");
	else if (observation_is(o, EK_STATE, "refuses"))
		strbuf_puts(b, ", which refuses");
}

static void
describe_place(struct strbuf *b, const struct observation *o)
{
	strbuf_puts(b, "connection from ");
	describe_said(b, text_of(o, EK_PEER));
	say_key(b, o, EK_LOCAL, " to ");
}

static void
describe_bind(struct strbuf *b, const struct observation *o)
{
	strbuf_printf(b, "belongs to %s, known by the %s", text_of(o, EK_TEST),
	    observation_is(o, EK_BY, "sni")    ? "server name in TLS"
	    : observation_is(o, EK_BY, "rcpt") ? "recipient"
					       : "address");
}

static void
describe_early(struct strbuf *b, const struct observation *o)
{
	strbuf_printf(b, "spoke before its turn: %d octets", (int)observation_num(o, EK_BYTES, 0));
	say_key(b, o, EK_VERB, " at ");
}

static void
describe_command(struct strbuf *b, const struct observation *o)
{
	describe_said(b, text_of(o, EK_VERB));
	say_key(b, o, EK_ARG, " ");
	say_reply(b, o);
}

static void
describe_framing(struct strbuf *b, const struct observation *o)
{
	describe_said(b, text_of(o, EK_WHAT));
	strbuf_printf(b, ", %d octets", (int)observation_num(o, EK_BYTES, 0));
}

static void
describe_message(struct strbuf *b, const struct observation *o)
{
	strbuf_printf(b, "message of %lld octets", (long long)observation_num(o, EK_SIZE, 0));
	say_key(b, o, EK_FROM, " from ");
	say_key(b, o, EK_MSGID, ", Message-ID ");
	say_reply(b, o);
}

static void
describe_close(struct strbuf *b, const struct observation *o)
{
	strbuf_puts(b, "closed");
	say_key(b, o, EK_HOW, ": ");
	say_key(b, o, EK_STAGE, ", furthest stage ");
}

static void
describe_hello(struct strbuf *b, const struct observation *o)
{
	strbuf_puts(b, observation_num(o, EK_RETRY, 0) ? "second ClientHello" : "ClientHello");
	say_key(b, o, EK_SNI, " for ");
	if (*text_of(o, EK_SNI) == '\0')
		strbuf_puts(b, " without a server name");
	say_key(b, o, EK_WHAT, ", ");
	say_key(b, o, EK_JA4, ", JA4 ");
}

static void
describe_done(struct strbuf *b, const struct observation *o)
{
	strbuf_puts(b, "handshake finished");
	say_key(b, o, EK_VERSION, ": ");
	say_key(b, o, EK_CIPHER, ", ");
	say_key(b, o, EK_GROUP, ", ");
	if (observation_num(o, EK_RESUMED, 0))
		strbuf_puts(b, ", resumed");
}

static void
describe_fail(struct strbuf *b, const struct observation *o)
{
	strbuf_puts(b, "handshake failed");
	say_key(b, o, EK_REASON, ": ");
}

static void
describe_alert(struct strbuf *b, const struct observation *o)
{
	strbuf_puts(
	    b, observation_is(o, EK_DIR, "out") ? "alert sent by us: " : "alert from the sender: ");
	describe_said(b, text_of(o, EK_ALERT));
}

static void
describe_tls_close(struct strbuf *b, const struct observation *o)
{
	strbuf_puts(b, "TLS ended");
	say_key(b, o, EK_HOW, ": ");
}

static void
describe_check(struct strbuf *b, const struct observation *o)
{
	strbuf_printf(
	    b, "check: %s", observation_num(o, EK_OK, 0) ? "as specified" : "not as specified");
	say_key(b, o, EK_REASON, ": ");
}

static void
describe_request(struct strbuf *b, const struct observation *o)
{
	describe_said(b, text_of(o, EK_WHAT));
	say_key(b, o, EK_AUTHORITY, " at ");
	if (observation_num(o, EK_REPLY, 0) > 0)
		strbuf_printf(b, ": %d", (int)observation_num(o, EK_REPLY, 0));
	else
		strbuf_puts(b, ": no response, the connection ended");
	say_key(b, o, EK_PEER, ", from ");
	say_key(b, o, EK_AGENT, ", ");
	say_key(b, o, EK_REASON, ": ");
}

static void
describe_http_place(struct strbuf *b, const struct observation *o)
{
	strbuf_puts(b, o->kind == EV_HTTP_CLOSE ? "HTTPS connection ended" : "HTTPS connection");
	say_key(b, o, EK_HOW, ": ");
	say_key(b, o, EK_PEER, " from ");
}

/* The verifier's answer in short: each method with its result. */
static void
describe_verify(struct strbuf *b, const struct observation *o)
{
	struct verified *v = verified_read(o, o);
	const char *before = "judged: ";

	if (v->state != VERIFIED_JUDGED)
		verified_describe(b, v, AUTH_SPF);
	for (unsigned m = 0; v->state == VERIFIED_JUDGED && m < AUTH_METHOD_MAX; m++) {
		const char *result = verified_result(v, (enum auth_method)m);
		if (result == NULL)
			continue;
		strbuf_printf(b, "%s%s %s", before, auth_method_name((enum auth_method)m), result);
		before = ", ";
	}
	verified_free(v);
}

static void
describe_tlsrpt(struct strbuf *b, const struct observation *o)
{
	bool mail = observation_is(o, EK_VIA, "mail");

	strbuf_printf(b, "TLS report by %s, %lld octets", mail ? "mail" : "HTTPS",
	    (long long)observation_num(o, EK_BYTES, 0));
	say_key(b, o, EK_PEER, " from ");
	say_key(b, o, EK_FROM, " by ");
}

#define BOUNCED_MAX 8 /* recipients that are listed */

/* A bounce, in its own words. */
static void
describe_bounce(struct strbuf *b, const struct observation *o)
{
	const char *data = text_of(o, EK_DATA);
	struct strbuf raw = { 0 };
	char why[160] = "its data is no base64";
	struct dsn *d = NULL;

	if (mime_base64(&raw, data, strlen(data), DSN_MAX) && raw.len > 0)
		d = dsn_read(raw.s, raw.len, why, sizeof why);
	strbuf_clear(&raw);
	if (d == NULL) {
		strbuf_puts(b, "mail to the mailbox for bounces, which is none: ");
		describe_said(b, why);
		return;
	}
	strbuf_puts(b, "bounce by ");
	describe_said(b, d->reporting_mta);
	for (unsigned i = 0; i < d->n && i < BOUNCED_MAX; i++) {
		const struct dsn_recipient *r = &d->rcpt[i];
		strbuf_puts(b, i == 0 ? ": " : "; ");
		describe_said(b, r->final[0] != '\0' ? r->final : r->original);
		strbuf_printf(b, " %s, %s", dsn_action_name(r->action), r->status);
		if (r->diagnostic[0] != '\0') {
			strbuf_puts(b, ", ");
			describe_said(b, r->diagnostic);
		}
	}
	if (d->n + d->beyond > BOUNCED_MAX)
		strbuf_printf(b, " and %u more", d->n + d->beyond - BOUNCED_MAX);
	free(d);
}

static void
describe_sent(struct strbuf *b, const struct observation *o)
{
	strbuf_puts(b, "we wrote");
	say_key(b, o, EK_WHAT, ": ");
	say_key(b, o, EK_FROM, " from ");
}

static void
describe_delivery(struct strbuf *b, const struct observation *o)
{
	strbuf_puts(b, "our host: ");
	describe_said(b, text_of(o, EK_WHAT));
	say_key(b, o, EK_MX, " at ");
	if (observation_is(o, EK_VERSION, "none"))
		strbuf_puts(b, " without TLS");
	else
		say_key(b, o, EK_VERSION, " over ");
	say_key(b, o, EK_VERIFIED, ", certificate ");
	say_key(b, o, EK_ECODE, ": ");
}

static void
describe_published(struct strbuf *b, const struct observation *o)
{
	strbuf_puts(b, "published");
	say_key(b, o, EK_TLSA, ": TLSA ");
	say_key(b, o, EK_STS, ", MTA-STS ");
	say_key(b, o, EK_REASON, ": ");
}

void
describe_report(struct strbuf *b, const struct received_report *r)
{
	char from[32], to[32];

	strbuf_puts(b, r->mail ? "by mail" : "by HTTPS");
	if (r->report == NULL) {
		strbuf_puts(b, ", unreadable: ");
		describe_said(b, r->why);
		return;
	}
	strbuf_puts(b, *r->report->organization == '\0' ? "" : " from ");
	describe_said(b, r->report->organization);
	if (r->report->start != 0) {
		describe_time(from, r->report->start, false);
		describe_time(to, r->report->end, false);
		strbuf_printf(b, ", about %s to %s", from, to);
	}
	strbuf_printf(b, ": %s%s%s",
	    r->answer == TLSRPT_TRUE    ? "says what was seen"
	    : r->answer == TLSRPT_FALSE ? "says what was not so"
					: "cannot be held against what was seen",
	    r->why[0] == '\0' ? "" : ", ", r->why);
}

void
describe_report_row(struct strbuf *b, const struct tlsrpt_row *row)
{
	static const char *const types[TLSRPT_TYPE_MAX + 1] = { "policy tlsa", "policy sts",
		"no policy found", "policy of no known type" };
	const struct tlsrpt_policy *p = row->policy;

	strbuf_printf(b, "%s: ", tlsrpt_answer_name(row->answer));
	if (row->failure == NULL) {
		strbuf_puts(b, types[p->type]);
		if (p->successes >= 0)
			strbuf_printf(b, ", %lld successes", (long long)p->successes);
		if (p->failures >= 0)
			strbuf_printf(b, ", %lld failures", (long long)p->failures);
	} else {
		describe_said(b, row->failure->said);
		strbuf_puts(b, *row->failure->mx == '\0' ? "" : " at ");
		describe_said(b, row->failure->mx);
		if (row->failure->count >= 0)
			strbuf_printf(b, ", counted %lld", (long long)row->failure->count);
	}
	strbuf_printf(b, "; %s (%u seen)", row->why, row->seen);
}

void
describe_resolver(struct strbuf *b, const struct resolver *r)
{
	if (r->edns < 0)
		strbuf_puts(b, "no EDNS");
	else if (r->edns_min < r->edns)
		strbuf_printf(b, "EDNS %d to %d", (int)r->edns_min, (int)r->edns);
	else
		strbuf_printf(b, "EDNS %d", (int)r->edns);
	for (unsigned f = RESOLVER_EDNS + 1; f < RESOLVER_FEATURE_MAX; f++) {
		if (resolver_has(r, f) && f != RESOLVER_TCP)
			strbuf_printf(b, ", %s", resolver_feature_words(f));
	}
	if (!resolver_has(r, RESOLVER_DNSSEC_OK))
		strbuf_puts(b, ", does not want DNSSEC records");
	if (r->udp > 1 && !resolver_has(r, RESOLVER_PORT_FIXED))
		strbuf_printf(b, ", %u source ports in %u queries", r->ports, r->udp);
}

void
describe_farm(struct strbuf *b, const struct correlation *c)
{
	const struct resolver_farm *f = &c->farm;
	const char *before = "; its members differ: ";

	strbuf_printf(b, "%zu address%s", c->n_resolvers, c->n_resolvers == 1 ? "" : "es");
	if (f->ipv6 > 0)
		strbuf_printf(b, ", %u of them IPv6", f->ipv6);
	for (unsigned k = 0; k < RESOLVER_FEATURE_MAX; k++) {
		if (((f->some & ~f->all) >> k & 1) == 0)
			continue;
		strbuf_printf(b, "%s%s", before, resolver_feature_words(k));
		before = ", ";
	}
}

static const struct {
	const char *layer;
	void (*describe)(struct strbuf *, const struct observation *);
} rows[EV_KIND_MAX] = {
	[EV_DNS_QUERY] = { "DNS", describe_query },
	[EV_NET_SYN] = { "TCP", describe_syn },
	[EV_SMTP_CONNECT] = { "TCP", describe_place },
	[EV_SMTP_BIND] = { "SMTP", describe_bind },
	[EV_SMTP_EARLY] = { "SMTP", describe_early },
	[EV_SMTP_COMMAND] = { "SMTP", describe_command },
	[EV_SMTP_FRAMING] = { "SMTP", describe_framing },
	[EV_SMTP_INJECT] = { "SMTP", describe_framing },
	[EV_SMTP_MESSAGE] = { "SMTP", describe_message },
	[EV_SMTP_CLOSE] = { "SMTP", describe_close },
	[EV_TLS_HELLO] = { "TLS", describe_hello },
	[EV_TLS_DONE] = { "TLS", describe_done },
	[EV_TLS_FAIL] = { "TLS", describe_fail },
	[EV_TLS_ALERT] = { "TLS", describe_alert },
	[EV_TLS_CLOSE] = { "TLS", describe_tls_close },
	[EV_SITE_CHECK] = { "site", describe_check },
	[EV_TLSRPT_REPORT] = { "report", describe_tlsrpt },
	[EV_HTTP_CONNECT] = { "HTTPS", describe_http_place },
	[EV_HTTP_REQUEST] = { "HTTPS", describe_request },
	[EV_HTTP_CLOSE] = { "HTTPS", describe_http_place },
	[EV_VERIFY_RESULT] = { "mail", describe_verify },
	[EV_VERIFY_CRASHED] = { "mail", describe_verify },
	[EV_VERIFY_SKIPPED] = { "mail", describe_verify },
	[EV_VERIFY_LOST] = { "mail", describe_verify },
	[EV_SMTP_DSN] = { "bounce", describe_bounce },
	[EV_OUT_SENT] = { "sent", describe_sent },
	[EV_OUT_DELIVERY] = { "sent", describe_delivery },
	[EV_OUT_PUBLISHED] = { "DNS", describe_published },
};

const char *
describe_layer(const struct observation *o)
{
	return rows[o->kind].layer == NULL ? "site" : rows[o->kind].layer;
}

void
describe_event(struct strbuf *b, const struct observation *o)
{
	if (rows[o->kind].describe != NULL)
		rows[o->kind].describe(b, o);
	else
		strbuf_puts(b, event_kind(o->kind)->about);
	say_key(b, o, EK_DEV, "  [applied: ");
	if (*text_of(o, EK_DEV) != '\0')
		strbuf_puts(b, "]");
}

void
describe_attempt(struct strbuf *b, const struct attempt *a)
{
	strbuf_puts(b, a->family == 6 ? "IPv6" : a->family == 4 ? "IPv4" : "?");
	if (a->host >= 0)
		strbuf_printf(b, " host %d", a->host);
	if (*a->peer != '\0') {
		strbuf_puts(b, " from ");
		describe_said(b, a->peer);
	}
	strbuf_puts(b, a->accepted             ? ", accepted"
		       : a->stage == STAGE_SYN ? ", SYN only"
					       : ", ended at ");
	if (!a->accepted && a->stage != STAGE_SYN)
		strbuf_puts(b, stage_name(a->stage));
	if (a->stage == STAGE_SYN &&
	    (strcmp(a->state, "refuses") == 0 || strcmp(a->state, "silent") == 0))
		strbuf_printf(
		    b, ", the host %s", strcmp(a->state, "silent") == 0 ? "is silent" : "refuses");
	if (a->stage != STAGE_SYN) {
		strbuf_puts(b, a->tls ? ", " : ", in clear");
		if (a->tls)
			describe_said(b, *a->tls_version == '\0' ? "TLS" : a->tls_version);
	}
	if (!a->accepted && a->reply > 0) {
		strbuf_printf(b, ", last reply %d ", a->reply);
		describe_said(b, a->reply_text);
	}
	if (*a->alert_in != '\0' && strcmp(a->alert_in, "close_notify") != 0) {
		strbuf_puts(b, ", alert ");
		describe_said(b, a->alert_in);
	}
	if (a->mixed)
		strbuf_puts(b, ", recipients of several tests");
}

void
describe_duration(char dst[32], int64_t us)
{
	if (us < 0)
		us = 0;
	if (us >= 60 * CLOCK_SECOND)
		duration_format(dst, us - us % CLOCK_SECOND);
	else if (us >= 10 * CLOCK_SECOND)
		snprintf(dst, 32, "%d s", (int)(us / CLOCK_SECOND));
	else if (us >= CLOCK_SECOND)
		snprintf(dst, 32, "%d.%d s", (int)(us / CLOCK_SECOND),
		    (int)(us % CLOCK_SECOND / 100000));
	else
		snprintf(dst, 32, "%d ms", (int)(us / 1000));
}

void
describe_time(char dst[32], int64_t t, bool milliseconds)
{
	char text[CLOCK_TEXT_MAX];

	clock_format(text, t);
	snprintf(dst, 32, "%.10s %.*s", text, milliseconds ? 12 : 8, text + 11);
}
