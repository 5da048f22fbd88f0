/* mailbox.h - mail to who runs the site: which messages there are, and which of them were put into a Maildir already
 * (state/mail.jsonl). */
#ifndef OUTPOST_MAILBOX_H
#define OUTPOST_MAILBOX_H

#include "provisioning/site.h"

struct mailbox_count {
	uint64_t waiting; /* accepted, and in no Maildir yet */
	uint64_t written, refused;
};
/* Of what is within the retention; loads what is new into the store first.  0, or -1 logged. */
int mailbox_count(struct mailbox_count *, const struct site *);

#endif
