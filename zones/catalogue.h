/* catalogue.h - all tests, loaded once, immutable; reload builds a new one. */
#ifndef ZONES_CATALOGUE_H
#define ZONES_CATALOGUE_H

#include "zones/test.h"

struct catalogue {
	struct test **tests;   /* by number, ascending */
	struct test **by_name; /* the same by name */
	size_t n;
	struct test *by_number[TEST_NUMBER_MAX + 1];
	char digest[65]; /* SHA-256 over file names and contents in order of name, hex */
};

/* Loads every *.test of dir and checks what spans files: unique numbers and names, controls and
 * contrasts exist, sets closed under control, contrast and trait.  NULL: first error in err. */
struct catalogue *catalogue_load(const char *dir, char *err, size_t errlen);
void catalogue_free(struct catalogue *);
const struct test *catalogue_find(
    const struct catalogue *, const char *name, size_t len); /* case-blind */

/* The test that tells whether a participant has the trait; NULL: none. */
const struct test *catalogue_trait(const struct catalogue *, const char *trait, enum outcome *when);

/* Is the test in the set, or in one of several, joined by commas?  Sets: quick and standard (which the files name; loading fails if they are
 * not closed), full, a group's name, a test's own name; the last two hold what their tests need:
 * controls, contrasts and the tests behind the traits that their rules ask for. */
bool catalogue_in_set(const struct test *, const char *set);
bool catalogue_set_exists(const struct catalogue *, const char *set); /* all of them */

/* Is it told from mail that we write, not from what the participant sends? */
bool catalogue_is_outgoing(const struct catalogue *, const struct test *);

#endif
