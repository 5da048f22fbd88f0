/* The loader of test files: what every section and keyword gives, and each error with its line. */
#include "tests/unit/zones/fixture.h"

#include "lib/clock.h"

static void
defaults(void **state)
{
	struct test *t = load_text(HEAD DNS HOST RULES);

	(void)state;
	assert_string_equal(t->name, "x");
	assert_int_equal(t->number, 7);
	assert_string_equal(t->group, "delivery");
	assert_int_equal(t->batch, 'a');
	assert_int_equal(t->worth, 0);
	assert_int_equal(t->deadline_us, 6 * 86400 * CLOCK_SECOND);
	assert_int_equal(t->n_control, 1);
	assert_int_equal(t->n_mailbox, 0);
	assert_true(t->zone[0].used);
	assert_false(t->zone[1].used);
	assert_int_equal(t->zone[0].algorithm, 13);
	assert_int_equal(zone_security(&t->zone[0]), ZONE_SECURE);
	assert_int_equal(t->n_hosts, 1);
	assert_int_equal(t->host[0].starttls, STARTTLS_OFFER);
	assert_int_equal(t->host[0].tls_min, 0x0303);
	assert_int_equal(t->host[0].tls_max, 0x0304);
	assert_int_equal(t->host[0].cert, CERT_PKIX_VALID);
	assert_int_equal(t->n_verdicts, 3);
	assert_int_equal(t->verdicts[2].n, 0);
	test_free(t);
}

/* Below an alias of the whole zone both names are the recipient's. */
static void
alias_mailbox(void **state)
{
	struct test *t = load_text(
	    HEAD "[dns]\n{zone} 60 DNAME {zone:b}\n[dns b]\n{d:b} 60 A {ipv4:0}\n" HOST RULES);

	(void)state;
	assert_int_equal(test_mailbox(t, 0, "probe", 5), 0);
	assert_int_equal(test_mailbox(t, 1, "probe", 5), 0);
	assert_int_equal(test_mailbox(t, 1, "other", 5), -1);
	test_free(t);
}

