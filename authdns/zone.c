#include "authdns/zone.h"

#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"

#define ARENA_CHUNK 65536

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(16) uint8_t data[];
};
struct arena {
	struct chunk *chunk;
};

struct arena *
arena_new(void)
{
	return xcalloc(1, sizeof(struct arena));
}

void *
arena_alloc(struct arena *a, size_t len)
{
	struct chunk *c = a->chunk;
	void *p;

	len = (len + 15) & ~(size_t)15;
	if (c == NULL || c->size - c->used < len) {
		size_t size = len > ARENA_CHUNK ? len : ARENA_CHUNK;

		c = xcalloc(1, sizeof(*c) + size);
		c->size = size;
		c->next = a->chunk;
		a->chunk = c;
	}
	p = c->data + c->used;
	c->used += len;
	return p;
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	for (struct chunk *c = a->chunk, *next; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	free(a);
}

void
zones_free(struct zones *z)
{
	if (z == NULL)
		return;
	arena_free(z->arena);
	free(z);
}

uint8_t *
blob_copy(uint8_t *dst, const struct blob *b, const struct token *token)
{
	memcpy(dst, b->data, b->len);
	for (unsigned i = 0; i < b->n_patch; i++) {
		uint8_t *p = dst + b->patch[i].at;

		if (b->patch[i].kind == PATCH_TOKEN) {
			memcpy(p, token->text, TOKEN_LEN);
			continue;
		}
		for (unsigned k = 0; k < 6; k++)
			p[k] = (uint8_t)(token->id >> (40 - 8 * k));
	}
	return dst + b->len;
}

/* FNV-1a.  The tables hold only names of the catalogue, so nobody can fill a chain. */
uint32_t
zone_hash(const uint8_t *data, size_t len)
{
	uint32_t h = 2166136261U;

	for (size_t i = 0; i < len; i++)
		h = (h ^ data[i]) * 16777619U;
	return h;
}

const struct node *
zone_node(const struct zone *z, const uint8_t *key, size_t len)
{
	for (unsigned i = zone_hash(key, len) & z->mask; z->table[i] != NULL; i = (i + 1) & z->mask)
		if (z->table[i]->key_len == len &&
		    (len == 0 || memcmp(z->table[i]->key, key, len) == 0))
			return z->table[i];
	return NULL;
}

struct zone *
zones_by_label(const struct zones *zs, const uint8_t *label, size_t len)
{
	uint8_t lower[64];

	wire_name_lower(lower, label, len);
	for (unsigned i = zone_hash(lower, len) & zs->label_mask; zs->by_label[i] != NULL;
	     i = (i + 1) & zs->label_mask) {
		const struct zone *z = zs->by_label[i];

		if (z->apex[0] == len && memcmp(z->apex + 1, lower, len) == 0)
			return zs->by_label[i];
	}
	return NULL;
}

const struct rrset *
node_set(const struct node *n, uint16_t type)
{
	for (unsigned i = 0; i < n->n_sets; i++)
		if (n->sets[i].type == type)
			return &n->sets[i];
	return NULL;
}
