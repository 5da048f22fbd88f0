/* Whatever a stranger says stays text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/html.h"

static void
escapes(void **state)
{
	static const struct {
		const char *text, *html;
	} rows[] = {
		{ "plain", "plain" },
		{ "<script>alert('1')</script>",
		    "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;" },
		{ "\" onload=\"x", "&quot; onload=&quot;x" },
		{ "a&amp;b", "a&amp;amp;b" },
		{ "tab\tand\nline", "tab\tand\nline" },
		{ "bell\a and \x7f", "bell\xef\xbf\xbd and \xef\xbf\xbd" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "latin \xfc, cut \xe2\x82", "latin \xef\xbf\xbd, cut \xef\xbf\xbd\xef\xbf\xbd" },
		{ "c1 \xc2\x85", "c1 \xef\xbf\xbd" },
		{ "over\xc0\xbcscript", "over\xef\xbf\xbd\xef\xbf\xbdscript" },
		{ "turned \xe2\x80\xaegnp.exe", "turned \xef\xbf\xbdgnp.exe" },
		{ "isolated \xe2\x81\xa6x\xe2\x81\xa9", "isolated \xef\xbf\xbdx\xef\xbf\xbd" },
		{ "dash \xe2\x80\x93", "dash \xe2\x80\x93" },
		{ "", NULL },
	};
	struct strbuf b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		strbuf_clear(&b);
		html_text(&b, rows[i].text);
		if (rows[i].html == NULL)
			assert_null(b.s);
		else
			assert_string_equal(b.s, rows[i].html);
	}
	html_text(&b, NULL);
	strbuf_clear(&b);
}

static void
urls(void **state)
{
	struct strbuf b = { 0 };

	(void)state;
	html_url(&b, "probe@a.example/?x=\"<&>'\r\n\xc3\xbc~_-");
	assert_string_equal(b.s, "probe%40a.example%2F%3Fx%3D%22%3C%26%3E%27%0D%0A%C3%BC~_-");
	strbuf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(urls),
	};

	return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
