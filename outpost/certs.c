/* outpost certs: the pool of policy certificates that were issued ahead (provisioning/slots.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "outpost/child.h"
#include "outpost/command.h"
#include "provisioning/lock.h"
#include "provisioning/slots.h"

struct rows {
	struct slot *row;
	size_t n;
};
struct counts {
	size_t ready, taken, ended; /* ended: or too close to it to be given out */
};

static int
add_slot(void *ctx, const struct slot *s)
{
	struct rows *r = ctx;

	for (size_t i = 0; s->taken && i < r->n; i++)
		if (r->row[i].token.id == s->token.id)
			r->row[i].taken = true;
	if (s->taken)
		return 0;
	r->row = xrealloc(r->row, (r->n + 1) * sizeof *r->row);
	r->row[r->n++] = *s;
	return 0;
}

static void
count(struct counts *c, const struct slot *r, int64_t now_us)
{
	if (r->taken)
		c->taken++;
	else if (r->until_us < now_us + SLOTS_MARGIN * CLOCK_SECOND)
		c->ended++;
	else
		c->ready++;
}

/* Certificates that have ended are of use to nobody. */
static void
remove_ended(const struct rows *r, const struct site *site, int64_t now_us)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->row[i].until_us < now_us)
			slots_remove(site, &r->row[i].token);
}

/* --- what there is -------------------------------------------------------------------------------------- */

/* Calls put once for each set that has slots. */
static void
each_set(struct strbuf *b, const struct rows *r, int64_t now_us,
    void (*put)(struct strbuf *, const char *set, const struct counts *))
{
	for (size_t i = 0; i < r->n; i++) {
		const char *set = r->row[i].set;
		struct counts c = { 0 };
		bool seen = false;

		for (size_t k = 0; k < i && !seen; k++)
			seen = strcmp(r->row[k].set, set) == 0;
		for (size_t k = i; k < r->n && !seen; k++)
			if (strcmp(r->row[k].set, set) == 0)
				count(&c, &r->row[k], now_us);
		if (!seen)
			put(b, set, &c);
	}
}

static void
put_text(struct strbuf *b, const char *set, const struct counts *c)
{
	if (b->len == 0)
		strbuf_printf(b, "%-20s %8s %8s %8s\n", "set", "ready", "taken", "ended");
	strbuf_printf(b, "%-20s %8zu %8zu %8zu\n", set, c->ready, c->taken, c->ended);
}

static void
put_json(struct strbuf *b, const char *set, const struct counts *c)
{
	json_begin(b, NULL, '{');
	json_put(b, "set", set);
	json_put_num(b, "ready", (int64_t)c->ready);
	json_put_num(b, "taken", (int64_t)c->taken);
	json_put_num(b, "ended", (int64_t)c->ended);
	json_end(b, '}');
}

static void
print_sets(const struct rows *r, int64_t now_us, bool json)
{
	struct strbuf b = { 0 };

	if (json) {
		json_begin(&b, NULL, '[');
		each_set(&b, r, now_us, put_json);
		json_end(&b, ']');
		command_print_line(&b);
	} else {
		each_set(&b, r, now_us, put_text);
		fputs(b.s != NULL ? b.s : "", stdout);
		strbuf_clear(&b);
	}
}

/* --- more of them ------------------------------------------------------------------------------------------ */

/* Runs PROGRAM CSR CHAIN with the names in OUTPOST_NAMES.  0: it says that it did it. */
static int
run_issuer(const char *program, const char *csr, const char *chain, const char *names)
{
	char *const argv[] = { (char *)(uintptr_t)program, (char *)(uintptr_t)csr,
		(char *)(uintptr_t)chain, NULL };
	char how[64];
	int status;
	pid_t pid;

	if (setenv("OUTPOST_NAMES", names, 1) != 0 || (pid = fork()) == -1) {
		log_warn("certs: %s: %s", program, strerror(errno));
		return -1;
	}
	if (pid == 0) {
		/* What it says is for people; our output is ours. */
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(program, argv);
		dprintf(STDERR_FILENO, "outpost: certs: %s: %s\n", program, strerror(errno));
		_exit(EXIT_CANNOT);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	child_describe(how, sizeof how, status);
	log_warn("certs: %s: %s: no certificate was issued", program, how);
	return -1;
}

static int
make_one(const struct site *site, const char *set, const char *program)
{
	char csr[512], chain[512], **names;
	struct strbuf all = { 0 };
	struct slot slot;
	size_t n;
	int rc;

	if (slots_request(&slot, csr, chain, site, set) != 0)
		return -1;
	n = slots_names(&names, site, &slot.token, set);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&all, "%s%s", i > 0 ? " " : "", names[i]);
	slots_names_free(names, n);
	rc = run_issuer(program, csr, chain, all.s);
	strbuf_clear(&all);
	if (rc == 0)
		rc = slots_accept(&slot, site, clock_now());
	if (rc != 0)
		slots_remove(site, &slot.token);
	return rc;
}

/* Until want slots of the set are ready; stops at the first that fails, for CAs count failures. */
static int
fill(const struct site *site, const char *set, size_t ready, size_t want, const char *program)
{
	bool tty = isatty(STDERR_FILENO) != 0;

	for (size_t i = ready; i < want; i++) {
		if (tty)
			fprintf(stderr, "\r%zu of %zu ", i, want);
		if (make_one(site, set, program) != 0)
			return -1;
	}
	if (tty && ready < want)
		fputc('\n', stderr);
	if (ready < want)
		log_info("%zu new in the pool of %s: reload outpost run (SIGHUP), so that smtpd "
			 "shows them",
		    want - ready, set);
	return 0;
}

int
command_certs(const struct command *c, int argc, char **argv)
{
	const char *set = "standard", *issue = NULL;
	unsigned want = 0;
	bool json = false;
	const struct option_row options[] = {
		{ "pool", OPTION_NUMBER, "N", &want, "make slots until N are ready" },
		{ "set", OPTION_TEXT, "NAME", &set, "set that they are for; default standard" },
		{ "issue", OPTION_TEXT, "PROGRAM", &issue,
		    "has a request signed: PROGRAM CSR CHAIN; see acme-lego" },
		{ "json", OPTION_FLAG, NULL, &json, "as JSON" },
	};
	struct rows r = { 0 };
	struct counts of_set = { 0 };
	struct site *site;
	int64_t now = clock_now();
	int code = EXIT_DONE;

	command_options(c, options, sizeof options / sizeof *options, argc, argv, 0, 0);
	if ((want > 0) != (issue != NULL))
		log_fatal(EXIT_USAGE, "certs: --pool and --issue go together");
	site = command_site(SITE_SECRET);
	if (want > 0 && !catalogue_set_exists(site->catalogue, set))
		log_fatal(EXIT_USAGE, "certs: no set \"%s\": see outpost tests", set);
	if (want > 0 && lock_site(site, "certs") == -1)
		log_fatal(EXIT_CANNOT, "certs: another one is at work");
	if (slots_each(site, add_slot, &r) != 0)
		return EXIT_CANNOT;
	if (want > 0) {
		remove_ended(&r, site, now);
		for (size_t i = 0; i < r.n; i++)
			if (strcmp(r.row[i].set, set) == 0)
				count(&of_set, &r.row[i], now);
		if (fill(site, set, of_set.ready, want, issue) != 0)
			code = EXIT_CANNOT;
		free(r.row);
		r = (struct rows){ 0 };
		if (slots_each(site, add_slot, &r) != 0)
			code = EXIT_CANNOT;
	}
	print_sets(&r, now, json);
	free(r.row);
	site_free(site);
	return code;
}
