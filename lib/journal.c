#include "lib/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/strbuf.h"

/* A new file is only there after a crash when its directory was synced too. */
static int
sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? xstrdup(".") : xstrndup(path, (size_t)(slash - path) + 1);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		close(fd);
	free(dir);
	return rc;
}

/* Where the whole lines end.  What stands behind was torn off by a crash and never reported as
 * written; left there it would spoil the line to come. */
static int
find_end(int fd, off_t *end)
{
	char block[4096];
	off_t at = lseek(fd, 0, SEEK_END);

	while (at > 0) {
		size_t want = at < (off_t)sizeof(block) ? (size_t)at : sizeof(block);
		ssize_t n = pread(fd, block, want, at - (off_t)want);
		const char *newline;

		if (n != (ssize_t)want)
			return -1;
		newline = memrchr(block, '\n', want);
		if (newline != NULL) {
			*end = at - (off_t)want + (newline - block) + 1;
			return 0;
		}
		at -= (off_t)want;
	}
	*end = 0;
	return at < 0 ? -1 : 0;
}

static int
write_all(int fd, const char *data, size_t len, off_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		len -= (size_t)n;
		at += n;
	}
	return 0;
}

static int
append_locked(int fd, const char *line, size_t len)
{
	char *whole;
	off_t end;
	int rc, saved;

	if (flock(fd, LOCK_EX) < 0 || find_end(fd, &end) < 0 || ftruncate(fd, end) < 0)
		return -1;
	whole = xmalloc(len + 1);
	memcpy(whole, line, len);
	whole[len] = '\n';
	rc = write_all(fd, whole, len + 1, end);
	if (rc == 0)
		rc = fdatasync(fd);
	free(whole);
	if (rc < 0) { /* what is not reported as written must not be found later */
		saved = errno;
		if (ftruncate(fd, end) < 0)
			log_warn("journal: cannot take back a line: %s", strerror(errno));
		errno = saved;
	}
	return rc;
}

int
journal_append(const char *path, const char *line, size_t len)
{
	int fd = -1, rc = -1;
	bool created;

	if (len == 0 || memchr(line, '\n', len) != NULL) {
		log_warn("%s: cannot append: not one line", path);
		return -1;
	}
	created = access(path, F_OK) != 0;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd >= 0 && append_locked(fd, line, len) == 0)
		rc = created ? sync_directory(path) : 0;
	if (rc < 0)
		log_warn("%s: cannot append: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

int
journal_follow(const char *path, uint64_t *offset,
    int (*row)(void *ctx, const char *line, size_t len), void *ctx)
{
	FILE *in = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int rc = 0;

	if (in == NULL && errno == ENOENT)
		return 0;
	if (in == NULL || (*offset > 0 && fseeko(in, (off_t)*offset, SEEK_SET) != 0)) {
		log_warn("%s: cannot read: %s", path, strerror(errno));
		if (in != NULL)
			fclose(in);
		return -1;
	}
	while (rc == 0 && (n = getline(&line, &cap, in)) > 0) {
		if (line[n - 1] != '\n')
			break; /* torn */
		line[n - 1] = '\0';
		*offset += (uint64_t)n;
		rc = row(ctx, line, (size_t)n - 1);
	}
	if (rc == 0 && ferror(in)) {
		log_warn("%s: cannot read: %s", path, strerror(errno));
		rc = -1;
	}
	free(line);
	fclose(in);
	return rc;
}

int
journal_read(const char *path, int (*row)(void *ctx, const char *line, size_t len), void *ctx)
{
	uint64_t offset = 0;

	return journal_follow(path, &offset, row, ctx);
}
