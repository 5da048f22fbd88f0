#include "provisioning/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

#define ENDING_MAX (3 * CLOCK_SECOND)

/* errno is EACCES or EAGAIN if another process has it. */
static int
try_lock(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	/* Of the process, not of the open file: workers that outlive their parent for a moment hold nothing. */
	return fcntl(fd, F_SETLK, &l);
}

static void
log_holder(int fd, const char *path, const char *program)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char who[32] = "";

	if (fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK && l.l_pid > 0)
		snprintf(who, sizeof(who), " (pid %d)", (int)l.l_pid);
	log_warn("%s: another %s%s serves this site: stop it first", path, program, who);
}

int
lock_site(const struct site *site, const char *program)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	int64_t until = clock_monotonic() + ENDING_MAX;
	char path[512], name[64];
	int fd;

	snprintf(name, sizeof(name), "%s.lock", program);
	site_path(path, site, "run", name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		log_warn("%s: %s: %s", path, strerror(errno), log_advice(errno));
		return -1;
	}
	while (try_lock(fd) < 0) {
		if (errno != EACCES && errno != EAGAIN && errno != EINTR) {
			log_warn("%s: %s", path, strerror(errno));
			close(fd);
			return -1;
		}
		if (clock_monotonic() >= until) {
			log_holder(fd, path, program);
			close(fd);
			return -1;
		}
		nanosleep(&pause, NULL);
	}
	return fd;
}

pid_t
lock_holder(const struct site *site, const char *program)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[512], name[64];
	int fd;
	pid_t holder = 0;

	snprintf(name, sizeof(name), "%s.lock", program);
	site_path(path, site, "run", name);
	if ((fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)) < 0)
		return 0;
	if (fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK)
		holder = l.l_pid;
	close(fd);
	return holder;
}
