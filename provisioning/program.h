/* program.h - what a daemon is called with: the same options and the same words for all of them. */
#ifndef PROVISIONING_PROGRAM_H
#define PROVISIONING_PROGRAM_H

struct program {
	const char *name;            /* in usage and log lines; its page is outpost-NAME(8) */
	const char *does;            /* a sentence, for --help */
	int (*run)(const char *dir); /* serves the site in dir until SIGTERM; the exit code */
};

/* All of its main(): reads the options and runs it.  The exit code. */
int program_main(const struct program *, int argc, char **argv);

#endif
