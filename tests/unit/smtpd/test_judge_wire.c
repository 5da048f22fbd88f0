/* What crosses between the verifier and a process that judges: all of it arrives, and whatever else
 * arrives is known for what it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "smtpd/judge_wire.h"

static const struct verify_input input = { .client = "192.0.2.1",
	.helo = "mta.example",
	.from = "\"a b\"@sender.example",
	.us = "mx.example",
	.now = INT64_C(1795294800) };

/* Exactly so much memory, so that a sanitizer sees a read behind it. */
static char *
tight(const struct strbuf *b, size_t len)
{
	char *p = xmalloc(len + 1);

	memcpy(p, b->s, len);
	p[len] = '\0';
	return p;
}

static struct lookups *
some_book(void)
{
	static const uint8_t a[] = { 192, 0, 2, 1 }, b[] = { 192, 0, 2, 2 };
	const struct lookup_rdata two[] = { { a, 4 }, { b, 4 } };
	struct lookups *book = lookups_new(JUDGE_LOOKUPS_MAX);

	lookup_get(book, "Sender.example", 1);
	lookup_put(book, "sender.example", 1, LOOKUP_OK, true, NULL, two, 2);
	lookup_get(book, "bad.example", 16);
	lookup_put(book, "bad.example", 16, LOOKUP_BOGUS, false, "no signatures", NULL, 0);
	lookup_get(book, "waits.example", 15);
	return book;
}

static void
a_request_arrives(void **state)
{
	struct lookups *book = some_book(), *copy;
	struct strbuf b = { 0 };
	struct verify_input in = { .len = 7 };
	const struct lookup *l;
	size_t iter = 0;
	char *p;

	(void)state;
	judge_put_request(&b, &input, book);
	p = tight(&b, b.len);
	copy = judge_get_request(&in, p, b.len);
	assert_non_null(copy);
	assert_string_equal(in.client, input.client);
	assert_string_equal(in.helo, input.helo);
	assert_string_equal(in.from, input.from);
	assert_string_equal(in.us, input.us);
	assert_int_equal(in.now, input.now);
	assert_int_equal(in.len, 7);
	l = lookup_get(copy, "sender.example", 1);
	assert_int_equal(l->status, LOOKUP_OK);
	assert_true(l->secure);
	assert_int_equal(l->n, 2);
	assert_memory_equal(l->rdata[1].data, "\300\0\2\2", 4);
	l = lookup_get(copy, "bad.example", 16);
	assert_int_equal(l->status, LOOKUP_BOGUS);
	assert_string_equal(l->why, "no signatures");
	l = lookup_wanted(copy, &iter);
	assert_string_equal(l->name, "waits.example");
	assert_null(lookup_wanted(copy, &iter));
	lookups_free(copy);
	free(p);
	/* Cut anywhere it is none, but between two answers. */
	for (size_t len = 0; len < b.len; len++) {
		p = tight(&b, len);
		lookups_free(judge_get_request(&in, p, len));
		free(p);
	}
	assert_null(judge_get_request(&in, b.s, 20));
	strbuf_clear(&b);
	lookups_free(book);
}

static enum judge_answer
answer(struct lookups *book, const char *bytes, size_t len, const char **why)
{
	struct strbuf b = { .s = (char *)(uintptr_t)bytes };
	const char *json;
	size_t n;
	char *p = tight(&b, len);
	enum judge_answer a = judge_get_answer(book, p, len, &json, &n, why);

	free(p);
	return a;
}

