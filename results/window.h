/* window.h - spans of time, and what lies in them.  Pure. */
#ifndef RESULTS_WINDOW_H
#define RESULTS_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct window {
	int64_t from, to; /* both of it */
};
/* Sorts them and joins those that overlap; the new number. */
size_t windows_join(struct window *, size_t n);
/* Is t in one of joined windows? */
bool windows_hold(const struct window *, size_t n, int64_t t);

/* Does one of n items lie in [from, to]?  Each has size octets and begins with its time, an int64_t; they are in the
 * order of it. */
bool window_has(const void *items, size_t n, size_t size, int64_t from, int64_t to);

#endif
