/* mint.h - certificates for policy hosts, made when somebody asks for one: mta-sts.TOKEN.TEST.BASE fits no
 * wildcard that could be issued ahead (RFC 6125 6.4.3: one label).
 *
 * The CA's key is known to one process only, the mint; workers ask it over a socket that was made before the
 * fork, with a socket for the answer in each question, so that generations of workers never take each
 * other's.  The key of the leaves belongs to the workers: the mint signs a name, it sees no traffic.
 * A worker keeps what it got (bounded, least recently used goes first), and the mint has a rate. */
#ifndef SMTPD_MINT_H
#define SMTPD_MINT_H

#include <openssl/ssl.h>

#include "provisioning/site.h"

/* Made by the parent before it forks; shared by all. */
struct mint_setup {
	int ask[2];  /* workers write to 0, the mint reads from 1 */
	int key[2];  /* key files of the CA and of the CA that nobody trusts, open */
	X509 *ca[2]; /* their certificates */
	EVP_PKEY *leaf, *leaf_ed25519, *leaf_rsa; /* the second and third if a policy wants them */
};
/* 0, or -1 logged. */
int mint_setup_open(struct mint_setup *, const struct site *);
void mint_setup_close(struct mint_setup *);

/* The mint: reads the keys, answers until SIGTERM or SIGHUP.  The exit code. */
int mint_run(const struct mint_setup *, const struct site *);

/* In a worker. */
struct mint; /* what it keeps */
struct mint *mint_new(const struct mint_setup *);
void mint_free(struct mint *);
/* Puts certificate, chain and key for this name into ssl.  Waits for the mint (1 s at most).
 * 0, or -1: there is none, the reason logged once in a while. */
int mint_use(struct mint *, SSL *, enum cert_kind, const char *name);

#endif
