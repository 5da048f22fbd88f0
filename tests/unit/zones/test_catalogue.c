/* The catalogue: what spans files, sets and their closure, and that a test is only a file. */
#include "tests/unit/zones/fixture.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/strbuf.h"
#include "zones/catalogue.h"
#include "zones/lint.h"

#define SHIPPED "zones/catalogue"

static char dir[64];

static int
make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/outpost-catalogue-XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int
remove_dir(void **state)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	(void)state;
	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		closedir(d);
	return rmdir(dir);
}

static void
put(const char *file, const char *text)
{
	char *path = xasprintf("%s/%s", dir, file);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	free(path);
}

/* A small test with more head lines. */
static void
put_test(const char *name, unsigned number, const char *head, const char *rule)
{
	char *file = xasprintf("%s.test", name);
	char *text = xasprintf(
	    "test %s\nnumber %u\ngroup delivery\ntitle \"T\"\nabout \"A\"\n%s\n" DNS HOST
	    "[verdict]\n%spending otherwise \"x\"\n",
	    name, number, head, rule);

	put(file, text);
	free(file);
	free(text);
}

static const char *
error_of_dir(void)
{
	static char err[600];
	struct catalogue *c;

	err[0] = '\0';
	c = catalogue_load(dir, err, sizeof err);
	catalogue_free(c);
	return err;
}

static void
shipped(void **state)
{
	static const char *const names[] = { "dual", "ipv4", "ipv6", "no-starttls", "mx-implicit",
		"mx-null", "mx-fallback-refused", "ipv6-broken", "greylist", "greylist-data",
		"reject", "tls-required", "tls12", "tls13", "cert-wrong-name", "cert-self-signed",
		"dnssec-bogus", "dnssec-bogus-ds", "dnssec-insecure", "dns-ipv6-only", "dns-tcp",
		"dane-ee", "dane-ee-mismatch", "dane-ee-self-signed", "dane-no-starttls",
		"dane-tlsa-servfail" };
	char err[600] = "";
	struct catalogue *c = catalogue_load(SHIPPED, err, sizeof err);
	enum outcome when;

	(void)state;
	assert_string_equal(err, "");
	assert_non_null(c);
	assert_int_equal(strlen(c->digest), 64);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct test *t = catalogue_find(c, names[i], strlen(names[i]));
		assert_non_null(t);
		assert_ptr_equal(c->by_number[t->number], t);
		assert_true(catalogue_in_set(t, "full"));
		assert_true(catalogue_in_set(t, t->group));
		assert_true(catalogue_in_set(t, t->name));
	}
	for (size_t i = 1; i < c->n; i++)
		assert_true(c->tests[i - 1]->number < c->tests[i]->number);
	assert_ptr_equal(catalogue_find(c, "DANE-EE", 7), catalogue_find(c, "dane-ee", 7));
	assert_ptr_equal(catalogue_find(c, "dane-ee-mismatch", 7), catalogue_find(c, "dane-ee", 7));
	assert_null(catalogue_find(c, "dane", 4));
	assert_null(catalogue_find(c, "dane-eex", 8));
	assert_null(catalogue_find(c, "", 0));
	assert_string_equal(catalogue_trait(c, "validates", &when)->name, "dnssec-bogus");
	for (size_t i = 0; i < c->n; i++)
		assert_int_equal(catalogue_is_outgoing(c, c->tests[i]),
		    strcmp(c->tests[i]->group, "inbound") == 0);
	assert_int_equal(when, OUTCOME_REFUSED);
	assert_string_equal(catalogue_trait(c, "ipv6", &when)->name, "ipv6");
	assert_int_equal(when, OUTCOME_ACCEPTED);
	assert_null(catalogue_trait(c, "nonsense", NULL));
	assert_true(catalogue_set_exists(c, "quick"));
	assert_true(catalogue_set_exists(c, "dane"));
	assert_false(catalogue_set_exists(c, "nonsense"));
	assert_true(catalogue_set_exists(c, "quick,dane"));
	assert_false(catalogue_set_exists(c, "quick,nonsense"));
	assert_false(catalogue_set_exists(c, "quick,"));
	assert_false(catalogue_set_exists(c, ""));
	assert_true(
	    catalogue_in_set(catalogue_find(c, "greylist-data", 13), "quick,greylist-data"));
	assert_false(catalogue_in_set(catalogue_find(c, "greylist-data", 13), "quick,dane"));
	assert_false(catalogue_in_set(catalogue_find(c, "greylist-data", 13), "greylist"));
	/* what a single test needs comes with it: control, contrast, their traits, the control of all */
	assert_true(
	    catalogue_in_set(catalogue_find(c, "dane-ee-mismatch", 16), "dane-ee-self-signed"));
	assert_true(catalogue_in_set(catalogue_find(c, "dnssec-bogus", 12), "dane-ee-self-signed"));
	assert_true(catalogue_in_set(catalogue_find(c, "dual", 4), "dane-ee-self-signed"));
	assert_false(catalogue_in_set(catalogue_find(c, "ipv4", 4), "dane-ee-self-signed"));
	catalogue_free(c);
}

