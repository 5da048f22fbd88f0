/* render.h - expands the placeholders of a test's templates for one token.
 *
 *   {t} the token          {d} = {t}.{zone}       {zone} = TEST.BASE       {base}
 *   {mxK} = {t}.mxK.{zone} {d:b} {mxK:b} {zone:b} the same in the test's second zone (TEST-b.BASE)
 *   {ipv4:K} {ipv4-refused} {ipv4-silent} {ipv6:K} {ipv6-refused:K} {ipv6-silent:K}
 *   {policy4} {policy6} addresses of the HTTPS host
 *   {ns4} {ns6} addresses of the zone's name server
 *   {mail4} where SMTP does the ordinary thing: see front_ordinary4
 *   {spki:K} {spki-wrong:K} {spki512:K} {spki512-wrong:K} {cert:K}           hex digests
 *   {ca-spki} {other-ca-spki}
 *   {dkim:0} {dkim:1} the halves of the public key that signs what we write, base64
 *   {spf} terms of SPF that name the hosts which send it
 * "%{" begins a macro of SPF and stays as it is.
 * Names come out absolute, with the final dot. */
#ifndef PROVISIONING_RENDER_H
#define PROVISIONING_RENDER_H

#include "provisioning/site.h"

enum render_result { RENDER_OK, RENDER_NO_ADDRESS /* leave this record out */, RENDER_ERROR };

/* text (len unlimited) into dst.  err is set on RENDER_ERROR. */
enum render_result render(char *dst, size_t dstlen, const char *text, const struct site *,
    const struct test *, unsigned zone, const struct token *, char *err, size_t errlen);

/* The mail domain of a token in a test, no final dot: "TOKEN.TEST.BASE". */
void render_domain(
    char *dst, size_t dstlen, const struct site *, const struct test *, const struct token *);

/* What a name is: finds test, zone, token and host in a DNS name (text, no final dot, any case).
 * Used for SNI and RCPT domains; authdns has its own on wire names.
 * false: not below BASE or no such test; token.id 0: no valid token in it. */
struct name_parts {
	const struct test *test;
	unsigned zone;
	struct token token;
	int host; /* mxK, or -1 */
};
bool name_split(struct name_parts *dst, const char *name, size_t len, const struct site *);

#endif
