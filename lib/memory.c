#include "lib/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/strbuf.h"

#define MAGIC    UINT64_C(0x6d656d74756f6f31)
#define VERSION  1
#define PROBES   16 /* slots looked at for one key: half a kilobyte */
#define SLOT_MIN PROBES

/* Two values of a key that mean no key: a slot between two owners, and what is left of one whose
 * taker was killed there. */
#define KEY_BUSY UINT64_MAX
#define KEY_DEAD (UINT64_MAX - 1)

struct header {
	uint64_t magic, version, slots;
	uint64_t pad[5];
};

struct slot {
	_Atomic uint64_t key; /* 0: never used; slots do not become free again */
	_Atomic int64_t first, last;
	_Atomic uint32_t count;
	uint32_t pad;
};

_Static_assert(sizeof(struct header) == 64, "the file's layout");
_Static_assert(sizeof(struct slot) == 32, "the file's layout");

struct memory {
	struct header *map;
	struct slot *slot;
	size_t bytes;
	uint64_t mask;
};

static bool
usable(int fd, size_t slots, size_t bytes)
{
	struct header h;
	struct stat st;

	return fstat(fd, &st) == 0 && (size_t)st.st_size == bytes &&
	       pread(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) && h.magic == MAGIC &&
	       h.version == VERSION && h.slots == slots;
}

/* A new table takes the place of the file by rename: who maps the old one keeps it whole. */
static int
create(const char *path, size_t slots, size_t bytes)
{
	struct header h = { .magic = MAGIC, .version = VERSION, .slots = slots };
	char *tmp = xasprintf("%s.new", path);
	int fd, err;

	(void)unlink(tmp);
	fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		log_warn("%s: %s: %s", tmp, strerror(errno), log_advice(errno));
		goto out;
	}
	/* Every block now: a hole that meets a full disk later is a SIGBUS. */
	if ((err = posix_fallocate(fd, 0, (off_t)bytes)) != 0) {
		log_warn("%s: %zu bytes: %s: %s", tmp, bytes, strerror(err), log_advice(err));
		goto fail;
	}
	if (pwrite(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) || rename(tmp, path) < 0) {
		log_warn("%s: %s: %s", tmp, strerror(errno), log_advice(errno));
		goto fail;
	}
	goto out;
fail:
	close(fd);
	(void)unlink(tmp);
	fd = -1;
out:
	free(tmp);
	return fd;
}

/* Two daemons that start together must map one table, so one looks after the other.  The lock is the
 * directory: no file more. */
static int
lock_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash != NULL ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		log_warn("%s: %s: %s", dir, strerror(errno), log_advice(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	free(dir);
	return fd;
}

struct memory *
memory_open(const char *path, size_t slots)
{
	struct memory *m = NULL;
	size_t n = SLOT_MIN, bytes;
	void *map;
	int fd, lock;

	while (n < slots)
		n <<= 1;
	bytes = sizeof(struct header) + n * sizeof(struct slot);

	if ((lock = lock_path(path)) < 0)
		return NULL;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno != ENOENT) {
		log_warn("%s: %s: %s", path, strerror(errno), log_advice(errno));
		goto unlock;
	}
	if (fd >= 0 && !usable(fd, n, bytes)) {
		log_warn("%s: other size or version: starting with an empty table", path);
		close(fd);
		fd = -1;
	}
	if (fd < 0 && (fd = create(path, n, bytes)) < 0)
		goto unlock;
	map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		log_warn("%s: mmap: %s", path, strerror(errno));
		goto out;
	}
	m = xcalloc(1, sizeof(*m));
	m->map = map;
	m->slot = (struct slot *)(m->map + 1);
	m->bytes = bytes;
	m->mask = n - 1;
	for (size_t i = 0; i < n; i++) { /* takers that were killed in the middle */
		uint64_t busy = KEY_BUSY;

		atomic_compare_exchange_strong(&m->slot[i].key, &busy, KEY_DEAD);
	}
out:
	close(fd);
unlock:
	close(lock);
	return m;
}

void
memory_close(struct memory *m)
{
	if (m == NULL)
		return;
	munmap(m->map, m->bytes);
	free(m);
}

static uint64_t
fold(uint64_t key)
{
	return key >= KEY_DEAD ? key ^ (UINT64_C(1) << 63) : key;
}

/* The window of a key starts where its high half says; the low half alone would put keys of
 * callers that only fill that half side by side. */
