/* offer.h - what a ClientHello offers: the things of the test language (enum hello_thing in
 * zones/predicate.h) in the lists of a tls.hello event, and their names.  Pure.
 *
 * hybrid: X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024 (draft-ietf-tls-ecdhe-mlkem), which only
 * TLS 1.3 can use; draft-hybrid: X25519Kyber768Draft00 and its like.  old: a version below TLS 1.2; a
 * client without supported_versions names only its highest.  forbidden: suites without encryption, with
 * RC4 or with less than 112 bits (RFC 9325 4.1, RFC 7465 2); weak: with 3DES (RFC 9325 4.1: SHOULD NOT) or
 * without authentication; static: RSA key transport and fixed Diffie-Hellman keys; modern: AEAD with
 * ephemeral elliptic curves, and the suites of TLS 1.3.  Numbers that are not known are none of these. */
#ifndef RESULTS_OFFER_H
#define RESULTS_OFFER_H

#include "lib/strbuf.h"
#include "results/correlate.h"

bool offer_has(const struct observation *hello, enum hello_thing);

/* Does the ClientHello of this attempt speak for the sender?  Addresses are public, and whoever connects
 * can say hello: it counts if its session delivered a message of these facts, or if another session of the
 * same address did (who fails to agree with us may go on in clear). */
bool offer_counts(const struct facts *, const struct attempt *);

/* What offers the thing in all ClientHellos that count: "X over IPv4, nothing over IPv6"; of HELLO_ANY
 * the versions. */
void offer_names(struct strbuf *, const struct facts *, enum hello_thing);

/* One number of a list; buf for those that have no name here.  Never NULL. */
const char *offer_version(unsigned number, char buf[16]);
const char *offer_group(unsigned number, char buf[16]);
const char *offer_cipher(unsigned number, char buf[16]);

#endif
