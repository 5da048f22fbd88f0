/* outpost verify: who wrote a stored message, by the same code that judges accepted ones. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "outpost/answers.h"
#include "outpost/command.h"
#include "outpost/verify_text.h"
#include "verify/resolve.h"
#include "verify/verify.h"

#define MESSAGE_MAX ((size_t)64 << 20)
#define ROUNDS_MAX  200 /* of questions: no message needs so many */

struct options {
	const char *client, *helo, *from, *us;
	struct resolve_options resolver;
	const char *answers;
	int64_t at; /* us */
	int64_t timeout;
	struct conf_list fail_on;
	bool json;
};

/* --- the message --------------------------------------------------------------------------------------------- */

static void
read_file(struct strbuf *b, const char *path)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	char block[65536];
	size_t n;

	if (in == NULL)
		log_fatal(EXIT_CANNOT, "verify: %s: %s", path, strerror(errno));
	while ((n = fread(block, 1, sizeof(block), in)) > 0) {
		if (b->len + n > MESSAGE_MAX)
			log_fatal(EXIT_CANNOT, "verify: %s: over %zu MiB: no mail is so large",
			    path, MESSAGE_MAX >> 20);
		strbuf_add(b, block, n);
	}
	if (ferror(in))
		log_fatal(EXIT_CANNOT, "verify: %s: %s", path, strerror(errno));
	if (in != stdin)
		fclose(in);
}

/* A file with no CR LF at all is one whose line ends were changed when it was stored.  One that has both is
 * left as it is. */
static void
mend_line_ends(struct strbuf *b)
{
	struct strbuf mended = { 0 };
	size_t lf = 0, crlf = 0;

	for (size_t i = 0; i < b->len; i++)
		if (b->s[i] == '\n') {
			lf++;
			crlf += i > 0 && b->s[i - 1] == '\r';
		}
	if (lf == 0 || crlf == lf)
		return;
	if (crlf > 0) {
		log_info("verify: %zu of %zu lines end in LF only: left as it is", lf - crlf, lf);
		return;
	}
	log_info("verify: lines end in LF: read as if they ended in CR LF");
	for (size_t i = 0; i < b->len; i++)
		strbuf_add(&mended, b->s[i] == '\n' ? "\r\n" : b->s + i, b->s[i] == '\n' ? 2 : 1);
	strbuf_clear(b);
	*b = mended;
}

static void
drop_mbox_line(struct strbuf *b)
{
	char *end = b->len > 5 && memcmp(b->s, "From ", 5) == 0 ? memchr(b->s, '\n', b->len) : NULL;
	size_t n;

	if (end == NULL)
		return;
	log_info("verify: the first line is that of a mailbox file: left out");
	n = (size_t)(end + 1 - b->s);
	memmove(b->s, end + 1, b->len - n);
	b->len -= n;
}

/* --- answers ---------------------------------------------------------------------------------------------------- */

struct source {
	struct answers *answers; /* or: */
	struct event_base *base;
	struct resolve *resolve;
};

static void
open_source(struct source *s, const struct options *o)
{
	char err[1024];

	if (o->answers != NULL) {
		if ((s->answers = answers_load(o->answers, err, sizeof(err))) == NULL)
			log_fatal(EXIT_USAGE, "verify: %s", err);
		return;
	}
	if ((s->base = event_base_new()) == NULL)
		log_fatal(EXIT_CANNOT, "verify: libevent: no memory");
	if ((s->resolve = resolve_new(s->base, &o->resolver, err, sizeof(err))) == NULL)
		log_fatal(EXIT_USAGE, "verify: %s", err);
}

static void
close_source(struct source *s)
{
	answers_free(s->answers);
	resolve_free(s->resolve);
	if (s->base != NULL)
		event_base_free(s->base);
}

static void
on_resolved(void *ctx)
{
	event_base_loopbreak(ctx);
}

static void
get_answers(struct source *s, struct lookups *book)
{
	if (s->answers != NULL) {
		answers_put(s->answers, book);
		return;
	}
	resolve_start(s->resolve, book, on_resolved, s->base);
	event_base_dispatch(s->base);
}

