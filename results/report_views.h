/* report_views.h - the views, a file each, and what they share. */
#ifndef RESULTS_REPORT_VIEWS_H
#define RESULTS_REPORT_VIEWS_H

#include "results/report.h"

void report_text(struct strbuf *, const struct report *, const struct report_style *);
void report_json(struct strbuf *, const struct report *, const struct report_style *);
void report_html(struct strbuf *, const struct report *, const struct report_style *);

/* Parts of the page: report_identity.c. */
void report_html_resolvers(struct strbuf *, const struct report *);
void report_html_senders(struct strbuf *, const struct report *);

/* Who wrote the mail: report_mail.c; nothing where no message was judged. */
void report_html_mail(struct strbuf *, const struct report *);

#define TIMELINE_HEAD 200 /* events of a test that a timeline shows: the first ones */
#define TIMELINE_TAIL 100 /* and the last ones */
/* Index after i in a timeline of n events; skips the middle of a long one. */
static inline size_t
timeline_next(size_t i, size_t n)
{
	return i + 1 == TIMELINE_HEAD && n > TIMELINE_HEAD + TIMELINE_TAIL ? n - TIMELINE_TAIL
									   : i + 1;
}

#endif
