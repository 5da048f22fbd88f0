/* Lines of the logs of Postfix and Exim, as they write them and as somebody may try to make them look. */
#include "outpost/mail_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct mail_line l;

static bool
reads(const char *line)
{
	return mail_line_read(&l, line, strlen(line));
}

/* The same where nothing follows the line: a sanitizer sees who reads on. */
static bool
read_alone(const char *line)
{
	size_t len = strlen(line);
	char *copy = malloc(len);
	bool ok;

	assert_non_null(copy);
	memcpy(copy, line, len);
	ok = mail_line_read(&l, copy, len);
	free(copy);
	return ok;
}

#define SYSLOG "Nov 22 05:38:34 host "
#define ISO    "2026-11-22T05:38:34.123456+01:00 host "
#define EXIM   "2026-11-22 05:38:34 1xABCD-00000a-AB "

static void
postfix_messages(void **state)
{
	(void)state;
	assert_true(reads(SYSLOG "postfix/cleanup[914]: 5E2441168D1: message-id=<a.1@b.example>"));
	assert_int_equal(l.kind, MAIL_LINE_ID);
	assert_string_equal(l.queue, "5E2441168D1");
	assert_string_equal(l.msgid, "<a.1@b.example>");
	assert_true(reads(ISO "postfix-out/qmgr[1]: 4ZxW2q1y4hz: from=<bounce@x.example>, size=43, "
			      "nrcpt=1 (queue active)"));
	assert_int_equal(l.kind, MAIL_LINE_FROM);
	assert_string_equal(l.from, "bounce@x.example");
	assert_true(
	    reads(SYSLOG "postfix/qmgr[1]: 5E2441168D1: from=<>, size=43, nrcpt=1 (queue active)"));
	assert_string_equal(l.from, "");
	assert_true(reads(SYSLOG "postfix/qmgr[1]: 5E2441168D1: removed"));
	assert_int_equal(l.kind, MAIL_LINE_GONE);
	assert_true(reads(SYSLOG "postfix/qmgr[1]: 5E2441168D1: from=<a@b.example>, "
				 "status=expired, returned to sender"));
	assert_int_equal(l.kind, MAIL_LINE_DELIVERY);
	assert_string_equal(l.what, "refused");
}

static void
postfix_tls(void **state)
{
	(void)state;
	assert_true(reads(SYSLOG "postfix/smtp[922]: Verified TLS connection established to "
				 "mail.s2.example[2001:db8:1::2:2]:25: TLSv1.3 with cipher "
				 "TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 "
				 "server-signature ECDSA (prime256v1)"));
	assert_int_equal(l.kind, MAIL_LINE_TLS);
	assert_int_equal(l.pid, 922);
	assert_string_equal(l.host, "mail.s2.example");
	assert_string_equal(l.address, "2001:db8:1::2:2");
	assert_int_equal(l.port, 25);
	assert_string_equal(l.version, "TLSv1.3");
	assert_string_equal(l.cipher, "TLS_AES_256_GCM_SHA384");
	assert_string_equal(l.verified, "verified");
	assert_true(reads(SYSLOG "postfix/relay/smtp[9]: Untrusted TLS connection reused to "
				 "mx.example[192.0.2.1]:25: TLSv1 with cipher "
				 "ECDHE-RSA-AES256-SHA (256/256 bits)"));
	assert_string_equal(l.version, "TLSv1");
	assert_string_equal(l.verified, "untrusted");
	/* of those who deliver to us nothing matters */
	assert_false(reads(SYSLOG "postfix/smtpd[9]: Anonymous TLS connection established from "
				  "mx.example[192.0.2.1]: TLSv1.3 with cipher X (1/1 bits)"));
	assert_true(reads(SYSLOG "postfix/smtp[9]: 5E2441168D1: lost connection with "
				 "mx.example[192.0.2.1] while performing the EHLO handshake"));
	assert_int_equal(l.kind, MAIL_LINE_LOST);
}

