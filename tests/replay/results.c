/* results: event lines become a report through the shipped correlator, judge and views.
 *   results             compares every tests/stages/NAME.in with its NAME.ref, prints TAP
 *   results FILE.in     prints the report
 * The first line of the input says what report is wanted:
 *   #report token=T set=S now=TIME pace=N view=text|json|html [width=N] [unsound=TEST]
 * The tests are those of tests/stages/catalogue, so that a change of the real ones changes no reference. */
#include <glob.h>
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
		ROW(token),
		ROW(set),
		ROW(now),
		ROW(pace),
		ROW(view),
		ROW(width),
		ROW(unsound),
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

/* The report that FILE asks for; false: said why on stderr. */
static bool
make(struct strbuf *out, const struct catalogue *cat, const char *path)
{
	struct wish w = { .set = "full", .pace = "1", .view = "text" };
	struct observations obs = { 0 };
	char *line = NULL, *save;
	size_t cap = 0;
	int64_t now;
	ssize_t len;
	FILE *in = fopen(path, "r");

	if (in == NULL) {
		log_warn("%s: cannot be read", path);
		return false;
	}
	while ((len = getline(&line, &cap, in)) > 0) {
		if (strncmp(line, "#report ", 8) != 0) {
			observations_add(&obs, line, (size_t)len);
			continue;
		}
		for (char *p = strtok_r(line + 8, " \n", &save); p != NULL;
		     p = strtok_r(NULL, " \n", &save))
			wish_word(&w, p);
	}
	free(line);
	fclose(in);
	const struct report_view *view = report_view(w.view);
	if (view == NULL || clock_parse(&now, w.now, strlen(w.now)) < 0) {
		log_warn("%s: its first line must say token=, now= and view=", path);
		observations_clear(&obs);
		return false;
	}
	struct judge j = { .pace = (unsigned)atoi(w.pace), .unsound = unsound, .ctx = &w };
	struct report_style style = { .width = (unsigned)atoi(w.width) };
	struct report *r = report_from(&obs, cat, w.token, w.set, 0, now, &j);
	view->write(out, r, &style);
	report_free(r);
	return true;
}

/* 0: the same. */
static unsigned
differing_line(const char *a, const char *b)
{
	unsigned line = 1;

	for (; *a == *b; a++, b++) {
		if (*a == '\0')
			return 0;
		line += *a == '\n';
	}
	return line;
}

static bool
compare(const struct catalogue *cat, const char *path, size_t number)
{
	struct strbuf want = { 0 }, have = { 0 };
	char ref[512], chunk[4096];
	unsigned line = 1;
	size_t n;

	snprintf(ref, sizeof ref, "%.*s.ref", (int)strlen(path) - 3, path);
	FILE *f = fopen(ref, "r");
	while (f != NULL && (n = fread(chunk, 1, sizeof chunk, f)) > 0)
		strbuf_add(&want, chunk, n);
	if (f != NULL)
		fclose(f);
	if (make(&have, cat, path) && f != NULL)
		line = differing_line(have.s == NULL ? "" : have.s, want.s == NULL ? "" : want.s);
	printf("%sok %zu - %s\n", line == 0 ? "" : "not ", number, path);
	if (line != 0)
		printf("# %s: differs from line %u on: compare with what \"results %s\" prints\n",
		    ref, line, path);
	strbuf_clear(&want);
	strbuf_clear(&have);
	return line == 0;
}

int
main(int argc, char **argv)
{
	struct strbuf out = { 0 };
	glob_t g = { 0 };
	char err[512];
	bool good = true;

	log_program("results");
	struct catalogue *cat = catalogue_load("tests/stages/catalogue", err, sizeof err);
	if (cat == NULL)
		log_fatal(EXIT_USAGE, "%s", err);
	if (argc > 1) {
		good = make(&out, cat, argv[1]);
		fwrite(out.s == NULL ? "" : out.s, 1, out.len, stdout);
		strbuf_clear(&out);
	} else {
		glob("tests/stages/*.in", 0, NULL, &g);
		printf("1..%zu\n", g.gl_pathc);
		for (size_t i = 0; i < g.gl_pathc; i++)
			good &= compare(cat, g.gl_pathv[i], i + 1);
		globfree(&g);
	}
	catalogue_free(cat);
	return good ? EXIT_DONE : 1;
}
