/* session.c - see session.h: life, greeting, framing and timing of a session. */
#include "smtpd/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"

#define PENDING_MAX 65536         /* octets kept while we cannot take them */
#define SKIP_MAX    (1024 * 1024) /* of a line without end, then the connection is closed */
#define LINGER_US   (5 * CLOCK_SECOND)

const char *
session_how_name(enum session_how how)
{
	static const char *const names[] = { "eof", "quit", "eof", "reset", "timeout", "ours",
		"error" };

	return names[how];
}

void
session_init(struct session *s, const struct session_env *env, void *ctx, const char *conn,
    const union sockaddr_any *peer, const union sockaddr_any *local, int64_t now_us)
{
	memset(s, 0, sizeof *s);
	s->env = env;
	s->ctx = ctx;
	snprintf(s->conn, sizeof s->conn, "%s", conn);
	s->peer = *peer;
	s->local = *local;
	s->start_us = s->active_us = s->now_us = now_us;
	s->mailbox = -1;
	bind_address(&s->bind, env->site, local);
	session_release(s, &s->bind);
}

void
session_clear(struct session *s)
{
	session_reset(s);
	session_helo(s, NULL, 0);
	strbuf_clear(&s->stash);
	strbuf_clear(&s->pending);
}

void
session_reset(struct session *s)
{
	free(s->from);
	s->from = NULL;
	s->from_len = 0;
	strbuf_clear(&s->rcpts);
	s->n_rcpts = s->n_tried = s->n_reports = s->n_bounces = 0;
	s->mail = s->batched = s->binary = s->for_operator = false;
	s->bdat.arg[0] = '\0';
	s->mailbox_text[0] = '\0';
	if (s->data != NULL) {
		if (s->data->sink != NULL)
			s->env->ops->body_end(s->ctx);
		data_clear(s->data);
		free(s->data);
		s->data = NULL;
	}
}

void
session_helo(struct session *s, const char *name, size_t len)
{
	free(s->helo);
	s->helo = NULL;
	if (name != NULL)
		s->helo = xstrndup(name, len < HANDOVER_HELO_MAX ? len : HANDOVER_HELO_MAX);
}

void
session_stage(struct session *s, enum stage stage)
{
	if (stage > s->stage)
		s->stage = stage;
}

void
session_who(const struct session *s, struct behave_who *who)
{
	memset(who, 0, sizeof *who);
	who->test = s->bind.test;
	who->id = s->bind.token.id;
	who->peer = &s->peer;
	who->sender = s->from;
	who->sender_len = s->from_len;
	who->phase = s->phase;
	who->now_us = s->now_us;
	who->memory = &s->env->memory;
}

void
session_release(const struct session *s, struct binding *b)
{
	b->released = b->test != NULL && released_covers(b->test) &&
		      released_has(s->env->released, b->token.id);
	if (b->released)
		b->host = bind_ordinary();
}

void
session_phase(struct session *s, enum phase_event event)
{
	s->phase = s->bind.released ? 0
				    : phase_note_event(&s->env->memory, s->bind.test,
					  s->bind.token.id, event, s->now_us);
}

/* --- greeting --------------------------------------------------------------------------------- */

void
session_name(const struct session *s, char *dst, size_t dstlen)
{
	char zone[256];

	if (s->bind.by != BIND_ADDRESS) {
		snprintf(dst, dstlen, "%s", s->env->site->conf.base);
		return;
	}
	snprintf(zone, sizeof zone, "%s.%s", s->bind.test->name, s->env->site->conf.base);
	snprintf(dst, dstlen, "%s.mx%u.%s", s->bind.token.text, s->bind.k, zone);
}

static void
connect_event(struct session *s)
{
	struct event_line *e = session_event(s, EV_SMTP_CONNECT);
	char text[ADDRESS_TEXT_MAX];

	address_format(text, &s->peer);
	event_str(e, EK_PEER, text);
	event_num(e, EK_PORT, address_port(&s->peer));
	address_format(text, &s->local);
	event_str(e, EK_LOCAL, text);
	if (s->bind.test != NULL || s->bind.front != NULL)
		event_num(e, EK_HOST, s->bind.k);
	session_event_end(s);
}