static void
every_keyword(void **state)
{
	struct test *t = load_text(
	    "test every-one\nnumber 1023\ngroup sts\nsets quick standard\nbatch refusable\nworth "
	    "less\ncontrol "
	    "a b\ncontrast c\n"
	    "trait one accepted\ntrait two refused\ntitle \"T\"\nspec \"S\"\nabout \"A\n  "
	    "B\"\nfooled-by \"1\"\nfooled-by \"2\"\n"
	    "mailbox one two@{d:b}\ndeadline 8d\nv6\n"
	    "[zone]\nns v6\nds digest 100\nalgorithm 15\nsign expired\ndenial nsec3 iterations "
	    "500\naddress own\n"
	    "[zone b]\nds none\nsign none\n"
	    "[dns]\n{d} 60 MX 10 {mx0}\n{mx0} 60 A {ipv4:0}\n{mx0} 60 AAAA {ipv6:0}\n{d} 30 TXT "
	    "\"a \\\"b\" c\n"
	    "[dns b]\n{d:b} 60 A {ipv4:1}\n[dns phase 2]\n{mx0} 60 A {ipv4-silent}\n"
	    "[phases]\n2 age(fetched) >= 3m and count(dns MX {d}) >= 2\n3 age(phase 2) >= 6h\n"
	    "[answers]\nMX {d} rcode SERVFAIL while age(sender) < 5m\nany any tc\nA any delay "
	    "1500ms\nany {d} drop\n"
	    "any any noedns\nany any ttl 0\nany any case\nany any pad 1400\nTLSA _25._tcp.{mx0} "
	    "sign corrupt while phase 2\n"
	    "[host 0]\ngreet \"hello\"\nehlo SIZE=2000 PIPELINING\nstarttls 454\ntls "
	    "1.0..1.2\nciphers \"A:B\"\ngroups P-256\ndh 1024\n"
	    "client-cert\ncert cn-only\nat rcpt reply 450 \"4.7.1 Later\" mailbox 1 while "
	    "count(network) < 3\n"
	    "at banner delay 100s\nat dot close\nat connect rst\nat quit hold\n"
	    "[host 1]\nehlo none\nstarttls inject \"250 x\\r\\n\"\n"
	    "[policy phase 1]\nmode enforce\nmx {mx0} *.{mx0}\nmax_age 60\ntype text/html\npad "
	    "100\nslow 70s\ncert expired\n"
	    "extra \"k: v\"\n[policy phase 2..3]\nstatus 301\nredirect \"https://x/\"\n"
	    "[verdict]\nconforms accepted phase 3 \"{attempts} {delay}\"\ninconclusive otherwise "
	    "\"?\"\n"
	    "[reader]\nmeans conforms \"good\"\ndo conforms \"nothing\"\n"
	    "[trace a]\ncontrol accepted\ntrait one\n0s dns MX {d} rcode SERVFAIL dev \"rcode "
	    "SERVFAIL\" via=udp\n"
	    "5s smtp.command verb=RCPT reply=450 dev=\"reply 450\"\n5s contrast open\n6s trait two "
	    "unknown\n"
	    "7s control dual refused\nend settled\nverdict conforms \"x\"\n");
	const struct host *h = &t->host[0];

	(void)state;
	assert_int_equal(t->n_sets, 2);
	assert_int_equal(t->batch, 'b');
	assert_int_equal(t->worth, -1);
	assert_string_equal(t->control[1], "b");
	assert_string_equal(t->contrast[0], "c");
	assert_string_equal(t->trait[1].name, "two");
	assert_int_equal(t->trait[1].when, OUTCOME_REFUSED);
	assert_string_equal(t->about, "A B");
	assert_string_equal(t->fooled_by, "1\n2");
	assert_string_equal(t->mailbox[1], "two@{d:b}");
	assert_int_equal(test_mailbox(t, 0, "ONE", 3), 0);
	assert_int_equal(test_mailbox(t, 1, "one", 3), -1);
	assert_int_equal(test_mailbox(t, 1, "two", 3), 1);
	assert_int_equal(test_mailbox(t, 0, "two", 3), -1);
	assert_int_equal(test_mailbox(t, 0, "probe", 5), -1);
	assert_true(t->v6_only);
	assert_int_equal(t->zone[0].ns, NS_V6);
	assert_int_equal(t->zone[0].ds, DS_DIGEST);
	assert_int_equal(t->zone[0].ds_digest, 100);
	assert_int_equal(t->zone[0].iterations, 500);
	assert_true(t->zone[0].own_address);
	assert_int_equal(zone_security(&t->zone[0]), ZONE_INSECURE);
	assert_true(t->zone[1].used);
	assert_int_equal(t->n_records, 6);
	assert_string_equal(t->records[3].rdata, "\"a \\\"b\" c");
	assert_int_equal(t->records[4].zone, 1);
	assert_int_equal(t->records[5].phase, 2);
	assert_int_equal(t->n_phases, 2);
	assert_int_equal(t->phases[0].n, 2);
	assert_int_equal(t->phases[0].all[1].count, 2);
	assert_int_equal(t->phases[0].all[1].type, 15);
	assert_int_equal(t->phases[1].all[0].phase, 2);
	assert_int_equal(t->n_answers, 9);
	assert_int_equal(t->answers[0].when.kind, COND_AGE);
	assert_int_equal(t->answers[0].when.key, KEY_SENDER);
	assert_string_equal(t->answers[0].text, "rcode SERVFAIL");
	assert_null(t->answers[1].name);
	assert_int_equal(t->answers[1].type, 255);
	assert_int_equal(t->answers[2].delay_us, 1500000);
	assert_string_equal(t->answers[2].text, "delay 1500ms");
	assert_int_equal(t->answers[8].sign, SIGN_CORRUPT);
	assert_int_equal(t->answers[8].when.count, 2);
	assert_string_equal(h->ehlo, "SIZE=2000 PIPELINING");
	assert_int_equal(h->starttls, STARTTLS_CODE);
	assert_int_equal(h->starttls_code, 454);
	assert_true(h->weak_dh);
	assert_int_equal(h->tls_min, 0x0301);
	assert_int_equal(h->tls_max, 0x0303);
	assert_int_equal(h->n_rules, 5);
	assert_int_equal(h->rules[0].code, 450);
	assert_string_equal(h->rules[0].text, "4.7.1 Later");
	assert_string_equal(h->rules[0].dev, "reply 450");
	assert_int_equal(h->rules[0].mailbox, 1);
	assert_int_equal(h->rules[0].when.count, 3);
	assert_string_equal(h->rules[1].dev, "delay 100s");
	assert_string_equal(h->rules[2].dev, "close");
	assert_string_equal(t->host[1].ehlo, "");
	assert_string_equal(t->host[1].starttls_text, "250 x\r\n");
	assert_int_equal(t->n_policy, 2);
	assert_int_equal(t->policy[0].n_mx, 2);
	assert_int_equal(t->policy[1].phase_to, 3);
	assert_string_equal(t->means[GRADE_CONFORMS], "good");
	assert_int_equal(t->n_traces, 1);
	assert_int_equal(t->traces[0].n, 9);
	assert_string_equal(t->traces[0].steps[1].word[1], "yes");
	assert_string_equal(t->traces[0].steps[2].word[0], "dns.query");
	assert_string_equal(t->traces[0].steps[2].word[4], "dev=rcode SERVFAIL");
	assert_int_equal(t->traces[0].steps[6].n, 2);
	test_free(t);
}

