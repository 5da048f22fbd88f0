/* outpost init's core: idempotent, refuses, permissions, what it writes. */
#include <errno.h>
#include <fcntl.h>

#include "lib/strbuf.h"
#include "tests/unit/provisioning/fixture.h"

static char *
slurp(const char *path)
{
	struct strbuf b = { 0 };
	char block[4096];
	size_t n;
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		strbuf_add(&b, block, n);
	fclose(f);
	return b.s;
}

/* Names, sizes, times and contents of all files below the site. */
static char *
state_of(const struct fixture *f)
{
	char command[800], path[200], *text;

	snprintf(path, sizeof(path), "%.100s/listing", f->root);
	snprintf(command, sizeof(command),
	    "cd '%s' && find . -type f -printf '%%p %%s %%T@ %%m\\n' | sort > '%s' && "
	    "find . -type f | sort | xargs cksum >> '%s'",
	    f->dir, path, path);
	assert_int_equal(system(command), 0);
	text = slurp(path);
	return text;
}

static int
init(const struct fixture *f, const char *base, const char *ipv4, const char *ipv6, bool *fresh,
    char err[512])
{
	struct init_options o = fixture_options(f, ipv4, ipv6);
	struct prepared made;
	int rc;

	o.base = base;
	err[0] = '\0';
	rc = init_site(&made, fresh, f->dir, &o, err, 512);
	fixture_options_free(&o);
	assert_int_equal(rc != 0, err[0] != '\0');
	return rc;
}

static void
test_idempotent(void **state)
{
	struct fixture f;
	char *before, *after, err[512];
	bool fresh;

	(void)state;
	fixture_new(&f);
	fixture_test(&f, "plain", 1, "", "", "");
	assert_int_equal(
	    init(&f, "Probe.Example", "192.0.2.1,192.0.2.2", "2001:db8:53::/64", &fresh, err), 0);
	assert_true(fresh);
	before = state_of(&f);
	assert_int_equal(init(&f, NULL, "", NULL, &fresh, err), 0);
	assert_false(fresh);
	assert_int_equal(
	    init(&f, "probe.example", "192.0.2.1,192.0.2.2", "2001:db8:53::/64", &fresh, err), 0);
	after = state_of(&f);
	assert_string_equal(before, after);
	free(before);
	free(after);
	fixture_free(&f);
}

static void
test_refuses(void **state)
{
	struct fixture f;
	char *before, *after, err[512];
	bool fresh;

	(void)state;
	fixture_new(&f);
	fixture_test(&f, "plain", 1, "", "", "");
	assert_int_equal(init(&f, NULL, "", NULL, &fresh, err), -1);
	assert_non_null(strstr(err, "--base"));
	assert_int_equal(init(&f, "probe.example", "192.0.2.1", "", &fresh, err), 0);
	before = state_of(&f);
	assert_int_equal(init(&f, "other.example", "192.0.2.1", "", &fresh, err), -1);
	assert_non_null(strstr(err, "base"));
	assert_int_equal(init(&f, "probe.example", "192.0.2.7", "", &fresh, err), -1);
	assert_non_null(strstr(err, "ipv4-parent"));
	assert_int_equal(init(&f, "probe.example", "192.0.2.1", "2001:db8::/64", &fresh, err), -1);
	assert_non_null(strstr(err, "ipv6"));
	after = state_of(&f);
	assert_string_equal(before, after);
	free(before);
	free(after);
	fixture_free(&f);
}

/* A directory with something else in it is not ours, and bad options leave no trace. */
static void
test_foreign_directory(void **state)
{
	struct fixture f;
	char err[512], path[300];
	bool fresh;
	int fd;

	(void)state;
	fixture_new(&f);
	fixture_test(&f, "plain", 1, "", "", "");
	assert_int_equal(init(&f, "probe..example", "192.0.2.1", "", &fresh, err), -1);
	assert_non_null(strstr(err, "not a domain name"));
	assert_int_equal(init(&f, "probe.example", "192.0.2.256", "", &fresh, err), -1);
	assert_non_null(strstr(err, "not an IPv4 address"));
	assert_int_equal(init(&f, "probe.example", "192.0.2.1", "2001:db8::/48", &fresh, err), -1);
	assert_non_null(strstr(err, "/64"));
	assert_int_equal(init(&f, "probe.example", "192.0.2.1", "2001:db8::1/64", &fresh, err), -1);
	assert_int_equal(init(&f, "probe.example", "", "", &fresh, err), -1);
	assert_non_null(strstr(err, "needs an address"));
	assert_int_equal(access(f.dir, F_OK), -1);

	assert_int_equal(mkdir(f.dir, 0755), 0);
	snprintf(path, sizeof(path), "%s/letter", f.dir);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(init(&f, "probe.example", "192.0.2.1", "", &fresh, err), -1);
	assert_non_null(strstr(err, "not empty"));
	fixture_free(&f);
}

