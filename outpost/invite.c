/* outpost invite: writes to those who are asked for, at a rate, and says what became of them. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/eventlog.h"
#include "lib/json.h"
#include "lib/log.h"
#include "outpost/acted.h"
#include "outpost/command.h"
#include "outpost/mailhosts.h"
#include "outpost/publishes.h"
#include "outpost/sendmail.h"
#include "provisioning/invitations.h"
#include "provisioning/invite.h"
#include "provisioning/keys.h"
#include "provisioning/lock.h"
#include "provisioning/runs.h"
#include "results/store.h"
#include "zones/catalogue.h"

#define DAY (86400 * CLOCK_SECOND)

struct sender {
	struct site *site;
	struct optouts *optouts;
	struct invitations *invitations;
	struct runs *runs;
	EVP_PKEY *key;
	struct eventlog *log; /* a segment is begun with the first message */
	int64_t pause_us;
	bool quiet, dry;
	unsigned sent, refused, waiting;
	unsigned taken; /* messages of the participant who is written to */
};

static volatile sig_atomic_t ended;

static void
on_term(int sig)
{
	(void)sig;
	ended = 1;
}

/* --- may it be sent? ------------------------------------------------------------------------------------------ */

enum may { MAY_SEND, MAY_NOT_TODAY, MAY_NEVER };

static enum may
may_send(struct sender *s, const struct invitee *e, int64_t now, char *why, size_t whylen)
{
	const struct site_conf *c = &s->site->conf;
	const char *domain = strrchr(e->address, '@') + 1;

	snprintf(why, whylen, "opted out");
	if (optouts_has_address(s->optouts, e->address))
		return MAY_NEVER;
	snprintf(why, whylen, "enough mail to this address or domain today");
	if (invitations_address(s->invitations, e->address, false, now) >= c->mail_per_address ||
	    invitations_domain(s->invitations, domain, false, now) >= c->mail_per_domain)
		return MAY_NOT_TODAY;
	switch (mailhosts_are_out(why, whylen, s->site, s->optouts, domain)) {
	case 0:
		return MAY_SEND;
	case 1:
		return MAY_NEVER;
	default:
		return MAY_NOT_TODAY;
	}
}

/* --- one participant ------------------------------------------------------------------------------------------ */

/* The mail system has taken a message: an observation as all others. */
static int
observe(struct sender *s, const char *what, const char *token, const char *from, const char *to,
    const char *msgid)
{
	struct eventlog_config config = { .node = s->site->conf.node,
		.daemon = "invite",
		.segment_max = s->site->conf.segment_max,
		.reserve = s->site->conf.segment_reserve };
	static struct event_line line;
	char dir[512];

	site_path(dir, s->site, "", "log");
	config.dir = dir;
	if (s->log == NULL && (s->log = eventlog_open(&config)) == NULL)
		return -1;
	event_begin(&line, EV_OUT_SENT, eventlog_origin(s->log), clock_now());
	event_str(&line, EK_TOKEN, token);
	event_str(&line, EK_TEST, INVITE_DOMAIN);
	event_str(&line, EK_WHAT, what);
	event_str(&line, EK_FROM, from);
	event_str(&line, EK_TO, to);
	event_str(&line, EK_MSGID, msgid);
	event_end(&line);
	return eventlog_append(s->log, line.buf, line.len) != 0 ? eventlog_write(s->log) : -1;
}

/* What its domain publishes for those who mail it, as it stands now. */
static void
look_at_domain(struct sender *s, const struct invitee *e)
{
	struct published p;
	static struct event_line line;
	char why[512];

	if (s->log == NULL ||
	    publishes(&p, s->site, strrchr(e->address, '@') + 1, why, sizeof why) != 0)
		return;
	event_begin(&line, EV_OUT_PUBLISHED, eventlog_origin(s->log), clock_now());
	event_str(&line, EK_TOKEN, e->token);
	event_str(&line, EK_TEST, INVITE_DOMAIN);
	event_str(&line, EK_TO, e->address);
	event_str(&line, EK_MX, p.mx);
	event_str(&line, EK_TLSA, p.tlsa);
	event_str(&line, EK_STS, p.sts);
	event_str(&line, EK_REASON, p.why);
	event_end(&line);
	if (eventlog_append(s->log, line.buf, line.len) == 0 || eventlog_write(s->log) != 0)
		log_warn("invite: the event log cannot be written: what %s publishes is not known",
		    strrchr(e->address, '@') + 1);
}

