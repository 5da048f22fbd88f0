/* assets.h - the files of web/static, part of the program.  Their URLs hold a digest of their content, so
 * that a browser may keep them for ever. */
#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H

#include <stddef.h>

struct asset {
	const char *name, *type;
	const char *data;
	size_t len;
	char path[64]; /* "/static/DIGEST.site.css" */
};
/* Once, before any other. */
void assets_prepare(void);
const char *asset_path(const char *name);                     /* of one of ours: else fatal */
const struct asset *asset_find(const char *path, size_t len); /* NULL: none has this URL */
const struct asset *asset_named(const char *name);            /* NULL: none */

#endif
