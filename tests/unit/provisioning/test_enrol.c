/* Enrolment and the messages that a participant sends. */
#include "lib/strbuf.h"
#include "provisioning/enrol.h"
#include "tests/unit/provisioning/fixture.h"

static struct fixture fixture;
static struct site *site;

static void
failing_test(const char *name, unsigned number, const char *header)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.test", fixture.catalogue, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
	    "test %s\nnumber %u\ngroup tls\nsets standard\ntitle \"T\"\nspec \"RFC 5321\"\nabout "
	    "\"A.\"\n%s\n"
	    "[dns]\n{d} 60 MX 10 {mx0}\n{mx0} 60 A {ipv4:0}\n[host 0]\nstarttls offer\ncert "
	    "pkix-valid\n"
	    "at rcpt reply 550 \"5.1.1 no\"\n"
	    "[verdict]\nviolates accepted \"delivered\"\nconforms attempted and control accepted "
	    "and settled \"refused\"\n"
	    "inconclusive otherwise \"nothing\"\n"
	    "[reader]\nmeans conforms \"Good.\"\nmeans violates \"Bad.\"\n"
	    "[trace delivered]\n0s smtp.message reply=250\nverdict violates\n",
	    name, number, header);
	assert_int_equal(fclose(f), 0);
}

static int
setup(void **state)
{
	char name[32];

	(void)state;
	fixture_new(&fixture);
	fixture_test(&fixture, "dual", 1, "sets standard", "", "");
	fixture_test(
	    &fixture, "two-boxes", 2, "sets standard\ncontrol dual\nmailbox one two", "", "");
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "good%u", i);
		fixture_test(&fixture, name, 10 + i, "sets standard\ncontrol dual", "", "");
	}
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "bad%u", i);
		failing_test(name, 100 + i, "control dual");
	}
	failing_test("early0", 200, "control dual\nbatch refusable");
	failing_test("early1", 201, "control dual\nbatch refusable");
	/* Controls of others: what makes room for tests that must fail. */
	for (unsigned i = 0; i < 6; i++) {
		char control[48];

		snprintf(name, sizeof(name), "plain%u", i);
		fixture_test(&fixture, name, 70 + i, "control dual", "", "");
		snprintf(control, sizeof(control), "control plain%u", i);
		snprintf(name, sizeof(name), "user%u", i);
		fixture_test(&fixture, name, 80 + i, control, "", "");
	}
	/* The contrast may be refused at submission: it cannot go with an ordinary one. */
	fixture_test(&fixture, "leans", 62, "sets standard\ncontrol dual\ncontrast early0", "", "");
	fixture_test(&fixture, "special", 302,
	    "sets standard\ncontrol dual\ncontrast bad0\nbatch alone\nmessage 8bit\nmailbox one "
	    "two",
	    "", "");
	fixture_test(&fixture, "slow", 63, "control dual", "", "at banner delay 100s");
	fixture_test(&fixture, "silent", 64, "control slow", "_x.{d} 60 A {ipv4-silent}", "");
	fixture_test(&fixture, "ipv6", 65, "control dual\ntrait ipv6 accepted", "", "");
	fixture_test(&fixture, "only6", 66, "control dual\nv6", "", "");
	failing_test("lonely0", 300, "control dual\nbatch alone");
	failing_test("lonely1", 301, "control dual\nbatch alone");
	fixture_test(&fixture, "two-zones", 400, "control dual\nmailbox probe probe@{d:b}",
	    "[zone b]\nds none\n[dns b]\n{d:b} 60 MX 10 {mx0}", "");
	site = fixture_site(&fixture, "192.0.2.1", "2001:db8:53::/64", NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	site_free(site);
	fixture_free(&fixture);
	return 0;
}

static size_t
count(const struct enrol_message *m, const char *part)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += strstr(m->rcpt[i], part) != NULL;
	return n;
}

