/* logload raw|group DIR SECONDS [WAITING] - durable rows a second.
 *   raw:   write and fdatasync for each row, one after the other.
 *   group: the event log; WAITING rows wait for their commit at a time, as sessions do.
 * Prints one line: rows N seconds S rate R */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/eventlog.h"

static int64_t end;

/* About what a message leaves. */
static void
row(struct event_line *e, struct event_origin *origin)
{
	event_begin(e, EV_SMTP_MESSAGE, origin, clock_now());
	event_str(e, EK_TOKEN, "k3xq7abcdefghijk");
	event_str(e, EK_TEST, "dual");
	event_str(e, EK_CONN, "0-19aa3c2f-412");
	event_str(e, EK_PEER, "192.0.2.7");
	event_num(e, EK_LINES, 14);
	event_num(e, EK_REPLY, 250);
	event_num(e, EK_SIZE, 1024);
	event_str(e, EK_DIGEST, "0f343b0931126a20f133d67c2b018a3b0f343b0931126a20f133d67c2b018a3b");
	event_end(e);
}

static uint64_t
raw(const char *dir)
{
	static struct event_line e;
	struct event_origin origin = { "bench", "raw", 0, 1 };
	char path[512];
	uint64_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/raw.jsonl", dir);
	if ((fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC, 0600)) < 0)
		err(3, "%s", path);
	for (; clock_monotonic() < end; n++) {
		row(&e, &origin);
		if (write(fd, e.buf, e.len) != (ssize_t)e.len || fdatasync(fd) < 0)
			err(3, "%s", path);
	}
	close(fd);
	return n;
}

static uint64_t
group(const char *dir, uint64_t waiting)
{
	static struct event_line e;
	struct eventlog_config c = { .dir = dir, .node = "bench", .daemon = "group" };
	struct eventlog *log = eventlog_open(&c);
	struct pollfd p = { .events = POLLIN };
	uint64_t ticket = 0, done, bumps;

	if (log == NULL || (p.fd = eventlog_committer(log)) < 0)
		exit(3);
	while (clock_monotonic() < end) {
		while (ticket - eventlog_durable(log) < waiting) {
			row(&e, eventlog_origin(log));
			if ((ticket = eventlog_append(log, e.buf, e.len)) == 0)
				errx(3, "%s", eventlog_reason(log));
		}
		eventlog_hurry(log);
		if (poll(&p, 1, 1000) == 1 && read(p.fd, &bumps, sizeof(bumps)) < 0)
			err(3, "eventfd");
	}
	done = eventlog_durable(log);
	eventlog_close(log);
	return done;
}

int
main(int argc, char **argv)
{
	int64_t begin = clock_monotonic();
	uint64_t n;
	double seconds;

	if (argc < 4)
		errx(2, "usage: logload raw|group DIR SECONDS [WAITING]");
	end = begin + atoi(argv[3]) * CLOCK_SECOND;
	if (strcmp(argv[1], "raw") == 0)
		n = raw(argv[2]);
	else
		n = group(argv[2], argc > 4 ? strtoull(argv[4], NULL, 10) : 1000);
	seconds = (double)(clock_monotonic() - begin) / CLOCK_SECOND;
	printf("rows %" PRIu64 " seconds %.3f rate %.0f\n", n, seconds, (double)n / seconds);
	return 0;
}
