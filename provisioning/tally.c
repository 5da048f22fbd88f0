/* tally.c - see tally.h.  Open addressing; two with one 64-bit keyed hash do not happen.  Times stand in order, so that
 * only the latest are looked at. */
#include "provisioning/tally.h"

#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"
#include "lib/strbuf.h"

struct entry {
	uint64_t hash; /* 0: free */
	int64_t *t_us;
	size_t n, waiting;
};
struct tally {
	uint8_t key[16];
	struct entry *entry;
	size_t mask, n;
};

struct tally *
tally_new(const uint8_t key[16])
{
	struct tally *t = xcalloc(1, sizeof *t);

	memcpy(t->key, key, sizeof t->key);
	t->mask = 255;
	t->entry = xcalloc(t->mask + 1, sizeof *t->entry);
	return t;
}

void
tally_free(struct tally *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i <= t->mask; i++)
		free(t->entry[i].t_us);
	free(t->entry);
	free(t);
}

static struct entry *
place(const struct tally *t, uint64_t hash)
{
	size_t i = hash & t->mask;

	while (t->entry[i].hash != 0 && t->entry[i].hash != hash)
		i = (i + 1) & t->mask;
	return &t->entry[i];
}

static struct entry *
find(const struct tally *t, const void *who, size_t len)
{
	uint64_t hash = hash_sip(t->key, who, len);

	return place(t, hash != 0 ? hash : 1);
}

static void
enlarge(struct tally *t)
{
	struct tally old = *t;

	t->mask = 2 * old.mask + 1;
	t->entry = xcalloc(t->mask + 1, sizeof *t->entry);
	for (size_t i = 0; i <= old.mask; i++)
		if (old.entry[i].hash != 0)
			*place(t, old.entry[i].hash) = old.entry[i];
	free(old.entry);
}

static struct entry *
enter(struct tally *t, const void *who, size_t len)
{
	uint64_t hash = hash_sip(t->key, who, len);
	struct entry *e;

	if (2 * t->n >= t->mask)
		enlarge(t);
	e = place(t, hash != 0 ? hash : 1);
	if (e->hash == 0) {
		e->hash = hash != 0 ? hash : 1;
		t->n++;
	}
	return e;
}

void
tally_add(struct tally *t, const void *who, size_t len, int64_t t_us)
{
	struct entry *e = enter(t, who, len);
	size_t at = e->n;

	e->t_us = xgrow(e->t_us, e->n, sizeof *e->t_us);
	while (at > 0 && e->t_us[at - 1] > t_us)
		at--;
	memmove(e->t_us + at + 1, e->t_us + at, (e->n++ - at) * sizeof *e->t_us);
	e->t_us[at] = t_us;
}

void
tally_remove(struct tally *t, const void *who, size_t len, int64_t t_us)
{
	struct entry *e = find(t, who, len);
	size_t at = e->n;

	while (at > 0 && e->t_us[at - 1] > t_us)
		at--;
	if (at == 0 || e->t_us[at - 1] != t_us)
		return;
	memmove(e->t_us + at - 1, e->t_us + at, (e->n-- - at) * sizeof *e->t_us);
}

void
tally_wait(struct tally *t, const void *who, size_t len, int more)
{
	struct entry *e = enter(t, who, len);

	if (more > 0)
		e->waiting++;
	else if (e->waiting > 0)
		e->waiting--;
}

size_t
tally_since(const struct tally *t, const void *who, size_t len, int64_t since_us, size_t *waiting)
{
	const struct entry *e = find(t, who, len);
	size_t n = 0;

	while (n < e->n && e->t_us[e->n - 1 - n] > since_us)
		n++;
	if (waiting != NULL)
		*waiting = e->waiting;
	return n;
}
