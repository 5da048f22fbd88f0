/* store.h - the logs' lines in SQLite (WAL), found by token.
 *
 * The logs are the truth and the store is a cache of them: deleting store.db loses nothing.  Loading
 * is idempotent and can be cut at any point: a segment's watermark (the offset up to which its
 * lines are in) is committed in the transaction that holds the lines.  Any number of processes may
 * load at once; SQLite's write lock and the watermark read under it keep every line single.
 * A segment's last line without '\n' stays for later; in a segment whose process died it
 * stays for ever, which is right.  A line that is no event is noted with file and offset and skipped. */
#ifndef RESULTS_STORE_H
#define RESULTS_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "provisioning/site.h"

struct store;

/* Opens or creates PATH.  NULL: reason logged (log_warn). */
struct store *store_open(const char *path);
void store_close(struct store *); /* accepts NULL */

struct store_progress {
	uint64_t bytes, bytes_total; /* of segments with something new */
	uint64_t events;             /* lines stored by this load */
	uint64_t corrupt;            /* lines that were no event, this load */
	unsigned segments;           /* looked at */
};

/* progress (may be NULL) is called after each batch and at the end. */

/* Loads what is new in DIR/(any).jsonl.  0, or -1 with the reason logged; *total (may be NULL) says
 * what was done up to there. */
int store_load(struct store *, const char *log_dir, struct store_progress *total,
    void (*progress)(void *ctx, const struct store_progress *), void *ctx);

/* The same for a site: SITE/log into SITE/store.db.  outpost ingest; report, stats and export call
 * it first.  0 or -1. */
int store_ingest(const struct site *, struct store_progress *total,
    void (*progress)(void *ctx, const struct store_progress *), void *ctx);

/* All event lines that belong to the token, in the order of time: those that name it, and those of
 * its connections from before they were bound.  Stops when row returns nonzero and returns that; 0 at the
 * end, -1: reason logged.  line has no '\n'. */
int store_events(struct store *, const char *token,
    int (*row)(void *ctx, const char *line, size_t len), void *ctx);

/* The tokens of lines that were stored since the call before this one, each once; *after is -1 at first and
 * then what the last call left.  The first call tells none.  0, or -1: reason logged. */
int store_changes(
    struct store *, int64_t *after, void (*row)(void *ctx, const char *token), void *ctx);

/* The lines of node events since then but node.alive, in the order of time; as store_events. */
int store_nodes(
    struct store *, int64_t since, int (*row)(void *ctx, const char *line, size_t len), void *ctx);

/* Each node that has ever written, and the time of its newest line.  0, or -1: reason logged. */
int store_heard(struct store *, void (*row)(void *ctx, const char *node, int64_t t_us), void *ctx);

/* As store_nodes, for smtp.operator: mail to who runs the site. */
int store_operator(
    struct store *, int64_t since, int (*row)(void *ctx, const char *line, size_t len), void *ctx);

/* Lines that were no event, the latest first. */
int store_corrupt(struct store *,
    int (*row)(void *ctx, const char *segment, uint64_t offset, const char *why), void *ctx);

/* --- for purge.c: what is not to be kept ---------------------------------------------------------------- */

struct sqlite3 *store_db(struct store *);
/* Logs what failed, with SQLite's reason.  Always -1. */
int store_fail(const struct store *, const char *what);

#endif
