/* command.c - the commands of SMTP as rows: where each is legal, what argument it takes, at which
 * point of a host's behaviour it stands.  A row is checked (syntax, order, binding), then the test's rules
 * are asked, then it is run; after a delay the check is made again, so checks may not count. */
#include <string.h>
#include <strings.h>

#include "smtpd/ehlo.h"
#include "smtpd/envelope.h"
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

/* --- DATA, BDAT ------------------------------------------------------------------------------------ */

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
	if (ehlo_offers(s, "CHUNKING"))
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
	{ "EHLO", L_ANY, ARG_NEED, AT_EHLO, true, ehlo_check, ehlo_run }, /* RFC 5321 4.1.1.1 */
	{ "HELO", L_ANY, ARG_NEED, AT_MAX, true, ehlo_check, helo_run },
	{ "STARTTLS", L_READY, ARG_NONE, AT_STARTTLS, true, starttls_check,
	    starttls_run },                                                  /* RFC 3207 4 */
	{ "MAIL", L_READY, ARG_NEED, AT_MAIL, false, mail_check, mail_run }, /* RFC 5321 4.1.1.2 */
	{ "RCPT", L_MAIL | L_RCPT, ARG_NEED, AT_RCPT, false, rcpt_check, rcpt_run }, /* 4.1.1.3 */
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
	s->to_operator = false;
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
	if (at != AT_MAX && !s->to_operator && !s->for_operator) {
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
