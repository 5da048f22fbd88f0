/* outpost release: a participant has enough of it. */
#include <stdio.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "outpost/command.h"
#include "provisioning/released.h"

/* What the release cannot end, one line for each test. */
static void
print_staying(const struct catalogue *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n; i++) {
		const struct test *t = c->tests[i];
		const char *why = released_covers(t) ? released_stays(t) : NULL;

		if (why == NULL)
			continue;
		if (!any)
			printf("What is queued for these may stay until the sender gives it up, or "
			       "deletes it:\n");
		any = true;
		printf("  %-20s %s\n", t->name, why);
	}
}

static void
print_json(const struct catalogue *c, const char *token, bool was)
{
	struct strbuf b = { 0 };

	json_begin(&b, NULL, '{');
	json_put(&b, "token", token);
	json_put_bool(&b, "new", !was);
	json_begin(&b, "stays", '[');
	for (size_t i = 0; i < c->n; i++)
		if (released_covers(c->tests[i]) && released_stays(c->tests[i]) != NULL)
			json_put(&b, NULL, c->tests[i]->name);
	json_end(&b, ']');
	json_end(&b, '}');
	printf("%s\n", b.s);
	strbuf_clear(&b);
}

int
command_release(const struct command *c, int argc, char **argv)
{
	bool json = false;
	const struct option_row rows[] = {
		{ "json", OPTION_FLAG, NULL, &json, "as JSON Lines" },
	};
	int n = command_options(c, rows, sizeof(rows) / sizeof(*rows), argc, argv, 1, 1000000);
	struct site *site = command_site(SITE_SECRET);

	command_must_own(site);
	for (int i = 1; i <= n; i++)
		command_token(site, argv[i]); /* all are right, or none is released */
	for (int i = 1; i <= n; i++) {
		struct token t = command_token(site, argv[i]);
		int rc = released_add(site, &t, "command", clock_now());

		if (rc < 0)
			return EXIT_CANNOT;
		if (json)
			print_json(site->catalogue, t.text, rc > 0);
		else
			printf("%s: %s\n", t.text,
			    rc > 0 ? "was released already"
				   : "released: what it has queued gets 550 at the next retry");
	}
	if (!json)
		print_staying(site->catalogue);
	site_free(site);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_CANNOT;
}
