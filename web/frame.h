/* frame.h - what the process that speaks with strangers and the one that knows things say to each other.
 * A message is a number and a few fields of octets; it travels in packets of a SOCK_SEQPACKET socket, so
 * that a process that dies in the middle of one leaves nothing that its successor could misread.
 * Pure but for frame_send and frame_receive. */
#ifndef WEB_FRAME_H
#define WEB_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/strbuf.h"

#define FRAME_FIELDS_MAX 8
#define FRAME_PACKET_MAX 65536
#define FRAME_MAX        (64u << 20) /* octets of a message */

struct frame {
	uint32_t id; /* of the request that it is or answers; 0: news */
	unsigned n;
	struct {
		const char *s;
		size_t len;
	} field[FRAME_FIELDS_MAX];
};

/* Appends the whole message. */
void frame_encode(struct strbuf *dst, const struct frame *);
/* The fields point into text.  false: it is none. */
bool frame_decode(struct frame *dst, const char *text, size_t len);

/* In packets.  0, or -1: the other side is gone or does not take it. */
int frame_send(int fd, const struct frame *);

/* A message that is being received. */
struct frame_reader {
	struct strbuf text;
	uint32_t id;
	bool begun;
};
/* One packet.  1: *dst is a whole message, valid until the next call; 0: not yet, or nothing there; -1: the
 * other side is gone. */
int frame_receive(struct frame *dst, struct frame_reader *, int fd);
void frame_reader_clear(struct frame_reader *);

#endif
