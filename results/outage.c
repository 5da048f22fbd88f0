/* outage.c - see outage.h. */
#include "results/outage.h"

#include <string.h>

#include "lib/clock.h"

#define SHORT   (300 * CLOCK_SECOND)  /* who is away so long only is met by the next retry */
#define DRAINED (3600 * CLOCK_SECOND) /* a reload has ended the old worker by then */

static bool
is_same(const struct observation *a, const struct observation *b)
{
	return b->worker == 0 && strcmp(a->node, b->node) == 0 && strcmp(a->daemon, b->daemon) == 0;
}

/* Was the daemon away before this start? */
static bool
came_back(const struct observations *all, size_t start, int64_t from)
{
	const struct observation *o = all->item[start];

	for (size_t i = start; i-- > 0 && all->item[i]->t >= from;) {
		const struct observation *before = all->item[i];
		if (!is_same(o, before))
			continue;
		if (before->kind == EV_NODE_STOP)
			return o->t - before->t >= SHORT;
		if (before->kind == EV_NODE_START)
			break;
	}
	for (size_t i = start + 1; i < all->n && all->item[i]->t <= o->t + DRAINED; i++) {
		const struct observation *after = all->item[i];
		if (!is_same(o, after))
			continue;
		if (after->kind == EV_NODE_STOP)
			return false;
		if (after->kind == EV_NODE_START)
			break;
	}
	return true;
}

int64_t
outage_end(const struct observations *all, int64_t from, int64_t to)
{
	for (size_t i = all->n; i-- > 0;) {
		const struct observation *o = all->item[i];
		if (o->kind == EV_NODE_START && o->worker == 0 && o->t > from && o->t <= to &&
		    came_back(all, i, from))
			return o->t;
	}
	return 0;
}

static bool
is_end(const struct observation *o)
{
	return o->kind == EV_NODE_START || o->kind == EV_NODE_STOP;
}

static bool
is_last(const struct observations *all, size_t i)
{
	for (size_t k = i + 1; k < all->n; k++)
		if (is_end(all->item[k]) && is_same(all->item[i], all->item[k]))
			return false;
	return true;
}

bool
outage_is_expected(const struct observations *all, const char *node, int64_t heard, int64_t now)
{
	bool seen = false;

	if (now - heard > OUTAGE_FORGOTTEN)
		return false;
	for (size_t i = all->n; i-- > 0;) {
		const struct observation *o = all->item[i];
		bool last = is_end(o) && o->worker == 0 && strcmp(o->node, node) == 0 &&
			    is_last(all, i);
		if (last && o->kind == EV_NODE_START)
			return true;
		seen |= last;
	}
	return !seen;
}
