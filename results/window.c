/* window.c - see window.h. */
#include "results/window.h"

#include <stdlib.h>
#include <string.h>

static int
window_order(const void *pa, const void *pb)
{
	const struct window *a = pa, *b = pb;

	return a->from < b->from ? -1 : a->from > b->from;
}

size_t
windows_join(struct window *w, size_t n)
{
	size_t kept = 0;

	if (n == 0)
		return 0;
	qsort(w, n, sizeof *w, window_order);
	for (size_t i = 1; i < n; i++) {
		if (w[i].from <= w[kept].to)
			w[kept].to = w[i].to > w[kept].to ? w[i].to : w[kept].to;
		else
			w[++kept] = w[i];
	}
	return kept + 1;
}

bool
windows_hold(const struct window *w, size_t n, int64_t t)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (w[mid].to < t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && w[lo].from <= t;
}

static int64_t
time_at(const void *items, size_t i, size_t size)
{
	int64_t t;

	memcpy(&t, (const char *)items + i * size, sizeof t);
	return t;
}

bool
window_has(const void *items, size_t n, size_t size, int64_t from, int64_t to)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (time_at(items, mid, size) < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && time_at(items, lo, size) <= to;
}
