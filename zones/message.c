/* message.c - see message.h. */
#include "zones/message.h"

#include <string.h>

#define TEXT(s) s, sizeof(s) - 1

#define OCTETS_50  "a line as long as RFC 5322 2.1.1 lets it be it is "
#define OCTETS_200 OCTETS_50 OCTETS_50 OCTETS_50 OCTETS_50
/* 998 octets, the most that a line may have without its end. */
#define LONGEST_LINE                                                                               \
	OCTETS_200 OCTETS_200 OCTETS_200 OCTETS_200 OCTETS_50 OCTETS_50 OCTETS_50                  \
	    "a line as long as RFC 5322 2.1.1 lets it be, end"

static const struct message rows[] = {
	/* RFC 6152: octets over 127 in the body, declared as such. */
	{ "8bit", "its text has letters that are not ASCII and is not encoded",
	    TEXT("Subject: Outpost canary 8bit\r\n"
		 "MIME-Version: 1.0\r\n"
		 "Content-Type: text/plain; charset=utf-8\r\n"
		 "Content-Transfer-Encoding: 8bit\r\n"
		 "\r\n"
		 "This text has letters that are not ASCII: Gr\xc3\xbc\xc3\x9f"
		 "e, \xc3\xa9t\xc3\xa9, "
		 "\xd0\xbf\xd0\xbe\xd1\x87\xd1\x82\xd0\xb0.\r\n"
		 "It measures what your server does with them.\r\n") },
	/* What servers on the way like to mend, all of it allowed: whoever does it after signing breaks the
	 * signature (RFC 6376 5.3). */
	{ "dkim-stress", "its fields are folded and its text has trailing blanks and long lines",
	    TEXT("Subject: Outpost canary dkim-stress\r\n"
		 "Comments: a field that is folded,\r\n"
		 "\twith a tab, with  two blanks, with   three,\r\n"
		 "    and with four at the beginning of a line\r\n"
		 "MIME-Version: 1.0\r\n"
		 "Content-Type: text/plain;\r\n"
		 "\tcharset=utf-8\r\n"
		 "Content-Transfer-Encoding: 8bit\r\n"
		 "\r\n"
		 "Two blanks end this line.  \r\n"
		 "A tab ends this one.\t\r\n"
		 "Letters that are not ASCII: Gr\xc3\xbc\xc3\x9f"
		 "e.\r\n"
		 "From here on a mailbox file would put a sign before the word From.\r\n"
		 "From the line above only the sign is missing.\r\n"
		 ".\r\n"
		 "..\r\n"
		 ".The three lines above this word begin with dots, as this one does.\r\n"
		 "\r\n" LONGEST_LINE "\r\n"
		 "\r\n"
		 "Three empty lines end the text.\r\n"
		 "\r\n"
		 "\r\n"
		 "\r\n") },
	/* RFC 5321 2.3.8: CR and LF stand only together.  Whoever takes one of these for the end of the
	 * message meets lines that are no commands. */
	{ "smuggling", "it has single CR and LF characters; a mail program cannot write it",
	    TEXT("Subject: Outpost canary smuggling\r\n"
		 "\r\n"
		 "The lines of this text end in strange ways. A bare LF:\n"
		 "- behind the bare LF. LF dot LF:\n"
		 ".\n"
		 "- behind LF dot LF. A bare CR:\r"
		 "- behind the bare CR. CR dot CR:\r"
		 ".\r"
		 "- behind CR dot CR. LF dot CR LF:\n"
		 ".\r\n"
		 "- behind LF dot CR LF. CR LF dot LF:\r\n"
		 ".\n"
		 "- behind CR LF dot LF. This is the end of the text.\r\n") },
	/* RFC 8689 3 */
	{ "tls-required-no", "it has the header field TLS-Required: No",
	    TEXT("Subject: Outpost canary tls-required-no\r\n"
		 "TLS-Required: No\r\n"
		 "\r\n"
		 "This message asks to be delivered even if that is not secure.\r\n") },
};
#define N_ROWS (sizeof rows / sizeof rows[0])

const struct message *
message_find(const char *word)
{
	for (unsigned i = 0; i < N_ROWS; i++)
		if (strcmp(rows[i].word, word) == 0)
			return &rows[i];
	return NULL;
}

const char *
message_words(void)
{
	return "8bit, dkim-stress, smuggling, tls-required-no";
}