static void
greet(struct session *s)
{
	char name[320];

	if (s->too_many) {
		s->dev = "too many connections";
		session_reply(
		    s, 421, "4.7.0 Too many connections from your address, try again later");
		return;
	}
	if (s->act.rule != NULL && s->act.rule->code / 100 != 2) {
		s->refused = true;
		session_deviate(s, s->act.rule);
	} else {
		s->override = s->act.rule;
		session_name(s, name, sizeof name);
		if (s->bind.host->greet != NULL)
			session_reply(s, 220, s->bind.host->greet);
		else
			session_replyf(s, 220, "%s ESMTP Outpost", name);
		s->override = NULL;
	}
	s->dev = NULL;
	if (s->wait != WAIT_FOREVER)
		session_stage(s, STAGE_BANNER);
	if (s->state == ST_START && s->wait == WAIT_NONE)
		s->state = ST_COMMAND;
}

/* The points before the greeting, from the one that s->step names on. */
static void
before_greeting(struct session *s, bool delayed)
{
	struct behave_who who;

	session_who(s, &who);
	if (s->step == STEP_CONNECT) {
		if (!delayed) {
			behave_at(&s->act, s->bind.host, AT_CONNECT, -1, &who);
			if (s->act.delay_us > 0) {
				session_delay(s, s->act.delay_us, STEP_CONNECT);
				return;
			}
		}
		s->dev = s->act.dev;
		if (s->act.rule != NULL && !s->too_many) {
			session_deviate(s, s->act.rule);
			return;
		}
		s->step = STEP_BANNER;
		delayed = false;
	}
	if (!delayed) {
		behave_at(&s->act, s->bind.host, AT_BANNER, -1, &who);
		if (s->act.delay_us > 0) {
			session_delay(s, s->act.delay_us, STEP_BANNER);
			return;
		}
	}
	if (s->act.dev != NULL)
		s->dev = s->act.dev;
	greet(s);
}

static void session_run(struct session *);

void
session_start(struct session *s, const char *early, size_t len, bool too_many, int64_t now_us)
{
	s->now_us = now_us;
	s->too_many = too_many;
	session_stage(s, STAGE_CONNECT);
	connect_event(s);
	if (s->bind.by == BIND_ADDRESS) {
		struct binding b = s->bind;

		session_bound(s, &b);
	}
	if (len > 0) {
		session_early(s, early, len);
		strbuf_add(&s->pending, early, len);
		s->tail_pipelined = true;
	}
	s->step = STEP_CONNECT;
	before_greeting(s, false);
	session_run(s);
}

/* --- input ------------------------------------------------------------------------------------ */

/* What is odd about a line: nothing in nearly all cases. */
static void
line_oddities(struct session *s, const char *line, size_t len, bool crlf)
{
	if (!crlf)
		session_framing(s, "bare-lf", line, len);
	if (memchr(line, '\r', len) != NULL)
		session_framing(s, "bare-cr", line, len);
	if (memchr(line, '\0', len) != NULL)
		session_framing(s, "nul", line, len);
}

/* An over-long line: its rest is thrown away up to LF.  Returns octets used. */
static size_t
skip_line(struct session *s, const char *p, size_t len)
{
	const char *lf = memchr(p, '\n', len);
	size_t n = lf != NULL ? (size_t)(lf - p) + 1 : len;

	s->skipped += n;
	if (lf != NULL) {
		s->skipping = false;
		session_reply(s, 500, "5.5.6 Line too long");
	} else if (s->skipped > SKIP_MAX) {
		s->refused = true;
		session_reply(s, 421, "4.5.6 Line without end, goodbye");
	}
	return n;
}

