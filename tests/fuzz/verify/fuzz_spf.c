/* A whole evaluation, with any answers.  Lines: the client, HELO and sender, then one for each question:
 *   - no data, x no such name, f failure, b bogus; else
 *   + or = a record, as text by its type (+: the next line is one more), r its rdata as they are. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/verify/records.h"
#include "verify/spf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct input {
	const char *at, *end;
};

/* The next line, as a string. */
static bool
line(struct input *in, char *dst, size_t size)
{
	const char *stop = memchr(in->at, '\n', (size_t)(in->end - in->at));
	size_t n = (size_t)((stop != NULL ? stop : in->end) - in->at);

	dst[0] = '\0';
	if (in->at == in->end)
		return false;
	snprintf(dst, size, "%.*s", (int)(n < size ? n : size - 1), in->at);
	in->at += n + (stop != NULL);
	return true;
}

static void
answer(struct input *in, struct lookups *book, const struct lookup *l)
{
	struct strbuf data[16] = { 0 };
	struct lookup_rdata rdata[16] = { { NULL, 0 } };
	enum lookup_status status = LOOKUP_NXDOMAIN;
	static char text[3000];
	size_t n = 0;

	while (n < 16 && line(in, text, sizeof(text))) {
		status = text[0] == '-'   ? LOOKUP_NODATA
			 : text[0] == 'f' ? LOOKUP_FAILED
			 : text[0] == 'b' ? LOOKUP_BOGUS
			 : text[0] == 'x' ? LOOKUP_NXDOMAIN
					  : LOOKUP_OK;
		if (status != LOOKUP_OK)
			break;
		if (text[0] == 'r')
			strbuf_puts(&data[n], text + 1);
		else if (text[0] != '\0')
			put_rdata(&data[n], l->type, text + 1);
		rdata[n].data = (const uint8_t *)data[n].s;
		rdata[n].len = (uint16_t)data[n].len;
		n++;
		if (text[0] != '+')
			break;
	}
	lookup_put(book, l->name, l->type, status, false, text, rdata, n);
	for (size_t i = 0; i < n; i++)
		strbuf_clear(&data[i]);
}

static void
printable(const char *s, size_t size)
{
	if (strnlen(s, size) == size)
		abort();
	for (; *s != '\0'; s++)
		if (*s < 0x20 || *s > 0x7e)
			abort();
}

static void
look_at(const struct spf_result *r)
{
	printable(r->domain, sizeof(r->domain));
	printable(r->reason, sizeof(r->reason));
	printable(r->term, sizeof(r->term));
	printable(r->term_domain, sizeof(r->term_domain));
	printable(r->explanation, sizeof(r->explanation));
	printable(r->no_explanation, sizeof(r->no_explanation));
	if (r->reason[0] == '\0' || r->lookups > SPF_LOOKUPS_MAX + 1 ||
	    r->voids > SPF_VOIDS_MAX + 1 || r->steps > SPF_TRACE_MAX)
		abort();
	if (r->verdict != SPF_PERMERROR &&
	    (r->lookups > SPF_LOOKUPS_MAX || r->voids > SPF_VOIDS_MAX))
		abort();
	if (r->verdict != SPF_FAIL && r->explanation[0] != '\0')
		abort();
	for (size_t i = 0; i < r->steps; i++) {
		printable(r->trace[i].domain, sizeof(r->trace[i].domain));
		printable(r->trace[i].text, sizeof(r->trace[i].text));
		printable(r->trace[i].target, sizeof(r->trace[i].target));
		printable(r->trace[i].found, sizeof(r->trace[i].found));
		spf_verdict_word(r->trace[i].verdict);
		spf_outcome_word(r->trace[i].outcome);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { (const char *)data, (const char *)data + len };
	static struct spf_result result, again;
	static char client[100], helo[600], from[600];
	struct spf_input input = { .client = client, .helo = helo, .from = from, .us = "us" };
	struct lookups *book = lookups_new(400);
	const struct lookup *l;
	unsigned rounds = 0;

	line(&in, client, sizeof(client));
	line(&in, helo, sizeof(helo));
	line(&in, from, sizeof(from));
	input.identity = len % 7 == 0 ? SPF_HELO : SPF_MAIL_FROM;
	while (spf_check(&input, book, &result) == VERIFY_NEED) {
		size_t iter = 0, answered = 0;

		for (; (l = lookup_wanted(book, &iter)) != NULL; answered++)
			answer(&in, book, l);
		/* Each term may ask for names and for their addresses, and %{p} too. */
		if (answered == 0 || ++rounds > 5 * (SPF_LOOKUPS_MAX + 2))
			abort();
	}
	look_at(&result);
	if (spf_check(&input, book, &again) != VERIFY_DONE || again.verdict != result.verdict ||
	    strcmp(again.reason, result.reason) != 0)
		abort();
	lookups_free(book);
	return 0;
}
