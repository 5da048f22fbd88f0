/* sender.h - who sent: the identities behind the sessions of one token.  Pure. */
#ifndef RESULTS_SENDER_H
#define RESULTS_SENDER_H

#include <stdint.h>

#include "results/whereabouts.h"

/* Who sent: one row for each (address, EHLO name, TLS fingerprint). */
struct sender {
	const char *peer, *ehlo, *ja4, *tls_version, *tls_cipher;
	int family;
	unsigned sessions;
	int64_t first, last;
	struct place place; /* filled by the report */
};

struct correlation;
/* Fills c->senders from c->sessions. */
void senders_read(struct correlation *c);

#endif
