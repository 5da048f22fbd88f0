/* compile.h - from the catalogue's text to the tables of zone.h; at load only. */
#ifndef AUTHDNS_COMPILE_H
#define AUTHDNS_COMPILE_H

#include "authdns/record.h"

/* Builds all zones of a site.  NULL: "file:line: what, why" in err.  Holds on to the site. */
struct zones *zones_compile(const struct site *, char *err, size_t errlen);

/* The RRset of n records (same owner, same type) into *dst.  question_len: length of the owner
 * without the apex, to which compressed names in the answer point.  -1: err. */
int rrset_build(struct rrset *dst, struct arena *, const struct zone *, struct record *const *r,
    size_t n, size_t question_len, char *err, size_t errlen);

#endif