/* Is it for a test that the set has? */
static bool
is_wanted(const struct site *site, const struct invite_extra *x, const char *set)
{
	const struct test *t = catalogue_find(site->catalogue, x->test, strlen(x->test));

	return t != NULL && catalogue_in_set(t, set);
}

static bool
has_extras(const struct site *site, const char *set)
{
	bool any = false;

	for (size_t i = 0; i < INVITE_EXTRAS; i++)
		any |= is_wanted(site, &invite_extras[i], set);
	return any && site->conf.mail_extra != 0;
}

/* A message of ours, with the URLs that it names. */
struct letter {
	char page[400], optout[400], about[400];
	struct invitation v;
};

static void
letter_begin(struct letter *l, struct sender *s, const struct invitee *e, const struct run *run)
{
	char path[96], link[OPTOUT_LINK_LEN + 1];

	snprintf(path, sizeof(path), "/run/%s", run->id);
	site_web_url(l->page, sizeof(l->page), s->site, path);
	site_web_url(l->about, sizeof(l->about), s->site, "/privacy");
	optout_link(link, s->site, e->address);
	snprintf(path, sizeof(path), "/optout/%s", link);
	site_web_url(l->optout, sizeof(l->optout), s->site, path);
	l->v = (struct invitation){ .site = s->site,
		.token = e->token,
		.address = e->address,
		.page = l->page,
		.optout = l->optout,
		.about = l->about };
}

/* To the mail system, and into the log when it has taken it.  0, an exit code, or -1. */
static int
post(struct sender *s, const struct invitee *e, const char *what, const char *from,
    const struct strbuf *text, const char *msgid, char *why, size_t whylen)
{
	int code = sendmail_run(
	    why, whylen, s->site->conf.mail_program, from, e->address, text->s, text->len);

	if (code == 0)
		s->taken++;
	if (code == 0 && observe(s, what, e->token, from, e->address, msgid) != 0) {
		snprintf(why, whylen, "the event log cannot be written");
		return -1;
	}
	return code;
}

/* Its messages.  0, or the code of the one that was not taken. */
static int
give(struct sender *s, const struct invitee *e, const struct run *run,
    const struct enrol_message *m, size_t n, char *why, size_t whylen)
{
	char from[340], msgid[INVITE_MSGID_SIZE];
	struct letter l;
	int code = 0;

	letter_begin(&l, s, e, run);
	l.v.reminder = e->sent_us != 0;
	l.v.extra = has_extras(s->site, run->set);
	snprintf(from, sizeof(from), "bounce@");
	invite_domain(from + 7, sizeof(from) - 7, s->site, e->token);
	for (size_t i = 0; i < n; i++)
		l.v.of += m[i].message == NULL;
	for (size_t i = 0; i < n && code == 0; i++) {
		struct strbuf text = { 0 };

		if (m[i].message != NULL)
			continue; /* must be sent in given words: no answer is that */
		l.v.rcpt = m[i].rcpt;
		l.v.n_rcpt = m[i].n;
		l.v.number++;
		l.v.now_us = clock_now();
		code = invite_build(&text, msgid, &l.v, s->key);
		if (code == 0)
			code = post(s, e, l.v.reminder ? "reminder" : "invitation", from, &text,
			    msgid, why, whylen);
		strbuf_clear(&text);
	}
	return code;
}

/* The further ones, for the tests of its set. */
static int
give_extra(
    struct sender *s, const struct invitee *e, const struct run *run, char *why, size_t whylen)
{
	char from[340], msgid[INVITE_MSGID_SIZE];
	struct letter l;
	int code = 0;