/* text, then the line and what the message must contain */
static const struct {
	const char *text;
	unsigned line;
	const char *says;
} errors[] = {
	/* head */
	{ "test x\n", 1, "number: is missing" },
	{ "test X\n", 1, "test X: must be a label" },
	{ "test -x\n", 1, "must be a label" },
	{ "test x-b\n", 1, "second zones" },
	{ "test a1234567890123456789012345678901234567890\n", 1, "at most 40" },
	{ "number 0\n", 1, "from 1 to 1023" },
	{ "number 1024\n", 1, "from 1 to 1023" },
	{ "number 1\nnumber 1\n", 2, "said twice" },
	{ "number\n", 1, "must be written: number N" },
	{ "group nice\n", 1, "must be one of delivery" },
	{ "sets slow\n", 1, "must be one of quick" },
	{ "sets quick\n", 1, "say both" },
	{ "sets standard standard\n", 1, "said twice" },
	{ "batch c\n", 1, "must be one of ordinary" },
	{ "worth much\n", 1, "must be one of less" },
	{ "control a b c d e\n", 1, "must be written" },
	{ "control A\n", 1, "no name of a test" },
	{ "trait x perhaps\n", 1, "accepted or refused" },
	{ "trait a accepted\ntrait b accepted\ntrait c accepted\n", 3, "at most 2" },
	{ "title \"\"\n", 1, "1 to 72" },
	{ "mailbox a A\n", 1, "stands there twice" },
	{ "mailbox a@sub.{d} a\n", 1, "stands there twice" },
	{ "mailbox \xc3\xbc@\xc3\xbc.b\n", 1, "must end in" },
	{ "message canary\n", 1, "must be one of 8bit" },
	{ "mailbox a@b\n", 1, "must end in" },
	{ "mailbox a@{zone}\n", 1, "must end in {d}" },
	{ "mailbox \"a b\"\n", 1, "local part" },
	{ "deadline 6\n", 1, "must be a duration" },
	{ "deadline 0s\n", 1, "must be a duration" },
	{ "nonsense 1\n", 1, "no such word in the head" },
	{ "test \"\\x00\"\n", 1, "\\x00" },
	{ "test x\nnumber 7\ngroup delivery\ncontrol x\ntitle \"T\"\nabout \"A\"\n" DNS HOST RULES,
	    1, "is the test itself" },
	{ HEAD "[nonsense]\n", 8, "no such section" },
	{ HEAD "[]\n", 8, "a section has a name" },
	{ HEAD "[verdict x]\n", 8, "no further words" },
	{ HEAD "[answers c]\n", 8, "[answers] or [answers b]" },
	/* dns */
	{ HEAD "[dns]\n{d} 60 MX\n", 9, "OWNER TTL TYPE" },
	{ HEAD "[dns]\n{d} x MX 10 {mx0}\n", 9, "ttl x" },
	{ HEAD "[dns]\n{d} 604801 MX 10 {mx0}\n", 9, "604800" },
	{ HEAD "[dns]\n{d} 60 NOPE 10 {mx0}\n", 9, "no such record type" },
	{ HEAD "[dns]\n{d} 60 MX 10\n", 9, "needs 2" },
	{ HEAD "[dns]\n{d} 60 MX x {mx0}\n", 9, "preference" },
	{ HEAD "[dns]\n{d} 60 MX 10 mail\n", 9, "a name ends in" },
	{ HEAD "[dns]\n{d} 60 MX 10 {mxx}\n", 9, "no such placeholder" },
	{ HEAD "[dns]\n{d} 60 MX 10 {ipv4:0}\n", 9, "no place in this type" },
	{ HEAD "[dns]\n{d} 60 A {ipv6:0}\n", 9, "no IPv4 address" },
	{ HEAD "[dns]\n{d} 60 A 1.2.3\n", 9, "no IPv4 address" },
	{ HEAD "[dns]\n{d} 60 AAAA {ipv4-silent}\n", 9, "no IPv6 address" },
	{ HEAD "[dns]\n{d} 60 TLSA 3 1 256 00\n", 9, "0 to 255" },
	{ HEAD "[dns]\n{d} 60 TLSA 3 1 1 xyz\n", 9, "hexadecimal" },
	{ HEAD "[dns]\n{d} 60 RRSIG A 13 2 3600 1 2 3 4 5\n", 9, "made by the name server" },
	{ HEAD "[dns]\n{d:b} 60 A {ipv4:0}\n", 9, "names end in {d}" },
	{ HEAD "[dns b]\n{d} 60 A {ipv4:0}\n", 9, "names end in {d:b}" },
	{ HEAD "[dns]\n{base} 60 A {ipv4:0}\n", 9, "no records at {base}" },
	{ HEAD "[dns]\n*.{d} 60 A {ipv4:0}\n", 9, "a label is made of" },
	{ HEAD "[dns]\n{d} 60 TXT \"}\"\n", 9, "not opened" },
	{ HEAD "[dns phase 9]\n", 8, "from 1 to 8" },
	{ HEAD "[dns c]\n", 8, "must be written" },
	{ HEAD "[dns]\n{d} 60 MX 10 {mx0}\n{mx0} 60 A {ipv4:1}\n" HOST RULES, 10,
	    "[host 1] is missing" },
	{ HEAD "[dns]\n{d} 60 MX 10 {mx0:b}\n" RULES, 9, "no second zone" },
	{ HEAD "[dns]\n{d} 60 MX 10 {mx0}\n{d} 60 MX 10 {mx0}\n" RULES, 10,
	    "the same stands in line 9" },
	{ HEAD "[dns]\n{d} 60 MX 10 {mx0}\n{d} 61 MX 20 {mx1}\n" RULES, 10, "RFC 2181 5.2" },
	{ HEAD "[dns]\n{d} 60 CNAME {mx0}\n{d} 60 MX 20 {mx1}\n" RULES, 10, "CNAME" },
	{ HEAD "[dns phase 2]\n{d} 60 MX 10 {mx0}\n" RULES, 9, "no such phase" },
	/* zone, answers */
	{ HEAD "[zone]\nns v5\n", 9, "must be one of both" },
	{ HEAD "[zone]\nds digest\n", 9, "digest type" },
	{ HEAD "[zone]\nds right 2\n", 9, "digest type" },
	{ HEAD "[zone]\nds digest 256\n", 9, "0 to 255" },
	{ HEAD "[zone]\nalgorithm 0\n", 9, "1 to 255" },
	{ HEAD "[zone]\nsign badly\n", 9, "must be one of right" },
	{ HEAD "[zone]\ndenial nsec iterations 5\n", 9, "only nsec3" },
	{ HEAD "[zone]\ndenial nsec3 iterations 2501\n", 9, "2500" },
	{ HEAD "[zone]\naddress shared\n", 9, "own" },
	{ HEAD "[zone]\n[zone]\n", 9, "said twice" },
	{ HEAD "[answers]\nMX {d}\n", 9, "must be written" },
	{ HEAD "[answers]\nMX {d} explode\n", 9, "must be one of rcode" },
	{ HEAD "[answers]\nMX {d} rcode\n", 9, "argument is missing" },
	{ HEAD "[answers]\nMX {d} rcode NOPE\n", 9, "no such response code" },
	{ HEAD "[answers]\nMX {d} rcode BADVERS\n", 9, "extended codes" },
	{ HEAD "[answers]\nany {d} rcode NXDOMAIN\n", 9, "one type at one name" },
	{ HEAD "[answers]\nOPT {d} drop\n", 9, "no type that can be asked" },
	{ HEAD "[answers]\nMX {d} delay 5\n", 9, "duration" },
	{ HEAD "[answers]\nMX {d} pad 60001\n", 9, "60000" },
	{ HEAD "[answers]\nMX {d} drop until\n", 9, "while or the end" },
	{ HEAD "[answers]\nMX {d} drop while age(nobody) < 5m\n", 9, "must be one of token" },
	{ HEAD "[answers]\nMX {d} drop while age(token) > 5m\n", 9, "while: must be" },
	{ HEAD "[answers]\nMX {d} drop while size(token) < 5\n", 9, "age(KEY) or count(KEY)" },
	{ HEAD "[answers]\nMX {d} drop while count(token) < 0\n", 9, "1 to 1000000" },
	{ HEAD DNS "[answers]\nA {mx1} drop\n" HOST RULES, 12, "no record stands" },
	{ HEAD DNS "[answers]\nA {mx0} drop while phase 2\n" HOST RULES, 12, "no such phase" },
	/* host, policy */
	{ HEAD "[host]\n", 8, "[host K]" },
	{ HEAD "[host 32]\n", 8, "0 to 31" },
	{ HEAD "[host 0]\n[host 0]\n", 9, "said twice" },
	{ HEAD "[host 0]\nehlo STARTTLS\n", 9, "said by the word starttls" },
	{ HEAD "[host 0]\nehlo \"SIZE 1\"\n", 9, "no keyword" },
	{ HEAD "[host 0]\ngreet \"a\\r\\nb\"\n", 9, "a reply is ASCII" },
	{ HEAD "[host 0]\nstarttls perhaps\n", 9, "must be one of offer" },
	{ HEAD "[host 0]\nstarttls CODE\n", 9, "stands for a number" },
	{ HEAD "[host 0]\nstarttls 399\n", 9, "400 to 599" },
	{ HEAD "[host 0]\ndh 512\n", 9, "must be one of 1024" },
	{ HEAD "[host 0]\nstarttls inject\n", 9, "a text must follow" },
	{ HEAD "[host 0]\nstarttls off x\n", 9, "only inject" },
	{ HEAD "[host 0]\ntls 1.4\n", 9, "1.0 1.1 1.2 1.3" },
	{ HEAD "[host 0]\ntls 1.3..1.2\n", 9, "MIN..MAX" },
	{ HEAD "[host 0]\ncert nice\n", 9, "must be one of pkix-valid" },
	{ HEAD "[host 0]\nat noon close\n", 9, "must be one of connect" },
	{ HEAD "[host 0]\nat rcpt explode\n", 9, "must be one of reply" },
	{ HEAD "[host 0]\nat rcpt reply 450\n", 9, "reply CODE TEXT" },
	{ HEAD "[host 0]\nat rcpt reply 600 \"x\"\n", 9, "220 to 599" },
	{ HEAD "[host 0]\nat rcpt reply 219 \"x\"\n", 9, "220 to 599" },
	{ HEAD "[host 0]\nat rcpt reply 450 x\n", 9, "quotes" },
	{ HEAD "[host 0]\nat connect reply 450 \"x\"\n", 9, "nothing to reply to" },
	{ HEAD "[host 0]\nat rcpt delay\n", 9, "delay DURATION" },
	{ HEAD "[host 0]\nat mail close mailbox 0\n", 9, "only at rcpt" },
	{ HEAD "[host 0]\nat rcpt close mailbox 8\n", 9, "0 to 7" },
	{ HEAD DNS "[host 0]\nstarttls off\nrequire-tls\n" RULES, 11, "STARTTLS cannot be done" },
	{ HEAD DNS HOST "[host 1]\nstarttls off\n" RULES, 13, "no record has" },
	{ HEAD "[policy]\nmx {mx0}\n" RULES, 8, "mode is missing" },
	{ HEAD "[policy]\nmode enforce\n" RULES, 8, "mx is missing" },
	{ HEAD "[policy]\nmode none\nstatus 301\n" RULES, 8, "belong together" },
	{ HEAD "[policy]\nmode none\n[policy phase 2]\n", 10, "another one" },
	{ HEAD "[policy phase 3..2]\n", 8, "from 3 to 8" },
	{ HEAD "[policy]\nmode enforce\nmx example.org\n", 10, "a name must end in" },
	/* phases */
	{ HEAD "[phases]\n1 age(fetched) >= 3m\n", 9, "2 to 8" },
	{ HEAD "[phases]\n3 age(fetched) >= 3m\n", 9, "nothing begins phase 2" },
	{ HEAD "[phases]\n2 age(fetched) < 3m\n", 9, "age(EVENT) >= DURATION" },
	{ HEAD "[phases]\n2 age(nothing) >= 3m\n", 9, "must be one of dns" },
	{ HEAD "[phases]\n2 size(tls) >= 3\n", 9, "age or count" },
	{ HEAD "[phases]\n2 age(dns MX) >= 3m\n", 9, "must be written" },
	{ HEAD "[phases]\n2 age(dns MX {d} x) >= 3m\n", 9, "must be written" },
	{ HEAD "[phases]\n2 age(phase 2) >= 3m\n" RULES, 9, "not before it" },
	{ HEAD "[phases]\n2 count(tls) >= 0\n", 9, "1 to 1000000" },
	/* verdict, reader */
	{ HEAD DNS HOST, 12, "[verdict]: is missing" },
	{ HEAD "[verdict]\nnice accepted \"x\"\n", 9, "must be conforms" },
	{ HEAD "[verdict]\nconforms accepted\n", 9, "must be written" },
	{ HEAD "[verdict]\nconforms accepted x\n", 9, "must be written" },
	{ HEAD "[verdict]\nconforms nonsense \"x\"\n", 9, "no such predicate" },
	{ HEAD "[verdict]\nconforms accepted \"{nonsense}\"\n", 9, "placeholder of a reason" },
	{ HEAD "[verdict]\nconforms accepted \"{delay\"\n", 9, "not closed" },
	{ HEAD "[verdict]\nconforms accepted \"x\"\n", 9, "must be otherwise" },
	{ HEAD "[verdict]\nconforms otherwise \"x\"\npending settled \"x\"\n", 10,
	    "never reached" },
	{ HEAD DNS HOST "[verdict]\nconforms accepted \"x\"\nviolates accepted and settled "
			"\"x\"\npending otherwise \"x\"\n",
	    15, "the one in line 14" },
	{ HEAD DNS HOST "[verdict]\nconforms accepted host 1 \"x\"\npending otherwise \"x\"\n", 14,
	    "[host 1] is missing" },
	{ HEAD DNS HOST "[verdict]\nconforms accepted mailbox 1 \"x\"\npending otherwise \"x\"\n",
	    14, "no such mailbox" },
	{ HEAD DNS HOST "[verdict]\nconforms accepted phase 1 \"x\"\npending otherwise \"x\"\n", 14,
	    "no such phase" },
	{ HEAD DNS HOST "[verdict]\nconforms met dev close \"x\"\npending otherwise \"x\"\n", 14,
	    "no such deviation" },
	{ HEAD DNS HOST
	    "[verdict]\nconforms accepted after met dev close \"x\"\npending otherwise \"x\"\n",
	    14, "no such deviation" },
	{ HEAD DNS HOST
	    "[verdict]\nconforms seen dns A at ns.{zone} \"x\"\npending otherwise \"x\"\n",
	    14, "no token" },
	{ HEAD DNS HOST "[verdict]\nconforms seen dns A at {mx1} \"x\"\npending otherwise \"x\"\n",
	    14, "never asked for" },
	{ HEAD DNS HOST "[verdict]\nconforms seen dns A at {d:b} \"x\"\npending otherwise \"x\"\n",
	    14, "no second zone" },
	{ HEAD DNS HOST "[verdict]\nconforms contrast refused \"x\"\npending otherwise \"x\"\n", 14,
	    "names none" },
	{ HEAD DNS HOST "[verdict]\nconforms fetched \"x\"\npending otherwise \"x\"\n", 14,
	    "no [policy]" },
	{ HEAD "[reader]\nmeans nice \"x\"\n", 9, "no such grade" },
	{ HEAD "[reader]\nmeans conforms x\n", 9, "quotes" },
	{ HEAD "[reader]\nmeans conforms \"x\"\nmeans conforms \"y\"\n", 10, "said twice" },
	{ HEAD "[reader]\nfix violates sendmail \"# x\\ny\"\n", 9, "neither postfix" },
	{ HEAD "[reader]\nfix nice exim \"# x\\ny\"\n", 9, "no such grade" },
	{ HEAD "[reader]\nfix violates exim \"a = b\"\n", 9, "its first line" },
	{ HEAD "[reader]\nfix violates exim \"# alone\"\n", 9, "its first line" },
	{ HEAD "[reader]\nfix violates exim \"# x\\n  a = b\"\n", 9, "none indented" },
	{ HEAD "[reader]\nfix violates provider x\n", 9, "quotes" },
	{ HEAD "[reader]\nfix violates provider \"x\"\nfix violates provider \"y\"\n", 10,
	    "said twice" },
	/* trace */
	{ HEAD "[trace]\n", 8, "[trace NAME]" },
	{ HEAD "[trace a]\nverdict conforms\n[trace a]\n", 10, "said twice" },
	{ HEAD "[trace a]\nend settled\n" RULES, 8, "must end with a verdict" },
	{ HEAD "[trace a]\nverdict conforms\n1s dns MX {d}\n", 10, "ends with its verdict" },
	{ HEAD "[trace a]\nverdict nice\n", 9, "must be written" },
	{ HEAD "[trace a]\ndns MX {d}\n", 9, "a time" },
	{ HEAD "[trace a]\n5s\n", 9, "must be written" },
	{ HEAD "[trace a]\n5s nonsense\n", 9, "no such event" },
	{ HEAD "[trace a]\n5s dns MX\n", 9, "must be written" },
	{ HEAD "[trace a]\n5s dns MX {d}\n4s dns MX {d}\n", 10, "earlier" },
	{ HEAD "[trace a]\n5s dns MX {d} rcode\n", 9, "value is missing" },
	{ HEAD "[trace a]\n5s dns MX {d} rcode NOPE\n", 9, "no such response code" },
	{ HEAD "[trace a]\n5s dns NOPE {d}\n", 9, "no type" },
	{ HEAD "[trace a]\n5s dns MX example.org\n", 9, "a name must end in" },
	{ HEAD "[trace a]\n5s smtp.message reply\n", 9, "key=value" },
	{ HEAD "[trace a]\n5s smtp.message sni=x\n", 9, "no such key" },
	{ HEAD "[trace a]\n5s smtp.message reply=x\n", 9, "must be a number" },
	{ HEAD "[trace a]\n5s smtp.message tls=perhaps\n", 9, "true or false" },
	{ HEAD "[trace a]\n5s smtp.message token=x\n", 9, "filled in" },
	{ HEAD "[trace a]\n5s smtp.close stage=nowhere\n", 9, "no such stage" },
	{ HEAD "[trace a]\ncontrol perhaps\n", 9, "must be one of accepted" },
	{ HEAD "[trace a]\ncontrast perhaps\n", 9, "must be accepted" },
	{ HEAD "[trace a]\ntrait x perhaps\n", 9, "trait: must be written" },
	{ HEAD "[trace a]\nend now\n", 9, "must be one of settled" },
	{ HEAD DNS HOST RULES "[trace a]\n5s smtp.close dev=close\nverdict pending\n", 18,
	    "no such deviation" },
	{ HEAD DNS HOST RULES "[trace a]\n5s dns A {mx1}\nverdict pending\n", 18,
	    "never asked for" },
	{ HEAD DNS HOST RULES "[trace a]\ncontrast open\nverdict pending\n", 18, "names none" },
	{ HEAD "title \"open\n", 8, "" },
};

