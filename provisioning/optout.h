/* optout.h - who wants no mail from this site, for ever: addresses, mail domains with all below them, networks
 * and autonomous systems, in state/optouts.jsonl.  No mail leaves before this was asked.
 *
 * Addresses and domains are kept as keyed hashes only (HMAC-SHA-256 under the site's secret, 128 bits):
 * the list tells nobody who is on it, and it survives that all else about somebody is forgotten.
 * It is worth what keys/site.secret is worth: who makes that anew has lost the list. */
#ifndef PROVISIONING_OPTOUT_H
#define PROVISIONING_OPTOUT_H

#include "lib/listen.h"
#include "provisioning/optout_address.h"
#include "provisioning/site.h"

#define OPTOUT_FILE     "optouts.jsonl"
#define OPTOUT_HASH     16
#define OPTOUT_LINK_LEN 42 /* [a-z2-7] */

enum optout_kind { OPTOUT_ADDRESS, OPTOUT_DOMAIN, OPTOUT_NETWORK, OPTOUT_AS };
struct optout {
	enum optout_kind kind;
	uint8_t hash[OPTOUT_HASH]; /* address, domain */
	struct in6_addr network;   /* IPv4 as ::ffff:0:0/96 */
	unsigned bits;             /* of 128 */
	uint32_t as;
};

/* "USER@DOMAIN", "DOMAIN", "ADDRESS/BITS" or an IP address, "AS64500".  Needs the site's secret.  false: *why
 * is a reason. */
bool optout_parse(struct optout *, const struct site *, const char *text, const char **why);
/* For people: a network or AS as it is, else the kind and the hash. */
void optout_format(char dst[96], const struct optout *);
const char *optout_kind_name(enum optout_kind);

/* The way out that stands in every mail: names the address by its hash, is valid for ever and needs no
 * memory of the mail; nobody else can make it. */
void optout_link(char dst[OPTOUT_LINK_LEN + 1], const struct site *, const char *address);
bool optout_link_read(struct optout *, const struct site *, const char *link);

/* All of them, in memory. */
struct optouts;
struct optouts *optouts_open(const struct site *); /* NULL: logged */
void optouts_close(struct optouts *);              /* accepts NULL */
int optouts_refresh(struct optouts *);             /* what others appended; 0, or -1 logged */
size_t optouts_number(const struct optouts *, enum optout_kind);
int optouts_each(const struct optouts *,
    int (*row)(void *ctx, const struct optout *, int64_t t_us, const char *by), void *ctx);

/* Appends it unless it is there.  by: "command", "link", "page"; client: runs_client() of who asked over the
 * web, or 0.  A client's is appended even if it is there: what it costs and counts tells nobody that it was.  1: it was
 * there already, 0, or -1 logged. */
int optouts_add(
    struct optouts *, const struct optout *, const char *by, uint64_t client, int64_t now_us);
/* How many this client added on the day that is part of its hash. */
unsigned optouts_of(const struct optouts *, uint64_t client);

/* Is the address out, its mailbox, its domain, or one above that?  What is no address is out, and so is what is
 * below the site's own base: that mail would be measured as if a participant had sent it. */
bool optouts_has_address(const struct optouts *, const char *address);
bool optouts_has(const struct optouts *, const struct optout *); /* exactly this one */
bool optouts_has_network(const struct optouts *, const union sockaddr_any *);
bool optouts_has_as(const struct optouts *, uint32_t as);

#endif
