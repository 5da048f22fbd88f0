/* parse.h - how the loader of test files is built: a table of sections (test.c), and in each
 * section's file a table of keywords with their handlers.  Private to zones/. */
#ifndef ZONES_PARSE_H
#define ZONES_PARSE_H

#include "lib/text.h"
#include "zones/names.h"
#include "zones/test.h"

struct section;
struct parse {
	struct text_reader *reader;
	const char *name; /* of the file, for messages */
	struct test *test;
	const struct section *section; /* NULL: the head, before the first section */
	unsigned section_line;
	/* what the section's own words say */
	unsigned zone, phase, phase_to;
	struct host *host;
	struct policy *policy;
	struct trace *trace;
	uint64_t given;          /* keywords of this section that were given: bit = index */
	unsigned sections_given; /* bit: index in the table of sections */
	unsigned zones_given;    /* bit: [zone] of that zone */
	unsigned last_line;
	char *err;
	size_t errlen;
	bool failed;
};

/* The first error only: "file:line: what, why".  Returns -1. */
int parse_fail(struct parse *, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define KEYWORD_ANY 1000u /* any number of arguments */
struct keyword {
	const char *word;
	unsigned min, max; /* arguments */
	bool repeats;      /* may be given more than once in a section */
	const char *usage;
	int (*run)(struct parse *, const struct text_line *);
};
struct section {
	const char *name;
	const char *usage;
	int (*begin)(struct parse *,
	    const struct text_line *); /* checks its words; NULL: has none, once only */
	const struct keyword *keywords;
	size_t n_keywords;
	int (*line)(
	    struct parse *, const struct text_line *); /* where lines begin with no keyword */
	const char *line_usage;
	int (*end)(struct parse *); /* NULL: nothing to check */
};
const char *parse_trace_word(unsigned i);        /* words of trace steps; NULL after the last */
const struct section *parse_section(unsigned i); /* 0: the head; NULL after the last */
extern const struct section section_head, section_dns, section_zone, section_answers, section_host,
    section_policy, section_phases, section_verdict, section_reader, section_trace;

/* The spellings of the enums that keywords take, NULL after the last; for FORMAT.md's check. */
extern const char *const point_names[],
    *const ns_names[], *const ds_names[], *const sign_names[],
					      *const denial_names[],
						  *const answer_names[],
						      *const host_action_names[],
							  *const key_names[],
							      *const phase_event_names[],
								  *const reason_names[],
								      *const cert_names[];

/* Helpers of the handlers. */
int parse_word(struct parse *, unsigned line, const char *what, const char *const *names,
    const char *word); /* index or -1 */
int parse_number(struct parse *, unsigned line, const char *what, const char *word,
    unsigned long min, unsigned long max, unsigned long *dst);
int parse_duration(struct parse *, unsigned line, const char *what, const char *word, int64_t *dst);
/* -1, said: a word has a NUL in it. */
int parse_plain(struct parse *, const struct text_line *);
/* The words [from, to) with one blank between; owned by the caller. */
char *parse_join(const struct text_line *, unsigned from, unsigned to);
/* Words from `from` on as "while age(token) < 5m", "while count(sender) < 2" or "while phase 2"; none
 * left: always. */
int parse_condition(struct parse *, const struct text_line *, unsigned from, struct condition *dst);
/* A template name of this test; the zone of its placeholder must be zone (-1: any). */
int parse_name(
    struct parse *, unsigned line, const char *name, int zone, struct template_name *dst);

/* array with n elements of size bytes: room for one more, zeroed. */
void *parse_grow(void *array, size_t n, size_t size);

/* Checks of what spans lines and sections, at the end of the file (test_check.c). */
int parse_check(struct parse *);

#endif
