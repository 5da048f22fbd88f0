/* released.h - participants who want no more of it: every pending test of theirs is answered 550 by smtpd and
 * shown undeviated by authdns and the policy hosts, so that their queues empty.  Kept in
 * state/released.jsonl, by token, until the enrolment expires or is forgotten.
 *
 * A daemon's parent has the list in memory that its workers share, made before they fork, and reads once a second what
 * was appended: workers need no file for it.  A release is never taken back while a daemon runs. */
#ifndef PROVISIONING_RELEASED_H
#define PROVISIONING_RELEASED_H

#include "provisioning/site.h"

#define RELEASED_FILE "released.jsonl"
#define RELEASED_SPARE                                                                             \
	65536 /* releases that there is room for beside those at the start or reload */

/* Appends it unless it is there.  by: "command", "page", "api".  1: it was there already, 0, or -1 logged. */
int released_add(const struct site *, const struct token *, const char *by, int64_t now_us);
/* 1 and *t_us: since when; 0 not released; -1 unreadable, logged. */
int released_find(int64_t *t_us, const struct site *, const char *token);

/* Is a test one that can be released: one that the participant mails? */
bool released_covers(const struct test *);
/* Why what is queued for it may stay there all the same: its fault stands where all participants share it.  NULL: it
 * goes. */
const char *released_stays(const struct test *);

/* In the parent, before the fork and again at each reload (then old, which earlier workers keep, may be closed).
 * spare: RELEASED_SPARE; tests take less.  NULL: logged. */
struct released *released_open(const struct site *, size_t spare);
void released_close(struct released *); /* accepts NULL */
/* In the parent: what was appended, or the whole file if it is another one now.  0, or -1: logged once. */
int released_refresh(struct released *);
/* In a worker; lock-free.  NULL has nobody. */
bool released_has(const struct released *, uint64_t id);
/* Only in memory, for tests and replays. */
void released_note(struct released *, uint64_t id);

#endif
