/* command.c - the commands of SMTP as rows: where each is legal, what argument it takes, at which
 * point of a host's behaviour it stands.  A row is checked (syntax, order, binding), then the test's rules
 * are asked, then it is run; after a delay the check is made again, so checks may not count. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "smtpd/session.h"

enum {               /* legal in: columns of the table */
	L_FIRST = 1, /* before EHLO */
	L_READY = 2, /* after it, no transaction */
	L_MAIL = 4,  /* after MAIL, no recipient yet */
	L_RCPT = 8,  /* a recipient was accepted */
	L_ANY = 15,
};
enum argument { ARG_NONE, ARG_MAY, ARG_NEED };

struct command {
	const char *verb;
	unsigned legal;
	enum argument argument;
	enum smtp_point at;              /* AT_MAX: no rules */
	bool last;                       /* RFC 2920 3.1: must be the last of a group */
	bool (*check)(struct session *); /* false: was answered */
	void (*run)(struct session *);
};

/* --- EHLO, HELO ----------------------------------------------------------------------------------- */

static const char default_keywords[] =
    "PIPELINING SIZE 8BITMIME ENHANCEDSTATUSCODES SMTPUTF8 DSN HELP";

static const char *
keywords(const struct session *s)
{
	return s->bind.host->ehlo != NULL ? s->bind.host->ehlo : default_keywords;
}

/* Is the extension in the EHLO reply of this host? */
static bool
offers(const struct session *s, const char *keyword)
{
	const char *p = keywords(s);
	size_t n = strlen(keyword), len;

	for (; *p != '\0'; p += len) {
		p += strspn(p, " ");
		len = strcspn(p, " ");
		if (len >= n && strncasecmp(p, keyword, n) == 0 && (len == n || p[n] == '='))
			return true;
	}
	return false;
}

static void
keyword_lines(struct strbuf *out, const struct session *s)
{
	const char *p = keywords(s);
	size_t len;

	for (; *p != '\0'; p += len) {
		p += strspn(p, " ");
		len = strcspn(p, " ");
		if (len == 0 || (len == 8 && strncasecmp(p, "STARTTLS", 8) == 0))
			continue;
		/* RFC 8689 2: only inside TLS. */
		if (!s->tls && len == 10 && strncasecmp(p, "REQUIRETLS", 10) == 0)
			continue;
		strbuf_puts(out, "\n");
		/* The first "=" stands for a blank; later ones are the parameter's own (RFC 9422). */
		for (size_t i = 0; i < len; i++)
			strbuf_add(out, p[i] == '=' && memchr(p, '=', i) == NULL ? " " : p + i, 1);
		if (len == 4 && strncasecmp(p, "SIZE", 4) == 0)
			strbuf_printf(
			    out, " %llu", (unsigned long long)s->env->site->conf.smtp_message);
	}
}

static void
hello_done(struct session *s, bool esmtp)
{
	size_t len = 0;

	session_reset(s);
	s->greeted = true;
	while (len < s->arg_len && s->arg[len] != ' ' && s->arg[len] != '\t')
		len++;
	session_helo(s, s->arg, len);
	s->pipelining = esmtp && offers(s, "PIPELINING");
}

static bool
check_hello(struct session *s)
{
	session_stage(s, s->tls ? STAGE_TLS_EHLO : STAGE_EHLO);
	return true;
}

static void
run_ehlo(struct session *s)
{
	struct strbuf text = { 0 };
	char name[320];

	hello_done(s, true);
	session_name(s, name, sizeof name);
	strbuf_puts(&text, name);
	keyword_lines(&text, s);
	if (!s->tls) {
		switch (s->bind.host->starttls) {
		case STARTTLS_OFF:
			s->dev = s->dev != NULL ? s->dev : "starttls off";
			break;
		case STARTTLS_MANGLE:
			s->dev = s->dev != NULL ? s->dev : "starttls mangle";
			strbuf_puts(&text, "\nXXXXXXXX");
			break;
		case STARTTLS_OFFER:
		case STARTTLS_CODE:
		case STARTTLS_INJECT:
		case STARTTLS_ABORT:
			strbuf_puts(&text, "\nSTARTTLS");
			break;
		}
	}
	session_reply(s, 250, text.s);
	strbuf_clear(&text);
}

