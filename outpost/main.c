/* outpost - the command for people: a table of subcommands. */
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "outpost/command.h"

static const struct command commands[] = {
	{ "init", command_init, "DIR", "make a site directory, or what is missing in one" },
	{ "run", command_run, "", "start and supervise the daemons, load their logs" },
	{ "check", command_check, "[TEST]", "is every test served as it is specified?" },
	{ "tests", command_tests, "[NAME]", "list the catalogue, show one test, check them all" },
	{ "enrol", command_enrol, "[LABEL]", "a new participant: token and measurement addresses" },
	{ "certs", command_certs, "", "policy certificates of a public CA, issued ahead" },
	{ "report", command_report, "TOKEN", "verdicts of a participant, with evidence" },
	{ "events", command_events, "TOKEN", "raw observations of a participant" },
	{ "verify", command_verify, "FILE", "who wrote a stored message: SPF, DKIM, ARC, DMARC" },
	{ "ingest", command_ingest, "", "load new log lines into the store" },
	{ "invite", command_invite, "", "write to those who are to be invited" },
	{ "mail", command_mail, "[MAILDIR]",
	    "mail to postmaster and abuse: list it, or put what is new there" },
	{ "maillog", command_maillog, "",
	    "read what this host's mail server says of our messages" },
	{ "key", command_key, "add|list|revoke [LABEL|ID]", "keys of the HTTP interface" },
	{ "optout", command_optout, "add|list|check [WHAT...]", "who wants no mail, for ever" },
	{ "release", command_release, "TOKEN...",
	    "end what a participant still has queued, by 550" },
	{ "forget", command_forget, "TOKEN|ADDRESS", "take a participant out of everything" },
	{ "expire", command_expire, "", "remove what is older than outpost.conf's retention" },
	{ "lab", command_lab, "up|send|shell|down ...", "the offline lab" },
	{ "manual", command_manual, "events|conf", "print the generated part of a manual page" },
	{ NULL, NULL, NULL, NULL },
};

static int
help(FILE *f)
{
	fprintf(f, "usage: outpost [-C DIR] COMMAND [OPTION...]\n\n");
	for (const struct command *c = commands; c->name != NULL; c++)
		fprintf(f, "  %-8s %s\n", c->name, c->about);
	fprintf(f,
	    "\n  -C DIR     site directory (else $OUTPOST_SITE, else /var/lib/outpost, else the "
	    "lab's if one is up)\n"
	    "  --version  print the version\n\n"
	    "outpost COMMAND --help says more about one.  Exit codes: 0 done, 1 a condition "
	    "that was asked for\n"
	    "holds (--fail-on, check), 2 usage or configuration, 3 could not do it.\n");
	return EXIT_DONE;
}

static const struct command *
find(const char *name)
{
	const struct command *c = commands;

	while (c->name != NULL && strcmp(c->name, name) != 0)
		c++;
	return c->name != NULL ? c : NULL;
}

int
main(int argc, char **argv)
{
	const struct command *c;
	int i = 1;

	log_program("outpost");
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return help(stdout);
		if (strcmp(argv[i], "--version") == 0)
			return printf("outpost %s\n", OUTPOST_VERSION) < 0 ? EXIT_CANNOT
									   : EXIT_DONE;
		if (strcmp(argv[i], "-C") != 0 || i + 1 == argc)
			log_fatal(EXIT_USAGE,
			    "%s: unknown option, or its value is missing: see outpost --help",
			    argv[i]);
		command_set_site_dir(argv[++i]);
	}
	if (i == argc) {
		help(stderr);
		return EXIT_USAGE;
	}
	if ((c = find(argv[i])) == NULL)
		log_fatal(EXIT_USAGE, "%s: no such command: see outpost --help", argv[i]);
	return c->run(c, argc - i, argv + i);
}
