/* outpost run: prepares the site, then supervises authdns, smtpd, the web site and the loading of logs. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/listen.h"
#include "lib/log.h"
#include "outpost/child.h"
#include "outpost/command.h"
#include "outpost/notify.h"
#include "provisioning/lock.h"
#include "provisioning/prepare.h"

#define READY_MAX (20 * CLOCK_SECOND)
#define STOP_MAX  (20 * CLOCK_SECOND) /* then SIGKILL */
#define TICK_MS   200
/* Who has a clock that jumps further than this is not told by it what is too old. */
#define JUMP_MAX (24 * 3600 * CLOCK_SECOND)

enum { DNS, SMTP, WEB, DAEMONS, INGEST = DAEMONS, EXPIRE, INVITE, MAILLOG, CHILDREN };

/* What is started again and again, and ends by itself. */
static const struct {
	int64_t every_us;
	const char *what;
} jobs[CHILDREN] = {
	[INGEST] = { 3 * CLOCK_SECOND, "loading the logs" },
	[EXPIRE] = { 6 * 3600 * CLOCK_SECOND, "removing what is too old" },
	[INVITE] = { 30 * CLOCK_SECOND, "writing to those who are invited" },
	[MAILLOG] = { 5 * CLOCK_SECOND, "reading the mail server's log" },
};

struct supervisor {
	struct child child[CHILDREN];
	const struct site *site;
	int signals;
	int64_t due_us[CHILDREN], ready_until;
	struct clock_mark started;
	bool ready, stopping, stop_asked;
	int stop_stage; /* which child is being stopped */
	int64_t kill_us;
	int exit_code;
};

/* --- the site ---------------------------------------------------------------------------------------- */

/* Adding a test is: drop its file, restart; so what it needs is made here. */
static int
prepare(const char *dir)
{
	struct prepared made;
	char err[1024], keys[600];

	snprintf(keys, sizeof(keys), "%s/keys", dir);
	if (access(keys, W_OK) != 0)
		return 0; /* then everything must be there: site_load says if not */
	if (site_prepare(&made, dir, err, sizeof(err)) != 0) {
		log_warn("%s", err);
		return -1;
	}
	if (made.keys + made.certs + made.fronts > 0)
		log_info("made %u keys and %u certificates, gave %u addresses to fronts", made.keys,
		    made.certs, made.fronts);
	return 0;
}

static void
find_daemon(char dst[512], const char *name)
{
	char beside[64], installed[64], fixed[512];
	const char *places[] = { beside, installed, fixed, NULL };

	snprintf(beside, sizeof(beside), "./%s", name);
	snprintf(installed, sizeof(installed), "../libexec/outpost/%s", name);
	snprintf(fixed, sizeof(fixed), "%s/%s", OUTPOST_LIBEXECDIR, name);
	site_find_part(dst, places);
	if (access(dst, X_OK) != 0)
		log_fatal(EXIT_CANNOT, "%s: %s: build and install it first", dst, strerror(errno));
}

/* --- readiness --------------------------------------------------------------------------------------- */

static void
look_ready(struct supervisor *s, int64_t now)
{
	if (s->ready || s->child[DNS].pid == 0 || s->child[SMTP].pid == 0)
		return;
	if (!listen_held(s->child[DNS].pid, s->site->conf.dns_port) ||
	    !listen_held(s->child[SMTP].pid, s->site->conf.smtp_port)) {
		if (now > s->ready_until && s->ready_until != 0) {
			log_warn("run: the daemons do not listen on ports %u and %u yet: look at "
				 "their messages",
			    s->site->conf.dns_port, s->site->conf.smtp_port);
			s->ready_until = 0;
		}
		return;
	}
	s->ready = true;
	notify("READY=1\nSTATUS=serving");
	log_info("serving %s", s->site->conf.base);
}

/* --- children ---------------------------------------------------------------------------------------- */

static void
begin_stop(struct supervisor *s, int code)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->exit_code = code;
	notify("STOPPING=1");
}

/* SMTP before DNS: as long as names resolve nobody takes a stop for a test. */
static const int stop_order[] = { INVITE, MAILLOG, EXPIRE, WEB, SMTP, DNS, INGEST };
#define STOP_STAGES ((int)(sizeof(stop_order) / sizeof(*stop_order)))