static void
postfix_deliveries(void **state)
{
	(void)state;
	assert_true(
	    reads(SYSLOG "postfix/smtp[922]: 5E2441168D1: to=<ann@s2.example>, "
			 "relay=mail.s2.example[2001:db8:1::2:2]:25, conn_use=2, delay=0.81, "
			 "delays=0.04/0.03/0.06/0.69, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued "
			 "as 26C471168D7)"));
	assert_string_equal(l.what, "delivered");
	assert_string_equal(l.to, "ann@s2.example");
	assert_string_equal(l.host, "mail.s2.example");
	assert_string_equal(l.dsn, "2.0.0");
	assert_int_equal(l.reply, 250);
	assert_string_equal(l.text, "250 2.0.0 Ok: queued as 26C471168D7");
	assert_true(
	    reads(SYSLOG "postfix/smtp[9]: 5E2441168D1: to=<x@y.example>, orig_to=<z>, "
			 "relay=mx.y.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, "
			 "dsn=5.1.1, status=bounced (host mx.y.example[192.0.2.1] said: 550 5.1.1 "
			 "<x@y.example>: unknown (in reply to RCPT TO command))"));
	assert_string_equal(l.what, "refused");
	assert_int_equal(l.reply, 550);
	assert_string_equal(
	    l.text, "550 5.1.1 <x@y.example>: unknown (in reply to RCPT TO command)");
	assert_true(reads(SYSLOG "postfix/smtp[9]: 5E2441168D1: to=<x@y.example>, relay=none, "
				 "delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred "
				 "(connect to mx.y.example[192.0.2.1]:25: Connection refused)"));
	assert_string_equal(l.what, "deferred");
	assert_string_equal(l.host, "");
	assert_int_equal(l.reply, 0);
	assert_string_equal(l.dsn, "4.4.1");
	assert_true(reads(SYSLOG "postfix/error[9]: 5E2441168D1: to=<x@y.example>, relay=none, "
				 "delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (delivery "
				 "temporarily suspended: no route)"));
}

/* The reply is the other side's: it comes last, and nothing in it is a word of this host. */
static void
postfix_lies(void **state)
{
	(void)state;
	assert_true(reads(
	    SYSLOG "postfix/smtp[9]: 5E2441168D1: to=<x@y.example>, "
		   "relay=mx.y.example[192.0.2.1]:25, delay=1, delays=1, dsn=5.7.1, status=bounced "
		   "(host mx.y.example[192.0.2.1] said: 550 no), relay=bank.example[192.0.2.9]:25, "
		   "dsn=2.0.0, status=sent (250 ok)"));
	assert_string_equal(l.what, "refused");
	assert_string_equal(l.host, "mx.y.example");
	assert_string_equal(l.dsn, "5.7.1");
	assert_int_equal(l.reply, 550);
	assert_true(reads(
	    SYSLOG "postfix/smtp[9]: 5E2441168D1: to=<x@y.example>, "
		   "relay=mx.y.example[192.0.2.1]:25, delay=1, delays=1, dsn=2.0.0, status=sent "
		   "(250 \x01\x1b[2J \xff)"));
	assert_string_equal(l.text, "250 ??[2J \xff");
	assert_false(reads(SYSLOG "postfix/smtp[9]: 5E2441168D1: to=<x@y.example>, "
				  "relay=mx.y.example[192.0.2.1]:25, delay=1"));
	assert_false(
	    reads(SYSLOG "postfix/smtp[9]: 5E2441168D1: to=<x@y.example>, status=odd (x)"));
	assert_false(
	    reads(SYSLOG "postfix/smtp[x]: 5E2441168D1: to=<x@y.example>, status=sent (x)"));
	assert_false(reads(SYSLOG "postfix/smtp[9]: warning: to=<x@y.example>, status=sent (x)") &&
		     l.kind == MAIL_LINE_DELIVERY && l.queue[0] == '\0');
	assert_false(reads(SYSLOG "sshd[9]: 5E2441168D1: to=<x@y.example>, status=sent (x)"));
	assert_false(reads(""));
	assert_false(reads("x"));
	assert_false(reads(SYSLOG));
}

