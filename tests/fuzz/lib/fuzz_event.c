/* Any octets through the decoder; what it accepts must survive a second encoding and decoding. */
#include <stdlib.h>
#include <string.h>

#include "lib/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
encode(struct event_line *line, const struct event *e)
{
	struct event_origin origin = {
		.node = e->node, .daemon = e->daemon, .worker = e->worker, .n = e->n
	};

	event_begin(line, e->kind, &origin, e->t);
	for (const enum event_key *key = event_kind(e->kind)->keys; *key != EK_MAX; key++) {
		const struct event_value *v = &e->v[*key];
		if (!v->set)
			continue;
		if (event_key(*key)->type == EVT_TEXT)
			event_text(line, *key, v->text, v->len);
		else if (event_key(*key)->type == EVT_NUM)
			event_num(line, *key, v->num);
		else
			event_bool(line, *key, v->num != 0);
	}
	event_end(line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct event_line line;
	struct event e, again;
	char err[128];

	if (event_decode(&e, (const char *)data, len, err, sizeof(err)) < 0)
		return 0;
	if (e.kind != EV_KIND_MAX && !e.v[EK_CUT].set) {
		encode(&line, &e);
		check(line.len <= EVENT_LINE_MAX && line.buf[line.len - 1] == '\n');
		check(event_decode(&again, line.buf, line.len, err, sizeof(err)) == 0);
		check(again.t == e.t && again.n == e.n && again.kind == e.kind);
		for (const enum event_key *key = event_kind(e.kind)->keys;
		     *key != EK_MAX && !line.cut; key++) {
			const struct event_value *a = &e.v[*key], *b = &again.v[*key];
			check(a->num == b->num && a->len == b->len);
			check(a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
		}
		event_clear(&again);
	}
	event_clear(&e);
	return 0;
}