/* false: all have ended. */
static bool
go_on_stopping(struct supervisor *s, int64_t now)
{
	for (; s->stop_stage < STOP_STAGES; s->stop_stage++, s->stop_asked = false) {
		struct child *c = &s->child[stop_order[s->stop_stage]];

		if (!s->stop_asked && c == &s->child[INGEST]) {
			if (c->pid != 0)
				return true; /* it began before the daemons wrote their last lines */
			child_start(c, now);
			s->kill_us = now + STOP_MAX;
		} else if (!s->stop_asked && c->pid != 0) {
			kill(c->pid, SIGTERM);
			s->kill_us = now + STOP_MAX;
		}
		s->stop_asked = true;
		if (c->pid == 0)
			continue;
		if (now > s->kill_us) {
			log_warn("run: %s does not stop: killed", c->name);
			kill(c->pid, SIGKILL);
			s->kill_us = now + STOP_MAX;
		}
		return true;
	}
	return false;
}

static void
on_end(struct supervisor *s, struct child *c, int status, int64_t now)
{
	char how[80];
	size_t i = (size_t)(c - s->child);

	child_ended(c, status, now);
	child_describe(how, sizeof(how), status);
	if (i >= DAEMONS) {
		if (status != 0 && !(s->stopping && WIFSIGNALED(status)))
			log_warn("run: %s %s: will try again", jobs[i].what, how);
		s->due_us[i] = now + jobs[i].every_us;
		return;
	}
	if (s->stopping) {
		/* The signal that stops it may meet one that has not begun to wait for it. */
		if (status != 0 && s->exit_code == EXIT_DONE &&
		    !(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM))
			log_warn("run: %s %s while stopping", c->name, how);
		return;
	}
	/* A web site that cannot serve is no reason to stop measuring. */
	if (c != &s->child[WEB] && WIFEXITED(status) &&
	    (WEXITSTATUS(status) == EXIT_USAGE || (!s->ready && WEXITSTATUS(status) != 0))) {
		log_warn("run: %s %s: all is stopped", c->name, how);
		begin_stop(s, WEXITSTATUS(status) == EXIT_USAGE ? EXIT_USAGE : EXIT_CANNOT);
		return;
	}
	log_warn("run: %s %s: starts again in %.1f s", c->name, how,
	    (double)(c->again_us - now) / CLOCK_SECOND);
}

static void
reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < CHILDREN; i++)
			if (s->child[i].pid == pid)
				on_end(s, &s->child[i], status, clock_monotonic());
}

/* A clock that was set a year ahead makes everything too old, and what is removed is gone. */
static bool
clock_is_trusted(const struct supervisor *s)
{
	int64_t by = clock_set_by(s->started, clock_mark());
	char span[32];

	if (by <= JUMP_MAX)
		return true;
	duration_format(span, by);
	log_warn("run: the clock was set ahead by %s: nothing is removed for its age: if the time "
		 "is right, start outpost run again",
	    span);
	return false;
}

static void
start_what_is_due(struct supervisor *s, int64_t now)
{
	for (size_t i = 0; i < DAEMONS; i++)
		if (s->child[i].path != NULL && s->child[i].pid == 0 && now >= s->child[i].again_us)
			child_start(&s->child[i], now);
	for (size_t i = DAEMONS; i < CHILDREN; i++)
		if (s->ready && s->child[i].path != NULL && s->child[i].pid == 0 &&
		    now >= s->due_us[i]) {
			s->due_us[i] = now + jobs[i].every_us;
			if (i != EXPIRE || clock_is_trusted(s))
				child_start(&s->child[i], now);
		}
}

/* A mistake in the configuration or a test changes nothing: what runs goes on. */
static void
reload(struct supervisor *s)
{
	notify_reloading();
	if (prepare(s->site->dir) == 0)
		for (size_t i = 0; i < DAEMONS; i++)
			if (s->child[i].pid != 0)
				kill(s->child[i].pid, SIGHUP);
	notify("READY=1");
}

static void
on_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			reap(s);
			break;
		case SIGHUP:
			reload(s);
			break;
		default:
			begin_stop(s, EXIT_DONE);
		}
	}
}

