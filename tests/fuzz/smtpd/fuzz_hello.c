/* fuzz_hello.c - any octets as a ClientHello. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "smtpd/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hello h;
	char ja3[33], ja4[37], text[HELLO_LIST_MAX * 6 + 1];

	hello_decode(&h, data, size);
	hello_ja3(ja3, &h);
	hello_ja4(ja4, &h);
	hello_list_hex(text, sizeof text, &h.ciphers);
	hello_list_decimal(text, sizeof text, &h.extensions);
	if (strlen(ja3) != 32 || strlen(ja4) != 36)
		abort();
	return 0;
}
