/* follow.c - see follow.h. */
#include "outpost/follow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/strbuf.h"

#define BLOCK (64u << 10)

/* -1: not there, or not a file. */
static int
open_file(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))) {
		close(fd);
		errno = EINVAL;
		fd = -1;
	}
	return fd;
}

/* Rotated logs stand beside the log and begin with its name: mail.log.1, mail.log-20261122. */
static int
find_renamed(const char *path, uint64_t inode)
{
	char folder[1024], other[1400];
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	struct dirent *e;
	struct stat st;
	DIR *d;
	int fd = -1;

	snprintf(folder, sizeof(folder), "%.*s", slash != NULL ? (int)(slash - path + 1) : 1,
	    slash != NULL ? path : ".");
	if ((d = opendir(folder)) == NULL)
		return -1;
	while (fd < 0 && (e = readdir(d)) != NULL) {
		if (e->d_ino != inode || strncmp(e->d_name, name, strlen(name)) != 0)
			continue;
		snprintf(other, sizeof(other), "%s/%s", folder, e->d_name);
		if ((fd = open_file(other, &st)) >= 0 && st.st_ino != inode) {
			close(fd);
			fd = -1;
		}
	}
	closedir(d);
	return fd;
}

int
follow_open(struct follow_part part[2], bool *lost, const char *path, const struct follow *last)
{
	struct stat st = { 0 };
	int fd = open_file(path, &st), old, n = 0;

	*lost = false;
	if (fd < 0 && errno != ENOENT) {
		log_warn("%s: %s: run as root, or look at mail-log in outpost.conf", path,
		    strerror(errno));
		return -1;
	}
	if (fd >= 0 && last->generation == 0) {
		part[0] = (struct follow_part){ fd,
			{ 1, (uint64_t)st.st_ino, (uint64_t)st.st_size } };
		return 1;
	}
	if (fd >= 0 && last->inode == (uint64_t)st.st_ino) {
		part[0] = (struct follow_part){ fd, *last };
		if ((uint64_t)st.st_size < last->offset) /* cut: logrotate's copytruncate */
			part[0].at = (struct follow){ last->generation + 1, last->inode, 0 };
		return 1;
	}
	if (last->inode != 0 && (old = find_renamed(path, last->inode)) >= 0)
		part[n++] = (struct follow_part){ old, *last };
	else
		*lost = last->inode != 0 && fd >= 0;
	if (fd >= 0)
		part[n++] = (struct follow_part){ fd,
			{ last->generation + 1, (uint64_t)st.st_ino, 0 } };
	return n;
}

/* The whole lines of a block; how many octets they are.  A line that is longer than a line may be is passed over. */
static size_t
give_lines(struct follow_part *p, const char *block, size_t len, bool *skipping,
    int (*line)(void *, const char *, size_t), void *ctx, int *rc)
{
	size_t done = 0;
	const char *end;

	while (*rc == 0 && (end = memchr(block + done, '\n', len - done)) != NULL) {
		const char *text = block + done;
		size_t n = (size_t)(end - text);

		p->at.offset += n + 1;
		done += n + 1;
		if (!*skipping && n <= FOLLOW_LINE_MAX)
			*rc = line(ctx, text, n);
		*skipping = false;
	}
	if (*rc == 0 && len - done > FOLLOW_LINE_MAX) {
		*skipping = true;
		p->at.offset += len - done;
		done = len;
	}
	return done;
}

int
follow_read(struct follow_part *p, int (*line)(void *ctx, const char *text, size_t len), void *ctx)
{
	char *block = xmalloc(BLOCK);
	bool skipping = false;
	int rc = 0;

	while (rc == 0) {
		ssize_t n = pread(p->fd, block, BLOCK, (off_t)p->at.offset);

		if (n < 0) {
			log_warn("mail-log: %s: it is read again later", strerror(errno));
			rc = -1;
		}
		if (n <= 0 || give_lines(p, block, (size_t)n, &skipping, line, ctx, &rc) == 0)
			break;
	}
	free(block);
	return rc;
}
