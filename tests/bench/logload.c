/* logload raw|group|query DIR SECONDS [WAITING] - rows a second.
 *   query: the lines of DNS queries as authdns writes them: 64 a batch, one write, no sync; what a line
 *          costs is in "ns", processor time.
 *   raw:   write and fdatasync for each row, one after the other.
 *   group: the event log; WAITING rows wait for their commit at a time, as sessions do.
 * Prints one line: rows N seconds S rate R ns T */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/eventlog.h"
#include "lib/listen.h"

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

#define BATCH 64

static union sockaddr_any peer, local;

/* As long as those of a resolver with EDNS and a cookie. */
static void
query_row(struct event_line *e, struct event_origin *origin, int64_t now, uint64_t n)
{
	char text[ADDRESS_TEXT_MAX];

	event_begin(e, EV_DNS_QUERY, origin, now);
	event_str(e, EK_TOKEN, "k3xq7abcdefghijk");
	event_str(e, EK_TEST, "dual");
	address_format(text, &peer);
	event_str(e, EK_PEER, text);
	event_num(e, EK_PORT, address_port(&peer));
	address_format(text, &local);
	event_str(e, EK_LOCAL, text);
	event_text(e, EK_VIA, "udp", 3);
	event_num(e, EK_ID, (int64_t)(n & 65535));
	event_str(e, EK_QNAME, "k3xq7abcdefghijk.dual.bench.example");
	event_str(e, EK_QTYPE, "MX");
	event_num(e, EK_EDNS, 1232);
	event_str(e, EK_AT, "{d}");
	event_str(e, EK_RCODE, "NOERROR");
	event_num(e, EK_SIZE, 132);
	event_end(e);
}

static uint64_t
query(const char *dir)
{
	static struct event_line e;
	struct eventlog_config c = { .dir = dir, .node = "bench", .daemon = "query" };
	struct eventlog *log = eventlog_open(&c);
	uint64_t n = 0;

	if (log == NULL || address_parse(&peer, "192.0.2.7", 40000) < 0 ||
	    address_parse(&local, "127.0.0.2", 53) < 0)
		exit(3);
	while (clock_monotonic() < end) {
		int64_t now = clock_now();

		for (int i = 0; i < BATCH; i++, n++) {
			query_row(&e, eventlog_origin(log), now, n);
			eventlog_append(log, e.buf, e.len);
		}
		if (eventlog_write(log) < 0)
			errx(3, "%s", eventlog_reason(log));
	}
	eventlog_close(log);
	return n;
}

static double
cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

int
main(int argc, char **argv)
{
	int64_t begin = clock_monotonic();
	uint64_t n;
	double seconds, cpu = cpu_ns();

	if (argc < 4)
		errx(2, "usage: logload raw|group|query DIR SECONDS [WAITING]");
	end = begin + atoi(argv[3]) * CLOCK_SECOND;
	if (strcmp(argv[1], "raw") == 0)
		n = raw(argv[2]);
	else if (strcmp(argv[1], "query") == 0)
		n = query(argv[2]);
	else
		n = group(argv[2], argc > 4 ? strtoull(argv[4], NULL, 10) : 1000);
	seconds = (double)(clock_monotonic() - begin) / CLOCK_SECOND;
	cpu = cpu_ns() - cpu;
	printf("rows %" PRIu64 " seconds %.3f rate %.0f ns %.0f\n", n, seconds, (double)n / seconds,
	    n > 0 ? cpu / (double)n : 0.0);
	return 0;
}
