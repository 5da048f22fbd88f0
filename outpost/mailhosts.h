/* mailhosts.h - where mail for a domain goes: the addresses of its mail hosts, by the DNS, so that the
 * opt-outs of networks and autonomous systems can be asked. */
#ifndef OUTPOST_MAILHOSTS_H
#define OUTPOST_MAILHOSTS_H

#include "provisioning/optout.h"

/* 1 one of them is out (*why: which), 0 none, -1 it cannot be known now (*why). */
int mailhosts_are_out(
    char *why, size_t whylen, const struct site *, const struct optouts *, const char *domain);

#endif
