/* journal.h - small state that never expires (enrolments, fronts, opt-outs): JSON Lines, appended
 * under a lock, synced before success is reported. */
#ifndef LIB_JOURNAL_H
#define LIB_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends one line (a JSON object without '\n').  0, or -1 with the reason logged. */
int journal_append(const char *path, const char *line, size_t len);

/* The same for whole lines, each with its '\n': all of them are there then, or none that is reported. */
int journal_append_lines(const char *path, const char *lines, size_t len);

/* The same, but the lines are made while the journal is locked: what make finds in it nobody changes before they
 * stand there.  make gives nonzero: nothing is appended, -1. */
struct strbuf;
int journal_append_made(const char *path, int (*make)(void *ctx, struct strbuf *lines), void *ctx);

/* Calls row for each whole line, in order; stops when row returns nonzero and returns that.
 * A missing file has no rows.  A torn last line is ignored.  -1: unreadable, logged. */
int journal_read(const char *path, int (*row)(void *ctx, const char *line, size_t len), void *ctx);

/* The same from *offset on, which moves behind the last whole line that was read: for those who come back
 * for what was appended meanwhile. */
int journal_follow(const char *path, uint64_t *offset,
    int (*row)(void *ctx, const char *line, size_t len), void *ctx);

/* For row: says of the line that it is called with "FILE:LINE: why: then". */
void journal_complain(const char *why, const char *then);
#define JOURNAL_SKIPPED "the line is left out: mend it or take it out"

/* Writes the file anew without the lines that drop picks, and without a torn last one: beside it, synced,
 * then renamed, so that after a crash there is the old file or the new one.  Who appends meanwhile waits, and
 * appends to the new one.  Owner and mode stay.  Nothing picked: nothing is touched.  wait false: a
 * file that somebody has locked is left alone.  *dropped (may be NULL): how many.
 * 0 done or no such file, 1 locked, -1 logged. */
int journal_rewrite(const char *path, bool wait,
    bool (*drop)(void *ctx, const char *line, size_t len), void *ctx, uint64_t *dropped);

#endif