/* The part of a set's messages: what is true of every message of every set. */
static void
check_message(const struct enrol_message *m, const struct enrolment *e)
{
	size_t fails = count(m, ".bad") + count(m, ".early") + count(m, ".lonely");

	assert_true(m->n >= 1 && m->n <= 25);
	assert_int_equal(count(m, e->token.text), m->n);
	assert_int_equal(
	    count(m, ".dual.probe.example"), 1); /* the control goes with every message */
	for (size_t i = 0; i < m->n; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(m->rcpt[i], m->rcpt[k]);
	switch (m->batch) {
	case 'a':
		assert_true(3 * fails <= m->n);
		assert_int_equal(
		    count(m, ".early") + count(m, ".lonely") + count(m, ".special"), 0);
		assert_null(m->message);
		break;
	case 'b':
		assert_true(3 * fails <= m->n);
		assert_int_equal(count(m, ".bad") + count(m, ".lonely") + count(m, ".special"), 0);
		assert_null(m->message);
		break;
	case 'o':
		assert_int_equal(
		    count(m, ".lonely") + count(m, "one@") * count(m, ".special") / 2, 1);
		assert_int_equal(m->n, count(m, ".special") > 0 ? 3 : 2);
		assert_true((m->message != NULL) == (count(m, ".special") > 0));
		break;
	default:
		fail();
	}
}

static void
test_messages(void **state)
{
	struct enrolment e;
	struct enrol_message *m;
	size_t n, lonely = 0, *seen = calloc(site->catalogue->n, sizeof(*seen));

	(void)state;
	assert_int_equal(enrol_new(&e, site, "standard", "some one", 1), 0);
	assert_int_equal(enrol_messages(&m, &n, site, &e), 0);
	for (size_t i = 0; i < n; i++) {
		check_message(&m[i], &e);
		lonely += m[i].batch == 'o';
		for (size_t k = 0; k < site->catalogue->n; k++) {
			char part[64];

			snprintf(part, sizeof(part), ".%s.probe.example",
			    site->catalogue->tests[k]->name);
			seen[k] += count(&m[i], part);
		}
	}
	assert_int_equal(lonely, 3);
	for (size_t k = 0; k < site->catalogue->n; k++) {
		const struct test *t = site->catalogue->tests[k];

		if (strcmp(t->name, "dual") == 0)
			assert_int_equal(seen[k], n);
		else if (strncmp(t->name, "plain", 5) == 0)
			assert_true(seen[k] <= n);
		else if (!catalogue_in_set(t, "standard"))
			assert_int_equal(seen[k], 0);
		else if (strcmp(t->name, "bad0") != 0 && strcmp(t->name, "early0") != 0)
			assert_int_equal(seen[k], t->n_mailbox > 0 ? t->n_mailbox : 1);
	}
	free(seen);
	enrol_messages_free(m, n);
}

/* A test that must fail goes with two that must not, from wherever they are taken. */
static void
test_share(void **state)
{
	struct enrolment e;
	struct enrol_message *m;
	size_t n;

	(void)state;
	assert_int_equal(enrol_new(&e, site, "bad3", NULL, 1), 0);
	assert_int_equal(enrol_messages(&m, &n, site, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(m[0].n, 3);
	check_message(&m[0], &e);
	enrol_messages_free(m, n);

	/* The same where a submission server may refuse. */
	assert_int_equal(enrol_new(&e, site, "early1", NULL, 1), 0);
	assert_int_equal(enrol_messages(&m, &n, site, &e), 0);
	assert_int_equal(n, 2); /* the control goes by itself as well: the other may be dropped */
	assert_int_equal(m[0].n, 1);
	assert_int_equal(m[1].batch, 'b');
	assert_int_equal(m[1].n, 3);
	check_message(&m[1], &e);
	enrol_messages_free(m, n);
}

/* A contrast of another batch has its own message; one of a test that is alone has as well. */
static void
test_relatives(void **state)
{
	struct enrolment e;
	struct enrol_message *m;
	size_t n;

	(void)state;
	assert_int_equal(enrol_new(&e, site, "leans", NULL, 1), 0);
	assert_int_equal(enrol_messages(&m, &n, site, &e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(m[0].batch, 'a');
	assert_int_equal(m[0].n, 2);
	assert_int_equal(m[1].batch, 'b');
	assert_int_equal(count(&m[1], ".early0."), 1);
	assert_int_equal(count(&m[1], ".leans."), 0);
	enrol_messages_free(m, n);

	assert_int_equal(enrol_new(&e, site, "special", NULL, 1), 0);
	assert_int_equal(enrol_messages(&m, &n, site, &e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(count(&m[0], ".bad0."), 1);
	assert_int_equal(m[1].batch, 'o');
	assert_string_equal(m[1].message, "8bit");
	assert_int_equal(m[1].n, 3);
	assert_int_equal(count(&m[1], ".bad0."), 0);
	enrol_messages_free(m, n);
}

/* A set of one test holds what it needs. */
static void
test_single(void **state)
{
	struct enrolment e;
	struct enrol_message *m;
	size_t n;

	(void)state;
	assert_int_equal(enrol_new(&e, site, "two-boxes", NULL, 1), 0);
	assert_int_equal(enrol_messages(&m, &n, site, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(m[0].n, 3);
	assert_int_equal(count(&m[0], "one@"), 1);
	assert_int_equal(count(&m[0], "two@"), 1);
	assert_int_equal(count(&m[0], "probe@"), 1);
	enrol_messages_free(m, n);
}

/* Mailboxes in both zones of a test. */
static void
test_zones(void **state)
{
	struct enrolment e;
	struct enrol_message *m;
	size_t n;

	(void)state;
	assert_int_equal(enrol_new(&e, site, "two-zones", NULL, 1), 0);
	assert_int_equal(enrol_messages(&m, &n, site, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(m[0].n, 3);
	assert_int_equal(count(&m[0], ".two-zones.probe.example"), 1);
	assert_int_equal(count(&m[0], ".two-zones-b.probe.example"), 1);
	for (size_t i = 0; i < m[0].n; i++)
		assert_true(m[0].rcpt[i][strlen(m[0].rcpt[i]) - 1] == 'e');
	enrol_messages_free(m, n);
}

/* What makes a sender wait does not keep the others of a message waiting. */
static void
test_slow(void **state)
{
	struct enrolment e;
	struct enrol_message *m;
	size_t n, slow = 0;

	(void)state;
	assert_int_equal(enrol_new(&e, site, "full", NULL, 1), 0);
	assert_int_equal(enrol_messages(&m, &n, site, &e), 0);
	for (size_t i = 0; i < n; i++) {
		if (count(&m[i], ".slow.") == 0)
			continue;
		slow++;
		assert_int_equal(count(&m[i], ".silent."), 1);
		assert_int_equal(count(&m[i], ".dual."), 1);
		assert_int_equal(m[i].n, 3);
	}
	assert_int_equal(slow, 1);
	enrol_messages_free(m, n);
}

/* Where a test can be shown over IPv6 only, it is asked whether the sender has that. */
static void
test_ipv6(void **state)
{
	struct enrolment e;
	struct enrol_message *m;
	size_t n;

	(void)state;
	assert_int_equal(enrol_new(&e, site, "only6", NULL, 1), 0);
	assert_int_equal(enrol_messages(&m, &n, site, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(m[0].n, 3);
	assert_int_equal(count(&m[0], ".ipv6."), 1);
	enrol_messages_free(m, n);
}

static int
on_row(void *ctx, const struct enrolment *e)
{
	(void)e;
	++*(unsigned *)ctx;
	return 0;
}

static void
test_journal(void **state)
{
	struct enrolment e, found;
	unsigned before = 0, after = 0;
	char upper[TOKEN_LEN + 1], path[512], forged[] = "aaaaaaaaaaaaaaaa";
	FILE *f;

	(void)state;
	assert_int_equal(enrol_each(site, on_row, &before), 0);
	assert_int_equal(enrol_new(&e, site, "standard", "a \"label\"\n\x80", 1234567), 0);
	assert_int_equal(enrol_each(site, on_row, &after), 0);
	assert_int_equal(after, before + 1);
	for (unsigned i = 0; i <= TOKEN_LEN; i++)
		upper[i] = (char)(e.token.text[i] >= 'a' ? e.token.text[i] - 32 : e.token.text[i]);
	assert_int_equal(enrol_find(&found, site, upper), 1);
	assert_true(found.token.id == e.token.id);
	assert_string_equal(found.set, "standard");
	assert_string_equal(found.label, "a \"label\"\n\x80");
	assert_int_equal(found.t_us, 1234567);
	assert_int_equal(enrol_find(&found, site, forged), 0);

	/* Lines that are no enrolments, or name forged tokens, are passed over. */
	site_path(path, site, "state", "enrol.jsonl");
	f = fopen(path, "a");
	assert_non_null(f);
	fprintf(f, "{\"token\":\"%s\"}\n[]\n{\"token\":7}\nnonsense\n", forged);
	fclose(f);
	assert_int_equal(enrol_find(&found, site, forged), 0);
	assert_int_equal(enrol_find(&found, site, e.token.text), 1);
}

static void
test_refuses(void **state)
{
	struct enrolment e;

	(void)state;
	assert_int_equal(enrol_new(&e, site, "no-such-set", NULL, 1), -1);
	site->has &= ~(unsigned)SITE_SECRET;
	assert_int_equal(enrol_new(&e, site, "standard", NULL, 1), -1);
	site->has |= SITE_SECRET;
}

/* The last earlier run of the same label; no label is nobody's. */
static void
test_before(void **state)
{
	struct enrolment first, second, other, third, nobody, found;

	(void)state;
	assert_int_equal(enrol_new(&first, site, "standard", "ours", 10), 0);
	assert_int_equal(enrol_new(&second, site, "standard", "ours", 20), 0);
	assert_int_equal(enrol_new(&other, site, "standard", "theirs", 25), 0);
	assert_int_equal(enrol_new(&third, site, "standard", "ours", 30), 0);
	assert_int_equal(enrol_new(&nobody, site, "standard", NULL, 40), 0);
	assert_int_equal(enrol_before(&found, site, &third), 1);
	assert_string_equal(found.token.text, second.token.text);
	assert_int_equal(enrol_before(&found, site, &second), 1);
	assert_string_equal(found.token.text, first.token.text);
	assert_int_equal(enrol_before(&found, site, &first), 0);
	assert_int_equal(enrol_before(&found, site, &other), 0);
	assert_int_equal(enrol_before(&found, site, &nobody), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_relatives),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_before),
	};

	return cmocka_run_group_tests_name("enrol", tests, setup, teardown);
}
