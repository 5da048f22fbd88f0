/* csrf.c - see csrf.h.  "TIME.MAC": seconds in hex, then the first 16 octets of HMAC-SHA-256. */
#include "web/csrf.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"

#define MAC_OCTETS 16
#define SKEW_S     60 /* a clock may have been set back */

static void
mac_text(char dst[2 * MAC_OCTETS + 1], const uint8_t key[32], const char *purpose, int64_t s)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	char said[512];
	int n = snprintf(said, sizeof said, "form %" PRIx64 " %s", (uint64_t)s, purpose);

	if (n < 0 || (size_t)n >= sizeof said ||
	    HMAC(EVP_sha256(), key, 32, (const uint8_t *)said, (size_t)n, mac, NULL) == NULL)
		log_fatal(EXIT_CANNOT, "web: HMAC: check the OpenSSL installation");
	for (unsigned i = 0; i < MAC_OCTETS; i++)
		snprintf(dst + 2 * (size_t)i, 3, "%02x", mac[i]);
}

void
csrf_make(char dst[CSRF_TEXT_MAX], const uint8_t key[32], const char *purpose, int64_t now_us)
{
	char mac[2 * MAC_OCTETS + 1];
	int64_t s = now_us / CLOCK_SECOND;

	mac_text(mac, key, purpose, s);
	snprintf(dst, CSRF_TEXT_MAX, "%" PRIx64 ".%s", (uint64_t)s, mac);
}

bool
csrf_check(const char *text, const uint8_t key[32], const char *purpose, int64_t now_us)
{
	char mac[2 * MAC_OCTETS + 1];
	int64_t now = now_us / CLOCK_SECOND, s = 0;
	const char *p = text;

	for (; *p != '.' && *p != '\0' && p - text < 12; p++) {
		if (*p >= '0' && *p <= '9')
			s = 16 * s + (*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			s = 16 * s + (*p - 'a' + 10);
		else
			return false;
	}
	if (*p != '.' || strlen(p + 1) != 2 * (size_t)MAC_OCTETS || s > now + SKEW_S ||
	    now - s > CSRF_LIFE_S)
		return false;
	mac_text(mac, key, purpose, s);
	return CRYPTO_memcmp(mac, p + 1, 2 * (size_t)MAC_OCTETS) == 0;
}
