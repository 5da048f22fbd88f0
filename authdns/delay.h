/* delay.h - UDP answers that a deviation holds back: a bounded heap by due time.  Pure. */
#ifndef AUTHDNS_DELAY_H
#define AUTHDNS_DELAY_H

#include "authdns/wire.h"
#include "lib/listen.h"

struct delayed {
	int64_t due_us;
	void *socket; /* which socket sends it */
	union sockaddr_any peer, local;
	size_t len;
	uint8_t data[DNS_UDP_MAX];
};
struct delay_queue {
	struct delayed *item;   /* room for max, made once */
	unsigned *heap, *spare; /* indices */
	unsigned n, max;
};
void delay_init(struct delay_queue *, unsigned max);
void delay_clear(struct delay_queue *);
bool delay_full(const struct delay_queue *);
/* An item to fill before the next call; the queue must not be full. */
struct delayed *delay_add(struct delay_queue *, int64_t due_us);
/* The earliest, or NULL. */
const struct delayed *delay_first(const struct delay_queue *);
void delay_remove_first(struct delay_queue *);

#endif
