/* Any octets through the JSON reader; its strings must survive being written and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check_string(const struct json *node)
{
	struct strbuf b = { 0 };
	struct json_doc *doc;
	char err[128];

	strbuf_json(&b, node->string, node->len);
	doc = json_parse(b.s, b.len, err, sizeof(err));
	if (doc == NULL || json_root(doc)->len != node->len ||
	    memcmp(json_root(doc)->string, node->string, node->len) != 0)
		abort();
	json_free(doc);
	strbuf_clear(&b);
}

static void
walk(const struct json *node)
{
	size_t n = 0;

	if (node->type == JSON_STRING)
		check_string(node);
	for (const struct json *child = node->child; child != NULL; child = child->next, n++)
		walk(child);
	if (node->child != NULL && n != node->len)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char err[128];
	struct json_doc *doc = json_parse((const char *)data, len, err, sizeof(err));

	if (doc != NULL)
		walk(json_root(doc));
	json_free(doc);
	return 0;
}
