/* report_plot.h - the picture of when a sender tried, as inline SVG. */
#ifndef RESULTS_REPORT_PLOT_H
#define RESULTS_REPORT_PLOT_H

#include "lib/strbuf.h"
#include "results/correlate.h"

/* Nothing for fewer than two attempts. */
void report_plot(struct strbuf *, const struct facts *);

#endif
