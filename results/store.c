/* store.c - segments into SQLite by watermark, and a token's lines out of it. */
#include "results/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/event.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "results/eventhead.h"

#define SCHEMA      5
#define CHUNK       (8u << 20) /* bytes of a segment in one transaction */
#define BUSY_MS     60000
#define SETTLED_AGE 2 /* seconds; a younger modification time does not tell a later write apart */

enum {
	Q_SEGMENT,
	Q_SEGMENT_NEW,
	Q_SEGMENT_SET,
	Q_EVENT,
	Q_CORRUPT,
	Q_HEARD,
	Q_TOKEN,
	Q_LAST,
	Q_CHANGES,
	Q_MAX
};

/* Few among all that names nobody, such as the SYNs to an address that many share: they have an index each, which
 * is taken only for a query that says this word for word. */
#define OF_NODE     "token IS NULL AND conn IS NULL AND instr(line, '\"ev\":\"node.') > 0"
#define OF_OPERATOR "token IS NULL AND conn IS NULL AND instr(line, '\"ev\":\"smtp.operator\"') > 0"

static const char schema[] =
    "CREATE TABLE segment (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL,"
    " offset INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL DEFAULT -1, mtime INTEGER NOT NULL "
    "DEFAULT 0);"
    "CREATE TABLE event (t INTEGER NOT NULL, segment INTEGER NOT NULL, at INTEGER NOT NULL,"
    " token TEXT, conn TEXT, line TEXT NOT NULL);"
    "CREATE INDEX event_token ON event (token) WHERE token IS NOT NULL;"
    "CREATE INDEX event_unbound ON event (conn) WHERE token IS NULL AND conn IS NOT NULL;"
    "CREATE TABLE corrupt (segment INTEGER NOT NULL, at INTEGER NOT NULL, why TEXT NOT NULL);"
    "CREATE INDEX event_node ON event (t) WHERE " OF_NODE ";"
    "CREATE INDEX event_operator ON event (t) WHERE " OF_OPERATOR ";"
    "CREATE TABLE heard (node TEXT PRIMARY KEY, t INTEGER NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = 5;";

static const char *const queries[Q_MAX] = {
	[Q_SEGMENT] = "SELECT id, offset, size, mtime FROM segment WHERE name = ?1",
	[Q_SEGMENT_NEW] = "INSERT INTO segment (name) VALUES (?1)",
	[Q_SEGMENT_SET] = "UPDATE segment SET offset = ?2, size = ?3, mtime = ?4 WHERE id = ?1",
	[Q_EVENT] = "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[Q_CORRUPT] = "INSERT INTO corrupt VALUES (?1, ?2, ?3)",
	[Q_HEARD] = "INSERT INTO heard VALUES (?1, ?2) ON CONFLICT (node) DO UPDATE SET "
		    "t = max(t, excluded.t)",
	[Q_TOKEN] = "SELECT t, segment, at, line FROM event WHERE token = ?1 UNION ALL "
		    "SELECT t, segment, at, line FROM event WHERE token IS NULL AND conn IN "
		    "(SELECT DISTINCT conn FROM event WHERE token = ?1 AND conn IS NOT NULL) "
		    "ORDER BY 1, 2, 3",
	[Q_LAST] = "SELECT coalesce(max(rowid), 0) FROM event",
	[Q_CHANGES] =
	    "SELECT DISTINCT token FROM event WHERE rowid > ?1 AND rowid <= ?2 AND +token > ''",
};

struct store {
	char *path;
	sqlite3 *db;
	sqlite3_stmt *q[Q_MAX];
	char *chunk; /* CHUNK bytes */
};

sqlite3 *
store_db(struct store *st)
{
	return st->db;
}

int
store_fail(const struct store *st, const char *what)
{
	int code = sqlite3_errcode(st->db);

	log_warn("%s: %s: %s: %s", st->path, what, sqlite3_errmsg(st->db),
	    code == SQLITE_CORRUPT || code == SQLITE_NOTADB
		? "delete it, it is rebuilt from the logs"
		: "look at the disk and at who else uses it");
	return -1;
}

