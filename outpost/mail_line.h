/* mail_line.h - a line of the log of this host's mail server: what it says of a message and of its delivery.  Postfix,
 * by syslog or by its own postlogd; Exim, its main log.  Every word behind the address of a relay may be a stranger's.  Pure. */
#ifndef OUTPOST_MAIL_LINE_H
#define OUTPOST_MAIL_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum mail_line_kind {
	MAIL_LINE_OTHER,    /* nothing that matters here */
	MAIL_LINE_ID,       /* a message has this Message-ID; Exim: and this sender */
	MAIL_LINE_FROM,     /* ... has this sender */
	MAIL_LINE_TLS,      /* a process of Postfix has agreed on TLS with a relay */
	MAIL_LINE_LOST,     /* what it had agreed on is gone */
	MAIL_LINE_DELIVERY, /* what became of an attempt */
	MAIL_LINE_GONE      /* the message has left the queue */
};
struct mail_line {
	enum mail_line_kind kind;
	char queue[32];    /* its number in the queue; "" of TLS */
	unsigned long pid; /* of a process of Postfix; 0: Exim, whose lines need no other */
	char msgid[320];   /* "<...>" */
	char from[320], to[320];
	const char *what;            /* "delivered", "deferred", "refused" */
	char host[256], address[64]; /* of the relay; "": none was reached */
	unsigned port;               /* 0: not said */
	char version[16];            /* "TLSv1.3"; "": without TLS, or not said */
	char cipher[80];
	const char *verified; /* as the event out.delivery has it, or "" */
	char dsn[16];         /* enhanced status code (RFC 3463) or "" */
	unsigned reply;       /* code of the reply, 0: none */
	char text[400];       /* the reply, or why there is none */
};

/* Without its end of line.  false: MAIL_LINE_OTHER, and nothing else in *dst means anything. */
bool mail_line_read(struct mail_line *dst, const char *line, size_t len);

#endif
