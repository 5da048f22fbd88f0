#include "authdns/delay.h"

#include <stdlib.h>

#include "lib/strbuf.h"

void
delay_init(struct delay_queue *q, unsigned max)
{
	q->n = 0;
	q->max = max;
	q->item = xcalloc(max, sizeof(*q->item));
	q->heap = xcalloc(max, sizeof(*q->heap));
	q->spare = xcalloc(max, sizeof(*q->spare));
	for (unsigned i = 0; i < max; i++)
		q->spare[i] = i;
}

void
delay_clear(struct delay_queue *q)
{
	free(q->item);
	free(q->heap);
	free(q->spare);
}

bool
delay_full(const struct delay_queue *q)
{
	return q->n == q->max;
}

static bool
earlier(const struct delay_queue *q, unsigned a, unsigned b)
{
	return q->item[q->heap[a]].due_us < q->item[q->heap[b]].due_us;
}

static void
swap(struct delay_queue *q, unsigned a, unsigned b)
{
	unsigned t = q->heap[a];

	q->heap[a] = q->heap[b];
	q->heap[b] = t;
}

/* spare[0 .. max-n-1] are the indices that are free. */
struct delayed *
delay_add(struct delay_queue *q, int64_t due_us)
{
	unsigned i = q->n, index = q->spare[q->max - q->n - 1];

	q->item[index].due_us = due_us;
	q->heap[q->n++] = index;
	while (i > 0 && earlier(q, i, (i - 1) / 2)) {
		swap(q, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
	return &q->item[index];
}

const struct delayed *
delay_first(const struct delay_queue *q)
{
	return q->n > 0 ? &q->item[q->heap[0]] : NULL;
}

void
delay_remove_first(struct delay_queue *q)
{
	unsigned i = 0;

	q->n--;
	q->spare[q->max - q->n - 1] = q->heap[0];
	q->heap[0] = q->heap[q->n];
	for (;;) {
		unsigned least = i;

		for (unsigned child = 2 * i + 1; child <= 2 * i + 2 && child < q->n; child++)
			if (earlier(q, child, least))
				least = child;
		if (least == i)
			return;
		swap(q, i, least);
		i = least;
	}
}
