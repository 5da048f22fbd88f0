/* location-database: files of libmaxminddb, made here: what is known by them, how many are used, and garbage. */
#include "results/whereabouts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define FILES (WHEREABOUTS_MAX + 1)

static char dir[] = "/tmp/test_whereabouts.XXXXXX";
static char path[FILES][64];

/* The tree has one node: what begins with a 0 bit is the first entry of the data, the rest is nothing. */
static const char all[] = "\0\0\021\0\0\001", none[] = "\0\0\001\0\0\001";
/* Before each value its kind and length, in octal. */
static const char body[] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
			   "\343"
			   "\107country\341\110iso_code\102DE"
			   "\135\001autonomous_system_organization\120Example Networks"
			   "\130autonomous_system_number\304\0\0\373\364"
			   "\253\315\357MaxMind.com"
			   "\351"
			   "\133binary_format_major_version\241\002"
			   "\133binary_format_minor_version\240"
			   "\113build_epoch\001\002\001"
			   "\115database_type\104Test"
			   "\113description\341\102en\104Test"
			   "\112ip_version\241\006"
			   "\111languages\001\004\102en"
			   "\112node_count\301\001"
			   "\113record_size\241\030";

static void
put(const char *file, const char *tree, const char *data, size_t len)
{
	FILE *out = fopen(file, "wb");

	assert_non_null(out);
	assert_int_equal(fwrite(tree, 1, 6, out), 6);
	assert_int_equal(fwrite(data, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	for (unsigned i = 0; i < FILES; i++)
		snprintf(path[i], sizeof path[i], "%s/%u.mmdb", dir, i);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FILES; i++)
		unlink(path[i]);
	return rmdir(dir);
}

/* By the first n files; what is complained of comes into said. */
static bool
known(struct place *p, unsigned n, char *said, size_t size)
{
	struct conf_list files = { .n = n };
	FILE *log = tmpfile();
	int err = dup(STDERR_FILENO);
	struct whereabouts *w;
	bool is;

	for (unsigned i = 0; i < n; i++)
		files.item[i] = path[i];
	assert_non_null(log);
	dup2(fileno(log), STDERR_FILENO);
	w = whereabouts_open(&files);
	dup2(err, STDERR_FILENO);
	close(err);
	rewind(log);
	said[fread(said, 1, size - 1, log)] = '\0';
	fclose(log);
	is = whereabouts_of(p, w, "192.0.2.1");
	whereabouts_close(w);
	return is;
}

#ifdef HAVE_LIBMAXMINDDB
static void
test_known(void **state)
{
	char said[2048], text[112];
	struct place p;

	(void)state;
	put(path[0], all, body, sizeof body - 1);
	assert_true(known(&p, 1, said, sizeof said));
	assert_string_equal(said, "");
	place_format(text, &p);
	assert_string_equal(text, "AS64500 Example Networks, DE");
}

/* The last one that is used, and the first that is not. */
static void
test_number(void **state)
{
	char said[2048];
	struct place p;

	(void)state;
	for (unsigned i = 0; i < FILES; i++)
		put(path[i], i == WHEREABOUTS_MAX - 1 ? all : none, body, sizeof body - 1);
	assert_true(known(&p, WHEREABOUTS_MAX, said, sizeof said));
	assert_string_equal(said, "");
	for (unsigned i = 0; i < FILES; i++)
		put(path[i], i == WHEREABOUTS_MAX ? all : none, body, sizeof body - 1);
	assert_false(known(&p, FILES, said, sizeof said));
	assert_non_null(strstr(said, path[WHEREABOUTS_MAX]));
	assert_non_null(strstr(said, "too many"));
}
#endif

/* Cut anywhere, missing: a line, and no place (this network is nobody's); never a crash. */
static void
test_garbage(void **state)
{
	char said[2048];
	struct place p;

	(void)state;
	for (size_t len = 0; len < sizeof body - 1; len++) {
		put(path[0], all, body, len);
		if (!known(&p, 1, said, sizeof said) && *said != '\0')
			assert_non_null(strstr(said, "cannot be used as a database of addresses"));
		else
			assert_true(len > 100); /* what is missing was not asked for */
	}
	unlink(path[0]);
	assert_false(known(&p, 1, said, sizeof said));
	assert_non_null(strstr(said, "reports say less"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef HAVE_LIBMAXMINDDB
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_number),
#endif
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
