/* Configuration rows: defaults, every type at the edges of its range, and one clear line for each
 * mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/conf.h"
#include "lib/strbuf.h"

struct target {
	char name[8];
	char base[16];
	unsigned number, any;
	uint64_t size;
	int64_t wait;
	struct conf_list list, none;
};
#define FIELD(f) offsetof(struct target, f), sizeof(((struct target *)NULL)->f)
static const struct conf_row rows[] = {
	{ "name", CONF_STRING, FIELD(name), 0, 0, "", "A name" },
	{ "base", CONF_STRING, FIELD(base), 0, 0, NULL, "A domain" },
	{ "number", CONF_UINT, FIELD(number), 1, 64, "3", "A number" },
	{ "any", CONF_UINT, FIELD(any), 0, 0, "0", "Any number" },
	{ "size", CONF_BYTES, FIELD(size), 1024, 1 << 20, "64K", "A size" },
	{ "wait", CONF_DURATION, FIELD(wait), 1000, 90000000, "5s", "A time" },
	{ "list", CONF_LIST, FIELD(list), 0, 0, "a b", "Some words" },
	{ "none", CONF_LIST, FIELD(none), 0, 0, "", "No words" },
};
#define N (sizeof(rows) / sizeof(rows[0]))

static char path[] = "/tmp/test_conf.XXXXXX";

static int
setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static int
load(struct target *t, const char *text, char *err, size_t errlen)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	memset(t, 0xa5, sizeof(*t));
	return conf_load(t, rows, N, path, err, errlen);
}

static void
test_defaults(void **state)
{
	struct target t;
	char err[256];

	(void)state;
	assert_int_equal(load(&t, "base example.org # the domain\n", err, sizeof(err)), 0);
	assert_string_equal(t.name, "");
	assert_string_equal(t.base, "example.org");
	assert_int_equal(t.number, 3);
	assert_int_equal(t.any, 0);
	assert_int_equal(t.size, 65536);
	assert_int_equal(t.wait, 5000000);
	assert_int_equal(t.list.n, 2);
	assert_string_equal(t.list.item[1], "b");
	assert_int_equal(t.none.n, 0);
	conf_clear(&t, rows, N);
	assert_int_equal(t.list.n, 0);
	conf_clear(&t, rows, N);
}

static void
test_given(void **state)
{
	struct target t;
	char err[256];

	(void)state;
	assert_int_equal(load(&t,
			     "base x\nname sevenxx\nnumber 64\nany 4294967295\nsize 1M\nwait 1.5m\n"
			     "list c\nlist \"d e\" f\nnone\n",
			     err, sizeof(err)),
	    0);
	assert_string_equal(t.name, "sevenxx");
	assert_int_equal(t.number, 64);
	assert_int_equal(t.any, UINT32_MAX);
	assert_int_equal(t.size, 1 << 20);
	assert_int_equal(t.wait, 90000000);
	assert_int_equal(t.list.n, 3);
	assert_string_equal(t.list.item[0], "c");
	assert_string_equal(t.list.item[1], "d e");
	conf_clear(&t, rows, N);
	assert_int_equal(
	    load(&t, "base x\nnumber 1\nsize 1024\nwait 1ms\nname \"\"\nlist\n", err, sizeof(err)),
	    0);
	assert_int_equal(t.number, 1);
	assert_int_equal(t.size, 1024);
	assert_int_equal(t.wait, 1000);
	assert_int_equal(t.list.n, 0);
	conf_clear(&t, rows, N);
}

static void
test_mistakes(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "name x\n", ": base: missing, it has no default" },
		{ "base x\nnumber 0\n", ":2: number 0: it must be at least 1" },
		{ "base x\n\nnumber 65\n", ":3: number 65: it must be at most 64" },
		{ "number -1\n", ":1: number -1: it is no whole number" },
		{ "number 5x\n", ":1: number 5x: it is no whole number" },
		{ "number \"\"\n", ":1: number : it is no whole number" },
		{ "any 4294967296\n", ":1: any 4294967296: it is no whole number" },
		{ "any 99999999999999999999\n",
		    ":1: any 99999999999999999999: it is no whole number" },
		{ "size 1023\n", ":1: size 1023: it must be at least 1K" },
		{ "size 1025K\n", ":1: size 1025K: it must be at most 1M" },
		{ "size 1T\n", ":1: size 1T: it is no size like 64K, 10M or 1G" },
		{ "size 1KB\n", ":1: size 1KB: it is no size like 64K, 10M or 1G" },
		{ "size 99999999999999999G\n",
		    ":1: size 99999999999999999G: it is no size like 64K, 10M or 1G" },
		{ "wait 999us\n", ":1: wait 999us: it must be at least 1ms" },
		{ "wait 91s\n", ":1: wait 91s: it must be at most 90s" },
		{ "wait 5\n", ":1: wait 5: it is no duration like 250ms, 30s, 5m, 6h or 2d" },
		{ "name eightxxx\n", ":1: name eightxxx: it is longer than 7 octets" },
		{ "name a b\n", ":1: name: it takes one value, not 2" },
		{ "name\n", ":1: name: it takes one value, not 0" },
		{ "name a\nname b\n", ":2: name: stands twice" },
		{ "name \"a\\x00b\"\n", ":1: name: NUL in the value" },
		{ "nmae a\n", ":1: nmae: no such item" },
		{ "[smtp]\n", ":1: [smtp]: a configuration has no sections" },
		{ "name \"a\n",
		    ":1: quote is not closed, or its next line does not begin with a blank" },
	};
	struct target t;
	char err[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(load(&t, bad[i].text, err, sizeof(err)), -1);
		assert_memory_equal(err, path, strlen(path));
		assert_string_equal(err + strlen(path), bad[i].why);
		assert_int_equal(t.list.n, 0);
	}
	assert_int_equal(conf_load(&t, rows, N, "/nonexistent", err, sizeof(err)), -1);
	assert_string_equal(err, "/nonexistent: No such file or directory");
}

static void
test_list_limit(void **state)
{
	struct strbuf b = { 0 };
	struct target t;
	char err[256];

	(void)state;
	strbuf_puts(&b, "base x\n");
	for (int i = 0; i < CONF_LIST_MAX; i++)
		strbuf_printf(&b, "list %d\n", i);
	assert_int_equal(load(&t, b.s, err, sizeof(err)), 0);
	assert_int_equal(t.list.n, CONF_LIST_MAX);
	conf_clear(&t, rows, N);
	strbuf_puts(&b, "list x\n");
	assert_int_equal(load(&t, b.s, err, sizeof(err)), -1);
	assert_string_equal(err + strlen(path), ":66: list x: the list has more than 64 items");
	strbuf_clear(&b);
}

static void
test_manual(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	conf_manual(out, rows + 1, 5);
	fclose(out);
	assert_string_equal(text,
	    ".It Ic base Ar word\nA domain.\nMust be given.\n"
	    ".It Ic number Ar number\nA number.\nAt least 1.\nAt most 64.\nThe default is 3.\n"
	    ".It Ic any Ar number\nAny number.\nThe default is 0.\n"
	    ".It Ic size Ar size\nA size.\nAt least 1K.\nAt most 1M.\nThe default is 64K.\n"
	    ".It Ic wait Ar duration\nA time.\nAt least 1ms.\nAt most 90s.\nThe default is 5s.\n");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_given),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_list_limit),
		cmocka_unit_test(test_manual),
	};
	return cmocka_run_group_tests_name("conf", tests, setup, teardown);
}
