/* letter.h - a message to who runs the site, from its event smtp.operator: what is listed, and the file that a mail
 * program reads.  All of it is a stranger's word but the name of the file.  Pure. */
#ifndef OUTPOST_LETTER_H
#define OUTPOST_LETTER_H

#include <stdbool.h>

#include "lib/event.h"
#include "lib/strbuf.h"

#define LETTER_NAME_MAX 96

struct letter {
	int64_t t_us;
	char name[LETTER_NAME_MAX]; /* its own for ever; letters, digits, "._-" only */
	const char *peer, *from, *mailbox, *subject; /* the event's; "" if there is none */
	int64_t octets;
	bool tls, taken; /* taken: it was accepted, so there is a message */
};

/* false: it is no such event.  The event must outlive the letter. */
bool letter_read(struct letter *, const struct event *);
/* Return-Path and Received of ours, then the message as it came, with the line ends of this system (LF).
 * false: its data is damaged. */
bool letter_file(struct strbuf *dst, const struct letter *, const struct event *, const char *base);

#endif
