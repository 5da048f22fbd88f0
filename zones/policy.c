/* policy.c - what deviates in a [policy] of a test file, in words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "zones/test.h"

static void __attribute__((format(printf, 3, 4)))
note(char *dst, size_t dstlen, const char *fmt, ...)
{
	size_t n = strlen(dst);
	va_list ap;

	if (n > 0 && n + 2 < dstlen) {
		memcpy(dst + n, ", ", 3);
		n += 2;
	}
	va_start(ap, fmt);
	vsnprintf(dst + n, dstlen - n, fmt, ap);
	va_end(ap);
}

void
policy_dev(char *dst, size_t dstlen, const struct policy *p)
{
	dst[0] = '\0';
	if (p->status != 200)
		note(dst, dstlen, "status %u", p->status);
	if (p->slow_us > 0 && p->slow_us % 1000000 == 0)
		note(dst, dstlen, "slow %" PRId64 "s", p->slow_us / 1000000);
	else if (p->slow_us > 0)
		note(dst, dstlen, "slow %" PRId64 "ms", p->slow_us / 1000);
	if (p->pad > 0)
		note(dst, dstlen, "pad %" PRIu32, p->pad);
	if (p->type != NULL)
		note(dst, dstlen, "type %s", p->type);
	if (p->omit != NULL)
		note(dst, dstlen, "omit %s", p->omit);
	if (p->extra != NULL)
		note(dst, dstlen, "extra");
	if (p->cert != CERT_PKIX_VALID)
		note(dst, dstlen, "cert %s", cert_kind_name(p->cert));
}
