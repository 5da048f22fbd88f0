/* path.h - the arguments of MAIL and RCPT: reverse-path and forward-path (RFC 5321 4.1.2, with
 * UTF-8 as RFC 6531 3.3 allows) and the ESMTP parameters after them (RFC 5321 4.1.2 "Mail-parameters").
 * Pure: no I/O, no heap; results point into the text that was given. */
#ifndef SMTPD_PATH_H
#define SMTPD_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATH_LOCAL_MAX                                                                             \
	255 /* RFC 5321 4.5.3.1: 64 at least, more if it can be: VERP and SRS need it */
#define PATH_DOMAIN_MAX 255 /* 4.5.3.1.2 */

struct path {
	const char *text; /* between the angle brackets, source route removed */
	size_t len;
	const char *local; /* quotes kept if it is a quoted string */
	size_t local_len;
	const char *domain; /* empty for <> and <postmaster>; "[...]" for a literal */
	size_t domain_len;
	bool utf8; /* an octet over 127 in it */
};
/* Reads "<...>" at the start of text; *used is set to what was read.  0, or -1: no path. */
int path_parse(struct path *dst, size_t *used, const char *text, size_t len);

enum param_bits {
	PARAM_SIZE = 1,     /* RFC 1870 */
	PARAM_BODY = 2,     /* RFC 6152 */
	PARAM_SMTPUTF8 = 4, /* RFC 6531 */
	PARAM_RET = 8,      /* RFC 3461 */
	PARAM_ENVID = 16,
	PARAM_NOTIFY = 32,
	PARAM_ORCPT = 64,
	PARAM_REQUIRETLS = 128, /* RFC 8689 */
	PARAM_BINARY = 256,     /* RFC 3030: the value BINARYMIME of BODY; not in seen */
};
struct params {
	unsigned seen; /* bits of enum param_bits */
	uint64_t size;
	bool eightbit; /* BODY=8BITMIME */
	bool binary;   /* BODY=BINARYMIME */
};
enum params_err { PARAMS_OK, PARAMS_SYNTAX, PARAMS_UNKNOWN };
/* text is what follows the path.  allowed: bits that the command and the EHLO reply permit; a
 * keyword that is not in it is unknown. */
enum params_err params_parse(struct params *dst, const char *text, size_t len, unsigned allowed);

#endif
