/* session.c - one connection's events, in order, to attempts. */
#include "results/session.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"
#include "results/tlsrpt_match.h"

#define BOUND_TESTS_MAX 16 /* tests that one session is bound to without a transaction */

/* An attempt in the making. */
struct draft {
	struct facts *facts;
	bool report; /* to a mailbox of TLS reports or bounces: no mail of the measurement */
	unsigned transaction;
	unsigned rcpts, good; /* RCPTs; those of this test that were answered 2xx */
	struct attempt a;
};

struct reading {
	struct correlation *c;
	struct session s;
	struct draft *draft;
	size_t n;
	unsigned transaction;
	const char *from; /* of the transaction */
	int64_t mail_t;   /* when the transaction began; 0: with the session */
	bool tls, client_cert;
	enum stage stage, close_stage;
	unsigned commands;
	const struct observation *reply; /* last command with a reply */
	const struct observation *dev;   /* last deviation before a transaction */
	const struct observation *close;
	const struct observation *hello; /* the first ClientHello */
	const char *alert_in, *alert_out;
	int phase;
	struct {
		struct facts *facts;
		enum binding by;
	} bound[BOUND_TESTS_MAX];
	unsigned n_bound;
};

static bool
word_is(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(s, word, len) == 0;
}

/* Has the test a name {t}.LABEL.{zone}?  An alias may lead there, and some senders write that into the recipient. */
static bool
has_below(const struct test *t, const char *label, size_t len)
{
	for (size_t i = 0; i < t->n_records; i++) {
		const char *owner = t->records[i].owner;
		if (strncmp(owner, "{t}.", 4) == 0 && strncasecmp(owner + 4, label, len) == 0 &&
		    strcmp(owner + 4 + len, ".{zone}") == 0)
			return true;
	}
	return false;
}

/* What follows "@" in a RCPT argument or address list: the test whose domain of this token stands
 * there.  -1: no domain there, or none with a token; 0: another token, or no test of the catalogue; 1: *f. */
static int
recipient_test(struct facts **f, struct correlation *c, const char *arg)
{
	const char *p = strrchr(arg, '@'), *below = NULL;
	size_t below_len = 0;
	bool token = false;

	if (p == NULL)
		return -1;
	for (p++; *p != '\0';) {
		size_t len = strcspn(p, ".> \t;,");
		if (token && len > 2 && strncasecmp(p, "mx", 2) == 0 &&
		    strspn(p + 2, "0123456789") == len - 2) {
			/* mxK stands between the token and the test */
		} else if (token) {
			if (len > 2 && strncasecmp(p + len - 2, "-b", 2) == 0 &&
			    correlation_find(c, p, len) == NULL)
				len -= 2;
			*f = correlation_find(c, p, len);
			if (*f != NULL)
				return below == NULL || has_below((*f)->test, below, below_len);
			if (below != NULL)
				return 0;
			below = p;
			below_len = len;
		}
		token |= word_is(p, len, c->token);
		p += strcspn(p, ".> \t;,");
		if (*p != '.')
			break;
		p++;
	}
	return 0;
}

/* Is there a label NAME-b in the recipients: the second zone of the test? */
static bool
names_second(const struct test *t, const char *to)
{
	size_t len = strlen(t->name);

	for (; t->zone[1].used && *to != '\0'; to++)
		if (strncasecmp(to, t->name, len) == 0 && strncasecmp(to + len, "-b.", 3) == 0)
			return true;
	return false;
}

static int
mailbox_of(const struct test *t, const char *name, const char *to)
{
	return *name == '\0' ? 0 : test_mailbox(t, names_second(t, to), name, strlen(name));
}

static enum binding
binding_of(const struct reading *r, const struct facts *f)
{
	for (unsigned i = 0; i < r->n_bound; i++) {
		if (r->bound[i].facts == f)
			return r->bound[i].by;
	}
	return BOUND_RCPT;
}

static void
bind_to(struct reading *r, struct facts *f, enum binding by)
{
	for (unsigned i = 0; i < r->n_bound; i++) {
		if (r->bound[i].facts == f)
			return;
	}
	if (f != NULL && r->n_bound < BOUND_TESTS_MAX) {
		r->bound[r->n_bound].facts = f;
		r->bound[r->n_bound++].by = by;
	}
}

static void
reach(enum stage *s, enum stage to)
{
	if (to != STAGE_MAX && to > *s)
		*s = to;
}

