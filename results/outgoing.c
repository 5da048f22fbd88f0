/* outgoing.c - see outgoing.h. */
#include "results/outgoing.h"

#include <string.h>
#include <strings.h>

/* Is one of them, "TLSv1.3 TLSv1.2", the value? */
static bool
is_one_of(const char *list, const char *value)
{
	size_t len = strlen(value);

	for (; len > 0 && *list != '\0'; list += strcspn(list, " ")) {
		list += strspn(list, " ");
		if (strcspn(list, " ") == len && strncasecmp(list, value, len) == 0)
			return true;
	}
	return false;
}

/* A word holds for an event of this kind whose key has one of the values; NULL any value. */
static const struct {
	const char *word;
	enum event_kind kind;
	enum event_key key;
	const char *values;
} rows[] = {
	{ "sent", EV_OUT_SENT, EK_WHAT, NULL },
	{ "sent-limit", EV_OUT_SENT, EK_WHAT, "limit" },
	{ "sent-void", EV_OUT_SENT, EK_WHAT, "void" },
	{ "sent-tree", EV_OUT_SENT, EK_WHAT, "tree" },
	{ "delivered", EV_OUT_DELIVERY, EK_WHAT, "delivered" },
	{ "deferred", EV_OUT_DELIVERY, EK_WHAT, "deferred" },
	{ "refused", EV_OUT_DELIVERY, EK_WHAT, "refused" },
	/* Of a delivery of which nothing is said it is not known that it went without. */
	{ "clear", EV_OUT_DELIVERY, EK_VERSION, "none" },
	{ "tls", EV_OUT_DELIVERY, EK_VERSION, "TLSv1.3 TLSv1.2 TLSv1.1 TLSv1 SSLv3" },
	{ "tls-old", EV_OUT_DELIVERY, EK_VERSION, "TLSv1.1 TLSv1 SSLv3" },
	{ "verified", EV_OUT_DELIVERY, EK_VERIFIED, "trusted verified" },
	{ "published", EV_OUT_PUBLISHED, EK_TO, NULL },
	{ "dane", EV_OUT_PUBLISHED, EK_TLSA, "secure" },
	{ "dane-some", EV_OUT_PUBLISHED, EK_TLSA, "some" },
	{ "dane-insecure", EV_OUT_PUBLISHED, EK_TLSA, "insecure" },
	{ "dane-bogus", EV_OUT_PUBLISHED, EK_TLSA, "bogus" },
	{ "dane-none", EV_OUT_PUBLISHED, EK_TLSA, "none" },
	{ "sts", EV_OUT_PUBLISHED, EK_STS, "record" },
	{ "sts-invalid", EV_OUT_PUBLISHED, EK_STS, "invalid several" },
	{ "sts-none", EV_OUT_PUBLISHED, EK_STS, "none" },
};

bool
outgoing_is_further(const struct observation *o)
{
	return strncasecmp(text_of(o, EK_FROM), "dsn@", 4) == 0;
}

bool
outgoing_is(const struct observation *o, const char *word)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (strcmp(rows[i].word, word) != 0 || rows[i].kind != o->kind)
			continue;
		/* A receiver may well refuse the further messages: SPF fails for two of them. */
		if (o->kind == EV_OUT_DELIVERY && rows[i].key == EK_WHAT && outgoing_is_further(o))
			return false;
		return rows[i].values == NULL || is_one_of(rows[i].values, text_of(o, rows[i].key));
	}
	return false;
}

int64_t
outgoing_last(const struct facts *f)
{
	int64_t last = 0;

	for (size_t i = 0; i < f->n_events; i++) {
		enum event_kind kind = f->events[i]->kind;
		if ((kind == EV_OUT_SENT || kind == EV_OUT_DELIVERY) && f->events[i]->t > last)
			last = f->events[i]->t;
	}
	return last;
}
