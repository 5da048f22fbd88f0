#include "verify/opendkim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <opendkim/dkim.h>

#include "lib/log.h"
#include "lib/strbuf.h"

/* The library's own, as large as its buffer of a key record. */
#define RECORD_MAX 1024

/* Opened once: opening reads a file. */
static DKIM_LIB *library;

struct questions {
	const struct opendkim_question *q;
	size_t n;
};

/* libopendkim asks here instead of the DNS. */
static DKIM_CBSTAT
on_key(DKIM *dkim, DKIM_SIGINFO *sig, unsigned char *dst, size_t size)
{
	const struct questions *all = dkim_get_user_context(dkim);
	const char *domain = (const char *)dkim_sig_getdomain(sig);
	const char *selector = (const char *)dkim_sig_getselector(sig);

	for (size_t i = 0; i < all->n; i++) {
		const struct opendkim_question *q = &all->q[i];
		static const int dnssec[] = {
			[DKIMKEY_INSECURE] = DKIM_DNSSEC_INSECURE,
			[DKIMKEY_SECURE] = DKIM_DNSSEC_SECURE,
			[DKIMKEY_BOGUS] = DKIM_DNSSEC_BOGUS,
		};
		if (strcasecmp(q->sig->domain, domain) != 0 ||
		    strcasecmp(q->sig->selector, selector) != 0)
			continue;
		dkim_sig_setdnssec(sig, dnssec[q->key->dnssec]);
		if (snprintf((char *)dst, size, "%s", q->key->record) < (int)size)
			return DKIM_CBSTAT_CONTINUE;
		break;
	}
	return DKIM_CBSTAT_NOTFOUND;
}

int
opendkim_warm_up(void)
{
	unsigned flags = DKIM_LIBFLAGS_DELAYSIGPROC | DKIM_LIBFLAGS_BADSIGHANDLES, bits = 0;

	if (library != NULL)
		return 0;
	library = dkim_init(NULL, NULL);
	/* Keys that are too short are classified by us: RFC 8301. */
	if (library == NULL || dkim_set_key_lookup(library, on_key) != DKIM_STAT_OK ||
	    dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof(flags)) !=
		DKIM_STAT_OK ||
	    dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_MINKEYBITS, &bits, sizeof(bits)) !=
		DKIM_STAT_OK) {
		log_warn(
		    "verify: libopendkim: cannot be set up: what it says of signatures is missing");
		return -1;
	}
	return 0;
}

/* The library compares t= and x= with the clock; what is too old is not its business here.  It takes the
 * drift from t= without looking whether t= is that large, so the least t= is the most. */
static void
forgive_times(const struct opendkim_question *q, size_t n)
{
	uint64_t drift = (uint64_t)1 << 40;

	for (size_t i = 0; i < n; i++)
		if (q[i].sig->signed_at >= 0 && (uint64_t)q[i].sig->signed_at < drift)
			drift = (uint64_t)q[i].sig->signed_at;
	dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_CLOCKDRIFT, &drift, sizeof(drift));
}

static bool
is_asked(const struct mail_field *f, const struct opendkim_question *q, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (q[i].sig->field == f)
			return true;
	return false;
}

/* A copy that ends with NUL: the library measures what it is given with strlen(). */
static void
give_header(DKIM *dkim, const struct mail *m, const struct opendkim_question *q, size_t n)
{
	/* Of no name that h= could have.  The library writes one pointer too far if h= names every field
	 * and then another: so there is one field more. */
	static char last[] = "no field: ";
	struct strbuf text = { 0 };

	for (size_t i = 0; i < m->n; i++) {
		const struct mail_field *f = &m->field[i];
		size_t len = (size_t)(f->value.p + f->value.n - f->raw.p);
		if (span_is(f->name, DKIM_SIGNHEADER) && !is_asked(f, q, n))
			continue;
		strbuf_reset(&text);
		strbuf_add(&text, f->raw.p, len);
		/* What it refuses is no field to it. */
		(void)dkim_header(dkim, (unsigned char *)text.s, text.len);
	}
	(void)dkim_header(dkim, (unsigned char *)last, sizeof(last) - 1);
	strbuf_clear(&text);
}

static void
read_answer(struct opendkim_answer *a, DKIM_SIGINFO *sig, const struct dkimkey *key)
{
	const char *text;

	a->error = dkim_sig_geterror(sig);
	text = dkim_sig_geterrorstr(a->error); /* NULL for -1 */
	/* The flag that it passed is there also when the body hash is wrong. */
	if (DKIM_SIG_CHECK(sig) && a->error == DKIM_SIGERROR_OK)
		a->opinion = OPENDKIM_PASS;
	else if (a->error == DKIM_SIGERROR_EXPIRED || a->error == DKIM_SIGERROR_FUTURE ||
		 strlen(key->record) > RECORD_MAX)
		a->opinion = OPENDKIM_NO_OPINION;
	else
		a->opinion = OPENDKIM_FAIL;
	snprintf(a->text, sizeof(a->text), "%s", text != NULL ? text : "not verified");
}

static void
judge(DKIM *dkim, struct opendkim_answer *a, const struct opendkim_question *q, size_t n,
    const struct mail *m)
{
	struct questions all = { q, n };
	DKIM_SIGINFO **sig;
	DKIM_STAT status;
	int count = 0;

	dkim_set_user_context(dkim, &all);
	give_header(dkim, m, q, n);
	status = dkim_eoh(dkim);
	if (status != DKIM_STAT_OK)
		return;
	if (m->body.n > 0 &&
	    dkim_body(dkim, (unsigned char *)(uintptr_t)m->body.p, m->body.n) != DKIM_STAT_OK)
		return;
	(void)dkim_eom(dkim, NULL);
	if (dkim_getsiglist(dkim, &sig, &count) != DKIM_STAT_OK || count != (int)n)
		return;
	for (size_t i = 0; i < n; i++)
		read_answer(&a[i], sig[i], q[i].key);
}

void
opendkim_judge(
    struct opendkim_answer *a, const struct opendkim_question *q, size_t n, const struct mail *m)
{
	DKIM_STAT status;
	DKIM *dkim;

	memset(a, 0, n * sizeof(*a));
	if (n == 0 || opendkim_warm_up() < 0)
		return;
	forgive_times(q, n);
	dkim = dkim_verify(library, (const unsigned char *)"", NULL, &status);
	if (dkim == NULL)
		return;
	judge(dkim, a, q, n, m);
	dkim_free(dkim);
}
