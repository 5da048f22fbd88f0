/* basezone.h - base.zone: the records that stand in the zone BASE (section [base]) and in every test's
 * zone (section [test]).  Lines are those of a test's [dns] section; owners and data use {zone}, {base},
 * {ns4}, {ns6}, {mail4} and, for [test], whatever a test may use but hosts. */
#ifndef ZONES_BASEZONE_H
#define ZONES_BASEZONE_H

#include "zones/test.h"

struct basezone {
	struct dns_record *base;
	size_t n_base;
	struct dns_record *test;
	size_t n_test;
};
/* NULL: "file:line: what, why" in err.  Each section has at least its SOA and NS. */
struct basezone *basezone_load(const char *path, char *err, size_t errlen);
/* The same of a text that is no file, for tests and fuzzing. */
struct basezone *basezone_parse(
    const char *name, const char *data, size_t len, char *err, size_t errlen);
void basezone_free(struct basezone *);

#endif
