/* route.c - see route.h. */
#include "web/route.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool
is_part(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)p[i]) &&
		    (p[i] == '\0' || strchr("._~@-", p[i]) == NULL))
			return false;
	return len > 0 && len <= ROUTE_PART_MAX && !(len <= 2 && memcmp("..", p, len) == 0);
}

/* Both begin with "/". */
static bool
fits(struct route_match *m, const char *pattern, const char *path, size_t len)
{
	const char *end = path + len;
	unsigned n = 0;

	while (*pattern == '/' && path < end && *path == '/') {
		const char *name = ++pattern, *part = ++path;
		size_t plen;

		pattern += strcspn(pattern, "/");
		path = memchr(path, '/', (size_t)(end - path));
		if (path == NULL)
			path = end;
		plen = (size_t)(path - part);
		if (*name == '{') {
			if (n == ROUTE_PARTS_MAX || !is_part(part, plen))
				return false;
			memcpy(m->part[n], part, plen);
			m->part[n++][plen] = '\0';
		} else if (plen != (size_t)(pattern - name) || memcmp(name, part, plen) != 0) {
			return false;
		}
	}
	return *pattern == '\0' && path == end;
}

static void
allow(struct route_match *m, const char *method)
{
	const char *more = strcmp(method, "GET") == 0 ? ", HEAD" : "";
	size_t at = strlen(m->allow);

	snprintf(m->allow + at, sizeof m->allow - at, "%s%s%s", at > 0 ? ", " : "", method, more);
}

void
route_find(struct route_match *dst, const struct route *rows, const char *method, const char *path,
    size_t len)
{
	bool head = strcmp(method, "HEAD") == 0;

	memset(dst, 0, sizeof *dst);
	dst->status = 404;
	for (; rows->method != NULL; rows++) {
		struct route_match m = { 0 };

		if (!fits(&m, rows->pattern, path, len))
			continue;
		if (strcmp(rows->method, head ? "GET" : method) == 0) {
			m.route = rows;
			*dst = m;
			return;
		}
		dst->status = 405;
		allow(dst, rows->method);
	}
}