/* The draft of this transaction for the test; made if there is none. */
static struct draft *
draft_of(struct reading *r, struct facts *f, int64_t t)
{
	for (size_t i = r->n; i-- > 0 && r->draft[i].transaction == r->transaction;) {
		if (r->draft[i].facts == f)
			return &r->draft[i];
	}
	r->draft = xgrow(r->draft, r->n, sizeof *r->draft);
	struct draft *d = &r->draft[r->n++];
	*d = (struct draft){ .facts = f, .transaction = r->transaction };
	/* The first one began with the connection, a later one with its MAIL. */
	d->a.t = r->n == 1 || r->mail_t == 0 ? r->s.t : r->mail_t;
	d->a.end = t;
	d->a.stage = STAGE_MAIL;
	d->a.phase = r->phase;
	d->a.dev = d->a.reply_text = d->a.msgid = "";
	d->a.from = r->from;
	return d;
}

static void
draft_note(struct reading *r, struct draft *d, const struct observation *o)
{
	const char *dev = text_of(o, EK_DEV);
	int reply = (int)observation_num(o, EK_REPLY, 0);

	d->a.end = o->t > d->a.end ? o->t : d->a.end;
	if (*dev != '\0')
		d->a.dev = dev;
	d->a.phase = (int)observation_num(o, EK_PHASE, d->a.phase);
	d->a.tls |= r->tls || observation_num(o, EK_TLS, 0) != 0;
	if (reply != 0 || o->kind == EV_SMTP_MESSAGE) {
		d->a.reply = reply;
		d->a.reply_text = text_of(o, EK_ECODE);
		d->a.reply_t = o->t;
		d->a.decides = o;
	}
}

static void
on_rcpt(struct reading *r, const struct observation *o, struct facts *named)
{
	struct facts *said = NULL;
	int which = recipient_test(&said, r->c, text_of(o, EK_ARG));
	int reply = (int)observation_num(o, EK_REPLY, 0);
	struct facts *f = which == 1 ? said : named;

	if (f == NULL)
		return;
	struct draft *d = draft_of(r, f, o->t);
	bool own = which != 0;
	if (test_wants_reports(f->test) && strcasecmp(text_of(o, EK_MAILBOX), "tlsrpt") == 0)
		d->report = true;
	if (f->test->unmailed || (strcasecmp(text_of(o, EK_MAILBOX), "dsn") == 0 &&
				     mailbox_of(f->test, "dsn", text_of(o, EK_ARG)) < 0))
		d->report = true;
	reach(&d->a.stage, STAGE_RCPT);
	d->rcpts++;
	d->good += own && reply >= 200 && reply < 300;
	if (!own || (named != NULL && named != f))
		d->a.mixed = true;
	if (own && d->a.n_rcpt < ATTEMPT_RCPTS_MAX) {
		d->a.rcpt[d->a.n_rcpt].mailbox = mailbox_of(
		    f->test, text_of(o, EK_MAILBOX), text_of(o, EK_ARG));
		d->a.rcpt[d->a.n_rcpt++].reply = reply;
	}
	draft_note(r, d, o);
	for (size_t i = r->n; i-- > 0 && r->draft[i].transaction == r->transaction;) {
		if (r->draft[i].facts != f)
			r->draft[i].a.mixed = d->a.mixed = true;
	}
}

static void
begin_transaction(struct reading *r, int64_t t)
{
	r->transaction++;
	r->mail_t = t;
}

static void
on_command(struct reading *r, const struct observation *o, struct facts *named)
{
	const char *verb = text_of(o, EK_VERB), *arg = text_of(o, EK_ARG);
	int reply = (int)observation_num(o, EK_REPLY, 0);

	r->commands++;
	if (reply != 0 && strcasecmp(verb, "QUIT") != 0)
		r->reply = o;
	if (strcasecmp(verb, "EHLO") == 0 || strcasecmp(verb, "HELO") == 0) {
		r->s.ehlo = arg;
		reach(&r->stage, r->tls ? STAGE_TLS_EHLO : STAGE_EHLO);
	} else if (strcasecmp(verb, "STARTTLS") == 0) {
		reach(&r->stage, STAGE_STARTTLS);
	} else if (strcasecmp(verb, "MAIL") == 0) {
		reach(&r->stage, STAGE_MAIL);
		begin_transaction(r, o->t);
		r->from = arg;
	} else if (strcasecmp(verb, "RSET") == 0) {
		begin_transaction(r, 0);
	} else if (strcasecmp(verb, "RCPT") == 0) {
		reach(&r->stage, STAGE_RCPT);
		on_rcpt(r, o, named);
	} else if (strcasecmp(verb, "DATA") == 0 || strcasecmp(verb, "BDAT") == 0) {
		reach(&r->stage, STAGE_DATA);
		for (size_t i = r->n; i-- > 0 && r->draft[i].transaction == r->transaction;) {
			struct draft *d = &r->draft[i];
			if (d->good == 0)
				continue; /* keeps what its RCPT was told */
			reach(&d->a.stage, STAGE_DATA);
			draft_note(r, d, o);
		}
	}
}

