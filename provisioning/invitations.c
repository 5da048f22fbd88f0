/* invitations.c - see invitations.h. */
#include "provisioning/invitations.h"

#include <openssl/rand.h>
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
#include "lib/suffix.h"
#include "provisioning/optout_address.h"
#include "provisioning/tally.h"

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
	/* open addressing: row + 1, by token, and by address and tags */
	uint32_t *slot, *asked, mask;
	uint8_t key[16]; /* random */
	struct tally *mailboxes, *domains, *all;
};

/* --- the index ------------------------------------------------------------------------------------------------ */

static uint32_t *
place(const struct invitations *all, const char *token)
{
	uint32_t i = (uint32_t)hash_sip(all->key, token, strlen(token)) & all->mask;

	while (all->slot[i] != 0 && strcmp(all->row[all->slot[i] - 1].token, token) != 0)
		i = (i + 1) & all->mask;
	return &all->slot[i];
}

static uint32_t *
place_asked(const struct invitations *all, const char *address, const char *tags)
{
	uint64_t hash = hash_sip(all->key, address, strlen(address)) +
			31 * hash_sip(all->key, tags, strlen(tags));
	uint32_t i;

	for (i = (uint32_t)hash & all->mask; all->asked[i] != 0; i = (i + 1) & all->mask) {
		const struct invitee *e = &all->row[all->asked[i] - 1];

		if (strcmp(e->address, address) == 0 && strcmp(e->tags, tags) == 0)
			break;
	}
	return &all->asked[i];
}

/* Of several with one address and the same tags the first counts. */
static void
enter_asked(struct invitations *all, size_t i)
{
	uint32_t *slot = place_asked(all, all->row[i].address, all->row[i].tags);

	if (*slot == 0)
		*slot = (uint32_t)i + 1;
}

static void
enlarge(struct invitations *all)
{
	free(all->slot);
	free(all->asked);
	all->mask = all->mask != 0 ? all->mask * 2 + 1 : 255;
	all->slot = xcalloc((size_t)all->mask + 1, sizeof *all->slot);
	all->asked = xcalloc((size_t)all->mask + 1, sizeof *all->asked);
	for (size_t i = 0; i < all->n; i++) {
		*place(all, all->row[i].token) = (uint32_t)i + 1;
		enter_asked(all, i);
	}
}

static struct invitee *
enter(struct invitations *all, const char *token)
{
	uint32_t *slot = place(all, token);

	if (*slot != 0)
		return &all->row[*slot - 1];
	/* A row may stand twice in asked, if its address was said anew. */
	if (4 * all->n >= all->mask) {
		enlarge(all);
		slot = place(all, token);
	}
	all->row = xgrow(all->row, all->n, sizeof *all->row);
	memset(&all->row[all->n], 0, sizeof *all->row);
	snprintf(all->row[all->n].token, sizeof all->row->token, "%s", token);
	*slot = (uint32_t)++all->n;
	return &all->row[all->n - 1];
}

/* --- the counts ----------------------------------------------------------------------------------------------- */

static void
count_one(struct tally *t, const char *who, size_t len, const struct invitee *e,
    void (*count)(struct tally *, const void *, size_t, int64_t), int more)
{
	if (e->sent_us != 0)
		count(t, who, len, e->sent_us);
	if (e->extra_us != 0)
		count(t, who, len, e->extra_us);
	if (e->state == INVITATION_ASKED && e->sent_us == 0)
		tally_wait(t, who, len, more);
}

/* Adds what the row says to the counts of its mailbox and its domain; more -1: takes it away. */
static void
count(struct invitations *all, const struct invitee *e, int more)
{
	void (*how)(struct tally *, const void *, size_t, int64_t) = more > 0 ? tally_add
									      : tally_remove;
	const char *at = strrchr(e->address, '@'), *domain;
	char box[OPTOUT_TEXT_MAX];
	int n;

	count_one(all->all, "", 0, e, how, more);
	if (at == NULL)
		return;
	n = snprintf(
	    box, sizeof box, "%.*s%s", (int)optout_address_mailbox(e->address), e->address, at);
	domain = suffix_organisation(at + 1);
	count_one(all->mailboxes, box, (size_t)n, e, how, more);
	count_one(all->domains, domain, strlen(domain), e, how, more);
}

static void
put_text(char *dst, size_t dstlen, const struct json *o, const char *key)
{
	const char *text = json_string(o, key);

	if (text != NULL)
		snprintf(dst, dstlen, "%s", text);
}

