/* purge.c - rows out of the store, overwritten as they go. */
#include "results/purge.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/strbuf.h"
#include "results/scrub.h"

#define STRIDE     20000 /* rows that are looked at in one transaction */
#define SHRINK_MIN 4096  /* unused pages that are too few to write the store anew for */
#define TRIES      20    /* to find nobody writing */

/* In the header of the store: something was deleted that may still be in gaps of its pages.  Part of the transaction
 * that deletes, so that a crash before the scrubbing forgets nothing; 0 when it was done. */
#define MARK "PRAGMA application_id = 1"

static const char of_token[] = "DELETE FROM event WHERE token IS NULL AND conn IN "
			       "(SELECT conn FROM event WHERE token = ?1 AND conn IS NOT NULL);"
			       "DELETE FROM event WHERE token = ?1;"
			       "DELETE FROM event WHERE instr(lower(line), ?1) > 0;";

static int
run(struct store *st, const char *sql)
{
	return sqlite3_exec(store_db(st), sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

/* The statements of sql, each with the same parameter.  Adds the rows that they changed. */
static int
run_bound(struct store *st, const char *sql, const char *text, int64_t number, uint64_t *rows)
{
	int rc = SQLITE_DONE;

	while (*sql != '\0' && rc == SQLITE_DONE) {
		sqlite3_stmt *q = NULL;

		if (sqlite3_prepare_v2(store_db(st), sql, -1, &q, &sql) != SQLITE_OK)
			return -1;
		if (text != NULL)
			sqlite3_bind_text(q, 1, text, -1, SQLITE_STATIC);
		else
			sqlite3_bind_int64(q, 1, number);
		rc = sqlite3_step(q);
		sqlite3_finalize(q);
		if (rc == SQLITE_DONE && rows != NULL)
			*rows += (uint64_t)sqlite3_changes(store_db(st));
	}
	return rc == SQLITE_DONE ? 0 : -1;
}

static int
number_of(struct store *st, const char *sql, int64_t *dst)
{
	sqlite3_stmt *q = NULL;
	int rc = -1;

	if (sqlite3_prepare_v2(store_db(st), sql, -1, &q, NULL) == SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_ROW) {
		*dst = sqlite3_column_int64(q, 0);
		rc = 0;
	}
	sqlite3_finalize(q);
	return rc;
}

struct deletion {
	struct store *store;
	int changes; /* of this connection before */
};

static int
begin_delete(struct deletion *d, struct store *st)
{
	d->store = st;
	d->changes = sqlite3_total_changes(store_db(st));
	return run(st, "BEGIN IMMEDIATE");
}

static int
end_delete(struct deletion *d, int rc)
{
	struct store *st = d->store;

	if (rc == 0 && sqlite3_total_changes(store_db(st)) != d->changes)
		rc = run(st, MARK);
	if (rc == 0 && run(st, "COMMIT") == 0)
		return 0;
	store_fail(st, "cannot delete");
	run(st, "ROLLBACK");
	return -1;
}

int
purge_token(struct store *st, const char *token, uint64_t *rows)
{
	struct deletion d;

	if (begin_delete(&d, st) < 0)
		return store_fail(st, "cannot delete");
	return end_delete(&d, run_bound(st, of_token, token, 0, rows));
}

int
purge_lines(struct store *st, bool (*pick)(void *, const char *, size_t), void *ctx, uint64_t *rows)
{
	sqlite3_stmt *all = NULL;
	struct deletion d;
	int rc, failed = 0;

	if (begin_delete(&d, st) < 0)
		return store_fail(st, "cannot delete");
	if (sqlite3_prepare_v2(store_db(st), "SELECT rowid, line FROM event", -1, &all, NULL) !=
	    SQLITE_OK)
		return end_delete(&d, -1);
	while ((rc = sqlite3_step(all)) == SQLITE_ROW && failed == 0)
		if (pick(ctx, (const char *)sqlite3_column_text(all, 1),
			(size_t)sqlite3_column_bytes(all, 1)))
			failed = run_bound(st, "DELETE FROM event WHERE rowid = ?1", NULL,
			    sqlite3_column_int64(all, 0), rows);
	sqlite3_finalize(all);
	return end_delete(&d, rc == SQLITE_DONE ? failed : -1);
}

/* --- nothing left ----------------------------------------------------------------------------------------- */

int
purge_due(struct store *st)
{
	int64_t mark;

	if (number_of(st, "PRAGMA application_id", &mark) != 0)
		return store_fail(st, "cannot read");
	return mark != 0;
}

/* Pages that were deleted from are still in the log of changes as they were. */
static int
empty_log(struct store *st)
{
	int frames, done;

	if (sqlite3_wal_checkpoint_v2(
		store_db(st), NULL, SQLITE_CHECKPOINT_TRUNCATE, &frames, &done) == SQLITE_OK)
		return 0;
	return store_fail(st, "cannot empty its log of changes");
}

static bool
is_mostly_unused(struct store *st)
{
	int64_t unused, all;

	return number_of(st, "PRAGMA freelist_count", &unused) == 0 &&
	       number_of(st, "PRAGMA page_count", &all) == 0 && unused > SHRINK_MIN &&
	       unused > all / 2;
}

static int
write_anew(struct store *st)
{
	return run(st, "VACUUM") == 0 && run(st, "PRAGMA application_id = 0") == 0 ? 0 : -1;
}

int
purge_scrub(struct store *st)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	enum scrub is = SCRUB_BUSY;

	if (is_mostly_unused(st)) {
		if (write_anew(st) == 0)
			return empty_log(st);
		store_fail(st, "cannot be made smaller, its room is used again later");
	}
	for (unsigned i = 0; i < TRIES && is == SCRUB_BUSY; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		if (empty_log(st) != 0)
			return -1;
		is = scrub_database(store_db(st), NULL);
	}
	if (is == SCRUB_BUSY)
		return store_fail(st, "cannot be cleaned while others write all the time");
	if (is == SCRUB_CANNOT && write_anew(st) != 0)
		return store_fail(st, "cannot be written anew");
	return empty_log(st);
}

int
purge_cut(struct store *st, const char *segment, uint64_t size)
{
	sqlite3_stmt *q = NULL;
	int rc = SQLITE_ERROR;

	if (sqlite3_prepare_v2(store_db(st),
		"UPDATE segment SET offset = ?2, size = -1 WHERE name = ?1 AND offset > ?2", -1, &q,
		NULL) == SQLITE_OK) {
		sqlite3_bind_text(q, 1, segment, -1, SQLITE_STATIC);
		sqlite3_bind_int64(q, 2, (sqlite3_int64)size);
		rc = sqlite3_step(q);
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE ? 0 : store_fail(st, "cannot write");
}

/* --- what is too old -------------------------------------------------------------------------------------- */

/* The numbers of the segments whose files are gone, with commas between them. */
static int
find_gone(struct strbuf *ids, struct store *st, const char *log_dir)
{
	sqlite3_stmt *all = NULL;
	int rc;

	if (sqlite3_prepare_v2(store_db(st), "SELECT id, name FROM segment", -1, &all, NULL) !=
	    SQLITE_OK)
		return -1;
	while ((rc = sqlite3_step(all)) == SQLITE_ROW) {
		char *path = xasprintf("%s/%s", log_dir, (const char *)sqlite3_column_text(all, 1));

		if (access(path, F_OK) != 0 && errno == ENOENT)
			strbuf_printf(ids, "%s%lld", ids->len > 0 ? "," : "",
			    (long long)sqlite3_column_int64(all, 0));
		free(path);
	}
	sqlite3_finalize(all);
	return rc == SQLITE_DONE ? 0 : -1;
}

/* What is known of a segment whose file is gone says nothing any more, if none of its lines is left. */
static int
drop_segments(struct store *st, const char *log_dir)
{
	struct strbuf ids = { 0 };
	struct deletion d;
	char *sql;
	int rc;

	if (find_gone(&ids, st, log_dir) != 0 || begin_delete(&d, st) < 0) {
		strbuf_clear(&ids);
		return store_fail(st, "cannot delete");
	}
	sql = xasprintf("DELETE FROM segment WHERE id IN (%s) AND id NOT IN "
			"(SELECT segment FROM event WHERE segment IN (%s));"
			"DELETE FROM corrupt WHERE segment NOT IN (SELECT id FROM segment);",
	    ids.len > 0 ? ids.s : "", ids.len > 0 ? ids.s : "");
	rc = end_delete(&d, ids.len > 0 ? run(st, sql) : 0);
	free(sql);
	strbuf_clear(&ids);
	return rc;
}

/* Rows after *at, at most to last; moves it.  Who has nothing too old there is not kept waiting. */
static int
delete_some(struct store *st, int64_t *at, int64_t last, int64_t t_us, uint64_t *rows)
{
	int64_t to = *at + STRIDE < last ? *at + STRIDE : last, old = 0;
	struct deletion d;
	char sql[200];
	int rc;

	snprintf(sql, sizeof sql,
	    "SELECT EXISTS (SELECT 1 FROM event WHERE rowid > %lld AND rowid <= %lld AND t < %lld)",
	    (long long)*at, (long long)to, (long long)t_us);
	if (number_of(st, sql, &old) != 0)
		return store_fail(st, "cannot read");
	if (old != 0) {
		if (begin_delete(&d, st) < 0)
			return store_fail(st, "cannot delete");
		snprintf(sql, sizeof sql,
		    "DELETE FROM event WHERE rowid > %lld AND rowid <= %lld AND t < %lld",
		    (long long)*at, (long long)to, (long long)t_us);
		rc = run(st, sql);
		if (rc == 0 && rows != NULL)
			*rows += (uint64_t)sqlite3_changes(store_db(st));
		if (end_delete(&d, rc) != 0)
			return -1;
	}
	*at = to;
	return 0;
}

int
purge_before(struct store *st, const char *log_dir, int64_t t_us, uint64_t *rows)
{
	int64_t first, last;

	if (number_of(st, "SELECT coalesce(min(rowid), 1) FROM event", &first) != 0 ||
	    number_of(st, "SELECT coalesce(max(rowid), 0) FROM event", &last) != 0)
		return store_fail(st, "cannot read");
	for (int64_t at = first - 1; at < last;)
		if (delete_some(st, &at, last, t_us, rows) != 0)
			return -1;
	return drop_segments(st, log_dir);
}
