/* The invitation as a receiver reads it: fields, both bodies, the signature under the published key. */
#include "tests/unit/provisioning/fixture.h"

#include <openssl/evp.h>

#include "lib/clock.h"
#include "provisioning/invitations.h"
#include "provisioning/invite.h"
#include "provisioning/keys.h"

static struct fixture f;
static struct site *site;

static int
setup(void **state)
{
	(void)state;
	site = fixture_plain(&f);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	site_free(site);
	fixture_free(&f);
	return 0;
}

#define TOKEN "acacacacacacacac"

static struct invitation
invitation(char *const *rcpt, size_t n)
{
	return (struct invitation){ .site = site,
		.token = TOKEN,
		.address = "reader@shop.example",
		.rcpt = rcpt,
		.n_rcpt = n,
		.number = 1,
		.of = 2,
		.page = "https://probe.example/run/abc",
		.optout = "https://probe.example/optout/def?a=1&b=2",
		.about = "https://probe.example/privacy",
		.now_us = INT64_C(1795305600) * CLOCK_SECOND };
}

static void
has(const char *text, const char *piece)
{
	if (strstr(text, piece) == NULL)
		fail_msg("\"%s\" is missing in:\n%s", piece, text);
}

static void
read_it(void **state)
{
	char *rcpt[] = { "probe@" TOKEN ".plain.probe.example",
		"probe@" TOKEN ".other.probe.example" };
	struct invitation v = invitation(rcpt, 2);
	struct strbuf b = { 0 };
	char msgid[INVITE_MSGID_SIZE], *head;

	(void)state;
	assert_int_equal(invite_build(&b, msgid, &v, NULL), 0);
	has(b.s, "From: Outpost <invitation@" TOKEN ".out.probe.example>\r\n");
	has(b.s, "\r\nTo: reader@shop.example,\r\n probe@" TOKEN
		 ".plain.probe.example,\r\n probe@" TOKEN ".other.probe.example\r\n");
	has(b.s, "\r\nReply-To: probe@" TOKEN ".plain.probe.example,\r\n probe@" TOKEN
		 ".other.probe.example\r\n");
	has(b.s, "(1 of 2)\r\nDate: Sun, 22 Nov 2026 00:00:00 +0000\r\n");
	has(b.s, "\r\nList-Unsubscribe: <https://probe.example/optout/def?a=1&b=2>\r\n"
		 "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
	has(b.s, "\r\nAuto-Submitted: auto-generated\r\n");
	has(b.s, "\r\nContent-Type: multipart/alternative; boundary=\"");
	has(b.s, "https://probe.example/run/abc\r\n");
	has(b.s, "href=\"https://probe.example/optout/def?a=1&amp;b=2\"");
	has(b.s, "message 1 of 2");
	has(b.s, msgid);
	/* ASCII, CRLF only, no line that SMTP would not carry */
	for (size_t i = 0, line = 0; i < b.len; i++, line++) {
		assert_true((unsigned char)b.s[i] < 0x80);
		assert_true(b.s[i] != '\n' || (i > 0 && b.s[i - 1] == '\r'));
		assert_true(b.s[i] != '\r' || b.s[i + 1] == '\n');
		assert_true(line <= 998);
		if (b.s[i] == '\n')
			line = 0;
	}
	head = strstr(b.s, "\r\n\r\n");
	assert_non_null(head);
	*head = '\0';
	assert_null(strstr(b.s, "reader@shop.example,\r\n reader"));
	strbuf_clear(&b);

	v.of = 1;
	v.reminder = true;
	assert_int_equal(invite_build(&b, msgid, &v, NULL), 0);
	has(b.s, "\r\nSubject: Reminder: Please answer all");
	assert_null(strstr(b.s, "answer each of them"));
	strbuf_clear(&b);
}

static void
further(void **state)
{
	struct invitation v = invitation(NULL, 0);
	static const char *const from[] = { "<dsn@" TOKEN ".lim.out.probe.example>",
		"<dsn@" TOKEN ".void.out.probe.example>",
		"<dsn@a.b." TOKEN ".tree.out.probe.example>" };
	char *rcpt[] = { "probe@" TOKEN ".plain.probe.example" }, msgid[INVITE_MSGID_SIZE];
	struct strbuf b = { 0 };

	(void)state;
	for (size_t i = 0; i < INVITE_EXTRAS; i++) {
		assert_int_equal(invite_build_extra(&b, msgid, &v, &invite_extras[i]), 0);
		assert_memory_equal(b.s, "From: ", 6);
		has(b.s, from[i]);
		has(b.s, msgid);
		has(b.s, "\r\nTo: reader@shop.example\r\n");
		has(b.s, "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
		has(b.s, "\r\nAuto-Submitted: auto-generated\r\n");
		has(b.s, "https://probe.example/optout/def?a=1&b=2\r\n");
		assert_null(strstr(b.s, "probe@"));
		strbuf_clear(&b);
	}
	/* it is announced where it follows */
	v = invitation(rcpt, 1);
	assert_int_equal(invite_build(&b, msgid, &v, NULL), 0);
	assert_null(strstr(b.s, "three short messages"));
	strbuf_clear(&b);
	v.extra = true;
	assert_int_equal(invite_build(&b, msgid, &v, NULL), 0);
	has(b.s, "three short messages");
	has(strstr(b.s, "<html"), "three short messages");
	strbuf_clear(&b);
}

static void
signed_too(void **state)
{
	char *rcpt[] = { "probe@" TOKEN ".plain.probe.example" }, msgid[INVITE_MSGID_SIZE];
	struct invitation v = invitation(rcpt, 1);
	EVP_PKEY *key = keys_generate(8);
	struct strbuf b = { 0 };

	(void)state;
	assert_int_equal(invite_build(&b, msgid, &v, key), 0);
	assert_memory_equal(b.s,
	    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td=" TOKEN
	    ".out.probe.example;\r\n\ts=s1; t=1795305600;\r\n\th=From:",
	    92);
	/* all of our fields, and a second From, To or Subject would break it */
	has(b.s, "Reply-To:");
	has(b.s, "List-Unsubscribe-Post:");
	has(b.s, "From:To:Subject;");
	EVP_PKEY_free(key);
	strbuf_clear(&b);
}

/* --- who is to be written to ----------------------------------------------------------------------------------- */

#define T1  "acacacacacacacac"
#define T2  "bcbcbcbcbcbcbcbc"
#define DAY (86400 * CLOCK_SECOND)

static void
states(void **state)
{
	struct invitations *all = invitations_open(site), *again;
	const struct invitee *e;
	int64_t now = clock_now();

	(void)state;
	assert_non_null(all);
	assert_int_equal(invitations_ask(all, T1, "a@shop.example", "one, two", now - 2 * DAY), 0);
	assert_int_equal(invitations_ask(all, T2, "b@shop.example", "", now), 0);
	assert_int_equal(invitations_number(all), 2);
	assert_non_null(invitations_find(all, "a@shop.example", "one, two"));
	assert_null(invitations_find(all, "a@shop.example", ""));
	e = invitations_of(all, T1);
	assert_int_equal(e->state, INVITATION_ASKED);
	assert_int_equal(invitations_note(all, T1, INVITATION_BEGUN, NULL, now - 2 * DAY), 0);
	assert_int_equal(invitations_of(all, T1)->state, INVITATION_BEGUN);
	assert_int_equal(invitations_note(all, T1, INVITATION_SENT, NULL, now - 2 * DAY), 0);
	assert_int_equal(invitations_of(all, T1)->reminders, 0);
	assert_int_equal(invitations_note(all, T1, INVITATION_BEGUN, NULL, now), 0);
	assert_int_equal(invitations_of(all, T1)->reminders, 1);
	/* not taken: it waits again, and was never written to */
	assert_int_equal(invitations_note(all, T2, INVITATION_BEGUN, NULL, now), 0);
	assert_int_equal(invitations_note(all, T2, INVITATION_ASKED, "later", now), 0);
	assert_true(invitations_of(all, T2)->sent_us == 0);
	assert_int_equal(invitations_of(all, T2)->state, INVITATION_ASKED);
	assert_string_equal(invitations_of(all, T2)->address, "b@shop.example");
	assert_int_equal(invitations_note(all, T2, INVITATION_REFUSED, "opted \"out\"", now), 0);
	again = invitations_open(site);
	e = invitations_of(again, T2);
	assert_int_equal(e->state, INVITATION_REFUSED);
	assert_string_equal(e->why, "opted \"out\"");
	assert_string_equal(e->address, "b@shop.example");
	assert_string_equal(invitations_of(again, T1)->tags, "one, two");
	assert_null(invitations_of(again, "cccccccccccccccc"));
	invitations_close(again);
	invitations_close(all);
}

static void
counted(void **state)
{
	struct invitations *all = invitations_open(site);
	int64_t now = clock_now();

	(void)state;
	assert_int_equal(invitations_ask(all, T1, "a@shop.example", "", now), 0);
	assert_int_equal(invitations_ask(all, T2, "b@shop.example", "", now), 0);
	assert_int_equal(invitations_address(all, "a@shop.example", true, now), 1);
	assert_int_equal(invitations_address(all, "a+more@shop.example", true, now), 1);
	assert_int_equal(invitations_address(all, "a@shop.example", false, now), 0);
	assert_int_equal(invitations_domain(all, "shop.example", true, now), 2);
	assert_int_equal(invitations_domain(all, "hop.example", true, now), 0);
	/* who has the domain can make as many below it as they like */
	assert_int_equal(invitations_domain(all, "mail.shop.example", true, now), 2);
	assert_int_equal(invitations_domain(all, "example", true, now), 0);
	assert_int_equal(invitations_note(all, T1, INVITATION_BEGUN, NULL, now), 0);
	assert_int_equal(invitations_note(all, T1, INVITATION_SENT, NULL, now), 0);
	assert_int_equal(invitations_address(all, "a@shop.example", false, now), 1);
	assert_int_equal(invitations_domain(all, NULL, false, now), 1);
	/* so do the further messages, once they were taken */
	assert_int_equal(invitations_note(all, T1, INVITATION_EXTRA, NULL, now), 0);
	assert_int_equal(invitations_address(all, "a@shop.example", false, now), 2);
	assert_int_equal(invitations_note(all, T1, INVITATION_SENT, "later", now), 0);
	assert_int_equal(invitations_address(all, "a@shop.example", false, now), 1);
	/* a day later it counts no more */
	assert_int_equal(invitations_address(all, "a@shop.example", false, now + DAY - 1), 1);
	assert_int_equal(invitations_address(all, "a@shop.example", false, now + DAY), 0);
	invitations_close(all);
}

/* A study: whatever the number, a look is a few steps, and the file says what memory says. */
static void
thousands(void **state)
{
	struct invitations *all = invitations_open(site), *again;
	static char token[3000][TOKEN_LEN + 1], address[3000][64];
	static struct ask ask[3000];
	int64_t now = clock_now();

	(void)state;
	for (int i = 0; i < 3000; i++) {
		snprintf(token[i], sizeof *token, "%c%c%cacacacacacaca", 'a' + i % 16,
		    'a' + i / 16 % 16, 'a' + i / 256);
		snprintf(address[i], sizeof *address, "u%d@mx%d.shop%d.co.uk", i, i, i % 10);
		ask[i] = (struct ask){ token[i], address[i], i % 2 ? "odd" : "" };
	}
	assert_int_equal(invitations_ask_all(all, ask, 3000, now), 0);
	assert_int_equal(invitations_number(all), 3000);
	assert_int_equal(invitations_note(all, token[7], INVITATION_BEGUN, NULL, now), 0);
	assert_int_equal(invitations_note(all, token[7], INVITATION_SENT, NULL, now), 0);
	assert_int_equal(invitations_note(all, token[17], INVITATION_BEGUN, NULL, now), 0);
	assert_int_equal(invitations_note(all, token[27], INVITATION_REFUSED, "out", now), 0);
	again = invitations_open(site);
	for (int k = 0; k < 2; k++, all = again) {
		for (int i = 0; i < 3000; i++) {
			const struct invitee *e = invitations_find(
			    all, address[i], i % 2 ? "odd" : "");

			assert_non_null(e);
			assert_string_equal(e->token, token[i]);
			assert_null(invitations_find(all, address[i], i % 2 ? "" : "odd"));
		}
		assert_int_equal(invitations_domain(all, "shop7.co.uk", false, now), 2);
		assert_int_equal(invitations_domain(all, "shop7.co.uk", true, now), 299);
		assert_int_equal(invitations_domain(all, "x.shop8.co.uk", true, now), 300);
		assert_int_equal(invitations_domain(all, "co.uk", true, now), 0);
		assert_int_equal(invitations_domain(all, NULL, false, now), 2);
		assert_int_equal(invitations_domain(all, NULL, true, now), 2999);
		invitations_close(all);
	}
}

/* Only who has the site's secret makes one. */
static void
message_id(void **state)
{
	char *rcpt[] = { "probe@x.example" }, msgid[INVITE_MSGID_SIZE], other[INVITE_MSGID_SIZE];
	char token[TOKEN_LEN + 1] = "";
	struct strbuf b = { 0 };
	struct token t;
	struct invitation v = invitation(rcpt, 1);

	(void)state;
	assert_int_equal(token_new(&t, 0, &site->token_key), 0);
	v.token = t.text;
	v.number = 12;
	for (size_t i = 0; i <= INVITE_EXTRAS; i++) {
		strbuf_reset(&b);
		token[0] = '\0';
		assert_int_equal(i == 0 ? invite_build(&b, msgid, &v, NULL)
					: invite_build_extra(&b, msgid, &v, &invite_extras[i - 1]),
		    0);
		assert_true(invite_msgid_read(site, msgid, token));
		assert_string_equal(token, t.text);
	}
	for (size_t i = 0; i < strlen(msgid); i++) {
		memcpy(other, msgid, sizeof other);
		other[i] = other[i] == 'b' ? 'c' : 'b';
		assert_false(invite_msgid_read(site, other, token));
		other[i] = '\0';
		assert_false(invite_msgid_read(site, other, token));
	}
	memcpy(other, msgid, sizeof other);
	strcat(other, ">");
	assert_false(invite_msgid_read(site, other, token));
	assert_false(invite_msgid_read(site, "", token));
	assert_false(invite_msgid_read(site, "<>", token));
	assert_false(invite_msgid_read(site,
	    "<0123456789abcdef-0123456789abcdef.1@acacacacacacacac.out.probe.example>", token));
	strbuf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(read_it, setup, teardown),
		cmocka_unit_test_setup_teardown(further, setup, teardown),
		cmocka_unit_test_setup_teardown(message_id, setup, teardown),
		cmocka_unit_test_setup_teardown(signed_too, setup, teardown),
		cmocka_unit_test_setup_teardown(states, setup, teardown),
		cmocka_unit_test_setup_teardown(counted, setup, teardown),
		cmocka_unit_test_setup_teardown(thousands, setup, teardown),
	};

	return cmocka_run_group_tests_name("invite", tests, NULL, NULL);
}