	letter_begin(&l, s, e, run);
	for (size_t i = 0; i < INVITE_EXTRAS && code == 0; i++) {
		const struct invite_extra *x = &invite_extras[i];
		struct strbuf text = { 0 };

		if (!is_wanted(s->site, x, run->set))
			continue;
		l.v.number++;
		l.v.now_us = clock_now();
		snprintf(from, sizeof(from), "dsn@");
		invite_extra_domain(from + 4, sizeof(from) - 4, s->site, e->token, x);
		code = invite_build_extra(&text, msgid, &l.v, x);
		if (code == 0)
			code = post(s, e, x->what, from, &text, msgid, why, whylen);
		strbuf_clear(&text);
	}
	return code;
}

static bool
is_for_now(int code)
{
	return code == -1 || code == 71 || code == 74 || code == 75; /* sysexits.h */
}

static void
complain(const struct sender *s, const struct invitee *e, int code, const char *why)
{
	log_warn("invite: %s: %s: exit code %d: %s", e->address, s->site->conf.mail_program, code,
	    why[0] != '\0' ? why : "it said nothing");
}

/* 0, or -1: the mail system takes nothing now, or a journal cannot be written. */
static int
write_to(struct sender *s, const struct invitee *row)
{
	struct invitee e = *row; /* notes move the rows */
	const struct run *run = runs_of(s->runs, e.token);
	struct enrolment enrolment = { 0 };
	struct enrol_message *m = NULL;
	size_t n = 0;
	char why[128] = "";
	int code, rc;

	if (run != NULL) {
		enrolment.token = run->token;
		enrolment.t_us = run->t_us;
		snprintf(enrolment.set, sizeof(enrolment.set), "%s", run->set);
	}
	if (run == NULL || enrol_messages(&m, &n, s->site, &enrolment) != 0) {
		s->refused++;
		return invitations_note(s->invitations, e.token, INVITATION_REFUSED,
		    "no more enrolled, or its set has left the catalogue", clock_now());
	}
	if (n == 0) { /* such as the set inbound alone */
		s->refused++;
		enrol_messages_free(m, n);
		return invitations_note(s->invitations, e.token, INVITATION_REFUSED,
		    "its set has no address to answer to: add another set", clock_now());
	}
	if (invitations_note(s->invitations, e.token, INVITATION_BEGUN, NULL, clock_now()) != 0) {
		enrol_messages_free(m, n);
		return -1;
	}
	s->taken = 0;
	code = give(s, &e, run, m, n, why, sizeof(why));
	enrol_messages_free(m, n);
	if (code == 0) {
		s->sent++;
		look_at_domain(s, &e);
		return invitations_note(
		    s->invitations, e.token, INVITATION_SENT, NULL, clock_now());
	}
	complain(s, &e, code, why);
	if (s->taken == 0 && is_for_now(code)) {
		rc = invitations_note(s->invitations, e.token, INVITATION_ASKED, why, clock_now());
		return rc != 0 ? rc : -1;
	}
	s->refused++;
	return invitations_note(s->invitations, e.token, INVITATION_REFUSED, why, clock_now());
}

/* The same for the further messages of one who has answered. */
static int
write_more(struct sender *s, const struct invitee *row)
{
	struct invitee e = *row;
	const struct run *run = runs_of(s->runs, e.token);
	char why[128] = "";
	int code, rc;

	if (invitations_note(s->invitations, e.token, INVITATION_EXTRA, NULL, clock_now()) != 0)
		return -1;
	s->taken = 0;
	code = give_extra(s, &e, run, why, sizeof(why));
	if (code == 0) {
		s->sent++;
		return 0;
	}
	complain(s, &e, code, why);
	if (s->taken == 0 && is_for_now(code)) {
		rc = invitations_note(s->invitations, e.token, INVITATION_SENT, why, clock_now());
		return rc != 0 ? rc : -1;
	}
	s->refused++;
	return invitations_note(s->invitations, e.token, INVITATION_EXTRA, why, clock_now());
}

/* --- all of them ---------------------------------------------------------------------------------------------- */

enum duty { NOTHING, INVITE, REMIND, EXTRA };

/* A reminder is for who was written to so long ago, once, has sent nothing, and whose mail did not come back; the
 * further messages are for who has answered in time. */
