#include "lib/eventlog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/strbuf.h"

#define SEGMENT_MAX (UINT64_C(64) << 20)
#define RESERVE     (UINT64_C(4) << 20)
#define QUEUE_MAX   (UINT64_C(64) << 20) /* more than this waiting: the disk does not keep up */
#define HOUR        (3600 * CLOCK_SECOND)
#define LINGER      (10 * CLOCK_SECOND / 1000)
#define GATHER      (5 * CLOCK_SECOND / 1000)
#define NAME_TRIES  1000
#define BLOCK       65536      /* more than a file system may round up */
#define NO_RESERVE  UINT64_MAX /* the file system cannot reserve */

/* One file.  The appender fills pending of the newest one; whoever drains takes the oldest first,
 * so lines reach the files in the order of their tickets. */
struct segment {
	struct segment *next;
	int fd;
	char *path;
	uint64_t accepted; /* bytes: written and pending */
	uint64_t reserved; /* bytes of the file that have disk blocks */
	uint64_t ticket;   /* of the last line accepted here */
	int64_t started;   /* clock_monotonic */
	bool new_name;     /* the directory entry is not on disk yet */
	struct strbuf pending;
};

struct eventlog {
	char *dir, *node, *daemon;
	uint64_t segment_max, reserve;
	int64_t segment_age;
	struct event_origin origin;
	int dir_fd, event_fd;

	pthread_mutex_t drain; /* one drainer at a time; taken before queue */
	pthread_mutex_t queue; /* guards all below, but for the atomics */
	pthread_cond_t filled;
	struct segment *oldest, *newest;
	uint64_t ticket, waiting; /* last one given out; bytes pending in all segments */
	struct strbuf spare;      /* the drainer's; swapped with pending */
	bool stop, committing;
	unsigned hurry;        /* how many wait for what is pending */
	int64_t pending_since; /* clock_monotonic of the first line that waits */
	int64_t gather_until;  /* clock_monotonic: no commit before, for those who wait */
	pthread_t committer;
	char reason[512];

	_Atomic uint64_t durable;
	atomic_bool failed;
};

