/* report_plot.c - attempts on a line of time, one lane for each address family that was seen. */
#include "results/report_plot.h"

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/html.h"
#include "results/describe.h"
#include "results/report_views.h"

#define PLOT_WIDTH  640
#define PLOT_LEFT   70
#define PLOT_RIGHT  24
#define LANE_HEIGHT 36
#define GAP_MIN     84 /* pixels that a gap needs to be labelled */

static const int families[] = { 6, 4, 0 };

static int
place(const struct facts *f, size_t i)
{
	int64_t span = f->attempts[f->n_attempts - 1].t - f->attempts[0].t;
	int width = PLOT_WIDTH - PLOT_LEFT - PLOT_RIGHT;

	if (span <= 0)
		return PLOT_LEFT;
	return PLOT_LEFT +
	       (int)((double)(f->attempts[i].t - f->attempts[0].t) / (double)span * width);
}

static bool
has_family(const struct facts *f, int family)
{
	for (size_t i = 0; i < f->n_attempts; i++) {
		if (f->attempts[i].family == family)
			return true;
	}
	return false;
}

static void
put_mark(struct strbuf *b, const struct facts *f, size_t i, int y)
{
	const struct attempt *a = &f->attempts[i];
	struct strbuf text = { 0 };
	char since[32];

	describe_duration(since, a->t - f->attempts[0].t);
	describe_attempt(&text, a);
	strbuf_printf(b,
	    "<circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"6\"><title>attempt %zu after %s: ",
	    a->accepted             ? "yes"
	    : a->stage == STAGE_SYN ? "syn"
				    : "no",
	    place(f, i), y, i + 1, since);
	html_text(b, text.s);
	strbuf_puts(b, "</title></circle>\n");
	strbuf_clear(&text);
}

/* The times between attempts, where there is room to say them. */
static void
put_gaps(struct strbuf *b, const struct facts *f, int y)
{
	int from = place(f, 0);
	int64_t t = f->attempts[0].t;

	for (size_t i = 1; i < f->n_attempts; i++) {
		int to = place(f, i);
		char gap[32];
		if (to - from >= GAP_MIN) {
			describe_duration(gap, f->attempts[i].t - t);
			strbuf_printf(b, "<text class=\"gap\" x=\"%d\" y=\"%d\">%s</text>\n",
			    (from + to) / 2, y, gap);
		}
		from = to;
		t = f->attempts[i].t;
	}
}

void
report_plot(struct strbuf *b, const struct facts *f)
{
	size_t n = f->n_attempts;
	unsigned lanes = 0;
	char span[32];

	if (n < 2)
		return;
	for (size_t k = 0; k < 3; k++)
		lanes += has_family(f, families[k]);
	describe_duration(span, f->attempts[n - 1].t - f->attempts[0].t);
	strbuf_printf(b,
	    "<figure class=\"plot\"><svg viewBox=\"0 0 %d %u\" role=\"img\" aria-label=\"%zu "
	    "attempts over %s\">\n",
	    PLOT_WIDTH, lanes * LANE_HEIGHT + 54, n, span);
	put_gaps(b, f, 20);
	int y = 24 + LANE_HEIGHT / 2;
	for (size_t k = 0; k < 3; k++) {
		if (!has_family(f, families[k]))
			continue;
		strbuf_printf(b,
		    "<text class=\"lane\" x=\"0\" y=\"%d\">%s</text><line x1=\"%d\" x2=\"%d\" "
		    "y1=\"%d\" y2=\"%d\"/>\n",
		    y + 4,
		    families[k] == 6   ? "IPv6"
		    : families[k] == 4 ? "IPv4"
				       : "",
		    PLOT_LEFT, PLOT_WIDTH - PLOT_RIGHT, y, y);
		for (size_t i = 0; i < n; i = timeline_next(i, n)) {
			if (f->attempts[i].family == families[k])
				put_mark(b, f, i, y);
		}
		y += LANE_HEIGHT;
	}
	strbuf_printf(b,
	    "<text class=\"axis\" x=\"%d\" y=\"%d\">first attempt</text>"
	    "<text class=\"axis end\" x=\"%d\" y=\"%d\">%s later</text>\n</svg>\n"
	    "<figcaption><span class=\"key yes\"></span> accepted <span class=\"key no\"></span> "
	    "not accepted"
	    " <span class=\"key syn\"></span> SYN only</figcaption></figure>\n",
	    PLOT_LEFT - 6, y + 8, PLOT_WIDTH - PLOT_RIGHT + 6, y + 8, span);
}
