/* fixture.h - what the unit tests of zones/ share. */
#ifndef TESTS_UNIT_ZONES_FIXTURE_H
#define TESTS_UNIT_ZONES_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#undef test_free /* cmocka's allocator check, not our function */

#include "zones/test.h"

/* A test that lacks nothing: head, one host, a verdict.  Parts of it are replaced by the tests. */
#define HEAD                                                                                       \
	"test x\nnumber 7\ngroup delivery\ncontrol dual\ntitle \"T\"\nspec \"RFC 1\"\nabout "      \
	"\"A\"\n"
#define DNS  "[dns]\n{d} 60 MX 10 {mx0}\n{mx0} 60 A {ipv4:0}\n"
#define HOST "[host 0]\nstarttls offer\n"
#define RULES                                                                                      \
	"[verdict]\nconforms accepted \"ok\"\npending not settled \"wait\"\ninconclusive "         \
	"otherwise \"?\"\n"

/* The error that the text gives; "" if it loads. */
static inline const char *
error_of(const char *text)
{
	static char err[600];
	struct test *t;

	err[0] = '\0';
	t = test_parse("f", text, strlen(text), err, sizeof err);
	test_free(t);
	assert_int_equal(t == NULL, err[0] != '\0');
	return err;
}

static inline struct test *
load_text(const char *text)
{
	char err[600] = "";
	struct test *t = test_parse("f", text, strlen(text), err, sizeof err);

	if (t == NULL)
		fail_msg("%s\n%s", err, text);
	return t;
}

#endif
