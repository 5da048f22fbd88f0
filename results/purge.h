/* purge.h - what is not to be kept leaves the store.
 *
 * What is deleted is overwritten in the database; that nothing of it is left in SQLite's log of changes
 * either is purge_scrub, to be called once after the others. */
#ifndef RESULTS_PURGE_H
#define RESULTS_PURGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "results/store.h"

/* All: 0, or -1 with the reason logged.  *rows (may be NULL) grows by the lines that were removed. */

/* Removes the lines of the token, those of its connections from before they were bound, and every other
 * that names it in any case. */
int purge_token(struct store *, const char *token, uint64_t *rows);
/* Removes the lines that pick chooses. */
int purge_lines(struct store *, bool (*pick)(void *ctx, const char *line, size_t len), void *ctx,
    uint64_t *rows);
/* Removes what was seen before t_us, and what is known of segments that are not in log_dir any more. */
int purge_before(struct store *, const char *log_dir, int64_t t_us, uint64_t *rows);
/* Lines were taken out of this segment, all of which is loaded: it has so many octets now. */
int purge_cut(struct store *, const char *segment, uint64_t size);
/* Nothing that was deleted is left in the files of the store.  -1: others read it for too long, logged. */
int purge_scrub(struct store *);

#endif
