/* What counts as the participant's own mail, what as a bounce, and what as neither. */
#include "outpost/acted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct acted
seen(const char *line)
{
	struct acted a = { 0 };

	acted_see(&a, "shop.example", line, strlen(line));
	return a;
}

#define MESSAGE "{\"v\":1,\"ev\":\"smtp.message\","

static void
consent(void **state)
{
	static const char *const own[] = {
		MESSAGE "\"reply\":250,\"from\":\"ann@shop.example\"}",
		MESSAGE "\"reply\":250,\"from\":\"b+ann=x@BOUNCE.Shop.Example\"}",
		MESSAGE "\"reply\":250,\"from\":\"ann@shop.example\",\"headers\":\"From: "
			"a\\nauto-submitted: No\\n\"}",
		MESSAGE "\"reply\":250,\"from\":\"ann@shop.example\",\"headers\":\"Subject: "
			"Auto-Submitted: yes\\n\"}",
	};
	static const char *const none[] = {
		MESSAGE "\"reply\":550,\"from\":\"ann@shop.example\"}",
		MESSAGE "\"reply\":250,\"from\":\"\"}",
		MESSAGE "\"reply\":250}",
		MESSAGE "\"reply\":250,\"from\":\"ann@workshop.example\"}",
		MESSAGE "\"reply\":250,\"from\":\"ann@shop.example.net\"}",
		MESSAGE "\"reply\":250,\"from\":\"@shop.example\"}",
		MESSAGE "\"reply\":250,\"from\":\"ann@shop.example\",\"headers\":\"From: "
			"a\\nAUTO-Submitted:auto-replied\\n\"}",
		MESSAGE "\"reply\":250,\"from\":\"ann@shop.example\",\"headers\":\"Auto-Submitted: "
			"nobody\"}",
		MESSAGE "\"reply\":250,\"from\":\"ann@shop.example\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (!seen(own[i]).consented || !seen(own[i]).wrote)
			fail_msg("%s is consent", own[i]);
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		if (seen(none[i]).consented || !seen(none[i]).wrote || seen(none[i]).bounced)
			fail_msg("%s is none", none[i]);
}

static void
others(void **state)
{
	struct acted a = seen("{\"ev\":\"smtp.dsn\",\"reply\":250,\"from\":\"\"}");

	(void)state;
	assert_true(a.bounced && !a.wrote && !a.consented);
	a = seen("{\"ev\":\"smtp.mail\",\"reply\":250,\"from\":\"ann@shop.example\"}");
	assert_true(!a.bounced && !a.wrote && !a.consented);
	/* its words are not taken for an event */
	a = seen("{\"ev\":\"smtp.mail\",\"from\":\"\\\"ev\\\":\\\"smtp.dsn\\\"\"}");
	assert_true(!a.bounced && !a.wrote && !a.consented);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(consent),
		cmocka_unit_test(others),
	};

	return cmocka_run_group_tests_name("acted", tests, NULL, NULL);
}
