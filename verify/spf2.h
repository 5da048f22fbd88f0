/* spf2.h - what libspf2 says of the same mail: many receivers ask it and nothing else.
 *
 * Only for a process that may die: a record can make the library write over its stack and abort
 * (CVE-2023-42118, open in Debian 12), and it aborts by itself where it runs out of memory.  It calls
 * uname(2) (gethostname) each time, and writes nothing anywhere.
 *
 * Measured with libspf2 1.2.10 against the public suite of RFC 7208: see tests/unit/verify/test_spf2.c.
 * It takes any client on 127.0.0.0/8 or ::1 for good, and knows no limit of void lookups. */
#ifndef VERIFY_SPF2_H
#define VERIFY_SPF2_H

#include <stdbool.h>

#include "verify/lookup.h"
#include "verify/spf.h"

struct spf2_result {
	enum spf_verdict verdict;
	bool invalid;     /* it said "(invalid)": the verdict is what its error code stands for */
	char reason[512]; /* in its words, printable ASCII as in spf.h */
	char explanation[512]; /* of the domain; "" if there is none */
};

/* As spf_check: an answer that is missing is noted in the book, and then the result is no result. */
enum verify_step spf2_check(const struct spf_input *, struct lookups *, struct spf2_result *);

#endif
