/* Which row answers, and which paths nobody has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka.h makes macros of names that zones/test.h declares. */
#include "web/pages.h"

#include <cmocka.h>

static const struct route rows[] = {
	{ "GET", "/", page_start, 0, 0 },
	{ "POST", "/run", page_enrol, 0, 0 },
	{ "GET", "/run/{run}", page_run, 0, 0 },
	{ "GET", "/run/{run}/live", page_run_live, 0, 0 },
	{ "DELETE", "/run/{run}", page_enrol, 0, 0 },
	{ "GET", "/run/{run}/{a}/{b}", page_test, 0, 0 },
	{ NULL, NULL, NULL, 0, 0 },
};

static struct route_match m;

static unsigned
find(const char *method, const char *path)
{
	route_find(&m, rows, method, path, strlen(path));
	return m.route != NULL ? (unsigned)(m.route - rows) : m.status;
}

static void
finds(void **state)
{
	(void)state;
	assert_int_equal(find("GET", "/"), 0);
	assert_int_equal(find("HEAD", "/"), 0);
	assert_int_equal(find("POST", "/run"), 1);
	assert_int_equal(find("GET", "/run/abc"), 2);
	assert_string_equal(m.part[0], "abc");
	assert_int_equal(find("DELETE", "/run/abc"), 4);
	assert_int_equal(find("GET", "/run/a.b_c~d@e-f/live"), 3);
	assert_string_equal(m.part[0], "a.b_c~d@e-f");
	assert_int_equal(find("GET", "/run/1/2/3"), 5);
	assert_string_equal(m.part[2], "3");
}

static void
refuses(void **state)
{
	static const char *const paths[] = { "", "//", "/run/", "/run//live", "/run/../live",
		"/run/./live", "/run/..", "/run/%61", "/run/a b", "/run/<x>", "/run/abc/",
		"/Run/abc", "/runabc", "/run/abc/live/x/y", "run/abc", "/run/a/live\0x" };

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		assert_int_equal(
		    find("GET", paths[i]), i + 1 < sizeof paths / sizeof *paths ? 404 : 3);
	route_find(&m, rows, "GET", "/run/a\0b", 8);
	assert_int_equal(m.status, 404);
	assert_null(m.route);
}

static void
names_methods(void **state)
{
	(void)state;
	assert_int_equal(find("PUT", "/run/abc"), 405);
	assert_string_equal(m.allow, "GET, HEAD, DELETE");
	assert_int_equal(find("GET", "/run"), 405);
	assert_string_equal(m.allow, "POST");
	assert_int_equal(find("get", "/"), 405);
	assert_int_equal(find("PUT", "/nothing"), 404);
}

static void
has_an_edge(void **state)
{
	char path[ROUTE_PART_MAX + 8] = "/run/";

	(void)state;
	memset(path + 5, 'a', ROUTE_PART_MAX);
	path[5 + ROUTE_PART_MAX] = '\0';
	assert_int_equal(find("GET", path), 2);
	strcat(path, "a");
	assert_int_equal(find("GET", path), 404);
}

/* What the site serves: a GET has no body, and every POST by a browser is a form that we gave out. */
static void
sites_own(void **state)
{
	(void)state;
	for (const struct route *r = site_routes; r->method != NULL; r++) {
		if (strcmp(r->method, "POST") == 0)
			assert_true(r->flags & (ROUTE_FORM | ROUTE_KEY));
		else
			assert_false(r->flags & ROUTE_FORM);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(refuses),
		cmocka_unit_test(names_methods),
		cmocka_unit_test(has_an_edge),
		cmocka_unit_test(sites_own),
	};

	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
