/* Pages of participants: ids that cannot be guessed, and who enrolled how often. */
#include "tests/unit/provisioning/fixture.h"

#include "lib/clock.h"
#include "lib/journal.h"
#include "provisioning/runs.h"

#define DAY (86400 * CLOCK_SECOND)

static struct fixture f;
static struct site *site;
static struct runs *runs;
static int64_t now;

static int
setup(void **state)
{
	(void)state;
	site = fixture_plain(&f);
	runs = runs_open(site);
	now = clock_now() / DAY * DAY + DAY / 2;
	return runs != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	runs_close(runs);
	site_free(site);
	fixture_free(&f);
	return 0;
}

static const struct run *
begin(uint64_t client, uint64_t domain, int64_t t)
{
	struct enrolment e;

	assert_int_equal(enrol_new(&e, site, "quick", "la<b>el", t), 0);
	return runs_new(runs, &e, client, domain);
}

static void
found(void **state)
{
	struct run a = *begin(0, 0, now), b = *begin(0, 0, now);
	struct runs *again;

	(void)state;
	assert_int_equal(strlen(a.id), RUN_ID_LEN);
	assert_string_not_equal(a.id, b.id);
	assert_string_equal(runs_find(runs, a.id)->token.text, a.token.text);
	assert_string_equal(runs_of(runs, b.token.text)->id, b.id);
	assert_string_equal(runs_find(runs, b.id)->set, "quick");
	assert_string_equal(runs_find(runs, b.id)->label, "la<b>el");
	assert_int_equal(runs_find(runs, a.id)->t_us, now);
	assert_null(runs_find(runs, ""));
	assert_null(runs_find(runs, a.token.text));
	assert_null(runs_of(runs, a.id));
	assert_null(runs_of(runs, "aaaaaaaaaaaaaaaa"));
	a.id[5] = a.id[5] == 'a' ? 'b' : 'a';
	assert_null(runs_find(runs, a.id));
	a.id[5] = 'A';
	assert_null(runs_find(runs, a.id));
	again = runs_open(site);
	assert_int_equal(runs_number(again), 2);
	assert_non_null(runs_find(again, b.id));
	runs_close(again);
}

static void
many(void **state)
{
	char id[400][RUN_ID_LEN + 1];

	(void)state;
	for (size_t i = 0; i < 400; i++)
		memcpy(id[i], begin(1 + i % 7, 0, now)->id, sizeof id[i]);
	for (size_t i = 0; i < 400; i++)
		assert_string_equal(runs_find(runs, id[i])->id, id[i]);
}

static void
counted(void **state)
{
	union sockaddr_any a = { 0 }, b = { 0 }, c = { 0 }, v4 = { 0 }, mapped = { 0 };
	struct runs *again;
	uint64_t who;

	(void)state;
	address_parse(&a, "2001:db8:7::1", 1);
	address_parse(&b, "2001:db8:7::ffff:2", 2);
	address_parse(&c, "2001:db8:7:1::1", 1);
	address_parse(&v4, "192.0.2.7", 1);
	address_parse(&mapped, "::ffff:192.0.2.7", 1);
	who = runs_client(site, &a, now);
	assert_true(who == runs_client(site, &b, now));
	assert_true(who != runs_client(site, &c, now));
	assert_true(who != runs_client(site, &a, now + DAY));
	assert_true(runs_client(site, &v4, now) == runs_client(site, &mapped, now));
	assert_true(runs_domain(site, "Example.org", now) == runs_domain(site, "example.ORG", now));
	assert_true(runs_domain(site, "example.org", now) != runs_domain(site, "example.net", now));
	assert_true(
	    runs_domain(site, "example.co.uk", now) == runs_domain(site, "a.b.EXAMPLE.co.uk", now));
	assert_true(
	    runs_domain(site, "example.co.uk", now) != runs_domain(site, "other.co.uk", now));

	assert_int_equal(runs_today(runs, who, now), 0);
	begin(who, 0, now);
	begin(who, runs_domain(site, "example.org", now), now);
	begin(0, 0, now);
	begin(who, 0, now - DAY);
	assert_int_equal(runs_today(runs, who, now), 2);
	assert_int_equal(runs_today(runs, runs_domain(site, "example.org", now), now), 1);
	assert_int_equal(runs_today(runs, 0, now), 3);
	/* a restart forgets nothing */
	again = runs_open(site);
	assert_int_equal(runs_today(again, who, now), 2);
	assert_int_equal(runs_today(again, 0, now + DAY), 0);
	assert_int_equal(runs_today(again, 0, now), 3);
	runs_close(again);
}

/* Another process appends; another one takes lines out. */
static void
refreshed(void **state)
{
	struct runs *other = runs_open(site);
	char path[512], aside[520], id[RUN_ID_LEN + 1];

	(void)state;
	memcpy(id, begin(0, 0, now)->id, sizeof id);
	assert_null(runs_find(other, id));
	assert_int_equal(runs_refresh(other), 0);
	assert_non_null(runs_find(other, id));
	site_path(path, site, "state", RUNS_FILE);
	assert_int_equal(journal_append(path, "{\"run\":\"nonsense\"}", 18), 0);
	assert_int_equal(runs_refresh(other), 0);
	assert_int_equal(runs_number(other), 1);
	snprintf(aside, sizeof aside, "%s.new", path);
	assert_int_equal(journal_append(aside, "{}", 2), 0);
	assert_int_equal(rename(aside, path), 0);
	assert_int_equal(runs_refresh(other), 0);
	assert_int_equal(runs_number(other), 0);
	assert_null(runs_find(other, id));
	runs_close(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(found, setup, teardown),
		cmocka_unit_test_setup_teardown(many, setup, teardown),
		cmocka_unit_test_setup_teardown(counted, setup, teardown),
		cmocka_unit_test_setup_teardown(refreshed, setup, teardown),
	};

	return cmocka_run_group_tests_name("runs", tests, NULL, NULL);
}
