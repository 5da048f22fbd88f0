/* tie.h - what ties a client to others: what it has proved of itself, not what it says.  Pure.
 *
 * Anybody may say any name in EHLO, and any envelope sender.  What counts:
 *   address   it is the same, or of the same /64
 *   name      the name in EHLO, by the domain that was registered (lib/suffix.h), if it is proved: it has the
 *             address; or a name of the address below the same registered domain leads back to it; or SPF of the
 *             name passes; then also for the other addresses that the name has.  A name that is made of the address (as providers give to all they rent out) stands for
 *             itself alone.
 *   sender    the domain of an envelope sender that SPF passes for, not by "all", "exists" or a network wider
 *             than /12 (IPv6: /32): who may write it is its owner's word
 *   message   the Message-ID, which only who has the message knows; but not of one that came on the way over
 *             another of those who delivered it, as its Received: fields say: that is a forwarder
 *   neighbour the network (/24, /48) together with the name in EHLO, where neither proves a name
 * Proofs come from what the verifier found of messages (verify.result), and hold for all sessions of the
 * address. */
#ifndef RESULTS_TIE_H
#define RESULTS_TIE_H

#include "results/correlate.h"

#define TIES_OF_ADDRESS 16                        /* results that are read of one address */
#define TIES_MAX        (2 * TIES_OF_ADDRESS + 3) /* each proves a name and a sender */
struct ties {
	uint64_t hash[TIES_MAX]; /* of kind and text, other ones in each process; never 0 */
	unsigned n;
	uint64_t message; /* one of them; 0: no Message-ID */
};

struct tie_book;
struct tie_book *tie_book_read(const struct observations *, const char *token);
void tie_book_free(struct tie_book *); /* accepts NULL */

/* Of a session that shows these; "" what it does not show. */
void ties_of(
    struct ties *, const struct tie_book *, const char *peer, const char *ehlo, const char *msgid);

uint64_t tie_network(const char *address); /* /24 or /48; 0: no address */
uint64_t tie_address(const char *address); /* 0: no address */
uint64_t tie_claim(
    const char *ehlo); /* the registered domain of what it says; 0: nothing that tells */
uint64_t tie_text(const char *text);         /* for sets of other things */
int tie_order(const void *a, const void *b); /* of hashes, for qsort and bsearch */

/* Does a Received: field among these name the address? */
bool tie_came_over(const char *headers, const char *address);

#endif
