/* lint.h - checks the whole catalogue: each file, what spans files, and every trace. */
#ifndef OUTPOST_LINT_H
#define OUTPOST_LINT_H

/* Prints each mistake as "file:line: what, why" on stderr, and a count on stdout.  only (may be NULL): the
 * traces of this test alone.  The exit code: 0 or 2. */
int lint_catalogue(const char *dir, const char *only);

#endif
