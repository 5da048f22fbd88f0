/* delegate.h - what BASE says about the test zones: NS, DS, and links for referrals; and the silent
 * second name server of a lame test zone.  At load only. */
#ifndef AUTHDNS_DELEGATE_H
#define AUTHDNS_DELEGATE_H

#include "authdns/record.h"

/* "ns lame": adds a name server that never answers, with its addresses.  -1: err. */
int delegate_lame(
    struct record_list *, struct zones *, const struct zone *, char *err, size_t errlen);
/* Adds NS and DS, or the DNAME, of every test zone to the records of BASE; the test zones are
 * compiled. */
void delegate_all(struct record_list *, struct zones *);
/* Ties the delegation points of BASE to their zones. */
void delegate_link(struct zones *);

#endif
