/* command.h - the subcommands of outpost, and how each reads its options.
 * One table of options per subcommand gives the parser and the --help text. */
#ifndef OUTPOST_COMMAND_H
#define OUTPOST_COMMAND_H

#include <stddef.h>

#include "lib/strbuf.h"
#include "provisioning/site.h"

struct command {
	const char *name;
	int (*run)(const struct command *, int argc,
	    char **argv);     /* argv[0] is the name; gives the exit code */
	const char *operands; /* for the usage line, "TOKEN", "[NAME]" or "" */
	const char *about;    /* one line */
};

enum option_kind {
	OPTION_FLAG,     /* bool */
	OPTION_TEXT,     /* const char * */
	OPTION_OPTIONAL, /* const char *; --x or --x=VALUE; "" without a value */
	OPTION_NUMBER,   /* unsigned */
	OPTION_LIST,     /* struct conf_list; comma-separated, may be repeated */
	OPTION_DURATION, /* int64_t, microseconds */
	OPTION_TIME,     /* int64_t, microseconds since 1970 */
};
struct option_row {
	const char *name; /* without the hyphens */
	enum option_kind kind;
	const char *value; /* its name in the help; NULL for a flag */
	void *dst;
	const char *about;
};

/* Reads options (every command has -C DIR and --help too) in any order with operands; argv[1..] are the
 * operands afterwards.  Their number; a mistake ends the program with code 2, --help with 0. */
int command_options(const struct command *, const struct option_row *, size_t n, int argc,
    char **argv, int min, int max);

/* The site directory of -C, $OUTPOST_SITE or the default; if there is no site, that of the lab if one is
 * up, which is said once. */
const char *command_site_dir(void);
void command_set_site_dir(const char *);
/* site_open, or the program ends with code 2. */
struct site *command_site(unsigned need);
/* A token from an operand: with the secret it must be genuine, else the program ends with code 2. */
struct token command_token(const struct site *, const char *text);

/* The directory of tests (the given one, that of the site if there is a site, else the installed one), and
 * the path of base.zone. */
void command_catalogue_dir(char dst[512], char base_zone[512], const char *given);

/* What participants did is not for everybody on this host: else the program ends with code 3. */
void command_must_own(const struct site *);

/* Prints it and a newline, and frees it. */
void command_print_line(struct strbuf *);

struct store_progress;
/* store_ingest, with progress on a terminal. */
int command_load_new(const struct site *, struct store_progress *total);

int command_init(const struct command *, int argc, char **argv);
int command_run(const struct command *, int argc, char **argv);
int command_check(const struct command *, int argc, char **argv);
int command_tests(const struct command *, int argc, char **argv);
int command_certs(const struct command *, int argc, char **argv);
int command_enrol(const struct command *, int argc, char **argv);
int command_events(const struct command *, int argc, char **argv);
int command_report(const struct command *, int argc, char **argv);
int command_ingest(const struct command *, int argc, char **argv);
int command_verify(const struct command *, int argc, char **argv);
int command_lab(const struct command *, int argc, char **argv);
int command_invite(const struct command *, int argc, char **argv);
int command_mail(const struct command *, int argc, char **argv);
int command_maillog(const struct command *, int argc, char **argv);
int command_key(const struct command *, int argc, char **argv);
int command_optout(const struct command *, int argc, char **argv);
int command_release(const struct command *, int argc, char **argv);
int command_forget(const struct command *, int argc, char **argv);
int command_expire(const struct command *, int argc, char **argv);
int command_manual(const struct command *, int argc, char **argv);

#endif