static void
judge(struct strbuf *json, const struct verify_input *in, const struct options *o)
{
	struct lookups *book = lookups_new(VERIFY_LOOKUPS_MAX);
	struct source source = { 0 };

	if (book == NULL)
		log_fatal(EXIT_CANNOT, "verify: no memory");
	open_source(&source, o);
	for (unsigned i = 0; verify_run(in, book, json) == VERIFY_NEED; i++) {
		if (i == ROUNDS_MAX)
			log_fatal(
			    EXIT_CANNOT, "verify: no end of questions: please report this message");
		get_answers(&source, book);
	}
	close_source(&source);
	lookups_free(book);
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static void
check_options(struct options *o)
{
	unsigned char octets[16];
	static char from[512];
	size_t len;

	if (o->client == NULL || o->from == NULL)
		log_fatal(EXIT_USAGE,
		    "verify: --client and --from are needed: see outpost verify --help");
	if (inet_pton(AF_INET, o->client, octets) != 1 &&
	    inet_pton(AF_INET6, o->client, octets) != 1)
		log_fatal(EXIT_USAGE, "verify: %s: not an IPv4 or IPv6 address", o->client);
	if (o->answers != NULL && o->resolver.forward != NULL)
		log_fatal(EXIT_USAGE, "verify: --answers and --resolver: one of them");
	len = strlen(o->from);
	if (len >= 2 && len < sizeof(from) && o->from[0] == '<' && o->from[len - 1] == '>') {
		snprintf(from, sizeof(from), "%.*s", (int)(len - 2), o->from + 1);
		o->from = from;
	}
	if (o->from[0] != '\0' && strchr(o->from, '@') == NULL)
		log_fatal(EXIT_USAGE, "verify: %s: not an address, nor \"\" or \"<>\"", o->from);
	o->resolver.timeout_ms = (unsigned)(o->timeout / 1000);
}

static int
show(const struct strbuf *json, const struct options *o)
{
	char err[256];
	struct json_doc *doc = json_parse(json->s, json->len, err, sizeof(err));
	struct strbuf text = { 0 };
	int rc = EXIT_DONE;

	if (doc == NULL)
		log_fatal(EXIT_CANNOT, "verify: %s", err);
	if (o->json)
		strbuf_printf(&text, "%s\n", json->s);
	else
		verify_text(&text, json_root(doc));
	fwrite(text.s, 1, text.len, stdout);
	for (size_t i = 0; i < o->fail_on.n; i++)
		if (strcmp(verify_text_result(json_root(doc), o->fail_on.item[i]), "pass") != 0)
			rc = EXIT_FAIL_ON;
	strbuf_clear(&text);
	json_free(doc);
	return fflush(stdout) == 0 ? rc : EXIT_CANNOT;
}

static void
check_fail_on(const struct conf_list *list)
{
	static const struct json none = { .type = JSON_OBJECT };

	for (size_t i = 0; i < list->n; i++)
		if (verify_text_result(&none, list->item[i]) == NULL)
			log_fatal(EXIT_USAGE,
			    "verify: --fail-on %s: none of spf, dkim, arc, dmarc, fcrdns",
			    list->item[i]);
}

int
command_verify(const struct command *c, int argc, char **argv)
{
	struct options o = { .helo = "",
		.us = "localhost",
		.at = clock_now(),
		.timeout = (int64_t)RESOLVE_TIMEOUT_MS * 1000,
		.resolver = { .anchor = getenv("OUTPOST_ROOT_ANCHOR"),
		    .hints = getenv("OUTPOST_ROOT_HINTS") } };
	const struct option_row rows[] = {
		{ "client", OPTION_TEXT, "ADDRESS", &o.client, "of the host that sent it" },
		{ "helo", OPTION_TEXT, "NAME", &o.helo, "what that host said in EHLO" },
		{ "from", OPTION_TEXT, "ADDRESS", &o.from,
		    "reverse-path (MAIL FROM); \"\" is the null one" },
		{ "at", OPTION_TIME, "TIME", &o.at, "judge as of then (else now)" },
		{ "us", OPTION_TEXT, "NAME", &o.us, "the receiving host, for SPF macros" },
		{ "resolver", OPTION_TEXT, "ADDRESS[@PORT]", &o.resolver.forward,
		    "ask this one (else the root hints or /etc/resolv.conf)" },
		{ "trust-anchor", OPTION_TEXT, "FILE", &o.resolver.anchor,
		    "of the root (else $OUTPOST_ROOT_ANCHOR, else the system's)" },
		{ "timeout", OPTION_DURATION, "TIME", &o.timeout, "for one lookup (15s)" },
		{ "answers", OPTION_TEXT, "FILE", &o.answers, "DNS answers instead of a resolver" },
		{ "fail-on", OPTION_LIST, "JUDGE", &o.fail_on,
		    "exit code 1 unless it passes: spf, dkim, arc, dmarc, fcrdns" },
		{ "json", OPTION_FLAG, NULL, &o.json, "results as outpost-events(5) has them" },
	};
	struct strbuf message = { 0 }, json = { 0 };
	struct verify_input in;
	int rc;

	command_options(c, rows, sizeof(rows) / sizeof(*rows), argc, argv, 1, 1);
	check_options(&o);
	check_fail_on(&o.fail_on);
	if (verify_warm_up() != 0)
		return EXIT_CANNOT;
	read_file(&message, argv[1]);
	drop_mbox_line(&message);
	mend_line_ends(&message);
	in = (struct verify_input){ .message = message.len > 0 ? message.s : "",
		.len = message.len,
		.client = o.client,
		.helo = o.helo,
		.from = o.from,
		.us = o.us,
		.now = o.at / 1000000 };
	judge(&json, &in, &o);
	rc = show(&json, &o);
	for (size_t i = 0; i < o.fail_on.n; i++)
		free(o.fail_on.item[i]);
	strbuf_clear(&json);
	strbuf_clear(&message);
	return rc;
}
