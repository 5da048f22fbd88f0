/* records.h - rdata for tests of what reads the book of answers.  The caller frees with strbuf_clear. */
#ifndef TESTS_VERIFY_RECORDS_H
#define TESTS_VERIFY_RECORDS_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* A zone as a table that ends in an owner of NULL.  text is as put_rdata takes it; for TYPE_FAILS the
 * words of a failure of every lookup there. */
#define TYPE_FAILS 0
struct record {
	const char *owner;
	uint16_t type;
	const char *text;
	bool secure;
};

static inline void
zone_answer(const struct record *zone, struct lookups *book, const struct lookup *l)
{
	struct strbuf data[40] = { 0 };
	struct lookup_rdata rdata[40] = { { NULL, 0 } };
	enum lookup_status status = LOOKUP_NXDOMAIN;
	const char *why = "";
	bool secure = false;
	size_t n = 0;

	for (const struct record *r = zone; r->owner != NULL && n < 40; r++) {
		if (strcasecmp(r->owner, l->name) != 0)
			continue;
		if (status == LOOKUP_NXDOMAIN)
			status = LOOKUP_NODATA;
		if (n == 0 || r->type == l->type)
			secure = r->secure;
		if (r->type == TYPE_FAILS) {
			status = LOOKUP_FAILED;
			why = r->text;
		} else if (r->type == l->type) {
			status = LOOKUP_OK;
			put_rdata(&data[n], r->type, r->text);
			rdata[n].data = (const uint8_t *)data[n].s;
			rdata[n].len = (uint16_t)data[n].len;
			n++;
		}
	}
	if (status == LOOKUP_FAILED && strncmp(why, "bogus", 5) == 0)
		status = LOOKUP_BOGUS;
	lookup_put(book, l->name, l->type, status, secure, why, rdata, n);
	for (size_t i = 0; i < n; i++)
		strbuf_clear(&data[i]);
}

/* Answers all that is asked; how many questions these were. */
static inline unsigned
zone_answer_all(const struct record *zone, struct lookups *book)
{
	const struct lookup *l;
	unsigned n = 0;
	size_t iter = 0;

	for (; (l = lookup_wanted(book, &iter)) != NULL; n++)
		zone_answer(zone, book, l);
	return n;
}

#endif
