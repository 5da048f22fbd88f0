/* verified.h - what the verifier found about one accepted message, as the events verify.* say it.  Pure.
 *
 * The results are one JSON object inside the event (outpost-events(5)); a member that is not there was not
 * judged, and no word holds of it.  Everything in them may be a stranger's words: describe_said() before
 * they are shown. */
#ifndef RESULTS_VERIFIED_H
#define RESULTS_VERIFIED_H

#include <stdbool.h>

#include "lib/json.h"
#include "lib/strbuf.h"
#include "results/observation.h"
#include "zones/auth.h"

enum verified_state {
	VERIFIED_OPEN,   /* handed to the verifier, which has not answered yet */
	VERIFIED_JUDGED, /* results are there */
	VERIFIED_LOST,   /* there will be none: crashed, skipped, lost, or not handed over */
};
struct verified {
	enum verified_state state;
	const struct observation *event; /* verify.*; NULL: none came */
	const struct json *results;      /* NULL unless judged */
	struct json_doc *doc;            /* owned */
};

/* message: its smtp.message; event: the verify.* event that belongs to it, or NULL. */
struct verified *verified_read(const struct observation *message, const struct observation *event);
void verified_free(struct verified *);

/* Does the word of the method hold of the message? */
bool verified_is(const struct verified *, enum auth_method, const char *word);
/* The result: the first words of the method's row; NULL: not judged. */
const char *verified_result(const struct verified *, enum auth_method);
/* What libspf2 says, "" if it was not asked. */
const char *verified_libspf2(const struct verified *);

/* One line for people, ASCII: "fail by -all in the record of example.org"; of an unjudged message why. */
void verified_describe(struct strbuf *, const struct verified *, enum auth_method);

/* --- members of the results ------------------------------------------------------------------------------ */

/* NULL: not there. */
const struct json *verified_spf(const struct verified *, enum auth_method); /* SPF or HELO */
const struct json *verified_part(const struct verified *, const char *name);
const struct json *verified_signatures(const struct verified *); /* the first */
const struct json *verified_dmarc(const struct verified *, const char *standard);

/* Of any object, which may be NULL: "" and false if absent or of another type. */
const char *verified_text(const struct json *, const char *key);
bool verified_true(const struct json *, const char *key);
bool verified_result_is(const struct json *, const char *word);

/* The verifier's own limits say nothing about who sent: a header that it has not read to its end, signatures
 * beyond those that it looks at. */
bool verified_is_too_large(const struct verified *);
bool verified_has_more_signatures(const struct verified *);

bool verified_is_rsa(const struct json *signature);
/* Did SPF pass for the author's domain, did a signature of it? */
bool verified_by_spf(const struct verified *);
bool verified_by_dkim(const struct verified *);

#endif
