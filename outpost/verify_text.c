/* verify_text.c - see verify_text.h. */
#include "outpost/verify_text.h"

#include <inttypes.h>
#include <string.h>

#include "lib/utf8.h"

struct page {
	struct strbuf *b;
	struct strbuf advice;
};

static const struct json *
at(const struct json *o, const char *key)
{
	return o != NULL ? json_get(o, key) : NULL;
}

static const char *
word(const struct json *o, const char *key)
{
	const char *s = o != NULL ? json_string(o, key) : NULL;

	return s != NULL ? s : "";
}

static bool
flag(const struct json *o, const char *key)
{
	const struct json *v = at(o, key);

	return v != NULL && v->boolean;
}

static int64_t
num(const struct json *o, const char *key)
{
	return o != NULL ? json_int(o, key, 0) : 0;
}

static bool
is(const struct json *o, const char *key, const char *value)
{
	return strcmp(word(o, key), value) == 0;
}

/* What a sender wrote must not move the reader's cursor: UTF-8 without control characters stays. */
static void
safe(struct strbuf *b, const char *s)
{
	for (size_t n, left = strlen(s); left > 0; s += n, left -= n) {
		unsigned char c = (unsigned char)*s;
		bool control = c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)s[1] < 0xa0);

		if ((n = utf8_length(s, left)) > 0 && !control) {
			strbuf_add(b, s, n);
			continue;
		}
		n = 1;
		strbuf_printf(b, "\\x%02x", c);
	}
}

/* "NAME        a" and then b and c, where they are not empty: b behind ": ". */
static void
line(struct page *p, const char *name, const char *result, const char *why)
{
	strbuf_printf(p->b, "%-12s", name);
	safe(p->b, result);
	if (why[0] != '\0') {
		strbuf_puts(p->b, ": ");
		safe(p->b, why);
	}
	strbuf_puts(p->b, "\n");
}

static void
advise(struct page *p, const char *text)
{
	if (p->advice.s == NULL || strstr(p->advice.s, text) == NULL)
		strbuf_printf(&p->advice, "  - %s\n", text);
}

/* --- one function for one judge ---------------------------------------------------------------------------- */

static void
print_message(struct page *p, const struct json *r)
{
	const struct json *m = at(r, "message"), *a = at(r, "author");
	struct strbuf b = { 0 };

	strbuf_printf(
	    &b, "%" PRId64 " octets, %" PRId64 " fields", num(m, "size"), num(m, "fields"));
	line(p, "message", b.s, word(m, "wrong"));
	strbuf_reset(&b);
	strbuf_printf(&b, "%s, EHLO %s, reverse-path <%s>", word(r, "client"),
	    word(r, "helo")[0] != '\0' ? word(r, "helo") : "(none)", word(r, "from"));
	line(p, "client", b.s, "");
	strbuf_clear(&b);
	if (word(a, "why")[0] == '\0') {
		line(p, "author", word(a, "domain"), word(a, "address"));
	} else {
		line(p, "author", "none", word(a, "why"));
		advise(p, "write exactly one From field with an address that RFC 5322 3.4 allows");
	}
	if (flag(m, "bare_lf") || flag(m, "bare_cr"))
		advise(p,
		    "end lines with CR LF: a bare CR or LF is changed or refused on the way, and "
		    "breaks signatures");
}

static void
print_trace(struct page *p, const struct json *s)
{
	const struct json *trace = at(s, "trace");

	for (const struct json *t = trace != NULL ? trace->child : NULL; t != NULL; t = t->next) {
		strbuf_printf(
		    p->b, "  %*s", (int)(2 * (num(t, "depth") < 10 ? num(t, "depth") : 10)), "");
		if (word(t, "record")[0] != '\0') {
			safe(p->b, word(t, "domain"));
			strbuf_puts(p->b, ": ");
			safe(p->b, word(t, "record"));
		} else {
			strbuf_puts(p->b, "  ");
			safe(p->b, word(t, "term"));
		}
		strbuf_printf(p->b, "  -> %s", word(t, "result"));
		if (word(t, "found")[0] != '\0') {
			strbuf_puts(p->b, " (");
			safe(p->b, word(t, "found"));
			strbuf_puts(p->b, ")");
		}
		strbuf_puts(p->b, "\n");
	}
}

static void
print_spf(struct page *p, const char *name, const struct json *s)
{
	struct strbuf b = { 0 };

	strbuf_printf(&b, "%s of %s", word(s, "result"),
	    word(s, "domain")[0] != '\0' ? word(s, "domain") : "nobody");
	line(p, name, b.s, word(s, "reason"));
	strbuf_clear(&b);
	if (word(s, "explanation")[0] != '\0')
		line(p, "", "the domain explains", word(s, "explanation"));
	if (num(s, "lookups") > 0) {
		strbuf_printf(p->b, "%-12s%" PRId64 " of 10 lookups, %" PRId64 " of 2 in vain\n",
		    "", num(s, "lookups"), num(s, "voids"));
	}
	print_trace(p, s);
}

