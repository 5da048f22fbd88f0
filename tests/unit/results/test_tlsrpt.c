/* Reports as senders make them, and as they must not be: mail, POST, gzip, JSON, schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>

#include "results/mime.h"
#include "results/tlsrpt.h"

#define FULL                                                                                       \
	"{\"organization-name\":\"Company-X\","                                                    \
	"\"date-range\":{\"start-datetime\":\"2016-04-01T00:00:00Z\","                             \
	"\"end-datetime\":\"2016-04-01T23:59:59+00:00\"},"                                         \
	"\"contact-info\":\"sts-reporting@company-x.example\",\"report-id\":\"5065427c\","         \
	"\"policies\":[{\"policy\":{\"policy-type\":\"sts\",\"policy-string\":"                    \
	"[\"version: STSv1\",\"mode: testing\"],\"policy-domain\":\"company-y.example\","          \
	"\"mx-host\":[\"*.mail.company-y.example\"]},"                                             \
	"\"summary\":{\"total-successful-session-count\":5326,"                                    \
	"\"total-failure-session-count\":303},\"failure-details\":["                               \
	"{\"result-type\":\"certificate-expired\",\"sending-mta-ip\":\"2001:db8::1\","             \
	"\"receiving-mx-hostname\":\"mx1.mail.company-y.example\",\"failed-session-count\":100},"  \
	"{\"result-type\":\"starttls-not-supported\",\"sending-mta-ip\":\"192.0.2.1\","            \
	"\"receiving-mx-hostname\":\"mx2.mail.company-y.example\",\"receiving-ip\":\"203.0.113."   \
	"2\","                                                                                     \
	"\"failed-session-count\":203,\"additional-information\":\"https://x.example/\"}]}]}"

static char err[256];

static struct strbuf
packed(const char *s, size_t len)
{
	struct strbuf b = { 0 };
	size_t room = compressBound(len) + 64;
	unsigned char *out = xmalloc(room), *in = xmalloc(len + 1);
	z_stream z = { .next_in = in, .avail_in = (uInt)len, .next_out = out };

	memcpy(in, s, len);
	z.avail_out = (uInt)room;
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	strbuf_add(&b, out, z.total_out);
	deflateEnd(&z);
	free(out);
	free(in);
	return b;
}

static struct tlsrpt *
post(const char *type, const char *data, size_t len)
{
	struct tlsrpt_raw raw = { .type = type, .encoding = "", .data = data, .len = len };

	*err = '\0';
	return tlsrpt_read(&raw, err, sizeof err);
}

static bool
objects(const struct tlsrpt *r, const char *to)
{
	for (unsigned i = 0; i < r->n_problems; i++) {
		if (strstr(r->problem[i], to) != NULL)
			return true;
	}
	return false;
}

/* The example of RFC 8460, appendix B. */
static void
test_example(void **state)
{
	struct tlsrpt *r = post("application/tlsrpt+json", FULL, strlen(FULL));

	(void)state;
	if (r == NULL)
		fail_msg("%s", err);
	assert_int_equal(r->n_problems, 0);
	assert_string_equal(r->organization, "Company-X");
	assert_int_equal(r->end - r->start, INT64_C(86399000000));
	assert_int_equal(r->n, 1);
	assert_int_equal(r->policy[0].type, TLSRPT_STS);
	assert_int_equal(r->policy[0].successes, 5326);
	assert_int_equal(r->policy[0].n, 2);
	assert_int_equal(r->policy[0].failure[0].class, TLSRPT_CERTIFICATE_EXPIRED);
	assert_string_equal(r->policy[0].failure[1].mx, "mx2.mail.company-y.example");
	assert_int_equal(r->policy[0].failure[1].count, 203);
	tlsrpt_free(r);
}

