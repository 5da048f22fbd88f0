/* smtpd - the instrumented SMTP receiver of an Outpost site; see outpost-smtpd(8). */
#include "provisioning/program.h"
#include "smtpd/daemon.h"

int
main(int argc, char **argv)
{
	static const struct program program = { "smtpd",
		"Receives mail for the measurement addresses of a site and records everything "
		"about it.",
		daemon_run };

	return program_main(&program, argc, argv);
}
