/* forget.h - takes a participant out of what a site keeps in files: the journals of state/, the segments of
 * log/; and looks through every file afterwards whether something is left.  The store is the caller's
 * (results/store.h).  Messages are never written to a disk, so there is no spool to look at; the opt-out list
 * knows hashes only and stays.
 *
 * Files are written anew beside the old ones and renamed (lib/journal.h), so a crash leaves each either
 * as it was or without the participant, and running it once more finishes the work. */
#ifndef PROVISIONING_FORGET_H
#define PROVISIONING_FORGET_H

#include "provisioning/site.h"

struct forget;
struct forget *forget_new(const struct site *);
void forget_free(struct forget *); /* accepts NULL */

/* Who: a token, found wherever it stands in any case; a mail address, found where it stands whole.  An
 * address as optout_address() gives it. */
void forget_token(struct forget *, const char *token);
void forget_address(struct forget *, const char *address);
/* Adds the tokens of lines that name the address, and the connections of the tokens.  0, or -1 logged. */
int forget_look(struct forget *);
const char *forget_row(
    const struct forget *, size_t i); /* tokens and addresses; NULL after the last */
/* Does the text name one of them?  Octets that are no text do no harm. */
bool forget_names(const struct forget *, const char *text, size_t len);

struct forgotten {
	unsigned files; /* looked at */
	uint64_t lines; /* taken out */
	unsigned busy;  /* segments that name it and are being written */
};
/* state: all journals but the opt-outs.  0, or -1 logged. */
int forget_state(const struct forget *, struct forgotten *);
/* log: all segments that nobody writes; cut (may be NULL) is told the new length of each that became shorter, so
 * that the store does not take it for a damaged one. */
int forget_logs(const struct forget *, struct forgotten *,
    int (*cut)(void *ctx, const char *name, uint64_t size), void *ctx);

struct forget_proof {
	unsigned files, left;
	uint64_t octets;
};
/* Every file below the site's directory, whatever it is.  found is called for those that name it. */
int forget_prove(const struct forget *, struct forget_proof *,
    void (*found)(void *ctx, const char *path), void *ctx);

#endif
