/* outpost optout: who wants no mail from this site. */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "outpost/command.h"
#include "provisioning/optout.h"

static struct optout
parse(const struct site *site, const char *text)
{
	struct optout o;
	const char *why;

	if (!optout_parse(&o, site, text, &why))
		log_fatal(EXIT_USAGE, "optout: %s: %s", text, why);
	return o;
}

static int
add(struct optouts *all, const struct site *site, int n, char **what)
{
	for (int i = 0; i < n; i++)
		parse(site, what[i]); /* all are right, or none is added */
	for (int i = 0; i < n; i++) {
		struct optout o = parse(site, what[i]);
		int rc = optouts_add(all, &o, "command", 0, clock_now());

		if (rc < 0)
			return EXIT_CANNOT;
		printf("%s: %s\n", what[i], rc > 0 ? "was out already" : "gets no mail any more");
	}
	return EXIT_DONE;
}

static int
print_row(void *ctx, const struct optout *o, int64_t t_us, const char *by)
{
	const bool *json = ctx;
	char text[96], when[CLOCK_TEXT_MAX];
	const char *what = text, *kind = optout_kind_name(o->kind);
	struct strbuf b = { 0 };

	optout_format(text, o);
	if (o->kind == OPTOUT_ADDRESS || o->kind == OPTOUT_DOMAIN)
		what = strchr(text, ' ') + 1;
	if (*json) {
		json_begin(&b, NULL, '{');
		json_put_time(&b, "t", t_us);
		json_put(&b, "kind", kind);
		json_put(&b, "what", what);
		json_put(&b, "by", by);
		json_end(&b, '}');
		command_print_line(&b);
	} else {
		clock_format(when, t_us);
		printf("%.20s  %-8s %s (%s)\n", when, kind, what, by);
	}
	return 0;
}

/* An address is out also by its domain; a network or a number only by itself or, an address of a host, by
 * its network. */
static int
check(const struct optouts *all, const struct site *site, int n, char **what)
{
	bool out = false;

	for (int i = 0; i < n; i++) {
		struct optout o = parse(site, what[i]);
		union sockaddr_any a;
		char domain[OPTOUT_TEXT_MAX];
		bool is;

		memset(&a, 0, sizeof(a));
		snprintf(domain, sizeof(domain), "anybody@%.300s", what[i]);
		if (o.kind == OPTOUT_NETWORK && strchr(what[i], '/') == NULL &&
		    address_parse(&a, what[i], 0) == 0)
			is = optouts_has_network(all, &a);
		else if (o.kind == OPTOUT_ADDRESS || o.kind == OPTOUT_DOMAIN)
			is = optouts_has_address(all, o.kind == OPTOUT_DOMAIN ? domain : what[i]);
		else
			is = optouts_has(all, &o);
		printf("%s: %s\n", what[i], is ? "gets no mail" : "may be written to");
		out |= is;
	}
	return out ? EXIT_FAIL_ON : EXIT_DONE;
}

int
command_optout(const struct command *c, int argc, char **argv)
{
	bool json = false;
	const struct option_row rows[] = {
		{ "json", OPTION_FLAG, NULL, &json, "list: as JSON Lines" },
	};
	int n = command_options(c, rows, sizeof(rows) / sizeof(*rows), argc, argv, 1, 1000000),
	    rc = EXIT_DONE;
	bool is_list = strcmp(argv[1], "list") == 0, is_add = strcmp(argv[1], "add") == 0;
	struct optouts *all;
	struct site *site;

	if (!is_list && !is_add && strcmp(argv[1], "check") != 0)
		log_fatal(EXIT_USAGE, "optout: %s: must be add, list or check", argv[1]);
	if (is_list != (n == 1))
		log_fatal(EXIT_USAGE, "optout: %s %s: see outpost optout --help", argv[1],
		    is_list ? "takes nothing more" : "of whom?");
	site = command_site(SITE_SECRET);
	command_must_own(site);
	if ((all = optouts_open(site)) == NULL)
		rc = EXIT_CANNOT;
	else if (is_list)
		optouts_each(all, print_row, &json);
	else
		rc = (is_add ? add(all, site, n - 1, argv + 2) : check(all, site, n - 1, argv + 2));
	optouts_close(all);
	site_free(site);
	return fflush(stdout) == 0 ? rc : EXIT_CANNOT;
}
