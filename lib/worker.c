#include "lib/worker.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/strbuf.h"

#define BACKOFF_MIN (100 * CLOCK_SECOND / 1000)
#define BACKOFF_MAX (30 * CLOCK_SECOND)
#define LIVED_WELL  (10 * CLOCK_SECOND) /* a worker that lived so long restarts at once */
#define STOP_WITHIN (10 * CLOCK_SECOND) /* then SIGKILL */
#define REAP_EVERY  (1 * CLOCK_SECOND)

struct worker {
	pid_t pid; /* 0: dead, starts at restart */
	unsigned index;
	int64_t started, restart, backoff;
};

struct crew {
	const struct worker_config *config;
	struct worker now[WORKERS_MAX];
	struct worker *old; /* earlier generations that drain */
	size_t n_old;
	sigset_t outside; /* the mask before worker_supervise */
	bool stopping;
	int64_t kill_at;
	int exit_code;
};

static int
drop_privileges(const struct worker_config *c)
{
	if (c->uid == 0 && c->gid == 0)
		return 0;
	if (geteuid() != 0 && geteuid() == c->uid)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(c->gid, c->gid, c->gid) < 0 ||
	    setresuid(c->uid, c->uid, c->uid) < 0) {
		log_warn("worker: becoming uid %u: %s: start as root or as that user",
		    (unsigned)c->uid, strerror(errno));
		return -1;
	}
	/* The keys in memory are not for others with this uid. */
	return prctl(PR_SET_DUMPABLE, 0);
}

/* In the child; does not return. */
static void __attribute__((noreturn)) child(const struct crew *crew, unsigned index, pid_t parent)
{
	const struct worker_config *c = crew->config;
	const struct rlimit no_core = { 0, 0 };
	sigset_t mask = crew->outside;

	/* It would be keys and strangers' mail on a disk. */
	(void)setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGINT, SIG_IGN); /* ^C reaches the whole group: the parent tells us */
	signal(SIGPIPE, SIG_IGN);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigdelset(&mask, SIGINT);
	sigdelset(&mask, SIGCHLD);
	sigprocmask(SIG_SETMASK, &mask, NULL);

	/* After the change of uid, which clears it. */
	if (drop_privileges(c) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		exit(EXIT_CANNOT);
	if (getppid() != parent)
		exit(EXIT_DONE);
	exit(c->run(index, c->ctx));
}

static void
start(struct crew *crew, struct worker *w)
{
	pid_t parent = getpid(), pid;

	fflush(NULL);
	w->started = clock_monotonic();
	pid = fork();
	if (pid == 0)
		child(crew, w->index, parent);
	if (pid < 0) {
		log_warn("worker %u: fork: %s: trying again", w->index, strerror(errno));
		w->pid = 0;
		w->restart = w->started + BACKOFF_MAX;
		return;
	}
	w->pid = pid;
}

static void
tell(const struct worker *w, int signal_number)
{
	if (w->pid > 0)
		kill(w->pid, signal_number);
}

static void
tell_all(struct crew *crew, int signal_number)
{
	for (unsigned i = 0; i < crew->config->n; i++)
		tell(&crew->now[i], signal_number);
	for (size_t i = 0; i < crew->n_old; i++)
		tell(&crew->old[i], signal_number);
}

static void
stop(struct crew *crew, int code)
{
	if (code > crew->exit_code)
		crew->exit_code = code;
	if (crew->stopping)
		return;
	crew->stopping = true;
	crew->kill_at = clock_monotonic() + STOP_WITHIN;
	tell_all(crew, SIGTERM);
}

static void
describe(char *dst, size_t len, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		snprintf(dst, len, "killed: a system call that its sandbox does not allow");
	else if (WIFSIGNALED(status))
		snprintf(dst, len, "killed by signal %d", WTERMSIG(status));
	else
		snprintf(dst, len, "exit code %d", WEXITSTATUS(status));
}

/* True if w has ended (and is reaped).  Only our own pids: the daemon may have other children. */
static bool
ended(struct crew *crew, struct worker *w)
{
	char why[64];
	int status;
	pid_t pid = w->pid;

	if (pid <= 0 || waitpid(pid, &status, WNOHANG) != pid)
		return false;
	w->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CANNOT) {
		if (!crew->stopping)
			log_warn("worker %u (pid %d): cannot go on: stopping", w->index, (int)pid);
		stop(crew, EXIT_CANNOT);
	} else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		describe(why, sizeof(why), status);
		log_warn("worker %u (pid %d): %s", w->index, (int)pid, why);
	}
	return true;
}