static int
run(struct store *st, const char *sql)
{
	return sqlite3_exec(st->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

/* Under the write lock, so that two first users do not both create it. */
static int
prepare_schema(struct store *st)
{
	sqlite3_stmt *v = NULL;
	int version = -1;

	if (run(st, "BEGIN IMMEDIATE") < 0)
		return -1;
	if (sqlite3_prepare_v2(st->db, "PRAGMA user_version", -1, &v, NULL) == SQLITE_OK &&
	    sqlite3_step(v) == SQLITE_ROW)
		version = sqlite3_column_int(v, 0);
	sqlite3_finalize(v);
	if (version == SCHEMA)
		return run(st, "COMMIT");
	if (run(st, "DROP TABLE IF EXISTS segment; DROP TABLE IF EXISTS event;"
		    "DROP TABLE IF EXISTS corrupt; DROP TABLE IF EXISTS heard;") < 0 ||
	    run(st, schema) < 0) {
		run(st, "ROLLBACK");
		return -1;
	}
	return run(st, "COMMIT");
}

/* SQLite would make them readable for all.  None that exists is opened here: closing it would take away the locks that
 * SQLite has on it in this process. */
static void
keep_private(const char *path)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	struct stat sb;

	if (fd >= 0) {
		/* Made by root beside daemons that run: theirs, as the logs are. */
		const char *slash = strrchr(path, '/');
		char *logs = xasprintf(
		    "%.*slog", slash != NULL ? (int)(slash + 1 - path) : 0, path);

		if (geteuid() == 0 && lstat(logs, &sb) == 0 && S_ISDIR(sb.st_mode) &&
		    fchown(fd, sb.st_uid, sb.st_gid) != 0)
			log_warn("%s: %s: give it to the user of the site", path, strerror(errno));
		free(logs);
		close(fd);
	}
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		char *part = xasprintf("%s%s", path, parts[i]);

		if (lstat(part, &sb) == 0 && S_ISREG(sb.st_mode) && (sb.st_mode & 07) != 0 &&
		    (geteuid() == 0 || geteuid() == sb.st_uid) &&
		    chmod(part, sb.st_mode & 0770) != 0)
			log_warn(
			    "%s: %s: it can be read by all: chmod o= it", part, strerror(errno));
		free(part);
	}
}