static void
exim(void **state)
{
	(void)state;
	assert_true(reads(EXIM "<= bounce@x.example U=root P=local S=1234 id=a.1@b.example"));
	assert_int_equal(l.kind, MAIL_LINE_ID);
	assert_string_equal(l.queue, "1xABCD-00000a-AB");
	assert_string_equal(l.from, "bounce@x.example");
	assert_string_equal(l.msgid, "<a.1@b.example>");
	assert_true(reads(
	    EXIM "=> ann@s2.example R=dnslookup T=remote_smtp H=mail.s2.example [198.51.100.18] "
		 "X=TLS1.3:ECDHE_X25519__ECDSA_SECP256R1_SHA256__AES_256_GCM:256 "
		 "CV=yes DN=\"CN=x CV=no\" C=\"250 2.0.0 Ok: queued as 26\""));
	assert_string_equal(l.what, "delivered");
	assert_string_equal(l.host, "mail.s2.example");
	assert_string_equal(l.address, "198.51.100.18");
	assert_string_equal(l.version, "TLSv1.3");
	assert_string_equal(l.cipher, "ECDHE_X25519__ECDSA_SECP256R1_SHA256__AES_256_GCM");
	assert_string_equal(l.verified, "verified");
	assert_int_equal(l.reply, 250);
	assert_string_equal(l.dsn, "2.0.0");
	assert_string_equal(l.text, "250 2.0.0 Ok: queued as 26");
	assert_true(
	    reads("2026-11-22 05:38:34.123 +0100 [77] 1xABCD-00000000abc-AbCd => ann@s2.example "
		  "R=r T=t H=mx.example [2001:db8::1]:25 X=TLS1.0:X:256 CV=no "
		  "DN=\"CN=a CV=yes\" C=\"250 ok\""));
	assert_string_equal(l.version, "TLSv1");
	assert_string_equal(l.verified, "untrusted");
	assert_int_equal(l.port, 25);
	assert_true(reads(EXIM "** no@s2.example R=dnslookup T=remote_smtp H=mail.s2.example "
			       "[198.51.100.18] X=TLS1.2:Y:256 CV=no: SMTP error from remote mail "
			       "server after RCPT TO:<no@s2.example>: 550 5.1.1 <no@s2.example>: "
			       "unknown X=TLS1.0:Z:1"));
	assert_string_equal(l.what, "refused");
	assert_string_equal(l.version, "TLSv1.2");
	assert_int_equal(l.reply, 550);
	assert_string_equal(l.dsn, "5.1.1");
	assert_true(
	    reads(EXIM "== x@y.example R=dnslookup T=remote_smtp defer (-44) H=mx.y.example "
		       "[192.0.2.1]: SMTP error from remote mail server after RCPT "
		       "TO:<x@y.example>: 450 4.2.0 greylisted"));
	assert_string_equal(l.what, "deferred");
	assert_int_equal(l.reply, 450);
	assert_string_equal(l.version, "");
	assert_true(reads(EXIM "Completed"));
	assert_int_equal(l.kind, MAIL_LINE_GONE);
	assert_true(reads(SYSLOG "exim[5]: " EXIM "Completed"));
	assert_true(reads(SYSLOG "exim[5]: 1xABCD-00000a-AB Completed"));
	assert_false(reads("2026-11-22 05:38:34 no host name found for IP address 192.0.2.1"));
	assert_false(reads(EXIM "=>"));
}

/* Lines of a real Exim 4.96, most as it logs by itself, some with log_selector = +all. */
#define REAL  "2026-11-22 09:13:01 1xV3d6-0001OR-2x "
#define ALL   "2026-11-22 08:55:40.503 [20034] 1xV3MK-0005Cp-0Y "
#define SUITE "TLS1.3:ECDHE_SECP256R1__ECDSA_SECP256R1_SHA256__AES_256_GCM:256"
#define OURS  "outpost.example "