static void
test_gzip(void **state)
{
	struct strbuf z = packed(FULL, strlen(FULL));
	struct tlsrpt *r = post("application/tlsrpt+gzip", z.s, z.len);

	(void)state;
	assert_non_null(r);
	assert_int_equal(r->n_problems, 0);
	tlsrpt_free(r);
	r = post("application/tlsrpt+json", z.s, z.len);
	assert_non_null(r);
	assert_true(objects(r, "media type says other"));
	tlsrpt_free(r);
	r = post("text/html", z.s, z.len);
	assert_non_null(r);
	assert_true(objects(r, "6.4"));
	tlsrpt_free(r);
	for (size_t n = 0; n < z.len; n++)
		assert_null(post("application/tlsrpt+gzip", z.s, n));
	assert_non_null(strstr(err, "too early"));
	z.s[z.len - 5] ^= 1; /* the checksum */
	assert_null(post("application/tlsrpt+gzip", z.s, z.len));
	strbuf_clear(&z);
}

/* A bomb is refused before it has its size. */
static void
test_bomb(void **state)
{
	size_t len = 64u << 20;
	char *blanks = xcalloc(1, len);
	struct strbuf z, out = { 0 };

	(void)state;
	memset(blanks, ' ', len);
	z = packed(blanks, len);
	assert_true(z.len < 80000);
	assert_int_equal(tlsrpt_gunzip(&out, z.s, z.len, err, sizeof err), -1);
	assert_true(out.len <= TLSRPT_TEXT_MAX);
	strbuf_clear(&z);
	strbuf_reset(&out);
	z = packed(blanks, 1u << 20); /* below the size, beyond the ratio */
	assert_int_equal(tlsrpt_gunzip(&out, z.s, z.len, err, sizeof err), -1);
	assert_non_null(strstr(err, "times larger"));
	assert_true(out.len < 600000);
	strbuf_clear(&z);
	strbuf_clear(&out);
	free(blanks);
}

/* 100,000 lines: of failures (only the first are looked at), and of nothing. */
static void
test_long(void **state)
{
	struct strbuf b = { 0 };
	struct tlsrpt *r;

	(void)state;
	strbuf_puts(&b, "{\"policies\":[{\"policy\":{},\"failure-details\":[");
	for (int i = 0; i < 100000; i++)
		strbuf_puts(&b, i == 0 ? "\n{}" : ",\n{}");
	strbuf_puts(&b, "]}]}");
	r = post("application/tlsrpt+json", b.s, b.len);
	assert_non_null(r);
	assert_int_equal(r->policy[0].n, TLSRPT_FAILURES_MAX);
	assert_true(objects(r, "more failures than"));
	tlsrpt_free(r);
	strbuf_reset(&b);
	for (int i = 0; i < 100000; i++)
		strbuf_puts(&b, "[\n");
	assert_null(post("application/tlsrpt+json", b.s, b.len));
	strbuf_reset(&b);
	while (b.len <= TLSRPT_TEXT_MAX)
		strbuf_puts(&b, "                        \n");
	assert_null(post("application/tlsrpt+json", b.s, b.len));
	assert_non_null(strstr(err, "larger than"));
	strbuf_clear(&b);
}

