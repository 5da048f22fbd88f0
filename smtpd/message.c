/* message.c - from 354 to the reply after the final dot: the message is an event, and a positive reply
 * leaves only when that event is on disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smtpd/session.h"

/* What is kept of To:, which names the tests that a message went to. */
#define TO_MAX 16384

#define REPORT_MAX 44000 /* octets of a TLS report or bounce that fit into an event, in base64 */

/* A message to who runs the site is whole in its event, so what else is said there must leave it room. */
#define OPERATOR_MAX         REPORT_MAX
#define OPERATOR_FROM_MAX    512
#define OPERATOR_SUBJECT_MAX 200

/* Octets over the limit that are still read, so that the reply can be given in order. */
#define OVERRUN_MAX (UINT64_C(64) * 1024 * 1024)

/* A TLS report by mail (RFC 8460 3): all its recipients are the mailbox that takes them. */
static bool
is_report(const struct session *s)
{
	return s->n_rcpts > 0 && s->n_reports == s->n_rcpts;
}

/* A bounce: all its recipients are mailboxes that take them. */
static bool
is_bounce(const struct session *s)
{
	return s->n_rcpts > 0 && s->n_bounces == s->n_rcpts;
}

void
message_begin(struct session *s)
{
	s->data = xcalloc(1, sizeof *s->data);
	data_init(s->data, s->env->sha256, s->env->site->conf.smtp_headers);
	if (is_report(s) || is_bounce(s) || s->for_operator) {
		s->data->raw_max = REPORT_MAX;
	} else if (s->env->judged) {
		s->data->sink = s->env->ops->body;
		s->data->sink_ctx = s->ctx;
	}
	s->state = ST_DATA;
}

static void
copy(char *dst, size_t size, const char *src, size_t len)
{
	if (src == NULL)
		len = 0;
	snprintf(dst, size, "%.*s", (int)(len < size ? len : size - 1), src != NULL ? src : "");
}

/* Accepted: who wrote it is for others to say.  Before its event, so that nobody who reads that finds
 * nothing on the way: see audit.h.  True: it was handed over; else that it was not is an event. */
static bool
hand_over(struct session *s, const char *digest)
{
	struct verify_facts f;
	struct event_line *e;
	const char *why;

	memset(&f, 0, sizeof f);
	copy(f.token, sizeof f.token, s->bind.token.text, strlen(s->bind.token.text));
	copy(f.test, sizeof f.test, s->bind.test->name, strlen(s->bind.test->name));
	copy(f.conn, sizeof f.conn, s->conn, strlen(s->conn));
	copy(f.digest, sizeof f.digest, digest, strlen(digest));
	address_format(f.client, &s->peer);
	copy(f.helo, sizeof f.helo, s->helo, s->helo != NULL ? strlen(s->helo) : 0);
	copy(f.from, sizeof f.from, s->from, s->from_len);
	session_name(s, f.us, sizeof f.us);
	f.t = s->now_us;
	why = s->env->ops->hand_over(s->ctx, &f);
	if (why == NULL)
		return true;
	e = session_event(s, EV_VERIFY_SKIPPED);
	event_str(e, EK_PEER, f.client);
	event_text(e, EK_FROM, s->from, s->from_len);
	event_str(e, EK_DIGEST, digest);
	event_num(e, EK_SIZE, (int64_t)s->data->size);
	event_str(e, EK_REASON, why);
	session_event_end(s);
	return false;
}