/* Takes one command line.  Returns octets used, 0: more is needed. */
static size_t
take_line(struct session *s, const char *p, size_t len)
{
	size_t max = s->env->site->conf.smtp_line, n;
	const char *lf;
	bool crlf;

	if (s->skipping)
		return skip_line(s, p, len);
	lf = memchr(p, '\n', len < max ? len : max);
	if (lf == NULL && len < max)
		return 0;
	s->pipelined = s->batch > 0 || s->tail_pipelined;
	s->tail_pipelined = false;
	s->early_noted = false;
	s->batch++;
	if (lf == NULL) {
		session_framing(s, "long-line", p, len);
		s->cmd = NULL;
		s->arg = p;
		s->arg_len = 0;
		s->commands++;
		s->skipping = true;
		s->skipped = 0;
		return skip_line(s, p, len);
	}
	n = (size_t)(lf - p);
	crlf = n > 0 && p[n - 1] == '\r';
	line_oddities(s, p, n - crlf, crlf);
	s->line = p;
	s->line_len = n - crlf;
	command_line(s, p, n - crlf);
	return n + 1;
}

/* Does the client have to await the reply to the command that was just taken (RFC 2920 3.1)? */
static void
note_early(struct session *s, const char *rest, size_t len)
{
	if (len > 0 && (command_is_last(s->cmd) || !s->pipelining))
		session_early(s, rest, len);
}

/* STARTTLS was answered with 220: what is left of the input is either TLS or an injection. */
static void
start_tls(struct session *s, const char *rest, size_t len)
{
	size_t skip = session_preface(s, rest, len, "same-segment", s->now_us);

	s->env->ops->start_tls(s->ctx, rest + skip, len - skip);
}

/* Takes what it can of (p, len); returns octets used. */
static size_t
consume(struct session *s, const char *p, size_t len)
{
	size_t used = 0, n;

	while (used < len && s->wait == WAIT_NONE) {
		if (s->state == ST_COMMAND) {
			n = take_line(s, p + used, len - used);
			if (n == 0)
				break;
			used += n;
			if (s->state == ST_TLS) {
				start_tls(s, p + used, len - used);
				return len;
			}
			/* The octets of a chunk follow BDAT without waiting (RFC 3030 2). */
			if (s->cmd != NULL && !s->skipping && !s->bdat.active)
				note_early(s, p + used, len - used);
		} else if (s->state == ST_DATA) {
			used += message_input(s, p + used, len - used);
		} else {
			return s->state == ST_CLOSING ? len : used;
		}
	}
	return used;
}

/* Goes on with what waits in pending. */
static void
session_run(struct session *s)
{
	struct strbuf in = s->pending;
	size_t used;

	if (in.len == 0 || s->wait != WAIT_NONE || s->state == ST_START)
		return;
	memset(&s->pending, 0, sizeof s->pending);
	used = consume(s, in.s, in.len);
	if (used < in.len && s->state != ST_CLOSING) {
		if (s->batch > 0)
			s->tail_pipelined = true;
		memmove(in.s, in.s + used, in.len - used);
		in.len -= used;
		/* Whatever consume kept itself cannot be: it only reads. */
		s->pending = in;
		return;
	}
	strbuf_clear(&in);
}

void
session_input(struct session *s, const char *bytes, size_t len, int64_t now_us)
{
	size_t used;

	s->now_us = s->active_us = now_us;
	if (s->state == ST_CLOSING || len == 0)
		return;
	if (s->wait != WAIT_NONE || s->state == ST_START) {
		if (s->state == ST_START || (s->state == ST_COMMAND && s->wait == WAIT_DELAY &&
						(command_is_last(s->cmd) || !s->pipelining)))
			session_early(s, bytes, len);
		if (s->pending.len < 2 * PENDING_MAX)
			strbuf_add(&s->pending, bytes, len);
		s->tail_pipelined = true;
		return;
	}
	s->batch = 0;
	if (s->pending.len > 0) {
		strbuf_add(&s->pending, bytes, len);
		session_run(s);
		return;
	}
	used = consume(s, bytes, len);
	if (used < len && s->state != ST_CLOSING) {
		if (s->batch > 0)
			s->tail_pipelined = true;
		strbuf_add(&s->pending, bytes + used, len - used);
	}
}

