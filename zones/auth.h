/* auth.h - the words about who wrote a message: the methods by which it is judged, and what may be asked of
 * each ("auth spf softfail v6").  One table; results/verified.c says what each word means in the results
 * of a verify.result event.
 *
 * Traces say results in the same words: "mail v6 spf=fail spf.term=-all dkim=pass" (auth_part). */
#ifndef ZONES_AUTH_H
#define ZONES_AUTH_H

#include <stdbool.h>

enum auth_method {
	AUTH_SPF,    /* of the reverse-path, RFC 7208 */
	AUTH_HELO,   /* SPF of the name in EHLO */
	AUTH_DKIM,   /* RFC 6376: all signatures together */
	AUTH_DMARC,  /* RFC 7489 */
	AUTH_ARC,    /* RFC 8617 */
	AUTH_FCRDNS, /* the address has a name that has the address */
	AUTH_EHLO,   /* the name in EHLO, RFC 5321 4.1.1.1 */
	AUTH_METHOD_MAX
};
const char *auth_method_name(enum auth_method);
enum auth_method auth_method_by_name(const char *); /* AUTH_METHOD_MAX: none */

/* The words of a method, NULL after the last; first its results, what is worst first. */
const char *auth_word(enum auth_method, unsigned i);
bool auth_word_exists(enum auth_method, const char *word);

/* How judging a message stands: "auth judged", "auth open", "auth lost"; NULL after the last. */
const char *auth_state(unsigned i);

/* --- how traces write results --- */

/* Parts of the results object, each with the members that a trace may set: "spf.term=-all"; "spf=fail" is
 * its first member.  A part that a trace does not name is not judged; "dkim=none" is no signature. */
struct auth_part {
	const char *word;
	const char *members; /* blank-separated */
};
const struct auth_part *auth_part(unsigned i); /* NULL after the last */
/* Is the word, up to its "=", a member that may be set? */
bool auth_member_exists(const char *word);

#endif
