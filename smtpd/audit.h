/* audit.h - which messages were handed to the verifier and never judged, by the event log: every
 * smtp.message with "handed" must have one verify.result, verify.crashed, verify.skipped or
 * verify.lost, with the same token, test, conn and digest.
 *
 * A worker hands a message over before its event is in the log.  So whoever reads the log first and
 * then takes what waits at the socket knows: what is open by the log and in nobody's hands is lost.
 *
 * Read is what came since AUDIT_WAIT_MAX before the last verify.audit that saw everything: no message
 * waits longer. */
#ifndef SMTPD_AUDIT_H
#define SMTPD_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "smtpd/handover.h"

#define AUDIT_WAIT_MAX   (INT64_C(600) * 1000000) /* us that a message may wait and be judged */
#define AUDIT_OCTETS_MAX (UINT64_C(4) << 30)      /* of the log; what is older is not read */
#define AUDIT_OPEN_MAX   100000                   /* messages that one audit names */

struct audit_config {
	const char *dir, *node;       /* of the log */
	const char *smtpd, *verifier; /* what they are called in events */
	int64_t
	    opened; /* before the caller's own first segment was, us: what has a later name is its own */
	int64_t began;       /* before the caller's workers began, us */
	uint64_t octets_max; /* 0: AUDIT_OCTETS_MAX */
};
struct audit;
/* NULL: the log cannot be read, logged. */
struct audit *audit_read(const struct audit_config *);
void audit_free(struct audit *);
/* False: another verifier still lives, which may have the messages of workers that began before ours
 * (they are not looked at), or there are more than AUDIT_OPEN_MAX. */
bool audit_is_whole(const struct audit *);
/* The caller has it in its hands.  Once for each message. */
void audit_has(struct audit *, const struct verify_facts *);
/* The next that is lost, as far as events tell of it, from *iter on (0 at first); NULL: no more.  After
 * audit_has of all. */
const struct verify_facts *audit_lost(struct audit *, size_t *iter);

#endif
