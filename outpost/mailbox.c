/* mailbox.c - outpost mail: see mailbox.h.
 *
 * A message is in the Maildir, on disk, before the journal says so; who is killed between the two finds it by its
 * name there, so it is neither lost nor written twice. */
#include "outpost/mailbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/journal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "outpost/command.h"
#include "outpost/letter.h"
#include "outpost/maildir.h"
#include "provisioning/lock.h"
#include "results/describe.h"
#include "results/store.h"

#define JOURNAL "mail.jsonl"

struct job {
	const struct site *site;
	char **name; /* of those that were written, sorted */
	size_t n;
	struct maildir *dir; /* NULL: none is written */
	struct mailbox_count count;
	bool list, json;
	int rc;
};

/* --- which were written ----------------------------------------------------------------------------------- */

static int
on_written(void *ctx, const char *line, size_t len)
{
	struct job *j = ctx;
	char err[128];
	struct json_doc *doc = json_parse(line, len, err, sizeof(err));
	const char *name = doc != NULL ? json_string(json_root(doc), "name") : NULL;

	if (name != NULL) {
		j->name = xgrow(j->name, j->n, sizeof(*j->name));
		j->name[j->n++] = xstrdup(name);
	} else {
		journal_complain(doc == NULL ? err : "not of a message", JOURNAL_SKIPPED);
	}
	json_free(doc);
	return 0;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
was_written(const struct job *j, const char *name)
{
	return j->n > 0 && bsearch(&name, j->name, j->n, sizeof(*j->name), compare) != NULL;
}

static int
note_written(const struct job *j, const struct letter *l)
{
	struct strbuf b = { 0 };
	char path[512];
	int rc;

	json_begin(&b, NULL, '{');
	json_put_time(&b, "t", l->t_us); /* so that it expires with the message */
	json_put(&b, "name", l->name);
	json_end(&b, '}');
	site_path(path, j->site, "state", JOURNAL);
	rc = journal_append(path, b.s, b.len);
	strbuf_clear(&b);
	return rc;
}

/* --- one message ------------------------------------------------------------------------------------------ */

static void
print_json(const struct letter *l, const char *state)
{
	struct strbuf b = { 0 };

	json_begin(&b, NULL, '{');
	json_put_time(&b, "t", l->t_us);
	json_put(&b, "state", state);
	json_put(&b, "mailbox", l->mailbox);
	json_put(&b, "from", l->from);
	json_put(&b, "peer", l->peer);
	json_put_bool(&b, "tls", l->tls);
	json_put_num(&b, "octets", l->octets);
	json_put(&b, "subject", l->subject);
	json_put(&b, "file", l->taken ? l->name : "");
	json_end(&b, '}');
	command_print_line(&b);
}

static void
print(const struct letter *l, const char *state)
{
	struct strbuf b = { 0 };
	char when[32];

	describe_time(when, l->t_us, false);
	strbuf_printf(&b, "%s  %-7s  %s  <", when, state, l->mailbox);
	describe_said(&b, l->from);
	strbuf_printf(&b, "> from %s, %lld octets: ", l->peer, (long long)l->octets);
	describe_said(&b, l->subject);
	printf("%s\n", b.s);
	strbuf_clear(&b);
}

/* 0, or -1 logged. */
static int
put(struct job *j, const struct letter *l, const struct event *e)
{
	struct strbuf b = { 0 };
	int rc;

	if (!letter_file(&b, l, e, j->site->conf.base))
		log_warn("mail: %s: the log has only a part of it: look at the disk", l->name);
	rc = maildir_put(j->dir, l->name, b.s, b.len);
	strbuf_clear(&b);
	return rc < 0 ? -1 : note_written(j, l);
}

static int
on_event(void *ctx, const char *line, size_t len)
{
	struct job *j = ctx;
	const char *state = "refused";
	struct letter l;
	struct event e;
	char err[200];

	if (event_decode(&e, line, len, err, sizeof(err)) != 0)
		return 0;
	if (letter_read(&l, &e)) {
		bool done = l.taken && was_written(j, l.name);

		if (l.taken && !done && j->dir != NULL && put(j, &l, &e) != 0) {
			j->rc = -1;
		} else {
			state = !l.taken ? "refused" : done || j->dir != NULL ? "written" : "new";
			j->count.refused += !l.taken;
			j->count.written += done || (l.taken && j->dir != NULL);
			j->count.waiting += l.taken && !done && j->dir == NULL;
			/* Those that it has put there, or all. */
			if (j->list && (j->dir == NULL || (l.taken && !done)))
				j->json ? print_json(&l, state) : print(&l, state);
		}
	}
	event_clear(&e);
	return j->rc;
}

static int
go_through(struct job *j)
{
	const struct site *site = j->site;
	int64_t since = site->conf.retention > 0 ? clock_now() - site->conf.retention : 0;
	struct store *store = NULL;
	char path[512];
	int rc = -1;

	site_path(path, site, "state", JOURNAL);
	if (journal_read(path, on_written, j) != 0)
		goto out;
	if (j->n > 1)
		qsort(j->name, j->n, sizeof(*j->name), compare);
	site_path(path, site, "", "store.db");
	if (command_load_new(site, NULL) == 0 && (store = store_open(path)) != NULL)
		rc = store_operator(store, since, on_event, j);
	store_close(store);
out:
	for (size_t i = 0; i < j->n; i++)
		free(j->name[i]);
	free(j->name);
	return rc;
}

int
mailbox_count(struct mailbox_count *dst, const struct site *site)
{
	struct job j = { .site = site };
	int rc = go_through(&j);

	*dst = j.count;
	return rc;
}

int
command_mail(const struct command *c, int argc, char **argv)
{
	struct job j = { .list = true };
	const struct option_row rows[] = {
		{ "json", OPTION_FLAG, NULL, &j.json, "as JSON Lines" },
	};
	struct maildir dir;
	struct site *site;
	int rc, lock = -1;

	rc = command_options(c, rows, sizeof(rows) / sizeof(*rows), argc, argv, 0, 1);
	j.site = site = command_site(0);
	command_must_own(site);
	if (rc == 1) {
		if ((lock = lock_site(site, "mail")) < 0 || maildir_open(&dir, argv[1]) != 0)
			return EXIT_CANNOT;
		j.dir = &dir;
	}
	rc = go_through(&j);
	if (j.dir != NULL)
		maildir_close(&dir);
	if (rc == 0 && !j.json && j.dir == NULL)
		printf("%llu new, %llu written, %llu refused\n",
		    (unsigned long long)j.count.waiting, (unsigned long long)j.count.written,
		    (unsigned long long)j.count.refused);
	site_free(site);
	return rc == 0 && fflush(stdout) == 0 ? EXIT_DONE : EXIT_CANNOT;
}