static enum duty
duty_to(const struct sender *s, struct store *store, const struct invitee *e, unsigned days,
    int64_t now)
{
	const struct run *run = runs_of(s->runs, e->token);
	bool remind = days > 0 && e->reminders == 0 && e->sent_us <= now - days * DAY;
	bool extra = run != NULL && e->sent_us > now - s->site->conf.mail_extra &&
		     has_extras(s->site, run->set);
	struct acted acted;

	if (e->address[0] == '\0')
		return NOTHING;
	if (e->state == INVITATION_ASKED)
		return INVITE;
	if (e->state != INVITATION_SENT || store == NULL || (!remind && !extra) ||
	    acted_read(&acted, store, e->token, e->address) != 0)
		return NOTHING;
	if (extra && acted.consented)
		return EXTRA;
	return remind && !acted.wrote && !acted.bounced ? REMIND : NOTHING;
}

/* Is there anybody of whom it matters what they have done? */
static bool
some_were_written_to(const struct sender *s)
{
	for (size_t i = 0; i < invitations_number(s->invitations); i++)
		if (invitations_row(s->invitations, i)->state == INVITATION_SENT)
			return true;
	return false;
}

static void
pause_between(const struct sender *s)
{
	int64_t until = clock_monotonic() + s->pause_us;
	const struct timespec step = { .tv_nsec = 50 * 1000 * 1000 };

	while (!ended && clock_monotonic() < until)
		nanosleep(&step, NULL);
}

static void
show(const struct sender *s, size_t at, size_t n)
{
	if (!s->quiet && isatty(STDERR_FILENO))
		fprintf(stderr, "\r%zu of %zu: %u sent, %u refused, %u wait\033[K", at, n, s->sent,
		    s->refused, s->waiting);
}

/* One round over those who were asked for when it began. */
static int
run_queue(struct sender *s, unsigned remind, struct store *store)
{
	size_t n = invitations_number(s->invitations);
	bool first = true;
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0 && !ended; i++) {
		const struct invitee *e = invitations_row(s->invitations, i);
		int64_t now = clock_now();
		enum duty duty = duty_to(s, store, e, remind, now);
		char why[128];
		enum may may;

		show(s, i, n);
		if (duty == NOTHING)
			continue;
		if (optouts_refresh(s->optouts) != 0)
			return -1;
		may = may_send(s, e, now, why, sizeof(why));
		if (s->dry) {
			printf(
			    "%s: %s\n", e->address, may == MAY_SEND ? "would be written to" : why);
			continue;
		}
		if (may == MAY_NOT_TODAY) {
			s->waiting++;
		} else if (may == MAY_NEVER) {
			s->refused++;
			rc = invitations_note(
			    s->invitations, e->token, INVITATION_REFUSED, why, now);
		} else {
			if (!first)
				pause_between(s);
			first = false;
			e = invitations_row(s->invitations, i);
			if (!ended)
				rc = duty == EXTRA ? write_more(s, e) : write_to(s, e);
		}
	}
	if (!s->quiet && isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	return rc;
}

static int
print_status(const struct sender *s, bool json)
{
	unsigned of[INVITATION_REFUSED + 1] = { 0 }, sent, reminded = 0, extra = 0;
	struct strbuf b = { 0 };

	for (size_t i = 0; i < invitations_number(s->invitations); i++) {
		const struct invitee *e = invitations_row(s->invitations, i);

		if (e->address[0] == '\0')
			continue; /* who asked on the web is not told that no mail goes there */
		of[e->state]++;
		reminded += e->reminders > 0;
		extra += e->extra_us != 0;
	}
	sent = of[INVITATION_SENT] + of[INVITATION_EXTRA];
	if (!json) {
		printf("%u wait, %u were begun and not finished, %u were written to (%u of them "
		       "reminded, %u once more after their answer), %u get none\n",
		    of[INVITATION_ASKED], of[INVITATION_BEGUN], sent, reminded, extra,
		    of[INVITATION_REFUSED]);
		return EXIT_DONE;
	}
	json_begin(&b, NULL, '{');
	json_put_num(&b, "asked", of[INVITATION_ASKED]);
	json_put_num(&b, "begun", of[INVITATION_BEGUN]);
	json_put_num(&b, "sent", sent);
	json_put_num(&b, "reminded", reminded);
	json_put_num(&b, "extra", extra);
	json_put_num(&b, "refused", of[INVITATION_REFUSED]);
	json_end(&b, '}');
	command_print_line(&b);
	return EXIT_DONE;
}