struct store *
store_open(const char *path)
{
	struct store *st = xcalloc(1, sizeof *st);

	keep_private(path);
	st->path = xstrdup(path);
	if (sqlite3_open_v2(path, &st->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
	    SQLITE_OK)
		goto bad;
	sqlite3_busy_timeout(st->db, BUSY_MS);
	/* -wal and -shm stay when the last one closes: who may write them, but make no file in the
	 * directory of the site, can then open the store at any time. */
	int keep = 1;
	sqlite3_file_control(st->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
	/* The logs are what must be durable; a commit lost in a power cut is loaded again. */
	if (run(st, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = "
		    "-65536; PRAGMA secure_delete = ON;") < 0 ||
	    prepare_schema(st) < 0)
		goto bad;
	for (unsigned i = 0; i < Q_MAX; i++) {
		if (sqlite3_prepare_v3(st->db, queries[i], -1, SQLITE_PREPARE_PERSISTENT, &st->q[i],
			NULL) != SQLITE_OK)
			goto bad;
	}
	return st;
bad:
	store_fail(st, "cannot open");
	store_close(st);
	return NULL;
}

void
store_close(struct store *st)
{
	if (st == NULL)
		return;
	for (unsigned i = 0; i < Q_MAX; i++)
		sqlite3_finalize(st->q[i]);
	sqlite3_close(st->db);
	free(st->chunk);
	free(st->path);
	free(st);
}

/* --- loading --------------------------------------------------------------------------------- */

struct segment {
	int64_t id, offset, size, mtime;
};

static int
step(sqlite3_stmt *q)
{
	int rc = sqlite3_step(q);

	sqlite3_reset(q);
	return rc == SQLITE_DONE ? 0 : -1;
}

/* 1 found, 0 new, -1 error. */
static int
segment_find(struct store *st, struct segment *seg, const char *name)
{
	sqlite3_stmt *q = st->q[Q_SEGMENT];

	*seg = (struct segment){ .size = -1 };
	sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
	int rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		seg->id = sqlite3_column_int64(q, 0);
		seg->offset = sqlite3_column_int64(q, 1);
		seg->size = sqlite3_column_int64(q, 2);
		seg->mtime = sqlite3_column_int64(q, 3);
	}
	sqlite3_reset(q);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}

static int
note_corrupt(struct store *st, int64_t segment, int64_t at, const char *why)
{
	sqlite3_stmt *q = st->q[Q_CORRUPT];

	sqlite3_bind_int64(q, 1, segment);
	sqlite3_bind_int64(q, 2, at);
	sqlite3_bind_text(q, 3, why, -1, SQLITE_STATIC);
	return step(q);
}

static int
note_event(struct store *st, int64_t segment, int64_t at, const struct eventhead *h,
    const char *line, size_t len)
{
	sqlite3_stmt *q = st->q[Q_EVENT];
	char conn[256]; /* with the node: a connection's name is unique on its node only */
	int clen = 0;

	if (h->conn.len > 0 && h->conn.len + h->node.len + 1 < sizeof conn) {
		memcpy(conn, h->node.s, h->node.len);
		conn[h->node.len] = ' ';
		memcpy(conn + h->node.len + 1, h->conn.s, h->conn.len);
		clen = (int)(h->node.len + 1 + h->conn.len);
	}
	sqlite3_bind_int64(q, 1, h->t);
	sqlite3_bind_int64(q, 2, segment);
	sqlite3_bind_int64(q, 3, at);
	if (h->token.len > 0)
		sqlite3_bind_text(q, 4, h->token.s, (int)h->token.len, SQLITE_STATIC);
	else
		sqlite3_bind_null(q, 4);
	if (clen > 0)
		sqlite3_bind_text(q, 5, conn, clen, SQLITE_STATIC);
	else
		sqlite3_bind_null(q, 5);
	sqlite3_bind_text(q, 6, line, (int)len, SQLITE_STATIC);
	return step(q);
}

/* The newest line of a node; a segment is one node's, so this is written once in a chunk. */
struct heard {
	char node[128];
	int64_t t;
};

static int
note_heard(struct store *st, const struct heard *h)
{
	sqlite3_stmt *q = st->q[Q_HEARD];

	if (h->node[0] == '\0')
		return 0;
	sqlite3_bind_text(q, 1, h->node, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 2, h->t);
	return step(q);
}

static int
hear(struct store *st, struct heard *last, const struct eventhead *h)
{
	if (h->node.len == 0 || h->node.len >= sizeof last->node)
		return 0;
	if (strlen(last->node) != h->node.len || memcmp(last->node, h->node.s, h->node.len) != 0) {
		if (note_heard(st, last) < 0)
			return -1;
		memcpy(last->node, h->node.s, h->node.len);
		last->node[h->node.len] = '\0';
		last->t = h->t;
	}
	last->t = h->t > last->t ? h->t : last->t;
	return 0;
}

/* The whole lines of st->chunk[0..n), which starts at seg->offset; moves the offset behind them. */
static int
load_lines(struct store *st, struct segment *seg, size_t n, struct store_progress *p)
{
	const char *at = st->chunk, *end = st->chunk + n, *nl;
	struct eventhead h;
	struct heard heard = { .t = 0 };

	while (at < end && (nl = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		size_t len = (size_t)(nl - at);
		int64_t offset = seg->offset + (at - st->chunk);
		const char *why = len > EVENT_LINE_MAX ? "longer than an event can be"
						       : eventhead_read(&h, at, len);
		if ((why != NULL ? note_corrupt(st, seg->id, offset, why)
				 : note_event(st, seg->id, offset, &h, at, len)) < 0)
			return -1;
		if (why == NULL && hear(st, &heard, &h) < 0)
			return -1;
		if (why != NULL)
			p->corrupt++;
		else
			p->events++;
		at = nl + 1;
	}
	if (note_heard(st, &heard) < 0)
		return -1;
	/* A chunk without a line end is no line; reserved space reads as NULs and is nothing yet. */
	if (at == st->chunk && n == CHUNK && *at != '\0') {
		if (note_corrupt(st, seg->id, seg->offset, "longer than an event can be") < 0)
			return -1;
		p->corrupt++;
		at = end;
	}
	seg->offset += at - st->chunk;
	p->bytes += (uint64_t)(at - st->chunk);
	return at > st->chunk ? 1 : 0;
}

/* One transaction.  1 there may be more, 0 nothing more for now, -1 error. */
static int
load_chunk(struct store *st, int fd, const char *name, struct store_progress *p)
{
	struct segment seg;
	struct stat sb;
	int found, more = -1;

	if (run(st, "BEGIN IMMEDIATE") < 0)
		return store_fail(st, "cannot load");
	if ((found = segment_find(st, &seg, name)) < 0)
		goto out;
	if (found == 0) {
		sqlite3_bind_text(st->q[Q_SEGMENT_NEW], 1, name, -1, SQLITE_STATIC);
		if (step(st->q[Q_SEGMENT_NEW]) < 0)
			goto out;
		seg.id = sqlite3_last_insert_rowid(st->db);
	}
	if (fstat(fd, &sb) < 0)
		goto out;
	ssize_t n = pread(fd, st->chunk, CHUNK, seg.offset);
	if (n < 0) {
		log_warn("%s: cannot read: %s: look at the disk", name, strerror(errno));
		goto out;
	}
	if ((more = load_lines(st, &seg, (size_t)n, p)) < 0)
		goto out;
	sqlite3_stmt *q = st->q[Q_SEGMENT_SET];
	sqlite3_bind_int64(q, 1, seg.id);
	sqlite3_bind_int64(q, 2, seg.offset);
	/* Unchanged since: need not be read again.  Only once all of it was looked at, and only if
	 * the modification time is old enough to tell a later write. */
	bool rest = more == 0 && time(NULL) - sb.st_mtim.tv_sec > SETTLED_AGE;
	sqlite3_bind_int64(q, 3, rest ? sb.st_size : -1);
	sqlite3_bind_int64(q, 4, sb.st_mtim.tv_sec * INT64_C(1000000000) + sb.st_mtim.tv_nsec);
	if (step(q) < 0)
		more = -1;
out:
	if (more < 0 || run(st, "COMMIT") < 0) {
		store_fail(st, "cannot load"); /* before ROLLBACK, which has a result of its own */
		run(st, "ROLLBACK");
		return -1;
	}
	return more;
}

static int
segment_load(struct store *st, int dirfd, const char *name, struct store_progress *p,
    void (*progress)(void *, const struct store_progress *), void *ctx)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC), more;

	if (fd < 0) {
		if (errno == ENOENT)
			return 0; /* expired meanwhile */
		log_warn("%s: cannot read: %s: check its owner and mode", name, strerror(errno));
		return -1;
	}
	do {
		more = load_chunk(st, fd, name, p);
		if (more > 0 && progress != NULL)
			progress(ctx, p);
	} while (more > 0);
	close(fd);
	return more;
}