static void
change(struct invitee *e, enum invitation_state state, const struct json *o, int64_t t_us)
{
	/* Asked once more: the mail system did not take what was begun. */
	if (state == INVITATION_ASKED && e->state == INVITATION_BEGUN) {
		if (e->reminders > 0)
			e->reminders--;
		else
			e->sent_us = 0;
	} else if (state == INVITATION_ASKED) {
		put_text(e->address, sizeof e->address, o, "address");
		put_text(e->tags, sizeof e->tags, o, "tags");
		e->asked_us = t_us;
	}
	if (state == INVITATION_BEGUN) {
		e->reminders += e->sent_us != 0;
		e->sent_us = t_us;
	}
	if (state == INVITATION_EXTRA)
		e->extra_us = t_us;
	else if (state == INVITATION_SENT)
		e->extra_us = 0;
	e->state = state;
	e->why[0] = '\0';
	put_text(e->why, sizeof e->why, o, "why");
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
	if (e->asked_us != 0)
		count(all, e, -1);
	change(e, (enum invitation_state)k, o, t_us);
	if (e->asked_us != 0)
		count(all, e, 1);
	if (k == INVITATION_ASKED)
		enter_asked(all, (size_t)(e - all->row));
	return true;
}

static int
on_line(void *ctx, const char *line, size_t len)
{
	struct invitations *all = ctx;
	char err[128];
	struct json_doc *doc = json_parse(line, len, err, sizeof err);

	if (doc == NULL || !read_line(all, json_root(doc)))
		journal_complain(doc == NULL ? err : "not of an invitation", JOURNAL_SKIPPED);
	json_free(doc);
	return 0;
}

static void
drop_counts(struct invitations *all)
{
	tally_free(all->mailboxes);
	tally_free(all->domains);
	tally_free(all->all);
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
	drop_counts(all);
	all->mailboxes = tally_new(all->key);
	all->domains = tally_new(all->key);
	all->all = tally_new(all->key);
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
	if (RAND_bytes(all->key, sizeof all->key) != 1)
		log_fatal(
		    EXIT_CANNOT, "invitations: no randomness: check the OpenSSL installation");
	if (suffix_load() != 0)
		log_warn(
		    "no public suffix list: domains are counted by their last two labels: install "
		    "publicsuffix");
	empty(all);
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
	drop_counts(all);
	free(all->row);
	free(all->slot);
	free(all->asked);
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
	uint32_t slot = *place_asked(all, address, tags);

	return slot != 0 ? &all->row[slot - 1] : NULL;
}

/* --- lines ---------------------------------------------------------------------------------------------------- */

static void
put_line(struct strbuf *b, const char *token, enum invitation_state state, const char *key,
    const char *value, const char *tags, int64_t now_us)
{
	json_begin(b, NULL, '{');
	json_put_time(b, "t", now_us);
	json_put(b, "token", token);
	json_put(b, "state", states[state]);
	if (value != NULL)
		json_put(b, key, value);
	json_put_some(b, "tags", tags);
	json_end(b, '}');
	strbuf_puts(b, "\n");
}

static int
append(struct invitations *all, struct strbuf *lines)
{
	int rc = journal_append_lines(all->path, lines->s, lines->len);

	strbuf_clear(lines);
	return rc == 0 ? invitations_refresh(all) : -1;
}

int
invitations_ask(struct invitations *all, const char *token, const char *address, const char *tags,
    int64_t now_us)
{
	struct ask ask = { token, address, tags };

	return invitations_ask_all(all, &ask, 1, now_us);
}

int
invitations_ask_all(struct invitations *all, const struct ask *ask, size_t n, int64_t now_us)
{
	struct strbuf lines = { 0 };

	for (size_t i = 0; i < n; i++)
		put_line(&lines, ask[i].token, INVITATION_ASKED, "address", ask[i].address,
		    ask[i].tags, now_us);
	return append(all, &lines);
}

int
invitations_note(struct invitations *all, const char *token, enum invitation_state state,
    const char *why, int64_t now_us)
{
	struct strbuf line = { 0 };

	put_line(&line, token, state, "why", why, NULL, now_us);
	return append(all, &line);
}

/* --- how often ------------------------------------------------------------------------------------------------ */

static unsigned
times(const struct tally *t, const char *who, size_t len, bool asked, int64_t now_us)
{
	size_t waiting, n = tally_since(t, who, len, now_us - DAY, &waiting);

	return (unsigned)(asked ? n + waiting : n);
}

unsigned
invitations_address(const struct invitations *all, const char *address, bool asked, int64_t now_us)
{
	const char *at = strrchr(address, '@');
	char box[OPTOUT_TEXT_MAX];
	int n;

	if (at == NULL)
		return 0;
	n = snprintf(box, sizeof box, "%.*s%s", (int)optout_address_mailbox(address), address, at);
	return (size_t)n < sizeof box ? times(all->mailboxes, box, (size_t)n, asked, now_us) : 0;
}

unsigned
invitations_domain(const struct invitations *all, const char *domain, bool asked, int64_t now_us)
{
	if (domain == NULL)
		return times(all->all, "", 0, asked, now_us);
	domain = suffix_organisation(domain);
	return times(all->domains, domain, strlen(domain), asked, now_us);
}
