/* Results of the verifier, for people. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "outpost/verify_text.h"

static struct strbuf text;

static struct json_doc *
parse(const char *json)
{
	char err[200];
	struct json_doc *doc = json_parse(json, strlen(json), err, sizeof(err));

	if (doc == NULL)
		fail_msg("%s", err);
	return doc;
}

static void
print(const char *json)
{
	struct json_doc *doc = parse(json);

	strbuf_reset(&text);
	verify_text(&text, json_root(doc));
	json_free(doc);
}

static void
has(const char *part)
{
	if (strstr(text.s, part) == NULL)
		fail_msg("no \"%s\" in:\n%s", part, text.s);
}

static void
test_lines(void **state)
{
	(void)state;
	print(
	    "{\"client\":\"192.0.2.1\",\"from\":\"a@b.example\",\"message\":{\"size\":7},"
	    "\"author\":{\"domain\":\"b.example\",\"address\":\"a@b.example\"},"
	    "\"spf\":{\"mailfrom\":{\"result\":\"fail\",\"domain\":\"b.example\",\"reason\":\"no\","
	    "\"lookups\":3,\"trace\":[{\"depth\":0,\"record\":\"v=spf1 "
	    "-all\",\"domain\":\"b.example\","
	    "\"result\":\"fail\"}]},\"helo\":{\"result\":\"none\"}},"
	    "\"dkim\":{\"result\":\"pass\",\"signature\":[{\"result\":\"pass\",\"domain\":\"b."
	    "example\","
	    "\"selector\":\"s\",\"algorithm\":\"rsa-sha1\",\"sha1\":true,\"aligned\":\"strict\","
	    "\"aligned_tree\":\"no\",\"key\":{\"state\":\"good\",\"bits\":768,\"strength\":"
	    "\"forbidden\"}}]},"
	    "\"dmarc\":{\"result\":\"fail\",\"difference\":\"they "
	    "differ\",\"rfc7489\":{\"at\":\"b.example\","
	    "\"policy\":\"reject\",\"tag\":\"p\",\"record\":{\"text\":\"v=DMARC1\",\"faults\":1,"
	    "\"fault\":"
	    "[{\"text\":\"p: "
	    "missing\",\"grave\":true}],\"rua\":[{\"uri\":\"mailto:x@y\",\"consent\":\"no\"}]}}}}");
	has("client      192.0.2.1, EHLO (none), reverse-path <a@b.example>\n");
	has("SPF         fail of b.example: no\n");
	has("            3 of 10 lookups, 0 of 2 in vain\n");
	has("  b.example: v=spf1 -all  -> fail\n");
	has("  pass d=b.example s=s rsa-sha1, 768 bits, aligned: strict (by the tree: no)\n");
	has("DMARC       fail, policy reject (p of b.example)\n");
	has("receivers differ: they differ\n");
	has("fault: p: missing\n");
	has("no reports go to: mailto:x@y\n");
	has("\nWhat to do:\n");
	has("RFC 8301 forbids rsa-sha1");
	has("2048 bits");
	has("add the client's address to the SPF record");
	has("_report._dmarc");
}

/* Nothing to mend, nothing is advised. */
static void
test_good(void **state)
{
	(void)state;
	print("{\"author\":{\"domain\":\"b.example\"},\"spf\":{\"mailfrom\":{\"result\":\"pass\"}},"
	      "\"dkim\":{\"result\":\"pass\"},\"dmarc\":{\"result\":\"pass\"},"
	      "\"fcrdns\":{\"result\":\"pass\"},\"ehlo\":{\"form\":\"name\",\"matches\":true}}");
	assert_null(strstr(text.s, "What to do"));
	has("EHLO        name: it is the client's\n");
}

/* An object without anything, and one whose words would move the cursor. */
static void
test_odd(void **state)
{
	(void)state;
	print("{}");
	has("message     0 octets");
	print("{\"author\":{\"why\":\"\\u001b[2J\\u0007\"},\"dkim\":{\"reason\":\"a\\nb\","
	      "\"result\":\"fail\"}}");
	has("\\x1b[2J\\x07");
	has("a\\x0ab");
	assert_null(strchr(text.s, 0x1b));
	/* UTF-8 stays; a control character of ISO 8859, in UTF-8 or alone, does not. */
	print("{\"author\":{\"why\":\"\\u00c3\\u00b6 \\u00c2\\u009b \\u009b \\u00ff\"}}");
	has("\303\266 \\xc2\\x9b \\x9b \\xff");
}

static void
test_result(void **state)
{
	struct json_doc *doc = parse(
	    "{\"spf\":{\"mailfrom\":{\"result\":\"pass\"}},\"arc\":{\"result\":"
	    "\"fail\"}}");

	(void)state;
	assert_string_equal(verify_text_result(json_root(doc), "spf"), "pass");
	assert_string_equal(verify_text_result(json_root(doc), "arc"), "fail");
	assert_string_equal(verify_text_result(json_root(doc), "dmarc"), "");
	assert_null(verify_text_result(json_root(doc), "lookups"));
	json_free(doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_result),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	strbuf_clear(&text);
	return failed;
}