static void
plan_restart(struct worker *w)
{
	int64_t now = clock_monotonic();

	if (now - w->started >= LIVED_WELL)
		w->backoff = 0;
	w->restart = now + w->backoff;
	w->backoff = w->backoff == 0 ? BACKOFF_MIN : 2 * w->backoff;
	if (w->backoff > BACKOFF_MAX)
		w->backoff = BACKOFF_MAX;
}

static void
reap(struct crew *crew)
{
	size_t keep = 0;

	for (unsigned i = 0; i < crew->config->n; i++)
		if (ended(crew, &crew->now[i]))
			plan_restart(&crew->now[i]);
	for (size_t i = 0; i < crew->n_old; i++)
		if (!ended(crew, &crew->old[i]))
			crew->old[keep++] = crew->old[i];
	crew->n_old = keep;
}

static void
reload(struct crew *crew)
{
	const struct worker_config *c = crew->config;

	if (c->reload != NULL && c->reload(c->ctx) < 0) {
		log_warn("reload: failed: the earlier configuration stays in use");
		return;
	}
	/* One generation drains at a time: what still drains since the last reload has had its
	 * time. */
	for (size_t i = 0; i < crew->n_old; i++)
		tell(&crew->old[i], SIGTERM);
	crew->old = xrealloc(crew->old, (crew->n_old + c->n) * sizeof(*crew->old));
	for (unsigned i = 0; i < c->n; i++) {
		struct worker *w = &crew->now[i];
		struct worker before = *w;

		w->backoff = 0;
		start(crew, w);
		if (before.pid > 0) {
			tell(&before, SIGHUP);
			crew->old[crew->n_old++] = before;
		}
	}
}

/* Starts what is due; returns how long to sleep at most. */
static int64_t
restart_due(struct crew *crew)
{
	int64_t now = clock_monotonic(), sleep_us = REAP_EVERY;

	if (crew->stopping)
		return sleep_us;
	for (unsigned i = 0; i < crew->config->n; i++) {
		struct worker *w = &crew->now[i];

		if (w->pid != 0)
			continue;
		if (w->restart <= now)
			start(crew, w);
		else if (w->restart - now < sleep_us)
			sleep_us = w->restart - now;
	}
	return sleep_us;
}

static bool
any_left(const struct crew *crew)
{
	for (unsigned i = 0; i < crew->config->n; i++)
		if (crew->now[i].pid > 0)
			return true;
	return crew->n_old > 0;
}

static void
loop(struct crew *crew, const sigset_t *signals)
{
	while (!crew->stopping || any_left(crew)) {
		int64_t sleep_us = restart_due(crew);
		struct timespec ts = { .tv_sec = (time_t)(sleep_us / CLOCK_SECOND),
			.tv_nsec = (long)(sleep_us % CLOCK_SECOND) * 1000 };

		switch (sigtimedwait(signals, NULL, &ts)) {
		case SIGTERM:
		case SIGINT:
			stop(crew, EXIT_DONE);
			break;
		case SIGHUP:
			if (!crew->stopping)
				reload(crew);
			break;
		default: /* SIGCHLD, or time for a look: signals of one kind merge */
			break;
		}
		reap(crew);
		if (crew->config->tick != NULL && !crew->stopping)
			crew->config->tick(crew->config->ctx);
		if (crew->stopping && clock_monotonic() >= crew->kill_at)
			tell_all(crew, SIGKILL);
	}
}

int
worker_supervise(const struct worker_config *config)
{
	struct crew crew = { .config = config };
	sigset_t signals;

	if (config->n == 0 || config->n > WORKERS_MAX) {
		log_warn("workers: %u: must be 1 to %d", config->n, WORKERS_MAX);
		return EXIT_USAGE;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, &crew.outside);
	for (unsigned i = 0; i < config->n; i++) {
		crew.now[i].index = i;
		start(&crew, &crew.now[i]);
	}
	loop(&crew, &signals);
	free(crew.old);
	sigprocmask(SIG_SETMASK, &crew.outside, NULL);
	return crew.exit_code;
}

int
worker_user(const char *name, uid_t *uid, gid_t *gid)
{
	struct passwd pw, *found = NULL;
	char buf[4096];

	if (getpwnam_r(name, &pw, buf, sizeof(buf), &found) != 0 || found == NULL)
		return -1;
	*uid = pw.pw_uid;
	*gid = pw.pw_gid;
	return 0;
}
