/* answers.h - a file of DNS answers instead of a resolver, for tests and for what happened long ago:
 *
 *   NAME TYPE DATA...      a record as a master file or dig has it
 *   NAME TYPE =failed WHY  the resolver has no answer (=bogus WHY: a false one)
 *   secure NAME            what is at or under NAME is validated by DNSSEC
 *
 * A name that stands nowhere, nor above one that does, does not exist; CNAMEs are followed. */
#ifndef OUTPOST_ANSWERS_H
#define OUTPOST_ANSWERS_H

#include <stddef.h>

#include "verify/lookup.h"

struct answers;
/* NULL: file, line and reason in err. */
struct answers *answers_load(const char *path, char *err, size_t errlen);
void answers_free(struct answers *); /* accepts NULL */
/* Answers all that the book waits for. */
void answers_put(const struct answers *, struct lookups *);

#endif
