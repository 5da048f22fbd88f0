/* again.c - see again.h. */
#include "results/again.h"

#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "results/fate.h"

static bool
is_control_of(const struct test *t, const struct test *other)
{
	bool control = false;

	for (unsigned k = 0; k < t->n_control; k++)
		control |= strcmp(other->name, t->control[k]) == 0;
	return control;
}

static bool
is_message_for(const struct correlation *c, const struct accepted_message *a, const struct test *t)
{
	return is_control_of(t, a->test) && correlation_names(c, a, t);
}

/* Messages that the controls accepted and whose To: names the test, by Message-ID; whoever else accepted them before. */
static size_t
messages_for(const struct correlation *c, const struct test *t)
{
	size_t messages = 0;

	for (size_t i = 0; i < c->n_messages; i++) {
		const struct accepted_message *a = &c->messages[i];
		bool twice = false;
		if (!is_message_for(c, a, t))
			continue;
		for (size_t k = 0; k < i && *a->msgid != '\0'; k++)
			twice |= is_control_of(t, c->messages[k].test) &&
				 strcmp(c->messages[k].msgid, a->msgid) == 0;
		messages += !twice;
	}
	return messages;
}

/* "FROM:<a@b> SIZE=5", "a@b"; the length of the address. */
static size_t
address_in(const char **text)
{
	const char *open = strchr(*text, '<');

	*text = open == NULL ? *text : open + 1;
	return strcspn(*text, "> ");
}

static bool
same_sender(const char *a, const char *b)
{
	size_t a_len = address_in(&a), b_len = address_in(&b);

	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

static bool
is_refused(const struct attempt *a)
{
	return !a->accepted && a->reply >= 500 && *a->msgid == '\0';
}

/* Is it of the sender whose messages name the test?  Only if some refusal is: the sender may be another for each
 * recipient. */
static bool
is_by_another(const struct evaluation *e, const struct attempt *a)
{
	const struct correlation *c = e->judge->c;
	const struct facts *f = e->facts;
	bool known = false;

	for (size_t i = 0; i < c->n_messages; i++) {
		const struct accepted_message *msg = &c->messages[i];
		if (*msg->from == '\0' || !is_message_for(c, msg, f->test))
			continue;
		if (same_sender(msg->from, a->from))
			return false;
		for (size_t k = 0; !known && k < f->n_attempts; k++)
			known = is_refused(&f->attempts[k]) &&
				same_sender(msg->from, f->attempts[k].from);
	}
	return known && *a->from != '\0';
}

/* Refusals before the content, up to this one, of the same envelope sender; and how often there was one, where those
 * within a minute are one: who tries an address does so right before the message. */
static void
count_refusals(const struct evaluation *e, size_t last, size_t *all, size_t *apart)
{
	const struct facts *f = e->facts;
	unsigned pace = e->judge->pace;
	int64_t before = INT64_MIN / 2, span = 60 * CLOCK_SECOND / (pace == 0 ? 1 : pace);

	*all = *apart = 0;
	for (size_t i = 0; i <= last; i++) {
		const struct attempt *a = &f->attempts[i];
		if (!is_refused(a) || !same_sender(a->from, f->attempts[last].from))
			continue;
		++*all;
		*apart += a->t - before > span;
		before = a->t;
	}
}

/* A message that was refused after its content came once more. */
static bool
is_same_again(const struct facts *f, size_t i)
{
	const struct attempt *a = &f->attempts[i];

	for (size_t k = 0; k < i && *a->msgid != '\0'; k++)
		if (f->attempts[k].reply >= 500 && strcmp(f->attempts[k].msgid, a->msgid) == 0)
			return true;
	return false;
}

bool
again_is(const struct evaluation *e, size_t i, bool maybe)
{
	const struct attempt *a = &e->facts->attempts[i];
	size_t messages, all, apart;

	if (a->accepted || a->reply < 500)
		return false;
	if (*a->msgid != '\0')
		return !maybe && is_same_again(e->facts, i);
	if (fate_is_probe(a) || is_by_another(e, a))
		return false;
	messages = messages_for(e->judge->c, e->facts->test);
	count_refusals(e, i, &all, &apart);
	if (messages == 0)
		return maybe && all > 1;
	return maybe ? all > messages && apart <= messages : apart > messages;
}
