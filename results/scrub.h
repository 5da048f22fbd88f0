/* scrub.h - what SQLite leaves in the pages of a database.
 *
 * With secure_delete a row that is deleted is overwritten.  But when SQLite spreads rows over its pages anew, the
 * old copies stay in the gap between the pointers and the cells of a page (https://www.sqlite.org/fileformat2.html,
 * 1.6), and nothing finds them when the row itself goes.  This overwrites such gaps in place: it reads the whole file but
 * writes only pages that have something in them, so it needs no room, and readers go on meanwhile. */
#ifndef RESULTS_SCRUB_H
#define RESULTS_SCRUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;

/* A page of an overflow chain begins with the number of the next one, and is told from a page of a B-tree by that: in a
 * file of at most so many pages. */
#define SCRUB_PAGES_MAX 0x01ffffffu

enum scrub_page {
	SCRUB_CLEAN,
	SCRUB_CLEANED, /* bytes that belong to nothing are zero now */
	SCRUB_DAMAGED, /* not as the file format has it; nothing was changed */
};
/* A page in use.  One that is no page of a B-tree is left alone.  usable: without what is reserved at its end.  first:
 * it is page 1, which begins with the header of the file.  Pure. */
enum scrub_page scrub_page(uint8_t *page, size_t usable, bool first);

enum scrub {
	SCRUB_DONE,
	SCRUB_BUSY, /* the log of changes (WAL) is not empty: empty it and come back */
	SCRUB_CANNOT, /* another kind of file, a damaged one, or the disk fails: write it anew (VACUUM) */
};
/* Every page of the database, which is in WAL mode and has no transaction open here.  Who writes waits meanwhile.  *pages
 * (may be NULL) grows by those that were cleaned.  When done its application_id is 0: what another value means is the
 * caller's. */
enum scrub scrub_database(struct sqlite3 *, uint64_t *pages);

#endif
