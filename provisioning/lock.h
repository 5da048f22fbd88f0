/* lock.h - one process of a kind serves a site: a second one would take half of what comes, unnoticed. */
#ifndef PROVISIONING_LOCK_H
#define PROVISIONING_LOCK_H

#include <sys/types.h>

#include "provisioning/site.h"

/* Holds run/PROGRAM.lock until this process ends or closes the descriptor; children do not hold it.  One
 * that is just ending is waited for, 3 s at most.  -1: logged, with the process that holds it. */
int lock_site(const struct site *, const char *program);
/* The process that holds it; 0: none. */
pid_t lock_holder(const struct site *, const char *program);

#endif
