/* packet.h - a DNS answer in wire format, as the records of one name and type: aliases are followed,
 * names in record data are uncompressed (RFC 1035 4.1, 3.3; RFC 2181 5; RFC 3597 4).  Pure; every octet
 * may be a lie. */
#ifndef VERIFY_PACKET_H
#define VERIFY_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "verify/lookup.h"

#define PACKET_RECORDS_MAX 512 /* of one answer */
#define PACKET_ALIASES_MAX 16

struct packet {
	unsigned rcode; /* the low 4 bits: no resolver tells more */
	size_t n;
	struct lookup_rdata rdata[PACKET_RECORDS_MAX];
	size_t used;
	uint8_t mem[65536];
};
/* 0: rcode and, where it is 0, the records.  -1: malformed, over a limit, or no answer; *why says so. */
int packet_read(struct packet *, const uint8_t *wire, size_t len, const char *name, uint16_t type,
    const char **why);

/* Octets of the wire name that text (lookup.h) is, at most 255, lower case; 0: no domain name. */
size_t packet_name_wire(uint8_t dst[255], const char *text);

#endif