static void
complain(void *ctx, enum lint_level level, const char *text)
{
	(void)ctx;
	print_message("%s%s\n", level == LINT_ERROR ? "" : "warning: ", text);
	fail_msg("%s", text);
}

static void
shipped_is_clean(void **state)
{
	char err[600] = "";
	struct catalogue *c = catalogue_load(SHIPPED, err, sizeof err);

	(void)state;
	assert_non_null(c);
	assert_int_equal(lint_catalogue(c, complain, NULL), 0);
	catalogue_free(c);
}

/* The whole shipped catalogue, one file under another name, and one test more. */
static void
a_test_is_a_file(void **state)
{
	DIR *d = opendir(SHIPPED);
	struct dirent *e;
	char err[600] = "", digest[65], buf[32768];
	struct catalogue *c, *old = catalogue_load(SHIPPED, err, sizeof err);

	(void)state;
	assert_non_null(d);
	assert_non_null(old);
	while ((e = readdir(d)) != NULL) {
		char *path;
		FILE *f;
		size_t n;
		if (strstr(e->d_name, ".test") == NULL)
			continue;
		path = xasprintf("%s/%s", SHIPPED, e->d_name);
		f = fopen(path, "r");
		assert_non_null(f);
		n = fread(buf, 1, sizeof buf - 1, f);
		buf[n] = '\0';
		fclose(f);
		free(path);
		put(strcmp(e->d_name, "ipv4.test") == 0 ? "renamed.test" : e->d_name, buf);
	}
	closedir(d);
	put_test(
	    "twenty-seventh", 1000, "sets standard\ncontrol dual", "conforms accepted \"y\"\n");
	c = catalogue_load(dir, err, sizeof err);
	assert_string_equal(err, "");
	assert_int_equal(c->n, old->n + 1);
	assert_non_null(catalogue_find(c, "ipv4", 4));
	assert_true(catalogue_in_set(catalogue_find(c, "TWENTY-seventh", 14), "standard"));
	assert_string_equal(c->by_number[1000]->name, "twenty-seventh");
	assert_string_not_equal(c->digest, old->digest);
	strcpy(digest, c->digest);
	catalogue_free(c);
	catalogue_free(old);
	c = catalogue_load(dir, err, sizeof err);
	assert_string_equal(c->digest, digest);
	catalogue_free(c);
}

#define EXPECT(says)                                                                               \
	do {                                                                                       \
		const char *err_ = error_of_dir();                                                 \
		if (strstr(err_, says) == NULL)                                                    \
			fail_msg("\"%s\" should say %s", err_, says);                              \
	} while (0)

static void
what_spans_files(void **state)
{
	(void)state;
	EXPECT("holds no *.test");
	put_test("a", 1, "", "");
	assert_string_equal(error_of_dir(), "");
	put("broken.test", "nonsense\n");
	EXPECT("broken.test:1: nonsense");
	put("broken.test", "");
	EXPECT("broken.test:1: test: is missing");
}

