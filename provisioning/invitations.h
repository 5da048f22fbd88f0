/* invitations.h - who is to be written to, who was, and what came of it: state/invitations.jsonl.
 *
 * A participant is asked for once; each mail is first noted as begun and then handed to the mail system, so
 * that nobody is written to twice, whatever happens between the two.  In memory it is an index by token,
 * read anew when the file was written anew. */
#ifndef PROVISIONING_INVITATIONS_H
#define PROVISIONING_INVITATIONS_H

#include "provisioning/enrol.h"
#include "provisioning/optout.h"

#define INVITATIONS_FILE "invitations.jsonl"

enum invitation_state {
	INVITATION_ASKED,  /* waits to be written to */
	INVITATION_BEGUN,  /* was given to the mail system, or a crash hides that it was not */
	INVITATION_SENT,   /* the mail system took all of its messages */
	INVITATION_EXTRA,  /* sent, answered, and the further messages were begun */
	INVITATION_REFUSED /* never will be: opted out, or the mail system refused; see why */
};

struct invitee {
	char token[TOKEN_LEN + 1];
	char address[OPTOUT_TEXT_MAX];
	char tags[128];
	enum invitation_state state;
	unsigned reminders; /* sent or begun */
	int64_t asked_us, sent_us /* the last time it was begun */;
	int64_t extra_us; /* when the further messages were; 0: never */
	char why[128];
};
struct invitations;
struct invitations *invitations_open(const struct site *); /* NULL: logged */
void invitations_close(struct invitations *);              /* accepts NULL */
int invitations_refresh(struct invitations *);             /* 0, or -1 logged */
size_t invitations_number(const struct invitations *);
const struct invitee *invitations_row(
    const struct invitations *, size_t i); /* in order; valid until refresh */
/* For tests. */
const struct invitee *invitations_of(const struct invitations *, const char *token);
/* Has somebody with this address and these tags been asked for?  NULL: no. */
const struct invitee *invitations_find(
    const struct invitations *, const char *address, const char *tags);

/* Asks for one: the address as optout_address() gives it.  0, or -1 logged. */
int invitations_ask(
    struct invitations *, const char *token, const char *address, const char *tags, int64_t now_us);
/* The same for many, with one wait for the disk. */
struct ask {
	const char *token, *address, *tags;
};
int invitations_ask_all(struct invitations *, const struct ask *, size_t n, int64_t now_us);
/* What became of it; why may be NULL.  BEGUN of one that was sent is a reminder; SENT of one that
 * is at EXTRA says that none of the further messages was taken, and they wait again. */
int invitations_note(struct invitations *, const char *token, enum invitation_state,
    const char *why, int64_t now_us);
/* How often somebody was written to in the 24 hours before now: to this mailbox; to the
 * domain or whatever else who registered it may have made below it (suffix.h); in all (NULL).  asked: those that wait
 * count too.  A few steps, however many there are. */
unsigned invitations_address(
    const struct invitations *, const char *address, bool asked, int64_t now_us);
unsigned invitations_domain(
    const struct invitations *, const char *domain, bool asked, int64_t now_us);

#endif
