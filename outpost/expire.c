/* outpost expire: what is older than the retention. */
#include <stdio.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "outpost/command.h"
#include "provisioning/expire.h"
#include "results/purge.h"
#include "results/store.h"

static int
expire_store(uint64_t *rows, const struct site *site, int64_t t_us)
{
	char path[512], logs[512];
	struct store *st;
	int rc;

	site_path(path, site, "", "store.db");
	site_path(logs, site, "", "log");
	if ((st = store_open(path)) == NULL)
		return -1;
	/* Reading all of a large store is worth it only if something left it. */
	rc = purge_before(st, logs, t_us, rows);
	if (rc == 0 && (rc = purge_due(st)) == 1)
		rc = purge_scrub(st);
	store_close(st);
	return rc;
}

static void
print_json(const struct expired *e, uint64_t rows, int64_t before_us)
{
	struct strbuf b = { 0 };

	json_begin(&b, NULL, '{');
	json_put_time(&b, "before", before_us);
	json_put_num(&b, "segments", e->segments);
	json_put_num(&b, "octets", (int64_t)e->octets);
	json_put_num(&b, "lines", (int64_t)e->lines);
	json_put_num(&b, "rows", (int64_t)rows);
	json_end(&b, '}');
	command_print_line(&b);
}

int
command_expire(const struct command *c, int argc, char **argv)
{
	bool quiet = false, json = false;
	const struct option_row rows[] = {
		{ "quiet", OPTION_FLAG, NULL, &quiet, "say nothing" },
		{ "json", OPTION_FLAG, NULL, &json, "say it as JSON" },
	};
	struct expired e = { 0 };
	uint64_t removed = 0;
	struct site *site;
	int64_t t_us;
	char when[CLOCK_TEXT_MAX];
	int rc = 0;

	command_options(c, rows, sizeof(rows) / sizeof(*rows), argc, argv, 0, 0);
	site = command_site(0);
	command_must_own(site);
	t_us = clock_now() - site->conf.retention;
	clock_format(when, t_us);
	if (site->conf.retention == 0) {
		if (!quiet)
			log_info("retention is 0: all is kept: see outpost.conf(5)");
	} else {
		/* The files first: what is no more there cannot be loaded again. */
		rc = expire_files(&e, site, t_us) | expire_store(&removed, site, t_us);
		if (json)
			print_json(&e, removed, t_us);
		else if (!quiet)
			printf("Before %.10s: %u segments, %llu lines of journals and %llu rows of "
			       "the store removed\n",
			    when, e.segments, (unsigned long long)e.lines,
			    (unsigned long long)removed);
	}
	site_free(site);
	return rc == 0 && fflush(stdout) == 0 ? EXIT_DONE : EXIT_CANNOT;
}
