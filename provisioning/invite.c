/* invite.c - see invite.h. */
#include "provisioning/invite.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/html.h"
#include "lib/log.h"

#define BASE64_MAX 1024

/* Who answers knows what follows. */
#define EXTRA_NOTICE                                                                               \
	"After your answer up to three short messages follow, once: they show what your\r\n"       \
	"server looks up when it receives mail, and need no answer.\r\n"

void
invite_domain(char *dst, size_t dstlen, const struct site *site, const char *token)
{
	snprintf(dst, dstlen, "%s." INVITE_DOMAIN ".%s", token, site->conf.base);
}

const struct invite_extra invite_extras[INVITE_EXTRAS] = {
	{ "limit", "in-spf-limit", "", "lim", "how many lookups of SPF your server makes" },
	{ "void", "in-spf-void", "", "void", "how many void lookups of SPF your server makes" },
	{ "tree", "in-dmarc-tree", "a.b.", "tree", "how your server finds a policy of DMARC" },
};

void
invite_extra_domain(char *dst, size_t dstlen, const struct site *site, const char *token,
    const struct invite_extra *x)
{
	snprintf(dst, dstlen, "%s%s.%s." INVITE_DOMAIN ".%s", x->before, token, x->after,
	    site->conf.base);
}

/* --- header fields -------------------------------------------------------------------------------------------- */

