/* fds.c - see fds.h. */
#include "lib/fds.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

int
fds_send(int to, const void *data, size_t len, const int *fd, size_t n)
{
	struct iovec iov = { (void *)(uintptr_t)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;
	struct cmsghdr *c;
	ssize_t sent;

	if (n > FDS_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (n > 0) {
		memset(&control, 0, sizeof control);
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof *fd);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof *fd);
		memcpy(CMSG_DATA(c), fd, n * sizeof *fd);
	}
	sent = sendmsg(to, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent >= 0 && sent != (ssize_t)len) {
		errno = EAGAIN;
		sent = -1;
	}
	return sent < 0 ? -1 : 0;
}

/* Everything that came, in as many parts as it came; how many. */
static size_t
collect(int *came, struct msghdr *msg)
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof *came) <= c->cmsg_len; at += sizeof *came)
			memcpy(&came[n++], CMSG_DATA(c) + at, sizeof *came);
	}
	return n;
}

ssize_t
fds_receive(int from, void *data, size_t len, int *fd, size_t n, int flags)
{
	struct iovec iov = { data, len };
	union control control;
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	int came[sizeof control / sizeof(int)];
	ssize_t got = recvmsg(from, &msg, flags | MSG_CMSG_CLOEXEC);
	size_t n_came = got >= 0 ? collect(came, &msg) : 0;
	int error = errno;

	for (size_t i = 0; i < n; i++)
		fd[i] = -1;
	if (n_came == n && !(msg.msg_flags & MSG_CTRUNC))
		memcpy(fd, came, n * sizeof *fd);
	else
		for (size_t i = 0; i < n_came; i++)
			close(came[i]);
	errno = error;
	return got;
}
