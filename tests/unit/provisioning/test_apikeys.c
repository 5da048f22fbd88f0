/* Keys: shown once, kept as a hash, gone when revoked. */
#include "tests/unit/provisioning/fixture.h"

#include "lib/clock.h"
#include "lib/journal.h"
#include "provisioning/apikeys.h"

static struct fixture f;
static struct site *site;
static struct apikeys *all;

static int
setup(void **state)
{
	(void)state;
	site = fixture_plain(&f);
	all = apikeys_open(site);
	return all != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	apikeys_close(all);
	site_free(site);
	fixture_free(&f);
	return 0;
}

static void
kept(void **state)
{
	char a[APIKEY_TEXT_MAX], b[APIKEY_TEXT_MAX], path[512], file[2048] = "";
	struct apikeys *other = apikeys_open(site);
	const struct apikey *k;
	FILE *in;

	(void)state;
	assert_int_equal(apikeys_add(all, a, "ci of \"x\"", 7, clock_now()), 0);
	assert_int_equal(apikeys_add(all, b, "", 1, clock_now()), 0);
	assert_int_equal(strlen(a), APIKEY_TEXT_MAX - 1);
	assert_string_not_equal(a, b);
	assert_null(apikeys_check(other, a));
	assert_int_equal(apikeys_refresh(other), 0);
	k = apikeys_check(other, a);
	assert_non_null(k);
	assert_string_equal(k->label, "ci of \"x\"");
	assert_int_equal(k->limit, 7);
	assert_memory_equal(k->id, a + 8, APIKEY_ID_LEN);

	site_path(path, site, "state", APIKEYS_FILE);
	in = fopen(path, "r");
	assert_non_null(in);
	assert_true(fread(file, 1, sizeof file - 1, in) > 0);
	fclose(in);
	assert_null(strstr(file, a + 8 + APIKEY_ID_LEN + 1)); /* the secret */
	apikeys_close(other);
}

static void
refused(void **state)
{
	char a[APIKEY_TEXT_MAX], id[APIKEY_ID_LEN + 1], other[APIKEY_TEXT_MAX + 8];

	(void)state;
	assert_int_equal(apikeys_add(all, a, "x", 1, clock_now()), 0);
	assert_non_null(apikeys_check(all, a));
	for (size_t i = 0; a[i] != '\0'; i++) {
		snprintf(other, sizeof other, "%s", a);
		other[i] = a[i] == 'a' ? 'b' : 'a';
		assert_null(apikeys_check(all, other));
	}
	snprintf(other, sizeof other, "%sa", a);
	assert_null(apikeys_check(all, other));
	assert_null(apikeys_check(all, ""));
	snprintf(id, sizeof id, "%.8s", a + 8);
	assert_int_equal(apikeys_revoke(all, "aaaaaaaa", clock_now()), 1);
	assert_int_equal(apikeys_revoke(all, id, clock_now()), 0);
	assert_null(apikeys_check(all, a));
	assert_int_equal(apikeys_revoke(all, id, clock_now()), 1);
	assert_true(apikeys_row(all, 0)->revoked);
}

static bool
is_first(void *ctx, const char *line, size_t len)
{
	return memmem(line, len, ctx, strlen(ctx)) != NULL;
}

/* outpost forget takes out the line whose label names somebody, and leaves that which revokes. */
static void
forgotten(void **state)
{
	char a[APIKEY_TEXT_MAX], b[APIKEY_TEXT_MAX], id[APIKEY_ID_LEN + 1], path[512];
	static char label[] = "ann@shop.example";

	(void)state;
	assert_int_equal(apikeys_add(all, a, label, 1, clock_now()), 0);
	assert_int_equal(apikeys_add(all, b, "x", 1, clock_now()), 0);
	snprintf(id, sizeof id, "%.8s", a + 8);
	assert_int_equal(apikeys_revoke(all, id, clock_now()), 0);
	site_path(path, site, "state", APIKEYS_FILE);
	assert_int_equal(journal_rewrite(path, true, is_first, label, NULL), 0);
	assert_int_equal(apikeys_refresh(all), 0);
	assert_int_equal(apikeys_number(all), 1);
	assert_null(apikeys_check(all, a));
	assert_non_null(apikeys_check(all, b));
}

/* A line that cannot be read may be a revocation. */
static void
unreadable(void **state)
{
	char a[APIKEY_TEXT_MAX], path[512];

	(void)state;
	assert_int_equal(apikeys_add(all, a, "x", 1, clock_now()), 0);
	site_path(path, site, "state", APIKEYS_FILE);
	assert_int_equal(journal_append(path, "{\"id\":\"x\"}", 10), 0);
	assert_int_equal(apikeys_refresh(all), -1);
	assert_null(apikeys_open(site));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kept, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(unreadable, setup, teardown),
	};

	return cmocka_run_group_tests_name("apikeys", tests, NULL, NULL);
}
