/* Any octets as a token label: accepted only if the codec itself would write them. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "provisioning/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct token_key key = { .secret = { 7 } };
	struct token t = { .id = 1 }, again;
	enum token_err rc = token_parse(&t, (const char *)data, len, &key);

	if (rc == TOKEN_OK) {
		token_from_id(&again, t.id, &key);
		if (len != TOKEN_LEN || t.id == 0 || strcmp(t.text, again.text) != 0)
			abort();
		for (size_t i = 0; i < len; i++)
			if (tolower(data[i]) != t.text[i])
				abort();
	} else if (t.id != 1) {
		abort(); /* written to, though it failed */
	}
	if (len == TOKEN_LEN && rc != TOKEN_FORM) {
		/* Of the right form: the id in it has one genuine token. */
		if (token_decode(&again, (const char *)data)) {
			token_from_id(&t, again.id, &key);
			if (token_parse(&again, t.text, TOKEN_LEN, &key) != TOKEN_OK ||
			    again.id != t.id)
				abort();
		}
	}
	return 0;
}
