/* scrub.c - see scrub.h. */
#include "results/scrub.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/strbuf.h"

#define FILE_HEADER 100
#define BLOCK       (1u << 20) /* a multiple of every page size */

/* Types of pages of a B-tree. */
#define INTERIOR_INDEX 0x02
#define INTERIOR_TABLE 0x05
#define LEAF_INDEX     0x0a
#define LEAF_TABLE     0x0d

static unsigned
be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

/* --- a page --------------------------------------------------------------------------------------------- */

static bool
is_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

static bool
clear(uint8_t *p, size_t len)
{
	if (is_zero(p, len))
		return false;
	memset(p, 0, len);
	return true;
}

enum { BLOCK_HEAD = 4 }; /* of a free block: the next one, its size */

/* The free blocks of a page lie between its cells, in order.  false: they do not. */
static bool
free_blocks_are_right(const uint8_t *page, size_t usable, size_t at, size_t from)
{
	for (; at != 0; at = be16(page + at)) {
		if (at < from || at + BLOCK_HEAD > usable || be16(page + at + 2) < BLOCK_HEAD ||
		    at + be16(page + at + 2) > usable)
			return false;
		from = at + be16(page + at + 2);
	}
	return true;
}

enum scrub_page
scrub_page(uint8_t *page, size_t usable, bool first)
{
	const uint8_t *head = page + (first ? FILE_HEADER : 0);
	size_t pointers, cells, at;
	bool changed;

	if (*head != INTERIOR_INDEX && *head != INTERIOR_TABLE && *head != LEAF_INDEX &&
	    *head != LEAF_TABLE)
		return SCRUB_CLEAN;
	pointers = (size_t)(head - page) + (*head <= INTERIOR_TABLE ? 12 : 8) +
		   2 * (size_t)be16(head + 3);
	cells = be16(head + 5) != 0 ? be16(head + 5) : 65536;
	at = be16(head + 1);
	if (pointers > cells || cells > usable || !free_blocks_are_right(page, usable, at, cells))
		return SCRUB_DAMAGED;
	changed = clear(page + pointers, cells - pointers);
	for (; at != 0; at = be16(page + at))
		changed |= clear(page + at + BLOCK_HEAD, be16(page + at + 2) - (size_t)BLOCK_HEAD);
	return changed ? SCRUB_CLEANED : SCRUB_CLEAN;
}

/* --- the file ------------------------------------------------------------------------------------------- */

struct work {
	sqlite3_file *file;
	size_t page_size, usable;
	uint32_t n;      /* pages */
	uint8_t *unused; /* a bit for each page of the free list */
	uint64_t pages;  /* cleaned */
};

static int
read_at(const struct work *w, void *dst, size_t len, uint64_t at)
{
	return w->file->pMethods->xRead(w->file, dst, (int)len, (sqlite3_int64)at) == SQLITE_OK
		   ? 0
		   : -1;
}

static int
write_page(const struct work *w, const uint8_t *page, uint32_t number)
{
	return w->file->pMethods->xWrite(w->file, page, (int)w->page_size,
		   (sqlite3_int64)number * (sqlite3_int64)w->page_size) == SQLITE_OK
		   ? 0
		   : -1;
}

/* What kind of file it is.  *trunk: the first page of the free list, from 1; 0: it is empty. */
static int
read_header(struct work *w, uint32_t *trunk)
{
	uint8_t h[FILE_HEADER];
	sqlite3_int64 size;

	if (w->file->pMethods->xFileSize(w->file, &size) != SQLITE_OK || size < FILE_HEADER ||
	    read_at(w, h, sizeof h, 0) != 0)
		return -1;
	w->page_size = be16(h + 16) == 1 ? 65536 : be16(h + 16);
	if (w->page_size < 512 || (w->page_size & (w->page_size - 1)) != 0 ||
	    be32(h + 52) != 0 /* maps of pointers: auto_vacuum */)
		return -1;
	w->usable = w->page_size - h[20];
	if (size % (sqlite3_int64)w->page_size != 0 ||
	    size / (sqlite3_int64)w->page_size > SCRUB_PAGES_MAX)
		return -1;
	w->n = (uint32_t)(size / (sqlite3_int64)w->page_size);
	*trunk = be32(h + 32);
	return 0;
}

