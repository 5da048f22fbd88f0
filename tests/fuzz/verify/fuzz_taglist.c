/* Any octets as a tag-list: what is taken has names once, and values that the readers of values survive. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "verify/taglist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
read_value(struct span value)
{
	struct span rest = value, item;
	uint8_t octets[64];
	char text[64];
	int64_t number = taglist_number(value);
	size_t items = 0;

	check(taglist_squeeze(text, sizeof(text), value) || strlen(text) == sizeof(text) - 1);
	check(number >= -1 && number < 1000000000000000000);
	while (taglist_item(&item, &rest, ':'))
		check(++items <= value.n + 1);
	check(items > 0);
	check(taglist_base64(octets, sizeof(octets), value) <= (int)sizeof(octets));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct taglist l;
	int rc = taglist_parse(&l, text, len);

	check((rc < 0) == (l.wrong[0] != '\0'));
	check(l.n <= TAGLIST_MAX && (rc < 0 || l.n > 0));
	for (size_t i = 0; i < l.n; i++) {
		const struct tag *t = &l.tag[i];
		char name[64] = "";
		check(t->name.p >= text && t->name.n > 0);
		check(t->value.p + t->value.n <= text + len && t->value.p > t->name.p);
		if (t->name.n < sizeof(name)) {
			memcpy(name, t->name.p, t->name.n);
			check(taglist_get(&l, name) == t);
		}
		read_value(t->value);
	}
	return 0;
}
