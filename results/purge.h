/* purge.h - what is not to be kept leaves the store.
 *
 * What is deleted is overwritten in the database; that no copy of it is left in the gaps of pages or in SQLite's log of
 * changes is purge_scrub, to be called once after the others.  It reads the whole store but writes little; only a store of
 * which more than half has become unused is written anew, to give back the room. */
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
/* Removes what was seen before t_us, and what is known of segments that are not in log_dir any more.  In small steps:
 * those who load wait for none of it long. */
int purge_before(struct store *, const char *log_dir, int64_t t_us, uint64_t *rows);
/* Lines were taken out of this segment, all of which is loaded: it has so many octets now. */
int purge_cut(struct store *, const char *segment, uint64_t size);
/* Nothing that was deleted is left in the files of the store.  -1: others read it for too long, logged. */
int purge_scrub(struct store *);
/* Was anything deleted since purge_scrub was last done, by whomever?  1, 0, or -1 logged. */
int purge_due(struct store *);

#endif
