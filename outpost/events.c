/* outpost events, outpost ingest: the raw observations. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/log.h"
#include "outpost/command.h"
#include "results/store.h"

#define CORRUPT_TOLD 3 /* lines that are no events whose place is told */

static void
show_progress(void *ctx, const struct store_progress *p)
{
	(void)ctx;
	fprintf(stderr, "\r%llu of %llu MB, %llu events\033[K",
	    (unsigned long long)(p->bytes >> 20), (unsigned long long)(p->bytes_total >> 20),
	    (unsigned long long)p->events);
	if (p->bytes >= p->bytes_total)
		fprintf(stderr, "\r\033[K");
}

void
command_must_own(const struct site *site)
{
	if (access(site->dir, W_OK) != 0)
		log_fatal(EXIT_CANNOT, "%s: %s: %s", site->dir, strerror(errno), log_advice(errno));
}

int
command_load_new(const struct site *site, struct store_progress *total)
{
	command_must_own(site);
	return store_ingest(site, total, isatty(STDERR_FILENO) ? show_progress : NULL, NULL);
}

static void
print_json(const struct store_progress *total)
{
	struct strbuf b = { 0 };

	json_begin(&b, NULL, '{');
	json_put_num(&b, "events", (int64_t)total->events);
	json_put_num(&b, "bytes", (int64_t)total->bytes);
	json_put_num(&b, "segments", total->segments);
	json_put_num(&b, "corrupt", (int64_t)total->corrupt);
	json_end(&b, '}');
	command_print_line(&b);
}

struct told {
	uint64_t left;
};

static int
tell_corrupt(void *ctx, const char *segment, uint64_t offset, const char *why)
{
	struct told *t = ctx;

	log_warn("log/%s: at octet %llu: no event: %s", segment, (unsigned long long)offset, why);
	return --t->left == 0;
}

/* Of this load: how many, and where the latest are. */
static void
warn_corrupt(const struct site *site, uint64_t corrupt)
{
	struct told told = { .left = corrupt < CORRUPT_TOLD ? corrupt : CORRUPT_TOLD };
	struct store *store;
	char path[512];

	log_warn("ingest: %llu lines were no events: they are skipped: look at the disk, or who "
		 "else writes into log",
	    (unsigned long long)corrupt);
	site_path(path, site, "", "store.db");
	if ((store = store_open(path)) == NULL)
		return;
	store_corrupt(store, tell_corrupt, &told);
	store_close(store);
}

int
command_ingest(const struct command *c, int argc, char **argv)
{
	struct store_progress total = { 0 };
	bool quiet = false, json = false;
	const struct option_row rows[] = {
		{ "quiet", OPTION_FLAG, NULL, &quiet, "say nothing" },
		{ "json", OPTION_FLAG, NULL, &json, "say it as JSON" },
	};
	struct site *site;
	int rc;

	command_options(c, rows, sizeof(rows) / sizeof(*rows), argc, argv, 0, 0);
	site = command_site(0);
	command_must_own(site);
	rc = quiet ? store_ingest(site, &total, NULL, NULL) : command_load_new(site, &total);
	if (rc == 0 && total.corrupt > 0)
		warn_corrupt(site, total.corrupt);
	site_free(site);
	if (rc != 0)
		return EXIT_CANNOT;
	if (json)
		print_json(&total);
	else if (!quiet)
		printf("%llu events from %u segments\n", (unsigned long long)total.events,
		    total.segments);
	return EXIT_DONE;
}

static int
print_line(void *ctx, const char *line, size_t len)
{
	(void)ctx;
	return fwrite(line, 1, len, stdout) == len && putchar('\n') != EOF ? 0 : 1;
}

int
command_events(const struct command *c, int argc, char **argv)
{
	bool json = false;
	const struct option_row rows[] = {
		{ "json", OPTION_FLAG, NULL, &json, "JSON Lines; always so" },
	};
	struct site *site;
	struct store *store;
	struct token token;
	char path[512];
	int rc = EXIT_CANNOT;

	command_options(c, rows, sizeof(rows) / sizeof(*rows), argc, argv, 1, 1);
	site = command_site(0);
	token = command_token(site, argv[1]);
	site_path(path, site, "", "store.db");
	if (command_load_new(site, NULL) == 0 && (store = store_open(path)) != NULL) {
		if (store_events(store, token.text, print_line, NULL) >= 0 && fflush(stdout) == 0)
			rc = EXIT_DONE;
		store_close(store);
	}
	site_free(site);
	return rc;
}
