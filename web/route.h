/* route.h - which handler answers a request: rows of method, path and limits.  Pure.
 *
 * A pattern is a path; a segment {x} of it stands for one whole segment of [A-Za-z0-9._~@-], 1 to
 * ROUTE_PART_MAX characters.  Paths are compared as they came: nothing is decoded, so "%" fits no
 * pattern, and "//", "/./" and "/../" are paths that nobody has. */
#ifndef WEB_ROUTE_H
#define WEB_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROUTE_PARTS_MAX 3
#define ROUTE_PART_MAX  64

struct exchange;

enum route_flag {
	ROUTE_STREAM =
	    1, /* the response is a stream of server-sent events of exchange_watch's subject */
	ROUTE_FORM =
	    2, /* POST: the body is a form that we gave out (csrf.h); exchange->form holds it */
	ROUTE_KEY =
	    4, /* POST by programs: neither a form nor a browser's; the handler asks for a key */
	ROUTE_READS =
	    8, /* GET of what is made of the observations of the run {1}, which may take long: a reader does it */
};
struct route {
	const char *method;  /* "GET" also answers HEAD */
	const char *pattern; /* "/run/{run}/report.json" */
	void (*handle)(struct exchange *);
	unsigned flags;
	uint64_t body; /* octets of a body that it takes; 0: web-body of outpost.conf */
};

struct route_match {
	const struct route *route; /* NULL: none */
	unsigned status;           /* without a route: 404, or 405 */
	char part[ROUTE_PARTS_MAX][ROUTE_PART_MAX + 1];
	char allow[64]; /* 405: "GET, HEAD, POST" */
};
/* path: the target up to "?".  rows end with a method NULL. */
void route_find(struct route_match *dst, const struct route *rows, const char *method,
    const char *path, size_t len);

#endif
