/* judge.c - see judge.h. */
#include "smtpd/judge.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sandbox.h"
#include "smtpd/judge_wire.h"

/* Their row in outpost-smtpd(8). */
static const struct sandbox box = {
	.process = "smtpd judge",
	.calls =
	    "write mmap munmap mremap mprotect madvise brk futex clock_gettime gettimeofday time "
	    "getrandom sysinfo uname rt_sigprocmask rt_sigreturn gettid getpid exit exit_group",
	.alone = true,
};

#if defined(OUTPOST_DEBUG) || defined(__SANITIZE_ADDRESS__)
#define LIMITED false /* sanitizers reserve terabytes */
#else
#define LIMITED true
#endif

static void
limit(int what, rlim_t soft, rlim_t hard)
{
	struct rlimit l = { soft, hard };

	(void)setrlimit(what, &l);
}

static int
confine(const struct judge_limits *limits)
{
	limit(RLIMIT_CORE, 0, 0);
	limit(RLIMIT_FSIZE, 0, 0);
	limit(RLIMIT_CPU, limits->seconds, limits->seconds + 1);
	if (LIMITED)
		limit(RLIMIT_AS, limits->memory, limits->memory);
	/* No core for anybody: it would be mail on a disk. */
	if (LIMITED && prctl(PR_SET_DUMPABLE, 0) < 0)
		return -1;
	return limits->sandbox ? sandbox_enter(&box) : 0;
}

/* The whole file; "" if it is empty.  NULL: cannot. */
static const char *
map(int fd, size_t *len)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) == -1)
		return NULL;
	*len = (size_t)st.st_size;
	if (*len == 0)
		return "";
	p = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static int
say(int fd, const struct strbuf *b)
{
	for (size_t at = 0; at < b->len;) {
		ssize_t n = write(fd, b->s + at, b->len - at);

		if (n < 0 && errno != EINTR)
			return EXIT_FAIL_ON;
		at += n > 0 ? (size_t)n : 0;
	}
	return EXIT_DONE;
}

int
judge_main(const struct judge *judge, const struct judge_limits *limits, int message, int request,
    int answer)
{
	struct verify_input in = { 0 };
	struct strbuf json = { 0 }, out = { 0 };
	size_t len;
	const char *bytes = map(request, &len);
	struct lookups *book;

	in.message = map(message, &in.len);
	if (bytes == NULL || in.message == NULL || confine(limits) == -1)
		return EXIT_FAIL_ON;
	book = judge_get_request(&in, bytes, len);
	if (book == NULL)
		return EXIT_CANNOT;
	if (judge->run(&in, book, &json) == VERIFY_DONE)
		judge_put_result(&out, json.s != NULL ? json.s : "", json.len);
	else
		judge_put_needs(&out, book);
	strbuf_clear(&json);
	lookups_free(book);
	len = (size_t)say(answer, &out);
	strbuf_clear(&out);
	return (int)len;
}

const char *
judge_death(char dst[64], int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DONE)
		return NULL;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CANNOT)
		return "memory limit";
	if (WIFEXITED(status))
		snprintf(dst, 64, "exit code %d", WEXITSTATUS(status));
	else if (WTERMSIG(status) == SIGXCPU)
		return "time limit";
	else if (WTERMSIG(status) == SIGSYS)
		return "killed: a system call that its sandbox does not allow";
	else
		snprintf(dst, 64, "killed by signal %d", WTERMSIG(status));
	return dst;
}
