/* judges.c - see judges.h. */
#include "smtpd/judges.h"

#include "lib/json.h"
#include "verify/spf2.h"

/* The reverse-path is what receivers decide by. */
static enum verify_step
run_libspf2(const struct verify_input *in, struct lookups *book, struct strbuf *json)
{
	const struct spf_input spf = { .identity = SPF_MAIL_FROM,
		.client = in->client,
		.helo = in->helo,
		.from = in->from,
		.us = in->us,
		.now = in->now };
	struct spf2_result r;

	if (spf2_check(&spf, book, &r) == VERIFY_NEED)
		return VERIFY_NEED;
	json_begin(json, NULL, '{');
	json_put(json, "result", spf_verdict_word(r.verdict));
	json_end(json, '}');
	return VERIFY_DONE;
}

const struct judge judges[POOL_JUDGES] = {
	[JUDGE_OURS] = { "ours", verify_run },
	[JUDGE_LIBSPF2] = { "libspf2", run_libspf2 },
};