static struct slot *
at(const struct memory *m, uint64_t key, unsigned probe)
{
	return &m->slot[((key ^ (key >> 32)) + probe) & m->mask];
}

/* Workers' clocks differ by what their loops take; more than this is a clock that was set back. */
#define SET_BACK INT64_C(60000000)

/* Who moves the latest touch moves the first one by as much. */
static void
follow_clock(struct slot *s, int64_t now)
{
	int64_t last = atomic_load(&s->last), by = last - now;

	if (by >= SET_BACK && atomic_load(&s->first) != 0 &&
	    atomic_compare_exchange_strong(&s->last, &last, now))
		atomic_fetch_sub(&s->first, by);
}

static struct memory_fact
note(struct slot *s, int64_t now)
{
	struct memory_fact f;
	int64_t seen;

	follow_clock(s, now);
	seen = atomic_load(&s->first);
	/* A first touch that lies far ahead is about to be moved by who followed the clock. */
	while ((seen == 0 || (now < seen && seen - now < SET_BACK)) &&
	       !atomic_compare_exchange_weak(&s->first, &seen, now))
		;
	f.first_us = atomic_load(&s->first);
	seen = atomic_load(&s->last);
	while (now > seen && !atomic_compare_exchange_weak(&s->last, &seen, now))
		;
	f.last_us = now > seen ? now : seen;
	/* While a slot changes its owner, others may write the times of either. */
	if (f.first_us == 0 || f.first_us > now)
		f.first_us = now;
	f.count = atomic_fetch_add(&s->count, 1) + 1;
	return f;
}

/* Finds the slot of key, claiming a free one; NULL: the window is full of others. */
static struct slot *
claim(struct memory *m, uint64_t key)
{
	for (unsigned i = 0; i < PROBES; i++) {
		struct slot *s = at(m, key, i);
		uint64_t have = atomic_load(&s->key);

		if (have == 0 && atomic_compare_exchange_strong(&s->key, &have, key))
			return s;
		/* A lost race leaves the winner's key in have: perhaps it is ours. */
		if (have == key)
			return s;
	}
	return NULL;
}

/* Takes the slot over whose last touch is longest ago.  A touch of the old key that was under way
 * meanwhile may be counted for the new one: it takes an owner that is both the oldest around and
 * being touched within nanoseconds.  NULL: another process was faster; look again. */
static struct slot *
take_over(struct memory *m, uint64_t key, int64_t now)
{
	struct slot *oldest = NULL;
	uint64_t owner = 0;
	int64_t age = 0;

	for (unsigned i = 0; i < PROBES; i++) {
		struct slot *s = at(m, key, i);
		uint64_t have = atomic_load(&s->key);
		int64_t last = have == KEY_DEAD ? INT64_MIN : atomic_load(&s->last);

		if (have != KEY_BUSY && (oldest == NULL || last < age)) {
			oldest = s;
			owner = have;
			age = last;
		}
	}
	if (oldest == NULL || !atomic_compare_exchange_strong(&oldest->key, &owner, KEY_BUSY))
		return NULL;
	atomic_store(&oldest->first, 0);
	atomic_store(&oldest->count, 0);
	atomic_store(&oldest->last, now);
	atomic_store(&oldest->key, key);
	return oldest;
}

struct memory_fact
memory_touch(struct memory *m, uint64_t key, int64_t now_us)
{
	/* Each round that takes nothing means that another process took something. */
	key = fold(key);
	for (int round = 0; round < 1000; round++) {
		struct slot *s = claim(m, key);

		if (s == NULL)
			s = take_over(m, key, now_us);
		if (s != NULL)
			return note(s, now_us);
	}
	return (struct memory_fact){ .first_us = now_us, .last_us = now_us, .count = 1 };
}

struct memory_fact
memory_look(struct memory *m, uint64_t key, int64_t now_us)
{
	struct memory_fact f = { 0 };

	key = fold(key);
	for (unsigned i = 0; i < PROBES; i++) {
		struct slot *s = at(m, key, i);
		uint64_t have = atomic_load(&s->key);

		if (have == 0)
			break;
		if (have != key)
			continue;
		if (now_us != 0)
			follow_clock(s, now_us);
		f.first_us = atomic_load(&s->first);
		f.last_us = atomic_load(&s->last);
		f.count = atomic_load(&s->count);
		break;
	}
	return f;
}
