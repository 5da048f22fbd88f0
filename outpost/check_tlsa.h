/* check_tlsa.h - does a TLSA record match a chain of certificates (RFC 6698 2.1, RFC 7671 5), and does the
 * test's file mean it to?  Pure but for reading the chain. */
#ifndef OUTPOST_CHECK_TLSA_H
#define OUTPOST_CHECK_TLSA_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

/* rdata: "USAGE SELECTOR TYPE HEX", rendered.  Names and dates are not looked at.  Usages 1 and 3 speak
 * of the first certificate, 0 and 2 of any after it; what no RFC defines matches nothing. */
bool tlsa_matches(const char *rdata, const STACK_OF(X509) * chain);

/* What the file wants of a record, by its placeholder: "3 1 1 {spki:0}" must match what host 0 shows,
 * "3 1 1 {spki-wrong:0}", data that stands there as digits, and parameters that no RFC defines must not. */
enum tlsa_wanted { TLSA_MATCH, TLSA_MISMATCH, TLSA_OTHER_HOST };
enum tlsa_wanted tlsa_wanted(const char *rdata, unsigned host);

/* All certificates of a PEM file.  NULL: "PATH: why" in err. */
STACK_OF(X509) * tlsa_chain_load(const char *path, char *err, size_t errlen);

#endif
