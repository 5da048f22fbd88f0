/* lint.c - see lint.h. */
#include "outpost/lint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "results/trace.h"
#include "zones/basezone.h"
#include "zones/lint.h"

static void
say(void *ctx, enum lint_level level, const char *text)
{
	(void)ctx;
	fprintf(stderr, "%s%s\n", level == LINT_WARNING ? "warning: " : "", text);
}

static unsigned
play(const struct test *t, const struct catalogue *c)
{
	char err[1024];
	unsigned bad = trace_run(t, c, err, sizeof(err));

	if (bad > 0)
		fprintf(stderr, "%s%s\n", err, bad > 1 ? " (and more traces of this test)" : "");
	return bad;
}

int
lint_run(const char *dir, const char *base_zone, const char *only)
{
	char err[1024];
	struct basezone *base = basezone_load(base_zone, err, sizeof(err));
	struct catalogue *c = base != NULL ? catalogue_load(dir, err, sizeof(err)) : NULL;
	const struct test *one = NULL;
	unsigned wrong;
	size_t traces = 0;

	if (c == NULL) {
		if (access(dir, R_OK) != 0)
			log_warn("tests: %s: %s: install Outpost, or give --catalogue", dir,
			    strerror(errno));
		else
			fprintf(stderr, "%s\n", err);
		basezone_free(base);
		return EXIT_USAGE;
	}
	if (only != NULL && (one = catalogue_find(c, only, strlen(only))) == NULL)
		log_fatal(EXIT_USAGE, "tests: %s: no such test: see outpost tests", only);
	wrong = one != NULL ? lint_test(one, say, NULL) : lint_catalogue(c, say, NULL);
	for (size_t i = 0; i < c->n; i++) {
		if (one != NULL && c->tests[i] != one)
			continue;
		traces += c->tests[i]->n_traces;
		wrong += play(c->tests[i], c);
	}
	printf("%zu tests, %zu traces, %u wrong\n", one != NULL ? (size_t)1 : c->n, traces, wrong);
	catalogue_free(c);
	basezone_free(base);
	return wrong == 0 ? EXIT_DONE : EXIT_USAGE;
}