static void
close_all(struct sender *s)
{
	EVP_PKEY_free(s->key);
	eventlog_close(s->log);
	runs_close(s->runs);
	invitations_close(s->invitations);
	optouts_close(s->optouts);
	site_free(s->site);
}

static void
open_all(struct sender *s, bool status)
{
	char path[512], err[400];

	s->site = command_site(SITE_SECRET);
	command_must_own(s->site);
	if ((s->optouts = optouts_open(s->site)) == NULL ||
	    (s->invitations = invitations_open(s->site)) == NULL ||
	    (s->runs = runs_open(s->site)) == NULL)
		log_fatal(EXIT_CANNOT, "invite: nobody is written to");
	if (status)
		return;
	if (s->site->conf.mail_program[0] == '\0')
		log_fatal(EXIT_USAGE, "invite: no mail-program in outpost.conf: set it, such as "
				      "/usr/sbin/sendmail");
	site_path(path, s->site, "keys", SITE_DKIM_KEY);
	if ((s->key = keys_load(path, err, sizeof(err))) == NULL)
		log_fatal(EXIT_CANNOT, "%s: run outpost init %s as root", err, s->site->dir);
}

int
command_invite(const struct command *c, int argc, char **argv)
{
	static struct sender s;
	unsigned rate = 0, remind = 0;
	bool status = false, json = false;
	const struct option_row rows[] = {
		{ "rate", OPTION_NUMBER, "N", &rate,
		    "participants an hour (default: mail-rate of outpost.conf)" },
		{ "remind", OPTION_NUMBER, "DAYS", &remind,
		    "also, once, those who were written to so long ago and sent nothing" },
		{ "dry-run", OPTION_FLAG, NULL, &s.dry, "only say who would be written to" },
		{ "status", OPTION_FLAG, NULL, &status, "only say how many wait, were written to" },
		{ "json", OPTION_FLAG, NULL, &json, "--status as JSON" },
		{ "quiet", OPTION_FLAG, NULL, &s.quiet, "say nothing but what goes wrong" },
	};
	struct store *store = NULL;
	char path[512];
	int rc, lock = -1;

	command_options(c, rows, sizeof(rows) / sizeof(*rows), argc, argv, 0, 0);
	open_all(&s, status);
	if (status) {
		rc = print_status(&s, json);
		close_all(&s);
		return rc;
	}
	signal(SIGTERM, on_term);
	signal(SIGINT, on_term);
	if (rate == 0)
		rate = s.site->conf.mail_rate;
	s.pause_us = 3600 * CLOCK_SECOND / rate;
	if (!s.dry && (lock = lock_site(s.site, "invite")) < 0)
		log_fatal(EXIT_CANNOT, "invite: nobody is written to");
	/* What another one did while this one waited for the lock: nobody is written to twice.  Who was enrolled
	 * meanwhile has a run: that is written before it is asked for. */
	if (invitations_refresh(s.invitations) != 0 || runs_refresh(s.runs) != 0)
		log_fatal(EXIT_CANNOT, "invite: nobody is written to");
	if ((remind > 0 || s.site->conf.mail_extra != 0) && some_were_written_to(&s)) {
		site_path(path, s.site, "", "store.db");
		if (command_load_new(s.site, NULL) != 0 || (store = store_open(path)) == NULL)
			log_fatal(EXIT_CANNOT, "invite: nobody is written to");
	}
	rc = run_queue(&s, remind, store);
	if (!s.quiet && !s.dry)
		printf("%u written to, %u get none, %u wait for another day\n", s.sent, s.refused,
		    s.waiting);
	store_close(store);
	close_all(&s);
	if (lock >= 0)
		close(lock);
	return rc == 0 && fflush(stdout) == 0 ? EXIT_DONE : EXIT_CANNOT;
}
