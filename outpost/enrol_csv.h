/* enrol_csv.h - enrols everybody of a list and asks for their invitations. */
#ifndef OUTPOST_ENROL_CSV_H
#define OUTPOST_ENROL_CSV_H

#include <stdbool.h>

#include "provisioning/site.h"

/* Columns address, label, tags.  All rows are right, or nobody is enrolled: each mistake is told as FILE:LINE.  Who
 * was asked for already with the same tags, or opted out, is left out, so a run that was cut short can be repeated.
 * The exit code. */
int enrol_csv(const struct site *, const char *path, const char *set, bool dry_run, bool json);

#endif
