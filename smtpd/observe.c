/* observe.c - see observe.h. */
#include "smtpd/observe.h"

#include <stddef.h>

#define HELLO_HEX_MAX 8192 /* octets of a ClientHello that are shown */

void
observe_hello(
    struct event_line *e, const struct hello *h, const unsigned char *msg, size_t len, bool retry)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * HELLO_HEX_MAX], ja3[33], ja4[37];
	static const struct {
		enum event_key key;
		size_t offset;
		bool decimal;
	} lists[] = {
		{ EK_VERSIONS, offsetof(struct hello, versions), false },
		{ EK_CIPHERS, offsetof(struct hello, ciphers), false },
		{ EK_GROUPS, offsetof(struct hello, groups), false },
		{ EK_SHARES, offsetof(struct hello, shares), false },
		{ EK_SIGALGS, offsetof(struct hello, sigalgs), false },
		{ EK_EXTENSIONS, offsetof(struct hello, extensions), true },
	};

	event_str(e, EK_SNI, h->sni);
	event_str(e, EK_ALPN, h->alpn);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		const struct hello_list *l = (const struct hello_list *)((const char *)h +
									 lists[i].offset);

		(lists[i].decimal ? hello_list_decimal : hello_list_hex)(text, sizeof text, l);
		event_str(e, lists[i].key, text);
	}
	if (!h->malformed && !h->sslv2) {
		hello_ja3(ja3, h);
		hello_ja4(ja4, h);
		event_str(e, EK_JA3, ja3);
		event_str(e, EK_JA4, ja4);
	}
	if (retry)
		event_bool(e, EK_RETRY, true);
	event_str(e, EK_WHAT, h->sslv2 ? "sslv2" : h->malformed ? "malformed" : NULL);
	event_num(e, EK_BYTES, (int64_t)len);
	if (len > HELLO_HEX_MAX)
		len = HELLO_HEX_MAX;
	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[msg[i] >> 4];
		text[2 * i + 1] = digits[msg[i] & 15];
	}
	event_text(e, EK_HEX, text, 2 * len);
}

void
observe_tls_done(struct event_line *e, const struct tls_done *d)
{
	event_str(e, EK_VERSION, d->version);
	event_str(e, EK_CIPHER, d->cipher);
	event_str(e, EK_GROUP, d->group);
	event_str(e, EK_SIGALG, d->sigalg);
	event_str(e, EK_SNI, d->sni);
	event_bool(e, EK_RESUMED, d->resumed);
	event_str(e, EK_CLIENTCERT, d->clientcert);
}

void
observe_alert(struct event_line *e, bool out, unsigned level, const char *name)
{
	event_str(e, EK_DIR, out ? "out" : "in");
	event_num(e, EK_LEVEL, level);
	event_str(e, EK_ALERT, name);
}
