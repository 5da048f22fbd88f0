/* server.h - one worker: its sockets, its event loop, its engine and its event log. */
#ifndef AUTHDNS_SERVER_H
#define AUTHDNS_SERVER_H

#include <event2/event.h>
#include <sys/queue.h>

#include "authdns/delay.h"
#include "authdns/query.h"
#include "lib/eventlog.h"

#define SERVER_SOCKETS_MAX 130 /* addresses of both lists, and IPv6 */
#define DELAYED_MAX        4096

struct server;
struct endpoint {
	struct server *server;
	union sockaddr_any local; /* as bound; port 0 in the list's unused entries */
	struct view view;         /* IPv4; IPv6 has one per packet */
	int udp, tcp;
	struct event *udp_event, *tcp_event;
};

struct connection;
TAILQ_HEAD(connections, connection);

struct server {
	struct event_base *base;
	const struct zones *zones;
	struct engine engine;
	struct eventlog *log;
	unsigned index;
	struct endpoint endpoint[SERVER_SOCKETS_MAX];
	unsigned n;
	struct delay_queue delayed;
	struct event *delay_timer, *tick_timer, *signals;
	struct udp_batch *batch;
	struct connections connections; /* least recently active first */
	unsigned n_connections;
	uint64_t counter;
	char start[24];
	uint8_t *tcp_out;
	bool draining;
	int64_t drain_until;
	int64_t alive; /* node.alive was written, by clock_monotonic() */
	int exit_code;
};

struct server_config {
	const struct zones *zones;
	struct signer *signer;
	struct memory *memory;
	struct limits *limits;
	const struct released *released;
	unsigned index;
	const union sockaddr_any *address; /* n of them, with their sockets of this worker */
	const int *udp, *tcp;
	unsigned n;
};
/* Serves until SIGTERM or, having drained, SIGHUP.  Returns the exit code of the worker. */
int server_run(const struct server_config *);

/* Everything queued is in the log's file before an answer leaves.  false: the log has failed, nothing may
 * be sent, the loop ends with EXIT_CANNOT. */
bool server_written(struct server *);
void server_drained(struct server *); /* asks whether a draining worker is done */

/* udp.c */
int udp_open(struct endpoint *);
void udp_close(struct endpoint *);
void udp_send_delayed(struct server *);
void udp_batch_free(struct udp_batch *);

/* tcp.c */
int tcp_open(struct endpoint *);
void tcp_close(struct endpoint *);
void tcp_close_all(struct server *, bool idle_only);

#endif
