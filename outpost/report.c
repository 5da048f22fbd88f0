/* outpost report. */
#include "results/compare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "outpost/command.h"
#include "provisioning/enrol.h"
#include "results/store.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MIN     40
#define WIDTH_MAX     400
#define LOOK_EVERY_S  2

struct request {
	struct site *site;
	struct token token;
	const char *set, *output, *wait, *fail_on, *colour, *compare;
	const struct report_view *view;
	int64_t timeout, at;
	enum grade fail_grade;
	struct report_style style;
};

static struct report *
build(const struct request *r)
{
	char err[1024];
	struct report *report;

	if (command_load_new(r->site, NULL) != 0)
		log_fatal(EXIT_CANNOT, "report: the log could not be loaded");
	report = report_build(
	    r->site, r->token.text, r->set, r->at != 0 ? r->at : clock_now(), err, sizeof(err));
	if (report == NULL)
		log_fatal(EXIT_CANNOT, "report: %s", err);
	return report;
}

/* On a terminal the lines replace the last ones; in a pipe only changes are told. */
static void
tell_waiting(const struct strbuf *lines, struct strbuf *last, unsigned *shown)
{
	if (last->len == lines->len &&
	    (lines->len == 0 || memcmp(last->s, lines->s, lines->len) == 0))
		return;
	if (isatty(STDERR_FILENO) && *shown > 0)
		fprintf(stderr, "\033[%uA\033[J", *shown);
	*shown = 0;
	for (size_t i = 0; i < lines->len; i++)
		*shown += lines->s[i] == '\n';
	if (lines->len > 0)
		fwrite(lines->s, 1, lines->len, stderr);
	strbuf_reset(last);
	strbuf_add(last, lines->s, lines->len);
}

/* Until nothing is waited for, or the time is over. */
static struct report *
wait_for(const struct request *r)
{
	int64_t end = r->timeout > 0 ? clock_monotonic() + r->timeout : INT64_MAX;
	struct strbuf lines = { 0 }, last = { 0 };
	struct report *report;
	unsigned shown = 0;

	for (;;) {
		int64_t until;

		report = build(r);
		strbuf_reset(&lines);
		if (r->wait == NULL ||
		    report_done(report, strcmp(r->wait, "final") == 0, &lines, &until))
			break;
		tell_waiting(&lines, &last, &shown);
		if (clock_monotonic() >= end)
			break;
		report_free(report);
		sleep(LOOK_EVERY_S);
	}
	strbuf_clear(&lines);
	strbuf_clear(&last);
	return report;
}

static unsigned
terminal_width(void)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= WIDTH_MIN)
		return size.ws_col;
	if (columns != NULL && atoi(columns) >= WIDTH_MIN && atoi(columns) <= WIDTH_MAX)
		return (unsigned)atoi(columns);
	return WIDTH_DEFAULT;
}

static bool
use_colour(const struct request *r)
{
	const char *term = getenv("TERM");

	if (strcmp(r->colour, "always") == 0)
		return true;
	if (strcmp(r->colour, "never") == 0)
		return false;
	return r->output == NULL && isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL &&
	       term != NULL && strcmp(term, "dumb") != 0;
}

static void
check_request(struct request *r)
{
	if (strcmp(r->colour, "auto") != 0 && strcmp(r->colour, "always") != 0 &&
	    strcmp(r->colour, "never") != 0)
		log_fatal(EXIT_USAGE, "report: --colour %s: not auto, always or never", r->colour);
	if (r->wait != NULL && r->wait[0] != '\0' && strcmp(r->wait, "final") != 0)
		log_fatal(EXIT_USAGE, "report: --wait=%s: only --wait=final is known", r->wait);
	if (r->wait != NULL && r->at != 0)
		log_fatal(EXIT_USAGE,
		    "report: --wait and --at: the past does not change: give one of them");
	if (r->style.width == 0)
		r->style.width = terminal_width();
	if (r->style.width < WIDTH_MIN || r->style.width > WIDTH_MAX)
		log_fatal(EXIT_USAGE, "report: --width %u: not between %d and %d", r->style.width,
		    WIDTH_MIN, WIDTH_MAX);
	if (r->compare != NULL && strcmp(r->view->name, "csv") == 0)
		log_fatal(
		    EXIT_USAGE, "report: --compare and --csv: choose --text, --json or --html");
	r->style.colour = use_colour(r);
	for (r->fail_grade = 0; r->fail_on != NULL && r->fail_grade < GRADE_MAX; r->fail_grade++)
		if (strcmp(grade_name(r->fail_grade), r->fail_on) == 0)
			return;
	if (r->fail_on != NULL)
		log_fatal(EXIT_USAGE,
		    "report: --fail-on %s: not a verdict: conforms, violates, informational, "
		    "inconclusive or pending",
		    r->fail_on);
}

