/* maildir.h - a folder in which each message is a file that appears whole: written and synced in tmp/, then renamed
 * into new/.  The folder may be another user's: nothing in it is followed, and files get the owner of the folder. */
#ifndef OUTPOST_MAILDIR_H
#define OUTPOST_MAILDIR_H

#include <stddef.h>
#include <sys/types.h>

struct maildir {
	const char *path;
	int tmp, new, cur; /* descriptors */
	uid_t uid;
	gid_t gid;
};

/* A folder that is not there, or is empty, becomes one.  0, or -1 logged. */
int maildir_open(struct maildir *, const char *path);
void maildir_close(struct maildir *);
/* 0: it is there now, on disk; 1: it was there already, in new/ or, read, in cur/; -1 logged. */
int maildir_put(const struct maildir *, const char *name, const char *data, size_t len);

#endif
