/* rdata.h - RDATA as our files write it: words of master-file text with placeholders. */
#ifndef ZONES_RDATA_H
#define ZONES_RDATA_H

#include <stddef.h>
#include <stdint.h>

#include "lib/text.h"

/* Joins the words of the line from `from` on (quoted ones are quoted again, master-file escapes) and
 * checks what can be checked without a token: number of words, placeholders and that they fit the
 * type, addresses, small numbers.  The caller owns it.  NULL: what and why in err. */
char *rdata_text(const struct text_line *, unsigned from, uint16_t type, char *err, size_t errlen);

#endif
