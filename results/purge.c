/* purge.c - rows out of the store, overwritten as they go. */
#include "results/purge.h"

#include <errno.h>
#include <stdlib.h>
#include <sqlite3.h>
#include <unistd.h>

#include "lib/strbuf.h"

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
begin_delete(struct store *st)
{
	return run(st, "PRAGMA secure_delete = ON") == 0 ? run(st, "BEGIN IMMEDIATE") : -1;
}

static int
end_delete(struct store *st, int rc)
{
	if (rc == 0 && run(st, "COMMIT") == 0)
		return 0;
	store_fail(st, "cannot delete");
	run(st, "ROLLBACK");
	return -1;
}

int
purge_token(struct store *st, const char *token, uint64_t *rows)
{
	if (begin_delete(st) < 0)
		return store_fail(st, "cannot delete");
	return end_delete(st, run_bound(st, of_token, token, 0, rows));
}

int
purge_lines(struct store *st, bool (*pick)(void *, const char *, size_t), void *ctx, uint64_t *rows)
{
	sqlite3_stmt *all = NULL;
	int rc, failed = 0;

	if (begin_delete(st) < 0)
		return store_fail(st, "cannot delete");
	if (sqlite3_prepare_v2(store_db(st), "SELECT rowid, line FROM event", -1, &all, NULL) !=
	    SQLITE_OK)
		return end_delete(st, -1);
	while ((rc = sqlite3_step(all)) == SQLITE_ROW && failed == 0)
		if (pick(ctx, (const char *)sqlite3_column_text(all, 1),
			(size_t)sqlite3_column_bytes(all, 1)))
			failed = run_bound(st, "DELETE FROM event WHERE rowid = ?1", NULL,
			    sqlite3_column_int64(all, 0), rows);
	sqlite3_finalize(all);
	return end_delete(st, rc == SQLITE_DONE ? failed : -1);
}

int
purge_scrub(struct store *st)
{
	int frames, done;

	/* What SQLite moves from page to page stays where it was, whatever secure_delete says. */
	if (run(st, "VACUUM") < 0)
		return store_fail(st, "cannot be written anew");
	/* Pages that were deleted from are still in the log of changes as they were. */
	if (sqlite3_wal_checkpoint_v2(
		store_db(st), NULL, SQLITE_CHECKPOINT_TRUNCATE, &frames, &done) == SQLITE_OK)
		return 0;
	return store_fail(st, "cannot empty its log of changes");
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

/* What is known of a segment whose file is gone says nothing any more. */
static int
drop_segments(struct store *st, const char *log_dir)
{
	sqlite3_stmt *all = NULL;
	int rc, failed = 0;

	if (sqlite3_prepare_v2(store_db(st),
		"SELECT id, name FROM segment WHERE id NOT IN (SELECT segment FROM event)", -1,
		&all, NULL) != SQLITE_OK)
		return -1;
	while ((rc = sqlite3_step(all)) == SQLITE_ROW && failed == 0) {
		char *path = xasprintf("%s/%s", log_dir, (const char *)sqlite3_column_text(all, 1));

		if (access(path, F_OK) != 0 && errno == ENOENT)
			failed = run_bound(st,
			    "DELETE FROM corrupt WHERE segment = ?1;"
			    "DELETE FROM segment WHERE id = ?1;",
			    NULL, sqlite3_column_int64(all, 0), NULL);
		free(path);
	}
	sqlite3_finalize(all);
	return rc == SQLITE_DONE ? failed : -1;
}

int
purge_before(struct store *st, const char *log_dir, int64_t t_us, uint64_t *rows)
{
	int rc;

	if (begin_delete(st) < 0)
		return store_fail(st, "cannot delete");
	rc = run_bound(st, "DELETE FROM event WHERE t < ?1", NULL, t_us, rows);
	return end_delete(st, rc == 0 ? drop_segments(st, log_dir) : -1);
}
