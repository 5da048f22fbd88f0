/* publishes.c - see publishes.h. */
#include "outpost/publishes.h"

#include <event2/event.h>
#include <stdio.h>

#include "verify/resolve.h"

#define ROUNDS_MAX 3

static void
on_resolved(void *base)
{
	event_base_loopbreak(base);
}

int
publishes(struct published *dst, const struct site *site, const char *domain, char *why, size_t len)
{
	const struct resolve_options options = {
		.forward = site->conf.verify_resolver[0] != '\0' ? site->conf.verify_resolver
								 : NULL,
		.anchor = site->conf.verify_anchor[0] != '\0' ? site->conf.verify_anchor : NULL,
	};
	struct event_base *base = event_base_new();
	struct lookups *book = lookups_new(PUBLISHED_LOOKUPS_MAX);
	struct resolve *resolve = NULL;
	int rc = -1;

	snprintf(why, len, "no memory");
	if (base != NULL && book != NULL)
		resolve = resolve_new(base, &options, why, len);
	for (unsigned i = 0; resolve != NULL && rc != 0 && i < ROUNDS_MAX; i++) {
		if (published_look(domain, book, dst) == VERIFY_DONE) {
			rc = 0;
		} else {
			resolve_start(resolve, book, on_resolved, base);
			event_base_dispatch(base);
		}
	}
	resolve_free(resolve);
	lookups_free(book);
	if (base != NULL)
		event_base_free(base);
	return rc;
}
