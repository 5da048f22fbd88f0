/* json.h - JSON (RFC 8259): read strictly into a tree, and written.
 *
 * The reader takes what we wrote ourselves or what a stranger claims is JSON.  Limits: 64 levels,
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

/* --- writing, at the end of a buffer ------------------------------------------------------------------- */

struct strbuf;
/* A comma where one is due, then the key.  key NULL, here and below: an element of an array, or the document
 * itself.  A value that no function here writes can follow. */
void json_key(struct strbuf *, const char *key);
void json_begin(struct strbuf *, const char *key, char bracket); /* '{' or '[' */
void json_end(struct strbuf *, char bracket);
void json_put(struct strbuf *, const char *key, const char *text); /* text NULL: "" */
/* Absent rather than empty. */
void json_put_some(struct strbuf *, const char *key, const char *text);
void json_put_num(struct strbuf *, const char *key, int64_t);
/* 16 digits of a keyed hash, as a text: readers have no numbers of 64 bits.  0: absent. */
void json_put_hash(struct strbuf *, const char *key, uint64_t);
void json_put_bool(struct strbuf *, const char *key, bool);
void json_put_null(struct strbuf *, const char *key);
/* As lib/clock.h writes it; 0: null. */
void json_put_time(struct strbuf *, const char *key, int64_t t_us);
/* An array of texts. */
void json_put_list(struct strbuf *, const char *key, char *const *item, size_t n);

#endif
