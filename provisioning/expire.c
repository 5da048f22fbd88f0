/* expire.c - see expire.h. */
#include "provisioning/expire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/journal.h"
#include "lib/log.h"
#include "provisioning/released.h"
#include "provisioning/runs.h"

/* Their lines begin with {"t":"...", and are nobody's but one participant's or correspondent's. */
static const char *const journals[] = { "enrol.jsonl", RUNS_FILE, "invitations.jsonl",
	RELEASED_FILE, "mail.jsonl" };

#define HEAD "{\"t\":\""

static bool
is_older(void *ctx, const char *line, size_t len)
{
	const int64_t *t_us = ctx;
	size_t head = sizeof(HEAD) - 1;
	const char *end;
	int64_t t;

	if (len <= head || memcmp(line, HEAD, head) != 0 ||
	    (end = memchr(line + head, '"', len - head)) == NULL ||
	    clock_parse(&t, line + head, (size_t)(end - line) - head) != 0)
		return false;
	return t < *t_us;
}

static int
expire_segment(struct expired *e, const char *path, int64_t t_us)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc = 0;
	struct stat sb;

	if (fd < 0 || fstat(fd, &sb) != 0) {
		rc = fd < 0 && errno == ENOENT ? 0 : -1;
	} else if (S_ISREG(sb.st_mode) && sb.st_mtim.tv_sec < t_us / CLOCK_SECOND &&
		   flock(fd, LOCK_EX | LOCK_NB) == 0) {
		if ((rc = unlink(path)) == 0) {
			e->segments++;
			e->octets += (uint64_t)sb.st_size;
		}
	}
	if (rc != 0)
		log_warn("%s: %s: it could not be removed", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

int
expire_files(struct expired *e, const struct site *site, int64_t t_us)
{
	char path[1024], dir[512];
	struct dirent *d;
	int rc = 0;
	DIR *logs;

	memset(e, 0, sizeof(*e));
	for (size_t i = 0; i < sizeof(journals) / sizeof(*journals); i++) {
		uint64_t lines;

		site_path(path, site, "state", journals[i]);
		if (journal_rewrite(path, true, is_older, &t_us, &lines) != 0)
			rc = -1;
		e->lines += lines;
	}
	site_path(dir, site, "", "log");
	if ((logs = opendir(dir)) == NULL)
		return errno == ENOENT ? rc : -1;
	while ((d = readdir(logs)) != NULL) {
		size_t len = strlen(d->d_name);

		if (len <= 6 || strcmp(d->d_name + len - 6, ".jsonl") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, d->d_name);
		if (expire_segment(e, path, t_us) != 0)
			rc = -1;
	}
	closedir(logs);
	return rc;
}
