/* records.h - rdata for tests of what reads the book of answers.  The caller frees with strbuf_clear. */
#ifndef TESTS_VERIFY_RECORDS_H
#define TESTS_VERIFY_RECORDS_H

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "lib/strbuf.h"
#include "verify/lookup.h"

#define TYPE_A     1
#define TYPE_CNAME 5
#define TYPE_PTR   12
#define TYPE_MX    15
#define TYPE_TXT   16
#define TYPE_AAAA  28

/* A name without escapes; a dot at its end is nothing. */
static inline void
put_name(struct strbuf *b, const char *name)
{
	while (*name != '\0') {
		size_t n = strcspn(name, ".");
		uint8_t len = (uint8_t)n;

		if (n > 0) {
			strbuf_add(b, &len, 1);
			strbuf_add(b, name, n);
		}
		name += n + (name[n] == '.');
	}
	strbuf_add(b, "", 1);
}

/* Strings of 255 octets, the last shorter. */
static inline void
put_txt(struct strbuf *b, const char *text, size_t len)
{
	do {
		uint8_t n = len > 255 ? 255 : (uint8_t)len;

		strbuf_add(b, &n, 1);
		strbuf_add(b, text, n);
		text += n;
		len -= n;
	} while (len > 0);
}

/* An address, or "NAME", "PREFERENCE NAME", "TEXT" by type. */
static inline void
put_rdata(struct strbuf *b, uint16_t type, const char *text)
{
	uint8_t address[16];
	uint16_t preference;

	switch (type) {
	case TYPE_A:
	case TYPE_AAAA:
		if (inet_pton(type == TYPE_A ? AF_INET : AF_INET6, text, address) == 1)
			strbuf_add(b, address, type == TYPE_A ? 4 : 16);
		break;
	case TYPE_MX:
		preference = htons((uint16_t)strtoul(text, (char **)&text, 10));
		strbuf_add(b, &preference, 2);
		put_name(b, text + strspn(text, " "));
		break;
	case TYPE_TXT:
		put_txt(b, text, strlen(text));
		break;
	default:
		put_name(b, text);
	}
}

#endif
