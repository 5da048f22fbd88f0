/* invitations.c - see invitations.h. */
#include "provisioning/invitations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/journal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "provisioning/optout_address.h"

#define DAY (86400 * CLOCK_SECOND)

static const char *const states[] = { "asked", "begun", "sent", "extra", "refused" };
#define STATES (sizeof states / sizeof *states)

struct invitations {
	const struct site *site;
	char path[512];
	uint64_t offset;
	ino_t inode;
	struct invitee *row;
	size_t n;
	uint32_t *slot, mask; /* open addressing by token: row + 1 */
};

const char *
invitation_state_name(enum invitation_state state)
{
	return states[state];
}

/* --- the index ------------------------------------------------------------------------------------------------ */

static uint32_t *
place(const struct invitations *all, const char *token)
{
	static const uint8_t key[16]; /* tokens are ours */
	uint32_t i = (uint32_t)hash_sip(key, token, strlen(token)) & all->mask;

	while (all->slot[i] != 0 && strcmp(all->row[all->slot[i] - 1].token, token) != 0)
		i = (i + 1) & all->mask;
	return &all->slot[i];
}

static void
enlarge(struct invitations *all)
{
	free(all->slot);
	all->mask = all->mask != 0 ? all->mask * 2 + 1 : 255;
	all->slot = xcalloc((size_t)all->mask + 1, sizeof *all->slot);
	for (size_t i = 0; i < all->n; i++)
		*place(all, all->row[i].token) = (uint32_t)i + 1;
}

static struct invitee *
enter(struct invitations *all, const char *token)
{
	uint32_t *slot = place(all, token);

	if (*slot != 0)
		return &all->row[*slot - 1];
	if ((all->n & (all->n + 1)) == 0)
		all->row = xrealloc(all->row, (2 * all->n + 1) * sizeof *all->row);
	memset(&all->row[all->n], 0, sizeof *all->row);
	snprintf(all->row[all->n].token, sizeof all->row->token, "%s", token);
	*slot = (uint32_t)++all->n;
	if (2 * all->n >= all->mask)
		enlarge(all);
	return &all->row[all->n - 1];
}

static void
put_text(char *dst, size_t dstlen, const struct json *o, const char *key)
{
	const char *text = json_string(o, key);

	if (text != NULL)
		snprintf(dst, dstlen, "%s", text);
}

static bool
read_line(struct invitations *all, const struct json *o)
{
	const char *token = json_string(o, "token"), *state = json_string(o, "state"),
		   *t = json_string(o, "t");
	struct invitee *e;
	struct token decoded;
	int64_t t_us = 0;
	size_t k = 0;

	while (k < STATES && (state == NULL || strcmp(states[k], state) != 0))
		k++;
	if (k == STATES || token == NULL || strlen(token) != TOKEN_LEN ||
	    !token_decode(&decoded, token) || t == NULL || clock_parse(&t_us, t, strlen(t)) != 0)
		return false;
	e = enter(all, decoded.text);
	/* Asked once more: the mail system did not take what was begun. */
	if (k == INVITATION_ASKED && e->state == INVITATION_BEGUN) {
		if (e->reminders > 0)
			e->reminders--;
		else
			e->sent_us = 0;
	} else if (k == INVITATION_ASKED) {
		put_text(e->address, sizeof e->address, o, "address");
		put_text(e->tags, sizeof e->tags, o, "tags");
		e->asked_us = t_us;
	}
	if (k == INVITATION_BEGUN) {
		e->reminders += e->sent_us != 0;
		e->sent_us = t_us;
	}
	if (k == INVITATION_EXTRA)
		e->extra_us = t_us;
	else if (k == INVITATION_SENT)
		e->extra_us = 0;
	e->state = (enum invitation_state)k;
	e->why[0] = '\0';
	put_text(e->why, sizeof e->why, o, "why");
	return true;
}

static int
on_line(void *ctx, const char *line, size_t len)
{
	struct invitations *all = ctx;
	char err[128];
	struct json_doc *doc = json_parse(line, len, err, sizeof err);

	if (doc == NULL || !read_line(all, json_root(doc)))
		log_warn("%s: a line skipped: %s: remove it", all->path,
		    doc == NULL ? err : "not of an invitation");
	json_free(doc);
	return 0;
}

