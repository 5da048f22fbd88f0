/* utf8.h - which bytes are UTF-8 (RFC 3629): no overlong forms, no surrogates, up to U+10FFFF. */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length (1 to 4) of the character that starts at s, 0 if there is none.  len is at least 1. */
size_t utf8_length(const char *s, size_t len);
/* Writes a code point (not a surrogate, at most 0x10ffff); returns its length. */
size_t utf8_put(char dst[4], uint32_t code);

/* A character of that length does nothing but show itself: it is no control character (C0, DEL, C1), and none of
 * those that turn the direction of text around (U+202A to U+202E, U+2066 to U+2069). */
bool utf8_is_plain(const char *s, size_t length);

#endif
