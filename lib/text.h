/* text.h - reads our line-based files (configuration, tests, replay scripts): words, quoted
 * strings, sections, and errors that name file and line.
 *
 * A line is words separated by blanks (CRLF line ends are fine).  "..." is one word, or the rest of
 * one after "="; inside it stand \" \\ \n \r \t \xHH.  # starts a comment at the start of a word.  A line
 * that begins with "[" is a section: its words are what stands between the brackets.  A line that
 * begins with a blank continues the previous one, also inside quotes; its leading blanks count as
 * one.  Empty lines and lines of only a comment are nothing. */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define TEXT_LINE_MAX  4096
#define TEXT_WORDS_MAX 256

struct text_line {
	unsigned number; /* first line of it, from 1 */
	bool section;
	unsigned n;                     /* words */
	char *word[TEXT_WORDS_MAX + 1]; /* NULL after the last; valid until the next text_next */
	size_t len[TEXT_WORDS_MAX];     /* of the word: \x00 is a legal octet of it */
	bool quoted[TEXT_WORDS_MAX];    /* it began with a quote */
	const char *raw; /* the logical line before splitting: continuations joined by one blank,
	                    * comments and blanks at the end removed */
};

struct text_reader; /* opaque */

/* Reads a whole file.  NULL: message written to err ("FILE: why"). */
struct text_reader *text_open(const char *path, char *err, size_t errlen);
/* The same over memory (copied); name stands in messages. */
struct text_reader *text_from(const char *name, const char *data, size_t len);
void text_close(struct text_reader *); /* accepts NULL */

/* 1 line read, 0 end, -1 error (unterminated quote, line too long, control character...): see
 * text_error.  An error stays: every later call returns -1. */
int text_next(struct text_reader *, struct text_line *);

/* Records the first error as "file:line: what, why" for the line last read; returns -1. */
int text_fail(struct text_reader *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *text_error(const struct text_reader *); /* "" if none */

#endif