static void
errors_with_their_line(void **state)
{
	char place[16];

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		const char *err = error_of(errors[i].text);
		snprintf(place, sizeof place, "f:%u: ", errors[i].line);
		if (strncmp(err, place, strlen(place)) != 0 || strstr(err, errors[i].says) == NULL)
			fail_msg("row %zu: \"%s\" should be %s...%s\n%s", i, err, place,
			    errors[i].says, errors[i].text);
	}
}

static void
limits(void **state)
{
	char text[20000];
	int n;

	(void)state;
	/* a name of 40 characters, number 1023, host 31 */
	test_free(load_text("test a23456789012345678901234567890123456789\nnumber 1023\ngroup "
			    "smtp\ntitle \"T\"\nabout \"A\"\n"
			    "[dns]\n{mx31} 0 A {ipv4:31}\n[host 31]\n" RULES));
	/* 512 records */
	for (unsigned count = 512; count <= 513; count++) {
		n = snprintf(text, sizeof text, HEAD "[dns]\n{d} 60 A {ipv4:0}\n");
		for (unsigned i = 1; i < count; i++)
			n += snprintf(text + n, sizeof text - (size_t)n, "n%u.{d} 60 TXT x\n", i);
		snprintf(text + n, sizeof text - (size_t)n, HOST RULES);
		assert_string_equal(
		    error_of(text), count == 512 ? "" : "f:521: record: more than 512 in one file");
	}
	/* 64 rules of a host */
	for (unsigned count = 64; count <= 65; count++) {
		n = snprintf(text, sizeof text, HEAD DNS HOST);
		for (unsigned i = 0; i < count; i++)
			n += snprintf(text + n, sizeof text - (size_t)n, "at rcpt close\n");
		snprintf(text + n, sizeof text - (size_t)n, RULES);
		assert_string_equal(
		    error_of(text), count == 64 ? "" : "f:77: at: more than 64 rules for one host");
	}
}

