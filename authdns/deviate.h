/* deviate.h - what the test file changes about an answer that was chosen already, so that denial and
 * bitmaps always tell of the undeviated zone. */
#ifndef AUTHDNS_DEVIATE_H
#define AUTHDNS_DEVIATE_H

#include "authdns/answer.h"
#include "provisioning/phase.h"

struct deviation {
	int rcode; /* -1: as it is */
	bool drop, tc, no_edns, change_case;
	int64_t delay_us;
	bool has_ttl;
	uint32_t ttl;
	unsigned pad; /* length to which the answer is padded */
	/* what was applied, ", " between; "" nothing */
	char text[160];
};
void deviation_note(struct deviation *, const char *text);

struct circumstances {
	const struct phase_memory
	    *memory; /* its ctx NULL: conditions of age and count never hold */
	const union sockaddr_any *peer;
	int64_t now_us;
	bool tcp, may_delay;
};
/* Rules of the zone that answers; none in BASE and for referrals. */
void deviate(struct deviation *dst, const struct place *, const struct dns_query *,
    const struct circumstances *);

/* How the RRset of this type at this name is to be signed. */
enum sign_mode deviate_sign(const struct place *, const struct zone *, uint16_t type, bool at_apex,
    const struct circumstances *);
const char *sign_mode_text(enum sign_mode); /* "sign corrupt" */

#endif
