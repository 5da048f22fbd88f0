/* fds.h - open files that travel with a message between processes of ours, over a unix socket
 * (SCM_RIGHTS, unix(7)).
 *
 * The other end faces strangers and may be theirs by now: what arrives is exactly what was asked for, or it
 * is closed.  A descriptor that nobody expected and nobody closes is one less for the work. */
#ifndef LIB_FDS_H
#define LIB_FDS_H

#include <stddef.h>
#include <sys/types.h>

#define FDS_MAX 4 /* with one message */

/* len octets and n descriptors, which stay the caller's to close.  Never waits and raises no
 * SIGPIPE.  0, or -1 with errno; a stream that took only a part is EAGAIN. */
int fds_send(int to, const void *data, size_t len, const int *fd, size_t n);

/* One message: the octets that came, or -1 with errno, as of recvmsg(2) with these flags.  fd: n
 * descriptors, close-on-exec, now the caller's; all of them -1 if not exactly n came: none, too few, too
 * many, or more than this process may have open.  In a stream this ends behind the octets that the
 * descriptors were sent with. */
ssize_t fds_receive(int from, void *data, size_t len, int *fd, size_t n, int flags);

#endif