static void
accept_message(struct reading *r, struct draft *d, const struct observation *o)
{
	struct correlation *c = r->c;

	d->a.accepted = true;
	d->a.stage = STAGE_ACCEPTED;
	c->messages = xgrow(c->messages, c->n_messages, sizeof *c->messages);
	c->messages[c->n_messages++] = (struct accepted_message){ .test = d->facts->test,
		.msgid = text_of(o, EK_MSGID),
		.from = text_of(o, EK_FROM),
		.to = text_of(o, EK_TO),
		.t = o->t };
}

static void
on_message(struct reading *r, const struct observation *o, struct facts *named)
{
	int reply = (int)observation_num(o, EK_REPLY, 0);
	bool drafted = r->n > 0 && r->draft[r->n - 1].transaction == r->transaction, mine = false;

	for (size_t i = r->n; drafted && i-- > 0 && r->draft[i].transaction == r->transaction;)
		mine |= r->draft[i].facts == named;
	if (named == NULL || (drafted && !mine)) {
		/* The recipients say another test than the session: this decides nothing. */
		for (size_t i = r->n;
		     drafted && i-- > 0 && r->draft[i].transaction == r->transaction;)
			r->draft[i].a.mixed = true;
		begin_transaction(r, 0);
		return;
	}
	struct draft *d = draft_of(r, named, o->t);
	d->a.message = o;
	d->a.msgid = text_of(o, EK_MSGID);
	reach(&d->a.stage, STAGE_DATA);
	draft_note(r, d, o);
	if (d->a.n_rcpt == 0 && d->rcpts == 0) {
		d->a.rcpt[0].mailbox = mailbox_of(
		    named->test, text_of(o, EK_MAILBOX), text_of(o, EK_RCPTS));
		d->a.rcpt[0].reply = 250;
		d->a.n_rcpt = 1;
	}
	if (d->rcpts > 0 && d->good == 0)
		d->a.mixed = true;
	else if (reply >= 200 && reply < 300)
		accept_message(r, d, o);
	begin_transaction(r, 0);
}

static void
on_tls(struct reading *r, const struct observation *o)
{
	const char *sni = text_of(o, EK_SNI);

	if (*sni != '\0')
		r->s.sni = sni;
	switch (o->kind) {
	case EV_TLS_HELLO:
		if (r->hello != NULL)
			break; /* the second one: the offer was the first */
		r->hello = o;
		reach(&r->stage, STAGE_HELLO);
		r->s.ja3 = text_of(o, EK_JA3);
		r->s.ja4 = text_of(o, EK_JA4);
		break;
	case EV_TLS_DONE:
		reach(&r->stage, STAGE_HANDSHAKE);
		r->tls = true;
		r->client_cert = *text_of(o, EK_CLIENTCERT) != '\0';
		r->s.tls_version = text_of(o, EK_VERSION);
		r->s.tls_cipher = text_of(o, EK_CIPHER);
		break;
	case EV_TLS_ALERT:
		if (observation_is(o, EK_DIR, "out"))
			r->alert_out = text_of(o, EK_ALERT);
		else if (!observation_is(o, EK_ALERT, "close_notify") || *r->alert_in == '\0')
			r->alert_in = text_of(o, EK_ALERT);
		break;
	default:
		break;
	}
}

static void
on_place(struct reading *r, const struct observation *o)
{
	const char *peer = text_of(o, EK_PEER), *local = text_of(o, EK_LOCAL);

	if (*peer != '\0')
		r->s.peer = peer;
	if (*local != '\0')
		r->s.local = local;
	if (o->kind != EV_SMTP_COMMAND || r->s.host < 0)
		r->s.host = (int)observation_num(o, EK_HOST, r->s.host);
	if (o->kind == EV_SMTP_CONNECT)
		r->s.port = (unsigned)observation_num(o, EK_PORT, 0);
}

