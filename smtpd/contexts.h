/* contexts.h - the TLS settings of a site, made at start: a context for each front and for each host of a
 * test, private keys read, and one for HTTPS. */
#ifndef SMTPD_CONTEXTS_H
#define SMTPD_CONTEXTS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "provisioning/site.h"
#include "smtpd/bind.h"

struct contexts;
/* NULL: "what: why" in err. */
struct contexts *contexts_new(const struct site *, char *err, size_t errlen);
void contexts_free(struct contexts *); /* accepts NULL */

/* SMTP: of the host that the session is bound to, else of its front, else any.  NULL: the site has no
 * TLS. */
SSL_CTX *contexts_of_binding(const struct contexts *, const struct binding *);
/* HTTPS: a context without a certificate. */
SSL_CTX *contexts_of_web(const struct contexts *);
/* Puts certificate, chain and key for this name into ssl, if they were issued ahead. */
bool contexts_use_issued(const struct contexts *, SSL *, const char *name);

#endif
