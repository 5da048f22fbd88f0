/* fuzz_session.c - any octets as the client of a session.  The first octet chooses the test and the family,
 * the second how the rest is cut into pieces; 0xfe CR LF in the input lets time pass.  Promises that are
 * checked: every event decodes, nothing that is accepted is acknowledged before its event, no relaying. */
#include <stdlib.h>

#include "tests/replay/smtp/bed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bed bed;

static void
clean(void)
{
	bed_free(&bed);
}

static void
check_events(const struct bed *b)
{
	const char *s = b->events.s, *end;
	struct event e;
	char err[200];
	unsigned closes = 0, messages = 0, acks = 0, letters = 0, promises = 0;

	for (; s != NULL && *s != '\0'; s = end + 1) {
		end = strchr(s, '\n');
		if (end == NULL || event_decode(&e, s, (size_t)(end - s), err, sizeof err) != 0)
			abort();
		closes += e.kind == EV_SMTP_CLOSE;
		messages += e.kind == EV_SMTP_MESSAGE && e.v[EK_REPLY].num == 250;
		if (e.kind == EV_SMTP_OPERATOR && e.v[EK_REPLY].num == 250) {
			letters++;
			if (e.v[EK_CUT].set || e.v[EK_TOKEN].set || e.v[EK_CONN].set)
				abort();
		}
		event_clear(&e);
	}
	for (s = b->replies.s; s != NULL && (s = strstr(s, "noted\r\n")) != NULL; s++)
		acks++;
	for (s = b->replies.s; s != NULL && (s = strstr(s, "will read it\r\n")) != NULL; s++)
		promises++;
	if (closes != 1 || messages != acks || letters != promises)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct test *tests[64];
	static size_t n;
	struct tls_done done = { .version = "TLSv1.3" };
	size_t at = 2, piece;

	if (bed.site == NULL) {
		bed_new(&bed, "tests/replay/smtp/catalogue");
		atexit(clean);
		for (; n < bed.site->catalogue->n && n < 64; n++)
			tests[n] = bed.site->catalogue->tests[n];
	}
	if (size < 2 || size > 65536)
		return 0;
	bed_connect(&bed, tests[(data[0] >> 1) % n], (data[0] & 1) != 0, NULL, NULL, 0);
	piece = data[1] > 0 ? data[1] : 65536;
	while (at < size && !bed.closed) {
		size_t len = size - at < piece ? size - at : piece;
		char *copy = malloc(len);

		memcpy(copy, data + at, len);
		if (copy[0] == (char)0xfe)
			bed_pass(&bed, 30 * INT64_C(1000000), false);
		if (bed.tls_asked && bed.session.state == ST_TLS) {
			session_preface(&bed.session, copy, len, "later-segment", bed.now);
			session_tls.hello(&bed.session, (const unsigned char *)copy, len, bed.now);
			if (!bed.closed && bed.session.wait == WAIT_NONE)
				session_tls.done(&bed.session, &done, bed.now);
		} else {
			session_input(&bed.session, copy, len, bed.now);
		}
		bed_committed(&bed);
		free(copy);
		at += len;
	}
	bed_end(&bed, HOW_EOF);
	check_events(&bed);
	return 0;
}