static void
wait_for_something(struct supervisor *s)
{
	struct pollfd p[1 + CHILDREN] = { { .fd = s->signals, .events = POLLIN } };

	for (size_t i = 0; i < CHILDREN; i++)
		p[1 + i] = (struct pollfd){ .fd = s->child[i].err, .events = POLLIN };
	if (poll(p, 1 + CHILDREN, TICK_MS) <= 0)
		return;
	for (size_t i = 0; i < CHILDREN; i++)
		if (p[1 + i].revents != 0)
			child_read(&s->child[i]);
	if (p[0].revents != 0)
		on_signal(s);
}

static int
supervise(struct supervisor *s)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	s->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		log_fatal(EXIT_CANNOT, "run: signalfd: %s", strerror(errno));
	s->started = clock_mark();
	s->ready_until = s->started.monotonic_us + READY_MAX;
	for (;;) {
		int64_t now = clock_monotonic();

		if (!s->stopping) {
			start_what_is_due(s, now);
			look_ready(s, now);
		} else if (!go_on_stopping(s, now)) {
			break;
		}
		wait_for_something(s);
	}
	close(s->signals);
	return s->exit_code;
}

/* Is there to be a web site, and an address for it? */
static bool
wants_web(const struct site *site)
{
	char address[1][ADDRESS_TEXT_MAX];

	if (!site->conf.web)
		return false;
	if (site_web_addresses(address, 1, site) > 0)
		return true;
	log_info("no web site: no address is left for it: see web-address in outpost.conf(5)");
	return false;
}

int
command_run(const struct command *c, int argc, char **argv)
{
	static struct supervisor s;
	char authdns[512], smtpd[512], web[512], self[600], err[1024], dir[256];
	bool quiet = false;
	const struct option_row rows[] = {
		{ "quiet", OPTION_FLAG, NULL, &quiet, "only warnings" },
	};
	struct site *site;
	int rc, lock;

	command_options(c, rows, sizeof(rows) / sizeof(*rows), argc, argv, 0, 0);
	log_quiet(quiet);
	snprintf(dir, sizeof(dir), "%s", command_site_dir());
	if (prepare(dir) != 0)
		return EXIT_USAGE;
	if ((site = site_load(dir, err, sizeof(err))) == NULL)
		log_fatal(EXIT_USAGE, "%s", err);
	if ((lock = lock_site(site, "run")) < 0)
		return EXIT_CANNOT;
	find_daemon(authdns, "authdns");
	find_daemon(smtpd, "smtpd");
	find_daemon(web, "web");
	site_program_dir(self);
	snprintf(self + strlen(self), sizeof(self) - strlen(self), "/outpost");

	char *daemon_argv[] = { authdns, "-C", dir, NULL };
	char *smtpd_argv[] = { smtpd, "-C", dir, NULL };
	char *web_argv[] = { web, "-C", dir, NULL };
	char *ingest_argv[] = { self, "ingest", "--quiet", "-C", dir, NULL };
	char *invite_argv[] = { self, "invite", "--quiet", "-C", dir, NULL };
	char *maillog_argv[] = { self, "maillog", "-C", dir, NULL };
	char *expire_argv[] = { self, "expire", "--quiet", "-C", dir, NULL };

	s.site = site;
	s.child[DNS] = (struct child){
		.name = "authdns", .path = authdns, .argv = daemon_argv, .err = -1
	};
	s.child[SMTP] = (struct child){
		.name = "smtpd", .path = smtpd, .argv = smtpd_argv, .err = -1
	};
	s.child[WEB] = (struct child){
		.name = "web", .path = wants_web(site) ? web : NULL, .argv = web_argv, .err = -1
	};
	s.child[INGEST] = (struct child){
		.name = "outpost", .path = self, .argv = ingest_argv, .err = -1
	};
	s.child[EXPIRE] = (struct child){
		.name = "outpost", .path = self, .argv = expire_argv, .err = -1
	};
	s.child[INVITE] = (struct child){ .name = "outpost",
		.path = site->conf.mail_program[0] != '\0' ? self : NULL,
		.argv = invite_argv,
		.err = -1 };
	s.child[MAILLOG] = (struct child){ .name = "outpost",
		.path = site->conf.mail_log[0] != '\0' ? self : NULL,
		.argv = maillog_argv,
		.err = -1 };
	rc = supervise(&s);
	close(lock);
	site_free(site);
	return rc;
}
