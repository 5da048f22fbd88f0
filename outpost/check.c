/* outpost check: is every test served as its file specifies?  Seen from outside, before verdicts are
 * believed: a test that is not as specified gets none, and the report says so.
 *
 * Most of the time goes by in waiting, for answers that come late or never as their test wants it: so
 * many processes take one test after the other, and the parent prints what they found in order. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/event.h"
#include "lib/journal.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "outpost/check_dns.h"
#include "outpost/check_smtp.h"
#include "outpost/command.h"
#include "outpost/mailbox.h"

#define WORKERS     24
#define RESULT_TEXT 3800 /* a result is one write to a pipe, which is whole up to PIPE_BUF */

struct check {
	struct site *site;
	struct check_resolver_options options;
	struct ub_ctx *resolver;
	struct token token; /* of this run; it is enrolled nowhere */
	const struct test *test;
	struct event_origin origin;
	bool json, failed_now;
	struct strbuf table;
};

struct result {
	size_t index; /* of the test in the catalogue */
	bool wrong;
	char text[RESULT_TEXT];
};
_Static_assert(sizeof(struct result) <= 4096, "PIPE_BUF");

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
	if (c->json && write(STDOUT_FILENO, line.buf, line.len) != (ssize_t)line.len)
		log_fatal(EXIT_CANNOT, "check: standard output: cannot be written");
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

/* The test of this index, and the result to the parent. */
static void
check_test(struct check *c, size_t index, int to)
{
	struct result r = { .index = index };

	c->test = c->site->catalogue->tests[index];
	c->failed_now = false;
	strbuf_reset(&c->table);
	check_dns(c);
	check_hosts(c);
	r.wrong = c->failed_now;
	snprintf(r.text, sizeof(r.text), "%s", c->table.len > 0 ? c->table.s : "");
	if (write(to, &r, sizeof(r)) != (ssize_t)sizeof(r))
		_exit(EXIT_CANNOT);
}

static void
worker(struct check *c, const size_t *todo, size_t n, atomic_size_t *next, int to)
{
	char err[512];
	size_t i;

	if ((c->resolver = check_resolver(&c->options, err, sizeof(err))) == NULL)
		log_fatal(EXIT_USAGE, "check: %s", err);
	while ((i = atomic_fetch_add(next, 1)) < n)
		check_test(c, todo[i], to);
	ub_ctx_delete(c->resolver);
}

static void
print_result(const struct check *c, const struct result *r)
{
	if (c->json)
		return;
	printf("%-26s %s\n%s", c->site->catalogue->tests[r->index]->name,
	    r->wrong ? "NOT as specified" : "ok", r->text);
	fflush(stdout);
}

