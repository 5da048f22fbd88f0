/* csrf.h - proof that a form that comes back is one that we gave out: a keyed hash of its purpose and the time.
 * Nothing is stored and no cookie is set; the other half of the protection is exchange_is_ours(), which
 * refuses a POST that a browser says comes from another site.  Pure. */
#ifndef WEB_CSRF_H
#define WEB_CSRF_H

#include <stdbool.h>
#include <stdint.h>

#define CSRF_TEXT_MAX 56
#define CSRF_LIFE_S   (12 * 3600)

/* purpose: the path that the form is sent to. */
void csrf_make(char dst[CSRF_TEXT_MAX], const uint8_t key[32], const char *purpose, int64_t now_us);
/* Made for this purpose within the last CSRF_LIFE_S. */
bool csrf_check(const char *text, const uint8_t key[32], const char *purpose, int64_t now_us);

#endif
