/* Any octets as a line: what the head names stands inside it; of a line that the encoder wrote the head says what
 * the decoder says. */
#include <stdlib.h>
#include <string.h>

#include "lib/event.h"
#include "results/eventhead.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
inside(const struct eventhead_span *span, const char *line, size_t len)
{
	check(span->len == 0 || (span->s > line && span->s + span->len < line + len));
}

static void
same(const struct eventhead_span *span, const struct event_value *v)
{
	check(!v->set || span->len >= v->len); /* an escape is longer than what it stands for */
	check(v->set || span->len == 0);
}

/* The line of the event with nothing but what a head tells of. */
static void
rewrite(const struct event *e)
{
	static struct event_line line;
	struct event_origin origin = {
		.node = e->node, .daemon = e->daemon, .worker = e->worker, .n = e->n
	};
	static const enum event_key keys[] = { EK_TOKEN, EK_CONN };
	struct eventhead h;

	event_begin(&line, e->kind, &origin, e->t);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (e->v[keys[i]].set)
			event_text(&line, keys[i], e->v[keys[i]].text, e->v[keys[i]].len);
	event_end(&line);
	if (line.cut)
		return;
	check(eventhead_read(&h, line.buf, line.len - 1) == NULL);
	check(h.t == e->t && h.ev.len == strlen(e->kind_name));
	same(&h.token, &e->v[EK_TOKEN]);
	same(&h.conn, &e->v[EK_CONN]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct eventhead h;
	struct event e;
	char err[128];

	if (eventhead_read(&h, (const char *)data, len) == NULL) {
		inside(&h.token, (const char *)data, len);
		inside(&h.conn, (const char *)data, len);
		inside(&h.node, (const char *)data, len);
		inside(&h.ev, (const char *)data, len);
	}
	if (event_decode(&e, (const char *)data, len, err, sizeof(err)) < 0)
		return 0;
	if (e.kind != EV_KIND_MAX && e.node[0] != '\0')
		rewrite(&e);
	event_clear(&e);
	return 0;
}
