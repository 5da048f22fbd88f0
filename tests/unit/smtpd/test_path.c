/* Paths and parameters of MAIL and RCPT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "smtpd/path.h"

static const struct {
	const char *text, *local, *domain; /* local NULL: no path */
	const char *rest;
} rows[] = {
	{ "<>", "", "", "" },
	{ "<a@b.example>", "a", "b.example", "" },
	{ "<a@b.example> SIZE=1", "a", "b.example", " SIZE=1" },
	{ "<postmaster>", "postmaster", "", "" },
	{ "<@one.example,@two.example:a@b.example>", "a", "b.example", "" },
	{ "<\"a b\\\"@\"@b.example>", "\"a b\\\"@\"", "b.example", "" },
	{ "<a.b+c=d@[192.0.2.1]>", "a.b+c=d", "[192.0.2.1]", "" },
	{ "<a@[IPv6:2001:db8::1]>", "a", "[IPv6:2001:db8::1]", "" },
	{ "<\xc3\xbc@\xc3\xbc.example>", "\xc3\xbc", "\xc3\xbc.example", "" },
	{ "", NULL, NULL, NULL },
	{ "<", NULL, NULL, NULL },
	{ "a@b.example", NULL, NULL, NULL },
	{ "<a@b.example", NULL, NULL, NULL },
	{ "<a@>", NULL, NULL, NULL },
	{ "<@b.example>", NULL, NULL, NULL },
	{ "<.a@b.example>", NULL, NULL, NULL },
	{ "<a.@b.example>", NULL, NULL, NULL },
	{ "<a..b@b.example>", NULL, NULL, NULL },
	{ "<a b@b.example>", NULL, NULL, NULL },
	{ "<\"a@b.example>", NULL, NULL, NULL },
	{ "<a@-b.example>", NULL, NULL, NULL },
	{ "<a@b-.example>", NULL, NULL, NULL },
	{ "<a@b..example>", NULL, NULL, NULL },
	{ "<a@b.example.>", NULL, NULL, NULL },
	{ "<a@[]>", NULL, NULL, NULL },
	{ "<a@[1.2.3.4>", NULL, NULL, NULL },
};

static void
test_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t len = strlen(rows[i].text), used = 0;
		char *copy = malloc(len + 1); /* exact, so that a step too far is seen */
		struct path p;
		int rc;

		memcpy(copy, rows[i].text, len);
		copy = realloc(copy, len > 0 ? len : 1);
		rc = path_parse(&p, &used, copy, len);
		if (rc != (rows[i].local != NULL ? 0 : -1))
			print_error("%s\n", rows[i].text);
		assert_int_equal(rc, rows[i].local != NULL ? 0 : -1);
		if (rc == 0) {
			assert_int_equal(p.local_len, strlen(rows[i].local));
			assert_memory_equal(p.local, rows[i].local, p.local_len);
			assert_int_equal(p.domain_len, strlen(rows[i].domain));
			assert_memory_equal(p.domain, rows[i].domain, p.domain_len);
			assert_int_equal(len - used, strlen(rows[i].rest));
		}
		free(copy);
	}
}

static void
test_limits(void **state)
{
	char text[600];
	struct path p;
	size_t used;

	(void)state;
	memset(text, 'a', sizeof text);
	text[0] = '<';
	memcpy(text + 1 + PATH_LOCAL_MAX, "@b>", 3);
	assert_int_equal(path_parse(&p, &used, text, PATH_LOCAL_MAX + 4), 0);
	memset(text + 1, 'a', PATH_LOCAL_MAX + 1);
	memcpy(text + 2 + PATH_LOCAL_MAX, "@b>", 3);
	assert_int_equal(path_parse(&p, &used, text, PATH_LOCAL_MAX + 5), -1);
	/* a label of 63 and of 64 */
	memset(text, 'a', sizeof text);
	memcpy(text, "<a@", 3);
	text[3 + 63] = '>';
	assert_int_equal(path_parse(&p, &used, text, 3 + 64), 0);
	text[3 + 63] = 'a';
	text[3 + 64] = '>';
	assert_int_equal(path_parse(&p, &used, text, 3 + 65), -1);
}

static void
test_params(void **state)
{
	static const struct {
		const char *text;
		unsigned allowed;
		enum params_err want;
	} params[] = {
		{ "", 0, PARAMS_OK },
		{ "  ", 0, PARAMS_OK },
		{ " SIZE=10", PARAM_SIZE, PARAMS_OK },
		{ " size=10 body=8bitmime", PARAM_SIZE | PARAM_BODY, PARAMS_OK },
		{ " SMTPUTF8", PARAM_SMTPUTF8, PARAMS_OK },
		{ " RET=HDRS ENVID=x", PARAM_RET | PARAM_ENVID, PARAMS_OK },
		{ "SIZE=10", PARAM_SIZE, PARAMS_SYNTAX },
		{ " SIZE", PARAM_SIZE, PARAMS_SYNTAX },
		{ " SIZE=", PARAM_SIZE, PARAMS_SYNTAX },
		{ " SIZE=1x", PARAM_SIZE, PARAMS_SYNTAX },
		{ " SIZE=99999999999999999999", PARAM_SIZE, PARAMS_SYNTAX },
		{ " SIZE=1 SIZE=1", PARAM_SIZE, PARAMS_SYNTAX },
		{ " SMTPUTF8=1", PARAM_SMTPUTF8, PARAMS_SYNTAX },
		{ " BODY=9BIT", PARAM_BODY, PARAMS_SYNTAX },
		{ " RET=ALL", PARAM_RET, PARAMS_SYNTAX },
		{ " SIZE=10", 0, PARAMS_UNKNOWN },
		{ " FROB=1", ~0u, PARAMS_UNKNOWN },
		{ " =", ~0u, PARAMS_UNKNOWN },
	};
	struct params p;

	(void)state;
	for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
		if (params_parse(&p, params[i].text, strlen(params[i].text), params[i].allowed) !=
		    params[i].want)
			fail_msg("%s", params[i].text);
	}
	assert_int_equal(params_parse(&p, " SIZE=1234 BODY=8BITMIME", 24, ~0u), PARAMS_OK);
	assert_int_equal(p.size, 1234);
	assert_true(p.eightbit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_params),
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
