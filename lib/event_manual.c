/* event_manual.c - the two tables as mdoc, for outpost-events(5). */
#include "lib/event.h"

static const char *const type_names[] = {
	[EVT_TEXT] = "string",
	[EVT_NUM] = "integer",
	[EVT_BOOL] = "boolean",
};

/* A key at the start of the sentence would be read as a macro: .Ar is always first. */
static void
kind_keys(FILE *out, const struct event_kind_row *row)
{
	fputs(".br\nKeys:\n", out);
	for (const enum event_key *key = row->keys; *key != EK_MAX; key++)
		fprintf(out, ".Li %s%s\n", event_key(*key)->name, key[1] == EK_MAX ? " ." : " ,");
}

void
event_manual(FILE *out)
{
	fputs(".Ss Kinds\n.Bl -tag -width indent\n", out);
	for (int k = 0; k < EV_KIND_MAX; k++) {
		const struct event_kind_row *row = event_kind((enum event_kind)k);
		fprintf(out, ".It Li %s\n%s.\n", row->name, row->about);
		kind_keys(out, row);
	}
	fputs(".El\n.Ss Keys\n.Bl -tag -width indent\n", out);
	for (int k = 0; k < EK_MAX; k++) {
		const struct event_key_row *row = event_key((enum event_key)k);
		fprintf(
		    out, ".It Li %s Pq %s\n%s.\n", row->name, type_names[row->type], row->about);
	}
	fputs(".El\n", out);
}
