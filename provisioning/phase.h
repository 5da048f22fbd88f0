/* phase.h - in which phase a test is for one token, from the events that its lines in [phases] name.
 *
 * What happened is kept in one table per node (lib/memory.h, run/memory), mapped by authdns and smtpd
 * alike, so that the phases of either may hang on events of both.  Phases only move forward; ages
 * are divided by the site's pace.  A test without [phases] never touches the table.  Pure but for the
 * table. */
#ifndef PROVISIONING_PHASE_H
#define PROVISIONING_PHASE_H

#include "lib/memory.h"
#include "provisioning/site.h"

/* Where facts are kept, and under which key of hashing.  The two functions stand for memory_touch
 * and memory_look, so that tests can do with less. */
struct phase_memory {
	uint8_t key[16];
	unsigned pace;
	void *ctx;
	struct memory_fact (*touch)(void *ctx, uint64_t key, int64_t now_us);
	struct memory_fact (*look)(void *ctx, uint64_t key, int64_t now_us);
};

/* run/memory of the site.  NULL: logged. */
struct memory *phase_memory_open(const struct site *);
/* memory NULL: every test stays in phase 1, and no condition of age or count holds. */
void phase_memory_init(struct phase_memory *, const struct site *, struct memory *);

/* Does any test of the catalogue need the table, in [phases], [answers] or a [host]? */
bool phase_memory_needed(const struct catalogue *);

/* Something happened to (test, id of the token) that phases may hang on.  PHASE_DNS: type and name,
 * spelled as the template does.  PHASE_FETCHED: the policy was answered with 200.
 * The phase that holds from now on, the event included: 1 to 8, or 0: the test has no phases. */
struct phase_seen {
	enum phase_event event;
	uint16_t type;
	const char *name;
};
unsigned phase_note(const struct phase_memory *, const struct test *, uint64_t id,
    const struct phase_seen *, int64_t now_us);
/* The same for events that need no words. */
unsigned phase_note_event(const struct phase_memory *, const struct test *, uint64_t id,
    enum phase_event, int64_t now_us);
/* Nothing happened: the phase that holds now.  Time alone may have begun it. */
unsigned phase_now(const struct phase_memory *, const struct test *, uint64_t id, int64_t now_us);

#endif
