/* handover.h - accepted messages on their way from the workers to the verifier.
 *
 * A body is collected in a memfd while it arrives, never on a disk, and travels with what is known of
 * its session over a SOCK_SEQPACKET socket that the parent made: what is in it outlives the verifier,
 * and the next one takes it.  A worker never waits: whatever does not fit at once is refused, with the
 * reason.
 *
 * Bounded are the messages that are handed over and not yet judged, and the octets of all bodies, those
 * that still arrive included, counted in pages.  The counts are memory that worker and verifier share;
 * what either had in its hands when it was killed is counted again as free by its successor. */
#ifndef SMTPD_HANDOVER_H
#define SMTPD_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/listen.h"
#include "provisioning/token.h"
#include "smtpd/path.h"
#include "zones/test.h"

#define HANDOVER_HELO_MAX 255

/* What is known of an accepted message.  token, test, conn and digest are those of its smtp.message. */
struct verify_facts {
	char token[TOKEN_LEN + 1], test[TEST_NAME_MAX + 1], conn[32], digest[65];
	char client[ADDRESS_TEXT_MAX];
	char helo[HANDOVER_HELO_MAX + 1];                    /* "": none */
	char from[PATH_LOCAL_MAX + 1 + PATH_DOMAIN_MAX + 1]; /* "": the null reverse-path */
	char us[320];                                        /* our name, as the greeting says it */
	int64_t t;                                           /* us, of its smtp.message */
	uint64_t size;                                       /* octets of the body */
};

struct handover_limits {
	uint64_t count;   /* messages handed over, not yet judged */
	uint64_t octets;  /* of all bodies, in pages */
	uint64_t message; /* octets of a body */
	uint64_t bodies;  /* that arrive at one worker at a time: each is a descriptor */
};
struct handover;
/* In the parent, before the fork; one for each generation of workers.  NULL: reason logged. */
struct handover *handover_new(const struct handover_limits *);
void handover_free(struct handover *); /* accepts NULL; the processes that forked keep theirs */

/* --- a worker ----------------------------------------------------------------------------------------- */

/* To be called once in each.  index: below WORKERS_MAX. */
void handover_worker(struct handover *, unsigned index);

struct body {
	struct handover *handover;
	int fd;              /* -1: nothing yet */
	uint64_t size, room; /* octets; octets reserved for them */
	const char *refused; /* why it is not kept */
};
void body_init(struct body *, struct handover *);
void body_add(struct body *, const char *bytes, size_t len);
void body_clear(struct body *); /* gives everything back; it can be used again */

/* Gives the body away; facts->size is set.  NULL, or why it cannot be: then nothing was handed over.
 * The body is empty afterwards. */
const char *handover_send(struct body *, struct verify_facts *);

/* --- the verifier ---------------------------------------------------------------------------------- */

/* Takes the place of the one before, whose messages are no longer counted.  What this process forks from now
 * on has no part in the handover. */
void handover_verifier(struct handover *);
int handover_fd(const struct handover *); /* readable: handover_receive */

enum handover_got { HANDOVER_MESSAGE, HANDOVER_NONE, HANDOVER_END };
/* Never waits.  A message: *fd is a sealed memfd of facts->size octets, to be closed; what workers say
 * is checked.  END: all workers have ended, nothing will come. */
enum handover_got handover_receive(struct handover *, struct verify_facts *, int *fd);
/* A message of that size is gone. */
void handover_done(struct handover *, uint64_t size);
/* From now on workers are refused: the verifier stops. */
void handover_stop(struct handover *);
/* Once in a while: counts as free what a worker held that was killed in the act of handing over. */
void handover_settle(struct handover *);
/* Not yet judged, on the way included; for tests. */
uint64_t handover_count(const struct handover *);
uint64_t handover_octets(const struct handover *);

#endif
