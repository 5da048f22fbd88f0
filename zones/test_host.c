/* test_host.c - sections [host K] and [policy] of a test file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"
#include "zones/parse.h"

const char *const cert_names[] = { "pkix-valid", "wrong-name", "expired", "self-signed",
	"untrusted", "cn-only", "ed25519", "rsa", NULL };

const char *
cert_kind_name(enum cert_kind k)
{
	return (unsigned)k < CERT_KIND_MAX ? cert_names[k] : "?";
}

static int
begin_host(struct parse *p, const struct text_line *l)
{
	unsigned long k;

	if (l->n != 2)
		return parse_fail(p, l->number, "[host]: must be written: [host K]");
	if (parse_number(p, l->number, "host", l->word[1], 0, TEST_HOSTS_MAX - 1, &k) != 0)
		return -1;
	p->host = &p->test->host[k];
	if (p->host->used)
		return parse_fail(p, l->number, "[host %lu]: said twice", k);
	p->host->used = true;
	p->host->line = l->number;
	p->host->tls_min = 0x0303;
	p->host->tls_max = 0x0304;
	if (p->test->n_hosts < k + 1)
		p->test->n_hosts = (unsigned)k + 1;
	return 0;
}

/* Text that goes out as a reply: one line of SMTP, or several. */
static int
reply_text(struct parse *p, const struct text_line *l, const char *s)
{
	size_t lines = 1, column = 0;

	for (; *s != '\0'; s++) {
		lines += *s == '\n';
		column = *s == '\n' ? 0 : column + 1;
		if (*s != '\n' && ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e))
			return parse_fail(p, l->number, "%s: a reply is ASCII", l->word[0]);
		if (column > 400 || lines > 100)
			return parse_fail(p, l->number,
			    "%s: a reply has at most 100 lines of 400 characters", l->word[0]);
	}
	return 0;
}

static int
host_greet(struct parse *p, const struct text_line *l)
{
	if (reply_text(p, l, l->word[1]) != 0)
		return -1;
	p->host->greet = xstrdup(l->word[1]);
	return 0;
}

