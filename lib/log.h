/* log.h - messages for the operator, on stderr: "PROGRAM: what: why: what to do".
 * Prose for humans only; everything that is data is an event (event.h). */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>

/* Name that starts every line, e.g. "outpost" or "smtpd".  Kept by reference. */
void log_program(const char *name);
void log_quiet(bool quiet); /* suppress log_info */

void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What to do about an errno that a file of the site met, for the end of a message. */
const char *log_advice(int error);

/* Exit codes of every program. */
enum { EXIT_DONE = 0, EXIT_FAIL_ON = 1, EXIT_USAGE = 2, EXIT_CANNOT = 3 };

/* Logs and exits with CODE. */
void log_fatal(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));

#endif
