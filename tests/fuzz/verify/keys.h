/* keys.h - answers for what asks for keys: those that signed the corpus. */
#ifndef TESTS_FUZZ_VERIFY_KEYS_H
#define TESTS_FUZZ_VERIFY_KEYS_H

#include <stdint.h>
#include <string.h>

#include "lib/strbuf.h"
#include "verify/lookup.h"

static const char rsa_record[] =
    "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAyD/C/Vh/bn"
    "lURDoIvB8krVVbTDx226rwv5Cssq/RoWqAfMQUO++R8E3GOzvK/ol5DMK7zf8xh0NhnhC7Lq"
    "YV7tQ+oOK0GqWxjpIwT70P6wDKGtx5lLI+4t8DfwBhYP6Wmp6g9zSkdF1OY6iksmIQZkH9G3"
    "q1g7kll6v5dW6J34lKLbGkgfZWSHwhDkx4fERYuj5zUu4UqShmdexdiEa2Myuh7W7ksRRRlj"
    "QyaLyPdccB5q1P9rcDBl+4CXJvbMT2bjn14vjoUWH/FObe70hIw04lbNmfdhsO87TZcUbMv7"
    "7nX3BxxVDoFYukpgYtuz+48/M93xZ2qU0CehmjL2JzbQIDAQAB";
static const char ed25519_record[] =
    "v=DKIM1; k=ed25519; p=igK6wOTpQUiVOPXmnpsxaZS3TWU8YyaH0LXWnaBfAMg=";

/* Every name has a key: RSA, Ed25519 if it begins with e, or a failure if it begins with f. */
static inline void
answer_keys(struct lookups *book)
{
	const struct lookup *want;
	size_t iter = 0;

	while ((want = lookup_wanted(book, &iter)) != NULL) {
		const char *text = want->name[0] == 'e' ? ed25519_record : rsa_record;
		struct strbuf b = { 0 };
		struct lookup_rdata rdata;

		for (size_t left = strlen(text), n; left > 0; left -= n, text += n) {
			n = left > 255 ? 255 : left;
			strbuf_add(&b, &(uint8_t){ (uint8_t)n }, 1);
			strbuf_add(&b, text, n);
		}
		rdata = (struct lookup_rdata){ (uint8_t *)b.s, (uint16_t)b.len };
		lookup_put(book, want->name, want->type,
		    want->name[0] == 'f' ? LOOKUP_FAILED : LOOKUP_OK, false, "", &rdata,
		    want->name[0] != 'f');
		strbuf_clear(&b);
	}
}

#endif
