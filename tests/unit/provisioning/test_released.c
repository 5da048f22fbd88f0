/* Who wants no more of it: written once, known to all workers, whatever becomes of the file. */
#include "tests/unit/provisioning/fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/journal.h"
#include "lib/log.h"
#include "provisioning/released.h"

#define TIME INT64_C(1795294800000000)

static struct fixture f;
static struct site *site;

static int
setup(void **state)
{
	(void)state;
	site = fixture_plain(&f);
	return site != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	site_free(site);
	fixture_free(&f);
	return 0;
}

static struct token
token(uint64_t id)
{
	struct token t;

	token_from_id(&t, id, &site->token_key);
	return t;
}

static int
release(uint64_t id)
{
	struct token t = token(id);

	return released_add(site, &t, "command", TIME + (int64_t)id);
}

static void
journal(void **state)
{
	int64_t since = 0;

	(void)state;
	assert_int_equal(released_find(&since, site, token(7).text), 0);
	assert_int_equal(release(7), 0);
	assert_int_equal(release(8), 0);
	assert_int_equal(release(7), 1); /* the first counts */
	assert_int_equal(released_find(&since, site, token(7).text), 1);
	assert_int_equal(since, TIME + 7);
	assert_int_equal(released_find(&since, site, token(9).text), 0);
}

/* What the parent reads, workers know that were forked before. */
static void
shared(void **state)
{
	struct released *r;
	int ask[2], ready[2], status;
	char c = 0;
	pid_t child;

	(void)state;
	assert_int_equal(release(1), 0);
	r = released_open(site, 8);
	assert_non_null(r);
	assert_true(released_has(r, 1));
	assert_false(released_has(r, 2));
	assert_false(released_has(r, 0));
	assert_false(released_has(NULL, 1));
	assert_int_equal(pipe(ask), 0);
	assert_int_equal(pipe(ready), 0);
	fflush(NULL);
	if ((child = fork()) == 0) {
		bool before = released_has(r, 2);

		_exit(write(ready[1], &c, 1) == 1 && read(ask[0], &c, 1) == 1 && !before &&
			      released_has(r, 2)
			  ? 0
			  : 1);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(release(2), 0);
	assert_false(released_has(r, 2));
	assert_int_equal(released_refresh(r), 0);
	assert_true(released_has(r, 2));
	assert_int_equal(write(ask[1], &c, 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	released_close(r);
	for (int i = 0; i < 2; i++) {
		close(ask[i]);
		close(ready[i]);
	}
}

static bool
is_first(void *ctx, const char *line, size_t len)
{
	return memmem(line, len, ctx, TOKEN_LEN) != NULL;
}

/* forget and expire put another file in its place; lines that nobody can read release nobody. */
static void
another_file(void **state)
{
	struct released *r;
	struct token first = token(1);
	char path[512];
	uint64_t dropped;

	(void)state;
	assert_int_equal(release(1), 0);
	assert_int_equal(release(2), 0);
	r = released_open(site, 8);
	site_path(path, site, "state", RELEASED_FILE);
	assert_int_equal(journal_rewrite(path, true, is_first, first.text, &dropped), 0);
	assert_int_equal(dropped, 1);
	assert_int_equal(journal_append(path, "rubbish", 7), 0);
	assert_int_equal(journal_append(path, "{\"t\":1,\"token\":\"x\"}", 19), 0);
	assert_int_equal(release(3), 0);
	assert_int_equal(released_refresh(r), 0);
	assert_true(released_has(r, 1)); /* as long as the daemon runs */
	assert_true(released_has(r, 2));
	assert_true(released_has(r, 3));
	released_close(r);
	r = released_open(site, 8);
	assert_false(released_has(r, 1));
	assert_true(released_has(r, 3));
	released_close(r);
}

/* So many as there is room for, and never one more; a reload makes room. */
static void
edge(void **state)
{
	struct released *r = released_open(site, 3);

	(void)state;
	log_quiet(true);
	for (uint64_t id = 1; id <= 4; id++)
		assert_int_equal(release(id << 20), 0);
	assert_int_equal(released_refresh(r), 0);
	assert_true(released_has(r, 3 << 20));
	assert_false(released_has(r, 4 << 20));
	released_close(r);
	r = released_open(site, 3);
	assert_true(released_has(r, 4 << 20));
	for (uint64_t id = 5; id <= 7; id++)
		released_note(r, id << 20);
	assert_true(released_has(r, 7 << 20));
	released_note(r, 8 << 20);
	assert_false(released_has(r, 8 << 20));
	released_close(r);
	log_quiet(false);
}

/* What has its fault where all participants share it. */
static void
what_stays(void **state)
{
	char err[512];
	struct catalogue *c = catalogue_load("zones/catalogue", err, sizeof err);
	static const char *const stay[] = { "dnssec-bogus-ds", "dns-ipv6-only", "dns-edns-drop" };
	static const char *const go[] = { "dual", "dnssec-bogus", "dns-slow", "mx-null",
		"dns-lame" };
	unsigned n = 0;

	(void)state;
	assert_non_null(c);
	for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
		assert_non_null(released_stays(catalogue_find(c, stay[i], strlen(stay[i]))));
	for (size_t i = 0; i < sizeof go / sizeof *go; i++)
		assert_null(released_stays(catalogue_find(c, go[i], strlen(go[i]))));
	for (size_t i = 0; i < c->n; i++)
		n += released_covers(c->tests[i]) && released_stays(c->tests[i]) != NULL;
	assert_int_equal(n, 3);
	assert_false(released_covers(catalogue_find(c, "out", 3)));
	catalogue_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(journal, setup, teardown),
		cmocka_unit_test_setup_teardown(shared, setup, teardown),
		cmocka_unit_test_setup_teardown(another_file, setup, teardown),
		cmocka_unit_test_setup_teardown(edge, setup, teardown),
		cmocka_unit_test(what_stays),
	};

	return cmocka_run_group_tests_name("released", tests, NULL, NULL);
}