static void
empty(struct invitations *all)
{
	free(all->row);
	all->row = NULL;
	all->n = 0;
	all->offset = 0;
	all->mask = 0;
	enlarge(all);
}

int
invitations_refresh(struct invitations *all)
{
	struct stat sb = { 0 };

	if (stat(all->path, &sb) != 0)
		memset(&sb, 0, sizeof sb); /* none yet, or unreadable: journal_follow says so */
	if (sb.st_ino != all->inode || (uint64_t)sb.st_size < all->offset)
		empty(all);
	all->inode = sb.st_ino;
	return journal_follow(all->path, &all->offset, on_line, all);
}

struct invitations *
invitations_open(const struct site *site)
{
	struct invitations *all = xcalloc(1, sizeof *all);

	all->site = site;
	enlarge(all);
	site_path(all->path, site, "state", INVITATIONS_FILE);
	if (invitations_refresh(all) == 0)
		return all;
	invitations_close(all);
	return NULL;
}

void
invitations_close(struct invitations *all)
{
	if (all == NULL)
		return;
	free(all->row);
	free(all->slot);
	free(all);
}

size_t
invitations_number(const struct invitations *all)
{
	return all->n;
}

const struct invitee *
invitations_row(const struct invitations *all, size_t i)
{
	return &all->row[i];
}

const struct invitee *
invitations_of(const struct invitations *all, const char *token)
{
	uint32_t slot = *place(all, token);

	return slot != 0 ? &all->row[slot - 1] : NULL;
}

const struct invitee *
invitations_find(const struct invitations *all, const char *address, const char *tags)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->row[i].address, address) == 0 &&
		    strcmp(all->row[i].tags, tags) == 0)
			return &all->row[i];
	return NULL;
}

/* --- lines ---------------------------------------------------------------------------------------------------- */

static int
append(struct invitations *all, const char *token, enum invitation_state state, const char *key,
    const char *value, const char *tags, int64_t now_us)
{
	struct strbuf line = { 0 };
	char when[CLOCK_TEXT_MAX];
	int rc;

	clock_format(when, now_us);
	strbuf_printf(
	    &line, "{\"t\":\"%s\",\"token\":\"%s\",\"state\":\"%s\"", when, token, states[state]);
	if (value != NULL) {
		strbuf_printf(&line, ",\"%s\":", key);
		strbuf_json(&line, value, strlen(value));
	}
	if (tags != NULL && tags[0] != '\0') {
		strbuf_puts(&line, ",\"tags\":");
		strbuf_json(&line, tags, strlen(tags));
	}
	strbuf_puts(&line, "}");
	rc = journal_append(all->path, line.s, line.len);
	strbuf_clear(&line);
	return rc == 0 ? invitations_refresh(all) : -1;
}

int
invitations_ask(struct invitations *all, const char *token, const char *address, const char *tags,
    int64_t now_us)
{
	return append(all, token, INVITATION_ASKED, "address", address, tags, now_us);
}

int
invitations_note(struct invitations *all, const char *token, enum invitation_state state,
    const char *why, int64_t now_us)
{
	return append(all, token, state, "why", why, NULL, now_us);
}

/* --- how often ------------------------------------------------------------------------------------------------ */

static unsigned
times(const struct invitee *e, bool asked, int64_t now_us)
{
	unsigned n = (e->sent_us > now_us - DAY) + (e->extra_us > now_us - DAY);

	return n == 0 && asked && e->state == INVITATION_ASKED ? 1 : n;
}

unsigned
invitations_address(const struct invitations *all, const char *address, bool asked, int64_t now_us)
{
	unsigned n = 0;

	for (size_t i = 0; i < all->n; i++)
		if (optout_address_same(all->row[i].address, address))
			n += times(&all->row[i], asked, now_us);
	return n;
}

unsigned
invitations_domain(const struct invitations *all, const char *domain, bool asked, int64_t now_us)
{
	unsigned n = 0;

	for (size_t i = 0; i < all->n; i++) {
		const char *at = strrchr(all->row[i].address, '@');

		if (domain == NULL || (at != NULL && strcmp(at + 1, domain) == 0))
			n += times(&all->row[i], asked, now_us);
	}
	return n;
}
