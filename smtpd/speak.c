/* speak.c - see conn.h: what the cores ask the rim for, and how it calls them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "smtpd/conn.h"

/* --- what the session asks for ----------------------------------------------------------------------- */

void
conn_put(struct conn *c, const char *bytes, size_t len)
{
	if (c->tls == NULL)
		strbuf_add(&c->out, bytes, len);
	else
		tls_write(c->tls, bytes, len, clock_now());
}

static void
op_reply(void *ctx, const char *bytes, size_t len)
{
	struct conn *c = ctx;

	if (c->committing)
		strbuf_add(&c->hold, bytes, len);
	else
		conn_put(c, bytes, len);
}

static void
op_commit(void *ctx)
{
	struct conn *c = ctx;

	if (c->committing)
		return;
	c->committing = true;
	c->commit_next = NULL;
	*c->io->commit_last = c;
	c->io->commit_last = &c->commit_next;
	eventlog_hurry(c->io->log);
}

static void
op_start_tls(void *ctx, const char *bytes, size_t len)
{
	struct conn *c = ctx;

	c->starting_tls = true;
	if (len > 0)
		strbuf_add(&c->first, bytes, len);
}

static void
op_close(void *ctx, bool reset)
{
	struct conn *c = ctx;

	c->closing = true;
	c->reset = c->reset || reset;
}

static struct event_origin *
op_origin(void *ctx)
{
	return eventlog_origin(((struct conn *)ctx)->io->log);
}

/* Blind measurement is worse than none. */
void
io_blind(struct io *io)
{
	log_warn("event log: %s: serving stops; free space or repair the disk, then start again",
	    eventlog_reason(io->log));
	_exit(EXIT_CANNOT);
}

/* Whose events these are; NULL: nobody's, or not known yet. */
static const struct token *
conn_token(const struct conn *c)
{
	const struct token *t = conn_is_smtp(c) ? &c->session->bind.token : &c->web->token;

	return t->id != 0 ? t : NULL;
}

/* Said once in an hour: from now on connections to the participant's addresses are refused. */
static void
limit_event(struct conn *c, const struct token *token, int64_t now_us)
{
	struct event_line *e = &c->io->line;

	event_begin(e, EV_LIMIT_EVENTS, eventlog_origin(c->io->log), now_us);
	event_str(e, EK_TOKEN, token->text);
	event_num(e, EK_COUNT, quota_limit(c->io->config->quota));
	event_end(e);
	eventlog_append(c->io->log, e->buf, e->len);
}

static void
op_event(void *ctx, const char *line, size_t len)
{
	struct conn *c = ctx;
	const struct token *token = conn_token(c);
	uint64_t ticket = eventlog_append(c->io->log, line, len);
	int64_t now = conn_is_smtp(c) ? c->session->now_us : c->web->now_us;

	if (ticket == 0)
		io_blind(c->io);
	c->ticket = ticket;
	if (token != NULL && quota_take(c->io->config->quota, token->id, now) == QUOTA_REACHED)
		limit_event(c, token, now);
}

static struct body *
body_of(struct conn *c)
{
	if (c->body == NULL) {
		c->body = xmalloc(sizeof *c->body);
		body_init(c->body, c->io->config->handover);
	}
	return c->body;
}

static void
op_body(void *ctx, const char *bytes, size_t len)
{
	body_add(body_of(ctx), bytes, len);
}

static const char *
op_hand_over(void *ctx, struct verify_facts *f)
{
	return handover_send(body_of(ctx), f);
}

static void
op_body_end(void *ctx)
{
	struct conn *c = ctx;

	if (c->body != NULL)
		body_clear(c->body);
	free(c->body);
	c->body = NULL;
}

const struct session_ops conn_ops = {
	.reply = op_reply,
	.commit = op_commit,
	.start_tls = op_start_tls,
	.close = op_close,
	.origin = op_origin,
	.event = op_event,
	.body = op_body,
	.hand_over = op_hand_over,
	.body_end = op_body_end,
};

/* --- what is spoken ---------------------------------------------------------------------------------- */

static void
smtp_tick(void *s, int64_t now_us)
{
	session_tick(s, now_us);
}

static int64_t
smtp_deadline(const void *s)
{
	return session_deadline(s);
}

static void
smtp_committed(void *s, int64_t now_us)
{
	session_committed(s, now_us);
}

static void
smtp_end(void *s, enum session_how how, int64_t now_us)
{
	session_end(s, how, now_us);
}

static void
smtp_clear(void *s)
{
	session_clear(s);
}

static void
smtp_shift(void *s, int64_t us)
{
	session_shift(s, us);
}

static SSL_CTX *
smtp_context(const struct conn *c)
{
	return contexts_of_binding(c->io->config->contexts, &c->session->bind);
}

/* The name may have bound the session to a test: its certificate. */
static void
smtp_prepare(void *conn, SSL *ssl)
{
	SSL_set_SSL_CTX(ssl, smtp_context(conn));
}

const struct speech speech_smtp = { sizeof(struct session), &session_tls, smtp_context,
	smtp_prepare, smtp_tick, smtp_deadline, smtp_committed, smtp_end, smtp_clear, smtp_shift };

static void
https_tick(void *w, int64_t now_us)
{
	web_tick(w, now_us);
}

static int64_t
https_deadline(const void *w)
{
	return web_deadline(w);
}

static void
https_committed(void *w, int64_t now_us)
{
	web_committed(w, now_us);
}

static void
https_end(void *w, enum session_how how, int64_t now_us)
{
	web_end(w, how, now_us);
}

static void
https_clear(void *w)
{
	web_clear(w);
}

static void
https_shift(void *w, int64_t us)
{
	web_shift(w, us);
}

static SSL_CTX *
https_context(const struct conn *c)
{
	return contexts_of_web(c->io->config->contexts);
}

static void
https_prepare(void *conn, SSL *ssl)
{
	struct conn *c = conn;
	char name[256];
	enum cert_kind kind = web_certificate(c->web, name);

	if (kind != CERT_PKIX_VALID || !contexts_use_issued(c->io->config->contexts, ssl, name))
		mint_use(c->io->mint, ssl, kind, name);
}

const struct speech speech_https = { sizeof(struct web), &web_tls, https_context, https_prepare,
	https_tick, https_deadline, https_committed, https_end, https_clear, https_shift };

int
conn_begin_tls(struct conn *c)
{
	c->tls = tls_new(&(struct tls_setup){ .context = c->speech->context(c),
	    .prepare = c->speech->prepare,
	    .arg = c,
	    .user = c->speech->tls,
	    .who = c->core,
	    .out = &c->out });
	return c->tls != NULL ? 0 : -1;
}

bool
conn_is_smtp(const struct conn *c)
{
	return c->speech == &speech_smtp;
}

/* Why the connection ends, if the core knows already. */
enum session_how *
conn_how(struct conn *c)
{
	return conn_is_smtp(c) ? &c->session->how : &c->web->how;
}
