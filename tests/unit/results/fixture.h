/* fixture.h - a catalogue, and events by hand that become facts, for the tests of results/. */
#ifndef TESTS_RESULTS_FIXTURE_H
#define TESTS_RESULTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#undef test_free /* cmocka has a macro of that name */

#include "tests/unit/results/events.h"

static struct catalogue *cat;

static inline int
load_catalogue(const char *dir)
{
	char err[512];

	cat = catalogue_load(dir, err, sizeof err);
	if (cat == NULL)
		fprintf(stderr, "%s\n", err);
	return cat == NULL;
}

/* For a group of tests: the catalogue that the stages have, or the one that is shipped. */
static inline int
setup_stages(void **state)
{
	(void)state;
	return load_catalogue("tests/stages/catalogue");
}

static inline int
setup_shipped(void **state)
{
	(void)state;
	return load_catalogue("zones/catalogue");
}

static inline int
teardown(void **state)
{
	(void)state;
	catalogue_free(cat);
	return 0;
}

/* A test that fills the file's own observations, emptied after it. */
static inline int
clean(void **state)
{
	observations_clear(*state);
	return 0;
}
#define OBSERVED(f) cmocka_unit_test_prestate_setup_teardown(f, NULL, clean, &obs)

/* The events as facts. */
static inline struct correlation *
correlated(struct observations *of)
{
	observations_sort(of);
	return correlate(of, cat, EVENTS_TOKEN);
}

static inline const struct facts *
facts(const struct correlation *c, const char *test)
{
	return correlation_facts(c, catalogue_find(cat, test, strlen(test)));
}

#endif
