/* counted.c - see counted.h. */
#include "results/counted.h"

#include <stdlib.h>

#include "lib/strbuf.h"
#include "results/outgoing.h"
#include "results/window.h"

/* What was asked for because of mail that we wrote. */
static void
mark_outgoing(struct facts *f)
{
	struct window *w = xcalloc(f->n_events + 1, sizeof *w);
	size_t n = 0;

	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i]->kind == EV_OUT_SENT)
			w[n++] = (struct window){ f->events[i]->t,
				f->events[i]->t + OUTGOING_WINDOW };
	n = windows_join(w, n);
	for (size_t k = 0; k < f->n_lookups; k++)
		f->lookups[k].counts = windows_hold(w, n, f->lookups[k].t);
	free(w);
}

struct near { /* windows that are joined */
	struct window *w;
	size_t n;
};

/* From before an attempt begins until after it ends; the number. */
static size_t
attempt_windows(struct window *w, const struct facts *f, int64_t before, int64_t after)
{
	for (size_t i = 0; i < f->n_attempts; i++)
		w[i] = (struct window){ f->attempts[i].t - before, f->attempts[i].end + after };
	return f->n_attempts;
}

/* Of the test's own attempts; if it has none, of any test's. */
static struct near
near_attempts(struct window *room, const struct facts *f, int64_t after, struct near any)
{
	struct near own = { .w = room };

	own.n = windows_join(room, attempt_windows(room, f, COUNTED_WINDOW, after));
	return own.n > 0 ? own : any;
}

static void
mark(struct facts *f, struct window *room, struct near any)
{
	struct near near = near_attempts(room, f, 0, any);

	for (size_t i = 0; i < f->n_lookups; i++)
		f->lookups[i].counts = windows_hold(near.w, near.n, f->lookups[i].t);
	near = near_attempts(room, f, COUNTED_WINDOW, any);
	for (size_t i = 0; i < f->n_fetches; i++)
		f->fetches[i].counts = windows_hold(near.w, near.n, f->fetches[i].t);
}

void
counted_mark(struct correlation *c)
{
	struct near any = { .n = 0 };
	struct window *room;
	size_t n = 0;

	for (size_t i = 0; i < c->catalogue->n; i++)
		n += c->facts[i].n_attempts;
	any.w = xcalloc(n + 1, sizeof *any.w);
	room = xcalloc(n + 1, sizeof *room);
	for (size_t i = 0; i < c->catalogue->n; i++)
		any.n += attempt_windows(
		    any.w + any.n, &c->facts[i], COUNTED_WINDOW, COUNTED_WINDOW);
	any.n = windows_join(any.w, any.n);
	for (size_t i = 0; i < c->catalogue->n; i++) {
		if (c->facts[i].test->unmailed)
			mark_outgoing(&c->facts[i]);
		else
			mark(&c->facts[i], room, any);
	}
	free(any.w);
	free(room);
}
