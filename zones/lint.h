/* lint.h - what is wrong with tests that load: texts that readers would miss, grades that no trace
 * gives, rules that decide too early.  `outpost tests --lint` says it, then plays the traces. */
#ifndef ZONES_LINT_H
#define ZONES_LINT_H

#include "zones/catalogue.h"

enum lint_level { LINT_WARNING, LINT_ERROR };

/* Calls say for each finding ("file:line: what, why").  Returns the number of errors. */
unsigned lint_catalogue(
    const struct catalogue *, void (*say)(void *ctx, enum lint_level, const char *text), void *ctx);
unsigned lint_test(
    const struct test *, void (*say)(void *ctx, enum lint_level, const char *text), void *ctx);

#endif
