/* authdns - the authoritative server of an Outpost site; see outpost-authdns(8). */
#include "authdns/daemon.h"
#include "provisioning/program.h"

int
main(int argc, char **argv)
{
	static const struct program program = { "authdns",
		"Serves the zones of a site and records every query.", daemon_run };

	return program_main(&program, argc, argv);
}
