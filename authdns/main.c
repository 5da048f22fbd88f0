/* authdns - the authoritative server of an Outpost site; see outpost-authdns(8). */
#include <getopt.h>
#include <stdio.h>

#include "authdns/daemon.h"
#include "lib/log.h"
#include "provisioning/site.h"

static const char usage[] =
    "usage: authdns [-C DIR] [--help] [--version]\n"
    "  -C DIR   site directory (default: $OUTPOST_SITE, then /var/lib/outpost)\n"
    "Runs in the foreground.  SIGTERM stops it, SIGHUP loads the site again.\n";

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 } };
	const char *dir = NULL;
	int c;

	log_program("authdns");
	while ((c = getopt_long(argc, argv, "C:h", options, NULL)) != -1)
		switch (c) {
		case 'C':
			dir = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_DONE;
		case 'V':
			puts("outpost " OUTPOST_VERSION);
			return EXIT_DONE;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	if (optind < argc) {
		log_warn("%s: unexpected argument: see authdns --help", argv[optind]);
		return EXIT_USAGE;
	}
	return daemon_run(site_dir(dir));
}
