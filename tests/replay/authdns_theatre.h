/* authdns_theatre.h - what a script of tests/replay/dns is played with; see authdns.c.
 * do_... prepare and ask, want_... say what must have come (authdns_want.c). */
#ifndef TESTS_REPLAY_AUTHDNS_THEATRE_H
#define TESTS_REPLAY_AUTHDNS_THEATRE_H

#include <ldns/ldns.h>

#include "authdns/compile.h"
#include "authdns/query.h"
#include "lib/text.h"

#define NOW INT64_C(1795305600000000) /* 2026-11-22 */

struct theatre {
	struct site *site;
	struct zones *zones;
	struct signer *signer;
	struct memory *memory;
	struct limits *limits;
	struct engine engine;
	const struct test *test;
	unsigned zone;
	struct token token;
	uint64_t next_id;
	union sockaddr_any peer, local;
	struct view view;
	int64_t now;
	struct event_origin origin;
	uint8_t query[70000], reply[65536];
	size_t query_len, reply_len;
	int64_t delay;
	ldns_pkt *packet;
	char event[EVENT_LINE_MAX + 1];
	bool has_event;
	struct released *released;
	struct text_reader *reader;
};

/* A word of the script, with at least min words after it.  0, or -1: told with file and line. */
struct direction {
	const char *word;
	unsigned min;
	int (*run)(struct theatre *, const struct text_line *);
};
extern const struct direction theatre_wants[]; /* ends with a NULL word */

/* The placeholders of the test in text.  0, or -1: told. */
int theatre_expand(char *dst, size_t len, const struct theatre *, const char *text);

#endif
