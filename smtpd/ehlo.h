/* ehlo.h - what opens a session and its TLS: EHLO, HELO (RFC 5321 4.1.1.1), STARTTLS (RFC 3207 4), and which
 * extensions the host offers.  Rows of the table in command.c: check answers and gives false, or run is
 * next. */
#ifndef SMTPD_EHLO_H
#define SMTPD_EHLO_H

#include "smtpd/session.h"

/* Is the extension in the EHLO reply of this host? */
bool ehlo_offers(const struct session *, const char *keyword);

bool ehlo_check(struct session *);
void ehlo_run(struct session *);
void helo_run(struct session *);
bool starttls_check(struct session *);
void starttls_run(struct session *);

#endif
