/* bed.h - a site and a session without sockets, for the replay scripts and the fuzzer: time stands still until
 * it is told, replies and events are kept, the log is on disk when it is told so. */
#ifndef TESTS_REPLAY_SMTP_BED_H
#define TESTS_REPLAY_SMTP_BED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/strbuf.h"
#include "provisioning/address.h"
#include "provisioning/init.h"
#include "smtpd/session.h"

#define BED_START INT64_C(1795294800000000) /* 2026-11-21T21:00:00Z */
#define BED_BASE  "outpost.example"
#define BED_IPV6  "2001:db8:53::/64"

struct bed {
	char dir[128];
	struct site *site;
	struct memory *memory;
	struct released *released;
	struct quota *operator_mail;
	struct event_line *line;
	struct event_origin origin;
	struct session_env env;
	struct token token;
	int64_t now;
	unsigned conns;
	/* of the connection */
	struct session session;
	bool open, committing, closed, reset, tls_asked;
	struct strbuf replies, held, events, tls_bytes;
	/* what the verifier gets */
	struct strbuf body, handed; /* so far; the last message, in words */
	char refusal[64];           /* why it takes none; "": it does */
};

static inline void
bed_reply(void *ctx, const char *bytes, size_t len)
{
	struct bed *b = ctx;

	strbuf_add(b->committing ? &b->held : &b->replies, bytes, len);
}

static inline void
bed_commit(void *ctx)
{
	((struct bed *)ctx)->committing = true;
}

static inline void
bed_start_tls(void *ctx, const char *bytes, size_t len)
{
	struct bed *b = ctx;

	b->tls_asked = true;
	if (len > 0)
		strbuf_add(&b->tls_bytes, bytes, len);
}

static inline void
bed_close(void *ctx, bool reset)
{
	struct bed *b = ctx;

	b->closed = true;
	b->reset = b->reset || reset;
}

static inline struct event_origin *
bed_origin(void *ctx)
{
	return &((struct bed *)ctx)->origin;
}

static inline void
bed_event(void *ctx, const char *line, size_t len)
{
	strbuf_add(&((struct bed *)ctx)->events, line, len);
}

static inline void
bed_body(void *ctx, const char *bytes, size_t len)
{
	strbuf_add(&((struct bed *)ctx)->body, bytes, len);
}

static inline const char *
bed_hand_over(void *ctx, struct verify_facts *f)
{
	struct bed *b = ctx;

	if (b->refusal[0] != '\0')
		return b->refusal;
	strbuf_reset(&b->handed);
	strbuf_printf(&b->handed, "%s %s %s %s helo=%s from=%s us=%s body=", f->token, f->test,
	    f->digest, f->client, f->helo, f->from, f->us);
	strbuf_add(&b->handed, b->body.s != NULL ? b->body.s : "", b->body.len);
	return NULL;
}

static inline void
bed_body_end(void *ctx)
{
	strbuf_reset(&((struct bed *)ctx)->body);
}

static const struct session_ops bed_ops = { bed_reply, bed_commit, bed_start_tls, bed_close,
	bed_origin, bed_event, bed_body, bed_hand_over, bed_body_end };

static inline void
bed_forget(struct bed *b)
{
	char path[sizeof b->dir + 16];

	memory_close(b->memory);
	snprintf(path, sizeof path, "%.127s/memory", b->dir);
	unlink(path);
	b->memory = memory_open(path, 4096);
	if (b->memory == NULL)
		exit(1);
	phase_memory_init(&b->env.memory, b->site, b->memory);
}

/* As many messages to who runs the site as outpost.conf says, from now on. */
static inline void
bed_operator_mail(struct bed *b)
{
	static const uint8_t key[16] = { 1 };

	quota_free(b->operator_mail);
	if ((b->operator_mail = quota_new(key)) == NULL)
		exit(1);
	quota_set(b->operator_mail, b->site->conf.smtp_operator);
	b->env.operator_mail = b->operator_mail;
}

static inline void
bed_release_none(struct bed *b)
{
	released_close(b->released);
	if ((b->released = released_open(b->site, 16)) == NULL)
		exit(1);
	b->env.released = b->released;
}

