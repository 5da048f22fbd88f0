/* ask.c - requests go to the desk or to a reader: the part of serve.h about asking. */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "web/serve.h"

#define READ_MAX                                                                                   \
	(60 * CLOCK_SECOND) /* who asked a reader that says nothing for so long has been answered */

static int
send_to(const struct desk_link *l, struct conn *c)
{
	struct frame f = { .n = 3 };
	char client[ADDRESS_TEXT_MAX];

	address_format(client, &c->client);
	if (++c->serve->ask == 0)
		c->serve->ask = 1;
	f.id = c->ask = c->serve->ask;
	f.field[0].s = client;
	f.field[0].len = strlen(client);
	f.field[1].s = c->http.head.s;
	f.field[1].len = c->http.head.len;
	f.field[2].s = c->body.s;
	f.field[2].len = c->body.len;
	if (frame_send(l->fd, &f) == 0)
		return 0;
	c->ask = 0;
	return -1;
}

static bool
is_busy(const struct desk_link *l)
{
	return l->ask != 0 && clock_monotonic() - l->since < READ_MAX;
}

/* The reader that may look at this run now: of those that are free the one that did so last, else the one that has
 * been idle for longest.  NULL: none. */
static struct desk_link *
reader_of(struct serve *s, const char *run)
{
	struct desk_link *best = NULL;

	for (unsigned i = 1; i < s->config->n_desks; i++) {
		struct desk_link *l = &s->links[i];
		bool same = strcmp(l->run, run) == 0;

		if (is_busy(l)) {
			if (same)
				return NULL;
			continue;
		}
		if (best == NULL ||
		    (strcmp(best->run, run) != 0 && (same || l->since < best->since)))
			best = l;
	}
	return best;
}

static int
give(struct desk_link *l, struct conn *c)
{
	c->turn = 0;
	if (send_to(l, c) != 0)
		return -1;
	l->ask = c->ask;
	l->since = clock_monotonic();
	snprintf(l->run, sizeof l->run, "%s", c->run);
	return 0;
}

int
ask_begin(struct conn *c)
{
	struct desk_link *l;

	if (c->run[0] == '\0' || c->serve->config->n_desks == 1)
		return send_to(&c->serve->links[0], c);
	c->turn = ++c->serve->turn;
	l = reader_of(c->serve, c->run);
	return l != NULL ? give(l, c) : 0;
}

/* Who has waited for longest and can have a reader. */
static struct conn *
first_in_turn(struct serve *s, struct desk_link **l)
{
	struct conn *first = NULL;

	for (struct conn *c = s->all; c != NULL; c = c->next) {
		struct desk_link *may;

		if (c->state != CONN_ASKED || c->turn == 0 ||
		    (first != NULL && first->turn < c->turn) ||
		    (may = reader_of(s, c->run)) == NULL)
			continue;
		first = c;
		*l = may;
	}
	return first;
}

void
ask_next(struct serve *s)
{
	struct desk_link *l;
	struct conn *c;

	while ((c = first_in_turn(s, &l)) != NULL)
		if (give(l, c) != 0)
			conn_busy(c);
}

void
ask_answered(struct desk_link *l, uint32_t id)
{
	if (l->ask == id)
		l->ask = 0;
	ask_next(l->serve);
}

void
ask_is_here(struct desk_link *l)
{
	struct conn *c = l->serve->all;

	while (c != NULL && (c->state != CONN_ASKED || c->ask == 0 || c->ask != l->ask))
		c = c->next;
	if (l->here) {
		l->ask = 0;
		if (c != NULL) {
			c->ask = 0;
			conn_busy(c);
		}
	}
	l->here = true;
	ask_next(l->serve);
}