static void
run_helo(struct session *s)
{
	char name[320];

	hello_done(s, false);
	session_name(s, name, sizeof name);
	session_reply(s, 250, name);
}

/* --- STARTTLS -------------------------------------------------------------------------------------- */

static bool
check_starttls(struct session *s)
{
	if (s->tls) {
		session_reply(s, 503, "5.5.1 TLS is in use already");
		return false;
	}
	switch (s->bind.host->starttls) {
	case STARTTLS_OFF:
		s->dev = "starttls off";
		session_reply(s, 502, "5.5.1 STARTTLS is not offered here");
		return false;
	case STARTTLS_MANGLE:
		s->dev = "starttls mangle";
		session_reply(s, 500, "5.5.1 Command not recognized");
		return false;
	default:
		session_stage(s, STAGE_STARTTLS);
		return true;
	}
}

static void
run_starttls(struct session *s)
{
	const struct host *h = s->bind.host;

	switch (h->starttls) {
	case STARTTLS_CODE:
		snprintf(s->dev_text, sizeof s->dev_text, "starttls %u", h->starttls_code);
		s->dev = s->dev_text;
		session_reply(s, h->starttls_code,
		    h->starttls_text != NULL ? h->starttls_text : "4.7.0 TLS not available");
		return;
	case STARTTLS_INJECT:
		s->dev = "starttls inject";
		break;
	case STARTTLS_ABORT:
		s->dev = "starttls abort";
		break;
	default:
		break;
	}
	session_reply(s, 220, "2.0.0 Go ahead");
	if (h->starttls == STARTTLS_INJECT && h->starttls_text != NULL)
		s->env->ops->reply(s->ctx, h->starttls_text, strlen(h->starttls_text));
	if (s->state != ST_CLOSING)
		s->state = ST_TLS;
}

/* --- MAIL, RCPT, DATA -------------------------------------------------------------------------------- */

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
	session_replyf(s, 501, "5.5.4 Syntax: %s%s<address>", s->cmd->verb,
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
	allowed |= offers(s, "SIZE") ? PARAM_SIZE : 0;
	allowed |= offers(s, "8BITMIME") ? PARAM_BODY : 0;
	allowed |= offers(s, "SMTPUTF8") ? PARAM_SMTPUTF8 : 0;
	allowed |= offers(s, "BINARYMIME") ? PARAM_BINARY : 0;
	allowed |= offers(s, "REQUIRETLS") && s->tls ? PARAM_REQUIRETLS : 0;
	allowed |= offers(s, "DSN") ? PARAM_RET | PARAM_ENVID : 0;
	return params_ok(s, params, rest, len, allowed);
}

static bool
check_mail(struct session *s)
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

static void
run_mail(struct session *s)
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
	if (!params_ok(s, &params, rest, len, offers(s, "DSN") ? PARAM_NOTIFY | PARAM_ORCPT : 0))
		return false;
	if (path->local_len == 0) {
		session_reply(s, 501, "5.1.3 No recipient");
		return false;
	}
	return true;
}

static bool
check_rcpt(struct session *s)
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
	return rcpt_bind(s, &path);
}

static void
run_rcpt(struct session *s)
{
	s->n_reports += s->to_reports;
	s->n_bounces += s->to_bounces;
	if (s->n_rcpts++ > 0)
		strbuf_add(&s->rcpts, " ", 1);
	else
		snprintf(s->mailbox_text, sizeof s->mailbox_text, "%.*s", (int)s->rcpt->local_len,
		    s->rcpt->local);
	strbuf_add(&s->rcpts, s->rcpt->text, s->rcpt->len);
	session_reply(s, 250, "2.1.5 Ok");
}

