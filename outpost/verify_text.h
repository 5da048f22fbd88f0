/* verify_text.h - the results of verify_run as lines for people: what was judged, what came out, why, and
 * what to do. */
#ifndef OUTPOST_VERIFY_TEXT_H
#define OUTPOST_VERIFY_TEXT_H

#include "lib/json.h"
#include "lib/strbuf.h"

/* results: the object that outpost-events(5) describes at verify.result. */
void verify_text(struct strbuf *, const struct json *results);
/* "spf", "dkim", "arc", "dmarc", "fcrdns": its result; NULL: there is no such judge. */
const char *verify_text_result(const struct json *results, const char *judge);

#endif
