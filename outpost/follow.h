/* follow.h - a log that another program writes and somebody rotates, read on from where it was left.  A file is known by its
 * inode; each file, and each new beginning of one that was cut, is a generation. */
#ifndef OUTPOST_FOLLOW_H
#define OUTPOST_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOLLOW_LINE_MAX 8192 /* longer lines are left out */

struct follow {
	uint64_t generation; /* 0: nothing was read yet */
	uint64_t inode, offset;
};
struct follow_part {
	int fd;
	struct follow at; /* moves as it is read */
};
/* What there is to read of PATH: the rest of the file that was read last, found beside PATH by its inode when it was
 * renamed, and the one that is there now.  Of a log that was never read, what comes from now on.  *lost: the file that
 * was read last (its inode is not 0) is gone.  How many parts, their files open; 0: there is no such file; -1: logged. */
int follow_open(
    struct follow_part part[2], bool *lost, const char *path, const struct follow *last);

/* Gives each whole line that is new, without its end, and moves *at behind it before.  line gives nonzero: it stops there.
 * 0, what line gave, or -1: the file cannot be read, logged. */
int follow_read(
    struct follow_part *, int (*line)(void *ctx, const char *text, size_t len), void *ctx);

#endif