/* Has it something new?  Adds how much to total. */
static bool
is_new(struct store *st, int dirfd, const char *name, uint64_t *total)
{
	struct segment seg;
	struct stat sb;

	if (fstatat(dirfd, name, &sb, 0) < 0 || !S_ISREG(sb.st_mode))
		return false;
	if (segment_find(st, &seg, name) > 0) {
		if (seg.size == sb.st_size &&
		    seg.mtime == sb.st_mtim.tv_sec * INT64_C(1000000000) + sb.st_mtim.tv_nsec)
			return false;
		if (seg.offset > sb.st_size) {
			log_warn("%s: shorter than what was loaded from it: it was cut: restore it",
			    name);
			return false;
		}
	}
	*total += (uint64_t)(sb.st_size - seg.offset);
	return true;
}

static int
is_segment(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 6 && d->d_name[0] != '.' && strcmp(d->d_name + len - 6, ".jsonl") == 0;
}

int
store_load(struct store *st, const char *log_dir, struct store_progress *total,
    void (*progress)(void *, const struct store_progress *), void *ctx)
{
	struct store_progress p = { 0 };
	struct dirent **names = NULL;
	int rc = 0, n = scandir(log_dir, &names, is_segment, alphasort);
	int dirfd = n <= 0 ? -1 : open(log_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if ((n < 0 || (n > 0 && dirfd < 0)) && errno != ENOENT) {
		log_warn("%s: cannot read: %s: check its owner and mode", log_dir, strerror(errno));
		rc = -1;
	}
	if (st->chunk == NULL)
		st->chunk = xmalloc(CHUNK);
	for (int i = 0; i < n; i++) {
		if (dirfd >= 0 && !is_new(st, dirfd, names[i]->d_name, &p.bytes_total))
			names[i]->d_name[0] = '\0';
	}
	for (int i = 0; i < n; i++) {
		if (rc == 0 && dirfd >= 0 && names[i]->d_name[0] != '\0') {
			p.segments++;
			rc = segment_load(st, dirfd, names[i]->d_name, &p, progress, ctx);
		}
		free(names[i]);
	}
	free(names);
	if (dirfd >= 0)
		close(dirfd);
	if (progress != NULL)
		progress(ctx, &p);
	if (total != NULL)
		*total = p;
	return rc;
}

int
store_ingest(const struct site *site, struct store_progress *total,
    void (*progress)(void *, const struct store_progress *), void *ctx)
{
	char db[512], dir[512];
	int rc;

	snprintf(db, sizeof db, "%s/store.db", site->dir);
	snprintf(dir, sizeof dir, "%s/log", site->dir);
	struct store *st = store_open(db);
	if (st == NULL)
		return -1;
	rc = store_load(st, dir, total, progress, ctx);
	store_close(st);
	return rc;
}

/* --- reading ----------------------------------------------------------------------------------- */

int
store_events(
    struct store *st, const char *token, int (*row)(void *, const char *, size_t), void *ctx)
{
	sqlite3_stmt *q = st->q[Q_TOKEN];
	int rc, stop = 0;

	sqlite3_bind_text(q, 1, token, -1, SQLITE_STATIC);
	while ((rc = sqlite3_step(q)) == SQLITE_ROW && stop == 0)
		stop = row(ctx, (const char *)sqlite3_column_text(q, 3),
		    (size_t)sqlite3_column_bytes(q, 3));
	sqlite3_reset(q);
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		return store_fail(st, "cannot read");
	return stop;
}

int
store_changes(struct store *st, int64_t *after, void (*row)(void *, const char *), void *ctx)
{
	sqlite3_stmt *last = st->q[Q_LAST], *q = st->q[Q_CHANGES];
	int64_t now = sqlite3_step(last) == SQLITE_ROW ? sqlite3_column_int64(last, 0) : -1;
	int rc = SQLITE_DONE;

	sqlite3_reset(last);
	if (now < 0)
		return store_fail(st, "cannot read");
	if (*after >= 0 && now > *after) {
		sqlite3_bind_int64(q, 1, *after);
		sqlite3_bind_int64(q, 2, now);
		while ((rc = sqlite3_step(q)) == SQLITE_ROW)
			row(ctx, (const char *)sqlite3_column_text(q, 0));
		sqlite3_reset(q);
	}
	*after = now;
	return rc == SQLITE_DONE ? 0 : store_fail(st, "cannot read");
}

/* Lines that belong to no participant and to no connection. */
static int
read_nobody(struct store *st, const char *sql, int64_t since,
    int (*row)(void *, const char *, size_t), void *ctx)
{
	sqlite3_stmt *q = NULL;
	int rc, stop = 0;

	if (sqlite3_prepare_v2(st->db, sql, -1, &q, NULL) != SQLITE_OK ||
	    sqlite3_bind_int64(q, 1, since) != SQLITE_OK)
		return store_fail(st, "cannot read");
	while ((rc = sqlite3_step(q)) == SQLITE_ROW && stop == 0)
		stop = row(ctx, (const char *)sqlite3_column_text(q, 0),
		    (size_t)sqlite3_column_bytes(q, 0));
	sqlite3_finalize(q);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? stop : store_fail(st, "cannot read");
}

int
store_nodes(struct store *st, int64_t since, int (*row)(void *, const char *, size_t), void *ctx)
{
	return read_nobody(st,
	    "SELECT line FROM event WHERE " OF_NODE
	    " AND instr(line, '\"ev\":\"node.alive\"') = 0 AND t >= ?1 ORDER BY t",
	    since, row, ctx);
}

int
store_heard(struct store *st, void (*row)(void *, const char *, int64_t), void *ctx)
{
	sqlite3_stmt *q = NULL;
	int rc;

	if (sqlite3_prepare_v2(st->db, "SELECT node, t FROM heard ORDER BY node", -1, &q, NULL) !=
	    SQLITE_OK)
		return store_fail(st, "cannot read");
	while ((rc = sqlite3_step(q)) == SQLITE_ROW)
		row(ctx, (const char *)sqlite3_column_text(q, 0), sqlite3_column_int64(q, 1));
	sqlite3_finalize(q);
	return rc == SQLITE_DONE ? 0 : store_fail(st, "cannot read");
}

int
store_operator(struct store *st, int64_t since, int (*row)(void *, const char *, size_t), void *ctx)
{
	return read_nobody(st,
	    "SELECT line FROM event WHERE " OF_OPERATOR " AND t >= ?1 ORDER BY t, segment, at",
	    since, row, ctx);
}

int
store_corrupt(struct store *st, int (*row)(void *, const char *, uint64_t, const char *), void *ctx)
{
	sqlite3_stmt *q = NULL;
	int rc, stop = 0;

	if (sqlite3_prepare_v2(st->db,
		"SELECT name, at, why FROM corrupt JOIN segment ON id = segment ORDER BY "
		"corrupt.rowid DESC",
		-1, &q, NULL) != SQLITE_OK)
		return store_fail(st, "cannot read");
	while ((rc = sqlite3_step(q)) == SQLITE_ROW && stop == 0)
		stop = row(ctx, (const char *)sqlite3_column_text(q, 0),
		    (uint64_t)sqlite3_column_int64(q, 1), (const char *)sqlite3_column_text(q, 2));
	sqlite3_finalize(q);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? stop : store_fail(st, "cannot read");
}
