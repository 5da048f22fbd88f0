/* json.h - reading JSON that we wrote ourselves or that a stranger claims is JSON: a strict
 * recursive-descent reader (RFC 8259) into a tree, and flat-object helpers.  Limits: 64 levels,
 * 1,000,000 values.  Input that is not UTF-8, or has half a surrogate pair, is refused. */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };
struct json {
	enum json_type type;
	bool boolean;
	double number;
	int64_t integer;    /* number, truncated; stops at the ends of int64_t */
	const char *string; /* NUL-terminated; \u00XX gives one byte, others UTF-8 */
	size_t len;         /* of string; or number of children */
	struct json *child; /* array or object: first child */
	struct json *next;  /* sibling */
	const char *key;    /* in an object */
};
struct json_doc; /* owns all nodes */
struct json_doc *json_parse(
    const char *text, size_t len, char *err, size_t errlen); /* NULL: error */
const struct json *json_root(const struct json_doc *);
void json_free(struct json_doc *);
const struct json *json_get(const struct json *object, const char *key); /* NULL if absent */
const char *json_string(
    const struct json *object, const char *key); /* NULL if absent or other type */
int64_t json_int(const struct json *object, const char *key, int64_t fallback);

#endif
