/* bounce.c - see bounce.h. */
#include "results/bounce.h"

#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"
#include "results/mime.h"

/* The test that an address names: "...@TOKEN.TEST." or "...TOKEN.LABEL.TEST."; NULL: none. */
static struct facts *
test_in_address(struct correlation *c, const char *address)
{
	size_t len = strlen(c->token);
	const char *p = strrchr(address, '@');

	for (; p != NULL; p = strchr(p + 1, '.')) {
		const char *label = p + 1 + len;
		if (strncasecmp(p + 1, c->token, len) != 0 || *label != '.')
			continue;
		for (unsigned i = 0; i < 2 && *label == '.';
		     i++, label += 1 + strcspn(label + 1, ".")) {
			size_t n = strcspn(label + 1, ".");
			struct facts *f = correlation_find(c, label + 1, n);
			if (f == NULL && n > 2 && strncasecmp(label + n - 1, "-b", 2) == 0)
				f = correlation_find(c, label + 1, n - 2);
			if (f != NULL)
				return f;
		}
	}
	return NULL;
}

static void
add_bounce(struct facts *f, const struct observation *o, const struct dsn *d, unsigned i)
{
	f->bounces = xgrow(f->bounces, f->n_bounces, sizeof *f->bounces);
	f->bounces[f->n_bounces++] = (struct bounce){ o->t, o, d, &d->rcpt[i] };
	if (f->n_events == 0 || f->events[f->n_events - 1] != o)
		facts_event(f, o); /* the timeline of the test that it explains shows it */
}

/* It may tell of our own 550. */
static bool
is_of_release(const struct correlation *c, const struct facts *f, const struct observation *o)
{
	return c->released != 0 && o->t >= c->released && !f->test->unmailed;
}

void
bounce_read(struct correlation *c, struct facts *to, const struct observation *o)
{
	const char *data = text_of(o, EK_DATA);
	struct strbuf raw = { 0 };
	struct dsn *d = NULL;
	char why[160];

	if (c->n_dsns == BOUNCES_MAX)
		return;
	if (mime_base64(&raw, data, strlen(data), DSN_MAX) && raw.len > 0)
		d = dsn_read(raw.s, raw.len, why, sizeof why);
	strbuf_clear(&raw);
	if (d == NULL)
		return;
	c->dsns = xgrow(c->dsns, c->n_dsns, sizeof *c->dsns);
	c->dsns[c->n_dsns++] = d;
	for (unsigned i = 0; i < d->n; i++) {
		struct facts *f = test_in_address(c, d->rcpt[i].final);
		if (f == NULL)
			f = test_in_address(c, d->rcpt[i].original);
		if (f == NULL && to->test->unmailed)
			f = to;
		if (f != NULL && !is_of_release(c, f, o))
			add_bounce(f, o, d, i);
	}
}
