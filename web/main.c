/* main.c - web, the web site of a site: enrolment, reports, catalogue. */
#include <getopt.h>
#include <stdio.h>

#include "lib/log.h"
#include "provisioning/site.h"
#include "web/daemon.h"

static const char usage[] =
    "usage: web [-C DIR] [-q]\n"
    "Serves the web pages of a site: enrolment, live reports, the catalogue.\n"
    "  -C DIR       site directory (default $OUTPOST_SITE or /var/lib/outpost)\n"
    "  -q           say only what is wrong\n"
    "  --version    print the version\n"
    "  --help       this text\n"
    "Runs in the foreground.  SIGTERM stops, SIGHUP loads configuration, tests and certificate\n"
    "again.  Exit code 2: wrong usage or configuration, 3: could not serve.  See "
    "outpost-web(8).\n";

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *dir = NULL;
	int c;

	log_program("web");
	while ((c = getopt_long(argc, argv, "C:q", options, NULL)) != -1) {
		switch (c) {
		case 'C':
			dir = optarg;
			break;
		case 'q':
			log_quiet(true);
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_DONE;
		case 'V':
			puts("web " OUTPOST_VERSION);
			return EXIT_DONE;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return daemon_run(site_dir(dir));
}
