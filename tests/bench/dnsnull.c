/* dnsnull ADDRESS PORT - the floor of a name server: receives with recvmmsg, sets QR, sends the same
 * bytes back with sendmmsg.  What a server costs above this is its own work. */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/listen.h"

#define BATCH  64
#define PACKET 512
#define HEADER 12

static struct mmsghdr msg[BATCH];
static struct iovec iov[BATCH];
static union sockaddr_any from[BATCH];
static uint8_t buf[BATCH][PACKET];

static int
receive(int fd)
{
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ buf[i], PACKET };
		msg[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
			.msg_namelen = sizeof(from[i]),
			.msg_iov = &iov[i],
			.msg_iovlen = 1 };
	}
	return recvmmsg(fd, msg, BATCH, 0, NULL);
}

int
main(int argc, char **argv)
{
	union sockaddr_any a;
	int fd, n;

	if (argc != 3 || address_parse(&a, argv[1], (unsigned)atoi(argv[2])) < 0)
		errx(2, "usage: dnsnull ADDRESS PORT");
	if ((fd = listen_open(&a, SOCK_DGRAM)) < 0)
		return 3;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, -1) < 0)
			err(3, "poll");
		while ((n = receive(fd)) > 0) {
			for (int i = 0; i < n; i++) {
				iov[i].iov_len = msg[i].msg_len;
				if (msg[i].msg_len >= HEADER)
					buf[i][2] |= 0x80;
			}
			for (int sent = 0; sent < n;) {
				int k = sendmmsg(fd, msg + sent, (unsigned)(n - sent), 0);

				if (k < 0 && errno != EAGAIN && errno != ENOBUFS)
					err(3, "sendmmsg");
				sent += k > 0 ? k : 1;
			}
			if (n < BATCH)
				break;
		}
	}
}