static void
test_schema(void **state)
{
	static const char *const none[] = { "", "{", "[]", "7", "{}", "{\"policies\":{}}",
		"{\"policies\":[]}", "{\"policies\":[7]", "\xff", "{\"policies\":null}" };
	static const char odd[] =
	    "{\"date-range\":{\"start-datetime\":\"yesterday\",\"end-datetime\":7},\"policies\":["
	    "7,{\"policy\":{\"policy-type\":\"x\"},\"summary\":{"
	    "\"total-successful-session-count\":-1,\"total-failure-session-count\":\"12\"},"
	    "\"failure-details\":[7,{\"result-type\":\"nope\",\"failed-session-count\":1e300}]}]}";
	static const char shifted[] =
	    "{\"date-range\":{\"start-datetime\":\"2026-01-01T01:30:00+01:30\","
	    "\"end-datetime\":\"2025-12-31T19:00:00-05:00\"},\"policies\":[{}]}";
	struct tlsrpt *r;

	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		assert_null(post("application/tlsrpt+json", none[i], strlen(none[i])));
		assert_true(*err != '\0');
	}
	r = post("application/tlsrpt+json", odd, strlen(odd));
	assert_non_null(r);
	assert_int_equal(r->n, 1);
	assert_int_equal(r->policy[0].type, TLSRPT_TYPE_MAX);
	assert_int_equal(r->policy[0].successes, -1);
	assert_int_equal(r->policy[0].failures, 12);
	assert_int_equal(r->policy[0].n, 1);
	assert_int_equal(r->policy[0].failure[0].class, TLSRPT_CLASS_MAX);
	assert_int_equal(r->policy[0].failure[0].count, -1);
	assert_int_equal(r->start, 0);
	assert_true(objects(r, "no organization-name"));
	assert_true(objects(r, "no range"));
	assert_true(objects(r, "is a string"));
	assert_true(objects(r, "result-type that"));
	tlsrpt_free(r);
	r = tlsrpt_parse(shifted, strlen(shifted), err, sizeof err);
	if (r == NULL)
		fail_msg("%s", err);
	assert_int_equal(r->start, INT64_C(1767225600000000));
	assert_int_equal(r->end, r->start);
	tlsrpt_free(r);
}

static struct strbuf
mail_of(const char *head, const char *part_head, const char *body)
{
	struct strbuf b = { 0 };

	strbuf_printf(&b,
	    "From: tlsrpt@company-x.example\r\n%s"
	    "MIME-Version: 1.0\r\nContent-Type: multipart/report;\r\n report-type=\"tlsrpt\"; "
	    "boundary=\"=_a b\"\r\n\r\nThis is a MIME message.\r\n--=_a b\r\n"
	    "Content-Type: text/plain\r\n\r\nA report.\r\n--=_a b\r\n%s\r\n%s\r\n--=_a b--\r\n",
	    head, part_head, body);
	return b;
}

static struct tlsrpt *
mailed(const struct strbuf *m)
{
	struct tlsrpt_raw raw = { .mail = true, .type = "", .encoding = "" };

	raw.data = m->s;
	raw.len = m->len;
	*err = '\0';
	return tlsrpt_read(&raw, err, sizeof err);
}

#define SIGNED                                                                                     \
	"DKIM-Signature: v=1; a=rsa-sha256; d=company-x.example; s=x;\r\n\tb=AAAA\r\n"             \
	"TLS-Report-Domain: company-y.example\r\nTLS-Report-Submitter: company-x.example\r\n"
#define PART                                                                                       \
	"Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n"           \
	"Content-Disposition: attachment; filename=\"a!b!1!2!x.json.gz\"\r\n"

static struct strbuf
base64_of(const char *s, size_t len)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct strbuf b = { 0 };

	for (size_t i = 0; i < len; i += 3) {
		unsigned v = (unsigned)(unsigned char)s[i] << 16;
		v |= i + 1 < len ? (unsigned)(unsigned char)s[i + 1] << 8 : 0;
		v |= i + 2 < len ? (unsigned)(unsigned char)s[i + 2] : 0;
		char out[5] = { digits[v >> 18], digits[v >> 12 & 63],
			i + 1 < len ? digits[v >> 6 & 63] : '=', i + 2 < len ? digits[v & 63] : '=',
			'\0' };
		strbuf_puts(&b, out);
		if (i / 3 % 19 == 18)
			strbuf_puts(&b, "\r\n");
	}
	return b;
}

