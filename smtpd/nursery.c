/* nursery.c - see nursery.h. */
#include "smtpd/nursery.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/fds.h"
#include "lib/log.h"
#include "lib/sandbox.h"

#define N_FDS      3
#define NOT_FORKED (EXIT_FAIL_ON << 8) /* a wait status */

/* Its row in outpost-smtpd(8); its children need what they do before they confine themselves. */
static const struct sandbox box = {
	.process = "smtpd nursery",
	.calls = "recvmsg sendto prctl seccomp prlimit64 setrlimit uname sysinfo",
	.forks = true,
};

enum order_kind { ORDER_FORK, ORDER_KILL };
struct order {
	uint32_t kind, judge;
	uint64_t id;
};
struct notice {
	uint64_t id;
	int32_t status;
};
struct nursery {
	const struct nursery_config *config;
	int fd, signals;
	sigset_t mask; /* of children */
	struct {
		pid_t pid; /* 0: free */
		uint64_t id;
	} child[NURSERY_CHILDREN_MAX];
};

/* --- the nursery --------------------------------------------------------------------------------------- */

static void
give_notice(const struct nursery *n, uint64_t id, int status)
{
	struct notice notice;

	memset(&notice, 0, sizeof notice);
	notice.id = id;
	notice.status = status;
	/* The caller takes these; one that does not is gone. */
	if (send(n->fd, &notice, sizeof notice, MSG_NOSIGNAL) < 0)
		_exit(EXIT_DONE);
}

/* Does not return.  Nothing stays open but what the child is given. */
static void __attribute__((noreturn))
child(struct nursery *n, unsigned judge, int fds[N_FDS], pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(EXIT_FAIL_ON);
	close(n->fd);
	close(n->signals);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
#ifndef OUTPOST_DEBUG
	close(STDERR_FILENO); /* what libraries say as they die is no message of ours */
#endif
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_SETMASK, &n->mask, NULL);
	_exit(judge_main(&n->config->judges[judge], &n->config->limits, fds[0], fds[1], fds[2]));
}

static void
fork_child(struct nursery *n, const struct order *o, int fds[N_FDS])
{
	pid_t parent = getpid(), pid = -1;
	unsigned i = 0;

	while (i < NURSERY_CHILDREN_MAX && n->child[i].pid != 0)
		i++;
	if (i < NURSERY_CHILDREN_MAX && o->judge < n->config->n_judges && fds[N_FDS - 1] != -1)
		pid = fork();
	if (pid == 0)
		child(n, o->judge, fds, parent);
	if (pid == -1) {
		give_notice(n, o->id, NOT_FORKED);
		return;
	}
	n->child[i].pid = pid;
	n->child[i].id = o->id;
}

static void
kill_child(const struct nursery *n, uint64_t id)
{
	for (unsigned i = 0; i < NURSERY_CHILDREN_MAX; i++)
		if (n->child[i].pid != 0 && n->child[i].id == id)
			kill(n->child[i].pid, SIGKILL);
}

static void
reap(struct nursery *n)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	(void)!read(n->signals, &info, sizeof info);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned i = 0; i < NURSERY_CHILDREN_MAX; i++) {
			if (n->child[i].pid != pid)
				continue;
			n->child[i].pid = 0;
			give_notice(n, n->child[i].id, status);
		}
	}
}

static void
take_order(struct nursery *n)
{
	struct order o;
	int fds[N_FDS];
	ssize_t len = fds_receive(n->fd, &o, sizeof o, fds, N_FDS, 0);

	if (len < 0 && errno == EINTR)
		return;
	if (len != (ssize_t)sizeof o)
		_exit(EXIT_DONE); /* the caller has closed its end */
	if (o.kind == ORDER_FORK)
		fork_child(n, &o, fds);
	else
		kill_child(n, o.id);
	for (unsigned i = 0; i < N_FDS; i++)
		if (fds[i] != -1)
			close(fds[i]);
}

/* Does not return: the caller's atexit functions are not ours to run. */
static void __attribute__((noreturn)) nursery_run(struct nursery *n)
{
	struct pollfd p[2] = { { .fd = n->fd, .events = POLLIN }, { .events = POLLIN } };
	sigset_t set;

	/* What the caller has open is not for children. */
	if (n->fd > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned)n->fd - 1, 0);
	close_range((unsigned)n->fd + 1, ~0U, 0);
	/* Children that ask for the local time read no file. */
	setenv("TZ", "UTC0", 1);
	tzset();
	if (n->config->prepare != NULL && n->config->prepare() == -1)
		_exit(EXIT_CANNOT);
	sigemptyset(&n->mask);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_SETMASK, &set, NULL); /* those to the group are the caller's to act on */
	sigdelset(&set, SIGTERM);
	sigdelset(&set, SIGHUP);
	sigdelset(&set, SIGINT);
	n->signals = p[1].fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (n->signals == -1 || (n->config->limits.sandbox && sandbox_enter(&box) == -1))
		_exit(EXIT_CANNOT);
	for (;;) {
		if (poll(p, 2, -1) == -1 && errno != EINTR)
			_exit(EXIT_CANNOT);
		if (p[1].revents != 0)
			reap(n);
		if (p[0].revents != 0)
			take_order(n);
	}
}

/* --- the caller ---------------------------------------------------------------------------------------- */

int
nursery_start(const struct nursery_config *config, pid_t *pid)
{
	struct nursery n = { .config = config };
	pid_t parent = getpid();
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == -1) {
		log_warn("verifier: socket: %s", strerror(errno));
		return -1;
	}
	fflush(NULL);
	*pid = fork();
	if (*pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(EXIT_DONE);
		close(fd[0]);
		n.fd = fd[1];
		nursery_run(&n);
	}
	close(fd[1]);
	if (*pid == -1) {
		log_warn("verifier: fork: %s", strerror(errno));
		close(fd[0]);
		return -1;
	}
	return fd[0];
}

int
nursery_fork(int fd, uint64_t id, unsigned judge, int message, int request, int answer)
{
	const struct order o = { .kind = ORDER_FORK, .judge = judge, .id = id };
	const int fds[N_FDS] = { message, request, answer };

	return fds_send(fd, &o, sizeof o, fds, N_FDS);
}

int
nursery_kill(int fd, uint64_t id)
{
	const struct order o = { .kind = ORDER_KILL, .id = id };

	return fds_send(fd, &o, sizeof o, NULL, 0);
}

enum nursery_said
nursery_receive(int fd, uint64_t *id, int *wait_status)
{
	struct notice notice;
	ssize_t n = recv(fd, &notice, sizeof notice, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return NURSERY_NOTHING;
	if (n != (ssize_t)sizeof notice)
		return NURSERY_GONE;
	*id = notice.id;
	*wait_status = notice.status;
	return NURSERY_ENDED;
}
