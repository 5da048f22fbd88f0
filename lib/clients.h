/* clients.h - how many connections each address has now: an open-addressing table that never grows.
 * Pure. */
#ifndef LIB_CLIENTS_H
#define LIB_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/listen.h"

struct clients;
/* max: connections in all, at most. */
struct clients *clients_new(size_t max, const uint8_t key[16]);
void clients_free(struct clients *);
/* Counts one more of this address; returns how many it has now, this one included. */
unsigned clients_enter(struct clients *, const union sockaddr_any *);
void clients_leave(struct clients *, const union sockaddr_any *);

#endif
