/* web - the web site of an Outpost site; see outpost-web(8). */
#include "provisioning/program.h"
#include "web/daemon.h"

int
main(int argc, char **argv)
{
	static const struct program program = { "web",
		"Serves the web pages of a site: enrolment, live reports, the catalogue.",
		daemon_run };

	return program_main(&program, argc, argv);
}
