/* A Maildir: what is put there is there once and whole, and nothing else is touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <stdbool.h>
#include <cmocka.h>

#include "outpost/maildir.h"

static char root[64], path[96];

static int
setup(void **state)
{
	(void)state;
	snprintf(root, sizeof root, "/tmp/outpost-maildir-XXXXXX");
	if (mkdtemp(root) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/M", root);
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", root);
	return system(command);
}

static void
in(char dst[192], const char *name)
{
	snprintf(dst, 192, "%s/%s", path, name);
}

/* Is there a file of this name with this text? */
static void
assert_file(const char *name, const char *want)
{
	char at[192], got[64] = "";
	FILE *f;

	in(at, name);
	f = fopen(at, "r");
	assert_non_null(f);
	assert_int_equal(fread(got, 1, sizeof got - 1, f), strlen(want));
	fclose(f);
	assert_string_equal(got, want);
}

static bool
is_there(const char *name)
{
	char at[192];

	in(at, name);
	return access(at, F_OK) == 0;
}

static void
make(const char *name, const char *data)
{
	char at[192];
	FILE *f;

	in(at, name);
	f = fopen(at, "w");
	assert_non_null(f);
	fputs(data, f);
	fclose(f);
}

static void
once(void **state)
{
	char from[192], to[192];
	struct maildir m;
	struct stat sb;

	(void)state;
	assert_int_equal(maildir_open(&m, path), 0);
	assert_int_equal(maildir_put(&m, "1.a", "hello", 5), 0);
	assert_file("new/1.a", "hello");
	assert_false(is_there("tmp/1.a"));
	in(from, "new/1.a");
	assert_int_equal(stat(from, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	assert_int_equal(maildir_put(&m, "1.a", "other", 5), 1);
	assert_file("new/1.a", "hello");
	in(to, "cur/1.a:2,S");
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(maildir_put(&m, "1.a", "other", 5), 1);
	assert_false(is_there("new/1.a"));
	/* A name that only begins alike is another one. */
	assert_int_equal(maildir_put(&m, "1", "one", 3), 0);
	assert_file("new/1", "one");
	maildir_close(&m);
	assert_int_equal(maildir_open(&m, path), 0); /* it is one already */
	maildir_close(&m);
}

/* Half a file of one who was killed, and a link that somebody has laid there. */
static void
left_over(void **state)
{
	char at[192], away[192];
	struct maildir m;

	(void)state;
	assert_int_equal(maildir_open(&m, path), 0);
	make("tmp/2.a", "hal");
	assert_int_equal(maildir_put(&m, "2.a", "half", 4), 0);
	assert_file("new/2.a", "half");
	make("victim", "mine");
	in(at, "tmp/3.a");
	in(away, "victim");
	assert_int_equal(symlink(away, at), 0);
	assert_int_equal(maildir_put(&m, "3.a", "three", 5), 0);
	assert_file("victim", "mine");
	assert_file("new/3.a", "three");
	maildir_close(&m);
}

static void
not_one(void **state)
{
	char at[192];
	struct maildir m;

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	make("letter.txt", "");
	assert_int_equal(maildir_open(&m, path), -1); /* somebody's folder */
	assert_false(is_there("new"));
	in(at, "letter.txt");
	assert_int_equal(maildir_open(&m, at), -1); /* no folder */
	assert_int_equal(unlink(at), 0);
	assert_int_equal(maildir_open(&m, path), 0); /* empty */
	maildir_close(&m);
	in(at, "new");
	assert_int_equal(rmdir(at), 0);
	assert_int_equal(symlink("/tmp", at), 0);
	assert_int_equal(maildir_open(&m, path), -1); /* leads elsewhere */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(once, setup, teardown),
		cmocka_unit_test_setup_teardown(left_over, setup, teardown),
		cmocka_unit_test_setup_teardown(not_one, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
