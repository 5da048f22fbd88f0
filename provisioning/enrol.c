/* enrol.c - see enrol.h. */
#include "provisioning/enrol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/journal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "provisioning/slots.h"
#include "provisioning/render.h"

static void
journal_path(char dst[512], const struct site *site)
{
	site_path(dst, site, "state", ENROL_FILE);
}

struct making {
	struct enrolment *e;
	size_t n;
	const struct site *site;
};

/* The next slot of the pool, if there is one, else a new token; and its line. */
static int
make_line(struct strbuf *lines, struct enrolment *e, const struct site *site)
{
	int slot = slots_take(&e->token, site, e->set, e->t_us);

	if (slot == -1)
		return -1;
	if (slot == 0 && token_new(&e->token, site->conf.node_number, &site->token_key) != 0) {
		log_warn("enrol: no randomness: check the OpenSSL installation");
		return -1;
	}
	json_begin(lines, NULL, '{');
	json_put_time(lines, "t", e->t_us);
	json_put(lines, "token", e->token.text);
	json_put(lines, "set", e->set);
	json_put(lines, "label", e->label);
	json_end(lines, '}');
	strbuf_puts(lines, "\n");
	return 0;
}

static int
make_lines(void *ctx, struct strbuf *lines)
{
	const struct making *m = ctx;
	int rc = 0;

	for (size_t i = 0; i < m->n && rc == 0; i++)
		rc = make_line(lines, &m->e[i], m->site);
	return rc;
}

int
enrol_new(struct enrolment *dst, const struct site *site, const char *set, const char *label,
    int64_t now_us)
{
	memset(dst, 0, sizeof(*dst));
	if (strlen(set) >= sizeof(dst->set)) {
		log_warn("enrol: no set \"%s\": see outpost tests", set);
		return -1;
	}
	snprintf(dst->set, sizeof(dst->set), "%s", set);
	snprintf(dst->label, sizeof(dst->label), "%s", label != NULL ? label : "");
	return enrol_all(dst, 1, site, now_us);
}

int
enrol_all(struct enrolment *all, size_t n, const struct site *site, int64_t now_us)
{
	struct making making = { all, n, site };
	char path[512];

	for (size_t i = 0; i < n; i++) {
		if (!catalogue_set_exists(site->catalogue, all[i].set)) {
			log_warn("enrol: no set \"%s\": see outpost tests", all[i].set);
			return -1;
		}
		all[i].t_us = now_us;
	}
	if (!(site->has & SITE_SECRET)) {
		log_warn("%s/keys/" SITE_SECRET_FILE
			 ": not readable, so no token can be made: run as root",
		    site->dir);
		return -1;
	}
	journal_path(path, site);
	return journal_append_made(path, make_lines, &making);
}

struct each {
	const struct site *site;
	int (*row)(void *ctx, const struct enrolment *);
	void *ctx;
};

/* Without the secret the journal itself is believed. */
static bool
read_token(struct token *dst, const struct site *site, const char *text)
{
	if (text == NULL || strlen(text) != TOKEN_LEN)
		return false;
	if (site->has & SITE_SECRET)
		return token_parse(dst, text, TOKEN_LEN, &site->token_key) == TOKEN_OK;
	return token_decode(dst, text);
}

static int
on_line(void *ctx, const char *line, size_t len)
{
	struct each *each = ctx;
	struct enrolment e;
	char err[128];
	struct json_doc *doc = json_parse(line, len, err, sizeof(err));
	const struct json *root;
	const char *text;
	int rc = 0;

	if (doc == NULL) {
		journal_complain(err, JOURNAL_SKIPPED);
		return 0;
	}
	root = json_root(doc);
	memset(&e, 0, sizeof(e));
	if (read_token(&e.token, each->site, json_string(root, "token"))) {
		if ((text = json_string(root, "set")) != NULL)
			snprintf(e.set, sizeof(e.set), "%s", text);
		if ((text = json_string(root, "label")) != NULL)
			snprintf(e.label, sizeof(e.label), "%s", text);
		if ((text = json_string(root, "t")) != NULL)
			clock_parse(&e.t_us, text, strlen(text));
		rc = each->row(each->ctx, &e);
	}
	json_free(doc);
	return rc;
}

int
enrol_each(const struct site *site, int (*row)(void *ctx, const struct enrolment *), void *ctx)
{
	struct each each = { site, row, ctx };
	char path[512];

	journal_path(path, site);
	return journal_read(path, on_line, &each);
}

struct before {
	const struct enrolment *of;
	struct enrolment *dst;
	int found;
};

static int
on_earlier(void *ctx, const struct enrolment *e)
{
	struct before *b = ctx;

	if (strcmp(e->label, b->of->label) != 0 || e->t_us >= b->of->t_us ||
	    strcmp(e->token.text, b->of->token.text) == 0 ||
	    (b->found != 0 && e->t_us < b->dst->t_us))
		return 0;
	*b->dst = *e;
	b->found = 1;
	return 0;
}

int
enrol_before(struct enrolment *dst, const struct site *site, const struct enrolment *of)
{
	struct before b = { of, dst, 0 };

	if (of->label[0] == '\0')
		return 0;
	return enrol_each(site, on_earlier, &b) < 0 ? -1 : b.found;
}

struct wanted {
	const char *token;
	struct enrolment *dst;
};

static int
on_enrolment(void *ctx, const struct enrolment *e)
{
	struct wanted *w = ctx;

	if (strcasecmp(e->token.text, w->token) != 0)
		return 0;
	*w->dst = *e;
	return 1;
}

int
enrol_find(struct enrolment *dst, const struct site *site, const char *token)
{
	struct wanted w = { token, dst };

	return enrol_each(site, on_enrolment, &w);
}
