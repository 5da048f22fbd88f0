/* web_name.h - the names that the HTTPS server answers for: policy hosts (RFC 8461 3.3) and receivers of TLS
 * reports (RFC 8460 3).  Pure. */
#ifndef SMTPD_WEB_NAME_H
#define SMTPD_WEB_NAME_H

#include "provisioning/site.h"

/* Which host of the test a name is: mta-sts.{d} or tlsrpt.{d}. */
enum web_host { WEB_NONE, WEB_POLICY, WEB_REPORT };
const char *web_host_prefix(enum web_host); /* "mta-sts." */

/* "mta-sts.TOKEN.TEST.BASE": what it names; false: nothing of ours. */
struct web_name {
	enum web_host host;
	const struct test *test;
	unsigned zone;
	struct token token;
};
bool web_name_parse(struct web_name *, const char *name, size_t len, const struct site *);

#endif
