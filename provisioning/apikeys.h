/* apikeys.h - keys for programs that use the HTTP interface, in state/keys.jsonl.  A key is 160 random bits and is
 * shown once; the file has its SHA-256 (nothing to guess, so no salt), the label, and how many runs a day it
 * may begin. */
#ifndef PROVISIONING_APIKEYS_H
#define PROVISIONING_APIKEYS_H

#include "provisioning/site.h"

#define APIKEYS_FILE     "keys.jsonl"
#define APIKEY_ID_LEN    8
#define APIKEY_TEXT_MAX  50 /* "outpost_ID_SECRET" and the NUL */
#define APIKEY_LIMIT_DAY 100
#define APIKEY_LABEL_MAX 100

struct apikey {
	char id[APIKEY_ID_LEN + 1]; /* [a-z2-7] */
	char label[APIKEY_LABEL_MAX + 1];
	unsigned limit; /* runs a day */
	bool revoked;
	int64_t t_us;
	uint8_t hash[32];
};
struct apikeys;
struct apikeys *apikeys_open(const struct site *); /* NULL: logged */
void apikeys_close(struct apikeys *);              /* accepts NULL */
int apikeys_refresh(struct apikeys *);             /* 0, or -1 logged */
size_t apikeys_number(const struct apikeys *);
const struct apikey *apikeys_row(
    const struct apikeys *, size_t i); /* valid until the next refresh or change */

/* A new one; text is what its owner gets.  0, or -1 logged. */
int apikeys_add(struct apikeys *, char text[APIKEY_TEXT_MAX], const char *label, unsigned limit,
    int64_t now_us);
/* 0, 1: there is none or it is revoked already, -1 logged. */
int apikeys_revoke(struct apikeys *, const char *id, int64_t now_us);
/* Whose key is it?  NULL: nobody's, or it was revoked.  In the same time whatever is wrong with its secret. */
const struct apikey *apikeys_check(const struct apikeys *, const char *text);

#endif
