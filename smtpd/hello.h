/* hello.h - decodes a TLS ClientHello from its raw handshake message (RFC 8446 4.1.2, RFC 5246
 * 7.4.1.2), or notes that it is an SSLv2-format one (RFC 5246 E.2), and makes the fingerprints JA3
 * and JA4 of it.  OpenSSL's own accessors hide extensions that it does not know, hence raw bytes.
 *
 * Every octet is hostile: what is truncated or inconsistent ends the decoding with what was
 * understood so far (malformed is set then).  Pure: no I/O, no heap. */
#ifndef SMTPD_HELLO_H
#define SMTPD_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HELLO_LIST_MAX 256 /* of each list; more are counted, not kept */

struct hello_list {
	unsigned n, total;
	uint16_t v[HELLO_LIST_MAX];
};
struct hello {
	bool sslv2;     /* SSLv2-format */
	bool malformed; /* decoding stopped early */
	uint16_t legacy_version;
	struct hello_list versions; /* supported_versions, else the legacy version */
	struct hello_list ciphers, extensions, groups, formats, sigalgs;
	struct hello_list shares; /* groups with a key share */
	char sni[256];            /* "" if none; octets that no host name has are replaced by ? */
	char alpn[256];           /* comma-separated */
	bool has_versions;
};
/* msg: the handshake message with its 4 octets of header, as OpenSSL's message callback gives it. */
void hello_decode(struct hello *dst, const unsigned char *msg, size_t len);

/* Comma-separated, in order; hex ("1301") or decimal. */
void hello_list_hex(char *dst, size_t dstlen, const struct hello_list *);
void hello_list_decimal(char *dst, size_t dstlen, const struct hello_list *);

/* https://github.com/salesforce/ja3: MD5 of version,ciphers,extensions,groups,formats without GREASE
 * (RFC 8701); 32 hex digits. */
void hello_ja3(char dst[33], const struct hello *);
/* https://github.com/FoxIO-LLC/ja4 (technical details): "t13d1516h2_8daaf6152771_b186095e22b6". */
void hello_ja4(char dst[37], const struct hello *);

#endif