static bool
check_data(struct session *s)
{
	if (s->n_rcpts == 0) {
		session_reply(s, 554, "5.5.1 No valid recipients");
		return false;
	}
	if (s->data != NULL || s->binary) {
		session_reply(s, 503, "5.5.1 This message is sent with BDAT");
		return false;
	}
	session_stage(s, STAGE_DATA);
	return true;
}

static bool
check_bdat(struct session *s)
{
	if (offers(s, "CHUNKING"))
		return true;
	session_reply(s, 502, "5.5.1 CHUNKING is not offered here");
	return false;
}

static void
run_data(struct session *s)
{
	session_reply(s, 354, "End data with <CR><LF>.<CR><LF>");
	if (s->state != ST_CLOSING)
		message_begin(s);
}

/* --- the others ------------------------------------------------------------------------------------ */

static void
run_rset(struct session *s)
{
	session_reset(s);
	session_reply(s, 250, "2.0.0 Ok");
}

static void
run_noop(struct session *s)
{
	session_reply(s, 250, "2.0.0 Ok");
}

static void
run_vrfy(struct session *s)
{
	session_reply(s, 252, "2.5.2 Send some mail and see (RFC 5321 3.5.3)");
}

static void
run_help(struct session *s)
{
	session_reply(s, 214, "2.0.0 This host measures how mail is sent. RFC 5321 is served here");
}

static void
run_quit(struct session *s)
{
	session_reply(s, 221, "2.0.0 Bye");
	session_close(s, HOW_QUIT, false);
}

static const struct command commands[] = {
	/* verb        legal in             argument  point        last   check           run */
	{ "EHLO", L_ANY, ARG_NEED, AT_EHLO, true, check_hello, run_ehlo }, /* RFC 5321 4.1.1.1 */
	{ "HELO", L_ANY, ARG_NEED, AT_MAX, true, check_hello, run_helo },
	{ "STARTTLS", L_READY, ARG_NONE, AT_STARTTLS, true, check_starttls,
	    run_starttls },                                                  /* RFC 3207 4 */
	{ "MAIL", L_READY, ARG_NEED, AT_MAIL, false, check_mail, run_mail }, /* RFC 5321 4.1.1.2 */
	{ "RCPT", L_MAIL | L_RCPT, ARG_NEED, AT_RCPT, false, check_rcpt, run_rcpt }, /* 4.1.1.3 */
	{ "DATA", L_MAIL | L_RCPT, ARG_NONE, AT_DATA, true, check_data, run_data },  /* 4.1.1.4 */
	/* RFC 3030 2; the octets follow, so that what is wrong with it is said after them */
	{ "BDAT", L_ANY, ARG_NEED, AT_MAX, false, check_bdat, bdat_run },
	{ "RSET", L_ANY, ARG_MAY, AT_MAX, false, NULL, run_rset }, /* 4.1.1.5 */
	{ "VRFY", L_ANY, ARG_NEED, AT_MAX, true, NULL, run_vrfy }, /* 4.1.1.6 */
	{ "HELP", L_ANY, ARG_MAY, AT_MAX, true, NULL, run_help },  /* 4.1.1.8 */
	{ "NOOP", L_ANY, ARG_MAY, AT_MAX, true, NULL, run_noop },  /* 4.1.1.9 */
	{ "QUIT", L_ANY, ARG_MAY, AT_QUIT, true, NULL, run_quit }, /* 4.1.1.10 */
};

const char *
command_verb(const struct command *c)
{
	return c != NULL ? c->verb : "?";
}

bool
command_is_last(const struct command *c)
{
	return c != NULL && c->last && c->run != run_quit;
}

const struct command *
command_bdat(void)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (commands[i].run == bdat_run)
			return &commands[i];
	return NULL;
}

static const struct command *
find(const char *verb, size_t len)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strlen(commands[i].verb) == len &&
		    strncasecmp(commands[i].verb, verb, len) == 0)
			return &commands[i];
	return NULL;
}

static size_t
verb_span(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && line[n] != ' ' && line[n] != '\t' && line[n] != '\r' && line[n] != '\n')
		n++;
	return n;
}

