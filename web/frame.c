/* frame.c - see frame.h.  A packet is id, flags (1 first, 2 last) and octets; a message is the number of
 * fields, their lengths, and the fields. */
#include "web/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/log.h"

#define FIRST       1u
#define LAST        2u
#define PACKET_HEAD (2 * sizeof(uint32_t))

static void
put(struct strbuf *b, uint32_t n)
{
	strbuf_add(b, &n, sizeof n);
}

void
frame_encode(struct strbuf *dst, const struct frame *f)
{
	put(dst, f->n);
	for (unsigned i = 0; i < f->n; i++)
		put(dst, (uint32_t)f->field[i].len);
	for (unsigned i = 0; i < f->n; i++)
		if (f->field[i].len > 0)
			strbuf_add(dst, f->field[i].s, f->field[i].len);
}

bool
frame_decode(struct frame *dst, const char *text, size_t len)
{
	uint32_t n, flen;
	size_t at;

	if (len < sizeof n)
		return false;
	memcpy(&n, text, sizeof n);
	at = (1 + (size_t)n) * sizeof n;
	if (n > FRAME_FIELDS_MAX || len < at)
		return false;
	dst->n = n;
	for (unsigned i = 0; i < n; i++) {
		memcpy(&flen, text + (1 + (size_t)i) * sizeof flen, sizeof flen);
		if (flen > len - at)
			return false;
		dst->field[i].s = text + at;
		dst->field[i].len = flen;
		at += flen;
	}
	return at == len;
}

int
frame_send(int fd, const struct frame *f)
{
	struct strbuf b = { 0 };
	size_t at = 0;
	int rc = 0;

	frame_encode(&b, f);
	do {
		size_t n = b.len - at;
		uint32_t head[2] = { f->id, at == 0 ? FIRST : 0 };

		if (n > FRAME_PACKET_MAX - PACKET_HEAD)
			n = FRAME_PACKET_MAX - PACKET_HEAD;
		if (at + n == b.len)
			head[1] |= LAST;

		struct iovec v[2] = { { head, sizeof head }, { b.s + at, n } };
		struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

		if (sendmsg(fd, &m, MSG_NOSIGNAL) < 0) {
			rc = errno == EINTR ? 0 : -1;
			continue;
		}
		at += n;
	} while (at < b.len && rc == 0);
	strbuf_clear(&b);
	return rc;
}

int
frame_receive(struct frame *dst, struct frame_reader *r, int fd)
{
	static char packet[FRAME_PACKET_MAX];
	ssize_t n = recv(fd, packet, sizeof packet, 0);
	uint32_t head[2];

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	if ((size_t)n < PACKET_HEAD)
		return 0;
	memcpy(head, packet, sizeof head);
	if (head[1] & FIRST) {
		strbuf_reset(&r->text);
		r->id = head[0];
		r->begun = true;
	} else if (!r->begun || head[0] != r->id) {
		return 0; /* the rest of what was said to somebody who is no more */
	}
	if (r->text.len + (size_t)n > FRAME_MAX) {
		log_warn("web: a message of more than %u octets is lost", FRAME_MAX);
		r->begun = false;
		return 0;
	}
	strbuf_add(&r->text, packet + PACKET_HEAD, (size_t)n - PACKET_HEAD);
	if (!(head[1] & LAST))
		return 0;
	r->begun = false;
	dst->id = r->id;
	return frame_decode(dst, r->text.s, r->text.len) ? 1 : 0;
}

void
frame_reader_clear(struct frame_reader *r)
{
	strbuf_clear(&r->text);
	r->begun = false;
}
