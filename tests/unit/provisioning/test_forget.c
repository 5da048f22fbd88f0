/* Nothing of a participant is left, and all of the others is. */
#include "tests/unit/provisioning/fixture.h"

#include <fcntl.h>
#include <sys/file.h>

#include "lib/clock.h"
#include "lib/journal.h"
#include "lib/strbuf.h"
#include "provisioning/expire.h"
#include "provisioning/forget.h"
#include "provisioning/runs.h"

static struct fixture f;
static struct site *site;
static struct forget *who;

static int
setup(void **state)
{
	(void)state;
	site = fixture_plain(&f);
	who = forget_new(site);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	forget_free(who);
	site_free(site);
	fixture_free(&f);
	return 0;
}

static void
put(const char *sub, const char *name, const char *line)
{
	char path[512];

	site_path(path, site, sub, name);
	assert_int_equal(journal_append(path, line, strlen(line)), 0);
}

static char *
get(const char *sub, const char *name)
{
	static char text[8192];
	char path[512];
	FILE *in;
	size_t n;

	site_path(path, site, sub, name);
	in = fopen(path, "r");
	n = in != NULL ? fread(text, 1, sizeof text - 1, in) : 0;
	text[n] = '\0';
	if (in != NULL)
		fclose(in);
	return text;
}

static bool
names(const char *text)
{
	return forget_names(who, text, strlen(text));
}

static void
whole(void **state)
{
	(void)state;
	forget_address(who, "ann@shop.example");
	assert_true(names("ann@shop.example"));
	assert_true(names("<Ann@SHOP.example>, \"x\""));
	assert_true(names("to ann@shop.example."));
	assert_true(names("ann@shop.example. And"));
	assert_true(names("xann@shop.example ann@shop.example"));
	assert_false(names("joann@shop.example"));
	assert_false(names("jo.ann@shop.example"));
	assert_false(names("ann@shop.example.org"));
	assert_false(names("ann@shop.examples"));
	assert_false(names("ann@shop.example-x"));
	assert_false(names(""));
	forget_token(who, "abcdefghijklmnop");
	assert_true(names("PROBE@AbCdEfGhIjKlMnOp.dual"));
	assert_false(names("abcdefghijklmno"));
	assert_string_equal(forget_row(who, 0), "ann@shop.example");
	assert_string_equal(forget_row(who, 1), "abcdefghijklmnop");
	assert_null(forget_row(who, 2));
	forget_address(who, "j\xc3\xbcrgen@shop.example");
	assert_true(names("{\"from\":\"j\\u00c3\\u00bcrgen@shop.example\"}"));
	assert_true(names("j\xc3\xbcrgen@shop.example"));
	assert_string_equal(forget_row(who, 2), "j\xc3\xbcrgen@shop.example");
	assert_null(forget_row(who, 3));
	/* a domain as the journals have it, and as a sender says it */
	forget_address(who, "x@xn--bcher-kva.example");
	assert_true(names("x@xn--bcher-kva.example"));
	assert_true(names("to <X@b\xc3\xbc"
			  "cher.example>"));
	assert_true(names("x@b\\u00c3\\u00bc"
			  "cher.example"));
	assert_false(names("x@bcher.example"));
}

#define A "acacacacacacacac"
#define B "bbbbbbbbbbbbbbbb"
#define EVENT(conn, more)                                                                          \
	"{\"v\":1,\"t\":\"2026-11-21T20:00:01.000000Z\",\"node\":\"a\",\"ev\":\"x\",\"conn\":"     \
	"\"" conn "\"" more "}"

static int
on_cut(void *ctx, const char *name, uint64_t size)
{
	strbuf_printf(ctx, "%s %llu;", name, (unsigned long long)size);
	return 0;
}

static void
on_left(void *ctx, const char *path)
{
	strbuf_printf(ctx, "%s;", strrchr(path, '/') + 1);
}

