/* desk.c - see desk.h. */
#include "web/desk.h"

#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/strbuf.h"

#define KEPT_MAX     16
#define AGAIN_CHANGE (2 * CLOCK_SECOND)
#define AGAIN_TIME   (60 * CLOCK_SECOND)

struct kept {
	struct report *report; /* NULL: free */
	int64_t made_us, used_us;
	off_t released_size; /* of the journal then */
	bool changed;
	struct strbuf body; /* of its page; len 0: not made yet */
};
struct desk {
	const struct site *site;
	bool reader;
	uint8_t form_key[32];
	struct runs *runs;
	struct invitations *invitations; /* NULL: a reader */
	struct apikeys *keys;            /* NULL: they could not be read */
	struct optouts *optouts;         /* NULL: they could not be read */
	struct report_source *source;
	struct kept kept[KEPT_MAX];
	char *file[TEST_NUMBER_MAX + 1]; /* files of the tests: later they cannot be read */
	char why[200];
};

#define SOURCE_MAX 65536

static char *
read_source(const char *path)
{
	char block[SOURCE_MAX];
	FILE *f = fopen(path, "re");
	size_t n = f != NULL ? fread(block, 1, sizeof block, f) : 0;

	if (f != NULL)
		fclose(f);
	return xstrndup(block, n);
}

const char *
desk_source(const struct desk *d, const struct test *t)
{
	return d->file[t->number];
}

static void
drop(struct kept *k)
{
	report_free(k->report);
	strbuf_clear(&k->body);
	memset(k, 0, sizeof *k);
}

struct desk *
desk_open(const struct site *site, bool reader)
{
	static const uint8_t purpose[] = "web forms";
	struct desk *d = xcalloc(1, sizeof *d);
	unsigned len = 0;
	uint8_t mac[EVP_MAX_MD_SIZE];

	d->site = site;
	d->reader = reader;
	if (HMAC(EVP_sha256(), site->token_key.secret, sizeof site->token_key.secret, purpose,
		sizeof purpose, mac, &len) == NULL ||
	    len < sizeof d->form_key) {
		log_warn("HMAC: check the OpenSSL installation");
		free(d);
		return NULL;
	}
	memcpy(d->form_key, mac, sizeof d->form_key);
	for (size_t i = 0; i < site->catalogue->n; i++)
		d->file[site->catalogue->tests[i]->number] = read_source(
		    site->catalogue->tests[i]->path);
	if ((d->runs = runs_open(site)) == NULL ||
	    (!reader && (d->invitations = invitations_open(site)) == NULL) ||
	    (d->source = report_source_open(site)) == NULL) {
		desk_close(d);
		return NULL;
	}
	return d;
}

void
desk_close(struct desk *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < KEPT_MAX; i++)
		drop(&d->kept[i]);
	for (size_t i = 0; i <= TEST_NUMBER_MAX; i++)
		free(d->file[i]);
	runs_close(d->runs);
	optouts_close(d->optouts);
	invitations_close(d->invitations);
	apikeys_close(d->keys);
	report_source_close(d->source);
	free(d);
}

const struct site *
desk_site(const struct desk *d)
{
	return d->site;
}

bool
desk_is_reader(const struct desk *d)
{
	return d->reader;
}

const uint8_t *
desk_form_key(const struct desk *d)
{
	return d->form_key;
}

struct optouts *
desk_optouts(struct desk *d)
{
	if (d->optouts == NULL)
		d->optouts = optouts_open(d->site);
	else if (optouts_refresh(d->optouts) != 0) {
		optouts_close(d->optouts);
		d->optouts = NULL;
	}
	return d->optouts;
}

const struct run *
desk_run(struct desk *d, const char *id)
{
	const struct run *run = runs_find(d->runs, id);

	/* Another process may have begun it just now. */
	if (run == NULL && d->reader && runs_refresh(d->runs) == 0)
		run = runs_find(d->runs, id);
	return run;
}

void
desk_subject(char *dst, size_t dstlen, const struct run *run)
{
	snprintf(dst, dstlen, "run %s", run->id);
}

/* --- reports ------------------------------------------------------------------------------------------- */

static struct kept *
kept_of(struct desk *d, const char *token)
{
	for (size_t i = 0; i < KEPT_MAX; i++)
		if (d->kept[i].report != NULL && strcmp(d->kept[i].report->token, token) == 0)
			return &d->kept[i];
	return NULL;
}

