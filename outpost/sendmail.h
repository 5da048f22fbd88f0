/* sendmail.h - hands a message to this host's mail system, by the interface that all of them have: a program
 * that takes the message on standard input and the recipient as its argument. */
#ifndef OUTPOST_SENDMAIL_H
#define OUTPOST_SENDMAIL_H

#include <stddef.h>

#define SENDMAIL_TIMEOUT_S 120

/* PROGRAM -i -f FROM -- TO; text has CRLF, the program gets LF.  Its exit code (sysexits: 0 taken, 75 later), or -1: it
 * could not be run or took too long.  why: its first line of output, or the reason. */
int sendmail_run(char *why, size_t whylen, const char *program, const char *from, const char *to,
    const char *text, size_t len);

#endif