static void
questions_arrive(void **state)
{
	struct lookups *childs = some_book(), *ours = lookups_new(JUDGE_LOOKUPS_MAX);
	struct strbuf b = { 0 };
	const char *why = NULL;
	size_t iter = 0;

	(void)state;
	judge_put_needs(&b, childs);
	assert_int_equal(answer(ours, b.s, b.len, &why), JUDGE_NEEDS);
	assert_string_equal(lookup_wanted(ours, &iter)->name, "waits.example");
	lookup_put(ours, "waits.example", 15, LOOKUP_NODATA, false, NULL, NULL, 0);
	/* Once more the same: it would never come to an end. */
	assert_int_equal(answer(ours, b.s, b.len, &why), JUDGE_LIES);
	assert_string_equal(why, "asked nothing new");
	for (size_t len = 1; len < b.len; len++)
		assert_int_equal(answer(ours, b.s, len, &why), JUDGE_LIES);
	strbuf_clear(&b);
	lookups_free(childs);
	lookups_free(ours);
}

static void
results_arrive(void **state)
{
	struct lookups *book = lookups_new(JUDGE_LOOKUPS_MAX);
	struct strbuf b = { 0 };
	const char *json, *why;
	size_t len;

	(void)state;
	judge_put_result(&b, "{\"spf\":\"pass\"}", 14);
	assert_int_equal(judge_get_answer(book, b.s, b.len, &json, &len, &why), JUDGE_RESULT);
	assert_int_equal(len, 14);
	assert_memory_equal(json, "{\"spf\":\"pass\"}", 14);
	strbuf_clear(&b);
	lookups_free(book);
}

static void
lies_are_known(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *why;
	} lies[] = {
		{ "", 0, "no answer" }, { "x{}", 3, "an answer that is none" },
		{ "r", 1, "results that are no JSON object" },
		{ "r[]", 3, "results that are no JSON object" },
		{ "r{}{}", 5, "results that are no JSON object" },
		{ "r{\"a\":\"\xff\"}", 9, "results that are no JSON object" },
		{ "n", 1, "asked nothing new" },
		{ "n\377\377\377\377a", 6, "questions that are none" },
		{ "n\1\0\0\0\0\0\1\0", 9, "questions that are none" }, /* a NUL in it */
		{ "n\3\0\0\0a..\0\1\0", 11, "asked nothing new" },     /* no name at all */
	};
	struct lookups *book = lookups_new(JUDGE_LOOKUPS_MAX);
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		why = "";
		assert_int_equal(answer(book, lies[i].bytes, lies[i].len, &why), JUDGE_LIES);
		assert_string_equal(why, lies[i].why);
	}
	lookups_free(book);
}

/* The edges. */
static void
limits(void **state)
{
	struct lookups *book = lookups_new(JUDGE_LOOKUPS_MAX);
	struct strbuf b = { 0 };
	const char *json, *why;
	char *text = xmalloc(JUDGE_RESULT_MAX + 1);
	size_t len;

	(void)state;
	memset(text, ' ', JUDGE_RESULT_MAX + 1);
	memcpy(text, "{}", 2);
	judge_put_result(&b, text, JUDGE_RESULT_MAX);
	assert_int_equal(judge_get_answer(book, b.s, b.len, &json, &len, &why), JUDGE_RESULT);
	strbuf_reset(&b);
	judge_put_result(&b, text, JUDGE_RESULT_MAX + 1);
	assert_int_equal(judge_get_answer(book, b.s, b.len, &json, &len, &why), JUDGE_LIES);
	assert_string_equal(why, "results that are too long");
	/* So many questions, and one more. */
	for (unsigned more = 0; more < 2; more++) {
		strbuf_reset(&b);
		strbuf_add(&b, "n", 1);
		for (unsigned i = 0; i < JUDGE_LOOKUPS_MAX + more; i++) {
			char name[16];

			snprintf(name, sizeof name, "%06u", i);
			strbuf_add(&b, "\6\0\0\0", 4);
			strbuf_add(&b, name, 7);
			strbuf_add(&b, "\1\0", 2);
		}
		assert_int_equal(
		    answer(book, b.s, b.len, &why), more == 0 ? JUDGE_NEEDS : JUDGE_LIES);
	}
	free(text);
	strbuf_clear(&b);
	lookups_free(book);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_arrives),
		cmocka_unit_test(questions_arrive),
		cmocka_unit_test(results_arrive),
		cmocka_unit_test(lies_are_known),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