bool
session_full(const struct session *s)
{
	return s->wait != WAIT_NONE && s->pending.len >= PENDING_MAX;
}

void
session_committed(struct session *s, int64_t now_us)
{
	s->now_us = s->active_us = now_us;
	if (s->wait != WAIT_COMMIT)
		return;
	s->wait = WAIT_NONE;
	session_run(s);
}

/* --- time ------------------------------------------------------------------------------------- */

int64_t
session_deadline(const struct session *s)
{
	const struct site_conf *c = &s->env->site->conf;
	int64_t end = s->start_us + c->smtp_session, t;

	if (s->state == ST_CLOSING)
		return s->active_us + LINGER_US;
	switch (s->wait) {
	case WAIT_DELAY:
		return s->wait_us < end ? s->wait_us : end;
	case WAIT_COMMIT:
		return INT64_MAX;
	case WAIT_FOREVER:
		return end;
	case WAIT_NONE:
		break;
	}
	t = s->active_us + (s->state == ST_DATA ? c->smtp_data_timeout : c->smtp_timeout);
	return t < end ? t : end;
}

static void
resume(struct session *s)
{
	s->wait = WAIT_NONE;
	switch (s->step) {
	case STEP_CONNECT:
	case STEP_BANNER:
		before_greeting(s, true);
		break;
	case STEP_COMMAND:
		command_resume(s);
		if (s->state == ST_TLS) {
			struct strbuf rest = s->pending;

			memset(&s->pending, 0, sizeof s->pending);
			start_tls(s, rest.s != NULL ? rest.s : "", rest.len);
			strbuf_clear(&rest);
		}
		break;
	case STEP_DOT:
		message_resume(s);
		break;
	case STEP_HANDSHAKE:
		break; /* the TLS engine asks again */
	}
	s->active_us = s->now_us;
	session_run(s);
}

void
session_shift(struct session *s, int64_t us)
{
	s->start_us += us;
	s->active_us += us;
	s->wait_us += us;
	s->now_us += us;
}

void
session_tick(struct session *s, int64_t now_us)
{
	if (now_us < session_deadline(s) || s->ended)
		return;
	s->now_us = now_us;
	if (s->state == ST_CLOSING) {
		s->env->ops->close(s->ctx, true); /* the client does not go: cut */
		return;
	}
	if (s->wait == WAIT_DELAY && now_us >= s->wait_us) {
		resume(s);
		return;
	}
	if (s->wait == WAIT_NONE && s->state != ST_TLS && s->state != ST_START)
		session_put_reply(s, 421, "4.4.2 Timeout, closing the connection");
	session_close(s, HOW_TIMEOUT, false);
}

void
session_end(struct session *s, enum session_how how, int64_t now_us)
{
	struct event_line *e;
	char text[ADDRESS_TEXT_MAX];

	if (s->ended)
		return;
	s->ended = true;
	s->now_us = now_us;
	if (s->how == HOW_NONE)
		s->how = how;
	if (s->was_tls) {
		e = session_event(s, EV_TLS_CLOSE);
		event_str(e, EK_HOW, s->tls_closed ? "close_notify" : "none");
		session_event_end(s);
	}
	e = session_event(s, EV_SMTP_CLOSE);
	address_format(text, &s->peer);
	event_str(e, EK_PEER, text);
	address_format(text, &s->local);
	event_str(e, EK_LOCAL, text);
	if (s->bind.test != NULL || s->bind.front != NULL)
		event_num(e, EK_HOST, s->bind.k);
	event_str(e, EK_STAGE, stage_name(s->stage));
	event_str(e, EK_HOW, session_how_name(s->how));
	event_num(e, EK_MS, (now_us - s->start_us) / 1000);
	event_num(e, EK_COMMANDS, s->commands);
	event_str(e, EK_BY, bind_by_name(s->bind.by));
	event_str(e, EK_DEV, s->dev_last);
	if (s->phase > 0)
		event_num(e, EK_PHASE, s->phase);
	session_event_end(s);
}
