/* maildir.c - see maildir.h. */
#include "outpost/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

static const char *const parts[] = { "tmp", "new", "cur" };
#define PARTS (sizeof parts / sizeof *parts)

static int
fail(const struct maildir *m, const char *name)
{
	log_warn("mail: %s/%s: %s: look who owns the folder, and whether the disk is full", m->path,
	    name, strerror(errno));
	return -1;
}

/* Nothing is in it, or one of the three parts: nobody's home becomes a mailbox by a slip of the pen. */
static bool
may_be_one(int fd)
{
	DIR *d = fdopendir(dup(fd));
	struct dirent *e;
	bool empty = true, part = false;

	while (d != NULL && (e = readdir(d)) != NULL) {
		empty = empty && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0);
		for (size_t i = 0; i < PARTS; i++)
			part = part || strcmp(e->d_name, parts[i]) == 0;
	}
	if (d != NULL)
		closedir(d);
	return d != NULL && (empty || part);
}

/* One of the three, made if it is missing.  -1: errno. */
static int
open_part(const struct maildir *m, int fd, const char *name)
{
	if (mkdirat(fd, name, 0700) == 0) {
		if (fchownat(fd, name, m->uid, m->gid, AT_SYMLINK_NOFOLLOW) != 0)
			return -1;
	} else if (errno != EEXIST) {
		return -1;
	}
	return openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int
maildir_open(struct maildir *m, const char *path)
{
	int fd = -1, *const fds[] = { &m->tmp, &m->new, &m->cur };
	struct stat sb;
	int rc = 0;

	*m = (struct maildir){ .path = path, .tmp = -1, .new = -1, .cur = -1 };
	if ((mkdir(path, 0700) != 0 && errno != EEXIST) ||
	    (fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 || fstat(fd, &sb) != 0) {
		rc = fail(m, "");
	} else if (!may_be_one(fd)) {
		log_warn("mail: %s: has other things in it than a Maildir has: name another folder",
		    path);
		rc = -1;
	} else {
		m->uid = sb.st_uid;
		m->gid = sb.st_gid;
	}
	for (size_t i = 0; i < PARTS && rc == 0; i++)
		if ((*fds[i] = open_part(m, fd, parts[i])) < 0)
			rc = fail(m, parts[i]);
	if (fd >= 0)
		close(fd);
	if (rc != 0)
		maildir_close(m);
	return rc;
}

void
maildir_close(struct maildir *m)
{
	if (m->tmp >= 0)
		close(m->tmp);
	if (m->new >= 0)
		close(m->new);
	if (m->cur >= 0)
		close(m->cur);
	m->tmp = m->new = m->cur = -1;
}

/* In cur/ its name goes on with ":2," and flags. */
static bool
is_read(const struct maildir *m, const char *name)
{
	int fd = openat(m->cur, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	size_t n = strlen(name);
	struct dirent *e;
	bool found = false;

	while (d != NULL && !found && (e = readdir(d)) != NULL)
		found = strncmp(e->d_name, name, n) == 0 &&
			(e->d_name[n] == '\0' || e->d_name[n] == ':');
	if (d != NULL)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	return found;
}

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return fsync(fd);
}

int
maildir_put(const struct maildir *m, const char *name, const char *data, size_t len)
{
	struct stat sb;
	int fd, rc;

	if (fstatat(m->new, name, &sb, AT_SYMLINK_NOFOLLOW) == 0 || is_read(m, name))
		return 1;
	/* What a killed one left is not whole. */
	if (unlinkat(m->tmp, name, 0) != 0 && errno != ENOENT)
		return fail(m, "tmp");
	fd = openat(m->tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(m, "tmp");
	rc = fchown(fd, m->uid, m->gid) == 0 && write_all(fd, data, len) == 0 ? 0 : -1;
	if (close(fd) != 0 || rc != 0 || renameat(m->tmp, name, m->new, name) != 0) {
		rc = fail(m, "tmp");
		unlinkat(m->tmp, name, 0);
		return rc;
	}
	return fsync(m->new) == 0 ? 0 : fail(m, "new");
}
