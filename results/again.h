/* again.h - did a sender come back with a message that was refused for good?  Pure; private to results/.
 *
 * After the content its Message-ID tells.  Before it, refusals are counted, of one envelope sender (a probe of the
 * address, or somebody else's mail, has another), against the messages that the controls accepted and whose To:
 * names the test.  Those within a minute are one: who tries an address before mailing it does so right before.  If
 * nothing tells how many messages came, or a refusal too many came at once, it may be. */
#ifndef RESULTS_AGAIN_H
#define RESULTS_AGAIN_H

#include "results/evaluate.h"

/* For each attempt of the test: is it one too many?  maybe: does only nothing tell?  To be freed. */
bool *again_find(const struct evaluation *, bool maybe);

#endif
