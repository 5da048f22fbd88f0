/* report_views.h - the views, a file each, and what they share. */
#ifndef RESULTS_REPORT_VIEWS_H
#define RESULTS_REPORT_VIEWS_H

#include "results/report.h"

void report_text(struct strbuf *, const struct report *, const struct report_style *);
void report_json(struct strbuf *, const struct report *, const struct report_style *);
void report_html(struct strbuf *, const struct report *, const struct report_style *);
void report_csv(struct strbuf *, const struct report *, const struct report_style *);

/* What a file of its own has before its content, and ends in </main></body></html>. */
void report_html_head(struct strbuf *, const char *title, const char *token);
/* A grade in the page: its class in the style sheet, its word for people. */
struct report_grade {
	const char *class, *word;
};
extern const struct report_grade report_grades[GRADE_MAX];
/* Works, needs a hand, could not be seen; and the score of each group: report_summary.c. */
void report_html_summary(struct strbuf *, const struct report *);
/* What to change: report_change.c; nothing where nothing is to be changed. */
void report_html_changes(struct strbuf *, const struct report *);
/* A link to a test of the same page. */
void report_html_link(struct strbuf *, const char *test);
/* The configuration and the question for a provider that an entry has; nothing if it has neither. */
void report_html_fixes(struct strbuf *, const struct report_entry *);

/* Parts of the page: report_identity.c. */
void report_html_resolvers(struct strbuf *, const struct report *);
/* The way of a lookup, as a picture: report_way.c. */
void report_html_way(struct strbuf *, const struct report *);
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