/* Each page of the list of unused ones names the next and many others. */
static int
read_unused(struct work *w, uint32_t trunk)
{
	uint8_t *page = xmalloc(w->page_size);
	uint32_t seen = 0;
	int rc = 0;

	while (trunk != 0 && rc == 0) {
		uint32_t leaves;

		if (trunk > w->n || seen++ > w->n ||
		    read_at(w, page, w->page_size, (uint64_t)(trunk - 1) * w->page_size) != 0 ||
		    (leaves = be32(page + 4)) > w->page_size / 4 - 2) {
			rc = -1;
			break;
		}
		for (uint32_t i = 0; i < leaves; i++) {
			uint32_t leaf = be32(page + 8 + 4 * (size_t)i) - 1;

			if (leaf >= w->n)
				rc = -1;
			else
				w->unused[leaf / 8] |= (uint8_t)(1 << leaf % 8);
		}
		trunk = be32(page);
	}
	free(page);
	return rc;
}

static int
clean_page(struct work *w, uint8_t *page, uint32_t number)
{
	bool changed;

	if (w->unused[number / 8] & 1 << number % 8) {
		changed = clear(page, w->page_size);
	} else {
		enum scrub_page is = scrub_page(page, w->usable, number == 0);

		if (is == SCRUB_DAMAGED)
			return -1;
		changed = is == SCRUB_CLEANED;
	}
	w->pages += changed;
	return changed ? write_page(w, page, number) : 0;
}

static int
clean_pages(struct work *w)
{
	uint8_t *block = xmalloc(BLOCK);
	uint32_t at_once = (uint32_t)(BLOCK / w->page_size);
	int rc = 0;

	for (uint32_t from = 0; from < w->n && rc == 0; from += at_once) {
		uint32_t n = w->n - from < at_once ? w->n - from : at_once;

		rc = read_at(w, block, n * w->page_size, (uint64_t)from * w->page_size);
		for (uint32_t i = 0; i < n && rc == 0; i++)
			rc = clean_page(w, block + i * w->page_size, from + i);
	}
	if (rc == 0 && w->file->pMethods->xSync(w->file, SQLITE_SYNC_NORMAL) != SQLITE_OK)
		rc = -1;
	free(block);
	return rc;
}

static enum scrub
clean_file(sqlite3 *db, uint64_t *pages)
{
	struct work w = { 0 };
	uint32_t trunk;
	int rc = -1;

	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &w.file) != SQLITE_OK ||
	    w.file == NULL || w.file->pMethods == NULL || read_header(&w, &trunk) != 0)
		return SCRUB_CANNOT;
	w.unused = xcalloc(1, w.n / 8 + 1);
	if (read_unused(&w, trunk) == 0)
		rc = clean_pages(&w);
	free(w.unused);
	if (pages != NULL)
		*pages += w.pages;
	return rc == 0 ? SCRUB_DONE : SCRUB_CANNOT;
}

static bool
log_is_empty(sqlite3 *db)
{
	struct stat sb;

	if (stat(sqlite3_filename_wal(sqlite3_db_filename(db, "main")), &sb) != 0)
		return errno == ENOENT;
	return sb.st_size == 0;
}

static int
run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

enum scrub
scrub_database(sqlite3 *db, uint64_t *pages)
{
	enum scrub rc;

	/* With the lock of who writes, and nothing in the log of changes, the file is the database: nobody else changes
	 * it, and readers never look at what is changed here. */
	if (run(db, "BEGIN IMMEDIATE") != 0)
		return SCRUB_BUSY;
	rc = log_is_empty(db) ? clean_file(db, pages) : SCRUB_BUSY;
	/* Others may remember pages as they were and would write them back; they forget them when something was committed,
	 * as this is, whatever it was before. */
	if (rc == SCRUB_DONE &&
	    (run(db, "PRAGMA application_id = 0") != 0 || run(db, "COMMIT") != 0))
		rc = SCRUB_CANNOT;
	if (rc != SCRUB_DONE)
		run(db, "ROLLBACK");
	/* What this connection remembers is older than what it has written. */
	sqlite3_db_release_memory(db);
	return rc;
}
