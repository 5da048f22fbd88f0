/* eventlog.h - segments of events on disk: DIR/NODE-DAEMON-W-START.jsonl, one writer each,
 * append-only, new at start, at segment_max bytes and hourly; never appended
 * after their process died.  Space is reserved ahead, so that an accepted line meets no full disk.
 *
 * The writer holds flock(LOCK_EX) on the segment as long as it lives: a reader that gets the lock
 * may take a torn last line for one that will never be finished.
 *
 * Two ways to write, one log either way:
 *   authdns: eventlog_append for a batch, eventlog_write before the batch's answers leave.
 *   smtpd:   eventlog_append, then wait until eventlog_durable() >= the ticket (group commit:
 *            a thread writes and fdatasyncs everything pending, then bumps the event fd).  It
 *            does so 10 ms after a line at the latest, and at once after eventlog_hurry, or
 *            5 ms after the last time if that one served several who waited.
 * Any failure is sticky: every later call returns an error and the daemon must stop serving. */
#ifndef LIB_EVENTLOG_H
#define LIB_EVENTLOG_H

#include <stdint.h>
#include "lib/event.h"

struct eventlog_config {
	const char *dir, *node, *daemon;
	unsigned worker;
	uint64_t segment_max;   /* bytes; 0: 64 MiB */
	uint64_t reserve;       /* bytes reserved ahead; 0: 4 MiB */
	int64_t segment_age_us; /* 0: an hour */
};
struct eventlog;

/* NULL: reason logged.  Writes nothing yet but creates and reserves the first segment. */
struct eventlog *eventlog_open(const struct eventlog_config *);
/* The origin to give event_begin; its n restarts at 1 in a new segment, so take it each time.
 * This is where a new segment begins if one is due, so a segment ends with the line that reaches
 * segment_max.  One thread appends. */
struct event_origin *eventlog_origin(struct eventlog *);

/* Queues one encoded line.  Ticket > 0 (grows over the life of the log, across segments), or 0:
 * the log has failed.  Never blocks on disk. */
uint64_t eventlog_append(struct eventlog *, const char *line, size_t len);
/* Writes all that is queued to the file (no sync).  0, or -1 failed. */
int eventlog_write(struct eventlog *);

/* Starts the committing thread.  Returns an eventfd that becomes readable when eventlog_durable
 * has grown or the log has failed; -1: could not. */
int eventlog_committer(struct eventlog *);
/* One more waits for what was appended so far. */
void eventlog_hurry(struct eventlog *);
uint64_t eventlog_durable(const struct eventlog *); /* highest ticket on disk */
bool eventlog_failed(const struct eventlog *);
const char *eventlog_reason(const struct eventlog *); /* why it failed: "PATH: No space left..." */

void eventlog_close(struct eventlog *); /* writes, syncs, trims the reserve; accepts NULL */

#endif
