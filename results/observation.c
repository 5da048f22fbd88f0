/* observation.c - decoded events, packed. */
#include "results/observation.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"

static char *
pack_text(char **free_at, const char *s, size_t len)
{
	char *at = *free_at;

	memcpy(at, s, len);
	at[len] = '\0';
	*free_at = at + len + 1;
	return at;
}

static struct observation *
pack(const struct event *e)
{
	size_t text = strlen(e->node) + strlen(e->daemon) + 2;
	unsigned n = 0;

	for (unsigned k = 0; k < EK_MAX; k++) {
		if (!e->v[k].set)
			continue;
		n++;
		if (e->v[k].text != NULL)
			text += e->v[k].len + 1;
	}
	struct observation *o = xmalloc(sizeof *o + n * sizeof o->value[0] + text);
	char *at = (char *)&o->value[n];
	*o = (struct observation){
		.t = e->t,
		.worker = e->worker,
		.n = e->n,
		.kind = e->kind,
		.n_values = n,
		.node = pack_text(&at, e->node, strlen(e->node)),
	};
	o->daemon = pack_text(&at, e->daemon, strlen(e->daemon));
	n = 0;
	for (unsigned k = 0; k < EK_MAX; k++) {
		if (!e->v[k].set)
			continue;
		struct observation_value *v = &o->value[n++];
		v->key = k;
		v->num = e->v[k].num;
		v->len = e->v[k].len;
		v->text = e->v[k].text == NULL ? NULL : pack_text(&at, e->v[k].text, v->len);
	}
	return o;
}

int
observations_add(struct observations *obs, const char *line, size_t len)
{
	struct event e;
	char err[128];

	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (event_decode(&e, line, len, err, sizeof err) < 0) {
		obs->corrupt++;
		return 1;
	}
	if (e.kind == EV_KIND_MAX) {
		obs->unknown++;
		event_clear(&e);
		return 1;
	}
	obs->item = xgrow(obs->item, obs->n, sizeof *obs->item);
	obs->item[obs->n++] = pack(&e);
	event_clear(&e);
	return 0;
}

int
observation_order(const struct observation *a, const struct observation *b)
{
	int c;

	if (a->t != b->t)
		return a->t < b->t ? -1 : 1;
	if ((c = strcmp(a->node, b->node)) != 0 || (c = strcmp(a->daemon, b->daemon)) != 0)
		return c;
	if (a->worker != b->worker)
		return a->worker < b->worker ? -1 : 1;
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	return (int)a->kind - (int)b->kind;
}

static int
order(const void *a, const void *b)
{
	return observation_order(
	    *(const struct observation *const *)a, *(const struct observation *const *)b);
}

/* Two events may share time, origin and number (a clock that stepped back over a new segment's
 * start); only the same event twice says the same. */
static bool
same(const struct observation *a, const struct observation *b)
{
	if (observation_order(a, b) != 0 || a->n_values != b->n_values)
		return false;
	for (unsigned i = 0; i < a->n_values; i++) {
		const struct observation_value *x = &a->value[i], *y = &b->value[i];
		if (x->key != y->key || x->num != y->num || x->len != y->len ||
		    (x->text == NULL) != (y->text == NULL) ||
		    (x->text != NULL && memcmp(x->text, y->text, x->len) != 0))
			return false;
	}
	return true;
}

void
observations_sort(struct observations *obs)
{
	size_t kept = 0;

	if (obs->n == 0)
		return;
	qsort(obs->item, obs->n, sizeof obs->item[0], order);
	for (size_t i = 0; i < obs->n; i++) {
		if (kept > 0 && same(obs->item[kept - 1], obs->item[i])) {
			free(obs->item[i]);
			obs->twice++;
		} else {
			obs->item[kept++] = obs->item[i];
		}
	}
	obs->n = kept;
}

void
observations_clear(struct observations *obs)
{
	for (size_t i = 0; i < obs->n; i++)
		free(obs->item[i]);
	free(obs->item);
	memset(obs, 0, sizeof *obs);
}

static const struct observation_value *
value(const struct observation *o, enum event_key key)
{
	for (unsigned i = 0; i < o->n_values; i++) {
		if (o->value[i].key == key)
			return &o->value[i];
	}
	return NULL;
}

const char *
text_of(const struct observation *o, enum event_key key)
{
	const struct observation_value *v = value(o, key);

	return v == NULL || v->text == NULL ? "" : v->text;
}

int64_t
observation_num(const struct observation *o, enum event_key key, int64_t fallback)
{
	const struct observation_value *v = value(o, key);

	return v == NULL || v->text != NULL ? fallback : v->num;
}

bool
observation_is(const struct observation *o, enum event_key key, const char *text)
{
	const struct observation_value *v = value(o, key);

	return v != NULL && v->text != NULL && strcasecmp(v->text, text) == 0;
}
