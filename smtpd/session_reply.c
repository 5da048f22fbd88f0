/* session_reply.c - how a session speaks (session.h): its events, its replies, and what a test's host does
 * in their place. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "smtpd/session.h"

#define HEX_MAX 64 /* octets shown of odd input */

/* --- events ----------------------------------------------------------------------------------- */

struct event_line *
session_event(struct session *s, enum event_kind kind)
{
	struct event_line *e = s->env->line;

	event_begin(e, kind, s->env->ops->origin(s->ctx), s->now_us);
	if (s->bind.test != NULL && !s->to_operator && !s->for_operator) {
		event_str(e, EK_TOKEN, s->bind.token.text);
		event_str(e, EK_TEST, s->bind.test->name);
	}
	event_str(e, EK_CONN, s->conn);
	return e;
}

void
session_event_end(struct session *s)
{
	event_end(s->env->line);
	s->env->ops->event(s->ctx, s->env->line->buf, s->env->line->len);
}

void
session_hex(struct event_line *e, const char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * HEX_MAX];

	event_num(e, EK_BYTES, (int64_t)len);
	if (len > HEX_MAX)
		len = HEX_MAX;
	for (size_t i = 0; i < len; i++) {
		hex[2 * i] = digits[(unsigned char)bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	event_text(e, EK_HEX, hex, 2 * len);
}

void
session_early(struct session *s, const char *bytes, size_t len)
{
	struct event_line *e;

	if (s->early_noted || len == 0)
		return;
	s->early_noted = true;
	e = session_event(s, EV_SMTP_EARLY);
	event_str(e, EK_VERB, command_known(bytes, len));
	session_hex(e, bytes, len);
	session_event_end(s);
}

void
session_framing(struct session *s, const char *what, const char *line, size_t len)
{
	struct event_line *e = session_event(s, EV_SMTP_FRAMING);

	event_str(e, EK_WHAT, what);
	session_hex(e, line, len);
	session_event_end(s);
}

static void
bind_event(struct session *s)
{
	struct event_line *e = session_event(s, EV_SMTP_BIND);

	event_str(e, EK_BY, bind_by_name(s->bind.by));
	event_num(e, EK_HOST, s->bind.k);
	if (s->phase > 0)
		event_num(e, EK_PHASE, s->phase);
	session_event_end(s);
}

void
session_bound(struct session *s, const struct binding *b)
{
	/* A connection that is used again for another test: the stages so far belong to the
	 * transaction before, and what ends the session says how far this one came. */
	if (s->bind.test != NULL && (s->bind.test != b->test || s->bind.token.id != b->token.id) &&
	    s->stage > STAGE_RCPT)
		s->stage = STAGE_RCPT; /* that of the recipient that binds */
	s->bind = *b;
	if (b->released)
		s->dev_last = SESSION_RELEASED;
	session_phase(s, PHASE_ATTEMPT);
	if (s->tls)
		session_phase(s, PHASE_TLS);
	bind_event(s);
}

void
session_command_event(struct session *s, unsigned code, const char *text)
{
	struct event_line *e = session_event(s, EV_SMTP_COMMAND);

	event_str(e, EK_VERB, s->state == ST_START ? "CONNECT" : command_verb(s->cmd));
	if (s->state != ST_START && s->arg_len > 0)
		event_text(e, EK_ARG, s->arg, s->arg_len);
	event_num(e, EK_REPLY, code);
	if (text != NULL)
		event_text(e, EK_ECODE, text, strcspn(text, "\r\n"));
	event_bool(e, EK_PIPELINED, s->pipelined);
	event_bool(e, EK_TLS, s->tls);
	if (s->rcpt != NULL && (s->mailbox >= 0 || s->to_reports))
		event_text(e, EK_MAILBOX, s->rcpt->local, s->rcpt->local_len);
	if (s->bind.test != NULL || s->bind.front != NULL)
		event_num(e, EK_HOST, s->bind.k);
	event_str(e, EK_DEV, s->dev);
	if (s->phase > 0)
		event_num(e, EK_PHASE, s->phase);
	session_event_end(s);
}
/* --- replies ---------------------------------------------------------------------------------- */

void
session_put_reply(struct session *s, unsigned code, const char *text)
{
	char stack[1024];
	struct strbuf long_reply = { 0 };
	const char *p = text;
	size_t n;
	int len;

	/* Nearly always one short line. */
	n = strcspn(p, "\n");
	if (p[n] == '\0' && n < sizeof stack - 8) {
		len = snprintf(stack, sizeof stack, "%u %s\r\n", code, text);
		s->env->ops->reply(s->ctx, stack, (size_t)len);
		return;
	}
	for (;; p += n + 1) {
		n = strcspn(p, "\n");
		snprintf(stack, sizeof stack, "%u%c", code, p[n] == '\0' ? ' ' : '-');
		strbuf_puts(&long_reply, stack);
		strbuf_add(&long_reply, p, n);
		strbuf_puts(&long_reply, "\r\n");
		if (p[n] == '\0')
			break;
	}
	s->env->ops->reply(s->ctx, long_reply.s, long_reply.len);
	strbuf_clear(&long_reply);
}

void
session_reply(struct session *s, unsigned code, const char *text)
{
	if (s->override != NULL && code / 100 == s->override->code / 100) {
		code = s->override->code;
		text = s->override->text != NULL ? s->override->text : text;
	}
	if (s->dev != NULL)
		s->dev_last = s->dev;
	/* The greeting is no answer to a command; it is recorded if it deviates. */
	if (s->state != ST_START || s->dev != NULL)
		session_command_event(s, code, text);
	session_put_reply(s, code, text);
	if (code == 421)
		session_close(s, HOW_OURS, false);
}

void
session_replyf(struct session *s, unsigned code, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	session_reply(s, code, text);
}

void
session_close(struct session *s, enum session_how how, bool reset)
{
	if (s->state == ST_CLOSING)
		return;
	s->state = ST_CLOSING;
	s->wait = WAIT_NONE;
	if (s->how == HOW_NONE)
		s->how = how;
	s->active_us = s->now_us;
	s->env->ops->close(s->ctx, reset);
}

void
session_deviate(struct session *s, const struct host_rule *r)
{
	s->dev_last = s->dev;
	switch (r->action) {
	case DO_REPLY:
		session_reply(s, r->code, r->text != NULL ? r->text : "");
		return;
	case DO_CLOSE:
	case DO_RST:
		session_command_event(s, 0, NULL);
		session_close(s, HOW_OURS, r->action == DO_RST);
		return;
	case DO_HOLD:
		session_command_event(s, 0, NULL);
		s->wait = WAIT_FOREVER;
		return;
	case DO_DELAY:
		return; /* taken by behave_at */
	}
}

void
session_delay(struct session *s, int64_t us, enum session_step step)
{
	s->wait = WAIT_DELAY;
	s->step = step;
	s->wait_us = s->now_us + us;
	s->dev_last = s->act.dev;
}
