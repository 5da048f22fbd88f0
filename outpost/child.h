/* child.h - one program under the supervisor: started, its stderr passed on line by line, restarted
 * with a growing pause when it ends. */
#ifndef OUTPOST_CHILD_H
#define OUTPOST_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CHILD_LINE_MAX 2048

struct child {
	const char *name; /* "authdns" */
	const char *path;
	char *const *argv;
	pid_t pid;          /* 0: not running */
	int err;            /* reading end of its stderr, -1: none */
	int64_t started_us; /* monotonic */
	int64_t again_us;   /* when to start it next; 0: now */
	int64_t pause_us;   /* the next pause */
	int status;         /* of the last end */
	size_t len;
	char line[CHILD_LINE_MAX];
};

/* 0, or -1 logged (and again_us is set). */
int child_start(struct child *, int64_t now_us);
/* Reads what is there and writes whole lines to our stderr, with the name in front. */
void child_read(struct child *);
/* It ended with this wait status: says so and plans the restart. */
void child_ended(struct child *, int status, int64_t now_us);
/* How it ended, for people. */
void child_describe(char *dst, size_t dstlen, int status);

#endif