static void
assert_mode(const struct fixture *f, const char *name, mode_t mode)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, mode);
}

static void
test_permissions(void **state)
{
	struct fixture f;
	mode_t before = umask(0);

	(void)state;
	fixture_new(&f);
	fixture_test(&f, "plain", 1, "", "", "");
	site_free(fixture_site(&f, "192.0.2.1", "", NULL));
	umask(before);
	assert_mode(&f, "keys", 0700);
	assert_mode(&f, "keys/site.secret", 0600);
	assert_mode(&f, "keys/base.pem", 0600);
	assert_mode(&f, "keys/zone-13.pem", 0600);
	assert_mode(&f, "certs", 0755);
	assert_mode(&f, "certs/ca.pem", 0644);
	assert_mode(&f, "outpost.conf", 0644);
	assert_mode(&f, "state/fronts.jsonl", 0644);
	fixture_free(&f);
}

/* What can be read without keys is what the tools for reports need. */
static void
test_open_without_keys(void **state)
{
	struct fixture f;
	struct site *site;
	char command[300], err[512];

	(void)state;
	fixture_new(&f);
	fixture_test(&f, "plain", 1, "", "", "");
	site_free(fixture_site(&f, "192.0.2.1", "", NULL));
	snprintf(command, sizeof(command), "rm -r '%s/keys'", f.dir);
	assert_int_equal(system(command), 0);
	site = site_open(f.dir, 0, err, sizeof(err));
	assert_non_null(site);
	assert_int_equal(site->has & SITE_SECRET, 0);
	assert_int_equal(site->n_fronts, 1);
	assert_string_equal(site->fronts[0].address, "192.0.2.1");
	site_free(site);
	assert_null(site_open(f.dir, SITE_SECRET, err, sizeof(err)));
	assert_non_null(strstr(err, "site.secret"));
	assert_null(site_load(f.dir, err, sizeof(err)));
	fixture_free(&f);
}

static void
assert_roles(const char *ipv4, const char *parent, const char *child, unsigned refused,
    unsigned silent, const char *first_front, unsigned fronts)
{
	struct init_options o = { 0 };
	struct site_conf c;
	char *copy = xstrdup(ipv4), *save, *word;

	memset(&c, 0, sizeof(c));
	for (word = strtok_r(copy, ",", &save); word != NULL; word = strtok_r(NULL, ",", &save))
		o.ipv4.item[o.ipv4.n++] = word;
	init_roles(&c, &o.ipv4);
	assert_string_equal(c.ipv4_parent.item[0], parent);
	assert_string_equal(c.ipv4_child.item[0], child);
	assert_int_equal(c.ipv4_parent.n, 1);
	assert_int_equal(c.ipv4_child.n, 1);
	assert_int_equal(c.ipv4_refused.n, refused);
	assert_int_equal(c.ipv4_silent.n, silent);
	assert_string_equal(c.ipv4_front.item[0], first_front);
	assert_int_equal(c.ipv4_front.n, fronts);
	free(copy);
}

static void
test_roles(void **state)
{
	(void)state;
	assert_roles("a", "a", "a", 0, 0, "a", 1);
	assert_roles("a,b", "a", "b", 0, 0, "a", 2);
	assert_roles("a,b,c", "a", "b", 1, 0, "a", 2);
	assert_roles("a,b,c,d", "a", "b", 1, 1, "a", 2);
	assert_roles("a,b,c,d,e", "a", "b", 1, 1, "e", 1);
	assert_roles("a,b,c,d,e,f,g", "a", "b", 1, 1, "e", 3);
}