/* A free place for a report of n observations: those that nobody looked at for the longest time go. */
static struct kept *
place_of(struct desk *d, size_t n)
{
	for (;;) {
		struct kept *place = NULL, *oldest = NULL;
		size_t all = n;

		for (size_t i = 0; i < KEPT_MAX; i++) {
			struct kept *k = &d->kept[i];

			if (k->report == NULL) {
				place = k;
				continue;
			}
			all += k->report->obs.n;
			if (oldest == NULL || k->used_us < oldest->used_us)
				oldest = k;
		}
		if (oldest == NULL ||
		    (place != NULL && all <= 2 * (size_t)d->site->conf.web_report_events))
			return place;
		drop(oldest);
	}
}

static bool
is_good(const struct kept *k, int64_t now_us)
{
	int64_t age = now_us - k->made_us;

	return age >= 0 && age < (k->changed ? AGAIN_CHANGE : AGAIN_TIME);
}

static off_t
released_size(const struct desk *d)
{
	struct stat sb;
	char path[512];

	site_path(path, d->site, "state", RELEASED_FILE);
	return stat(path, &sb) == 0 ? sb.st_size : 0;
}

/* The page that is shown after a release says it, whoever made it and whoever wrote that down. */
static bool
is_released_since(const struct desk *d, struct kept *k, off_t size)
{
	int64_t t_us;

	if (k->report->released != 0 || k->released_size == size)
		return false;
	k->released_size = size;
	return released_find(&t_us, d->site, k->report->token) == 1;
}

const struct report *
desk_report(struct desk *d, const struct run *run, int64_t now_us, const char **why)
{
	struct kept *k = kept_of(d, run->token.text);
	off_t size = released_size(d);
	struct report *made;

	if (k != NULL && is_good(k, now_us) && !is_released_since(d, k, size)) {
		k->used_us = now_us;
		return k->report;
	}
	made = report_read(d->source, run->token.text, run->set, run->label, run->t_us, now_us,
	    d->site->conf.web_report_events, d->why, sizeof d->why);
	if (made == NULL) {
		*why = d->why;
		return NULL;
	}
	if (k != NULL)
		drop(k);
	k = place_of(d, made->obs.n);
	*k = (struct kept){
		.report = made, .made_us = now_us, .used_us = now_us, .released_size = size
	};
	return made;
}

const struct strbuf *
desk_report_body(struct desk *d, const struct report *r)
{
	struct kept *k = kept_of(d, r->token);

	if (k->body.len == 0)
		report_html_body(&k->body, r);
	return &k->body;
}

bool
desk_reports(const struct report **a, const struct report **b, struct desk *d,
    const struct run *of_a, const struct run *of_b, int64_t now_us, const char **why)
{
	const struct kept *k;

	*a = desk_report(d, of_a, now_us, why);
	*b = *a != NULL ? desk_report(d, of_b, now_us, why) : NULL;
	if (*b == NULL)
		return false;
	/* The second may have taken the place of the first. */
	k = kept_of(d, of_a->token.text);
	if (k != NULL && k->report == *a)
		return true;
	*why = "Too many reports are asked for.";
	return false;
}

int
desk_release(struct desk *d, const struct run *run, const char *by, int64_t now_us)
{
	return released_add(d->site, &run->token, by, now_us) < 0 ? -1 : 0;
}

int
desk_events(
    struct desk *d, const struct run *run, int (*row)(void *, const char *, size_t), void *ctx)
{
	return report_source_events(d->source, run->token.text, row, ctx);
}

/* --- enrolment ------------------------------------------------------------------------------------------ */

/* May this client enrol, and for this domain (0: for none)? */
static enum desk_result
may_enrol(struct desk *d, const char *set, uint64_t who, uint64_t where, int64_t now_us)
{
	const struct site_conf *c = &d->site->conf;

	if (!catalogue_set_exists(d->site->catalogue, set))
		return DESK_NO_SET;
	if (runs_today(d->runs, who, now_us) >= c->web_enrol_client)
		return DESK_CLIENT_LIMIT;
	if (where != 0 && runs_today(d->runs, where, now_us) >= c->web_enrol_domain)
		return DESK_DOMAIN_LIMIT;
	if (runs_today(d->runs, 0, now_us) >= c->web_enrol_all)
		return DESK_SITE_LIMIT;
	return DESK_DONE;
}

