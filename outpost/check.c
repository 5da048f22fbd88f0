/* outpost check: is every test served as its file specifies?  Seen from outside, before verdicts are
 * believed: a test that is not as specified gets none, and the report says so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/event.h"
#include "lib/journal.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "outpost/check_dns.h"
#include "outpost/check_smtp.h"
#include "outpost/command.h"

struct check {
	struct site *site;
	struct ub_ctx *resolver;
	struct token token; /* of this run; it is enrolled nowhere */
	const struct test *test;
	struct event_origin origin;
	bool json, failed_now;
	unsigned wrong;
	struct strbuf table;
};

/* One subject of the test is as specified (why is "") or not: journal and table. */
static void
note(struct check *c, const char *what, bool ok, const char *why)
{
	static struct event_line line;
	char path[512];

	event_begin(&line, EV_SITE_CHECK, &c->origin, clock_now());
	event_str(&line, EK_TEST, c->test->name);
	event_str(&line, EK_WHAT, what);
	event_bool(&line, EK_OK, ok);
	event_str(&line, EK_REASON, ok ? "" : why);
	event_end(&line);
	site_path(path, c->site, "state", "check.jsonl");
	if (journal_append(path, line.buf, line.len - 1) != 0)
		log_fatal(EXIT_CANNOT, "check: the result cannot be kept");
	if (c->json)
		fwrite(line.buf, 1, line.len, stdout);
	if (ok)
		return;
	c->failed_now = true;
	strbuf_printf(&c->table, "%-26s %-11s %s\n", "", what, why);
}

static void
check_dns(struct check *c)
{
	struct expectations x;
	char err[512] = "";

	if (expect_build(&x, c->site, c->test, &c->token, err, sizeof(err)) != 0) {
		note(c, "resolver", false, err);
		return;
	}
	note(c, "nameserver", check_served(c->site, c->test, &x, err, sizeof(err)), err);
	note(c, "resolver", check_resolved(c->resolver, &x, err, sizeof(err)), err);
	expect_clear(&x);
}

static void
check_hosts(struct check *c)
{
	char err[700] = "", what[16];

	for (unsigned k = 0; k < c->test->n_hosts; k++) {
		if (!c->test->host[k].used)
			continue;
		snprintf(what, sizeof(what), "host %u", k);
		note(c, what, check_host(c->site, c->test, k, &c->token, err, sizeof(err)), err);
	}
	note(c, "addresses", check_dead_addresses(c->site, c->test, &c->token, err, sizeof(err)),
	    err);
}

static void
check_test(struct check *c, const struct test *t)
{
	c->test = t;
	c->failed_now = false;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s\033[K", t->name);
	check_dns(c);
	check_hosts(c);
	c->wrong += c->failed_now;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	if (!c->json) {
		printf("%-26s %s\n%s", t->name, c->failed_now ? "NOT as specified" : "ok",
		    c->table.len > 0 ? c->table.s : "");
		fflush(stdout);
	}
	strbuf_reset(&c->table);
}

static void
prepare(struct check *c, const struct check_resolver_options *o)
{
	char err[512];

	c->site = command_site(SITE_SECRET | SITE_CERTS);
	c->origin.node = c->site->conf.node;
	c->origin.daemon = "check";
	c->origin.n = 1;
	if (token_new(&c->token, c->site->conf.node_number, &c->site->token_key) != 0)
		log_fatal(EXIT_CANNOT, "check: no randomness: check the OpenSSL installation");
	if ((c->resolver = check_resolver(o, err, sizeof(err))) == NULL)
		log_fatal(EXIT_USAGE, "check: %s", err);
}

int
command_check(const struct command *command, int argc, char **argv)
{
	struct check c = { .wrong = 0 };
	struct check_resolver_options o = { .anchor = getenv("OUTPOST_ROOT_ANCHOR"),
		.hints = getenv("OUTPOST_ROOT_HINTS") };
	const struct option_row rows[] = {
		{ "resolver", OPTION_TEXT, "ADDRESS", &o.forward,
		    "ask this resolver (else the root hints or /etc/resolv.conf)" },
		{ "trust-anchor", OPTION_TEXT, "FILE", &o.anchor,
		    "of the root (else $OUTPOST_ROOT_ANCHOR, else the system's)" },
		{ "root-hints", OPTION_TEXT, "FILE", &o.hints,
		    "resolve from the root (else $OUTPOST_ROOT_HINTS)" },
		{ "json", OPTION_FLAG, NULL, &c.json, "events instead of a table" },
	};
	int operands = command_options(
	    command, rows, sizeof(rows) / sizeof(*rows), argc, argv, 0, 1);
	const struct test *only = NULL;
	size_t n = 0;

	prepare(&c, &o);
	if (operands > 0 &&
	    (only = catalogue_find(c.site->catalogue, argv[1], strlen(argv[1]))) == NULL)
		log_fatal(EXIT_USAGE, "check: %s: no such test: see outpost tests", argv[1]);
	for (size_t i = 0; i < c.site->catalogue->n; i++) {
		if (only != NULL && c.site->catalogue->tests[i] != only)
			continue;
		check_test(&c, c.site->catalogue->tests[i]);
		n++;
	}
	if (!c.json)
		printf("%zu of %zu tests are as specified\n", n - c.wrong, n);
	ub_ctx_delete(c.resolver);
	strbuf_clear(&c.table);
	site_free(c.site);
	return c.wrong > 0 ? EXIT_FAIL_ON : fflush(stdout) == 0 ? EXIT_DONE : EXIT_CANNOT;
}
