/* daemon.h - the parent: loads the site, compiles and signs, opens the sockets, forks the workers. */
#ifndef AUTHDNS_DAEMON_H
#define AUTHDNS_DAEMON_H

/* Serves the site in dir until told to stop.  Returns the exit code. */
int daemon_run(const char *dir);

#endif
