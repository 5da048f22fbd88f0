/* daemon.h - the parent of the SMTP receiver: what needs privileges is done here, before the workers
 * fork. */
#ifndef SMTPD_DAEMON_H
#define SMTPD_DAEMON_H

/* Serves the site until SIGTERM.  The exit code. */
int daemon_run(const char *dir);

#endif