static void
exim_real(void **state)
{
	(void)state;
	assert_true(reads(REAL "<= probe@s9.sender.example U=root P=local S=3190 "
			       "id=1795338780.5049.1@s9.sender.example"));
	assert_string_equal(l.msgid, "<1795338780.5049.1@s9.sender.example>");
	assert_true(
	    reads(ALL "<= probe@s6.sender.example U=root P=local S=3752 M8S=0 RT=0.008s "
		      "id=1795337739.19620.1@s6.sender.example T=\"Outpost lab, message 1\" "
		      "from <probe@s6.sender.example> for probe@b.dual." OURS));
	assert_string_equal(l.msgid, "<1795337739.19620.1@s6.sender.example>");
	assert_true(reads(REAL "=> probe@b.dane-ee." OURS "R=mx T=smtp H=b.mx0.dane-ee." OURS
			       "[2001:db8:53:0:fb5:33b5:94b4:1900] X=" SUITE
			       " CV=dane C=\"250 2.0.0 Ok, noted\""));
	assert_string_equal(l.verified, "verified");
	assert_true(reads(REAL "=> probe@b.chunking." OURS "R=mx T=smtp H=b.mx0.chunking." OURS
			       "[2001:db8:53:0:fb5:33b5:94b4:2f80] X=" SUITE
			       " CV=no K C=\"250 2.0.0 Ok, noted\""));
	assert_string_equal(l.verified, "untrusted");
	assert_string_equal(l.text, "250 2.0.0 Ok, noted");
	assert_true(
	    reads(REAL "=> probe@b.starttls-fails." OURS "R=mx T=smtp "
		       "H=b.mx0.starttls-fails." OURS "[203.0.113.14] C=\"250 2.0.0 Ok, noted\""));
	assert_string_equal(l.version, "");
	assert_string_equal(l.dsn, "2.0.0");
	assert_true(reads(ALL
	    "=> probe@b.dual." OURS "F=<probe@s6.sender.example> P=<probe@s6.sender.example> R=mx "
	    "T=smtp S=3828 H=b.mx0.dual." OURS "DS [2001:db8:53:0:c4c:2ae4:d4cf:40]:25 "
	    "I=[2001:db8:1::6:2]:58437 X=" SUITE " CV=yes DN=\"CN=pkix-valid\" L C=\"250 2.0.0 Ok, "
	    "\\\"noted\\\"\" QT=0.324s DT=0.080s"));
	assert_string_equal(l.host, "b.mx0.dual.outpost.example");
	assert_string_equal(l.address, "2001:db8:53:0:c4c:2ae4:d4cf:40");
	assert_int_equal(l.port, 25);
	assert_string_equal(l.verified, "verified");
	assert_int_equal(l.reply, 250);
	assert_string_equal(l.text, "250 2.0.0 Ok, \"noted\"");
}

