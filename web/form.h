/* form.h - what a form or the query of a URL says: application/x-www-form-urlencoded (WHATWG URL 5.1), read
 * strictly.  Pure.  Names and values are NUL-terminated; one with a NUL in it, a bad %XX, or too many fields
 * make the whole thing unreadable. */
#ifndef WEB_FORM_H
#define WEB_FORM_H

#include <stdbool.h>
#include <stddef.h>

#define FORM_FIELDS_MAX 32

struct form {
	struct {
		const char *name, *value;
	} field[FORM_FIELDS_MAX];
	unsigned n;
	char *mem; /* owned; form_clear */
};
/* false: it is not well-formed; *dst is empty then.  An empty text is an empty form. */
bool form_parse(struct form *dst, const char *text, size_t len);
void form_clear(struct form *);
const char *form_get(const struct form *, const char *name); /* the first; "" if absent */

#endif
