/* envelope.c - see envelope.h. */
#include "smtpd/envelope.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "smtpd/ehlo.h"

/* "FROM:<...> params": reads the path behind the colon.  false: answered. */
static bool
path_argument(
    struct session *s, struct path *path, const char *keyword, const char **rest, size_t *rest_len)
{
	const char *p = s->arg;
	size_t len = s->arg_len, n = strlen(keyword), used;

	if (len < n || strncasecmp(p, keyword, n) != 0)
		goto bad;
	p += n;
	len -= n;
	while (len > 0 && *p == ' ') {
		p++;
		len--;
	}
	if (path_parse(path, &used, p, len) == -1)
		goto bad;
	*rest = p + used;
	*rest_len = len - used;
	return true;
bad:
	session_replyf(s, 501, "5.5.4 Syntax: %s%s<address>", command_verb(s->cmd),
	    keyword[0] == 'F' ? " FROM:" : " TO:");
	return false;
}

static bool
params_ok(struct session *s, struct params *p, const char *rest, size_t len, unsigned allowed)
{
	switch (params_parse(p, rest, len, allowed)) {
	case PARAMS_OK:
		return true;
	case PARAMS_SYNTAX:
		session_reply(s, 501, "5.5.4 Syntax error in parameters");
		return false;
	case PARAMS_UNKNOWN:
		session_reply(s, 555, "5.5.4 Parameter not recognized");
		return false;
	}
	return false;
}

static bool
mail_parse(struct session *s, struct path *path, struct params *params)
{
	const char *rest;
	size_t len;
	unsigned allowed = 0;

	if (!path_argument(s, path, "FROM:", &rest, &len))
		return false;
	allowed |= ehlo_offers(s, "SIZE") ? PARAM_SIZE : 0;
	allowed |= ehlo_offers(s, "8BITMIME") ? PARAM_BODY : 0;
	allowed |= ehlo_offers(s, "SMTPUTF8") ? PARAM_SMTPUTF8 : 0;
	allowed |= ehlo_offers(s, "BINARYMIME") ? PARAM_BINARY : 0;
	allowed |= ehlo_offers(s, "REQUIRETLS") && s->tls ? PARAM_REQUIRETLS : 0;
	allowed |= ehlo_offers(s, "DSN") ? PARAM_RET | PARAM_ENVID : 0;
	return params_ok(s, params, rest, len, allowed);
}

bool
mail_check(struct session *s)
{
	struct path path;
	struct params params;

	session_stage(s, STAGE_MAIL);
	if (s->bind.host->require_tls && !s->tls) {
		s->dev = "require-tls";
		session_reply(s, 530, "5.7.0 Must issue a STARTTLS command first");
		return false;
	}
	if (!mail_parse(s, &path, &params))
		return false;
	if (params.size > s->env->site->conf.smtp_message) {
		session_reply(s, 552, "5.3.4 Message too big");
		return false;
	}
	return true;
}

void
mail_run(struct session *s)
{
	struct path path;
	struct params params;

	if (!mail_parse(s, &path, &params))
		return;
	session_reset(s);
	s->mail = true;
	s->binary = params.binary;
	s->from = xstrndup(path.text, path.len);
	s->from_len = path.len;
	session_reply(s, 250, "2.1.0 Ok");
}

/* A recipient of a second test in one transaction: both are marked. */
static void
refuse_second(struct session *s, const struct binding *other)
{
	struct binding first = s->bind;

	s->batched = true;
	s->dev = "batched";
	s->bind = *other;
	session_reply(s, 452, "4.5.3 One test at a time, please send this recipient again");
	s->bind = first;
}

static bool
takes_reports(const struct binding *b, const struct path *path)
{
	return path->local_len == 6 && strncasecmp(path->local, "tlsrpt", 6) == 0 &&
	       test_wants_reports(b->test);
}

/* "dsn" of every test, for bounces that somebody forwards; and what comes back to mail that we wrote, which has
 * the null reverse-path (RFC 5321 4.5.5). */
static bool
takes_bounces(const struct session *s, const struct binding *b, const struct path *path)
{
	return (path->local_len == 3 && strncasecmp(path->local, "dsn", 3) == 0) ||
	       (b->test->unmailed && s->from_len == 0);
}

/* Whoever mails still is told at once, whatever the test would do. */
static void
refuse_released(struct session *s, const struct binding *b)
{
	struct binding first = s->bind;

	s->dev = SESSION_RELEASED;
	s->bind = *b;
	session_reply(s, 550,
	    "5.7.1 This measurement was ended by its participant, no more mail is taken for it");
	s->bind = first;
}

