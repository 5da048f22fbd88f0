/* verify.h - who wrote this mail: everything that is judged about one accepted message.  Pure: see
 * lookup.h for how answers come in. */
#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/strbuf.h"
#include "verify/lookup.h"

/* Questions that one message may have: SPF, keys of 16 signatures and 50 ARC sets, DMARC, names. */
#define VERIFY_LOOKUPS_MAX 600
#define VERIFY_JSON_MAX    24576 /* octets of the results */

struct verify_input {
	const char *message; /* as received, lines end in CR LF, no dot-stuffing */
	size_t len;
	const char *client; /* address of the sender, IPv4 or IPv6 text */
	const char *helo;   /* "" if none */
	const char *from;   /* reverse-path; "" is the null reverse-path */
	const char *us;     /* name of the receiving host (RFC 7208 7.2, macro r) */
	int64_t now;        /* seconds, UTC */
};

/* Loads what the judges and their libraries need from files: before files are forbidden.  0, or -1: logged. */
int verify_warm_up(void);

/* All results as one JSON object (documented in outpost-events(5), event verify.result) appended to
 * json when VERIFY_DONE: printable ASCII, at most VERIFY_JSON_MAX octets.  Terminates whatever the
 * message and the answers are. */
enum verify_step verify_run(const struct verify_input *, struct lookups *, struct strbuf *json);

#endif
