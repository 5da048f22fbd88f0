/* session_tls.c - what a session makes of the reports of the TLS engine (session.h). */
#include <stdio.h>
#include <string.h>

#include "smtpd/session.h"

/* Where TLS begins: a handshake record (22, version 3.x) or an SSLv2-format hello at the very start. */
static size_t
tls_offset(const unsigned char *p, size_t len)
{
	if (len >= 3 && (p[0] & 0x80) && p[2] == 1)
		return 0;
	if (len > 0 && len < 3 && (p[0] & 0x80))
		return 0;
	for (size_t i = 0; i < len; i++)
		if (p[i] == 0x16 && (i + 1 == len || p[i + 1] == 3))
			return i;
	return len;
}

size_t
session_preface(struct session *s, const char *bytes, size_t len, const char *what, int64_t now_us)
{
	struct event_line *e;
	size_t n;

	s->now_us = s->active_us = now_us;
	if (s->tls_begun)
		return 0;
	n = tls_offset((const unsigned char *)bytes, len);
	s->tls_begun = n < len;
	if (n == 0)
		return 0;
	e = session_event(s, EV_SMTP_INJECT);
	event_str(e, EK_WHAT, what);
	session_hex(e, bytes, n);
	session_event_end(s);
	return n;
}

static enum tls_verdict
handshake_rule(struct session *s)
{
	const struct host_rule *r = s->act.rule;

	if (s->bind.host->starttls == STARTTLS_ABORT) {
		s->dev_last = "starttls abort";
		return TLS_ABORT;
	}
	if (r == NULL)
		return TLS_GO;
	s->dev_last = s->act.dev;
	switch (r->action) {
	case DO_CLOSE:
	case DO_RST:
		session_close(s, HOW_OURS, r->action == DO_RST);
		return TLS_GONE;
	case DO_HOLD:
		s->wait = WAIT_FOREVER;
		return TLS_HOLD;
	case DO_REPLY: /* nobody could read it: a fatal alert instead */
		return TLS_ABORT;
	case DO_DELAY:
		break;
	}
	return TLS_GO;
}

static enum tls_verdict
on_hello(void *who, const unsigned char *msg, size_t len, int64_t now_us)
{
	struct session *s = who;
	struct hello h;
	struct binding b = s->bind;
	struct behave_who client;
	struct event_line *e;

	s->now_us = s->active_us = now_us;
	if (msg == NULL) /* again, after the delay */
		return handshake_rule(s);
	hello_decode(&h, msg, len);
	session_stage(s, STAGE_HELLO);
	e = session_event(s, EV_TLS_HELLO);
	observe_hello(e, &h, msg, len, false);
	session_event_end(s);
	if (h.sni[0] != '\0' && bind_sni(&b, s->env->site, h.sni, strlen(h.sni)) == BIND_NEW) {
		session_release(s, &b);
		session_bound(s, &b);
	}
	s->bind.named = b.named;
	session_who(s, &client);
	behave_at(&s->act, s->bind.host, AT_HANDSHAKE, -1, &client);
	if (s->act.delay_us > 0) {
		session_delay(s, s->act.delay_us, STEP_HANDSHAKE);
		return TLS_DELAY;
	}
	return handshake_rule(s);
}

static void
on_hello_again(void *who, const unsigned char *msg, size_t len, int64_t now_us)
{
	struct session *s = who;
	struct event_line *e;
	struct hello h;

	s->now_us = s->active_us = now_us;
	hello_decode(&h, msg, len);
	e = session_event(s, EV_TLS_HELLO);
	observe_hello(e, &h, msg, len, true);
	session_event_end(s);
}

static bool
waits(const void *who)
{
	const struct session *s = who;

	return s->wait != WAIT_NONE;
}

static void
on_done(void *who, const struct tls_done *d, int64_t now_us)
{
	struct session *s = who;
	struct event_line *e;

	s->now_us = s->active_us = now_us;
	session_stage(s, STAGE_HANDSHAKE);
	e = session_event(s, EV_TLS_DONE);
	observe_tls_done(e, d);
	session_event_end(s);
	/* RFC 3207 4.2: what was said before is forgotten. */
	session_reset(s);
	s->tls = s->was_tls = true;
	s->greeted = s->pipelining = false;
	s->state = ST_COMMAND;
	session_phase(s, PHASE_TLS);
}

static void
on_failed(void *who, const char *reason, int64_t now_us)
{
	struct session *s = who;
	struct event_line *e;

	s->now_us = s->active_us = now_us;
	e = session_event(s, EV_TLS_FAIL);
	event_str(e, EK_REASON, reason);
	event_str(e, EK_DEV, s->dev_last);
	session_event_end(s);
}

static void
on_alert(void *who, bool out, unsigned level, const char *name, int64_t now_us)
{
	struct session *s = who;
	struct event_line *e;

	s->now_us = now_us;
	if (!out && strcmp(name, "close_notify") == 0)
		s->tls_closed = true;
	e = session_event(s, EV_TLS_ALERT);
	observe_alert(e, out, level, name);
	session_event_end(s);
}

static void
on_input(void *who, const char *bytes, size_t len, int64_t now_us)
{
	session_input(who, bytes, len, now_us);
}

const struct tls_user session_tls = {
	.hello = on_hello,
	.hello_again = on_hello_again,
	.waits = waits,
	.done = on_done,
	.failed = on_failed,
	.alert = on_alert,
	.input = on_input,
};