/* The report or bounce itself is the event; it is no mail of the measurement. */
static void
report_event(struct session *s, enum event_kind kind, unsigned code)
{
	struct event_line *e = session_event(s, kind);
	struct data *d = s->data;
	char address[ADDRESS_TEXT_MAX], field[1024];
	char *data = xcalloc(1, 4 * ((d->raw.len + 2) / 3) + 1);

	EVP_EncodeBlock((unsigned char *)data,
	    (const unsigned char *)(d->raw.s != NULL ? d->raw.s : ""), (int)d->raw.len);
	address_format(address, &s->peer);
	event_str(e, EK_PEER, address);
	address_format(address, &s->local);
	event_str(e, EK_LOCAL, address);
	event_num(e, EK_HOST, s->bind.k);
	if (kind == EV_TLSRPT_REPORT)
		event_str(e, EK_VIA, "mail");
	data_field(d, "Content-Type", field, sizeof field);
	event_str(e, EK_TYPE, field);
	event_num(e, EK_BYTES, (int64_t)d->size);
	event_num(e, EK_REPLY, code);
	event_bool(e, EK_TLS, s->tls);
	event_text(e, EK_FROM, s->from, s->from_len);
	event_str(e, EK_MAILBOX, s->mailbox_text);
	data_field(d, "Message-ID", field, sizeof field);
	event_str(e, EK_MSGID, field);
	data_field(d, "Subject", field, sizeof field);
	event_str(e, EK_SUBJECT, field);
	event_str(e, EK_DEV, s->dev);
	if (s->phase > 0)
		event_num(e, EK_PHASE, s->phase);
	event_str(e, EK_DATA, data);
	if (d->raw.len < d->size)
		event_bool(e, EK_CUT, true);
	session_event_end(s);
	free(data);
}

/* Not the session's: it names neither connection nor token, so it is in no participant's observations. */
static void
operator_event(struct session *s, unsigned code, const char *text)
{
	struct event_line *e = s->env->line;
	struct data *d = s->data;
	char address[ADDRESS_TEXT_MAX], subject[OPERATOR_SUBJECT_MAX + 1], *data;

	event_begin(e, EV_SMTP_OPERATOR, s->env->ops->origin(s->ctx), s->now_us);
	address_format(address, &s->peer);
	event_str(e, EK_PEER, address);
	address_format(address, &s->local);
	event_str(e, EK_LOCAL, address);
	event_text(
	    e, EK_FROM, s->from, s->from_len < OPERATOR_FROM_MAX ? s->from_len : OPERATOR_FROM_MAX);
	event_str(e, EK_MAILBOX, s->mailbox_text);
	event_num(e, EK_REPLY, code);
	event_text(e, EK_ECODE, text, strcspn(text, "\r\n"));
	event_bool(e, EK_TLS, s->tls);
	event_num(e, EK_BYTES, (int64_t)d->size);
	data_field(d, "Subject", subject, sizeof subject);
	event_str(e, EK_SUBJECT, subject);
	if (code / 100 == 2) {
		data = xcalloc(1, 4 * ((d->raw.len + 2) / 3) + 1);
		EVP_EncodeBlock((unsigned char *)data,
		    (const unsigned char *)(d->raw.s != NULL ? d->raw.s : ""), (int)d->raw.len);
		event_str(e, EK_DATA, data);
		free(data);
	}
	session_event_end(s);
}

static void
message_event(struct session *s, unsigned code, const char *text)
{
	struct event_line *e;
	struct data *d = s->data;
	char address[ADDRESS_TEXT_MAX], hex[65], field[1024], *to;
	bool handed;

	data_digest(d, hex);
	handed = code / 100 == 2 && d->sink != NULL && hand_over(s, hex);
	e = session_event(s, EV_SMTP_MESSAGE);
	address_format(address, &s->peer);
	event_str(e, EK_PEER, address);
	address_format(address, &s->local);
	event_str(e, EK_LOCAL, address);
	event_num(e, EK_HOST, s->bind.k);
	event_text(e, EK_FROM, s->from, s->from_len);
	event_text(e, EK_RCPTS, s->rcpts.s, s->rcpts.len);
	event_str(e, EK_MAILBOX, s->mailbox_text);
	event_num(e, EK_REPLY, code);
	if (text != NULL)
		event_text(e, EK_ECODE, text, strcspn(text, "\r\n"));
	event_bool(e, EK_TLS, s->tls);
	event_num(e, EK_SIZE, (int64_t)d->size);
	event_str(e, EK_DIGEST, hex);
	event_num(e, EK_LINES, (int64_t)d->lines);
	event_num(e, EK_LONGEST, (int64_t)d->longest);
	event_num(e, EK_BARE_LF, (int64_t)d->bare_lf);
	event_num(e, EK_BARE_CR, (int64_t)d->bare_cr);
	event_num(e, EK_NUL, (int64_t)d->nul);
	event_num(e, EK_EIGHTBIT, (int64_t)d->eightbit);
	data_field(d, "Message-ID", field, sizeof field);
	event_str(e, EK_MSGID, field);
	to = xcalloc(1, TO_MAX);
	data_field(d, "To", to, TO_MAX);
	event_str(e, EK_TO, to);
	free(to);
	data_field(d, "Subject", field, sizeof field);
	event_str(e, EK_SUBJECT, field);
	if (d->headers.len > 0)
		event_text(e, EK_HEADERS, d->headers.s, d->headers.len);
	event_str(e, EK_DEV, s->dev != NULL ? s->dev : s->batched ? "batched" : NULL);
	if (s->phase > 0)
		event_num(e, EK_PHASE, s->phase);
	event_bool(e, EK_HANDED, handed);
	session_event_end(s);
}

