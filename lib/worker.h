/* worker.h - the parent of a daemon: forks workers, drops their privileges, restarts what dies
 * (with back-off), stops all on SIGTERM/SIGINT, starts a new generation on SIGHUP (reload) and
 * lets the old one drain. */
#ifndef LIB_WORKER_H
#define LIB_WORKER_H

#include <sys/types.h>
#include <stdbool.h>

#define WORKERS_MAX 64

struct worker_config {
	unsigned n; /* workers; their index is 0..n-1 */
	uid_t uid;
	gid_t gid; /* 0,0: keep */
	/* In the child, privileges dropped; SIGTERM and SIGHUP are blocked: take them through a
	 * signalfd or libevent (SIGTERM: finish at once; SIGHUP: drain, then return).
	 * The return value is the exit code; EXIT_CANNOT (3) stops the whole daemon with code 3. */
	int (*run)(unsigned index, void *ctx);
	/* In the parent on SIGHUP before the new generation forks.  -1: keep the old generation. */
	int (*reload)(void *ctx);
	/* In the parent, at least once a second; may be NULL. */
	void (*tick)(void *ctx);
	void *ctx;
};
/* Returns the daemon's exit code. */
int worker_supervise(const struct worker_config *);

/* Resolves "user" for the site: uid and gid of NAME.  -1: no such user. */
int worker_user(const char *name, uid_t *uid, gid_t *gid);

#endif
