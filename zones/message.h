/* message.h - messages that must be sent in these words, because it is their form that is measured:
 * the head of a test names one ("message 8bit").
 *
 * The text is what goes over SMTP, before dot-stuffing: header fields, an empty line, the body; lines end in
 * CRLF but where that is what is measured.  From, To, Date and Message-ID are the sender's.  The Subject is
 * "Outpost canary WORD": a message that arrives with it is this one, whatever became of its body. */
#ifndef ZONES_MESSAGE_H
#define ZONES_MESSAGE_H

#include <stddef.h>

struct message {
	const char *word;
	const char *about; /* one line: what is special, for who sends it */
	const char *text;
	size_t len;
};
const struct message *message_find(const char *word); /* NULL: no such word */
const char *message_words(void);                      /* "8bit, smuggling ..." */

#endif