static void
exim_real_fails(void **state)
{
	(void)state;
	assert_true(reads(REAL "** nobody@b.rcpt-mixed." OURS "R=mx T=smtp H=b.mx0.rcpt-mixed." OURS
			       "[2001:db8:53:0:fb5:33b5:94b4:2f00] X=" SUITE
			       " CV=yes: SMTP error from remote mail server after RCPT "
			       "TO:<nobody@b.rcpt-mixed.outpost.example>: 550 5.1.1 There is no "
			       "such mailbox here"));
	assert_string_equal(l.text, "550 5.1.1 There is no such mailbox here");
	assert_true(reads(ALL
	    "** probe@b.reject-data." OURS
	    "F=<probe@s6.sender.example> P=<probe@s6.sender.example> "
	    "R=mx T=smtp H=b.mx0.reject-data." OURS "DS [2001:db8:53:0:c4c:2ae4:d4cf:3040]:25 "
	    "I=[2001:db8:1::6:2]:54451 X=" SUITE " CV=yes DN=\"CN=pkix-valid\": SMTP error from "
	    "remote mail server after end of data: 554 5.7.1 This content is not wanted here "
	    "DT=0.018s"));
	assert_string_equal(l.what, "refused");
	assert_string_equal(l.address, "2001:db8:53:0:c4c:2ae4:d4cf:3040");
	assert_string_equal(l.version, "TLSv1.3");
	assert_int_equal(l.reply, 554);
	assert_string_equal(l.dsn, "5.7.1");
	assert_string_equal(l.text, "554 5.7.1 This content is not wanted here");
	assert_true(
	    reads(REAL "** probe@b.mx-null.outpost.example: an MX or SRV record indicated no "
		       "SMTP service"));
	assert_string_equal(l.to, "probe@b.mx-null.outpost.example");
	assert_string_equal(l.text, "an MX or SRV record indicated no SMTP service");
	assert_string_equal(l.host, "");
	assert_true(
	    reads(REAL "** probe@b.dane-ta-expired.outpost.example: retry timeout exceeded"));
	assert_string_equal(l.what, "refused");
	assert_string_equal(l.text, "retry timeout exceeded");
	assert_true(reads(REAL "== probe@b.dane-no-starttls." OURS "R=mx T=smtp defer (-38) "
			       "H=b.mx0.dane-no-starttls." OURS "[203.0.113.14]: a TLS session is "
			       "required, but the server did not offer TLS support"));
	assert_string_equal(l.what, "deferred");
	assert_string_equal(l.address, "203.0.113.14");
	assert_string_equal(
	    l.text, "a TLS session is required, but the server did not offer TLS support");
	assert_true(reads(ALL
	    "== probe@b.greylist." OURS "R=mx T=smtp defer (-44) H=b.mx0.greylist." OURS "DS "
	    "[203.0.113.12]:25 I=[198.51.100.50]:55141 DT=0.000s: SMTP error from remote mail "
	    "server after RCPT TO:<probe@b.greylist.outpost.example>: 450 4.7.1 Greylisted, please "
	    "come back in five minutes"));
	assert_int_equal(l.reply, 450);
	assert_string_equal(l.text, "450 4.7.1 Greylisted, please come back in five minutes");
	assert_true(
	    reads(REAL "== probe@b.dnssec-bogus." OURS "R=mx defer (-1): host lookup did not "
		       "complete"));
	assert_string_equal(l.text, "host lookup did not complete");
	/* Nothing was tried: a line at each run of the queue. */
	assert_false(reads(REAL "== probe@b.greylist." OURS "routing defer (-52): retry time not "
				"reached"));
	assert_false(reads(ALL "== probe@b.greylist." OURS "routing defer (-52) DT=0.000s: retry "
			       "time not reached"));
	assert_false(
	    reads(REAL "== probe@b.dane-ee-mismatch." OURS "R=mx T=smtp defer (-54): retry "
		       "time not reached for any host for 'b.outpost.example'"));
	/* A stranger may say the same. */
	assert_true(
	    reads(REAL "== a@b.example R=mx T=smtp defer (-44) H=b.example [192.0.2.1]: SMTP "
		       "error from remote mail server after DATA: 451 defer (-52): no"));
	/* A name in a certificate says what it likes. */
	assert_true(reads(REAL "=> a@b.example R=mx T=smtp H=b.example [192.0.2.1] X=TLS1.2:Y:256 "
			       "CV=no DN=\"CN=x\" CV=yes H=c.example [192.0.2.2] C=\"250 ok\""));
	assert_string_equal(l.verified, "untrusted");
	assert_string_equal(l.host, "b.example");
	assert_true(reads(REAL "=> a@b.example R=mx T=smtp H=[192.0.2.1] DN=\"CN=x"));
	assert_string_equal(l.address, "192.0.2.1");
	assert_string_equal(l.host, "");
	assert_true(reads(REAL "=> a@b.example R=mx T=smtp H=b.example"));
	assert_true(read_alone(REAL "=> a@b.example R=mx T=smtp X=TLS1.2:Y:256 CV=n"));
	assert_true(reads(REAL "=> a@b.example R=mx T=smtp H=b.example DS"));
	assert_true(reads(REAL "=> a@b.example R=mx T=smtp C=\"250 \\"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(postfix_messages),
		cmocka_unit_test(postfix_tls),
		cmocka_unit_test(postfix_deliveries),
		cmocka_unit_test(postfix_lies),
		cmocka_unit_test(exim),
		cmocka_unit_test(exim_real),
		cmocka_unit_test(exim_real_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
