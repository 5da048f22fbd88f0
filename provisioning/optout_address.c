/* optout_address.c - see optout_address.h. */
#include "provisioning/optout_address.h"

#include <ctype.h>
#include <idn2.h>
#include <string.h>

#include "lib/utf8.h"

#define LOCAL_MAX  64 /* RFC 5321 4.5.3.1.1 */
#define DOMAIN_MAX 255

static bool
is_ascii_domain(char *dst, const char *text, size_t len)
{
	size_t label = 0;
	bool dot = false, number = false;

	if (len > 0 && text[len - 1] == '.')
		len--;
	if (len == 0 || len > DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		dst[i] = (char)tolower(c);
		if (c == '.') {
			if (label == 0 || text[i - 1] == '-')
				return false;
			label = 0;
			dot = true;
			continue;
		}
		if ((!isalnum(c) && c != '_' && (c != '-' || label == 0)) || ++label > 63)
			return false;
		number = (label == 1 || number) && isdigit(c);
	}
	dst[len] = '\0';
	/* 127.0.0.1 is no domain, and some mail system may take it for a host */
	return dot && label > 0 && text[len - 1] != '-' && !number;
}

static size_t
dots(const char *s)
{
	size_t n = 0;

	for (; (s = strchr(s, '.')) != NULL; s++)
		n++;
	return n;
}

/* A name has many spellings in Unicode and one in A-labels. */
bool
optout_address_domain(char *dst, const char *text, size_t len)
{
	char whole[DOMAIN_MAX + 2], *ascii = NULL;
	bool plain = true, ok;

	for (size_t i = 0; i < len; i++)
		plain = plain && text[i] != '\0' && (unsigned char)text[i] < 0x80;
	if (plain)
		return is_ascii_domain(dst, text, len);
	if (len >= sizeof whole || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(whole, text, len);
	whole[len] = '\0';
	ok = idn2_to_ascii_8z(whole, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK &&
	     dots(ascii) == dots(whole) && is_ascii_domain(dst, ascii, strlen(ascii));
	idn2_free(ascii);
	return ok;
}

/* atext of RFC 5322 3.2.3 and UTF-8 that can be seen; without '%', '!' and '|': of user%there@here some mail systems make
 * user@there, which may be out, and a name that is a command has come true before. */
static bool
is_atom(const char *s, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		unsigned char c = (unsigned char)s[i];

		n = 1;
		if (c >= 0x80 &&
		    ((n = utf8_length(s + i, len - i)) == 0 || !utf8_is_plain(s + i, n)))
			return false;
		if (c < 0x80 && !isalnum(c) && strchr("#$&'*+-/=?^_`{}~", c) == NULL)
			return false;
	}
	return len > 0;
}

bool
optout_address(char dst[OPTOUT_TEXT_MAX], const char *text, size_t len, const char **domain)
{
	const char *at = memrchr(text, '@', len);
	size_t local = at != NULL ? (size_t)(at - text) : 0;

	if (at == NULL || local > LOCAL_MAX || memchr(text, '\0', len) != NULL)
		return false;
	for (size_t i = 0, n; i <= local; i += n + 1) {
		const char *dot = memchr(text + i, '.', local - i);

		n = dot != NULL ? (size_t)(dot - text) - i : local - i;
		if (!is_atom(text + i, n))
			return false;
	}
	if (!optout_address_domain(dst + local + 1, at + 1, len - local - 1))
		return false;
	for (size_t i = 0; i < local; i++)
		dst[i] = (char)tolower((unsigned char)text[i]);
	dst[local] = '@';
	if (domain != NULL)
		*domain = dst + local + 1;
	return true;
}

size_t
optout_address_mailbox(const char *address)
{
	const char *at = strrchr(address, '@');
	size_t n = strcspn(address, "+@");

	return n > 0 && address + n < at ? n : (size_t)(at - address);
}

/* text: as of optout_address(), or a domain */
