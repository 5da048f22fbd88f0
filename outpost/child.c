/* child.c - see child.h. */
#include "outpost/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

#define PAUSE_FIRST  (CLOCK_SECOND / 2)
#define PAUSE_MAX    (60 * CLOCK_SECOND)
#define LIVED_ENOUGH (60 * CLOCK_SECOND) /* after that the next pause is short again */

static void
plan_restart(struct child *c, int64_t now_us)
{
	if (c->pause_us == 0 || now_us - c->started_us > LIVED_ENOUGH)
		c->pause_us = PAUSE_FIRST;
	c->again_us = now_us + c->pause_us;
	c->pause_us = c->pause_us * 2 > PAUSE_MAX ? PAUSE_MAX : c->pause_us * 2;
}

static void
become(const struct child *c, int err)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* a killed supervisor leaves no daemon behind */
	if (dup2(err, STDERR_FILENO) >= 0)
		execv(c->path, c->argv);
	log_warn("%s: %s: install it beside outpost", c->path, strerror(errno));
	_exit(EXIT_CANNOT);
}

int
child_start(struct child *c, int64_t now_us)
{
	int fds[2] = { -1, -1 };

	c->started_us = now_us;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0 || (c->pid = fork()) < 0) {
		log_warn("%s: cannot start: %s: will try again", c->name, strerror(errno));
		if (fds[0] >= 0) {
			close(fds[0]);
			close(fds[1]);
		}
		c->pid = 0;
		plan_restart(c, now_us);
		return -1;
	}
	if (c->pid == 0) {
		fcntl(fds[1], F_SETFL, 0);
		become(c, fds[1]);
	}
	close(fds[1]);
	c->err = fds[0];
	c->len = 0;
	return 0;
}

/* The daemons put their own names in front of what they say; a library or a sanitizer does not. */
static void
put_line(const struct child *c, const char *line, size_t len)
{
	char out[CHILD_LINE_MAX + 64];
	size_t name = strlen(c->name);
	int n;

	if (len > name && memcmp(line, c->name, name) == 0 && line[name] == ':')
		n = snprintf(out, sizeof(out), "%.*s\n", (int)len, line);
	else
		n = snprintf(out, sizeof(out), "%s: %.*s\n", c->name, (int)len, line);
	(void)!write(STDERR_FILENO, out, (size_t)n);
}

static void
put_lines(struct child *c, bool all)
{
	size_t from = 0;
	const char *end;

	while ((end = memchr(c->line + from, '\n', c->len - from)) != NULL) {
		put_line(c, c->line + from, (size_t)(end - c->line) - from);
		from = (size_t)(end - c->line) + 1;
	}
	if (c->len > from && (all || (from == 0 && c->len == sizeof(c->line)))) {
		put_line(c, c->line + from, c->len - from);
		from = c->len;
	}
	memmove(c->line, c->line + from, c->len - from);
	c->len -= from;
}

void
child_read(struct child *c)
{
	while (c->err >= 0) {
		ssize_t n = read(c->err, c->line + c->len, sizeof(c->line) - c->len);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n > 0) {
			c->len += (size_t)n;
			put_lines(c, false);
			continue;
		}
		put_lines(c, true);
		close(c->err);
		c->err = -1;
	}
}

void
child_describe(char *dst, size_t dstlen, int status)
{
	if (WIFSIGNALED(status))
		snprintf(dst, dstlen, "killed by signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		snprintf(dst, dstlen, "ended with code %d", WEXITSTATUS(status));
}

void
child_ended(struct child *c, int status, int64_t now_us)
{
	child_read(c);
	if (c->err >= 0) /* a grandchild may hold it still */
		close(c->err);
	c->err = -1;
	c->pid = 0;
	c->status = status;
	plan_restart(c, now_us);
}
