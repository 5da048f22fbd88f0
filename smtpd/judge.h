/* judge.h - a process that judges one message and ends: no network, no files, little memory, little
 * time, and nothing in its hands but the message, a request and the pipe for its answer
 * (judge_wire.h).  What it reads was written by strangers, so it may crash, and it may lie. */
#ifndef SMTPD_JUDGE_H
#define SMTPD_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "verify/verify.h"

struct judge {
	const char *name; /* for people */
	/* Appends a JSON object when VERIFY_DONE. */
	enum verify_step (*run)(const struct verify_input *, struct lookups *, struct strbuf *json);
};
struct judge_limits {
	uint64_t memory;  /* octets of address space */
	unsigned seconds; /* of processor time */
	bool sandbox;
};

/* In a fresh child.  The exit code: EXIT_CANNOT is out of memory. */
int judge_main(
    const struct judge *, const struct judge_limits *, int message, int request, int answer);

/* How such a process ended, in words; NULL: well. */
const char *judge_death(char dst[64], int wait_status);

#endif