/* Ends the transaction with this reply; code 0: the connection ends instead of a reply. */
static void
message_end(struct session *s, unsigned code, const char *text)
{
	bool accepted = code / 100 == 2;

	if (accepted && !s->for_operator) {
		session_stage(s, STAGE_ACCEPTED);
		if (!is_report(s) && !is_bounce(s))
			session_phase(s, PHASE_ACCEPTED);
	}
	if (s->dev != NULL)
		s->dev_last = s->dev;
	if (s->bdat.arg[0] != '\0')
		session_command_event(s, code, text);
	if (s->for_operator)
		operator_event(s, code, text);
	else if ((is_report(s) || is_bounce(s)) && accepted)
		report_event(s, is_report(s) ? EV_TLSRPT_REPORT : EV_SMTP_DSN, code);
	else
		message_event(s, code, text);
	s->dev = NULL;
	s->arg = NULL;
	s->arg_len = 0;
	session_reset(s);
	s->state = ST_COMMAND;
	if (code == 0)
		return;
	if (accepted) {
		s->wait = WAIT_COMMIT;
		s->env->ops->commit(s->ctx);
	}
	session_put_reply(s, code, text);
	if (code == 421)
		session_close(s, HOW_OURS, false);
}

/* The host's rule at the final dot, once its delay is over. */
static void
at_dot(struct session *s)
{
	const struct host_rule *r = s->act.rule;

	s->dev = s->act.dev;
	if (r == NULL) {
		message_end(s, 250, "2.0.0 Ok, noted");
		return;
	}
	switch (r->action) {
	case DO_REPLY:
		message_end(s, r->code, r->text != NULL ? r->text : "");
		return;
	case DO_CLOSE:
	case DO_RST:
		message_end(s, 0, NULL);
		session_close(s, HOW_OURS, r->action == DO_RST);
		return;
	case DO_HOLD:
		message_end(s, 0, NULL);
		s->wait = WAIT_FOREVER;
		return;
	case DO_DELAY:
		return;
	}
}

void
message_resume(struct session *s)
{
	at_dot(s);
}

/* Never answered and never passed on, so a loop ends here. */
static void
operator_done(struct session *s)
{
	if (s->data->size > OPERATOR_MAX)
		message_end(s, 552, "5.3.4 Message too big: these mailboxes take 44000 octets");
	else if (quota_take(s->env->operator_mail, 0, s->now_us) != QUOTA_WITHIN)
		message_end(s, 452, "4.3.1 Too much mail for these mailboxes, try again later");
	else
		message_end(s, 250, "2.0.0 Ok, somebody will read it");
}

void
message_done(struct session *s)
{
	struct behave_who who;

	memset(&s->act, 0, sizeof s->act);
	if (s->data->size > s->env->site->conf.smtp_message) {
		message_end(s, 552, "5.3.4 Message too big");
		return;
	}
	if (s->for_operator) {
		operator_done(s);
		return;
	}
	session_who(s, &who);
	behave_at(&s->act, s->bind.host, AT_DOT, -1, &who);
	if (s->act.delay_us > 0)
		session_delay(s, s->act.delay_us, STEP_DOT);
	else
		at_dot(s);
}

size_t
message_input(struct session *s, const char *bytes, size_t len)
{
	bool done;
	size_t n;

	if (s->bdat.active)
		return bdat_input(s, bytes, len);
	n = data_input(s->data, bytes, len, &done);
	if (done)
		message_done(s);
	else if (s->data->size > s->env->site->conf.smtp_message + OVERRUN_MAX)
		message_end(s, 421, "4.3.4 Message without end, goodbye");
	return n;
}
