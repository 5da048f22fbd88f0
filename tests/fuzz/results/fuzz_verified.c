/* Bytes as the results in a verify.result event: words, reasons and evidence stay printable ASCII, and a report that
 * holds them is JSON. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "results/papers.h"
#include "results/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKEN "aaaaaaaaaaaaaaaa"
#define START INT64_C(1767225600000000)

static void
add(struct observations *obs, struct event_line *e, enum event_kind kind, const uint8_t *data,
    size_t size)
{
	struct event_origin origin = { "fuzz", "x", 0, (uint64_t)kind + 1 };
	bool result = kind == EV_VERIFY_RESULT;

	event_begin(e, kind, &origin, START + kind);
	event_str(e, EK_TOKEN, TOKEN);
	event_str(e, EK_TEST, "dual");
	event_str(e, EK_CONN, "c");
	if (kind == EV_SMTP_CONNECT)
		event_str(e, EK_PEER, size % 2 == 0 ? "192.0.2.1" : "2001:db8:1::25");
	else
		event_str(e, EK_DIGEST, "d");
	if (kind == EV_SMTP_MESSAGE) {
		event_num(e, EK_REPLY, 250);
		event_bool(e, EK_HANDED, true);
	}
	if (result) {
		event_text(e, EK_RESULTS, (const char *)data, size);
		event_str(e, EK_LIBSPF2, size % 3 == 0 ? "crashed" : "pass");
	}
	event_end(e);
	observations_add(obs, e->buf, e->len);
}

static void
plain(const struct strbuf *b)
{
	for (size_t i = 0; i < b->len; i++)
		if ((b->s[i] < 0x20 || b->s[i] > 0x7e) && b->s[i] != '\n')
			abort();
}

static void
check_words(const struct verified *v)
{
	struct strbuf b = { 0 };
	const char *word;

	for (unsigned m = 0; m < AUTH_METHOD_MAX; m++) {
		for (unsigned i = 0; (word = auth_word((enum auth_method)m, i)) != NULL; i++)
			verified_is(v, (enum auth_method)m, word);
		verified_describe(&b, v, (enum auth_method)m);
		papers_evidence(&b, v, (enum auth_method)m);
	}
	papers_received(&b, v);
	plain(&b);
	strbuf_clear(&b);
}

static void
check_views(const struct report *r)
{
	struct strbuf b = { 0 };
	char err[128];

	for (const struct report_view *v = reports; v->name != NULL; v++) {
		strbuf_reset(&b);
		v->write(&b, r, NULL);
		if (strcmp(v->name, "json") != 0)
			continue;
		struct json_doc *doc = json_parse(b.s, b.len, err, sizeof err);
		if (doc == NULL)
			abort();
		json_free(doc);
	}
	strbuf_clear(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum event_kind kinds[] = { EV_SMTP_CONNECT, EV_SMTP_MESSAGE,
		EV_VERIFY_RESULT };
	static struct catalogue *cat;
	static struct event_line e;
	struct observations obs = { 0 };
	struct judge j = { .pace = 1 };
	char err[512];

	if (cat == NULL && (cat = catalogue_load("zones/catalogue", err, sizeof err)) == NULL)
		abort();
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		add(&obs, &e, kinds[i], data, size);
	struct report *r = report_from(
	    &obs, cat, TOKEN, "spf", 0, START + INT64_C(86400000000), &j);
	for (size_t i = 0; i < r->c->n_verified; i++)
		check_words(r->c->verified[i]);
	check_views(r);
	report_free(r);
	return 0;
}
