/* web_tls.c - what an HTTPS connection makes of the reports of its TLS engine (web.h), and the certificate that
 * it shows. */
#include <stdio.h>
#include <string.h>

#include "smtpd/web.h"

enum cert_kind
web_certificate(const struct web *w, char name[256])
{
	const struct policy *p = web_policy(w);
	const struct site *site = w->env->site;
	struct web_name n;
	char zone[200];

	if (web_name_parse(&n, w->sni, strlen(w->sni), site) && n.test == w->test) {
		size_t len = strlen(w->sni);

		snprintf(name, 256, "%s", w->sni);
		if (name[len - 1] == '.')
			name[len - 1] = '\0';
		if (n.host == WEB_REPORT)
			return CERT_PKIX_VALID;
	} else if (w->test != NULL) {
		site_zone_name(zone, sizeof zone, site, w->test, 0);
		snprintf(name, 256, "mta-sts.%s.%s", w->token.text, zone);
	} else {
		snprintf(name, 256, "mta-sts.%s", site->conf.base);
	}
	return p != NULL ? p->cert : CERT_PKIX_VALID;
}

static enum tls_verdict
on_hello(void *who, const unsigned char *msg, size_t len, int64_t now_us)
{
	struct web *w = who;
	struct event_line *e;
	struct web_name n;
	struct hello h;

	w->now_us = now_us;
	if (msg == NULL)
		return TLS_GO;
	hello_decode(&h, msg, len);
	snprintf(w->sni, sizeof w->sni, "%s", h.sni);
	if (web_name_parse(&n, h.sni, strlen(h.sni), w->env->site) && web_take_name(w, &n, "sni"))
		web_look_up(w);
	e = web_event(w, EV_TLS_HELLO);
	observe_hello(e, &h, msg, len, false);
	web_event_end(w);
	return TLS_GO;
}

static void
on_hello_again(void *who, const unsigned char *msg, size_t len, int64_t now_us)
{
	struct web *w = who;
	struct event_line *e;
	struct hello h;

	w->now_us = now_us;
	hello_decode(&h, msg, len);
	e = web_event(w, EV_TLS_HELLO);
	observe_hello(e, &h, msg, len, true);
	web_event_end(w);
}

static bool
waits(const void *who)
{
	(void)who;
	return false;
}

static void
on_done(void *who, const struct tls_done *d, int64_t now_us)
{
	struct web *w = who;
	struct event_line *e;

	w->now_us = now_us;
	w->was_tls = true;
	w->state = WEB_HEAD;
	e = web_event(w, EV_TLS_DONE);
	observe_tls_done(e, d);
	web_event_end(w);
}

static void
on_failed(void *who, const char *reason, int64_t now_us)
{
	struct web *w = who;
	const struct policy *p = web_policy(w);
	struct event_line *e;

	if (w->tls_failed)
		return;
	w->tls_failed = true;
	w->now_us = now_us;
	if (p != NULL && p->cert != CERT_PKIX_VALID)
		snprintf(w->dev, sizeof w->dev, "cert %s", cert_kind_name(p->cert));
	e = web_event(w, EV_TLS_FAIL);
	event_str(e, EK_REASON, reason);
	event_str(e, EK_DEV, w->dev);
	web_event_end(w);
}

static void
on_alert(void *who, bool out, unsigned level, const char *name, int64_t now_us)
{
	struct web *w = who;
	struct event_line *e;

	w->now_us = now_us;
	if (!out && strcmp(name, "close_notify") == 0)
		w->tls_closed = true;
	e = web_event(w, EV_TLS_ALERT);
	observe_alert(e, out, level, name);
	web_event_end(w);
}

static void
on_input(void *who, const char *bytes, size_t len, int64_t now_us)
{
	web_input(who, bytes, len, now_us);
}

const struct tls_user web_tls = {
	.hello = on_hello,
	.hello_again = on_hello_again,
	.waits = waits,
	.done = on_done,
	.failed = on_failed,
	.alert = on_alert,
	.input = on_input,
};
