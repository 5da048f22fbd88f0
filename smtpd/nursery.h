/* nursery.h - where the processes that judge messages come from: a process that reads no mail and asks
 * nobody, single-threaded, with every library set up, which forks one child for each order and says how
 * it ended.  So each message meets a process that no other message has touched. */
#ifndef SMTPD_NURSERY_H
#define SMTPD_NURSERY_H

#include <sys/types.h>

#include "smtpd/judge.h"

#define NURSERY_CHILDREN_MAX 64

struct nursery_config {
	const struct judge *judges;
	unsigned n_judges;
	struct judge_limits limits;
	/* Once in the nursery, before it is confined: libraries read their files.  0, or -1: logged.
	 * May be NULL. */
	int (*prepare)(void);
};
/* Forks it.  Its socket for the calls below, -1: could not, logged.  It ends when the socket is closed
 * or the caller ends, and its children with it.  *pid for waitpid. */
int nursery_start(const struct nursery_config *, pid_t *pid);

/* Orders: never wait.  0, or -1: it is gone. */
/* A child for judges[judge]; id is the caller's name for it. */
int nursery_fork(int fd, uint64_t id, unsigned judge, int message, int request, int answer);
int nursery_kill(int fd, uint64_t id);

enum nursery_said { NURSERY_ENDED, NURSERY_NOTHING, NURSERY_GONE };
/* A child has ended: of each order, once. */
enum nursery_said nursery_receive(int fd, uint64_t *id, int *wait_status);

#endif
