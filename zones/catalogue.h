/* catalogue.h - all tests, loaded once, immutable; reload builds a new one. */
#ifndef ZONES_CATALOGUE_H
#define ZONES_CATALOGUE_H

#include "zones/test.h"

struct catalogue {
	struct test **tests; /* by number, ascending */
	size_t n;
	struct test *by_number[TEST_NUMBER_MAX + 1];
	char digest[65];     /* SHA-256-like digest of all files, hex (hash of path order and bytes) */
};

/* Loads every *.test of dir and checks what spans files: unique numbers and names, controls and
 * contrasts exist, sets closed under control and contrast.  NULL: first error in err. */
struct catalogue *catalogue_load(const char *dir, char *err, size_t errlen);
void catalogue_free(struct catalogue *);
const struct test *catalogue_find(const struct catalogue *, const char *name, size_t len); /* case-blind */

/* Is the test in the set?  Sets: quick, standard, full, a group's name, or a test's own name. */
bool catalogue_in_set(const struct test *, const char *set);
bool catalogue_set_exists(const struct catalogue *, const char *set);

#endif
