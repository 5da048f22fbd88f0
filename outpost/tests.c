/* outpost tests: the catalogue, without a site. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "outpost/command.h"
#include "outpost/lint.h"

static const char *const set_names[] = { "quick", "standard", "full" };

/* The smallest of the three that holds it; they contain each other. */
static const char *
set_of(const struct test *t)
{
	for (size_t i = 0; i < sizeof(set_names) / sizeof(*set_names); i++)
		if (catalogue_in_set(t, set_names[i]))
			return set_names[i];
	return "full";
}

static void
print_list(const struct catalogue *c)
{
	printf("%-6s %-26s %-9s %-9s %s\n", "NUMBER", "NAME", "GROUP", "SET", "TITLE");
	for (size_t i = 0; i < c->n; i++)
		printf("%-6u %-26s %-9s %-9s %s\n", c->tests[i]->number, c->tests[i]->name,
		    c->tests[i]->group, set_of(c->tests[i]), c->tests[i]->title);
}

static void
print_names(const char *what, char *const *name, unsigned n)
{
	if (n == 0)
		return;
	printf("%-10s", what);
	for (unsigned i = 0; i < n; i++)
		printf(" %s", name[i]);
	putchar('\n');
}

/* The text with lines of at most 76 characters. */
static void
print_folded(const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t blank = strspn(text, " \n"), word;

		text += blank;
		word = strcspn(text, " \n");
		if (column > 0 && column + 1 + word > 76) {
			putchar('\n');
			column = 0;
		}
		column += (size_t)printf("%s%.*s", column > 0 ? " " : "", (int)word, text);
		text += word;
	}
	putchar('\n');
}

static void
print_test(const struct test *t)
{
	printf("%-10s %s\n%-10s %u\n%-10s %s\n%-10s", "test", t->name, "number", t->number, "group",
	    t->group, "sets");
	for (unsigned i = 0; i < t->n_sets; i++)
		printf(" %s", t->sets[i]);
	printf(" full %s\n", t->group);
	print_names("control", t->control, t->n_control);
	print_names("contrast", t->contrast, t->n_contrast);
	print_names("graded on", t->graded_on, t->n_graded_on);
	printf("%-10s %s\n%-10s %s\n\n", "spec", t->spec != NULL ? t->spec : "-", "file", t->path);
	print_folded(t->title);
	putchar('\n');
	if (t->about != NULL)
		print_folded(t->about);
	printf("\nVerdicts, the first that holds:\n");
	for (size_t i = 0; i < t->n_verdicts; i++)
		printf("  %-14s %s\n", grade_name(t->verdicts[i].grade), t->verdicts[i].reason);
	if (t->fooled_by != NULL) {
		printf("\nHow this verdict could be wrong:\n");
		print_folded(t->fooled_by);
	}
}

static void
add_member(struct strbuf *b, const char *key, const char *value)
{
	if (value != NULL)
		json_put(b, key, value);
	else
		json_put_null(b, key);
}

static void
add_fixes(struct strbuf *b, const struct test *t)
{
	json_begin(b, "fix", '[');
	for (enum grade g = 0; g < GRADE_MAX; g++) {
		for (enum fix who = 0; who < FIX_MAX; who++) {
			if (t->fix[g][who] == NULL)
				continue;
			json_begin(b, NULL, '{');
			json_put(b, "verdict", grade_name(g));
			json_put(b, "for", fix_name(who));
			json_put(b, "text", t->fix[g][who]);
			json_end(b, '}');
		}
	}
	json_end(b, ']');
}

static void
add_test(struct strbuf *b, const struct test *t)
{
	json_key(b, NULL);
	strbuf_puts(b, "\n");
	json_begin(b, NULL, '{');
	json_put_num(b, "number", t->number);
	add_member(b, "test", t->name);
	add_member(b, "group", t->group);
	json_put_list(b, "sets", t->sets, t->n_sets);
	json_put_list(b, "control", t->control, t->n_control);
	json_put_list(b, "contrast", t->contrast, t->n_contrast);
	json_put_list(b, "graded_on", t->graded_on, t->n_graded_on);
	add_member(b, "title", t->title);
	add_member(b, "spec", t->spec);
	add_member(b, "about", t->about);
	add_member(b, "fooled_by", t->fooled_by);
	add_fixes(b, t);
	json_end(b, '}');
}

static void
print_json(const struct catalogue *c, const struct test *only)
{
	struct strbuf b = { 0 };

	json_begin(&b, NULL, '{');
	json_put_num(&b, "version", 1);
	json_put(&b, "catalogue", c->digest);
	json_begin(&b, "tests", '[');
	for (size_t i = 0; i < c->n; i++)
		if (only == NULL || c->tests[i] == only)
			add_test(&b, c->tests[i]);
	strbuf_puts(&b, "\n");
	json_end(&b, ']');
	json_end(&b, '}');
	command_print_line(&b);
}

int
command_tests(const struct command *c, int argc, char **argv)
{
	const char *dir = NULL;
	bool json = false, lint = false;
	const struct option_row rows[] = {
		{ "json", OPTION_FLAG, NULL, &json, "as JSON" },
		{ "lint", OPTION_FLAG, NULL, &lint, "check every file and play its traces" },
		{ "catalogue", OPTION_TEXT, "DIR", &dir,
		    "directory of the tests (else the site's, else the installed one)" },
	};
	int operands = command_options(c, rows, sizeof(rows) / sizeof(*rows), argc, argv, 0, 1);
	const struct test *only = NULL;
	struct catalogue *catalogue;
	char found[512], base_zone[512], err[1024];

	command_catalogue_dir(found, base_zone, dir);
	if (lint)
		return lint_run(found, base_zone, operands > 0 ? argv[1] : NULL);
	if ((catalogue = catalogue_load(found, err, sizeof(err))) == NULL)
		log_fatal(EXIT_USAGE, "%s", err);
	if (operands > 0 && (only = catalogue_find(catalogue, argv[1], strlen(argv[1]))) == NULL)
		log_fatal(EXIT_USAGE, "tests: %s: no such test: see outpost tests", argv[1]);
	if (json)
		print_json(catalogue, only);
	else if (only != NULL)
		print_test(only);
	else
		print_list(catalogue);
	catalogue_free(catalogue);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_CANNOT;
}
