/* outpost enrol. */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "outpost/command.h"
#include "outpost/enrol_csv.h"
#include "provisioning/runs.h"
#include "zones/message.h"

struct view {
	const struct enrolment *e;
	const struct enrol_message *m;
	size_t n;
	char result[512]; /* URL of the page on the web; "" there is no web site */
};

/* The page of the enrolment. */
static void
make_page(struct view *v, const struct site *site)
{
	struct runs *runs = site->conf.web ? runs_open(site) : NULL;
	const struct run *run = runs != NULL ? runs_new(runs, v->e, 0, 0) : NULL;
	char path[64];

	if (run != NULL) {
		snprintf(path, sizeof(path), "/run/%s", run->id);
		site_web_url(v->result, sizeof(v->result), site, path);
	}
	runs_close(runs);
}

static void
print_recipients(const struct enrol_message *m, const char *between, const char *end)
{
	for (size_t i = 0; i < m->n; i++)
		printf("%s%s", m->rcpt[i], i + 1 < m->n ? between : end);
}

static void
print_messages(const struct view *v)
{
	for (size_t i = 0; i < v->n; i++) {
		if (v->m[i].message != NULL)
			printf("+%s ", v->m[i].message);
		print_recipients(&v->m[i], " ", "\n");
	}
}

static void
print_json(const struct view *v)
{
	struct strbuf b = { 0 };

	json_begin(&b, NULL, '{');
	json_put(&b, "token", v->e->token.text);
	json_put(&b, "set", v->e->set);
	json_put_time(&b, "enrolled", v->e->t_us);
	json_put(&b, "label", v->e->label);
	json_put_some(&b, "result", v->result);
	enrol_messages_json(&b, v->m, v->n);
	json_end(&b, '}');
	command_print_line(&b);
}

/* What is special about a message that must be sent in these words. */
static void
print_text_of(const char *word)
{
	if (word != NULL)
		printf("  (in the words of: outpost enrol --message-text %s; %s)\n", word,
		    message_find(word)->about);
	printf("  ");
}

static int
print_message_text(const char *word)
{
	const struct message *m = message_find(word);

	if (m == NULL)
		log_fatal(EXIT_USAGE, "enrol: --message-text %s: must be one of %s", word,
		    message_words());
	return fwrite(m->text, 1, m->len, stdout) == m->len && fflush(stdout) == 0 ? EXIT_DONE
										   : EXIT_CANNOT;
}

static void
print_text(const struct view *v)
{
	printf("Token:  %s\nSet:    %s\n\n", v->e->token.text, v->e->set);
	printf(
	    "Send %zu message%s, about 15 minutes apart, each with all of its recipients in To:.\n"
	    "Some of them must fail: at worst there is a bounce.\n",
	    v->n, v->n == 1 ? "" : "s");
	for (size_t i = 0; i < v->n; i++) {
		printf("\nMessage %zu%s\n", i + 1,
		    v->m[i].batch == 'b'
			? " (your server may refuse some of these at once; send it all the same)"
			: "");
		print_text_of(v->m[i].message);
		print_recipients(&v->m[i], ",\n  ", "\n");
	}
	printf("\nThen: outpost report %s --wait\n", v->e->token.text);
	if (v->result[0] != '\0')
		printf("or:   %s\n", v->result);
}

int
command_enrol(const struct command *c, int argc, char **argv)
{
	const char *set = "standard", *label = NULL, *text = NULL, *csv = NULL;
	bool json = false, messages = false, plain = false, dry_run = false;
	const struct option_row rows[] = {
		{ "set", OPTION_TEXT, "NAME", &set,
		    "quick, standard (default), full, a group or one test" },
		{ "label", OPTION_TEXT, "TEXT", &label,
		    "what you call the participant; as the operand" },
		{ "messages", OPTION_FLAG, NULL, &messages,
		    "one line a message: [+WORD] and its recipients" },
		{ "plain", OPTION_FLAG, NULL, &plain, "the same after a line with the token" },
		{ "message-text", OPTION_TEXT, "WORD", &text,
		    "nobody is enrolled: only the text of messages marked +WORD" },
		{ "csv", OPTION_TEXT, "FILE", &csv,
		    "everybody of a list with columns address, label, tags; outpost invite writes "
		    "to "
		    "them" },
		{ "dry-run", OPTION_FLAG, NULL, &dry_run, "with --csv: only check the list" },
		{ "json", OPTION_FLAG, NULL, &json, "all of it as JSON" },
	};
	struct site *site;
	struct enrolment e;
	struct enrol_message *m;
	struct view v = { .e = &e };

	if (command_options(c, rows, sizeof(rows) / sizeof(*rows), argc, argv, 0, 1) == 1)
		label = argv[1];
	if (text != NULL)
		return print_message_text(text);
	site = command_site(SITE_SECRET);
	if (!catalogue_set_exists(site->catalogue, set))
		log_fatal(EXIT_USAGE,
		    "enrol: %s: no such set: quick, standard, full, groups and tests, joined by "
		    "commas; see outpost "
		    "tests",
		    set);
	if (csv != NULL) {
		int rc = enrol_csv(site, csv, set, dry_run, json);

		site_free(site);
		return fflush(stdout) == 0 ? rc : EXIT_CANNOT;
	}
	if (enrol_new(&e, site, set, label, clock_now()) != 0)
		log_fatal(EXIT_CANNOT, "enrol: nobody was enrolled");
	if (enrol_messages(&m, &v.n, site, &e) != 0)
		log_fatal(EXIT_CANNOT, "enrol: %s: the set is not in the catalogue", set);
	v.m = m;
	make_page(&v, site);
	if (plain)
		printf("%s\n", e.token.text);
	if (plain || messages)
		print_messages(&v);
	else
		(json ? print_json : print_text)(&v);
	enrol_messages_free(m, v.n);
	site_free(site);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_CANNOT;
}
