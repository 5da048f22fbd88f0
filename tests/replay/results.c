/* results: event lines on stdin, a report on stdout, through the shipped correlator, judge and views.
 *   results CATALOGUE < FILE.in > FILE.ref
 * The first line of the input says what report is wanted:
 *   #report token=T set=S now=TIME pace=N view=text|json|html [width=N] [unsound=TEST] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "results/report.h"

struct wish {
	char token[32], set[48], now[40], pace[16], view[16], width[16], unsound[48];
};

static void
wish_word(struct wish *w, const char *word)
{
	static const struct {
		const char *name;
		size_t offset, size;
	} rows[] = {
#define ROW(field) { #field "=", offsetof(struct wish, field), sizeof((struct wish *)0)->field }
		ROW(token), ROW(set), ROW(now), ROW(pace), ROW(view), ROW(width), ROW(unsound),
#undef ROW
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = strlen(rows[i].name);
		if (strncmp(word, rows[i].name, len) == 0)
			snprintf((char *)w + rows[i].offset, rows[i].size, "%s", word + len);
	}
}

static const char *
unsound(void *ctx, const struct test *t)
{
	const struct wish *w = ctx;

	return strcmp(w->unsound, t->name) == 0 ? "delv says that the zone is bogus" : NULL;
}

int
main(int argc, char **argv)
{
	struct wish w = { .set = "full", .pace = "1", .view = "text" };
	struct observations obs = { 0 };
	struct strbuf out = { 0 };
	char err[512], *line = NULL;
	size_t cap = 0;
	int64_t now;
	ssize_t len;

	log_program("results");
	if (argc != 2)
		log_fatal(EXIT_USAGE, "usage: results CATALOGUE < EVENTS");
	struct catalogue *cat = catalogue_load(argv[1], err, sizeof err);
	if (cat == NULL)
		log_fatal(EXIT_USAGE, "%s", err);
	while ((len = getline(&line, &cap, stdin)) > 0) {
		if (strncmp(line, "#report ", 8) == 0) {
			for (char *save, *p = strtok_r(line + 8, " \n", &save); p != NULL; p = strtok_r(NULL, " \n", &save))
				wish_word(&w, p);
		} else if (line[0] != '#') {
			observations_add(&obs, line, (size_t)len);
		}
	}
	free(line);
	const struct report_view *view = report_view(w.view);
	if (view == NULL || clock_parse(&now, w.now, strlen(w.now)) < 0)
		log_fatal(EXIT_USAGE, "the first line must say token=, now= and view=");
	struct judge j = { .pace = (unsigned)atoi(w.pace), .unsound = unsound, .ctx = &w };
	struct report_style style = { .width = (unsigned)atoi(w.width) };
	struct report *r = report_from(&obs, cat, w.token, w.set, 0, now, &j);
	view->write(&out, r, &style);
	fwrite(out.s, 1, out.len, stdout);
	strbuf_clear(&out);
	report_free(r);
	catalogue_free(cat);
	return EXIT_DONE;
}
