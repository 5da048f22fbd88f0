/* fuzz_http.c - any octets as what an HTTPS client says.  The first octet chooses the test, the second how
 * the rest is cut into pieces.  Promises that are checked: pieces make no difference, the head is
 * bounded, one request has one event and one response, every event decodes. */
#include <stdlib.h>

#include "smtpd/web.h"
#include "tests/replay/smtp/bed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bed bed;

static void
clean(void)
{
	bed_free(&bed);
}

static void
check(const struct web *w)
{
	const char *s = bed.events.s, *end;
	struct event e;
	char err[200];
	unsigned requests = 0, closes = 0;

	for (; s != NULL && *s != '\0'; s = end + 1) {
		end = strchr(s, '\n');
		if (end == NULL || event_decode(&e, s, (size_t)(end - s), err, sizeof err) != 0)
			abort();
		requests += e.kind == EV_HTTP_REQUEST;
		closes += e.kind == EV_HTTP_CLOSE;
		event_clear(&e);
	}
	if (closes != 1 || requests > 1 || requests != w->requests ||
	    w->request.head.len > HTTP_HEAD_MAX)
		abort();
	/* no response without its event */
	if (requests == 0 && bed.replies.len > 0)
		abort();
}

static void
compare_whole(const uint8_t *data, size_t size, const struct http_request *pieces)
{
	struct http_request whole;

	http_init(&whole);
	whole.takes_chunked = true;
	http_input(&whole, (const char *)data, size);
	if (pieces->state != whole.state ||
	    (whole.state == HTTP_BAD && whole.status != pieces->status) ||
	    strcmp(whole.target, pieces->target) != 0 || strcmp(whole.host, pieces->host) != 0)
		abort();
	http_clear(&whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tls_done done = { .version = "TLSv1.3" };
	union sockaddr_any peer, local;
	struct web w;
	size_t at = 2, piece;

	if (bed.site == NULL) {
		bed_new(&bed, "tests/replay/smtp/catalogue");
		atexit(clean);
	}
	if (size < 2 || size > 65536)
		return 0;
	strbuf_reset(&bed.replies);
	strbuf_reset(&bed.held);
	strbuf_reset(&bed.events);
	bed.committing = bed.closed = bed.reset = false;
	memset(&peer, 0, sizeof peer);
	memset(&local, 0, sizeof local);
	address_parse(&peer, "2001:db8:1::7", 4000);
	local.in6.sin6_family = AF_INET6;
	address_make(&local.in6.sin6_addr, &bed.site->prefix, bed.token.id,
	    bed.site->catalogue->tests[data[0] % bed.site->catalogue->n]->number, ADDRESS_SERVES,
	    SLOT_POLICY);
	web_init(&w, &bed.env, &bed, "0-fuzz-1", &peer, &local, bed.now);
	web_start(&w, bed.now);
	web_tls.done(&w, &done, bed.now);
	piece = data[1] > 0 ? data[1] : 65536;
	while (at < size && !bed.closed) {
		size_t len = size - at < piece ? size - at : piece;
		char *copy = malloc(len);

		memcpy(copy, data + at, len);
		web_input(&w, copy, len, bed.now);
		free(copy);
		at += len;
	}
	if (at >= size)
		compare_whole(data + 2, size - 2, &w.request);
	if (bed.committing)
		web_committed(&w, bed.now);
	bed.now += INT64_C(3600000000);
	web_tick(&w, bed.now);
	web_end(&w, HOW_EOF, bed.now);
	check(&w);
	web_clear(&w);
	return 0;
}
