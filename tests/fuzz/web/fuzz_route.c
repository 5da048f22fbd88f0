/* fuzz_route.c - any octets as the path of a request to the site's own routes.  Promises that are checked: either a
 * route or 404 or 405 with methods; parts are of safe characters only and never "." or "..". */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "web/pages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT" };
	struct route_match m;

	if (size < 1)
		return 0;
	route_find(&m, site_routes, methods[data[0] % 4], (const char *)data + 1, size - 1);
	if (m.route == NULL && m.status != 404 && (m.status != 405 || m.allow[0] == '\0'))
		abort();
	for (unsigned i = 0; i < ROUTE_PARTS_MAX; i++) {
		const char *part = m.part[i];

		if (strlen(part) > ROUTE_PART_MAX || strpbrk(part, "/%\"'<>&\\ \r\n") != NULL ||
		    strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
			abort();
	}
	return 0;
}