static void
advise_spf(struct page *p, const struct json *s)
{
	static const struct {
		const char *result, *text;
	} rows[] = {
		{ "none", "publish an SPF record at the domain of the reverse-path" },
		{ "fail",
		    "add the client's address to the SPF record, or send from one that is in it "
		    "(mind IPv4 and IPv6)" },
		{ "softfail",
		    "add the client's address to the SPF record, or send from one that is in it "
		    "(mind IPv4 and IPv6)" },
		{ "permerror",
		    "mend the SPF record: receivers that follow RFC 7208 ignore it, or refuse "
		    "the mail" },
		{ "temperror", "look at the name servers of the SPF record's domains: they did not "
			       "answer, or DNSSEC is broken" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (is(s, "result", rows[i].result))
			advise(p, rows[i].text);
}

static void
advise_signature(struct page *p, const struct json *s)
{
	const struct json *key = at(s, "key");

	if (flag(s, "sha1"))
		advise(p, "sign with rsa-sha256 or ed25519-sha256: RFC 8301 forbids rsa-sha1");
	if (is(key, "strength", "short") || is(key, "strength", "forbidden"))
		advise(p, "use a DKIM key of 2048 bits (RFC 8301 3.2)");
	if (is(key, "state", "none") || is(key, "state", "broken") || is(key, "state", "revoked"))
		advise(p, "publish the DKIM key at SELECTOR._domainkey.DOMAIN, one TXT record");
	if (is(key, "dnssec", "bogus"))
		advise(p, "mend DNSSEC of the DKIM key's domain");
	if (at(s, "body_limit") != NULL)
		advise(p, "sign without l=: whoever forwards the mail can add to it");
	if (flag(s, "expired"))
		advise(p,
		    "let signatures live longer than a message may wait (x=), some days at least");
}

static void
print_signature(struct page *p, const struct json *s)
{
	const struct json *key = at(s, "key");
	struct strbuf b = { 0 };

	strbuf_printf(&b, "  %s", word(s, "result"));
	strbuf_printf(
	    &b, " d=%s s=%s %s", word(s, "domain"), word(s, "selector"), word(s, "algorithm"));
	if (num(key, "bits") > 0)
		strbuf_printf(&b, ", %" PRId64 " bits", num(key, "bits"));
	if (word(s, "canon_header")[0] != '\0')
		strbuf_printf(&b, ", %s/%s", word(s, "canon_header"), word(s, "canon_body"));
	if (is(key, "dnssec", "secure"))
		strbuf_puts(&b, ", key validated");
	if (word(s, "aligned")[0] != '\0')
		strbuf_printf(&b, ", aligned: %s", word(s, "aligned"));
	if (!is(s, "aligned_tree", word(s, "aligned")))
		strbuf_printf(&b, " (by the tree: %s)", word(s, "aligned_tree"));
	line(p, "", b.s, word(s, "reason"));
	if (word(s, "opendkim")[0] != '\0')
		line(p, "", "    libopendkim says otherwise", word(s, "opendkim"));
	strbuf_clear(&b);
	advise_signature(p, s);
}

static void
print_dkim(struct page *p, const struct json *d)
{
	const struct json *list = at(d, "signature");

	line(p, "DKIM", word(d, "result"), is(d, "result", "none") ? "" : word(d, "reason"));
	for (const struct json *s = list != NULL ? list->child : NULL; s != NULL; s = s->next)
		print_signature(p, s);
	if (is(d, "result", "none"))
		advise(p, "sign with DKIM: a signature outlives forwarding, SPF does not");
	else if (is(d, "result", "fail"))
		advise(p, "sign as the last step before the mail leaves: something changed it "
			  "afterwards, "
			  "or the key published is another");
}

static void
print_arc(struct page *p, const struct json *a)
{
	struct strbuf b = { 0 };

	strbuf_puts(&b, word(a, "result"));
	if (num(a, "sets") > 0)
		strbuf_printf(&b, ", %" PRId64 " sets", num(a, "sets"));
	line(p, "ARC", b.s, word(a, "reason"));
	strbuf_clear(&b);
}

static void
print_faults(struct page *p, const struct json *record)
{
	const struct json *list = at(record, "fault");

	if (record != NULL)
		line(p, "", "record", word(record, "text"));
	for (const struct json *f = list != NULL ? list->child : NULL; f != NULL; f = f->next)
		line(p, "", flag(f, "grave") ? "fault" : "remark", word(f, "text"));
	if (num(record, "faults") > 0)
		advise(p, "mend what is said of the DMARC record");
}

static void
print_consent(struct page *p, const struct json *record, const char *tag)
{
	const struct json *list = at(record, tag);

	for (const struct json *u = list != NULL ? list->child : NULL; u != NULL; u = u->next) {
		if (!is(u, "consent", "no"))
			continue;
		line(p, "", "no reports go to", word(u, "uri"));
		advise(p, "the domain that takes the reports must agree: "
			  "DOMAIN._report._dmarc.THEIRS TXT "
			  "\"v=DMARC1\" (RFC 7489 7.1)");
	}
}

static void
print_dmarc(struct page *p, const struct json *d)
{
	const struct json *list = at(d, "rfc7489"), *tree = at(d, "rfc9989");
	const struct json *record = at(list, "record") != NULL ? at(list, "record")
							       : at(tree, "record");
	struct strbuf b = { 0 };

	strbuf_puts(&b, word(d, "result"));
	if (word(list, "policy")[0] != '\0')
		strbuf_printf(&b, ", policy %s (%s of %s)", word(list, "policy"), word(list, "tag"),
		    word(list, "at"));
	line(p, "DMARC", b.s, word(list, "reason"));
	if (word(d, "difference")[0] != '\0')
		line(p, "", "receivers differ", word(d, "difference"));
	strbuf_clear(&b);
	print_faults(p, record);
	print_consent(p, record, "rua");
	print_consent(p, record, "ruf");
	if (is(d, "result", "none") && word(list, "at")[0] == '\0')
		advise(p, "publish a DMARC record: _dmarc.DOMAIN TXT \"v=DMARC1; p=none; "
			  "rua=mailto:...\"");
	else if (is(d, "result", "fail"))
		advise(p,
		    "let SPF or DKIM pass for the domain of the From field, or one of the same "
		    "organisation");
}

static void
print_host(struct page *p, const struct json *r)
{
	const struct json *f = at(r, "fcrdns"), *h = at(r, "ehlo"), *names = at(f, "name");
	struct strbuf b = { 0 };

	for (const struct json *n = names != NULL ? names->child : NULL; n != NULL; n = n->next)
		strbuf_printf(&b, "%s%s%s", b.len > 0 ? ", " : "", word(n, "name"),
		    flag(n, "confirmed") ? "" : " (not confirmed)");
	line(p, "FCrDNS", word(f, "result"),
	    word(f, "reason")[0] != '\0' ? word(f, "reason")
	    : b.s != NULL                ? b.s
					 : "");
	strbuf_clear(&b);
	line(p, "EHLO", word(h, "form"),
	    word(h, "reason")[0] != '\0'   ? word(h, "reason")
	    : flag(h, "reverse_confirmed") ? "it is the client's, and its address's name"
	    : flag(h, "matches")           ? "it is the client's"
					   : "");
	if (is(f, "result", "none") || is(f, "result", "fail"))
		advise(p, "give the client's address a PTR record, and that name an address record "
			  "of it");
	if (word(h, "reason")[0] != '\0')
		advise(
		    p, "say in EHLO the full name of the host, one that resolves to its address");
}

static void
print_received(struct page *p, const struct json *r)
{
	const struct json *d = at(r, "received");
	struct strbuf b = { 0 };

	strbuf_printf(&b, "%" PRId64 " fields", num(d, "hops"));
	if (at(d, "span") != NULL)
		strbuf_printf(&b, ", %" PRId64 " s on the way", num(d, "span"));
	if (num(d, "wrong") > 0)
		strbuf_printf(&b, ", %" PRId64 " not as RFC 5321 4.4 has them", num(d, "wrong"));
	if (num(d, "backwards") > 0)
		strbuf_printf(&b,
		    ", time goes backwards %" PRId64 " times, by %" PRId64 " s at most",
		    num(d, "backwards"), num(d, "backwards_most"));
	line(p, "Received", b.s, "");
	if (num(d, "backwards_most") > 60)
		advise(p, "set the clocks of the hosts on the way (NTP)");
	strbuf_clear(&b);
}

static void
print_lookups(struct page *p, const struct json *r)
{
	const struct json *l = at(r, "lookups");

	strbuf_printf(p->b,
	    "%-12s%" PRId64 " asked, %" PRId64 " validated, %" PRId64 " without answer, %" PRId64
	    " bogus\n",
	    "DNS", num(l, "asked"), num(l, "secure"), num(l, "failed"), num(l, "bogus"));
}

void
verify_text(struct strbuf *dst, const struct json *r)
{
	struct page p = { .b = dst };
	const struct json *spf = at(r, "spf");

	print_message(&p, r);
	print_spf(&p, "SPF", at(spf, "mailfrom"));
	advise_spf(&p, at(spf, "mailfrom"));
	print_spf(&p, "SPF, EHLO", at(spf, "helo"));
	print_dkim(&p, at(r, "dkim"));
	print_arc(&p, at(r, "arc"));
	print_dmarc(&p, at(r, "dmarc"));
	print_host(&p, r);
	print_received(&p, r);
	print_lookups(&p, r);
	if (p.advice.len > 0)
		strbuf_printf(dst, "\nWhat to do:\n%s", p.advice.s);
	strbuf_clear(&p.advice);
}

const char *
verify_text_result(const struct json *r, const char *judge)
{
	if (strcmp(judge, "spf") == 0)
		return word(at(at(r, "spf"), "mailfrom"), "result");
	if (strcmp(judge, "dkim") != 0 && strcmp(judge, "arc") != 0 &&
	    strcmp(judge, "dmarc") != 0 && strcmp(judge, "fcrdns") != 0)
		return NULL;
	return word(at(r, judge), "result");
}
