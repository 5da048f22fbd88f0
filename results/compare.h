/* compare.h - two reports of one participant: what is better, what is worse, what else is new.  Pure. */
#ifndef RESULTS_COMPARE_H
#define RESULTS_COMPARE_H

#include "results/report.h"

enum compare_kind {
	COMPARE_WORSE,  /* violates, and did not */
	COMPARE_BETTER, /* violated, and no longer does: it conforms or informs */
	COMPARE_OTHER,  /* another verdict, of which neither can be said */
	COMPARE_ADDED,  /* not in the earlier report */
	COMPARE_GONE,   /* not in the later one */
	COMPARE_DETAIL, /* the same verdict for another reason, be it only other times */
	COMPARE_SAME,
	COMPARE_MAX
};
const char *compare_name(enum compare_kind);  /* in JSON: "worse" */
const char *compare_title(enum compare_kind); /* for people: "Worse" */

struct compare_row {
	enum compare_kind kind;
	const struct report_entry *before, *after; /* NULL: not in that report */
};
struct comparison {
	const struct report *before, *after;
	struct compare_row *row; /* owned; by kind, then as in the later report */
	size_t n, count[COMPARE_MAX];
};
/* Both must live as long as the comparison. */
void compare_reports(struct comparison *, const struct report *before, const struct report *after);
void compare_clear(struct comparison *);

/* Views, as in report.h.  compare_html is the inside of a page; its links to tests begin with prefix, such as
 * "/run/ID", NULL: there are none. */
void compare_text(struct strbuf *, const struct comparison *, const struct report_style *);
void compare_json(struct strbuf *, const struct comparison *);
void compare_page(struct strbuf *, const struct comparison *); /* a whole file of its own */
void compare_html(struct strbuf *, const struct comparison *, const char *prefix);

#endif