/* catalogue: directory of tests. */
static inline void
bed_new(struct bed *b, const char *catalogue)
{
	struct init_options o = {
		.base = BED_BASE, .ipv6 = BED_IPV6, .user = "", .catalogue = catalogue
	};
	static char v4[64][16];
	struct prepared made;
	const char *tmp = getenv("TMPDIR");
	char err[512] = "", site[sizeof b->dir + 16];
	bool fresh;

	memset(b, 0, sizeof *b);
	snprintf(b->dir, sizeof b->dir, "%s/outpost-bed-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(b->dir) == NULL)
		exit(1);
	snprintf(site, sizeof site, "%.127s/site", b->dir);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(v4[i], sizeof v4[i], "127.0.53.%u", i + 1);
		o.ipv4.item[o.ipv4.n++] = v4[i];
	}
	if (init_site(&made, &fresh, site, &o, err, sizeof err) != 0 ||
	    (b->site = site_open(site, SITE_SECRET, err, sizeof err)) == NULL) {
		fprintf(stderr, "Bail out! %s\n", err);
		exit(1);
	}
	/* The same token in every run, so that a corpus can name it. */
	memset(b->site->token_key.secret, 42, sizeof b->site->token_key.secret);
	token_from_id(&b->token, 0xbeefcafe1234, &b->site->token_key);
	b->line = xcalloc(1, sizeof *b->line);
	b->origin = (struct event_origin){ .node = "a", .daemon = "smtpd", .n = 0 };
	b->env = (struct session_env){ .site = b->site,
		.ops = &bed_ops,
		.line = b->line,
		.sha256 = EVP_sha256(),
		.judged = true };
	b->now = BED_START;
	bed_forget(b);
	bed_release_none(b);
	bed_operator_mail(b);
}

static inline void
bed_free(struct bed *b)
{
	char command[sizeof b->dir + 16];

	quota_free(b->operator_mail);
	released_close(b->released);
	memory_close(b->memory);
	free(b->line);
	site_free(b->site);
	strbuf_clear(&b->replies);
	strbuf_clear(&b->held);
	strbuf_clear(&b->events);
	strbuf_clear(&b->tls_bytes);
	strbuf_clear(&b->body);
	strbuf_clear(&b->handed);
	snprintf(command, sizeof command, "rm -rf '%.127s'", b->dir);
	if (system(command) != 0)
		exit(1);
}

/* Ends what is open and connects: to the address of (token, test, host 0) or to the front of the test. */
static inline void
bed_connect(
    struct bed *b, const struct test *t, bool v4, const char *peer, const char *early, size_t len)
{
	union sockaddr_any from, to;
	const struct front *f = b->site->front_of[t->number][0];
	char conn[32];

	strbuf_reset(&b->replies);
	strbuf_reset(&b->held);
	strbuf_reset(&b->events);
	strbuf_reset(&b->tls_bytes);
	b->committing = b->closed = b->reset = b->tls_asked = false;
	memset(&to, 0, sizeof to);
	if (v4) {
		if (f == NULL || address_parse(&to, f->address, 25) != 0)
			exit(1);
	} else {
		to.in6.sin6_family = AF_INET6;
		address_make(
		    &to.in6.sin6_addr, &b->site->prefix, b->token.id, t->number, ADDRESS_SERVES, 0);
	}
	if (address_parse(&from,
		peer != NULL ? peer
		: v4         ? "192.0.2.7"
			     : "2001:db8:1::7",
		4021) != 0)
		exit(1);
	snprintf(conn, sizeof conn, "0-1-%u", ++b->conns);
	session_init(&b->session, &b->env, b, conn, &from, &to, b->now);
	b->open = true;
	session_start(&b->session, early, len, false, b->now);
}

static inline void
bed_committed(struct bed *b)
{
	while (b->committing) {
		b->committing = false;
		if (b->held.len > 0)
			strbuf_add(&b->replies, b->held.s, b->held.len);
		strbuf_reset(&b->held);
		session_committed(&b->session, b->now);
	}
}

static inline void
bed_end(struct bed *b, enum session_how how)
{
	if (!b->open)
		return;
	b->open = false;
	session_end(&b->session, how, b->now);
	session_clear(&b->session);
}

/* Lets time pass, and everything happen in it that is due. */
static inline void
bed_pass(struct bed *b, int64_t us, bool manual)
{
	int64_t end = b->now + us, at;

	while (b->open && (at = session_deadline(&b->session)) <= end) {
		b->now = at > b->now ? at : b->now;
		session_tick(&b->session, b->now);
		if (!manual)
			bed_committed(b);
		if (b->closed)
			break;
	}
	b->now = end;
}

#endif
