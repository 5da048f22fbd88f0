/* verifier.h - the process that has accepted messages judged (who wrote them: verify/verify.h) and
 * writes how each ended: it takes them from the workers (handover.h), has them judged by processes that
 * may crash (pool.h, nursery.h), asks the DNS for those (verify/resolve.h), and has a segment of its own
 * in the event log.  It never reads a message itself.
 *
 * What it held when it was killed is told as verify.lost by the next one (audit.h). */
#ifndef SMTPD_VERIFIER_H
#define SMTPD_VERIFIER_H

#include "provisioning/site.h"
#include "smtpd/handover.h"
#include "smtpd/nursery.h"
#include "smtpd/pool.h"

#define VERIFIER_PROGRAM "verifier" /* its name in events */

struct verifier_config {
	const struct site *site;
	struct handover *handover;  /* NULL: nothing is judged, it only waits */
	const struct judge *judges; /* POOL_JUDGES of them */
	int (*prepare)(void);       /* see nursery.h */
	int (*confine)(
	    const struct site *site); /* called when every file has been read; 0, or -1 */
	int64_t began;                /* before the workers of this generation began, us */
	const char *smtpd;            /* name of the workers in events */
};
/* Until SIGTERM, or after SIGHUP until the last worker of its generation has ended.  The exit code. */
int verifier_run(const struct verifier_config *);

#endif
