/* prepare.h - makes what a site lacks: directories, secret, DNSSEC keys, certificate authorities,
 * fronts and certificates, also for tests that came into the catalogue later.  Nothing that exists
 * is ever written again, so it may run at every start; and no secret is made where participants or
 * opt-outs are that belong to one which is gone. */
#ifndef PROVISIONING_PREPARE_H
#define PROVISIONING_PREPARE_H

#include "provisioning/site.h"

struct prepared {
	unsigned keys, certs, fronts; /* made now */
};
/* Reads DIR/outpost.conf and the catalogue.  0, or -1 with one line in err (or logged). */
int site_prepare(struct prepared *, const char *dir, char *err, size_t errlen);

#endif