/* The address leads to the token, the token to its connections; another one on the same connection stays. */
static void
everything(void **state)
{
	struct forgotten logs = { 0 }, journals = { 0 };
	struct forget_proof proof = { 0 };
	struct strbuf said = { 0 };
	char path[512];
	int fd;

	(void)state;
	put("state", "enrol.jsonl", "{\"token\":\"" A "\",\"label\":\"Ann@shop.example\"}");
	put("state", "enrol.jsonl", "{\"token\":\"" B "\",\"label\":\"bob@shop.example\"}");
	put("state", "runs.jsonl", "{\"run\":\"x\",\"token\":\"" A "\"}");
	put("log", "a-smtpd-0-1.jsonl", EVENT("1", ""));
	put("log", "a-smtpd-0-1.jsonl", EVENT("1", ",\"token\":\"" A "\""));
	put("log", "a-smtpd-0-1.jsonl", EVENT("1", ",\"token\":\"" B "\""));
	put("log", "a-smtpd-0-1.jsonl", EVENT("2", ",\"token\":\"" B "\""));
	put("log", "a-smtpd-1-1.jsonl",
	    EVENT("3", ",\"token\":\"" B "\",\"from\":\"ann@shop.example\""));
	put("log", "a-authdns-0-1.jsonl", EVENT("9", ",\"qname\":\"AcacAcacacacaCAC.dual\""));
	put("log", "a-authdns-1-1.jsonl", EVENT("10", ",\"qname\":\"" B ".dual\""));

	forget_address(who, "ann@shop.example");
	assert_int_equal(forget_look(who), 0);
	/* B wrote as Ann once: that is Ann's too */
	assert_string_equal(forget_row(who, 1), A);
	assert_string_equal(forget_row(who, 2), B);
	forget_free(who);
	who = forget_new(site);
	forget_token(who, A);
	assert_int_equal(forget_look(who), 0);

	/* a segment that is written is left alone, and told */
	site_path(path, site, "log", "a-authdns-0-1.jsonl");
	fd = open(path, O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(forget_logs(who, &logs, on_cut, &said), 0);
	assert_int_equal(logs.busy, 1);
	assert_int_equal(logs.lines, 2);
	assert_non_null(strstr(said.s, "a-smtpd-0-1.jsonl 2"));
	close(fd);
	strbuf_reset(&said);
	assert_int_equal(forget_prove(who, &proof, on_left, &said), 0);
	assert_int_equal(proof.left, 3);
	assert_non_null(strstr(said.s, "a-authdns-0-1.jsonl;"));
	memset(&logs, 0, sizeof logs);
	assert_int_equal(forget_logs(who, &logs, NULL, NULL), 0);
	assert_int_equal(logs.busy, 0);
	assert_int_equal(logs.lines, 1);
	assert_int_equal(logs.files, 4);
	assert_int_equal(forget_state(who, &journals), 0);
	assert_int_equal(journals.lines, 2);
	memset(&proof, 0, sizeof proof);
	strbuf_reset(&said);
	assert_int_equal(forget_prove(who, &proof, on_left, &said), 0);
	assert_int_equal(proof.left, 0);
	assert_true(proof.files > 10 && proof.octets > 1000);

	assert_string_equal(
	    get("state", "enrol.jsonl"), "{\"token\":\"" B "\",\"label\":\"bob@shop.example\"}\n");
	assert_string_equal(get("log", "a-smtpd-0-1.jsonl"),
	    EVENT("1", ",\"token\":\"" B "\"") "\n" EVENT("2", ",\"token\":\"" B "\"") "\n");
	assert_string_equal(get("log", "a-authdns-0-1.jsonl"), "");
	strbuf_clear(&said);
}

/* The proof finds what no journal reader would: across blocks, in any file. */
static void
proved(void **state)
{
	struct forget_proof proof = { 0 };
	struct strbuf said = { 0 };
	char path[512], *zeros = xcalloc(1, (1u << 20) - 5);
	FILE *out;

	(void)state;
	site_path(path, site, "run", "odd.bin");
	out = fopen(path, "w");
	assert_non_null(out);
	fwrite(zeros, 1, (1u << 20) - 5, out);
	fputs("ACACACACACACACAC", out);
	fclose(out);
	free(zeros);
	forget_token(who, A);
	assert_int_equal(forget_prove(who, &proof, on_left, &said), 0);
	assert_int_equal(proof.left, 1);
	assert_string_equal(said.s, "odd.bin;");
	strbuf_clear(&said);
}

static void
expired(void **state)
{
	int64_t now = clock_now();
	struct timespec old[2] = { { .tv_sec = 1000000 }, { .tv_sec = 1000000 } };
	struct enrolment e;
	struct expired done;
	char path[512];
	int fd;

	(void)state;
	assert_int_equal(enrol_new(&e, site, "quick", "old", now - 10 * CLOCK_SECOND), 0);
	assert_int_equal(enrol_new(&e, site, "quick", "edge", now), 0);
	put("state", "optouts.jsonl",
	    "{\"t\":\"1999-01-01T00:00:00.000000Z\",\"kind\":\"as\",\"what\":\"AS1\"}");
	put("log", "a-smtpd-0-1.jsonl", "{}");
	put("log", "a-smtpd-0-2.jsonl", "{}");
	put("log", "a-smtpd-0-3.jsonl", "{}");
	site_path(path, site, "log", "a-smtpd-0-1.jsonl");
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	site_path(path, site, "log", "a-smtpd-0-2.jsonl");
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	fd = open(path, O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(expire_files(&done, site, now), 0);
	assert_int_equal(done.segments, 1);
	assert_int_equal(done.octets, 3);
	assert_int_equal(done.lines, 1);
	assert_string_equal(get("log", "a-smtpd-0-1.jsonl"), "");
	assert_string_equal(get("log", "a-smtpd-0-2.jsonl"), "{}\n");
	assert_string_equal(get("log", "a-smtpd-0-3.jsonl"), "{}\n");
	assert_null(strstr(get("state", "enrol.jsonl"), "\"old\""));
	assert_non_null(strstr(get("state", "enrol.jsonl"), "\"edge\""));
	assert_non_null(strstr(get("state", "optouts.jsonl"), "AS1"));
	close(fd);
	assert_int_equal(expire_files(&done, site, now), 0);
	assert_int_equal(done.segments, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whole, setup, teardown),
		cmocka_unit_test_setup_teardown(everything, setup, teardown),
		cmocka_unit_test_setup_teardown(proved, setup, teardown),
		cmocka_unit_test_setup_teardown(expired, setup, teardown),
	};

	return cmocka_run_group_tests_name("forget", tests, NULL, NULL);
}