/* RFC 5322 3.3, in UTC */
static void
put_date(struct strbuf *b, int64_t now_us)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)(now_us / CLOCK_SECOND);
	struct tm tm;

	gmtime_r(&t, &tm);
	strbuf_printf(b, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
	    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* One address a line: folding between them is what all software reads right. */
static void
put_list(struct strbuf *b, const char *name, const char *first, const struct invitation *v)
{
	strbuf_printf(b, "%s: %s", name, first);
	for (size_t i = 0; i < v->n_rcpt; i++)
		strbuf_printf(b, "%s%s", i > 0 || first[0] != '\0' ? ",\r\n " : "", v->rcpt[i]);
	strbuf_puts(b, "\r\n");
}

/* --- Message-ID: <RANDOM-MAC.NUMBER@DOMAIN> -------------------------------------------------------------------- */

#define UNIQUE_LEN 16
#define MAC_LEN    16

static void
mac_of(char dst[MAC_LEN + 1], const struct site *site, const char *unique, unsigned number,
    const char *domain)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	char said[400];
	int n = snprintf(said, sizeof(said), "message-id %.16s %u %s", unique, number, domain);

	for (char *p = said; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	if (n < 0 || (size_t)n >= sizeof(said) ||
	    HMAC(EVP_sha256(), site->token_key.secret, sizeof site->token_key.secret,
		(const uint8_t *)said, (size_t)n, mac, NULL) == NULL)
		log_fatal(EXIT_CANNOT, "invite: HMAC: check the OpenSSL installation");
	for (unsigned i = 0; i < MAC_LEN / 2; i++)
		snprintf(dst + (size_t)2 * i, 3, "%02x", mac[i]);
}

/* TOKEN.out.BASE, TOKEN.LABEL.out.BASE, LABELS.TOKEN.LABEL.out.BASE */
static bool
token_of(char token[TOKEN_LEN + 1], const struct site *site, const char *domain)
{
	char tail[300];
	size_t len = strlen(domain), n;
	struct token t;

	n = (size_t)snprintf(tail, sizeof(tail), "." INVITE_DOMAIN ".%s", site->conf.base);
	if (len <= n || strcasecmp(domain + len - n, tail) != 0)
		return false;
	len -= n;
	for (unsigned i = 0; i < 2; i++) {
		const char *dot = memrchr(domain, '.', len);
		const char *label = dot != NULL ? dot + 1 : domain;

		if (token_parse(&t, label, len - (size_t)(label - domain), &site->token_key) ==
		    TOKEN_OK) {
			memcpy(token, t.text, TOKEN_LEN + 1);
			return true;
		}
		if (dot == NULL)
			break;
		len = (size_t)(dot - domain);
	}
	return false;
}

bool
invite_msgid_read(const struct site *site, const char *msgid, char token[TOKEN_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";
	char domain[320], mac[MAC_LEN + 1], found[TOKEN_LEN + 1];
	const char *at = strchr(msgid, '@');
	size_t len = at != NULL ? strlen(at + 1) : 0;
	char *end;
	unsigned long number;

	if (msgid[0] != '<' || len < 2 || len > sizeof domain || at[len] != '>' ||
	    strspn(msgid + 1, hex) != UNIQUE_LEN || msgid[1 + UNIQUE_LEN] != '-' ||
	    strspn(msgid + 2 + UNIQUE_LEN, hex) != MAC_LEN ||
	    msgid[2 + UNIQUE_LEN + MAC_LEN] != '.')
		return false;
	number = strtoul(msgid + 3 + UNIQUE_LEN + MAC_LEN, &end, 10);
	if (end != at || number == 0 || number > 9999)
		return false;
	snprintf(domain, sizeof domain, "%.*s", (int)(len - 1), at + 1);
	if (!token_of(found, site, domain))
		return false;
	mac_of(mac, site, msgid + 1, (unsigned)number, domain);
	if (CRYPTO_memcmp(mac, msgid + 2 + UNIQUE_LEN, MAC_LEN) != 0)
		return false;
	memcpy(token, found, sizeof found);
	return true;
}

/* What all of our messages have. */
static void
put_common(struct strbuf *b, char msgid[INVITE_MSGID_SIZE], const struct invitation *v,
    const char *domain, const char *unique)
{
	char mac[MAC_LEN + 1];

	put_date(b, v->now_us);
	mac_of(mac, v->site, unique, v->number, domain);
	snprintf(msgid, INVITE_MSGID_SIZE, "<%s-%s.%u@%s>", unique, mac, v->number, domain);
	strbuf_printf(b, "Message-ID: %s\r\n", msgid);
	strbuf_printf(b, "List-Unsubscribe: <%s>\r\n", v->optout);
	strbuf_puts(b, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
		       "Auto-Submitted: auto-generated\r\n"
		       "X-Auto-Response-Suppress: OOF, AutoReply\r\n"
		       "MIME-Version: 1.0\r\n");
}

static void
put_fields(struct strbuf *b, char msgid[INVITE_MSGID_SIZE], const struct invitation *v,
    const char *domain, const char *boundary)
{
	char to[400];

	strbuf_printf(b, "From: Outpost <invitation@%s>\r\n", domain);
	snprintf(to, sizeof to, "%s", v->address);
	put_list(b, "To", to, v);
	put_list(b, "Reply-To", "", v);
	strbuf_printf(b,
	    "Subject: %sPlease answer all: how does your server send mail? (%u of %u)\r\n",
	    v->reminder ? "Reminder: " : "", v->number, v->of);
	put_common(b, msgid, v, domain, boundary);
	strbuf_printf(b, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n", boundary);
}

/* --- the body ------------------------------------------------------------------------------------------------- */

static void
put_text(struct strbuf *b, const struct invitation *v)
{
	strbuf_printf(b,
	    "Somebody asked %s to look at how the server of\r\n%s\r\n"
	    "sends mail. If that was not you, do nothing: nothing is measured then.\r\n\r\n"
	    "If it was: answer this message with \"Reply All\". Any words will do. Your\r\n"
	    "answer goes to %zu addresses. Each leads to a domain that is set up in one\r\n"
	    "particular way, and some of them must fail: at worst there is a bounce.\r\n",
	    v->site->conf.base, v->address, v->n_rcpt);
	if (v->of > 1)
		strbuf_printf(b,
		    "This is message %u of %u: answer each of them, some minutes apart.\r\n",
		    v->number, v->of);
	if (v->extra)
		strbuf_puts(b, EXTRA_NOTICE);
	strbuf_printf(b,
	    "\r\nWhat is seen, and what it means (this address is for you alone):\r\n%s\r\n\r\n"
	    "What this is, what is recorded, and how long it is kept:\r\n%s\r\n\r\n"
	    "No more mail from here, for ever:\r\n%s\r\n",
	    v->page, v->about, v->optout);
}

static void
put_link(struct strbuf *b, const char *url, const char *text)
{
	strbuf_puts(b, "<p><a href=\"");
	html_text(b, url);
	strbuf_printf(b, "\">%s</a></p>\r\n", text);
}

static void
put_html(struct strbuf *b, const struct invitation *v)
{
	strbuf_puts(b, "<!doctype html>\r\n<html lang=\"en\"><head><meta charset=\"utf-8\">\r\n"
		       "<title>Please answer all</title></head><body>\r\n<p>Somebody asked ");
	html_text(b, v->site->conf.base);
	strbuf_puts(b, " to look at how the server of\r\n");
	html_text(b, v->address);
	strbuf_printf(b,
	    " sends mail.\r\nIf that was not you, do nothing: nothing is measured then.</p>\r\n"
	    "<p>If it was: answer this message with <b>Reply All</b>. Any words will do.\r\n"
	    "Your answer goes to %zu addresses. Each leads to a domain that is set up in one\r\n"
	    "particular way, and some of them must fail: at worst there is a bounce.</p>\r\n",
	    v->n_rcpt);
	if (v->of > 1)
		strbuf_printf(b,
		    "<p>This is message %u of %u: answer each of them, some minutes apart.</p>\r\n",
		    v->number, v->of);
	if (v->extra)
		strbuf_puts(b, "<p>" EXTRA_NOTICE "</p>\r\n");
	put_link(b, v->page, "What is seen, and what it means");
	put_link(b, v->about, "What this is, what is recorded, how long it is kept");
	put_link(b, v->optout, "No more mail from here, for ever");
	strbuf_puts(b, "</body></html>\r\n");
}

static void
put_body(struct strbuf *b, const struct invitation *v, const char *boundary)
{
	strbuf_printf(b, "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", boundary);
	put_text(b, v);
	strbuf_printf(b, "\r\n--%s\r\nContent-Type: text/html; charset=utf-8\r\n\r\n", boundary);
	put_html(b, v);
	strbuf_printf(b, "\r\n--%s--\r\n", boundary);
}

/* --- the signature: RFC 6376 ---------------------------------------------------------------------------------- */

static void
put_base64(struct strbuf *b, const uint8_t *data, size_t len, size_t column)
{
	char text[BASE64_MAX];
	int n = EVP_EncodeBlock((unsigned char *)text, data, (int)len);

	for (int i = 0; i < n; i++, column++) {
		if (column >= 72) {
			strbuf_puts(b, "\r\n\t");
			column = 8;
		}
		strbuf_add(b, text + i, 1);
	}
}

/* 3.4.2: the name in lower case, unfolded, blanks one, none around the colon and at the end. */
static void
relax_field(struct strbuf *dst, const char *field, size_t len)
{
	size_t colon = (size_t)((const char *)memchr(field, ':', len) - field), start;
	bool blank = false;

	for (size_t i = 0; i < colon; i++)
		strbuf_printf(dst, "%c", tolower((unsigned char)field[i]));
	strbuf_puts(dst, ":");
	start = dst->len;
	for (size_t i = colon + 1; i < len; i++) {
		char c = field[i];

		if (c == '\r' || c == '\n')
			continue;
		if (c == ' ' || c == '\t') {
			blank = true;
			continue;
		}
		if (blank && dst->len > start)
			strbuf_puts(dst, " ");
		blank = false;
		strbuf_add(dst, &c, 1);
	}
}

/* 3.4.4; nothing of ours ends in an empty line. */
static void
relax_body(struct strbuf *dst, const char *body)
{
	bool blank = false;

	for (const char *p = body; *p != '\0'; p++) {
		if (*p == ' ' || *p == '\t') {
			blank = true;
			continue;
		}
		if (blank && *p != '\r')
			strbuf_puts(dst, " ");
		blank = false;
		strbuf_add(dst, p, 1);
	}
}

/* Where the field that begins at s ends, its CRLF included. */
static const char *
field_end(const char *s)
{
	const char *end = strstr(s, "\r\n");

	while (end != NULL && (end[2] == ' ' || end[2] == '\t'))
		end = strstr(end + 2, "\r\n");
	return end != NULL ? end + 2 : s + strlen(s);
}

static void
begin_signature(struct strbuf *b, const char *fields, const struct strbuf *body, const char *domain,
    int64_t now_us)
{
	struct strbuf relaxed = { 0 };
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	relax_body(&relaxed, body->s);
	if (EVP_Digest(relaxed.s, relaxed.len, digest, &len, EVP_sha256(), NULL) != 1)
		log_fatal(EXIT_CANNOT, "invite: SHA-256: check the OpenSSL installation");
	strbuf_clear(&relaxed);
	strbuf_printf(b,
	    "DKIM-Signature: v=1; a=rsa-sha256; "
	    "c=relaxed/relaxed;\r\n\td=%s;\r\n\ts=" INVITE_SELECTOR "; t=%lld;\r\n\th=",
	    domain, (long long)(now_us / CLOCK_SECOND));
	for (const char *f = fields; *f != '\0'; f = field_end(f))
		strbuf_printf(b, "%s%.*s", f == fields ? "" : ":\r\n\t", (int)strcspn(f, ":"), f);
	/* once more: a second From or Subject breaks the signature (8.15) */
	strbuf_puts(b, ":\r\n\tFrom:To:Subject;\r\n\tbh=");
	put_base64(b, digest, len, 11);
	strbuf_puts(b, ";\r\n\tb=");
}

static int
sign(struct strbuf *dst, const char *fields, const struct strbuf *body, const char *domain,
    EVP_PKEY *key, int64_t now_us)
{
	struct strbuf said = { 0 }, field = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t mac[BASE64_MAX / 2];
	size_t len = sizeof mac;
	int rc = -1;

	begin_signature(&field, fields, body, domain, now_us);
	for (const char *f = fields; *f != '\0'; f = field_end(f)) {
		relax_field(&said, f, (size_t)(field_end(f) - f));
		strbuf_puts(&said, "\r\n");
	}
	relax_field(&said, field.s, field.len); /* without its CRLF */
	if (ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, mac, &len, (const uint8_t *)said.s, said.len) == 1) {
		put_base64(&field, mac, len, 10);
		strbuf_add(dst, field.s, field.len);
		strbuf_puts(dst, "\r\n");
		rc = 0;
	} else {
		log_warn("invite: the message could not be signed: make keys/dkim.pem anew");
	}
	EVP_MD_CTX_free(ctx);
	strbuf_clear(&said);
	strbuf_clear(&field);
	return rc;
}

static bool
draw(char unique[40])
{
	uint64_t random;

	if (RAND_bytes((unsigned char *)&random, sizeof random) != 1) {
		log_warn("invite: no randomness: check the OpenSSL installation");
		return false;
	}
	snprintf(unique, 40, "%016llx", (unsigned long long)random);
	return true;
}

int
invite_build_extra(struct strbuf *b, char msgid[INVITE_MSGID_SIZE], const struct invitation *v,
    const struct invite_extra *x)
{
	char domain[320], unique[40];

	if (!draw(unique))
		return -1;
	invite_extra_domain(domain, sizeof domain, v->site, v->token, x);
	strbuf_printf(b, "From: Outpost <dsn@%s>\r\nTo: %s\r\n", domain, v->address);
	strbuf_printf(b,
	    "Subject: Nothing to do: this message shows what your server looks up (%s)\r\n",
	    x->what);
	put_common(b, msgid, v, domain, unique);
	strbuf_puts(b, "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	strbuf_printf(b,
	    "You answered a message of\r\n%s.\r\n"
	    "This one belongs to it and needs no answer. It shows\r\n%s.\r\n\r\n"
	    "What is seen, and what it means (this address is for you alone):\r\n%s\r\n\r\n"
	    "What this is, what is recorded, and how long it is kept:\r\n%s\r\n\r\n"
	    "No more mail from here, for ever:\r\n%s\r\n",
	    v->site->conf.base, x->sees, v->page, v->about, v->optout);
	return 0;
}

int
invite_build(
    struct strbuf *dst, char msgid[INVITE_MSGID_SIZE], const struct invitation *v, EVP_PKEY *key)
{
	struct strbuf fields = { 0 }, body = { 0 };
	char domain[320], boundary[40];
	int rc = 0;

	if (!draw(boundary))
		return -1;
	invite_domain(domain, sizeof domain, v->site, v->token);
	put_fields(&fields, msgid, v, domain, boundary);
	put_body(&body, v, boundary);
	if (key != NULL)
		rc = sign(dst, fields.s, &body, domain, key, v->now_us);
	strbuf_add(dst, fields.s, fields.len);
	strbuf_puts(dst, "\r\n");
	strbuf_add(dst, body.s, body.len);
	strbuf_clear(&fields);
	strbuf_clear(&body);
	return rc;
}
