/* judge_wire.h - what the verifier and the process that judges one message say to each other: one
 * request (who sent the message, and the book of answers so far), one answer (the questions that are
 * missing, or the results).
 *
 * The request comes from the verifier and is trusted.  The answer comes from a process that has read
 * what a stranger wrote: it may be anything, of any length.  Pure. */
#ifndef SMTPD_JUDGE_WIRE_H
#define SMTPD_JUDGE_WIRE_H

#include "lib/strbuf.h"
#include "verify/lookup.h"
#include "verify/verify.h"

#define JUDGE_LOOKUPS_MAX VERIFY_LOOKUPS_MAX /* questions for one message */
#define JUDGE_ANSWER_MAX  1048576         /* octets of an answer: all of them, each a long name */
#define JUDGE_RESULT_MAX  VERIFY_JSON_MAX /* octets of results */

/* Appends.  The message itself travels beside it. */
void judge_put_request(struct strbuf *, const struct verify_input *, const struct lookups *);
/* Strings point into bytes, which end in a NUL behind len; message and len are left alone.  NULL: no
 * request, or out of memory; else a book that the caller frees. */
struct lookups *judge_get_request(struct verify_input *, const char *bytes, size_t len);

/* Appends what the book waits for, or json if it waits for nothing more. */
void judge_put_needs(struct strbuf *, const struct lookups *);
void judge_put_result(struct strbuf *, const char *json, size_t len);

enum judge_answer {
	JUDGE_NEEDS,  /* the book has at least one more question that waits */
	JUDGE_RESULT, /* *json, *len: a JSON object within its limit, in bytes */
	JUDGE_LIES    /* why says what is wrong; the book may have more questions */
};
enum judge_answer judge_get_answer(struct lookups *, const char *bytes, size_t len,
    const char **json, size_t *json_len, const char **why);

#endif
