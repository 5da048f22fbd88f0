/* words.h - reading one verdict rule word by word: the cursor, its arguments, and the selectors that
 * may follow a predicate.  Private to predicate.c and words.c. */
#ifndef ZONES_WORDS_H
#define ZONES_WORDS_H

#include "zones/predicate.h"

struct words {
	char *const *word;
	unsigned n, next;
	char *err;
	size_t errlen;
	unsigned depth; /* of after and within */
};

/* Says why; returns -1. */
int words_fail(struct words *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The word to read next; NULL at "and" and at the end of the rule. */
const char *words_peek(const struct words *);
bool words_take(struct words *, const char *word); /* reads it if it is this one */
/* Arguments of the word `of`; NULL or -1 with the error said if there is none that fits. */
const char *words_argument(struct words *, const char *of, const char *what);
int words_number(struct words *, const char *of, unsigned *dst, unsigned max);
int words_range(struct words *, const char *of, unsigned *min, unsigned *max); /* N, N.., N..M */
int words_duration(struct words *, const char *of, int64_t *dst);
/* Adds to the names of the predicate. */
int words_name(struct words *, struct predicate *, const char *of, const char *name);
int words_one_of(struct words *, struct predicate *, const char *of, const char *const *list);

/* Selectors, as bits of a predicate's row. */
enum {
	S_HOST = 1,
	S_MAILBOX = 2,
	S_FAMILY = 4,
	S_TLS = 8,
	S_SNI = 16,
	S_PHASE = 32,
	S_COUNT = 64,
	S_TIME = 128,
	S_AT = 256,
	S_RCODE = 512,
	S_VIA = 1024,
	S_STATUS = 2048,
	S_DEV = 4096,
	S_CLIENT_CERT = 8192,
	S_RETURNED = 16384,
	S_LOST = 32768,
	S_BELOW = 65536,
	S_CANARY = 131072,
	S_ANY = S_PHASE | S_COUNT | S_TIME,
	S_SESSION = S_HOST | S_FAMILY | S_TLS | S_SNI | S_CLIENT_CERT | S_ANY,
};

/* All selectors that follow; allowed: bits of those that the predicate `of` may have. */
int selectors_parse(struct predicate *, const char *of, unsigned allowed, struct words *);
int selector_host(struct words *, struct predicate *);

/* One predicate with its selectors, up to "and" or the end (predicate.c). */
int predicate_one(struct predicate *, struct words *);

#endif