static void
on_bind(struct reading *r, const struct observation *o, struct facts *named)
{
	const char *by = text_of(o, EK_BY);

	bind_to(r, named,
	    strcmp(by, "address") == 0 ? BOUND_ADDRESS
	    : strcmp(by, "sni") == 0   ? BOUND_SNI
	    : strcmp(by, "rcpt") == 0  ? BOUND_RCPT
				       : BOUND_NOT);
}

static void
read_event(struct reading *r, const struct observation *o)
{
	const char *name = text_of(o, EK_TEST);
	struct facts *named = correlation_find(r->c, name, strlen(name));

	r->s.end = o->t > r->s.end ? o->t : r->s.end;
	on_place(r, o);
	if (*text_of(o, EK_DEV) != '\0')
		r->dev = o;
	r->phase = (int)observation_num(o, EK_PHASE, r->phase);
	switch (o->kind) {
	case EV_SMTP_CONNECT:
		reach(&r->stage, STAGE_CONNECT);
		bind_to(r, named, BOUND_ADDRESS);
		break;
	case EV_SMTP_BIND:
		on_bind(r, o, named);
		break;
	case EV_SMTP_COMMAND:
		on_command(r, o, named);
		break;
	case EV_SMTP_MESSAGE:
		on_message(r, o, named);
		break;
	case EV_SMTP_CLOSE:
		r->close = o;
		r->close_stage = stage_by_name(
		    text_of(o, EK_STAGE), (unsigned)strlen(text_of(o, EK_STAGE)));
		break;
	default:
		on_tls(r, o);
		break;
	}
	/* A session that says RCPT for its test is bound by that, unless it was before. */
	if (o->kind != EV_SMTP_MESSAGE &&
	    (o->kind != EV_SMTP_COMMAND || !observation_is(o, EK_VERB, "RCPT")))
		bind_to(r, named, BOUND_NOT);
}

/* What the session says of an attempt in it. */
static void
finish(struct reading *r, struct attempt *a, unsigned session, const struct facts *f)
{
	a->conn = r->s.conn;
	a->peer = r->s.peer;
	a->local = r->s.local;
	a->port = r->s.port;
	a->family = r->s.family;
	a->host = r->s.host;
	a->state = "serves";
	a->sni = *r->s.sni != '\0';
	a->client_cert = r->client_cert;
	a->hello = r->hello;
	a->commands = r->commands;
	a->how = r->close == NULL ? "" : text_of(r->close, EK_HOW);
	a->by = binding_of(r, f);
	a->ehlo = r->s.ehlo;
	a->tls_version = a->tls ? r->s.tls_version : "";
	a->tls_cipher = a->tls ? r->s.tls_cipher : "";
	a->alert_in = r->alert_in;
	a->alert_out = r->alert_out;
	a->session = session;
}

/* Bound, but no transaction came to be: the session itself is the attempt. */
static void
push_session(struct reading *r, struct facts *f, unsigned session)
{
	struct attempt a = { .t = r->s.t,
		.end = r->s.end,
		.stage = r->stage,
		.tls = r->tls,
		.phase = r->phase,
		.dev = r->dev == NULL ? "" : text_of(r->dev, EK_DEV),
		.reply_text = "",
		.msgid = "",
		.from = "" };

	reach(&a.stage, r->close_stage);
	if (a.stage == STAGE_NONE)
		a.stage = STAGE_CONNECT;
	if (a.stage >= STAGE_DATA)
		a.stage = STAGE_RCPT; /* its own transaction would be seen */
	if (r->reply != NULL) {
		a.reply = (int)observation_num(r->reply, EK_REPLY, 0);
		a.reply_text = text_of(r->reply, EK_ECODE);
		a.reply_t = r->reply->t;
	}
	a.decides = r->close != NULL ? r->close : r->reply;
	finish(r, &a, session, f);
	facts_attempt(f, &a);
}