/* With many addresses some name servers have theirs to themselves. */
static void
test_roles_of_many(void **state)
{
	struct init_options o = { 0 };
	struct site_conf c;
	char text[41][4];

	(void)state;
	for (unsigned i = 0; i < 41; i++) {
		snprintf(text[i], sizeof(text[i]), "%u", i);
		o.ipv4.item[i] = text[i];
	}
	memset(&c, 0, sizeof(c));
	o.ipv4.n = 39;
	init_roles(&c, &o.ipv4);
	assert_int_equal(c.ipv4_child.n, 1);
	assert_int_equal(c.ipv4_front.n, 35);
	memset(&c, 0, sizeof(c));
	o.ipv4.n = 40;
	init_roles(&c, &o.ipv4);
	assert_int_equal(c.ipv4_child.n, 7);
	assert_string_equal(c.ipv4_child.item[0], "1");
	assert_string_equal(c.ipv4_child.item[6], "9");
	assert_string_equal(c.ipv4_front.item[0], "10");
	assert_int_equal(c.ipv4_front.n, 30);
}

static void
test_publish(void **state)
{
	struct fixture f;
	struct site *site;
	char path[300], *text;
	FILE *file;

	(void)state;
	fixture_new(&f);
	fixture_test(&f, "plain", 1, "", "", "");
	site = fixture_site(&f, "192.0.2.1,192.0.2.2", "2001:db8:53::/64", NULL);
	snprintf(path, sizeof(path), "%.100s/publish", f.root);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(init_publish(file, site), 0);
	assert_int_equal(fclose(file), 0);
	text = slurp(path);
	assert_non_null(strstr(text, "probe.example. 3600 IN NS ns.probe.example.\n"));
	assert_non_null(strstr(text, "probe.example. 3600 IN DS "));
	assert_non_null(strstr(text, " 13 2 "));
	assert_non_null(strstr(text, "ns.probe.example. 3600 IN A 192.0.2.1\n"));
	assert_non_null(strstr(text, "ns.probe.example. 3600 IN AAAA 2001:db8:53::\n"));
	free(text);
	site_free(site);
	fixture_free(&f);
}

static void
append(const char *path, const char *line)
{
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	assert_true(fputs(line, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* The packet filter's rules follow the configuration until somebody edits them. */
static void
test_nftables(void **state)
{
	struct init_options o = { 0 };
	struct prepared made;
	struct fixture f;
	char conf[300], rules[300], err[512], *text;
	bool fresh;

	(void)state;
	fixture_new(&f);
	fixture_test(&f, "plain", 1, "", "", "");
	site_free(fixture_site(&f, "192.0.2.1", "", NULL));
	snprintf(conf, sizeof(conf), "%s/outpost.conf", f.dir);
	snprintf(rules, sizeof(rules), "%s/nftables.conf", f.dir);

	append(conf, "ipv4-silent 192.0.2.77\n");
	assert_int_equal(init_site(&made, &fresh, f.dir, &o, err, sizeof(err)), 0);
	text = slurp(rules);
	assert_non_null(strstr(text, "192.0.2.77 tcp dport 25 drop"));
	free(text);

	append(rules, "# mine\n");
	append(conf, "ipv4-refused 192.0.2.78\n");
	assert_int_equal(init_site(&made, &fresh, f.dir, &o, err, sizeof(err)), 0);
	text = slurp(rules);
	assert_non_null(strstr(text, "# mine\n"));
	assert_null(strstr(text, "192.0.2.78"));
	free(text);
	fixture_free(&f);
}

/* Every row of the configuration file can be read back and has a sane default. */
static void
test_conf(void **state)
{
	struct fixture f;
	struct site *site;
	const struct conf_row *rows;
	char path[300], *text;
	size_t n;

	(void)state;
	fixture_new(&f);
	fixture_test(&f, "plain", 1, "", "", "");
	site = fixture_site(&f, "192.0.2.1", "", NULL);
	snprintf(path, sizeof(path), "%s/outpost.conf", f.dir);
	text = slurp(path);
	rows = site_rows(&n);
	for (size_t i = 0; i < n; i++) {
		assert_non_null(strstr(text, rows[i].key));
		assert_non_null(strstr(text, rows[i].about));
	}
	free(text);
	assert_string_equal(site->conf.base, "probe.example");
	assert_int_equal(site->conf.dns_port, 53);
	assert_int_equal(site->conf.smtp_port, 25);
	assert_int_equal(site->conf.pace, 1);
	assert_int_equal(site->conf.smtp_timeout, 300 * INT64_C(1000000));
	assert_true(site->conf.segment_max == 64 << 20);
	assert_false(site->has_ipv6);
	site_free(site);
	fixture_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idempotent),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_foreign_directory),
		cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_open_without_keys),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_roles_of_many),
		cmocka_unit_test(test_publish),
		cmocka_unit_test(test_nftables),
		cmocka_unit_test(test_conf),
	};

	return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
