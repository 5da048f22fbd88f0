/* Any octets as the name that a client gives in SNI or RCPT. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"
#include "provisioning/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct site *
site(void)
{
	static struct test plain = { .name = "plain", .number = 1 },
			   two = { .name = "two", .number = 2 };
	static struct test *tests[] = { &plain, &two };
	static struct catalogue catalogue = { .tests = tests, .by_name = tests, .n = 2 };
	static struct site *s;

	if (s == NULL) {
		s = xcalloc(1, sizeof(*s));
		two.zone[1].used = true;
		s->catalogue = &catalogue;
		s->has = SITE_SECRET;
		s->token_key.secret[0] = 7;
		snprintf(s->conf.base, sizeof(s->conf.base), "b.example");
	}
	return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct name_parts p;
	/* Exactly as long as it is, so that a sanitizer sees a step beyond. */
	char *name = len > 0 ? malloc(len) : NULL;

	if (len > 0 && name == NULL)
		return 0;
	if (len > 0)
		memcpy(name, data, len);
	if (name_split(&p, len > 0 ? name : "", len, site())) {
		if (p.test == NULL || p.host >= TEST_HOSTS_MAX || p.zone >= TEST_ZONES_MAX)
			abort();
		if (p.token.id != 0) {
			if (len < strlen("b.example") + TOKEN_LEN ||
			    strlen(p.token.text) != TOKEN_LEN)
				abort();
		}
	} else if (p.test != NULL && p.token.id != 0) {
		abort();
	}
	free(name);
	return 0;
}
