/* key.h - the key under which a site's tokens are valid, for loads that make tokens. */
#ifndef TESTS_BENCH_KEY_H
#define TESTS_BENCH_KEY_H

#include <err.h>
#include <stdio.h>

#include "provisioning/keys.h"
#include "provisioning/site.h"

/* Ends the program if it cannot be read. */
static inline void
key_load(struct token_key *key, const char *site)
{
	char path[512], why[256];

	snprintf(path, sizeof(path), "%s/keys/%s", site, SITE_SECRET_FILE);
	if (keys_secret_load(key->secret, path, why, sizeof(why)) != 0)
		errx(2, "%s", why);
}

#endif
