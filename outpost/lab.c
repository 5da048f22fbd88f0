/* outpost lab: hands over to the lab's script, which is beside us or installed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "outpost/command.h"

int
command_lab(const struct command *c, int argc, char **argv)
{
	static const char *const places[] = { "tests/lab/lab", "../tests/lab/lab",
		"../share/outpost/lab/lab", OUTPOST_SHAREDIR "/lab/lab", NULL };
	char program[512], self[600], script[512];

	(void)c;
	site_program_dir(program);
	snprintf(self, sizeof(self), "%s/outpost", program);
	site_find_part(script, places);
	if (setenv("OUTPOST", self, 1) != 0)
		log_fatal(EXIT_CANNOT, "lab: %s", strerror(errno));
	(void)argc; /* argv ends in NULL */
	argv[0] = script;
	execv(script, argv);
	log_fatal(EXIT_CANNOT, "%s: %s: install the lab (make install) or run from the source tree",
	    script, strerror(errno));
}
