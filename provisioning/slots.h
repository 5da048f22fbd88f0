/* slots.h - policy certificates that are issued ahead.  mta-sts.TOKEN.TEST.BASE fits no wildcard (RFC 6125
 * 6.4.3: one label), so on a public site, where a public CA signs, a token must be there before its
 * certificate is asked for: a slot is a token that nobody has yet, a key of its own and one certificate for all
 * policy hosts of a set.  Whoever enrols gets the next slot of the set.
 *
 *   state/pool.jsonl        a line for each slot that has its certificate: token, set, end; one for each that
 *                           was taken
 *   keys/pool/TOKEN.pem     its key
 *   certs/pool/TOKEN.csr    the request (PKCS #10), until the certificate is there
 *   certs/pool/TOKEN.pem    the certificate and its chain, as the CA gave it
 *
 * The CA is asked by a program of the operator's (outpost certs --issue). */
#ifndef PROVISIONING_SLOTS_H
#define PROVISIONING_SLOTS_H

#include <openssl/ssl.h>

#include "provisioning/site.h"

#define SLOTS_NAMES_MAX 100 /* names in one certificate, the limit of public CAs */
#define SLOTS_MARGIN                                                                               \
	(30LL * 86400) /* seconds that a certificate must still be good for, to be given out */

struct slot {
	struct token token;
	char set[256];
	int64_t until_us; /* end of the certificate */
	bool taken;       /* set and until_us are not told */
};

/* Hosts whose certificates are to be valid: "mta-sts.TOKEN.TEST.BASE" for every test of the set that has such
 * a policy, "tlsrpt.TOKEN.TEST.BASE" where reports are taken, if the test has addresses for them.  Heap, freed by slots_names_free. */
size_t slots_names(char ***dst, const struct site *, const struct token *, const char *set);
void slots_names_free(char **names, size_t n);

/* A token, its key and its request for the set; the paths of the request and of the certificate to come.
 * 0, or -1 logged. */
int slots_request(
    struct slot *dst, char csr[512], char chain[512], const struct site *, const char *set);
/* The certificate has come: does it fit key and names, is it good for long enough?  Then the slot is ready.
 * 0, or -1 logged. */
int slots_accept(struct slot *, const struct site *, int64_t now_us);
/* Takes key, request and certificate of the slot away. */
void slots_remove(const struct site *, const struct token *);

/* Calls row for each line: a slot that became ready, or (taken) one that somebody got, as journal_read does. */
int slots_each(const struct site *, int (*row)(void *ctx, const struct slot *), void *ctx);
/* Takes the next slot of the set that nobody has and that is good for SLOTS_MARGIN at least: 1; 0: there is none;
 * -1: logged.  Only for who holds the lock of state/enrol.jsonl (enrol.c).  What was taken once never comes
 * back, even if the participant is forgotten. */
int slots_take(struct token *dst, const struct site *, const char *set, int64_t now_us);

/* All certificates that are good now, for those who serve them. */
struct slots;
struct slots *slots_load(const struct site *, int64_t now_us); /* NULL: logged */
void slots_free(struct slots *);                               /* accepts NULL */
size_t slots_size(const struct slots *);                       /* for tests */
/* Puts certificate, chain and key for this name into ssl.  false: no slot has it. */
bool slots_use(const struct slots *, SSL *, const char *name);

#endif