const char *
command_known(const char *bytes, size_t len)
{
	return command_verb(find(bytes, verb_span(bytes, len)));
}

static unsigned
legal_now(const struct session *s)
{
	if (!s->greeted)
		return L_FIRST;
	if (!s->mail)
		return L_READY;
	return s->n_rcpts > 0 ? L_RCPT : L_MAIL;
}

/* Syntax of the line and order of the commands.  false: answered. */
static bool
is_legal(struct session *s)
{
	const struct command *c = s->cmd;

	if (c == NULL) {
		session_reply(s, 500, "5.5.1 Command not recognized");
	} else if (s->refused && c->run != run_quit) {
		session_reply(s, 503, "5.5.1 No mail here, only QUIT is expected now");
	} else if (!(c->legal & legal_now(s))) {
		if (!s->greeted)
			session_reply(s, 503, "5.5.1 Send EHLO first");
		else if (!s->mail)
			session_reply(s, 503, "5.5.1 Send MAIL first");
		else
			session_reply(s, 503, "5.5.1 A transaction is open already");
	} else if (c->argument == ARG_NEED && s->arg_len == 0) {
		session_replyf(s, 501, "5.5.4 %s needs an argument", c->verb);
	} else if (c->argument == ARG_NONE && s->arg_len > 0) {
		session_replyf(s, 501, "5.5.4 %s takes no argument", c->verb);
	} else {
		return true;
	}
	return false;
}

/* Splits the line into verb and argument; blanks at the end do not count. */
static void
split_line(struct session *s, const char *line, size_t len)
{
	size_t n = verb_span(line, len);

	s->cmd = find(line, n);
	if (s->cmd == NULL)
		n = 0; /* the argument is the whole line then */
	while (n < len && (line[n] == ' ' || line[n] == '\t'))
		n++;
	while (len > n && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	s->arg = line + n;
	s->arg_len = len - n;
	s->rcpt = NULL;
	s->mailbox = -1;
	s->dev = NULL;
}

/* Does what was decided at the command's point. */
static void
act(struct session *s)
{
	const struct host_rule *r = s->act.rule;

	s->dev = s->act.dev;
	if (r == NULL) {
		s->cmd->run(s);
	} else if (r->action == DO_REPLY && (r->code / 100 == 2 || r->code == 354)) {
		s->override = r; /* the ordinary thing in other words */
		s->cmd->run(s);
		s->override = NULL;
	} else {
		session_deviate(s, r);
	}
}

static void
finish(struct session *s)
{
	s->dev = NULL;
	s->rcpt = NULL;
	s->line = s->arg = NULL;
	s->line_len = s->arg_len = 0;
	strbuf_clear(&s->stash);
}

void
command_line(struct session *s, const char *line, size_t len)
{
	struct behave_who who;
	enum smtp_point at;

	split_line(s, line, len);
	if (++s->commands > s->env->site->conf.smtp_commands) {
		session_reply(s, 421, "4.7.0 Too many commands, goodbye");
		return;
	}
	memset(&s->act, 0, sizeof s->act);
	if (!is_legal(s) || (s->cmd->check != NULL && !s->cmd->check(s))) {
		finish(s);
		return;
	}
	at = s->cmd->at == AT_EHLO && s->tls ? AT_TLS_EHLO : s->cmd->at;
	if (at != AT_MAX) {
		session_who(s, &who);
		behave_at(&s->act, s->bind.host, at, s->mailbox, &who);
	}
	if (s->act.delay_us > 0) {
		strbuf_reset(&s->stash);
		strbuf_add(&s->stash, line, len);
		session_delay(s, s->act.delay_us, STEP_COMMAND);
		return;
	}
	act(s);
	finish(s);
}

void
command_resume(struct session *s)
{
	struct strbuf line = s->stash;

	memset(&s->stash, 0, sizeof s->stash);
	split_line(s, line.s != NULL ? line.s : "", line.len);
	if (s->cmd->check == NULL || s->cmd->check(s))
		act(s);
	finish(s);
	strbuf_clear(&line);
}
