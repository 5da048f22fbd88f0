/* expire.h - what is older than the retention of outpost.conf: segments of the log, and lines of the journals that
 * name a participant.  The store is the caller's (results/store.h). */
#ifndef PROVISIONING_EXPIRE_H
#define PROVISIONING_EXPIRE_H

#include "provisioning/site.h"

struct expired {
	unsigned segments;
	uint64_t octets, lines;
};
/* Removes segments that nobody writes and that were last written before t_us, and lines older than that from
 * enrol.jsonl, runs.jsonl, invitations.jsonl, released.jsonl and mail.jsonl.  0, or -1 logged. */
int expire_files(struct expired *, const struct site *, int64_t t_us);

#endif
