/* What openapi.json promises is what is served, path by path and method by method. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* cmocka.h makes macros of names that zones/test.h declares. */
#include "lib/json.h"
#include "web/assets.h"
#include "web/pages.h"

#include <cmocka.h>

static struct json_doc *doc;

static int
setup(void **state)
{
	const struct asset *a;
	char err[200] = "";

	(void)state;
	assets_prepare();
	a = asset_named("openapi.json");
	doc = a != NULL ? json_parse(a->data, a->len, err, sizeof err) : NULL;
	return doc != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	json_free(doc);
	return 0;
}

static bool
is_method(const char *key)
{
	return strcmp(key, "get") == 0 || strcmp(key, "post") == 0 || strcmp(key, "put") == 0 ||
	       strcmp(key, "delete") == 0 || strcmp(key, "patch") == 0;
}

static bool
serves(const char *method, const char *pattern)
{
	for (const struct route *r = site_routes; r->method != NULL; r++)
		if (strcasecmp(r->method, method) == 0 && strcmp(r->pattern, pattern) == 0)
			return true;
	return false;
}

static void
promised(void **state)
{
	const struct json *paths = json_get(json_root(doc), "paths");
	unsigned n = 0;

	(void)state;
	assert_non_null(paths);
	for (const struct json *p = paths->child; p != NULL; p = p->next)
		for (const struct json *m = p->child; m != NULL; m = m->next) {
			if (!is_method(m->key))
				continue;
			n++;
			if (!serves(m->key, p->key))
				fail_msg("%s %s is not served", m->key, p->key);
			assert_non_null(json_get(m, "operationId"));
			assert_non_null(json_get(m, "responses"));
		}
	assert_int_equal(n, 6);
}

static void
described(void **state)
{
	const struct json *paths = json_get(json_root(doc), "paths"), *p, *m;
	char method[8];

	(void)state;
	for (const struct route *r = site_routes; r->method != NULL; r++) {
		if (strncmp(r->pattern, "/api/", 5) != 0)
			continue;
		for (size_t i = 0; i <= strlen(r->method) && i < sizeof method; i++)
			method[i] = (char)(r->method[i] | (r->method[i] != '\0' ? 0x20 : 0));
		if ((p = json_get(paths, r->pattern)) == NULL || (m = json_get(p, method)) == NULL)
			fail_msg("%s %s is not described", r->method, r->pattern);
		/* only programs post here, so no form is asked for */
		assert_int_equal(r->flags & ~(unsigned)ROUTE_READS,
		    strcmp(r->method, "POST") == 0 ? ROUTE_KEY : 0);
	}
}

/* Every reference leads somewhere. */
static void
resolve(const struct json *o)
{
	const char *ref;
	const struct json *schemas = json_get(json_get(json_root(doc), "components"), "schemas");

	if (o->type == JSON_OBJECT && (ref = json_string(o, "$ref")) != NULL) {
		assert_memory_equal(ref, "#/components/schemas/", 21);
		if (json_get(schemas, ref + 21) == NULL)
			fail_msg("%s leads nowhere", ref);
	}
	if (o->type == JSON_OBJECT || o->type == JSON_ARRAY)
		for (const struct json *c = o->child; c != NULL; c = c->next)
			resolve(c);
}

static void
references(void **state)
{
	(void)state;
	assert_string_equal(json_string(json_root(doc), "openapi"), "3.0.3");
	resolve(json_root(doc));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(promised),
		cmocka_unit_test(described),
		cmocka_unit_test(references),
	};

	return cmocka_run_group_tests_name("api", tests, setup, teardown);
}
