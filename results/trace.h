/* trace.h - plays the traces of a test file through the shipped correlator and judge. */
#ifndef RESULTS_TRACE_H
#define RESULTS_TRACE_H

#include "zones/catalogue.h"

/* Plays every trace of the test; controls are found in the catalogue (NULL: a catalogue of this test alone).
 * Number of traces that gave another verdict than they say or could not be played; the first is
 * told in err as "file:line: trace NAME: what, why". */
unsigned trace_run(const struct test *, const struct catalogue *, char *err, size_t errlen);

#endif
