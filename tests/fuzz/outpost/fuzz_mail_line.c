/* Lines of a mail server's log: what is read of them is text that ends, and all that was remembered can be loaded. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "outpost/deliveries.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every message is ours: the state is what is looked at. */
static bool
is_ours(void *ctx, const char *msgid, char token[TOKEN_LEN + 1])
{
	(void)ctx;
	if (msgid[0] != '<')
		return false;
	memcpy(token, "acacacacacacacac", TOKEN_LEN + 1);
	return true;
}

static void
text(const char *s, size_t size)
{
	if (memchr(s, '\0', size) == NULL)
		abort();
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			abort();
}

static void
look(const struct mail_line *l)
{
	text(l->queue, sizeof l->queue);
	text(l->msgid, sizeof l->msgid);
	text(l->from, sizeof l->from);
	text(l->to, sizeof l->to);
	text(l->host, sizeof l->host);
	text(l->address, sizeof l->address);
	text(l->version, sizeof l->version);
	text(l->cipher, sizeof l->cipher);
	text(l->dsn, sizeof l->dsn);
	text(l->text, sizeof l->text);
	if (l->port > 65535 || (l->reply != 0 && (l->reply < 200 || l->reply > 599)) ||
	    (l->kind == MAIL_LINE_DELIVERY) != (l->what != NULL))
		abort();
}

static void
load_all(const struct strbuf *b)
{
	struct deliveries *d = deliveries_new(is_ours, NULL);

	for (const char *p = b->s, *end; (end = strchr(p, '\n')) != NULL; p = end + 1)
		if (!deliveries_load(d, p, (size_t)(end - p)))
			abort();
	deliveries_free(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct deliveries *d = deliveries_new(is_ours, NULL);
	const char *p = (const char *)data, *end = p + size, *next;
	struct strbuf saved = { 0 };
	struct delivery y;
	struct mail_line l;

	for (; p < end; p = next + 1) {
		if ((next = memchr(p, '\n', (size_t)(end - p))) == NULL)
			next = end;
		if (mail_line_read(&l, p, (size_t)(next - p)))
			look(&l);
		if (deliveries_line(&y, d, p, (size_t)(next - p), 1)) {
			look(y.line);
			if (y.line->kind != MAIL_LINE_DELIVERY)
				abort();
		}
	}
	deliveries_save(&saved, d);
	load_all(&saved);
	strbuf_clear(&saved);
	deliveries_free(d);
	return 0;
}
