/* mail.h - the fields of a message in memory (RFC 5322 2.2, 3.5), as the judges see them: nothing is
 * copied or mended, what is malformed is said.  Pure. */
#ifndef VERIFY_MAIL_H
#define VERIFY_MAIL_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	const char *p;
	size_t n;
};
bool span_is(struct span, const char *word); /* ASCII, case-blind */
/* Without blanks, tabs, CR and LF at both ends. */
struct span span_trim(struct span);

/* What is judged of one message, whatever it is; the one place of these limits. */
struct mail_limits {
	size_t header_len; /* octets of all fields */
	size_t fields;     /* further ones are counted, not kept */
};
extern const struct mail_limits mail_limits; /* 256 KiB, 1000 */

/* All spans point into the message.  "Subject: a\r\n b\r\n": raw is all of it, name "Subject",
 * value " a\r\n b" (RFC 5322 2.2.3: still folded). */
struct mail_field {
	struct span raw, name, value;
};

struct mail {
	struct span all;
	struct span body; /* after the empty line; n is 0 if there is none */
	struct mail_field *field;
	size_t n;           /* kept */
	size_t fields;      /* of the header, kept or not */
	size_t header_len;  /* without the empty line */
	bool no_empty_line; /* the header ends with the message: RFC 5322 3.5 allows that */
	/* Malformed.  over_limit: the header is not wholly judged; what stands in it is no ground for
	 * anything. */
	bool over_limit;
	bool bare_lf, bare_cr, nul; /* in the header or body */
	bool not_ascii;             /* in the header: RFC 6532 */
	char wrong[160]; /* the first thing wrong with the header, in words; "" if nothing */
};

/* Never fails: what cannot be read as a field ends the header (as the body's start, like most
 * receivers do) and is said in wrong.  Linear in len.  The message's octets outlive *m. */
void mail_parse(struct mail *m, const char *data, size_t len, const struct mail_limits *);
void mail_clear(struct mail *); /* a cleared or zeroed one is fine */

/* Fields of that name (case-blind). */
size_t mail_count(const struct mail *, const char *name);
/* The next field of that name from the top, from *at on (0 at first); NULL: no more. */
const struct mail_field *mail_find(const struct mail *, const char *name, size_t *at);

#endif
