/* observe.h - a query as an event. */
#ifndef AUTHDNS_OBSERVE_H
#define AUTHDNS_OBSERVE_H

#include "authdns/query.h"

struct observation {
	const struct query_in *in;
	const struct dns_query *query;
	const struct place *place; /* NULL: never located */
	const char *what, *dev;
	unsigned rcode;
	bool dropped, truncated;
	size_t size;
};
void observe_query(struct engine *, const struct observation *);

#endif
