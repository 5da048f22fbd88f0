/* What a ClientHello offers, by its numbers; which of them count; and how it is told. */
#include <stdlib.h>

#include "results/offer.h"
#include "tests/unit/results/fixture.h"

static void
hello(struct observations *obs, double t, const char *test, const char *peer, const char *lists)
{
	event_at(obs, t, "smtp.connect",
	    "\"test\":\"%s\",\"conn\":\"c%d\",\"peer\":\"%s\",\"host\":0", test, (int)t, peer);
	if (lists != NULL)
		event_at(obs, t + 0.1, "tls.hello", "\"test\":\"%s\",\"conn\":\"c%d\",%s", test,
		    (int)t, lists);
}

static void
end(struct observations *obs, double t, const char *test, bool accepted)
{
	if (accepted)
		event_at(obs, t + 0.2, "smtp.message",
		    "\"test\":\"%s\",\"conn\":\"c%d\",\"reply\":250", test, (int)t);
	event_at(obs, t + 0.3, "smtp.close", "\"test\":\"%s\",\"conn\":\"c%d\",\"how\":\"quit\"",
	    test, (int)t);
}

static struct correlation *
facts_of_dual(const struct facts **f, struct observations *obs)
{
	struct correlation *c;

	observations_sort(obs);
	assert_int_equal(obs->corrupt + obs->unknown, 0);
	c = correlate(obs, cat, EVENTS_TOKEN);
	*f = facts(c, "dual");
	return c;
}

