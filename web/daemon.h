/* daemon.h - the parent of the web site: opens what needs privileges, then supervises two processes: one
 * that speaks with browsers (serve.h) and one that knows things (desk.h). */
#ifndef WEB_DAEMON_H
#define WEB_DAEMON_H

/* Serves the site until SIGTERM.  The exit code. */
int daemon_run(const char *dir);

#endif
