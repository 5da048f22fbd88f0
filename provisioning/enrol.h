/* enrol.h - participants: tokens minted here, kept in state/enrol.jsonl. */
#ifndef PROVISIONING_ENROL_H
#define PROVISIONING_ENROL_H

#include "lib/strbuf.h"
#include "provisioning/site.h"

#define ENROL_FILE "enrol.jsonl"

struct enrolment {
	struct token token;
	char set[256];   /* one or several, joined by commas */
	char label[256]; /* what the operator called it; may be empty */
	int64_t t_us;
};
/* Takes the next slot of the pool of the set (slots.h), else mints a token, and appends the journal line.  0, or -1 logged. */
int enrol_new(
    struct enrolment *dst, const struct site *, const char *set, const char *label, int64_t now_us);
/* The same for many, whose set and label are said already, with one wait for the disk. */
int enrol_all(struct enrolment *, size_t n, const struct site *, int64_t now_us);
/* 1 found, 0 not enrolled, -1 unreadable. */
int enrol_find(struct enrolment *dst, const struct site *, const char *token);
/* The last one before *of that has the same label: an earlier run of the same participant.  A participant without a
 * label has none.  1 found, 0 not, -1 unreadable. */
int enrol_before(struct enrolment *dst, const struct site *, const struct enrolment *of);
/* Calls row for each. */
int enrol_each(const struct site *, int (*row)(void *ctx, const struct enrolment *), void *ctx);

/* Which messages to send, 15 minutes apart, all recipients of each in its To: (that is how a copy that
 * was accepted tells which others were sent with it).  At most 25 recipients, at most a third of them
 * expected to fail; the controls and contrasts of its tests are repeated in every message. */
struct enrol_message {
	char **rcpt;
	size_t n;
	char batch;          /* 'a', 'b' or 'o' */
	const char *message; /* it must be this one (zones/message.h); NULL: any text */
};
int enrol_messages(
    struct enrol_message **dst, size_t *n, const struct site *, const struct enrolment *);
void enrol_messages_free(struct enrol_message *, size_t n);
/* The member "messages" of a JSON object: batch, message (if it must be one), recipients of each. */
void enrol_messages_json(struct strbuf *, const struct enrol_message *, size_t n);

#endif
