/* outpost key: who may use the HTTP interface. */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "outpost/command.h"
#include "provisioning/apikeys.h"

static int
add(struct apikeys *all, const char *label, unsigned limit, bool json)
{
	char text[APIKEY_TEXT_MAX];

	if (strlen(label) > APIKEY_LABEL_MAX)
		log_fatal(EXIT_USAGE, "key: the label is longer than %d octets", APIKEY_LABEL_MAX);
	if (apikeys_add(all, text, label, limit, clock_now()) != 0)
		return EXIT_CANNOT;
	if (json) {
		struct strbuf b = { 0 };

		json_begin(&b, NULL, '{');
		json_put(&b, "key", text);
		json_end(&b, '}');
		command_print_line(&b);
	} else {
		puts(text);
	}
	log_info("key: shown this once; its owner sends it as: Authorization: Bearer KEY");
	return EXIT_DONE;
}

static int
list(const struct apikeys *all, bool json)
{
	for (size_t i = 0; i < apikeys_number(all); i++) {
		const struct apikey *k = apikeys_row(all, i);
		char when[CLOCK_TEXT_MAX];
		struct strbuf b = { 0 };

		clock_format(when, k->t_us);
		if (json) {
			json_begin(&b, NULL, '{');
			json_put(&b, "id", k->id);
			json_put_time(&b, "t", k->t_us);
			json_put_num(&b, "limit", k->limit);
			json_put_bool(&b, "revoked", k->revoked);
			json_put(&b, "label", k->label);
			json_end(&b, '}');
			command_print_line(&b);
		} else {
			printf("%s  %.10s  %5u runs a day  %-8s %s\n", k->id, when, k->limit,
			    k->revoked ? "revoked" : "", k->label);
		}
	}
	return EXIT_DONE;
}

static int
revoke(struct apikeys *all, const char *id)
{
	int rc = apikeys_revoke(all, id, clock_now());

	if (rc > 0)
		log_fatal(EXIT_USAGE,
		    "key: %s: no such key, or revoked already: see outpost key list", id);
	return rc == 0 ? EXIT_DONE : EXIT_CANNOT;
}

int
command_key(const struct command *c, int argc, char **argv)
{
	unsigned limit = APIKEY_LIMIT_DAY;
	bool json = false;
	const struct option_row rows[] = {
		{ "limit", OPTION_NUMBER, "N", &limit, "add: runs a day that it may begin (100)" },
		{ "json", OPTION_FLAG, NULL, &json, "add, list: as JSON" },
	};
	int n = command_options(c, rows, sizeof(rows) / sizeof(*rows), argc, argv, 1, 2), rc;
	const char *what = argv[1];
	struct apikeys *all;
	struct site *site;

	if (strcmp(what, "add") != 0 && (strcmp(what, "list") != 0 || n > 1) &&
	    (strcmp(what, "revoke") != 0 || n < 2))
		log_fatal(EXIT_USAGE, "key: %s: must be add [LABEL], list or revoke ID", what);
	site = command_site(0);
	command_must_own(site);
	if ((all = apikeys_open(site)) == NULL)
		rc = EXIT_CANNOT;
	else if (what[0] == 'a')
		rc = add(all, n > 1 ? argv[2] : "", limit, json);
	else
		rc = what[0] == 'l' ? list(all, json) : revoke(all, argv[2]);
	apikeys_close(all);
	site_free(site);
	return fflush(stdout) == 0 ? rc : EXIT_CANNOT;
}
