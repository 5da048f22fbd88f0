/* report.h - one participant's report: built once, seen through views (text, JSON, HTML). */
#ifndef RESULTS_REPORT_H
#define RESULTS_REPORT_H

#include "lib/strbuf.h"
#include "provisioning/site.h"
#include "results/judge.h"

#define REPORT_VERSION 1 /* of the JSON form; grows when a key changes its meaning */

struct report_entry {
	const struct test *test;
	const struct facts *facts;
	struct verdict verdict;
	const char *means, *advice; /* of the test's reader section for this grade; NULL */
	const char *fix[FIX_MAX];   /* likewise: configuration, what to ask for */
};
struct report_score {
	unsigned tests, graded, passed; /* graded: conforms or violates; passed: conforms */
	unsigned so_far;                /* of the graded: not final */
	unsigned grades[GRADE_MAX];
};
struct report_group {
	const char *name;
	size_t from, n; /* entries [from, from+n) */
	struct report_score score;
};

struct report {
	const struct catalogue *catalogue;
	char token[32], set[256], label[256], base[200];
	int64_t started, updated,
	    now;          /* enrolled (or first event); last event (0 none); built for */
	int64_t released; /* since then the participant is; 0: not */
	unsigned pace;
	struct report_entry *entries;
	size_t n; /* by group, then number */
	struct report_group *groups;
	size_t n_groups;
	struct report_score score;
	enum trait_answer validates; /* does its resolver, or all of them, validate DNSSEC? */
	struct observations obs;     /* owned; everything points into it */
	struct correlation *c;
};

/* Reads the store of the site.  set NULL: the one of the enrolment (full if not enrolled).  now: the time for
 * which it is judged; events after it are left out.  Does not ingest.  NULL: reason in err. */
struct report *report_build(
    const struct site *, const char *token, const char *set, int64_t now, char *err, size_t errlen);

/* For a process that builds many: store and databases stay open. */
struct report_source;
struct report_source *report_source_open(const struct site *); /* NULL: logged */
void report_source_close(struct report_source *);              /* accepts NULL */
/* As report_build, for one whose enrolment is known.  Of more than max_events lines nothing is built. */
struct report *report_read(struct report_source *, const char *token, const char *set,
    const char *label, int64_t started, int64_t now, size_t max_events, char *err, size_t errlen);
/* The tokens of which something was stored since the last call.  0, or -1 logged. */
int report_source_changes(
    struct report_source *, void (*row)(void *ctx, const char *token), void *ctx);
/* The event lines of a token, as store_events. */
int report_source_events(struct report_source *, const char *token,
    int (*row)(void *ctx, const char *line, size_t len), void *ctx);

/* The same from observations, which it takes over (cleared in the caller's struct): for tests and fuzzing.
 * j gives pace, unsound, reachable4, asked4; its c and now are set here. */
struct report *report_from(struct observations *, const struct catalogue *, const char *token,
    const char *set, int64_t started, int64_t now, const struct judge *j);
void report_free(struct report *);

/* Views.  width 0: 80 columns; colour only means the text view. */
struct report_style {
	unsigned width;
	bool colour;
};
struct report_view {
	const char *name; /* text, json, html, csv */
	const char *about;
	void (*write)(struct strbuf *, const struct report *, const struct report_style *);
};
extern const struct report_view reports[];               /* name NULL ends */
const struct report_view *report_view(const char *name); /* NULL: none */

/* The HTML view below its headline: without inline style or script, so that a page whose policy forbids
 * them can hold it; report_style_css is the style sheet that it needs. */
void report_html_body(struct strbuf *, const struct report *);
extern const char report_style_css[];
/* Reader's text of a test: paragraphs; lines that begin with two blanks stand as configuration. */
void report_html_prose(struct strbuf *, const char *text);
/* Configuration, each behind its name, and what to ask a provider for (may be NULL). */
void report_html_fix(struct strbuf *, const char *const fix[FIX_MAX], const char *ask);
const char *report_group_title(const char *group);

/* Does any test have the grade (for --fail-on), final or so far? */
bool report_has(const struct report *, enum grade);

/* --wait: true when nothing is pending (final: when all is final).  Otherwise lines has one line for each
 * test that is waited for: "greylist: waits for the retry, until 2026-11-21 23:10:00 UTC at the latest", and *until
 * the latest of these times (0: unknown). */
bool report_done(const struct report *, bool final, struct strbuf *lines, int64_t *until);

#endif
