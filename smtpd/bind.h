/* bind.h - which (token, test, host) a session belongs to: by destination address (IPv6), by server
 * name, by recipient; and what a host does as long as that is not known (IPv4: its front).  Pure. */
#ifndef SMTPD_BIND_H
#define SMTPD_BIND_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/listen.h"
#include "provisioning/render.h"
#include "provisioning/site.h"

enum bind_by { BIND_NONE, BIND_ADDRESS, BIND_SNI, BIND_RCPT };
const char *bind_by_name(enum bind_by); /* "address", "sni", "rcpt"; NULL for none */

struct binding {
	enum bind_by by;
	struct token token;      /* id 0: none */
	const struct test *test; /* NULL: unbound */
	const struct front
	    *front; /* IPv4: who listens there; NULL on IPv6 or an address of no front */
	unsigned
	    zone; /* of the recipient that bind_rcpt looked at: 1 in the second zone of the test */
	unsigned k;              /* host */
	const struct host *host; /* never NULL: its behaviour applies */
	bool released; /* its token was (provisioning/released.h): host is bind_ordinary() */
	bool named;    /* the ClientHello names this host of this token */
};

/* A host that does the ordinary thing. */
const struct host *bind_ordinary(void);

/* At accept: by the address that was connected to. */
void bind_address(struct binding *, const struct site *, const union sockaddr_any *local);

enum bind_result {
	BIND_SAME,    /* already bound so */
	BIND_NEW,     /* bound now */
	BIND_OTHER,   /* the name belongs to another (token, test) than the destination address */
	BIND_FOREIGN, /* a valid name, but of a test that is not served at this address; bind_rcpt
	               * says whose in *dst */
	BIND_UNKNOWN, /* not below BASE, or no such test */
	BIND_FORGED,  /* no valid token in it */
};
/* By the name that the client asked for in its ClientHello. */
enum bind_result bind_sni(struct binding *, const struct site *, const char *name, size_t len);
/* By the domain of a recipient.  *dst is what the session would be bound to; it is the caller's to
 * adopt on BIND_NEW (a transaction has one binding only). */
enum bind_result bind_rcpt(struct binding *dst, const struct binding *now, const struct site *,
    const char *domain, size_t len);

/* Index of the mailbox in the test, or -1: nobody has this mailbox.  Case-blind as mail systems are. */
int bind_mailbox(const struct binding *, const char *local, size_t len);

#endif
