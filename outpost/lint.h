/* lint.h - checks the whole catalogue: each file, what spans files, base.zone, and every trace. */
#ifndef OUTPOST_LINT_H
#define OUTPOST_LINT_H

/* Prints each finding as "file:line: what, why" on stderr, and a count on stdout.  only (may be NULL): this
 * test alone.  The exit code: 0 or 2. */
int lint_run(const char *dir, const char *base_zone, const char *only);

#endif
