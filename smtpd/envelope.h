/* envelope.h - MAIL and RCPT (RFC 5321 4.1.1.2, 4.1.1.3): their paths and parameters, and whose recipient it is,
 * which may bind the session to a test.  Rows of the table in command.c: check answers and gives false, or
 * run is next. */
#ifndef SMTPD_ENVELOPE_H
#define SMTPD_ENVELOPE_H

#include "smtpd/session.h"

bool mail_check(struct session *);
void mail_run(struct session *);
bool rcpt_check(struct session *);
void rcpt_run(struct session *);

#endif
