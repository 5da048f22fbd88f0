#include "verify/bodyhash.h"

#include "verify/hashing.h"

const struct bodyhash *
bodyhash_get(struct bodyhashes *all, struct span body, enum canon how, bool sha1, uint64_t limit)
{
	struct bodyhash *b;
	struct hashing h;

	for (size_t i = 0; i < all->made && i < BODYHASHES_MAX; i++) {
		b = &all->kept[i];
		if (b->how == how && b->sha1 == sha1 && b->limit == limit)
			return b;
	}
	b = &all->kept[all->made++ % BODYHASHES_MAX];
	*b = (struct bodyhash){ .how = how, .sha1 = sha1, .limit = limit };
	hashing_init(&h, sha1);
	b->len = canon_body(&h.sink, how, body, limit);
	hashing_end(&h, b->hash);
	return b;
}