static void
things(void **state)
{
	static const struct {
		const char *lists;
		enum hello_thing thing;
		bool has;
	} rows[] = {
		{ "\"versions\":\"0304,0303\"", HELLO_TLS13, true },
		{ "\"versions\":\"0303\"", HELLO_TLS13, false },
		{ "\"versions\":\"0303\"", HELLO_TLS12, true },
		{ "\"versions\":\"0304,0303\"", HELLO_OLD, false },
		{ "\"versions\":\"0304,0303,0302\"", HELLO_OLD, true },
		{ "\"versions\":\"0300\"", HELLO_OLD, true },
		{ "\"versions\":\"0a0a,0304\"", HELLO_OLD, false },
		{ "\"versions\":\"0301\"", HELLO_SSL, false },
		{ "\"versions\":\"0300\"", HELLO_SSL, true },
		{ "\"versions\":\"0303\",\"what\":\"sslv2\"", HELLO_SSL, true },
		{ "\"versions\":\"0303\",\"what\":\"sslv2\"", HELLO_OLD, false },
		{ "\"versions\":\"0304\",\"groups\":\"11ec\"", HELLO_HYBRID, true },
		{ "\"versions\":\"0304\",\"groups\":\"001d,11eb\"", HELLO_HYBRID, true },
		{ "\"versions\":\"0304\",\"groups\":\"001d,11ed\"", HELLO_HYBRID, true },
		{ "\"versions\":\"0304\",\"groups\":\"11ea,11ee,6399,0201\"", HELLO_HYBRID, false },
		{ "\"versions\":\"0303\",\"groups\":\"11ec\"", HELLO_HYBRID, false },
		{ "\"versions\":\"0304\",\"groups\":\"6399\"", HELLO_DRAFT_HYBRID, true },
		{ "\"versions\":\"0304\",\"groups\":\"11ec\"", HELLO_DRAFT_HYBRID, false },
		{ "\"ciphers\":\"c02f,0005\"", HELLO_FORBIDDEN, true }, /* RC4 */
		{ "\"ciphers\":\"0009\"", HELLO_FORBIDDEN, true },      /* DES */
		{ "\"ciphers\":\"0008\"", HELLO_FORBIDDEN, true },      /* export */
		{ "\"ciphers\":\"003b\"", HELLO_FORBIDDEN, true },      /* NULL */
		{ "\"ciphers\":\"c018\"", HELLO_FORBIDDEN, false },     /* anonymous */
		{ "\"ciphers\":\"0018\"", HELLO_FORBIDDEN, true },      /* both: the worse */
		{ "\"ciphers\":\"0018\"", HELLO_WEAK, false },
		{ "\"ciphers\":\"000a\"", HELLO_FORBIDDEN, false }, /* 3DES is no DES */
		{ "\"ciphers\":\"000a\"", HELLO_WEAK, true },
		{ "\"ciphers\":\"c018\"", HELLO_WEAK, true },
		{ "\"ciphers\":\"002f,c013,00ff,5600\"", HELLO_WEAK, false },
		{ "\"ciphers\":\"002f\"", HELLO_STATIC, true },
		{ "\"ciphers\":\"c004\"", HELLO_STATIC, true },
		{ "\"ciphers\":\"c013,009e,1301\"", HELLO_STATIC, false },
		{ "\"ciphers\":\"1301\"", HELLO_MODERN, true },
		{ "\"ciphers\":\"cca8\"", HELLO_MODERN, true },
		{ "\"ciphers\":\"c02b\"", HELLO_MODERN, true },
		{ "\"ciphers\":\"c013,009e,009c,fefe\"", HELLO_MODERN, false },
		{ "\"ciphers\":\"nonsense\"", HELLO_MODERN, false },
		{ "\"sni\":\"a.example\"", HELLO_FORBIDDEN, false },
		{ "\"sni\":\"a.example\"", HELLO_ANY, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct observations obs = { 0 };

		event_at(
		    &obs, 0, "tls.hello", "\"test\":\"dual\",\"conn\":\"c\",%s", rows[i].lists);
		assert_int_equal(obs.n, 1);
		if (offer_has(obs.item[0], rows[i].thing) != rows[i].has)
			fail_msg("%s: %s", rows[i].lists, hello_thing_name(rows[i].thing));
		observations_clear(&obs);
	}
}

static void
names(void **state)
{
	char buf[16];

	(void)state;
	assert_string_equal(offer_version(0x0304, buf), "TLSv1.3");
	assert_string_equal(offer_version(0x7f1c, buf), "0x7f1c");
	assert_string_equal(offer_group(0x11ec, buf), "X25519MLKEM768");
	assert_string_equal(offer_cipher(0x0000, buf), "NULL_WITH_NULL_NULL");
	assert_string_equal(
	    offer_cipher(0xcc14, buf), "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256_DRAFT");
	assert_string_equal(offer_cipher(0x1302, buf), "AES_256_GCM_SHA384");
	assert_string_equal(offer_cipher(0xfefe, buf), "0xfefe");
}

/* A stranger's hello says nothing; that of a sender who delivered in another session does. */
static void
whose(void **state)
{
	struct observations obs = { 0 };
	const struct facts *f;
	struct correlation *c;

	(void)state;
	hello(&obs, 0, "dual", "192.0.2.1", "\"versions\":\"0301\"");
	end(&obs, 0, "dual", false);
	hello(&obs, 10, "dual", "192.0.2.1", NULL);
	end(&obs, 10, "dual", true);
	hello(&obs, 20, "dual", "198.51.100.9", "\"versions\":\"0304\"");
	end(&obs, 20, "dual", false);
	c = facts_of_dual(&f, &obs);
	assert_int_equal(f->n_attempts, 3);
	assert_true(offer_counts(f, &f->attempts[0]));
	assert_false(offer_counts(f, &f->attempts[1])); /* there is none */
	assert_false(offer_counts(f, &f->attempts[2]));
	correlation_free(c);
	observations_clear(&obs);
}

static void
told(const char *want, const char *v4, const char *v6, enum hello_thing thing)
{
	struct observations obs = { 0 };
	struct strbuf b = { 0 };
	const struct facts *f;
	struct correlation *c;

	if (v4 != NULL) {
		hello(&obs, 0, "dual", "192.0.2.1", v4);
		end(&obs, 0, "dual", true);
	}
	if (v6 != NULL) {
		hello(&obs, 10, "dual", "2001:db8::1", v6);
		end(&obs, 10, "dual", true);
	}
	c = facts_of_dual(&f, &obs);
	offer_names(&b, f, thing);
	assert_string_equal(b.s != NULL ? b.s : "", want);
	strbuf_clear(&b);
	correlation_free(c);
	observations_clear(&obs);
}

static void
in_words(void **state)
{
	(void)state;
	told("X25519MLKEM768 over IPv4 and IPv6", "\"versions\":\"0304\",\"groups\":\"11ec,001d\"",
	    "\"versions\":\"0304\",\"groups\":\"001d,11ec\"", HELLO_HYBRID);
	told("X25519MLKEM768 over IPv4, nothing over IPv6",
	    "\"versions\":\"0304\",\"groups\":\"11ec,001d\"",
	    "\"versions\":\"0304\",\"groups\":\"001d\"", HELLO_HYBRID);
	told("nothing over IPv6", NULL, "\"versions\":\"0303\",\"groups\":\"11ec\"", HELLO_HYBRID);
	told("TLSv1.3, TLSv1.2 over IPv4, TLSv1.2 over IPv6", "\"versions\":\"2a2a,0304,0303\"",
	    "\"versions\":\"0303\"", HELLO_ANY);
	told("a hello in the format of SSL 2 over IPv4", "\"versions\":\"0303\",\"what\":\"sslv2\"",
	    NULL, HELLO_SSL);
	told("RSA_WITH_NULL_MD5, RSA_WITH_NULL_SHA, RSA_EXPORT_WITH_RC4_40_MD5, "
	     "RSA_WITH_RC4_128_MD5, "
	     "RSA_WITH_RC4_128_SHA, RSA_EXPORT_WITH_RC2_CBC_40_MD5, RSA_EXPORT_WITH_DES40_CBC_SHA, "
	     "RSA_WITH_DES_CBC_SHA and 1 more over IPv4",
	    "\"ciphers\":\"0001,0002,0003,0004,0005,0006,0008,0009,000b,0009\"", NULL,
	    HELLO_FORBIDDEN);
	told("", NULL, NULL, HELLO_HYBRID);
}

/* The second ClientHello does not take the place of the first. */
static void
retry(void **state)
{
	struct observations obs = { 0 };
	const struct facts *f;
	struct correlation *c;

	(void)state;
	hello(&obs, 0, "dual", "192.0.2.1",
	    "\"versions\":\"0304\",\"groups\":\"11ec,001d\",\"shares\":\"11ec\"");
	event_at(&obs, 0.15, "tls.hello",
	    "\"test\":\"dual\",\"conn\":\"c0\",\"versions\":\"0304\",\"groups\":\"001d\",\"retry\":"
	    "true");
	end(&obs, 0, "dual", true);
	c = facts_of_dual(&f, &obs);
	assert_int_equal(f->n_attempts, 1);
	assert_true(offer_has(f->attempts[0].hello, HELLO_HYBRID));
	correlation_free(c);
	observations_clear(&obs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(things),
		cmocka_unit_test(names),
		cmocka_unit_test(whose),
		cmocka_unit_test(in_words),
		cmocka_unit_test(retry),
	};

	return cmocka_run_group_tests(tests, setup_shipped, teardown);
}
