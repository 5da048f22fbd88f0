/* program.c - see program.h. */
#include "provisioning/program.h"

#include <getopt.h>
#include <stdio.h>

#include "lib/log.h"
#include "provisioning/site.h"

static void
usage(FILE *f, const struct program *p)
{
	fprintf(f,
	    "usage: %s [-q] [-C DIR]\n"
	    "%s\n"
	    "  -C DIR       site directory (default: $OUTPOST_SITE, then /var/lib/outpost)\n"
	    "  -q           say only what is wrong\n"
	    "  --version    print the version\n"
	    "  --help       this text\n"
	    "Runs in the foreground.  SIGTERM stops it, SIGHUP loads the site again.  Exit code 2: "
	    "wrong\n"
	    "usage or configuration, 3: could not serve.  See outpost-%s(8).\n",
	    p->name, p->does, p->name);
}

int
program_main(const struct program *p, int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *dir = NULL;
	int c;

	log_program(p->name);
	while ((c = getopt_long(argc, argv, "C:hq", options, NULL)) != -1)
		switch (c) {
		case 'C':
			dir = optarg;
			break;
		case 'q':
			log_quiet(true);
			break;
		case 'h':
			usage(stdout, p);
			return EXIT_DONE;
		case 'V':
			printf("%s (outpost) %s\n", p->name, OUTPOST_VERSION);
			return EXIT_DONE;
		default:
			usage(stderr, p);
			return EXIT_USAGE;
		}
	if (optind < argc) {
		log_warn("%s: unexpected argument: see %s --help", argv[optind], p->name);
		return EXIT_USAGE;
	}
	return p->run(site_dir(dir));
}
