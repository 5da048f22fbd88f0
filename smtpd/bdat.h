/* bdat.h - BDAT (RFC 3030): the message in chunks of a length that is said before, no final dot.
 *
 * The octets of a chunk follow its command at once, whatever the reply: those of a refused one are read and
 * thrown away.  Rules of a host at data do not apply, those at dot apply to the last chunk.  smtp.command
 * has one BDAT for each chunk, with the reply that its end got. */
#ifndef SMTPD_BDAT_H
#define SMTPD_BDAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;

struct bdat {
	bool active;    /* octets of a chunk are awaited */
	bool last;      /* it is the last one */
	unsigned code;  /* it is thrown away and answered so; 0: it is taken */
	uint64_t left;  /* octets */
	uint64_t chunk; /* its size */
	char arg[40];   /* as received */
};

void bdat_run(struct session *);
/* Returns octets used. */
size_t bdat_input(struct session *, const char *bytes, size_t len);

#endif
