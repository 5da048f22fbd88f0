/* lint.c - see lint.h. */
#include "outpost/lint.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/log.h"
#include "results/trace.h"
#include "zones/catalogue.h"

int
lint_catalogue(const char *dir, const char *only)
{
	char err[1024];
	struct catalogue *c = catalogue_load(dir, err, sizeof(err));
	unsigned wrong = 0;
	size_t traces = 0, tests = 0;

	if (c == NULL) {
		fprintf(stderr, "%s\n", err);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < c->n; i++) {
		unsigned bad;

		if (only != NULL && strcasecmp(c->tests[i]->name, only) != 0)
			continue;
		tests++;
		traces += c->tests[i]->n_traces;
		if ((bad = trace_run(c->tests[i], c, err, sizeof(err))) > 0)
			fprintf(stderr, "%s%s\n", err,
			    bad > 1 ? " (and more traces of this test)" : "");
		wrong += bad;
	}
	catalogue_free(c);
	if (tests == 0)
		log_fatal(EXIT_USAGE, "tests: %s: no such test: see outpost tests", only);
	printf("%zu tests, %zu traces, %u wrong\n", tests, traces, wrong);
	return wrong == 0 ? EXIT_DONE : EXIT_USAGE;
}