/* RFC 5321 4.5.1: postmaster, in any case, also without a domain; RFC 2142: abuse, and hostmaster, which our SOA
 * records name. */
static bool
is_operator(const struct session *s, const struct path *path)
{
	static const char *const mailboxes[] = { "postmaster", "abuse", "hostmaster" };
	const struct site_conf *conf = &s->env->site->conf;
	size_t n = path->domain_len, known = n == 0 ? 1 : sizeof mailboxes / sizeof *mailboxes;

	if (conf->smtp_operator == 0)
		return false;
	if (n > 0 && (n != strlen(conf->base) || strncasecmp(path->domain, conf->base, n) != 0))
		return false;
	for (size_t i = 0; i < known; i++)
		if (path->local_len == strlen(mailboxes[i]) &&
		    strncasecmp(path->local, mailboxes[i], path->local_len) == 0)
			return true;
	return false;
}

/* What is for us and what is for a test are never one message.  false: answered. */
static bool
rcpt_operator(struct session *s)
{
	s->to_operator = s->n_rcpts == 0 || s->for_operator;
	if (!s->to_operator)
		session_reply(s, 452, "4.5.3 Send this recipient a message of its own, please");
	return s->to_operator;
}

/* Whose recipient is it?  Binds the transaction.  false: answered. */
static bool
rcpt_bind(struct session *s, const struct path *path)
{
	struct binding b;
	enum bind_result r = bind_rcpt(&b, &s->bind, s->env->site, path->domain, path->domain_len);

	if (r != BIND_UNKNOWN && r != BIND_FORGED) {
		session_release(s, &b);
		if (b.released) {
			refuse_released(s, &b);
			return false;
		}
	}
	switch (r) {
	case BIND_UNKNOWN:
		session_reply(
		    s, 550, "5.7.1 This host takes measurement mail only, it does not relay");
		return false;
	case BIND_FORGED:
		session_reply(s, 550, "5.1.1 No such participant");
		return false;
	case BIND_OTHER:
	case BIND_FOREIGN:
		session_reply(s, 550, "5.7.1 This address belongs to another test");
		return false;
	case BIND_SAME:
	case BIND_NEW:
		break;
	}
	if (r == BIND_NEW && s->n_tried > 0) {
		refuse_second(s, &b);
		return false;
	}
	s->mailbox = bind_mailbox(&b, path->local, path->local_len);
	s->to_reports = s->mailbox < 0 && takes_reports(&b, path);
	s->to_bounces = takes_bounces(s, &b, path) && (s->mailbox < 0 || b.test->unmailed);
	if (s->mailbox < 0 && !s->to_reports && !s->to_bounces) {
		session_reply(s, 550, "5.1.1 No such mailbox");
		return false;
	}
	if (r == BIND_NEW)
		session_bound(s, &b);
	s->n_tried++;
	return true;
}

static bool
rcpt_parse(struct session *s, struct path *path)
{
	struct params params;
	const char *rest;
	size_t len;

	if (!path_argument(s, path, "TO:", &rest, &len))
		return false;
	if (!params_ok(
		s, &params, rest, len, ehlo_offers(s, "DSN") ? PARAM_NOTIFY | PARAM_ORCPT : 0))
		return false;
	if (path->local_len == 0) {
		session_reply(s, 501, "5.1.3 No recipient");
		return false;
	}
	return true;
}

bool
rcpt_check(struct session *s)
{
	static struct path path; /* for the event; one session is run at a time in a process */

	session_stage(s, STAGE_RCPT);
	if (!rcpt_parse(s, &path))
		return false;
	s->rcpt = &path;
	if (s->n_rcpts >= s->env->site->conf.smtp_recipients) {
		session_reply(s, 452, "4.5.3 Too many recipients");
		return false;
	}
	if (is_operator(s, &path))
		return rcpt_operator(s);
	if (s->for_operator) {
		session_reply(s, 452, "4.5.3 Send this recipient a message of its own, please");
		return false;
	}
	return rcpt_bind(s, &path);
}

void
rcpt_run(struct session *s)
{
	s->n_reports += s->to_reports;
	s->n_bounces += s->to_bounces;
	s->for_operator = s->to_operator;
	if (s->n_rcpts++ > 0)
		strbuf_add(&s->rcpts, " ", 1);
	else
		snprintf(s->mailbox_text, sizeof s->mailbox_text, "%.*s", (int)s->rcpt->local_len,
		    s->rcpt->local);
	strbuf_add(&s->rcpts, s->rcpt->text, s->rcpt->len);
	session_reply(s, 250, "2.1.5 Ok");
}