enum desk_result
desk_enrol(const struct run **dst, struct desk *d, const char *set,
    const union sockaddr_any *client, const char *domain, int64_t now_us)
{
	uint64_t who = runs_client(d->site, client, now_us);
	uint64_t where = domain != NULL ? runs_domain(d->site, domain, now_us) : 0;
	enum desk_result rc = may_enrol(d, set, who, where, now_us);
	struct enrolment e;

	if (rc != DESK_DONE)
		return rc;
	if (enrol_new(&e, d->site, set, "", now_us) != 0)
		return DESK_FAILED;
	*dst = runs_new(d->runs, &e, who, where);
	return *dst != NULL ? DESK_DONE : DESK_FAILED;
}

const struct apikey *
desk_key(struct desk *d, const char *text)
{
	if (d->keys == NULL)
		d->keys = apikeys_open(d->site);
	else if (apikeys_refresh(d->keys) != 0) {
		apikeys_close(d->keys);
		d->keys = NULL;
	}
	return d->keys != NULL ? apikeys_check(d->keys, text) : NULL;
}

enum desk_result
desk_enrol_key(const struct run **dst, struct desk *d, const char *set, const char *label,
    const struct apikey *key, int64_t now_us)
{
	uint64_t who = runs_key(d->site, key->id, now_us);
	struct enrolment e;

	if (!catalogue_set_exists(d->site->catalogue, set))
		return DESK_NO_SET;
	if (runs_today(d->runs, who, now_us) >= key->limit)
		return DESK_CLIENT_LIMIT;
	if (runs_today(d->runs, 0, now_us) >= d->site->conf.web_enrol_all)
		return DESK_SITE_LIMIT;
	if (enrol_new(&e, d->site, set, label, now_us) != 0)
		return DESK_FAILED;
	*dst = runs_new(d->runs, &e, who, 0);
	return *dst != NULL ? DESK_DONE : DESK_FAILED;
}

enum desk_result
desk_invite(struct desk *d, const char *set, const union sockaddr_any *client, const char *address,
    int64_t now_us)
{
	const struct site_conf *c = &d->site->conf;
	struct optouts *optouts = desk_optouts(d);
	uint64_t who = runs_client(d->site, client, now_us);
	char lower[OPTOUT_TEXT_MAX];
	const struct run *run;
	const char *domain;
	bool out, enough;
	int rc;

	if (optouts == NULL || c->mail_program[0] == '\0' ||
	    invitations_refresh(d->invitations) != 0)
		return DESK_FAILED;
	if (strlen(address) >= sizeof lower ||
	    !optout_address(lower, address, strlen(address), &domain))
		return (rc = may_enrol(d, set, who, 0, now_us)) != DESK_DONE ? (enum desk_result)rc
									     : DESK_NO_ADDRESS;
	if ((rc = desk_enrol(&run, d, set, client, domain, now_us)) != DESK_DONE)
		return (enum desk_result)rc;
	/* Who asks must not learn who is out: neither from what is said, nor from what is counted for him or the domain, nor
	 * from the time that it takes.  So there is a run in any case, and three journals have a line more. */
	out = optouts_has_address(optouts, lower);
	enough = invitations_address(d->invitations, lower, true, now_us) >= c->mail_per_address;
	rc = out || enough
		 ? invitations_note(d->invitations, run->token.text, INVITATION_REFUSED, "", now_us)
		 : invitations_ask(d->invitations, run->token.text, lower, "", now_us);
	return rc == 0 ? DESK_DONE : DESK_FAILED;
}

/* --- what is new ------------------------------------------------------------------------------------------ */

struct news {
	struct desk *desk;
	void (*changed)(void *, const char *);
	void *ctx;
};

static void
on_token(void *ctx, const char *token)
{
	struct news *news = ctx;
	const struct run *run = runs_of(news->desk->runs, token);
	struct kept *k = kept_of(news->desk, token);
	char subject[64];

	if (k != NULL)
		k->changed = true;
	if (run == NULL || news->changed == NULL)
		return;
	desk_subject(subject, sizeof subject, run);
	news->changed(news->ctx, subject);
}

int
desk_look(struct desk *d, void (*changed)(void *, const char *), void *ctx)
{
	struct news news = { d, changed, ctx };

	return runs_refresh(d->runs) == 0 ? report_source_changes(d->source, on_token, &news) : -1;
}
