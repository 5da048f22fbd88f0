/* whereabouts.h - to which network, organisation and country an address belongs, by databases on
 * this machine; nothing is asked over the network.
 *
 * Databases: files that the operator names (MaxMind's format, if libmaxminddb was there at build
 * time; else libloc's), or the one that libloc's package brings.  Without any, nothing is known,
 * and reports say nothing. */
#ifndef RESULTS_WHEREABOUTS_H
#define RESULTS_WHEREABOUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/conf.h"

struct place {
	uint32_t as; /* 0: not known */
	char organization[80];
	char country[3]; /* ISO 3166-1; "" not known */
};

#define WHEREABOUTS_MAX 8 /* databases of each kind that are used */
struct whereabouts;
/* NULL: there is none.  A file that cannot be used is told once (log_warn). */
struct whereabouts *whereabouts_open(const struct conf_list *files);
void whereabouts_close(struct whereabouts *); /* accepts NULL */
/* What all databases together say.  false: nothing; *dst is cleared. */
bool whereabouts_of(struct place *dst, const struct whereabouts *, const char *address);

/* "AS64500 Example Networks, DE"; "" if nothing is known. */
void place_format(char dst[112], const struct place *);

#endif
