/* suffix.h - who registered a domain, by the Public Suffix List: of mail.shop.co.uk that is shop.co.uk.  What is
 * counted or judged for a domain is so for all that one holder can make below it. */
#ifndef LIB_SUFFIX_H
#define LIB_SUFFIX_H

/* The newest list of this machine, once, before a process is confined.  0; -1: there is none. */
int suffix_load(void);
void suffix_forget(void);

/* Where in domain (lower case, no final dot) the part begins that somebody registered; all of it if it is a public
 * suffix itself.  Without any list: its last two labels, which may be a suffix, so that many are taken for one
 * and never one for many. */
const char *suffix_organisation(const char *domain);

/* The last two labels, or all of it.  Pure. */
const char *suffix_guess(const char *domain);

#endif
