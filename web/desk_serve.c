/* desk_serve.c - the loop of the process that knows things: requests in, responses and news out. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "web/desk.h"
#include "web/exchange.h"
#include "web/frame.h"
#include "web/pages.h"

#define LOOK_EVERY CLOCK_SECOND
#define LOOK_AGAIN (10 * CLOCK_SECOND) /* store or journals cannot be read: others may mend that */

/* Fields of a request and of a response: serve.c knows them too. */
enum { ASK_CLIENT, ASK_HEAD, ASK_BODY, ASK_FIELDS };

static void
answer(struct desk *d, int fd, const struct frame *ask)
{
	struct exchange x = { .desk = d, .site = desk_site(d), .now_us = clock_now() };
	struct http_request http;
	struct frame f = { .id = ask->id, .n = 5 };
	char client[ADDRESS_TEXT_MAX], status[16];

	if (ask->n != ASK_FIELDS)
		return;
	http_init(&http);
	http.head_max = ask->field[ASK_HEAD].len + 1;
	http_input(&http, ask->field[ASK_HEAD].s, ask->field[ASK_HEAD].len);
	snprintf(client, sizeof client, "%.*s", (int)ask->field[ASK_CLIENT].len,
	    ask->field[ASK_CLIENT].s);
	address_parse(&x.client, client, 0);
	x.http = &http;
	x.body = ask->field[ASK_BODY].s;
	x.body_len = ask->field[ASK_BODY].len;
	if (http.state == HTTP_READ)
		exchange_run(&x, site_routes);
	else
		exchange_error(&x, http.status, "This request cannot be read.", NULL);
	snprintf(status, sizeof status, "%u", x.status);
	f.field[0].s = status;
	f.field[0].len = strlen(status);
	f.field[1].s = x.type;
	f.field[1].len = strlen(x.type);
	f.field[2].s = x.fields.s;
	f.field[2].len = x.fields.len;
	f.field[3].s = x.subject;
	f.field[3].len = strlen(x.subject);
	f.field[4].s = x.out.s;
	f.field[4].len = x.out.len;
	if (frame_send(fd, &f) != 0)
		log_warn("a response was not taken: %s", strerror(errno));
	exchange_clear(&x);
	http_clear(&http);
}

static void
on_change(void *ctx, const char *subject)
{
	struct frame f = { .id = 0, .n = 1 };

	f.field[0].s = subject;
	f.field[0].len = strlen(subject);
	frame_send(*(int *)ctx, &f);
}

int
desk_serve(struct desk *d, int fd)
{
	const struct frame here = { 0 };
	struct frame_reader reader = { 0 };
	int64_t look = 0;
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);

	struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
		{ .fd = signalfd(-1, &mask, SFD_CLOEXEC), .events = POLLIN } };

	/* What the one before was at, if there was one, nobody answers any more. */
	if (desk_is_reader(d))
		(void)frame_send(fd, &here);
	for (;;) {
		struct frame f;

		if (poll(p, 2, (int)(LOOK_EVERY / 1000)) < 0 && errno != EINTR)
			break;
		if (p[1].revents != 0)
			break;
		if (p[0].revents != 0) {
			int got = frame_receive(&f, &reader, fd);

			if (got < 0)
				break; /* a new generation serves */
			if (got > 0)
				answer(d, fd, &f);
		}
		if (clock_monotonic() >= look)
			look = clock_monotonic() +
			       (desk_look(d, desk_is_reader(d) ? NULL : on_change, &fd) == 0
				       ? LOOK_EVERY
				       : LOOK_AGAIN);
	}
	frame_reader_clear(&reader);
	close(p[1].fd);
	return EXIT_DONE;
}
