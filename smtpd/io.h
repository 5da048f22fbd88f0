/* io.h - the rim of the SMTP and HTTPS receiver: sockets, timers, TLS records and the event log around
 * the cores.  One worker = one event loop = one segment of the log.
 *
 * One read and one write per turn; no change to the set of descriptors while a session lives, unless a
 * client does not read; replies that wait for the disk leave when the committing thread says so. */
#ifndef SMTPD_IO_H
#define SMTPD_IO_H

#include "lib/memory.h"
#include "lib/quota.h"
#include "provisioning/site.h"
#include "smtpd/contexts.h"
#include "smtpd/handover.h"
#include "smtpd/mint.h"

struct io_config {
	const struct site *site;
	const struct contexts *contexts;
	const struct mint_setup *mint;
	struct memory *memory;
	struct quota *quota;         /* events of a participant */
	struct quota *operator_mail; /* messages to who runs the site */
	const struct released *released;
	struct handover *handover; /* to the verifier; NULL: no message is judged */
	const int *fds;            /* listening sockets of this worker, those for HTTPS last */
	unsigned n_fds, n_https;
	unsigned worker;
	const char *program; /* name of the daemon in events: "smtpd" */
};
/* Serves until SIGTERM, or after SIGHUP until the last session ended.  The worker's exit code. */
int io_run(const struct io_config *);

#endif
