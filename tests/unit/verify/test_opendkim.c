/* What libopendkim may do in a process that judges: no file, no socket, once it is warm; and its answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <seccomp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <opendkim/dkim.h>

#include "tests/unit/verify/book.h"
#include "tests/unit/verify/signer.h"
#include "verify/dkim.h"
#include "verify/opendkim.h"

#define TAGS "v=1; a=rsa-sha256; d=s.example; s=k; h=from; bh=@; "

static const char message[] = "From: a@s.example\r\n\r\nbody\r\n";
static struct signer rsa;

static void
read_record(struct dkimkey *k, const char *tags)
{
	char record[2048];

	memset(k, 0, sizeof(*k));
	snprintf(record, sizeof(record), "%sp=%s", tags, rsa.p);
	dkimkey_parse(k, record, strlen(record));
	assert_int_equal(k->state, DKIMKEY_GOOD);
}

/* One signed message and what the library says of it. */
static struct opendkim_answer
ask(const char *tags, const char *key_tags, const char *from, const char *to)
{
	struct sigcheck *c = xmalloc(sizeof(*c));
	struct dkimkey *k = xmalloc(sizeof(*k));
	struct opendkim_question q = { c, k };
	struct opendkim_answer a;
	struct strbuf b = { 0 };
	struct mail m;

	signer_add(&b, &rsa, "DKIM-Signature", tags, message, sizeof(message) - 1);
	if (from != NULL)
		memcpy(memmem(b.s, b.len, from, strlen(from)), to, strlen(to));
	mail_parse(&m, b.s, b.len, &mail_limits);
	assert_int_equal(sigcheck_parse(c, SIGCHECK_MESSAGE, &m.field[0]), 0);
	read_record(k, key_tags);
	opendkim_judge(&a, &q, 1, &m);
	mail_clear(&m);
	strbuf_clear(&b);
	free(k);
	free(c);
	return a;
}

static void
test_answers(void **state)
{
	static const struct {
		const char *tags, *key, *from, *to;
		int opinion, error;
	} rows[] = {
		{ TAGS "b=$", "", NULL, NULL, OPENDKIM_PASS, DKIM_SIGERROR_OK },
		/* "Passed" is set here too. */
		{ TAGS "b=$", "", "body", "BODY", OPENDKIM_FAIL, DKIM_SIGERROR_BADSIG },
		{ TAGS "b=$", "", "a@s", "b@s", OPENDKIM_FAIL, DKIM_SIGERROR_BADSIG },
		{ TAGS "b=$", "s=web; ", NULL, NULL, OPENDKIM_FAIL, DKIM_SIGERROR_NOTEMAILKEY },
		{ TAGS "b=$", "h=sha1; ", NULL, NULL, OPENDKIM_FAIL,
		    DKIM_SIGERROR_KEYHASHMISMATCH },
		{ TAGS "l=99; b=$", "", NULL, NULL, OPENDKIM_FAIL, DKIM_SIGERROR_TOOLARGE_L },
		/* Ended by any clock: no business of the library. */
		{ TAGS "t=1; x=2; b=$", "", NULL, NULL, OPENDKIM_NO_OPINION,
		    DKIM_SIGERROR_EXPIRED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct opendkim_answer a = ask(rows[i].tags, rows[i].key, rows[i].from, rows[i].to);
		assert_int_equal(a.opinion, rows[i].opinion);
		assert_int_equal(a.error, rows[i].error);
		assert_true(a.text[0] != '\0'); /* the library has NULL for its error -1 */
	}
}

static void
test_nothing_to_ask(void **state)
{
	struct opendkim_answer a;
	struct mail m;

	(void)state;
	mail_parse(&m, message, sizeof(message) - 1, &mail_limits);
	opendkim_judge(&a, NULL, 0, &m);
	mail_clear(&m);
}

/* --- no file --- */

static void
confine(void)
{
	static const char *const calls[] = { "read", "write", "brk", "mmap", "munmap", "mremap",
		"madvise", "mprotect", "futex", "exit_group", "rt_sigprocmask" };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(calls[i]), 0) != 0)
			_exit(90);
	if (seccomp_load(filter) != 0)
		_exit(91);
}

static int
judge_confined(const struct strbuf *b, const struct book_row *table)
{
	struct dkim_result *r = xmalloc(sizeof(*r));
	struct lookups *book = lookups_new(10);
	struct mail m;

	if (dkim_warm_up() < 0)
		return 92;
	confine();
	mail_parse(&m, b->s, b->len, &mail_limits);
	while (dkim_judge(&m, 1, book, r) == VERIFY_NEED)
		book_answer(book, table);
	return (int)r->verdict + (r->sig[0].opendkim_asked ? 0 : 50);
}

static void
test_no_file(void **state)
{
	struct book_row table[2] = { { .name = "k._domainkey.s.example" } };
	struct strbuf b = { 0 };
	char record[2048];
	int status;
	pid_t pid;

	(void)state;
#if defined(OUTPOST_DEBUG)
	print_message("the sanitizers make calls of their own\n");
	skip();
#endif
	snprintf(record, sizeof(record), "p=%s", rsa.p);
	table[0].text = record;
	signer_add(&b, &rsa, "DKIM-Signature", TAGS "b=$", message, sizeof(message) - 1);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(judge_confined(&b, table));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, DKIM_IS_PASS << 8);
	strbuf_clear(&b);
}

static int
set_up(void **state)
{
	(void)state;
	signer_rsa(&rsa, 2048);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	signer_clear(&rsa);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: it is to warm the library up itself. */
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_nothing_to_ask),
	};

	return cmocka_run_group_tests_name("opendkim", tests, set_up, tear_down);
}
