/* json_write.c - see json.h.  What was written last says whether a comma is due, so there is nothing to keep. */
#include <inttypes.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/strbuf.h"

/* Does a value end in this octet?  Texts end in a quote, whatever is in them. */
static bool
ends_value(char c)
{
	return c == '"' || c == '}' || c == ']' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

void
json_key(struct strbuf *b, const char *key)
{
	if (b->len > 0 && ends_value(b->s[b->len - 1]))
		strbuf_puts(b, ",");
	if (key == NULL)
		return;
	strbuf_json(b, key, strlen(key));
	strbuf_puts(b, ":");
}

void
json_begin(struct strbuf *b, const char *key, char bracket)
{
	json_key(b, key);
	strbuf_add(b, &bracket, 1);
}

void
json_end(struct strbuf *b, char bracket)
{
	strbuf_add(b, &bracket, 1);
}

void
json_put(struct strbuf *b, const char *key, const char *text)
{
	json_key(b, key);
	strbuf_json(b, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

void
json_put_some(struct strbuf *b, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_put(b, key, text);
}

void
json_put_num(struct strbuf *b, const char *key, int64_t n)
{
	json_key(b, key);
	strbuf_printf(b, "%" PRId64, n);
}

void
json_put_hash(struct strbuf *b, const char *key, uint64_t hash)
{
	if (hash == 0)
		return;
	json_key(b, key);
	strbuf_printf(b, "\"%016" PRIx64 "\"", hash);
}

void
json_put_bool(struct strbuf *b, const char *key, bool value)
{
	json_key(b, key);
	strbuf_puts(b, value ? "true" : "false");
}

void
json_put_null(struct strbuf *b, const char *key)
{
	json_key(b, key);
	strbuf_puts(b, "null");
}

void
json_put_time(struct strbuf *b, const char *key, int64_t t_us)
{
	char text[CLOCK_TEXT_MAX];

	if (t_us == 0) {
		json_put_null(b, key);
		return;
	}
	clock_format(text, t_us);
	json_put(b, key, text);
}

void
json_put_list(struct strbuf *b, const char *key, char *const *item, size_t n)
{
	json_begin(b, key, '[');
	for (size_t i = 0; i < n; i++)
		json_put(b, NULL, item[i]);
	json_end(b, ']');
}
