/* enrol_csv.c - see enrol_csv.h. */
#include "outpost/enrol_csv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "outpost/command.h"
#include "provisioning/csv.h"
#include "provisioning/invitations.h"
#include "provisioning/runs.h"

#define FILE_MAX  (UINT64_C(256) << 20)
#define AT_ONCE   500 /* participants that one wait for the disk is for */
#define TAGS_MAX  127
#define LABEL_MAX 255

enum { ADDRESS, LABEL, TAGS };
static const char *const columns[] = { "address", "label", "tags", NULL };

struct list {
	const struct site *site;
	const char *path, *set;
	bool dry_run, json;
	struct invitations *invitations;
	struct optouts *optouts;
	struct runs *runs;
	unsigned wrong, added, there, out, rows;
	struct new
	{ /* not yet written down */
		char address[OPTOUT_TEXT_MAX], tags[TAGS_MAX + 1];
	}
	*new;
	struct enrolment *enrolment;
	size_t n;
};

static char *
read_file(const char *path, size_t *len)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	struct strbuf b = { 0 };
	char block[65536];
	size_t n;

	if (f == NULL)
		log_fatal(EXIT_USAGE, "enrol: %s: %s", path, strerror(errno));
	strbuf_puts(&b, "");
	while ((n = fread(block, 1, sizeof(block), f)) > 0 && b.len <= FILE_MAX)
		strbuf_add(&b, block, n);
	if (ferror(f) || b.len > FILE_MAX)
		log_fatal(EXIT_USAGE, "enrol: %s: %s", path,
		    b.len > FILE_MAX ? "larger than 256 MB: split it" : strerror(errno));
	if (f != stdin)
		fclose(f);
	*len = b.len;
	return b.s;
}

static int
check_row(void *ctx, unsigned line, char *const *value)
{
	struct list *l = ctx;
	char address[OPTOUT_TEXT_MAX];

	l->rows++;
	if (!optout_address(address, value[ADDRESS], strlen(value[ADDRESS]), NULL)) {
		log_warn("%s:%u: \"%.60s\" is not a mail address: USER@DOMAIN, without quotes and "
			 "comments",
		    l->path, line, value[ADDRESS]);
		l->wrong++;
	}
	if (value[LABEL] != NULL && strlen(value[LABEL]) > LABEL_MAX) {
		log_warn("%s:%u: the label is longer than 255 octets", l->path, line);
		l->wrong++;
	}
	if (value[TAGS] != NULL && strlen(value[TAGS]) > TAGS_MAX) {
		log_warn("%s:%u: the tags are longer than 127 octets", l->path, line);
		l->wrong++;
	}
	return 0;
}

static void
print_one(const struct list *l, const char *token, const char *address)
{
	const struct run *run = runs_of(l->runs, token);
	struct strbuf b = { 0 };

	if (!l->json || run == NULL) {
		printf("%s %s\n", token, address);
		return;
	}
	json_begin(&b, NULL, '{');
	json_put(&b, "token", token);
	json_put(&b, "run", run->id);
	json_put(&b, "address", address);
	json_end(&b, '}');
	command_print_line(&b);
}

/* Those of whom is only read so far are enrolled: who is said to be is in all journals. */
static int
enrol_some(struct list *l)
{
	struct ask ask[AT_ONCE];
	int64_t now = clock_now();

	if (l->dry_run) {
		l->added += (unsigned)l->n;
		l->n = 0;
	}
	if (l->n == 0)
		return 0;
	if (enrol_all(l->enrolment, l->n, l->site, now) != 0 ||
	    runs_new_all(l->runs, l->enrolment, l->n) != 0)
		return -1;
	for (size_t i = 0; i < l->n; i++)
		ask[i] = (struct ask){ l->enrolment[i].token.text, l->new[i].address,
			l->new[i].tags };
	if (invitations_ask_all(l->invitations, ask, l->n, now) != 0)
		return -1;
	for (size_t i = 0; i < l->n; i++)
		print_one(l, l->enrolment[i].token.text, l->new[i].address);
	l->added += (unsigned)l->n;
	l->n = 0;
	return 0;
}

static bool
is_there(const struct list *l, const char *address, const char *tags)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->new[i].address, address) == 0 && strcmp(l->new[i].tags, tags) == 0)
			return true;
	return invitations_find(l->invitations, address, tags) != NULL;
}

static void
show(const struct list *l, bool end)
{
	unsigned done = l->added + l->there + l->out + (unsigned)l->n;

	if (isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO) && (end || done % 100 == 0))
		fprintf(stderr, end ? "\r\033[K" : "\r%u of %u", done, l->rows);
}

static int
take_row(void *ctx, unsigned line, char *const *value)
{
	struct list *l = ctx;
	const char *label = value[LABEL] != NULL ? value[LABEL] : "",
		   *tags = value[TAGS] != NULL ? value[TAGS] : "";
	char address[OPTOUT_TEXT_MAX];

	(void)line;
	show(l, false);
	optout_address(address, value[ADDRESS], strlen(value[ADDRESS]), NULL);
	if (optouts_has_address(l->optouts, address)) {
		l->out++;
		return 0;
	}
	if (is_there(l, address, tags)) {
		l->there++;
		return 0;
	}
	snprintf(l->new[l->n].address, sizeof(l->new->address), "%s", address);
	snprintf(l->new[l->n].tags, sizeof(l->new->tags), "%s", tags);
	snprintf(l->enrolment[l->n].set, sizeof(l->enrolment->set), "%s", l->set);
	snprintf(l->enrolment[l->n].label, sizeof(l->enrolment->label), "%s", label);
	return ++l->n == AT_ONCE ? enrol_some(l) : 0;
}

int
enrol_csv(const struct site *site, const char *path, const char *set, bool dry_run, bool json)
{
	struct list l = {
		.site = site, .path = path, .set = set, .dry_run = dry_run, .json = json
	};
	char err[1024], *text;
	size_t len;
	int rc = EXIT_CANNOT;

	text = read_file(path, &len);
	if (csv_read(path, text, len, columns, check_row, &l, err, sizeof(err)) != 0) {
		log_warn("%s", err);
		l.wrong++;
	}
	if (l.wrong > 0) {
		log_warn("enrol: %u mistakes: nobody was enrolled", l.wrong);
		free(text);
		return EXIT_USAGE;
	}
	l.new = xcalloc(AT_ONCE, sizeof(*l.new));
	l.enrolment = xcalloc(AT_ONCE, sizeof(*l.enrolment));
	if ((l.invitations = invitations_open(site)) != NULL &&
	    (l.optouts = optouts_open(site)) != NULL && (l.runs = runs_open(site)) != NULL &&
	    csv_read(path, text, len, columns, take_row, &l, err, sizeof(err)) == 0 &&
	    enrol_some(&l) == 0)
		rc = EXIT_DONE;
	show(&l, true);
	log_info("%u %s, %u were there already, %u opted out", l.added,
	    dry_run ? "would be enrolled" : "enrolled", l.there, l.out);
	runs_close(l.runs);
	optouts_close(l.optouts);
	invitations_close(l.invitations);
	free(l.enrolment);
	free(l.new);
	free(text);
	return rc;
}
