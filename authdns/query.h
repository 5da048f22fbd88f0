/* query.h - one query, from its octets to the answer's: a table of steps and one exit, which writes the
 * dns.query event.  Touches no socket, file or clock and allocates nothing; what it needs of the world
 * comes in struct engine, so the daemon, the replay scripts and the fuzzer run the same code. */
#ifndef AUTHDNS_QUERY_H
#define AUTHDNS_QUERY_H

#include "authdns/limit.h"
#include "authdns/packet.h"
#include "lib/event.h"
#include "provisioning/released.h"

/* Where events go. */
struct engine_log {
	struct event_origin *(*origin)(void *ctx);
	void (*append)(void *ctx, const char *line, size_t len);
	void *ctx;
};

/* One per worker. */
struct engine {
	const struct zones *zones;
	struct signer *signer;
	struct phase_memory memory; /* its ctx NULL: no test names it */
	struct engine_log log;
	uint8_t cookie_key[16], name_key[16];
	struct limits *limits;           /* of all workers */
	const struct released *released; /* NULL: nobody is */
	uint64_t invalid;                /* names since the last dns.invalid */
	int64_t invalid_told_us;
	struct event_line line;
};
/* random: 16 octets nobody knows.  What is pointed to stays the caller's. */
void engine_init(struct engine *, const struct zones *, struct signer *, struct memory *,
    struct limits *, const struct engine_log *, const uint8_t random[16]);
/* Once a second: tells of invalid names that were only counted. */
void engine_tick(struct engine *, int64_t now_us);

#define QUERY_WIRE_MAX 4096 /* longer queries are read so far and get FORMERR */

struct query_in {
	const uint8_t *wire;
	size_t len; /* whole length; no more than QUERY_WIRE_MAX of it is looked at */
	const union sockaddr_any *peer, *local;
	const struct view *view;
	bool tcp, may_delay;
	const char *conn; /* TCP: the connection's name; NULL */
	int64_t now_us;
};
struct query_out {
	uint8_t *buf; /* at least 512 octets; TCP 65535 */
	size_t cap;
	size_t len;       /* 0: no answer is sent */
	int64_t delay_us; /* to be sent so much later */
};
void query_run(struct engine *, const struct query_in *, struct query_out *);

#endif