/* The run that --compare names; "previous": the one before, of the same label. */
static struct token
earlier_token(const struct request *r)
{
	struct enrolment who, before;
	int found;

	if (strcmp(r->compare, "previous") != 0)
		return command_token(r->site, r->compare);
	found = enrol_find(&who, r->site, r->token.text);
	if (found > 0)
		found = enrol_before(&before, r->site, &who);
	if (found < 0)
		log_fatal(EXIT_CANNOT, "report: the enrolments could not be read");
	if (found == 0)
		log_fatal(EXIT_CANNOT, "report: --compare previous: there is no earlier run with "
				       "this label: name its token");
	return before.token;
}

static void
write_comparison(struct strbuf *b, const struct request *r, const struct report *report)
{
	struct request earlier = *r;
	struct comparison c;
	struct report *before;

	earlier.token = earlier_token(r);
	before = build(&earlier);
	if (before->started <= report->started)
		compare_reports(&c, before, report);
	else
		compare_reports(&c, report, before);
	if (strcmp(r->view->name, "json") == 0)
		compare_json(b, &c);
	else if (strcmp(r->view->name, "html") == 0)
		compare_page(b, &c);
	else
		compare_text(b, &c, &r->style);
	compare_clear(&c);
	report_free(before);
}

static int
write_report(const struct request *r, const struct report *report)
{
	struct strbuf b = { 0 };
	FILE *f;
	bool ok;

	if (r->compare != NULL)
		write_comparison(&b, r, report);
	else
		r->view->write(&b, report, &r->style);
	f = r->output != NULL ? fopen(r->output, "we") : stdout;
	ok = f != NULL && fwrite(b.s, 1, b.len, f) == b.len && fflush(f) == 0;
	if (!ok)
		log_warn("report: %s: %s: choose another file",
		    r->output != NULL ? r->output : "stdout", strerror(errno));
	if (r->output != NULL && f != NULL && fclose(f) != 0)
		ok = false;
	strbuf_clear(&b);
	return ok ? EXIT_DONE : EXIT_CANNOT;
}

int
command_report(const struct command *c, int argc, char **argv)
{
	struct request r = { .colour = "auto" };
	bool json = false, html = false, text = false, csv = false;
	const struct option_row rows[] = {
		{ "text", OPTION_FLAG, NULL, &text, "for a terminal (default)" },
		{ "json", OPTION_FLAG, NULL, &json, "for programs; stable" },
		{ "html", OPTION_FLAG, NULL, &html, "one self-contained file" },
		{ "csv", OPTION_FLAG, NULL, &csv, "a line for each test, for spreadsheets" },
		{ "compare", OPTION_TEXT, "TOKEN", &r.compare,
		    "what changed since this run; previous: since the one before" },
		{ "output", OPTION_TEXT, "FILE", &r.output, "instead of standard output" },
		{ "set", OPTION_TEXT, "NAME", &r.set, "these tests instead of those enrolled for" },
		{ "wait", OPTION_OPTIONAL, "final", &r.wait,
		    "until nothing is pending; final: until every verdict is" },
		{ "timeout", OPTION_DURATION, "TIME", &r.timeout, "of --wait, such as 10m" },
		{ "at", OPTION_TIME, "TIME", &r.at, "as it was then" },
		{ "fail-on", OPTION_TEXT, "VERDICT", &r.fail_on,
		    "code 1 if any test has it, e.g. violates" },
		{ "width", OPTION_NUMBER, "N", &r.style.width, "columns of the text" },
		{ "colour", OPTION_TEXT, "WHEN", &r.colour, "auto, always or never" },
	};
	struct report *report;
	int rc;

	command_options(c, rows, sizeof(rows) / sizeof(*rows), argc, argv, 1, 1);
	if (text + json + html + csv > 1)
		log_fatal(EXIT_USAGE, "report: --text, --json, --html, --csv: give one of them");
	r.view = report_view(json ? "json" : html ? "html" : csv ? "csv" : "text");
	check_request(&r);
	r.site = command_site(0);
	r.token = command_token(r.site, argv[1]);
	report = wait_for(&r);
	rc = write_report(&r, report);
	if (rc == EXIT_DONE && r.fail_on != NULL && report_has(report, r.fail_grade))
		rc = EXIT_FAIL_ON;
	report_free(report);
	site_free(r.site);
	return rc;
}