static int
host_ehlo(struct parse *p, const struct text_line *l)
{
	if (l->n == 2 && strcmp(l->word[1], "none") == 0) {
		p->host->ehlo = xstrdup("");
		return 0;
	}
	for (unsigned i = 1; i < l->n; i++) {
		if (strspn(l->word[i],
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-=,") !=
		    strlen(l->word[i]))
			return parse_fail(p, l->number,
			    "ehlo %.40s: no keyword; a parameter is written KEYWORD=VALUE",
			    l->word[i]);
		if (strcasecmp(l->word[i], "STARTTLS") == 0)
			return parse_fail(
			    p, l->number, "ehlo STARTTLS: is said by the word starttls");
	}
	p->host->ehlo = parse_join(l, 1, l->n);
	return 0;
}

static int
host_starttls(struct parse *p, const struct text_line *l)
{
	static const char *const modes[] = { "offer", "off", "CODE", "mangle", "inject", "abort",
		NULL };
	struct host *h = p->host;
	const char *s = l->word[1];
	unsigned long code;
	int k;

	if (s[0] >= '0' && s[0] <= '9') {
		h->starttls = STARTTLS_CODE;
		if (parse_number(p, l->number, "starttls", s, 400, 599, &code) != 0)
			return -1;
		h->starttls_code = (unsigned)code;
	} else {
		if ((k = parse_word(p, l->number, "starttls", modes, s)) < 0)
			return -1;
		if (k == STARTTLS_CODE)
			return parse_fail(p, l->number,
			    "starttls CODE: CODE stands for a number, e.g. starttls 454");
		h->starttls = (enum starttls_mode)k;
	}
	if ((h->starttls == STARTTLS_INJECT) != (l->n == 3))
		return parse_fail(
		    p, l->number, "starttls %s: a text must follow inject, and only inject", s);
	if (l->n == 3)
		h->starttls_text = xstrdup(l->word[2]);
	return 0;
}

static int
host_require_tls(struct parse *p, const struct text_line *l)
{
	(void)l;
	p->host->require_tls = true;
	return 0;
}

/* "1.2" or "1.0..1.3" */
static int
host_tls(struct parse *p, const struct text_line *l)
{
	const char *s = l->word[1];
	size_t len = strlen(s);

	if ((len != 3 && len != 8) || memcmp(s, "1.", 2) != 0 || s[2] < '0' || s[2] > '3' ||
	    (len == 8 && (memcmp(s + 3, "..1.", 4) != 0 || s[7] < s[2] || s[7] > '3')))
		return parse_fail(p, l->number,
		    "tls %.20s: must be MIN..MAX of 1.0 1.1 1.2 1.3, or one of them", s);
	p->host->tls_min = 0x0301 + (s[2] - '0');
	p->host->tls_max = 0x0301 + (s[len - 1] - '0');
	return 0;
}

static int
host_ciphers(struct parse *p, const struct text_line *l)
{
	p->host->ciphers = xstrdup(l->word[1]);
	return 0;
}

static int
host_groups(struct parse *p, const struct text_line *l)
{
	p->host->groups = xstrdup(l->word[1]);
	return 0;
}

static int
host_dh(struct parse *p, const struct text_line *l)
{
	static const char *const sizes[] = { "1024", NULL };

	p->host->weak_dh = true;
	return parse_word(p, l->number, "dh", sizes, l->word[1]) < 0 ? -1 : 0;
}

static int
host_client_cert(struct parse *p, const struct text_line *l)
{
	(void)l;
	p->host->client_cert = true;
	return 0;
}

static int
host_cert(struct parse *p, const struct text_line *l)
{
	int k = parse_word(p, l->number, "cert", cert_names, l->word[1]);

	p->host->cert = (enum cert_kind)k;
	return k < 0 ? -1 : 0;
}

static int
host_sni_only(struct parse *p, const struct text_line *l)
{
	(void)l;
	p->host->sni_only = true;
	return 0;
}

/* --- at POINT ACTION --------------------------------------------------------------------------- */
const char *const point_names[] = { "connect", "banner", "ehlo", "starttls", "handshake",
	"tls-ehlo", "mail", "rcpt", "data", "dot", "quit", NULL };
const char *const host_action_names[] = { "reply", "delay", "close", "rst", "hold", NULL };

/* The action and its arguments at word 2; *used: the first word after them. */
static int
rule_action(struct parse *p, const struct text_line *l, struct host_rule *r, unsigned *used)
{
	unsigned long code;
	int k = parse_word(p, l->number, "action", host_action_names, l->word[2]);

	if (k < 0)
		return -1;
	r->action = (enum host_action)k;
	*used = r->action == DO_REPLY ? 5 : r->action == DO_DELAY ? 4 : 3;
	if (l->n < *used)
		return parse_fail(p, l->number, "at %s %s: must be written: at %s %s", l->word[1],
		    l->word[2], l->word[1],
		    r->action == DO_REPLY ? "reply CODE TEXT" : "delay DURATION");
	if (r->action == DO_DELAY)
		return parse_duration(p, l->number, "delay", l->word[3], &r->delay_us);
	if (r->action != DO_REPLY)
		return 0;
	if (r->at == AT_CONNECT || r->at == AT_HANDSHAKE)
		return parse_fail(
		    p, l->number, "at %s reply: there is nothing to reply to", l->word[1]);
	if (parse_number(p, l->number, "reply", l->word[3], 220, 599, &code) != 0)
		return -1;
	if (!l->quoted[4])
		return parse_fail(p, l->number, "reply %lu: its text must stand in quotes", code);
	r->code = (unsigned)code;
	return reply_text(p, l, l->word[4]);
}

static int
host_at(struct parse *p, const struct text_line *l)
{
	struct host_rule r = { .line = l->number, .mailbox = -1 };
	struct host *h = p->host;
	unsigned used;
	unsigned long n;
	int k = parse_word(p, l->number, "at", point_names, l->word[1]);

	if (k < 0)
		return -1;
	r.at = (enum smtp_point)k;
	if (rule_action(p, l, &r, &used) != 0)
		return -1;
	if (l->n >= used + 2 && strcmp(l->word[used], "mailbox") == 0) {
		if (r.at != AT_RCPT)
			return parse_fail(
			    p, l->number, "mailbox: only at rcpt is one mailbox meant");
		if (parse_number(p, l->number, "mailbox", l->word[used + 1], 0, 7, &n) != 0)
			return -1;
		r.mailbox = (int)n;
		used += 2;
	}
	if (parse_condition(p, l, used, &r.when) != 0)
		return -1;
	if (h->n_rules == 64)
		return parse_fail(p, l->number, "at: more than 64 rules for one host");
	if (r.action == DO_REPLY)
		r.text = xstrdup(l->word[4]);
	r.dev = r.action == DO_REPLY ? xasprintf("reply %u", r.code)
				     : parse_join(l, 2, r.action == DO_DELAY ? 4 : 3);
	h->rules = parse_grow(h->rules, h->n_rules, sizeof r);
	h->rules[h->n_rules++] = r;
	return 0;
}

static const struct keyword host_keywords[] = {
	{ "greet", 1, 1, false, "greet TEXT", host_greet },
	{ "ehlo", 1, 32, false, "ehlo KEYWORD[=VALUE]...|none", host_ehlo },
	{ "starttls", 1, 2, false, "starttls offer|off|CODE|mangle|inject TEXT|abort",
	    host_starttls },
	{ "require-tls", 0, 0, false, "require-tls", host_require_tls },
	{ "tls", 1, 1, false, "tls MIN..MAX", host_tls },
	{ "ciphers", 1, 1, false, "ciphers LIST", host_ciphers },
	{ "groups", 1, 1, false, "groups LIST", host_groups },
	{ "dh", 1, 1, false, "dh 1024", host_dh },
	{ "client-cert", 0, 0, false, "client-cert", host_client_cert },
	{ "cert", 1, 1, false, "cert KIND", host_cert },
	{ "sni-only", 0, 0, false, "sni-only", host_sni_only },
	{ "at", 2, KEYWORD_ANY, true, "at POINT ACTION [mailbox K] [while CONDITION]", host_at },
};
const struct section section_host = { "host", "[host K]", begin_host, host_keywords,
	sizeof host_keywords / sizeof host_keywords[0], NULL, NULL, NULL };

/* --- [policy] ---------------------------------------------------------------------------------- */
static int
begin_policy(struct parse *p, const struct text_line *l)
{
	struct test *t = p->test;
	unsigned long from = 0, to = 0;

	if (l->n == 3 && strcmp(l->word[1], "phase") == 0) {
		char *s = l->word[2], *dots = strstr(s, "..");
		if (dots != NULL)
			*dots = '\0';
		if (parse_number(p, l->number, "phase", s, 1, TEST_PHASES_MAX, &from) != 0 ||
		    parse_number(p, l->number, "phase", dots != NULL ? dots + 2 : s, from,
			TEST_PHASES_MAX, &to) != 0)
			return -1;
	} else if (l->n != 1) {
		return parse_fail(
		    p, l->number, "[policy]: must be written: %s", section_policy.usage);
	}
	for (unsigned i = 0; i < t->n_policy; i++)
		if (from == 0 || t->policy[i].phase_from == 0 ||
		    (from <= t->policy[i].phase_to && to >= t->policy[i].phase_from))
			return parse_fail(
			    p, l->number, "[policy]: another one is served in the same phase");
	if (t->n_policy == TEST_PHASES_MAX)
		return parse_fail(p, l->number, "[policy]: more than %d", TEST_PHASES_MAX);
	p->policy = &t->policy[t->n_policy++];
	p->policy->used = true;
	p->policy->status = 200;
	p->policy->max_age = 604800;
	p->policy->phase_from = (unsigned)from;
	p->policy->phase_to = (unsigned)to;
	return 0;
}

static int
policy_mode(struct parse *p, const struct text_line *l)
{
	static const char *const modes[] = { "enforce", "testing", "none", NULL };

	if (parse_word(p, l->number, "mode", modes, l->word[1]) < 0)
		return -1;
	p->policy->mode = xstrdup(l->word[1]);
	return 0;
}

/* A host pattern: a template name, with "*." before it for any one label (RFC 8461 4.1). */
static int
policy_mx(struct parse *p, const struct text_line *l)
{
	struct template_name name;

	for (unsigned i = 1; i < l->n; i++) {
		const char *s = l->word[i];
		if (parse_name(p, l->number, strncmp(s, "*.", 2) == 0 ? s + 2 : s, -1, &name) != 0)
			return -1;
		p->policy->mx[p->policy->n_mx++] = xstrdup(s);
	}
	return 0;
}

static int
policy_max_age(struct parse *p, const struct text_line *l)
{
	unsigned long n;

	if (parse_number(p, l->number, "max_age", l->word[1], 0, 31557600, &n) != 0)
		return -1;
	p->policy->max_age = (uint32_t)n;
	return 0;
}

static int
policy_status(struct parse *p, const struct text_line *l)
{
	unsigned long n;

	if (parse_number(p, l->number, "status", l->word[1], 200, 599, &n) != 0)
		return -1;
	p->policy->status = (unsigned)n;
	return 0;
}

static int
header_text(struct parse *p, const struct text_line *l, char **dst)
{
	if (reply_text(p, l, l->word[1]) != 0)
		return -1;
	if (strchr(l->word[1], '\n') != NULL)
		return parse_fail(p, l->number, "%s: must be one line", l->word[0]);
	*dst = xstrdup(l->word[1]);
	return 0;
}

static int
policy_redirect(struct parse *p, const struct text_line *l)
{
	return header_text(p, l, &p->policy->redirect);
}

static int
policy_type(struct parse *p, const struct text_line *l)
{
	return header_text(p, l, &p->policy->type);
}

static int
policy_pad(struct parse *p, const struct text_line *l)
{
	unsigned long n;

	if (parse_number(p, l->number, "pad", l->word[1], 0, 1048576, &n) != 0)
		return -1;
	p->policy->pad = (uint32_t)n;
	return 0;
}

static int
policy_slow(struct parse *p, const struct text_line *l)
{
	return parse_duration(p, l->number, "slow", l->word[1], &p->policy->slow_us);
}

static int
policy_omit(struct parse *p, const struct text_line *l)
{
	static const char *const fields[] = { "version", "mode", "mx", "max_age", NULL };

	if (parse_word(p, l->number, "omit", fields, l->word[1]) < 0)
		return -1;
	p->policy->omit = xstrdup(l->word[1]);
	return 0;
}

static int
policy_cert(struct parse *p, const struct text_line *l)
{
	int k = parse_word(p, l->number, "cert", cert_names, l->word[1]);

	p->policy->cert = (enum cert_kind)k;
	return k < 0 ? -1 : 0;
}

static int
policy_extra(struct parse *p, const struct text_line *l)
{
	p->policy->extra = xstrdup(l->word[1]);
	return 0;
}

static int
end_policy(struct parse *p)
{
	const struct policy *y = p->policy;

	if (y->status == 200 && y->mode == NULL)
		return parse_fail(p, p->section_line, "[policy]: mode is missing");
	if (y->status == 200 && y->n_mx == 0 && strcmp(y->mode, "none") != 0)
		return parse_fail(
		    p, p->section_line, "[policy]: mx is missing, mode %s needs it", y->mode);
	if ((y->redirect != NULL) != (y->status >= 300 && y->status <= 399))
		return parse_fail(
		    p, p->section_line, "[policy]: redirect and a status 3xx belong together");
	return 0;
}

static const struct keyword policy_keywords[] = {
	{ "mode", 1, 1, false, "mode enforce|testing|none", policy_mode },
	{ "mx", 1, 8, false, "mx NAME [NAME...]", policy_mx },
	{ "max_age", 1, 1, false, "max_age SECONDS", policy_max_age },
	{ "status", 1, 1, false, "status CODE", policy_status },
	{ "redirect", 1, 1, false, "redirect URL", policy_redirect },
	{ "type", 1, 1, false, "type MEDIATYPE", policy_type },
	{ "pad", 1, 1, false, "pad OCTETS", policy_pad },
	{ "slow", 1, 1, false, "slow DURATION", policy_slow },
	{ "omit", 1, 1, false, "omit FIELD", policy_omit },
	{ "cert", 1, 1, false, "cert KIND", policy_cert },
	{ "extra", 1, 1, false, "extra TEXT", policy_extra },
};
const struct section section_policy = { "policy", "[policy [phase N[..M]]]", begin_policy,
	policy_keywords, sizeof policy_keywords / sizeof policy_keywords[0], NULL, NULL,
	end_policy };
