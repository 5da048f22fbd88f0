#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program = "outpost";
static bool quiet;

void
log_program(const char *name)
{
	program = name;
}

void
log_quiet(bool on)
{
	quiet = on;
}

/* One write per line, so that lines of several processes do not mix.  Control characters that a
 * message quotes from a stranger must not reach a terminal. */
static void
log_line(const char *fmt, va_list ap)
{
	char line[2048];
	size_t len, room = sizeof(line) - 1;
	int n;

	n = snprintf(line, room, "%s: ", program);
	len = (size_t)n < room ? (size_t)n : room - 1;
	n = vsnprintf(line + len, room - len, fmt, ap);
	if (n > 0)
		len += (size_t)n < room - len ? (size_t)n : room - len - 1;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';
	for (size_t done = 0; done < len;) {
		ssize_t w = write(STDERR_FILENO, line + done, len - done);
		if (w <= 0)
			return;
		done += (size_t)w;
	}
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	if (quiet)
		return;
	va_start(ap, fmt);
	log_line(fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(fmt, ap);
	va_end(ap);
}

void
log_fatal(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(fmt, ap);
	va_end(ap);
	exit(code);
}

const char *
log_advice(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return "run as root or as the owner of the site";
	case ENOSPC:
	case EDQUOT:
		return "free some space on its disk";
	case EROFS:
		return "its disk is mounted read-only: look why, and mount it anew";
	case EMFILE:
	case ENFILE:
		return "raise the limit of open files";
	case ENOENT:
		return "run outpost init on the site, as root";
	default:
		return "look at the disk";
	}
}
