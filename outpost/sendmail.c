/* sendmail.c - see sendmail.h. */
#include "outpost/sendmail.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/strbuf.h"

/* The whole message is there before the program starts: neither waits for the other. */
static int
message_fd(const char *text, size_t len)
{
	int fd = memfd_create("message", MFD_CLOEXEC);
	FILE *f = fd >= 0 ? fdopen(dup(fd), "w") : NULL;
	int rc = f != NULL ? 0 : -1;

	for (size_t i = 0; i < len && rc == 0; i++)
		if ((text[i] != '\r' || i + 1 == len || text[i + 1] != '\n') &&
		    fputc(text[i], f) == EOF)
			rc = -1;
	if (f != NULL && fclose(f) != 0)
		rc = -1;
	if (rc == 0 && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void
become(const char *program, const char *from, const char *to, int in, int out)
{
	char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
	char *const argv[] = { (char *)(uintptr_t)program, "-i", "-f", (char *)(uintptr_t)from,
		"--", (char *)(uintptr_t)to, NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(71);
	execve(program, argv, environment);
	dprintf(2, "%s\n", strerror(errno));
	_exit(127);
}

static int
wait_for(pid_t pid, char *why, size_t whylen)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int64_t until = clock_monotonic() + SENDMAIL_TIMEOUT_S * CLOCK_SECOND;
	int status;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0) {
		if (clock_monotonic() > until) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			snprintf(why, whylen, "did not end within %d s", SENDMAIL_TIMEOUT_S);
			return -1;
		}
		nanosleep(&pause, NULL);
	}
	if (got != pid || !WIFEXITED(status)) {
		snprintf(why, whylen, "ended by a signal");
		return -1;
	}
	return WEXITSTATUS(status) == 127 ? -1 : WEXITSTATUS(status);
}

int
sendmail_run(char *why, size_t whylen, const char *program, const char *from, const char *to,
    const char *text, size_t len)
{
	int in = message_fd(text, len), out = memfd_create("said", MFD_CLOEXEC), rc = -1;
	ssize_t n;
	pid_t pid;

	snprintf(why, whylen, "could not be started: %s", strerror(errno));
	if (in >= 0 && out >= 0 && (pid = fork()) >= 0) {
		if (pid == 0)
			become(program, from, to, in, out);
		why[0] = '\0';
		rc = wait_for(pid, why, whylen);
		if (why[0] == '\0' && (n = pread(out, why, whylen - 1, 0)) > 0)
			why[n] = '\0';
		why[strcspn(why, "\r\n")] = '\0';
	}
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return rc;
}
