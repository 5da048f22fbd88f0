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

/* Opens and locks what the path names when the lock is there: journal_rewrite may have put another file in its
 * place meanwhile, and what is appended to the old one is lost. */
static int
open_locked(const char *path, int flags, int lock)
{
	struct stat have, named;

	for (;;) {
		int fd = open(path, flags | O_CLOEXEC, 0640);

		if (fd < 0)
			return -1;
		if (flock(fd, lock) == 0 && fstat(fd, &have) == 0) {
			if (stat(path, &named) == 0 && named.st_ino == have.st_ino &&
			    named.st_dev == have.st_dev)
				return fd;
			close(fd);
			continue;
		}
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
}

static int
append_locked(int fd, const char *lines, size_t len)
{
	off_t end;
	int rc, saved;

	if (find_end(fd, &end) < 0 || ftruncate(fd, end) < 0)
		return -1;
	rc = write_all(fd, lines, len, end);
	if (rc == 0)
		rc = fdatasync(fd);
	if (rc < 0) { /* what is not reported as written must not be found later */
		saved = errno;
		if (ftruncate(fd, end) < 0)
			log_warn("journal: cannot take back a line: %s", strerror(errno));
		errno = saved;
	}
	return rc;
}

/* Descriptor of the journal, locked; *created: its directory must be synced too. */
static int
open_journal(const char *path, bool *created)
{
	*created = access(path, F_OK) != 0;
	return open_locked(path, O_RDWR | O_CREAT, LOCK_EX);
}

static int
append(const char *path, int fd, bool created, const char *lines, size_t len)
{
	int rc = -1;

	if (fd >= 0 && append_locked(fd, lines, len) == 0)
		rc = created ? sync_directory(path) : 0;
	if (rc < 0)
		log_warn("%s: cannot append: %s: %s", path, strerror(errno), log_advice(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

static bool
are_lines(const char *path, const char *lines, size_t len)
{
	if (len > 1 && lines[0] != '\n' && lines[len - 1] == '\n' &&
	    memmem(lines, len, "\n\n", 2) == NULL)
		return true;
	log_warn("%s: cannot append: not whole lines", path);
	return false;
}

int
journal_append_lines(const char *path, const char *lines, size_t len)
{
	bool created;
	int fd;

	if (!are_lines(path, lines, len))
		return -1;
	fd = open_journal(path, &created);
	return append(path, fd, created, lines, len);
}

int
journal_append(const char *path, const char *line, size_t len)
{
	struct strbuf whole = { 0 };
	int rc = -1;

	strbuf_add(&whole, line, len);
	strbuf_puts(&whole, "\n");
	if (memchr(line, '\n', len) != NULL)
		log_warn("%s: cannot append: not one line", path);
	else
		rc = journal_append_lines(path, whole.s, whole.len);
	strbuf_clear(&whole);
	return rc;
}

int
journal_append_made(const char *path, int (*make)(void *ctx, struct strbuf *lines), void *ctx)
{
	struct strbuf lines = { 0 };
	bool created;
	int fd = open_journal(path, &created), rc = -1;

	if (fd < 0) {
		log_warn("%s: cannot lock: %s: %s", path, strerror(errno), log_advice(errno));
		return -1;
	}
	if (make(ctx, &lines) == 0 && are_lines(path, lines.s != NULL ? lines.s : "", lines.len))
		rc = append(path, fd, created, lines.s, lines.len);
	else
		close(fd);
	strbuf_clear(&lines);
	return rc;
}

/* --- read ------------------------------------------------------------------------------------------------- */

/* Of the line that somebody is looking at. */
static _Thread_local const char *line_path;
static _Thread_local uint64_t line_at;

/* Counted when it is asked for: seldom, and who follows a file has not read it from its beginning. */
static unsigned long
number_of_line(void)
{
	FILE *in = fopen(line_path, "re");
	unsigned long n = 1;
	int c;

	for (uint64_t at = 0; in != NULL && at < line_at && (c = getc(in)) != EOF; at++)
		n += c == '\n';
	if (in != NULL)
		fclose(in);
	return n;
}

void
journal_complain(const char *why, const char *then)
{
	if (line_path != NULL)
		log_warn("%s:%lu: %s: %s", line_path, number_of_line(), why, then);
}

int
journal_follow(const char *path, uint64_t *offset,
    int (*row)(void *ctx, const char *line, size_t len), void *ctx)
{
	FILE *in = fopen(path, "re");
	const char *outer_path = line_path;
	uint64_t outer_at = line_at;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int rc = 0;

	if (in == NULL && errno == ENOENT)
		return 0;
	if (in == NULL || (*offset > 0 && fseeko(in, (off_t)*offset, SEEK_SET) != 0)) {
		log_warn("%s: cannot read: %s: %s", path, strerror(errno), log_advice(errno));
		if (in != NULL)
			fclose(in);
		return -1;
	}
	while (rc == 0 && (n = getline(&line, &cap, in)) > 0) {
		if (line[n - 1] != '\n')
			break; /* torn */
		line[n - 1] = '\0';
		line_path = path;
		line_at = *offset;
		*offset += (uint64_t)n;
		rc = row(ctx, line, (size_t)n - 1);
	}
	line_path = outer_path;
	line_at = outer_at;
	if (rc == 0 && ferror(in)) {
		log_warn("%s: cannot read: %s: %s", path, strerror(errno), log_advice(errno));
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

/* --- lines taken out ------------------------------------------------------------------------------- */

struct rewrite {
	FILE *out;
	bool (*drop)(void *ctx, const char *line, size_t len);
	void *ctx;
	uint64_t dropped;
};

static int
copy_line(void *ctx, const char *line, size_t len)
{
	struct rewrite *w = ctx;

	if (w->drop(w->ctx, line, len))
		w->dropped++;
	else if (w->out != NULL &&
		 (fwrite(line, 1, len, w->out) != len || fputc('\n', w->out) == EOF))
		return -1;
	return 0;
}

/* "DIR/.NAME.new": no reader of journals or segments takes it for one. */
static char *
name_beside(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return xasprintf(".%s.new", path);
	return xasprintf("%.*s/.%s.new", (int)(slash - path), path, slash + 1);
}

static int
write_beside(struct rewrite *w, const char *path, const char *beside, const struct stat *old)
{
	int fd, rc = -1;

	if (unlink(beside) != 0 && errno != ENOENT)
		return -1;
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	if ((geteuid() == 0 && fchown(fd, old->st_uid, old->st_gid) != 0) ||
	    fchmod(fd, old->st_mode & 07777) != 0 || (w->out = fdopen(fd, "w")) == NULL) {
		close(fd);
		return -1;
	}
	w->dropped = 0;
	if (journal_read(path, copy_line, w) == 0 && fflush(w->out) == 0 && fsync(fd) == 0)
		rc = 0;
	return fclose(w->out) == 0 ? rc : -1;
}

int
journal_rewrite(const char *path, bool wait, bool (*drop)(void *, const char *, size_t), void *ctx,
    uint64_t *dropped)
{
	struct rewrite w = { .drop = drop, .ctx = ctx };
	int fd = open_locked(path, O_RDWR, LOCK_EX | (wait ? 0 : LOCK_NB)), rc = -1;
	char *beside;
	struct stat old;

	if (dropped != NULL)
		*dropped = 0;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && errno == EWOULDBLOCK)
		return 1;
	beside = name_beside(path);
	if (fd < 0 || fstat(fd, &old) != 0)
		goto out;
	if (journal_read(path, copy_line, &w) == 0 && w.dropped == 0)
		rc = 0;
	else if (write_beside(&w, path, beside, &old) == 0 && rename(beside, path) == 0)
		rc = sync_directory(path);
	if (rc == 0 && dropped != NULL)
		*dropped = w.dropped;
out:
	if (rc != 0) {
		log_warn(
		    "%s: cannot be written anew: %s: %s", path, strerror(errno), log_advice(errno));
		unlink(beside);
	}
	free(beside);
	if (fd >= 0)
		close(fd);
	return rc;
}