static void
numbers_and_names(void **state)
{
	(void)state;
	put_test("a", 1, "", "");
	put_test("b", 1, "", "");
	EXPECT("b.test:1: number 1: ");
	put("b.test", "test a\nnumber 2\ngroup tls\ntitle \"T\"\nabout \"A\"\n" DNS HOST RULES);
	EXPECT("test a: ");
	put_test("b", 2, "", "");
	put_test("delivery", 3, "", "");
	EXPECT("name of a group");
	put("delivery.test",
	    "test full\nnumber 3\ngroup tls\ntitle \"T\"\nabout \"A\"\n" DNS HOST RULES);
	EXPECT("name of a set");
}

static void
controls(void **state)
{
	(void)state;
	put_test("a", 1, "control nobody", "");
	EXPECT("a.test:1: control nobody: there is no such test");
	put_test("a", 1, "contrast nobody", "");
	EXPECT("contrast nobody: there is no such test");
	put_test("a", 1, "", "conforms accepted and control any nobody \"x\"\n");
	EXPECT("control any nobody: there is no such test");
	put_test("a", 1, "", "conforms accepted and trait brave \"x\"\n");
	EXPECT("trait brave: no test tells it");
	put_test("a", 1, "control b", "");
	put_test("b", 2, "control a", "");
	EXPECT("circle");
	put_test("a", 1, "trait brave accepted", "");
	put_test("b", 2, "trait brave refused", "");
	EXPECT("trait brave: ");
}

static void
sets_are_closed(void **state)
{
	struct catalogue *c;
	char err[600] = "";

	(void)state;
	put_test("a", 1, "", "");
	put_test("b", 2, "sets standard\ncontrol a", "");
	EXPECT("set standard: holds b but not a, which it needs as control");
	put_test("b", 2, "sets quick standard\ncontrast a", "");
	EXPECT("holds b but not a, which it needs as contrast");
	put_test("a", 1, "trait brave accepted", "");
	put_test("b", 2, "sets standard", "conforms accepted and trait brave \"x\"\n");
	EXPECT("holds b but not a, which it needs as trait");
	put_test("a", 1, "sets standard\ntrait brave accepted", "");
	c = catalogue_load(dir, err, sizeof err);
	assert_non_null(c);
	assert_true(catalogue_in_set(c->by_number[1], "b"));
	assert_false(catalogue_in_set(c->by_number[2], "a"));
	assert_false(catalogue_in_set(c->by_number[1], "quick"));
	catalogue_free(c);
}

/* A test that is graded on others needs them in its sets; these must get mail themselves. */
static void
graded_on_others(void **state)
{
	char err[600] = "";
	struct catalogue *c;

	(void)state;
	put_test("a", 1, "sets quick standard\n", "");
	put("x.test", "test x\nnumber 9\ngroup mail\nsets quick standard\ntitle T\nabout A\n"
		      "graded on a b\n[verdict]\npending otherwise \"x\"\n");
	assert_non_null(strstr(error_of_dir(), "graded on b: there is no such test"));
	put_test("b", 2, "", "");
	assert_non_null(strstr(error_of_dir(), "it needs as graded on"));
	put_test("b", 2, "sets quick standard\n", "");
	c = catalogue_load(dir, err, sizeof err);
	assert_string_equal(err, "");
	assert_true(catalogue_in_set(catalogue_find(c, "b", 1), "x"));
	assert_true(catalogue_in_set(catalogue_find(c, "a", 1), "mail"));
	catalogue_free(c);
	put("y.test", "test y\nnumber 10\ngroup mail\ntitle T\nabout A\n"
		      "graded on x\n[verdict]\npending otherwise \"x\"\n");
	assert_non_null(strstr(error_of_dir(), "graded on x: which gets no mail itself"));
}

static void
no_directory(void **state)
{
	char err[600] = "";

	(void)state;
	assert_null(catalogue_load("/nonexistent", err, sizeof err));
	assert_non_null(strstr(err, "/nonexistent: "));
	catalogue_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped),
		cmocka_unit_test(shipped_is_clean),
		cmocka_unit_test_setup_teardown(a_test_is_a_file, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(what_spans_files, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(numbers_and_names, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(controls, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(sets_are_closed, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(graded_on_others, make_dir, remove_dir),
		cmocka_unit_test(no_directory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
