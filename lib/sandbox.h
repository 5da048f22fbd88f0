/* sandbox.h - what a process that serves strangers may still do.  Its system calls are a closed list
 * (seccomp: any other kills the process), its files those of one folder (Landlock, on kernels that have
 * it): a mistake in a parser then cannot start a program, open a socket, or read another file. */
#ifndef LIB_SANDBOX_H
#define LIB_SANDBOX_H

#include <stdbool.h>

/* One row for each kind of process. */
struct sandbox {
	const char *process; /* "smtpd worker": for messages */
	const char *calls;   /* system calls, blank between, beside those that every process has:
	                      * memory, clocks, waiting, threads, one's own files */
	const char *folder;  /* where it may make, write, read and list files; NULL: nowhere */
	bool alone; /* calls is all, not even files of its own or threads: nothing that opens
	                      * anything, so folder does not matter; signals to itself only */
	bool forks; /* may have children: copies of itself, for it still starts no program */
};

/* For the calling process and all threads that it starts from now on; there is no way back.  Privileges
 * are dropped before.  0, or -1: reason logged, do not serve.  In a build with sanitizers, which need more
 * than any row has, it does nothing. */
int sandbox_enter(const struct sandbox *);

#endif