static void
test_mail(void **state)
{
	struct strbuf z = packed(FULL, strlen(FULL)), b64 = base64_of(z.s, z.len), m;
	struct tlsrpt *r;

	(void)state;
	m = mail_of(SIGNED, PART, b64.s);
	r = mailed(&m);
	if (r == NULL)
		fail_msg("%s", err);
	assert_int_equal(r->n_problems, 0);
	assert_string_equal(r->dkim, "company-x.example");
	tlsrpt_free(r);
	for (size_t n = 0; n < m.len; n++) { /* cut anywhere: no report, or the whole one */
		struct strbuf cut = { m.s, n, n };
		tlsrpt_free(mailed(&cut));
	}
	strbuf_clear(&m);
	m = mail_of("",
	    "Content-Type: application/octet-stream; name=x.json.gz\r\n"
	    "Content-Transfer-Encoding: BASE64\r\n",
	    b64.s);
	r = mailed(&m);
	assert_non_null(r);
	assert_true(objects(r, "no DKIM"));
	assert_true(objects(r, "TLS-Report-Submitter"));
	assert_true(objects(r, "6.4"));
	assert_string_equal(r->dkim, "");
	tlsrpt_free(r);
	strbuf_clear(&m);
	m = mail_of(SIGNED, "Content-Type: application/tlsrpt+json\r\n", FULL);
	r = mailed(&m);
	assert_non_null(r);
	assert_int_equal(r->n_problems, 0);
	tlsrpt_free(r);
	strbuf_clear(&m);
	m = mail_of(SIGNED, "Content-Type: text/plain\r\n", FULL);
	assert_null(mailed(&m));
	assert_non_null(strstr(err, "no part"));
	strbuf_clear(&m);
	m = mail_of(SIGNED,
	    "Content-Type: application/tlsrpt+json\r\nContent-Transfer-Encoding: uuencode\r\n",
	    "x");
	assert_null(mailed(&m));
	strbuf_clear(&m);
	strbuf_clear(&z);
	strbuf_clear(&b64);
}

static bool
nothing(const struct mime_part *p)
{
	(void)p;
	return false;
}

static void
test_mime(void **state)
{
	static const char message[] = "A: 1\nContent-Type: TEXT/Html (c) ; x=y; z=\"q\\\"r\"\n"
				      "Folded: one\n\t two \nfolded: three\n\nbody\n";
	static const char printable[] =
	    "Content-Transfer-Encoding: quoted-printable\n\na=3D=\nb =20\nc";
	struct mime_part p;
	struct strbuf b = { 0 };
	char v[64];

	(void)state;
	mime_split(&p, message, sizeof message - 1);
	assert_string_equal(p.type, "text/html");
	assert_int_equal(p.body.len, 5);
	assert_true(mime_field(v, sizeof v, p.head, "FOLDED"));
	assert_string_equal(v, "one two");
	assert_true(mime_field(v, sizeof v, p.head, "content-type"));
	assert_true(mime_parameter(v, sizeof v, "text/html; x=y; z=\"q\\\"r\"", "Z"));
	assert_string_equal(v, "q\"r");
	assert_false(mime_parameter(v, sizeof v, "a/b; xz=1; y", "y"));
	assert_false(mime_field(v, sizeof v, p.head, "body"));
	assert_true(mime_base64(&b, "aGk=\r\n", 6, 10) && b.len == 2 && memcmp(b.s, "hi", 2) == 0);
	assert_false(mime_base64(&b, "aGk!", 4, 10));
	strbuf_reset(&b);
	assert_false(mime_base64(&b, "aGlo", 4, 2));
	strbuf_reset(&b);
	mime_split(&p, printable, sizeof printable - 1);
	assert_true(mime_decode(&b, &p, 100));
	assert_string_equal(b.s, "a=b  \r\nc\r\n");
	strbuf_reset(&b);
	/* Multiparts in multiparts in themselves end. */
	for (int i = 0; i < 200; i++)
		strbuf_puts(&b, "Content-Type: multipart/x; boundary=b\n\n--b\n");
	assert_false(mime_find(&p, b.s, b.len, nothing));
	strbuf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_schema),
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_mime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
