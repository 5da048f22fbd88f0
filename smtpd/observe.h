/* observe.h - the values of TLS events, which SMTP sessions and HTTPS connections write alike. */
#ifndef SMTPD_OBSERVE_H
#define SMTPD_OBSERVE_H

#include "lib/event.h"
#include "smtpd/hello.h"
#include "smtpd/tls.h"

/* msg: the raw ClientHello that h was decoded from; retry: it answers a HelloRetryRequest. */
void observe_hello(
    struct event_line *, const struct hello *h, const unsigned char *msg, size_t len, bool retry);
void observe_tls_done(struct event_line *, const struct tls_done *);
void observe_alert(struct event_line *, bool out, unsigned level, const char *name);

#endif
