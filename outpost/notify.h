/* notify.h - the readiness protocol of systemd (sd_notify(3)): one datagram to $NOTIFY_SOCKET. */
#ifndef OUTPOST_NOTIFY_H
#define OUTPOST_NOTIFY_H

/* "READY=1", "STOPPING=1", "STATUS=...".  Does nothing when nobody listens. */
void notify(const char *state);
/* RELOADING=1 with the time that systemd wants beside it. */
void notify_reloading(void);

#endif
