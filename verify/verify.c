/* verify.c - see verify.h: the one place where the judges meet. */
#include "verify/verify.h"

#include <stdlib.h>
#include <string.h>

#include "verify/findings.h"

/* Whether questions are open. */
static bool
judge_spf(const struct verify_input *in, struct lookups *book, struct findings *f)
{
	struct spf_input spf = { .identity = SPF_MAIL_FROM,
		.client = in->client,
		.helo = in->helo,
		.from = in->from,
		.us = in->us,
		.now = in->now };
	bool open = spf_check(&spf, book, &f->spf_mail_from) == VERIFY_NEED;

	spf.identity = SPF_HELO;
	return (spf_check(&spf, book, &f->spf_helo) == VERIFY_NEED) | open;
}

static bool
judge_host(const struct verify_input *in, struct lookups *book, struct findings *f)
{
	bool open = fcrdns_check(in->client, book, &f->fcrdns) == VERIFY_NEED;

	return (helo_check(in->client, in->helo, &f->fcrdns, book, &f->helo) == VERIFY_NEED) | open;
}

static bool
judge_signatures(const struct verify_input *in, struct lookups *book, struct findings *f)
{
	bool open = dkim_judge(&f->mail, in->now, book, &f->dkim) == VERIFY_NEED;

	return (arc_judge(&f->mail, book, &f->arc) == VERIFY_NEED) | open;
}

/* As far as SPF and DKIM are judged: what DMARC asks for hangs on their domains only. */
static bool
judge_dmarc(struct lookups *book, struct findings *f, bool one_author, bool spf_open)
{
	struct dmarc_identity dkim[DKIM_SIGNATURES_MAX];
	const struct spf_result *spf = &f->spf_mail_from;
	struct dmarc_input in = {
		.author = one_author ? f->author.domain[0] : "",
		.why = f->author.why,
		.spf = { spf_open ? "" : spf->domain, spf->verdict == SPF_PASS,
		    spf->verdict == SPF_TEMPERROR },
		.n = f->dkim.n,
		.dkim = dkim,
	};

	for (size_t i = 0; i < f->dkim.n; i++)
		dkim[i] = (struct dmarc_identity){ f->dkim.sig[i].domain,
			f->dkim.sig[i].verdict == DKIM_IS_PASS,
			f->dkim.sig[i].verdict == DKIM_IS_TEMPERROR };
	return dmarc_judge(&in, book, &f->dmarc) == VERIFY_NEED;
}

/* All that can be foreseen is asked for in the first round, keys too.  Hashing a large message for many
 * signatures costs time, so afterwards signatures wait until nothing else is open. */
static bool
judge_all(const struct verify_input *in, struct lookups *book, struct findings *f)
{
	bool first = lookup_at(book, 0) == NULL, open, spf_open, one_author;

	mail_parse(&f->mail, in->message, in->len, &mail_limits);
	one_author = address_author(&f->author, &f->mail);
	open = spf_open = judge_spf(in, book, f);
	open |= judge_host(in, book, f);
	open |= judge_dmarc(book, f, one_author, spf_open);
	if (open && !first)
		return true;
	open |= judge_signatures(in, book, f);
	if (open || judge_dmarc(book, f, one_author, false))
		return true;
	received_read(&f->received, &f->mail, in->now);
	return false;
}

enum verify_step
verify_run(const struct verify_input *in, struct lookups *book, struct strbuf *json)
{
	struct findings *f = xcalloc(1, sizeof(*f));
	bool open = judge_all(in, book, f);

	if (!open)
		findings_json(json, f, in, book);
	mail_clear(&f->mail);
	free(f);
	return open ? VERIFY_NEED : VERIFY_DONE;
}

int
verify_warm_up(void)
{
	int dkim = dkim_warm_up();

	return dmarc_warm_up() != 0 ? -1 : dkim;
}