static void
security_of_zones(void **state)
{
	const struct {
		struct zone_options z;
		enum zone_security is;
	} rows[] = {
		{ { .algorithm = 13 }, ZONE_SECURE },
		{ { .algorithm = 13, .ds = DS_NONE, .sign = SIGN_NONE }, ZONE_INSECURE },
		{ { .algorithm = 13, .ds = DS_NONE, .sign = SIGN_CORRUPT }, ZONE_INSECURE },
		{ { .algorithm = 13, .ds = DS_WRONG }, ZONE_BOGUS },
		{ { .algorithm = 13, .sign = SIGN_CORRUPT }, ZONE_BOGUS },
		{ { .algorithm = 13, .sign = SIGN_EXPIRED }, ZONE_BOGUS },
		{ { .algorithm = 13, .sign = SIGN_FUTURE }, ZONE_BOGUS },
		{ { .algorithm = 13, .sign = SIGN_NONE }, ZONE_BOGUS },
		{ { .algorithm = 13, .ds = DS_DIGEST, .ds_digest = 100 }, ZONE_INSECURE },
		{ { .algorithm = 13, .ds = DS_DIGEST, .ds_digest = 2 }, ZONE_SECURE },
		{ { .algorithm = 120 }, ZONE_INSECURE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(zone_security(&rows[i].z), rows[i].is);
}

static void
names_of_enums(void **state)
{
	(void)state;
	for (unsigned g = 0; g < GRADE_MAX; g++)
		assert_int_equal(grade_by_name(grade_name((enum grade)g)), g);
	assert_int_equal(grade_by_name("nice"), GRADE_MAX);
	assert_string_equal(cert_kind_name(CERT_SELF_SIGNED), "self-signed");
	assert_string_equal(cert_kind_name(CERT_KIND_MAX), "?");
}

#define GRADED "test x\nnumber 7\ngroup mail\ntitle \"T\"\nspec \"RFC 1\"\nabout \"A\"\n"

/* What is graded on others' mail has only a head and rules. */
static void
graded_on_others(void **state)
{
	static const char *const own[][2] = {
		{ "[dns]", GRADED "graded on a\n[dns]\n{d} 60 TXT x\n" RULES },
		{ "[zone]", GRADED "graded on a\n[zone]\nds none\n" RULES },
		{ "[answers]", GRADED "graded on a\n[answers]\nany any tc\n" RULES },
		{ "mailbox", GRADED "graded on a\nmailbox two\n" RULES },
		{ "batch", GRADED "graded on a\nbatch refusable\n" RULES },
		{ "control", GRADED "graded on a\ncontrol a\n" RULES },
		{ "contrast", GRADED "graded on a\ncontrast a\n" RULES },
		{ "trait", GRADED "graded on a\ntrait t accepted\n" RULES },
		{ "v6", GRADED "graded on a\nv6\n" RULES },
	};
	struct test *t = load_text(GRADED "graded on a b c\n" RULES);
	char want[200];

	(void)state;
	assert_int_equal(t->n_graded_on, 3);
	assert_string_equal(t->graded_on[2], "c");
	assert_int_equal(t->n_control, 0);
	test_free(t);
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
		snprintf(want, sizeof want, "f:1: %s: the test is graded on", own[i][0]);
		if (strncmp(error_of(own[i][1]), want, strlen(want)) != 0)
			fail_msg("%s: %s", want, error_of(own[i][1]));
	}
	assert_string_equal(
	    error_of(GRADED "graded on x\n" RULES), "f:1: graded on x: is the test itself");
	assert_string_equal(
	    error_of(GRADED "graded by a\n" RULES), "f:7: graded by: on must follow");
	assert_non_null(strstr(error_of(GRADED "graded on A\n" RULES), "graded on A: no name"));
}

static void
no_file(void **state)
{
	char err[200] = "";

	(void)state;
	assert_null(test_load("/nonexistent/x.test", err, sizeof err));
	assert_non_null(strstr(err, "/nonexistent/x.test"));
	test_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(alias_mailbox),
		cmocka_unit_test(every_keyword),
		cmocka_unit_test(errors_with_their_line),
		cmocka_unit_test(limits),
		cmocka_unit_test(security_of_zones),
		cmocka_unit_test(names_of_enums),
		cmocka_unit_test(graded_on_others),
		cmocka_unit_test(no_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