/* Results come in any order and are printed in that of todo.  How many came. */
static size_t
gather(const struct check *c, const size_t *todo, size_t n, int from, size_t *wrong)
{
	struct result r, **have = xcalloc(c->site->catalogue->n, sizeof(*have));
	size_t printed = 0, came = 0;

	while (read(from, &r, sizeof(r)) == (ssize_t)sizeof(r)) {
		came++;
		*wrong += r.wrong;
		have[r.index] = xmalloc(sizeof(r));
		*have[r.index] = r;
		for (; printed < n && have[todo[printed]] != NULL; printed++)
			print_result(c, have[todo[printed]]);
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r%zu of %zu\033[K\r", came, n);
	}
	for (size_t i = 0; i < c->site->catalogue->n; i++)
		free(have[i]);
	free(have);
	return came;
}

/* How many tests are wrong; what a worker could not do it has said. */
static size_t
check_all(struct check *c, const size_t *todo, size_t n)
{
	size_t workers = n < WORKERS ? n : WORKERS, wrong = 0, came;
	int fd[2], status, worst = 0;
	atomic_size_t *next = mmap(
	    NULL, sizeof(*next), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (next == MAP_FAILED || pipe(fd) != 0)
		log_fatal(EXIT_CANNOT, "check: no memory or no pipe for its processes");
	fflush(stdout);
	for (size_t i = 0; i < workers; i++) {
		pid_t pid = fork();

		if (pid < 0)
			log_fatal(EXIT_CANNOT, "check: fork failed: too many processes?");
		if (pid > 0)
			continue;
		close(fd[0]);
		worker(c, todo, n, next, fd[1]);
		_exit(EXIT_DONE);
	}
	close(fd[1]);
	came = gather(c, todo, n, fd[0], &wrong);
	close(fd[0]);
	while (wait(&status) > 0)
		if (!WIFEXITED(status) || WEXITSTATUS(status) > worst)
			worst = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_CANNOT;
	munmap(next, sizeof(*next));
	if (worst != 0)
		exit(worst);
	if (came != n)
		log_fatal(EXIT_CANNOT, "check: only %zu of %zu tests were looked at", came, n);
	return wrong;
}

/* It is no fault of the site, but somebody has to know. */
static void
print_mail(const struct site *site)
{
	struct mailbox_count count;

	if (mailbox_count(&count, site) != 0 || count.waiting == 0)
		return;
	printf("mail: %llu to postmaster or abuse that nobody has read: outpost mail lists %s\n",
	    (unsigned long long)count.waiting, count.waiting == 1 ? "it" : "them");
}

static void
prepare(struct check *c)
{
	char err[512];

	/* Every worker makes its own; what is wrong with the options is said once. */
	if ((c->resolver = check_resolver(&c->options, err, sizeof(err))) == NULL)
		log_fatal(EXIT_USAGE, "check: %s", err);
	ub_ctx_delete(c->resolver);
	c->site = command_site(SITE_SECRET | SITE_CERTS);
	c->origin.node = c->site->conf.node;
	c->origin.daemon = "check";
	c->origin.n = 1;
	if (token_new(&c->token, c->site->conf.node_number, &c->site->token_key) != 0)
		log_fatal(EXIT_CANNOT, "check: no randomness: check the OpenSSL installation");
}

int
command_check(const struct command *command, int argc, char **argv)
{
	struct check c = { .options = { .anchor = getenv("OUTPOST_ROOT_ANCHOR"),
			       .hints = getenv("OUTPOST_ROOT_HINTS") } };
	const struct option_row rows[] = {
		{ "resolver", OPTION_TEXT, "ADDRESS", &c.options.forward,
		    "ask this resolver (else the root hints or /etc/resolv.conf)" },
		{ "trust-anchor", OPTION_TEXT, "FILE", &c.options.anchor,
		    "of the root (else $OUTPOST_ROOT_ANCHOR, else the system's)" },
		{ "root-hints", OPTION_TEXT, "FILE", &c.options.hints,
		    "resolve from the root (else $OUTPOST_ROOT_HINTS)" },
		{ "json", OPTION_FLAG, NULL, &c.json, "events instead of a table" },
	};
	int operands = command_options(
	    command, rows, sizeof(rows) / sizeof(*rows), argc, argv, 0, 1);
	const struct test *only = NULL;
	size_t n = 0, wrong, *todo;

	prepare(&c);
	if (operands > 0 &&
	    (only = catalogue_find(c.site->catalogue, argv[1], strlen(argv[1]))) == NULL)
		log_fatal(EXIT_USAGE, "check: %s: no such test: see outpost tests", argv[1]);
	if (only != NULL && only->n_graded_on > 0)
		log_fatal(EXIT_USAGE,
		    "check: %s: has nothing to be looked at: it is graded on the mail of %s",
		    only->name, only->graded_on[0]);
	todo = xcalloc(c.site->catalogue->n + 1, sizeof(*todo));
	for (size_t i = 0; i < c.site->catalogue->n; i++)
		if (only == NULL ? c.site->catalogue->tests[i]->n_graded_on == 0
				 : c.site->catalogue->tests[i] == only)
			todo[n++] = i;
	wrong = check_all(&c, todo, n);
	if (!c.json)
		print_mail(c.site);
	if (!c.json)
		printf("%zu of %zu tests are as specified\n", n - wrong, n);
	free(todo);
	strbuf_clear(&c.table);
	site_free(c.site);
	return wrong > 0 ? EXIT_FAIL_ON : fflush(stdout) == 0 ? EXIT_DONE : EXIT_CANNOT;
}
