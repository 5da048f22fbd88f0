/* fuzz_judge.c - what a process that judges may answer, and a request.  The first octet chooses which.
 * Promises that are checked: an answer that needs lookups leaves a question that waits, results are
 * within their limit and in the answer, a request that is understood is written the same again. */
#include <stdlib.h>
#include <string.h>

#include "smtpd/judge_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_answer(const char *bytes, size_t len)
{
	struct lookups *book = lookups_new(JUDGE_LOOKUPS_MAX);
	const char *json = NULL, *why = NULL;
	size_t json_len = 0, iter = 0;

	switch (judge_get_answer(book, bytes, len, &json, &json_len, &why)) {
	case JUDGE_NEEDS:
		if (lookup_wanted(book, &iter) == NULL)
			abort();
		break;
	case JUDGE_RESULT:
		if (json_len > JUDGE_RESULT_MAX || json < bytes || json + json_len > bytes + len)
			abort();
		break;
	case JUDGE_LIES:
		if (why == NULL || why[0] == '\0')
			abort();
		break;
	}
	lookups_free(book);
}

static void
try_request(const char *bytes, size_t len)
{
	struct verify_input in = { .message = "" }, again_in = { .message = "" };
	struct lookups *book = judge_get_request(&in, bytes, len), *again;
	struct strbuf first = { 0 }, second = { 0 };

	if (book == NULL)
		return;
	judge_put_request(&first, &in, book);
	again = judge_get_request(&again_in, first.s, first.len);
	if (again == NULL)
		abort();
	judge_put_request(&second, &again_in, again);
	if (first.len != second.len || memcmp(first.s, second.s, first.len) != 0)
		abort();
	lookups_free(again);
	lookups_free(book);
	strbuf_clear(&first);
	strbuf_clear(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes;

	if (size == 0)
		return 0;
	bytes = xmalloc(size);
	memcpy(bytes, data + 1, size - 1);
	bytes[size - 1] = '\0';
	(data[0] % 2 == 0 ? try_answer : try_request)(bytes, size - 1);
	free(bytes);
	return 0;
}