static void
end_session(struct reading *r, const struct observation **o, size_t n)
{
	struct correlation *c = r->c;
	unsigned index = (unsigned)c->n_sessions;

	r->s.family = family_of(*r->s.peer != '\0' ? r->s.peer : r->s.local);
	for (size_t i = 0; i < r->n; i++) {
		struct attempt *a = &r->draft[i].a;
		if (r->n == 1 && !a->accepted && r->close_stage < STAGE_ACCEPTED)
			reach(&a->stage, r->close_stage);
		if (r->close != NULL && i + 1 == r->n && !a->accepted && *a->dev == '\0')
			a->dev = text_of(r->close, EK_DEV);
		if (a->decides == NULL)
			a->decides = r->close;
		finish(r, a, index, r->draft[i].facts);
		if (!r->draft[i].report)
			facts_attempt(r->draft[i].facts, a);
	}
	for (unsigned b = 0; b < r->n_bound; b++) {
		bool has = false;
		for (size_t i = 0; i < r->n; i++)
			has |= r->draft[i].facts == r->bound[b].facts;
		if (!has && !r->bound[b].facts->test->unmailed &&
		    !tlsrpt_is_collector(r->bound[b].facts->test, r->s.host))
			push_session(r, r->bound[b].facts, index);
	}
	if (r->n == 0 && r->n_bound == 0)
		return; /* another token's, or nobody's */
	c->sessions = xgrow(c->sessions, c->n_sessions, sizeof *c->sessions);
	c->sessions[c->n_sessions++] = r->s;
	/* What came before the binding belongs to every test that the session led to. */
	for (size_t i = 0; i < r->n + r->n_bound; i++) {
		struct facts *f = i < r->n ? r->draft[i].facts : r->bound[i - r->n].facts;
		for (size_t k = 0; f->mark != c->n_sessions && k < n; k++) {
			if (*text_of(o[k], EK_TEST) == '\0')
				facts_event(f, o[k]);
		}
		f->mark = c->n_sessions;
	}
}

static int
conn_order(const void *pa, const void *pb)
{
	const struct observation *a = *(const struct observation *const *)pa;
	const struct observation *b = *(const struct observation *const *)pb;
	int d;

	if ((d = strcmp(a->node, b->node)) != 0 ||
	    (d = strcmp(text_of(a, EK_CONN), text_of(b, EK_CONN))) != 0)
		return d;
	return observation_order(a, b);
}

static bool
same_conn(const struct observation *a, const struct observation *b)
{
	return strcmp(a->node, b->node) == 0 &&
	       strcmp(text_of(a, EK_CONN), text_of(b, EK_CONN)) == 0;
}

static void
read_session(struct correlation *c, const struct observation **o, size_t n)
{
	struct reading r = { .c = c, .phase = -1, .from = "", .alert_in = "", .alert_out = "" };
	bool smtp = false;

	r.s = (struct session){ .node = o[0]->node,
		.conn = text_of(o[0], EK_CONN),
		.peer = "",
		.local = "",
		.host = -1,
		.t = o[0]->t,
		.end = o[0]->t,
		.ehlo = "",
		.sni = "",
		.ja3 = "",
		.ja4 = "",
		.tls_version = "",
		.tls_cipher = "" };
	for (size_t i = 0; i < n; i++) {
		smtp |= o[i]->kind < EV_TLS_HELLO;
		read_event(&r, o[i]);
	}
	if (smtp) /* else TLS of another protocol */
		end_session(&r, o, n);
	free(r.draft);
}

void
sessions_read(struct correlation *c, const struct observations *obs)
{
	const struct observation **o = xcalloc(obs->n + 1, sizeof *o);
	size_t n = 0;

	for (size_t i = 0; i < obs->n; i++) {
		const char *token = text_of(obs->item[i], EK_TOKEN);
		if (((obs->item[i]->kind >= EV_SMTP_CONNECT &&
			 obs->item[i]->kind <= EV_TLS_CLOSE) ||
			obs->item[i]->kind == EV_HTTP_CONNECT) &&
		    *text_of(obs->item[i], EK_CONN) != '\0' &&
		    (*token == '\0' || strcmp(token, c->token) == 0))
			o[n++] = obs->item[i];
	}
	qsort(o, n, sizeof *o, conn_order);
	for (size_t i = 0, j; i < n; i = j) {
		bool https = o[i]->kind == EV_HTTP_CONNECT;
		for (j = i + 1; j < n && same_conn(o[i], o[j]); j++)
			https |= o[j]->kind == EV_HTTP_CONNECT;
		/* What a policy host saw is no attempt at delivery. */
		if (!https)
			read_session(c, &o[i], j - i);
	}
	free(o);
}
