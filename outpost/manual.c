/* outpost manual: the parts of manual pages that come from tables. */
#include <stdio.h>
#include <string.h>

#include "lib/event.h"
#include "lib/log.h"
#include "outpost/command.h"

int
command_manual(const struct command *c, int argc, char **argv)
{
	const struct conf_row *rows;
	size_t n;

	command_options(c, NULL, 0, argc, argv, 1, 1);
	rows = site_rows(&n);
	if (strcmp(argv[1], "events") == 0)
		event_manual(stdout);
	else if (strcmp(argv[1], "conf") == 0)
		conf_manual(stdout, rows, n);
	else
		log_fatal(EXIT_USAGE, "manual: %s: not events or conf", argv[1]);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_CANNOT;
}
