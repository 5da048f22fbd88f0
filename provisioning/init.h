/* init.h - a new site directory. */
#ifndef PROVISIONING_INIT_H
#define PROVISIONING_INIT_H

#include <stdio.h>

#include "provisioning/prepare.h"

struct init_options {
	const char *base;                           /* required when there is no outpost.conf yet */
	struct conf_list ipv4;                      /* the roles: init_roles */
	const char *ipv6, *user, *catalogue, *node; /* NULL: default */
	unsigned pace;                              /* 0: default */
	unsigned dns_port, smtp_port;               /* 0: default */
};

/* Gives n addresses their roles.  One: everything.  Two: the first is the parent's and a front, the second
 * the children's and a front.  Three: the third refuses.  Four: the fourth is silent.  From five on,
 * the rest are fronts, and the first two are name servers only. */
void init_roles(struct site_conf *dst, const struct conf_list *ipv4);

/* Writes DIR/outpost.conf unless it exists, then makes what is missing (prepare.h) and DIR/nftables.conf.
 * *fresh: the configuration was written now.  0, or -1 with one line in err: also when an outpost.conf
 * exists and says something else than the options. */
int init_site(struct prepared *made, bool *fresh, const char *dir, const struct init_options *,
    char *err, size_t errlen);

/* What the parent of BASE must publish: NS, DS and glue as master-file lines with absolute names. */
int init_publish(FILE *, const struct site *);

#endif
