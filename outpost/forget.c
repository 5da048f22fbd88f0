/* outpost forget: a participant taken out of journals, logs and store, and the proof that nothing is left. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "outpost/command.h"
#include "provisioning/forget.h"
#include "provisioning/lock.h"
#include "provisioning/optout.h"
#include "results/purge.h"
#include "results/store.h"

#define ROTATE_MAX (60 * CLOCK_SECOND) /* sessions that are still open hold their segment */

struct job {
	const struct site *site;
	struct forget *who;
	struct store *store;
	struct forgotten state, logs;
	struct forget_proof proof;
	uint64_t rows;
};

static int
cut(void *ctx, const char *name, uint64_t size)
{
	return purge_cut(ctx, name, size);
}

/* Those who write the segments begin new ones. */
static void
rotate(const struct site *site)
{
	static const char *const programs[] = { "authdns", "smtpd" };
	pid_t pid = lock_holder(site, "run");

	if (pid > 0) {
		kill(pid, SIGHUP);
		return;
	}
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		if ((pid = lock_holder(site, programs[i])) > 0)
			kill(pid, SIGHUP);
}

static int
clean_logs(struct job *j)
{
	const struct timespec pause = { .tv_nsec = 300 * 1000 * 1000 };
	int64_t until = clock_monotonic() + ROTATE_MAX;
	uint64_t lines = 0;
	bool asked = false;

	for (;;) {
		memset(&j->logs, 0, sizeof(j->logs));
		if (command_load_new(j->site, NULL) != 0 || forget_look(j->who) != 0 ||
		    forget_logs(j->who, &j->logs, cut, j->store) != 0)
			return -1;
		j->logs.lines = lines += j->logs.lines;
		if (j->logs.busy == 0)
			return 0;
		if (!asked)
			rotate(j->site);
		asked = true;
		if (clock_monotonic() > until) {
			log_warn("forget: %u segments that name it are still written by open "
				 "sessions: run this again later",
			    j->logs.busy);
			return -1;
		}
		nanosleep(&pause, NULL);
	}
}

static bool
names(void *ctx, const char *line, size_t len)
{
	return forget_names(ctx, line, len);
}

static int
clean_store(struct job *j)
{
	const char *text;
	bool addresses = false;

	for (size_t i = 0; (text = forget_row(j->who, i)) != NULL; i++) {
		addresses |= strchr(text, '@') != NULL;
		if (strchr(text, '@') == NULL && purge_token(j->store, text, &j->rows) != 0)
			return -1;
	}
	if (addresses && purge_lines(j->store, names, j->who, &j->rows) != 0)
		return -1;
	return purge_scrub(j->store);
}

static void
on_left(void *ctx, const char *path)
{
	(void)ctx;
	log_warn("forget: %s: still names it: run this again, or look who wrote it", path);
}

static void
print_json(const struct job *j)
{
	struct strbuf b = { 0 };
	const char *text;

	json_begin(&b, NULL, '{');
	json_begin(&b, "forgotten", '[');
	for (size_t i = 0; (text = forget_row(j->who, i)) != NULL; i++)
		json_put(&b, NULL, text);
	json_end(&b, ']');
	json_begin(&b, "state", '{');
	json_put_num(&b, "files", j->state.files);
	json_put_num(&b, "lines", (int64_t)j->state.lines);
	json_end(&b, '}');
	json_begin(&b, "log", '{');
	json_put_num(&b, "files", j->logs.files);
	json_put_num(&b, "lines", (int64_t)j->logs.lines);
	json_end(&b, '}');
	json_begin(&b, "store", '{');
	json_put_num(&b, "rows", (int64_t)j->rows);
	json_end(&b, '}');
	json_begin(&b, "proof", '{');
	json_put_num(&b, "files", j->proof.files);
	json_put_num(&b, "octets", (int64_t)j->proof.octets);
	json_put_num(&b, "left", j->proof.left);
	json_end(&b, '}');
	json_end(&b, '}');
	command_print_line(&b);
}

static void
print(const struct job *j)
{
	const char *text;

	printf("Forgotten:");
	for (size_t i = 0; (text = forget_row(j->who, i)) != NULL; i++)
		printf(" %s", text);
	printf("\n  state     %u journals, %llu lines taken out\n", j->state.files,
	    (unsigned long long)j->state.lines);
	printf("  log       %u segments, %llu lines taken out\n", j->logs.files,
	    (unsigned long long)j->logs.lines);
	printf("  store.db  %llu rows taken out\n", (unsigned long long)j->rows);
	printf("Looked through all %u files of %s, %llu octets: %s\n", j->proof.files, j->site->dir,
	    (unsigned long long)j->proof.octets,
	    j->proof.left == 0 ? "nothing is left." : "something is LEFT.");
}

static int
forget_all(struct job *j, bool json)
{
	int rc = -1;

	/* The journals last: they know which tokens an address has, so what is cut short can begin again. */
	if (clean_logs(j) == 0 && clean_store(j) == 0 && forget_state(j->who, &j->state) == 0)
		rc = forget_prove(j->who, &j->proof, on_left, NULL);
	if (rc != 0)
		return EXIT_CANNOT;
	if (json)
		print_json(j);
	else
		print(j);
	return j->proof.left == 0 ? EXIT_DONE : EXIT_CANNOT;
}

int
command_forget(const struct command *c, int argc, char **argv)
{
	bool json = false;
	const struct option_row rows[] = {
		{ "json", OPTION_FLAG, NULL, &json, "say it as JSON" },
	};
	struct job j = { 0 };
	char path[512], address[OPTOUT_TEXT_MAX];
	struct site *site;
	int rc = EXIT_CANNOT;

	command_options(c, rows, sizeof(rows) / sizeof(*rows), argc, argv, 1, 1);
	j.site = site = command_site(0);
	command_must_own(site);
	j.who = forget_new(site);
	if (strchr(argv[1], '@') == NULL)
		forget_token(j.who, command_token(site, argv[1]).text);
	else if (strlen(argv[1]) < sizeof(address) &&
		 optout_address(address, argv[1], strlen(argv[1]), NULL))
		forget_address(j.who, address);
	else
		log_fatal(EXIT_USAGE, "forget: %s: not a mail address", argv[1]);
	site_path(path, site, "", "store.db");
	if (forget_look(j.who) == 0 && (j.store = store_open(path)) != NULL)
		rc = forget_all(&j, json);
	store_close(j.store);
	forget_free(j.who);
	site_free(site);
	return fflush(stdout) == 0 ? rc : EXIT_CANNOT;
}