static void
bump(struct eventlog *log)
{
	uint64_t one = 1;

	/* A full counter is readable already. */
	if (log->event_fd >= 0 && write(log->event_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_warn("event log: eventfd: %s", strerror(errno));
}

/* The first reason stays.  Called with queue locked. */
static void __attribute__((format(printf, 2, 3)))
fail_locked(struct eventlog *log, const char *fmt, ...)
{
	va_list ap;

	if (atomic_load(&log->failed))
		return;
	va_start(ap, fmt);
	vsnprintf(log->reason, sizeof(log->reason), fmt, ap);
	va_end(ap);
	atomic_store(&log->failed, true);
	pthread_cond_signal(&log->filled);
	bump(log);
}

static int
fail(struct eventlog *log, const struct segment *s, const char *what, int error)
{
	pthread_mutex_lock(&log->queue);
	fail_locked(log, "%s: %s: %s", s->path, what, strerror(error));
	pthread_mutex_unlock(&log->queue);
	return -1;
}

/* Gives the file blocks up to END beyond its visible end.  0, or an errno. */
static int
reserve_to(const struct segment *s, uint64_t from, uint64_t end)
{
	int rc;

	do
		rc = fallocate(s->fd, FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(end - from));
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? errno : 0;
}

/* Makes sure that LEN more bytes have blocks.  Called with queue locked. */
static int
reserve_locked(struct eventlog *log, struct segment *s, size_t len)
{
	uint64_t end = s->accepted + len + log->reserve;
	int error;

	if (s->reserved == NO_RESERVE || s->accepted + len <= s->reserved)
		return 0;
	error = reserve_to(s, s->reserved, end);
	if (error == EOPNOTSUPP || error == ENOSYS) {
		s->reserved = NO_RESERVE;
	} else if (error != 0) {
		fail_locked(log, "%s: reserving space: %s", s->path, strerror(error));
		return -1;
	} else {
		s->reserved = end;
	}
	return 0;
}

/* The same by the drainer, early, so that the appender seldom meets the end.  A full disk is not
 * said here: what is accepted still fits, and the line that does not will be refused. */
static void
reserve_early(struct eventlog *log, struct segment *s)
{
	uint64_t from, end;

	pthread_mutex_lock(&log->queue);
	from = s->reserved;
	end = s->accepted + log->reserve;
	pthread_mutex_unlock(&log->queue);
	if (from == NO_RESERVE || from + log->reserve / 2 > end || reserve_to(s, from, end) != 0)
		return;
	pthread_mutex_lock(&log->queue);
	if (s->reserved < end)
		s->reserved = end;
	pthread_mutex_unlock(&log->queue);
}

static void
segment_free(struct segment *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s->path);
	strbuf_clear(&s->pending);
	free(s);
}

/* "20261121T200000.123456Z" */
static void
start_text(char dst[CLOCK_TEXT_MAX], int64_t t_us)
{
	char text[CLOCK_TEXT_MAX], *d = dst;

	clock_format(text, t_us);
	for (const char *c = text; *c != '\0'; c++)
		if (*c != '-' && *c != ':')
			*d++ = *c;
	*d = '\0';
}

/* Creates, locks and links the next segment.  Called with queue locked. */
static int
segment_start_locked(struct eventlog *log)
{
	struct segment *s = xcalloc(1, sizeof(*s));
	int64_t now = clock_now();
	char start[CLOCK_TEXT_MAX];

	s->fd = -1;
	s->new_name = true;
	s->started = clock_monotonic();
	for (int i = 0; s->fd < 0 && i < NAME_TRIES; i++) {
		start_text(start, now + i);
		free(s->path);
		s->path = xasprintf("%s/%s-%s-%u-%s.jsonl", log->dir, log->node, log->daemon,
		    log->origin.worker, start);
		s->fd = open(s->path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
		if (s->fd < 0 && errno != EEXIST)
			break;
	}
	if (s->fd < 0) {
		fail_locked(log, "%s: %s", s->path, strerror(errno));
		goto fail;
	}
	/* Readers tell by this lock that the writer still lives. */
	(void)flock(s->fd, LOCK_EX | LOCK_NB);
	if (reserve_locked(log, s, 1) < 0)
		goto fail;
	if (log->newest != NULL)
		log->newest->next = s;
	else
		log->oldest = s;
	log->newest = s;
	log->origin.n = 1;
	return 0;
fail:
	segment_free(s);
	return -1;
}

/* A worker that was killed leaves its reserve behind: gives back what dead segments of our name hold
 * beyond their visible end, or a worker that crashes again and again fills the disk. */
static void
trim_dead(struct eventlog *log)
{
	char *prefix = xasprintf("%s-%s-%u-", log->node, log->daemon, log->origin.worker);
	int dir_fd = dup(log->dir_fd);
	DIR *d = dir_fd < 0 ? NULL : fdopendir(dir_fd);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		struct stat st;
		int fd;

		if (strncmp(e->d_name, prefix, strlen(prefix)) != 0)
			continue;
		fd = openat(log->dir_fd, e->d_name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			continue;
		if (fstat(fd, &st) == 0 && st.st_blocks * 512 > st.st_size + BLOCK &&
		    flock(fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(fd, st.st_size) < 0)
			log_warn("%s: freeing reserved space: %s", e->d_name, strerror(errno));
		close(fd);
	}
	if (d != NULL)
		closedir(d);
	else if (dir_fd >= 0)
		close(dir_fd);
	free(prefix);
}

struct eventlog *
eventlog_open(const struct eventlog_config *c)
{
	struct eventlog *log = xcalloc(1, sizeof(*log));
	pthread_condattr_t monotonic;

	log->dir = xstrdup(c->dir);
	log->node = xstrdup(c->node);
	log->daemon = xstrdup(c->daemon);
	log->segment_max = c->segment_max != 0 ? c->segment_max : SEGMENT_MAX;
	log->segment_age = c->segment_age_us != 0 ? c->segment_age_us : HOUR;
	log->reserve = c->reserve != 0 ? c->reserve : RESERVE;
	log->origin = (struct event_origin){ log->node, log->daemon, c->worker, 1 };
	log->event_fd = -1;
	pthread_mutex_init(&log->drain, NULL);
	pthread_mutex_init(&log->queue, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&log->filled, &monotonic);
	pthread_condattr_destroy(&monotonic);

	/* A file size limit is then an error of write, not our death. */
	signal(SIGXFSZ, SIG_IGN);
	log->dir_fd = open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (log->dir_fd < 0) {
		log_warn("%s: %s: the event log needs this directory", c->dir, strerror(errno));
		eventlog_close(log);
		return NULL;
	}
	trim_dead(log);
	if (segment_start_locked(log) < 0) {
		log_warn("event log: %s", log->reason);
		eventlog_close(log);
		return NULL;
	}
	return log;
}

struct event_origin *
eventlog_origin(struct eventlog *log)
{
	/* Only the thread that appends changes these two, so it may read them without the lock. */
	const struct segment *s = log->newest;
	bool due = s->accepted >= log->segment_max ||
		   (s->accepted > 0 && clock_monotonic() - s->started >= log->segment_age);

	if (due && !atomic_load(&log->failed)) {
		pthread_mutex_lock(&log->queue);
		(void)segment_start_locked(log);
		pthread_mutex_unlock(&log->queue);
	}
	return &log->origin;
}

uint64_t
eventlog_append(struct eventlog *log, const char *line, size_t len)
{
	struct segment *s;
	uint64_t ticket = 0;

	pthread_mutex_lock(&log->queue);
	s = log->newest;
	if (atomic_load(&log->failed))
		goto out;
	if (log->waiting + len > QUEUE_MAX) {
		fail_locked(log, "%s: the disk does not keep up: %llu bytes wait", s->path,
		    (unsigned long long)log->waiting);
		goto out;
	}
	if (reserve_locked(log, s, len) < 0)
		goto out;
	if (log->committing && log->waiting == 0) {
		log->pending_since = clock_monotonic();
		pthread_cond_signal(&log->filled);
	}
	strbuf_add(&s->pending, line, len);
	s->accepted += len;
	log->waiting += len;
	ticket = s->ticket = ++log->ticket;
out:
	pthread_mutex_unlock(&log->queue);
	return ticket;
}

static int
write_all(int fd, const char *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The blocks that were reserved in vain go back.  ftruncate to the size that the file has frees
 * what lies behind it and changes nothing that can be read. */
static void
segment_trim(struct segment *s)
{
	if (s->reserved != NO_RESERVE && ftruncate(s->fd, (off_t)s->accepted) < 0)
		log_warn("%s: freeing reserved space: %s", s->path, strerror(errno));
}

/* Takes what the oldest segment has and writes it; a segment that is no longer the newest is
 * finished.  Called with drain locked.  1: there is a newer segment, 0: done, -1: failed. */
static int
drain_one(struct eventlog *log, bool sync)
{
	struct segment *s;
	struct strbuf batch;
	uint64_t ticket;
	bool retire;

	pthread_mutex_lock(&log->queue);
	s = log->oldest;
	retire = s != log->newest;
	if (atomic_load(&log->failed) || (s->pending.len == 0 && !retire)) {
		pthread_mutex_unlock(&log->queue);
		return atomic_load(&log->failed) ? -1 : 0;
	}
	batch = s->pending;
	s->pending = log->spare;
	log->spare = batch;
	ticket = s->ticket;
	log->waiting -= batch.len;
	pthread_mutex_unlock(&log->queue);

	if (write_all(s->fd, batch.s, batch.len) < 0)
		return fail(log, s, "write", errno);
	strbuf_reset(&log->spare);
	if (sync) {
		if (fdatasync(s->fd) < 0)
			return fail(log, s, "fdatasync", errno);
		if (s->new_name && fsync(log->dir_fd) < 0)
			return fail(log, s, "fsync of the directory", errno);
		s->new_name = false;
		if (ticket > atomic_load(&log->durable))
			atomic_store(&log->durable, ticket);
		bump(log);
	}
	if (!retire) {
		reserve_early(log, s);
		return 0;
	}
	segment_trim(s);
	pthread_mutex_lock(&log->queue);
	log->oldest = s->next;
	pthread_mutex_unlock(&log->queue);
	segment_free(s);
	return 1;
}

static int
drain_all(struct eventlog *log, bool sync)
{
	int rc;

	pthread_mutex_lock(&log->drain);
	while ((rc = drain_one(log, sync)) > 0)
		;
	pthread_mutex_unlock(&log->drain);
	return rc;
}

int
eventlog_write(struct eventlog *log)
{
	return drain_all(log, log->committing);
}

/* Most lines have nobody who waits, and a sync for each would be the dearest thing that a daemon
 * does; so is one for each of many who wait at once.  Who waits alone is served at once; after a
 * commit that served several the next one gathers for a while. */
static int64_t
commit_at(const struct eventlog *log)
{
	return log->hurry > 0 ? log->gather_until : log->pending_since + LINGER;
}

/* Sleeps until there is something to commit and it is time to.  False: stop. */
static bool
await_work(struct eventlog *log)
{
	int64_t now;
	bool go;

	pthread_mutex_lock(&log->queue);
	now = clock_monotonic();
	while (!log->stop && !atomic_load(&log->failed) &&
	       (log->waiting == 0 || commit_at(log) > now)) {
		int64_t until = commit_at(log);
		struct timespec ts = { .tv_sec = (time_t)(until / CLOCK_SECOND),
			.tv_nsec = (long)(until % CLOCK_SECOND) * 1000 };

		if (log->waiting == 0)
			pthread_cond_wait(&log->filled, &log->queue);
		else
			pthread_cond_timedwait(&log->filled, &log->queue, &ts);
		now = clock_monotonic();
	}
	log->gather_until = log->hurry > 1 ? now + GATHER : 0;
	log->hurry = 0;
	go = !log->stop && !atomic_load(&log->failed);
	pthread_mutex_unlock(&log->queue);
	return go;
}

static void *
commit(void *arg)
{
	struct eventlog *log = arg;

	while (await_work(log) && drain_all(log, true) == 0)
		;
	return NULL;
}

void
eventlog_hurry(struct eventlog *log)
{
	pthread_mutex_lock(&log->queue);
	if (log->hurry++ == 0)
		pthread_cond_signal(&log->filled);
	pthread_mutex_unlock(&log->queue);
}

int
eventlog_committer(struct eventlog *log)
{
	sigset_t all, old;
	int error;

	if (log->committing)
		return log->event_fd;
	log->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (log->event_fd < 0) {
		log_warn("event log: eventfd: %s", strerror(errno));
		return -1;
	}
	/* Signals belong to the daemon's own thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	log->committing = true;
	error = pthread_create(&log->committer, NULL, commit, log);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error != 0) {
		log->committing = false;
		log_warn("event log: thread: %s", strerror(error));
		close(log->event_fd);
		log->event_fd = -1;
	}
	return log->event_fd;
}

uint64_t
eventlog_durable(const struct eventlog *log)
{
	return atomic_load(&log->durable);
}

bool
eventlog_failed(const struct eventlog *log)
{
	return atomic_load(&log->failed);
}

const char *
eventlog_reason(const struct eventlog *log)
{
	return atomic_load(&log->failed) ? log->reason : "";
}

void
eventlog_close(struct eventlog *log)
{
	struct segment *next;

	if (log == NULL)
		return;
	if (log->committing) {
		pthread_mutex_lock(&log->queue);
		log->stop = true;
		pthread_cond_signal(&log->filled);
		pthread_mutex_unlock(&log->queue);
		pthread_join(log->committer, NULL);
	}
	if (log->oldest != NULL)
		(void)drain_all(log, true);
	for (struct segment *s = log->oldest; s != NULL; s = next) {
		next = s->next;
		if (!atomic_load(&log->failed))
			segment_trim(s);
		segment_free(s);
	}
	if (log->event_fd >= 0)
		close(log->event_fd);
	if (log->dir_fd >= 0)
		close(log->dir_fd);
	strbuf_clear(&log->spare);
	pthread_cond_destroy(&log->filled);
	pthread_mutex_destroy(&log->queue);
	pthread_mutex_destroy(&log->drain);
	free(log->dir);
	free(log->node);
	free(log->daemon);
	free(log);
}
