/* smtpd.c - plays scripts/smtp/NAME.smtp through the shipped session core.  A script is lines of
 *
 *   connect TEST [v4] [peer ADDRESS] [early BYTES]   a new connection (the one before ends)
 *   C: BYTES        the client sends.  \r \n \\ \xHH; {d} {t} {base} {d:TEST} {forged:TEST}
 *   C* N BYTES      the same N times in one piece
 *   S: PATTERN      the next line that we sent (shell pattern, without CR LF)
 *   S: -            we sent nothing more
 *   E: KIND KEY=PATTERN...   such an event was written, not before those that E: named already
 *   N: KIND [KEY=PATTERN...] no such event was written since connect
 *   V: PATTERN      the message that was handed to the verifier last: TOKEN TEST DIGEST CLIENT helo=
 *                   from= us= body=; -: none since the last V:
 *   refuse [WORDS]  the verifier takes none, or from now on does
 *   T: DURATION     time passes (timers run)
 *   manual          the log is not on disk until "disk"
 *   disk            now it is
 *   hello [SNI]     a ClientHello is seen;  tls: the handshake is finished
 *   preface BYTES   a segment comes before TLS begins
 *   eof             the client closes
 *   closed [reset]  we closed
 *   set KEY VALUE   configuration: see do_set
 *   forget          the memory table is lost
 *   release         the participant is released
 *
 * Replies that no S: asked for are an error. */
#include <ctype.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdarg.h>

#include "lib/clock.h"
#include "tests/replay/smtp/bed.h"

struct player {
	struct bed *bed;
	const char *path;
	unsigned line, failures;
	bool manual;
	size_t reply_at, event_at;
	struct site_conf conf; /* as it was */
};

static void __attribute__((format(printf, 2, 3))) fail(struct player *p, const char *fmt, ...)
{
	va_list ap;

	if (p->failures++ > 5)
		return;
	printf("# %s:%u: ", p->path, p->line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

/* {d}, {t} ... up to the brace; returns octets used of s. */
static size_t
placeholder(struct player *p, struct strbuf *out, const char *s)
{
	struct bed *b = p->bed;
	const char *end = strchr(s, '}');
	char name[64];

	if (end == NULL || (size_t)(end - s) >= sizeof name) {
		fail(p, "placeholder without end");
		return 1;
	}
	snprintf(name, sizeof name, "%.*s", (int)(end - s - 1), s + 1);
	if (strcmp(name, "t") == 0)
		strbuf_puts(out, b->token.text);
	else if (strcmp(name, "base") == 0)
		strbuf_puts(out, BED_BASE);
	else if (strcmp(name, "d") == 0)
		strbuf_printf(out, "%s.%s.%s", b->token.text,
		    b->session.bind.test != NULL ? b->session.bind.test->name : "dual", BED_BASE);
	else if (strncmp(name, "d:", 2) == 0)
		strbuf_printf(out, "%s.%s.%s", b->token.text, name + 2, BED_BASE);
	else if (strncmp(name, "forged:", 7) == 0)
		strbuf_printf(out, "aaaaaaaaaaaaaaaa.%s.%s", name + 7, BED_BASE);
	else
		fail(p, "{%s}: no such placeholder", name);
	return (size_t)(end + 1 - s);
}

static void
expand(struct player *p, struct strbuf *out, const char *s)
{
	while (*s != '\0') {
		if (*s == '{') {
			s += placeholder(p, out, s);
		} else if (*s == '\\' && s[1] != '\0') {
			unsigned hex;
			char c = s[1];

			if (c == 'x' && sscanf(s + 2, "%2x", &hex) == 1) {
				c = (char)hex;
				s += 2;
			} else {
				c = c == 'r' ? '\r' : c == 'n' ? '\n' : c;
			}
			strbuf_add(out, &c, 1);
			s += 2;
		} else {
			strbuf_add(out, s++, 1);
		}
	}
}

static void
settle(struct player *p)
{
	if (!p->manual)
		bed_committed(p->bed);
}

static void
client(struct player *p, const char *text, unsigned long times)
{
	struct strbuf one = { 0 }, all = { 0 };

	expand(p, &one, text);
	while (times-- > 0)
		strbuf_add(&all, one.s, one.len);
	if (p->bed->open)
		session_input(&p->bed->session, all.s, all.len, p->bed->now);
	settle(p);
	strbuf_clear(&one);
	strbuf_clear(&all);
}

static void
expect_reply(struct player *p, const char *pattern)
{
	struct strbuf *r = &p->bed->replies, want = { 0 };
	const char *s = r->s + p->reply_at, *end;
	char got[600];

	if (strcmp(pattern, "-") == 0) {
		if (p->reply_at < r->len)
			fail(p, "sent more: %.200s", s);
		return;
	}
	if (p->reply_at >= r->len || (end = strstr(s, "\r\n")) == NULL) {
		fail(p, "nothing was sent, expected: %s", pattern);
		return;
	}
	snprintf(got, sizeof got, "%.*s", (int)(end - s), s);
	p->reply_at = (size_t)(end + 2 - r->s);
	expand(p, &want, pattern);
	if (fnmatch(want.s, got, 0) != 0)
		fail(p, "sent: %s, expected: %s", got, want.s);
	strbuf_clear(&want);
}

/* Does the event have it?  "key=pattern"; pattern "-": the key must be absent. */
static bool
has(const struct event *e, const char *word)
{
	char text[32];
	const char *eq = strchr(word, '=');

	for (unsigned k = 0; eq != NULL && k < EK_MAX; k++) {
		const struct event_key_row *row = event_key((enum event_key)k);

		if (strlen(row->name) != (size_t)(eq - word) ||
		    strncmp(row->name, word, strlen(row->name)) != 0)
			continue;
		if (strcmp(eq + 1, "-") == 0)
			return !e->v[k].set;
		if (!e->v[k].set)
			return false;
		if (row->type == EVT_TEXT)
			return fnmatch(eq + 1, e->v[k].text, 0) == 0;
		snprintf(text, sizeof text, "%lld", (long long)e->v[k].num);
		return fnmatch(eq + 1, text, 0) == 0;
	}
	return false;
}

static bool
matches(const struct event *e, const char *spec)
{
	char copy[1024], *word, *save;

	snprintf(copy, sizeof copy, "%s", spec);
	word = strtok_r(copy, " ", &save);
	if (word == NULL || strcmp(e->kind_name, word) != 0)
		return false;
	while ((word = strtok_r(NULL, " ", &save)) != NULL) {
		for (char *c = word; *c != '\0'; c++)
			if (*c == '~')
				*c = ' '; /* a blank in a pattern */
		if (!has(e, word))
			return false;
	}
	return true;
}

/* Position behind the first event from `from` on that matches; 0: none. */
static size_t
find_event(struct player *p, const char *spec, size_t from)
{
	const struct strbuf *ev = &p->bed->events;
	struct strbuf want = { 0 };
	struct event e;
	char err[200];
	size_t found = 0;

	expand(p, &want, spec);
	while (from < ev->len && found == 0) {
		const char *line = ev->s + from, *end = strchr(line, '\n');

		if (event_decode(&e, line, (size_t)(end - line), err, sizeof err) != 0) {
			fail(p, "event does not decode: %s", err);
			break;
		}
		from = (size_t)(end + 1 - ev->s);
		if (matches(&e, want.s))
			found = from;
		event_clear(&e);
	}
	strbuf_clear(&want);
	return found;
}

static void
expect_event(struct player *p, const char *spec)
{
	size_t at = find_event(p, spec, p->event_at);

	if (at == 0) {
		fail(p, "no event: %s", spec);
		printf("# events:\n");
		for (const char *s = p->bed->events.s + p->event_at; s != NULL && *s != '\0';
		     s = strchr(s, '\n') + 1)
			printf("#   %.*s\n", (int)strcspn(s, "\n"), s);
		return;
	}
	p->event_at = at;
}

static void
do_connect(struct player *p, const char *text)
{
	char copy[512], *word, *save;
	struct strbuf early = { 0 };
	const char *peer = NULL, *e = strstr(text, " early ");
	const struct test *t;
	bool v4 = false;

	bed_end(p->bed, HOW_EOF);
	snprintf(copy, sizeof copy, "%.*s", e != NULL ? (int)(e - text) : (int)strlen(text), text);
	word = strtok_r(copy, " ", &save);
	t = word != NULL ? catalogue_find(p->bed->site->catalogue, word, strlen(word)) : NULL;
	if (t == NULL) {
		fail(p, "connect: no such test");
		return;
	}
	while ((word = strtok_r(NULL, " ", &save)) != NULL) {
		if (strcmp(word, "v4") == 0)
			v4 = true;
		else if (strcmp(word, "peer") == 0)
			peer = strtok_r(NULL, " ", &save);
	}
	if (e != NULL)
		expand(p, &early, e + 7);
	p->reply_at = p->event_at = 0;
	bed_connect(p->bed, t, v4, peer, early.s, early.len);
	settle(p);
	strbuf_clear(&early);
}

/* A small TLS 1.3 ClientHello with this server name. */
static void
do_hello(struct player *p, const char *sni)
{
	struct strbuf name = { 0 };
	unsigned char m[512] = { 1 };
	size_t n = 4, len;

	expand(p, &name, sni);
	len = name.len;
	m[n] = m[n + 1] = 3;
	n += 2 + 32;
	m[n++] = 0;
	memcpy(m + n, "\0\2\x13\1\1\0", 6);
	n += 6;
	if (len > 0) {
		unsigned char ext[] = { 0, (unsigned char)(len + 9), 0, 0, 0,
			(unsigned char)(len + 5), 0, (unsigned char)(len + 3), 0, 0,
			(unsigned char)len };

		memcpy(m + n, ext, sizeof ext);
		memcpy(m + n + sizeof ext, name.s, len);
		n += sizeof ext + len;
	}
	m[2] = (unsigned char)((n - 4) >> 8);
	m[3] = (unsigned char)(n - 4);
	session_tls.hello(&p->bed->session, m, n, p->bed->now);
	strbuf_clear(&name);
}

static void
do_set(struct player *p, const char *text)
{
	static const struct {
		const char *key;
		size_t at;
		enum conf_type type;
	} rows[] = {
		{ "pace", offsetof(struct site_conf, pace), CONF_UINT },
		{ "smtp_line", offsetof(struct site_conf, smtp_line), CONF_UINT },
		{ "smtp_commands", offsetof(struct site_conf, smtp_commands), CONF_UINT },
		{ "smtp_recipients", offsetof(struct site_conf, smtp_recipients), CONF_UINT },
		{ "smtp_operator", offsetof(struct site_conf, smtp_operator), CONF_UINT },
		{ "smtp_message", offsetof(struct site_conf, smtp_message), CONF_BYTES },
		{ "smtp_headers", offsetof(struct site_conf, smtp_headers), CONF_BYTES },
		{ "smtp_timeout", offsetof(struct site_conf, smtp_timeout), CONF_DURATION },
		{ "smtp_data_timeout", offsetof(struct site_conf, smtp_data_timeout),
		    CONF_DURATION },
		{ "smtp_session", offsetof(struct site_conf, smtp_session), CONF_DURATION },
	};
	struct site_conf *c = &p->bed->site->conf;
	char key[40], value[40];
	int64_t us;

	if (sscanf(text, "%39s %39s", key, value) != 2) {
		fail(p, "set KEY VALUE");
		return;
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		void *field = (char *)c + rows[i].at;
		if (strcmp(key, rows[i].key) != 0)
			continue;
		if (rows[i].type == CONF_UINT)
			*(unsigned *)field = (unsigned)strtoul(value, NULL, 10);
		else if (rows[i].type == CONF_BYTES)
			*(uint64_t *)field = strtoul(value, NULL, 10);
		else if (duration_parse(&us, value) == 0)
			*(int64_t *)field = us;
		else
			fail(p, "set %s: no duration", key);
		p->bed->env.memory.pace = c->pace;
		if (field == &c->smtp_operator)
			bed_operator_mail(p->bed);
		return;
	}
	fail(p, "set %s: unknown", key);
}

static void
expect_handed(struct player *p, const char *pattern)
{
	struct strbuf *handed = &p->bed->handed;
	const char *got = handed->len > 0 ? handed->s : "-";
	struct strbuf want = { 0 };

	expand(p, &want, pattern);
	if (fnmatch(want.s, got, FNM_NOESCAPE) != 0)
		fail(p, "handed over: %s, expected: %s", got, want.s);
	strbuf_clear(&want);
	strbuf_reset(handed);
}

static void
run_line(struct player *p, const char *verb, const char *rest)
{
	struct tls_done done = { .version = "TLSv1.3", .cipher = "TLS_AES_128_GCM_SHA256" };
	struct bed *b = p->bed;
	struct strbuf bytes = { 0 };
	int64_t us;
	char *end;

	if (strcmp(verb, "connect") == 0) {
		do_connect(p, rest);
	} else if (strcmp(verb, "C:") == 0) {
		client(p, rest, 1);
	} else if (strcmp(verb, "C*") == 0) {
		unsigned long n = strtoul(rest, &end, 10);

		client(p, end + 1, n);
	} else if (strcmp(verb, "S:") == 0) {
		expect_reply(p, rest);
	} else if (strcmp(verb, "E:") == 0) {
		expect_event(p, rest);
	} else if (strcmp(verb, "N:") == 0) {
		if (find_event(p, rest, 0) != 0)
			fail(p, "event that must not be: %s", rest);
	} else if (strcmp(verb, "V:") == 0) {
		expect_handed(p, rest);
	} else if (strcmp(verb, "refuse") == 0) {
		snprintf(b->refusal, sizeof b->refusal, "%s", rest);
	} else if (strcmp(verb, "T:") == 0 && duration_parse(&us, rest) == 0) {
		bed_pass(b, us, p->manual);
	} else if (strcmp(verb, "manual") == 0) {
		p->manual = true;
	} else if (strcmp(verb, "disk") == 0) {
		bed_committed(b);
	} else if (strcmp(verb, "hello") == 0) {
		do_hello(p, rest);
	} else if (strcmp(verb, "tls") == 0) {
		if (!b->tls_asked)
			fail(p, "STARTTLS was not agreed");
		session_tls.done(&b->session, &done, b->now);
	} else if (strcmp(verb, "preface") == 0) {
		expand(p, &bytes, rest);
		session_preface(&b->session, bytes.s, bytes.len, "later-segment", b->now);
		strbuf_clear(&bytes);
	} else if (strcmp(verb, "eof") == 0) {
		bed_end(b, HOW_EOF);
	} else if (strcmp(verb, "closed") == 0) {
		if (!b->closed || b->reset != (strcmp(rest, "reset") == 0))
			fail(p, "not so: closed %d reset %d", b->closed, b->reset);
		bed_end(b, HOW_OURS);
	} else if (strcmp(verb, "set") == 0) {
		do_set(p, rest);
	} else if (strcmp(verb, "forget") == 0) {
		bed_forget(b);
	} else if (strcmp(verb, "release") == 0) {
		released_note(b->released, b->token.id);
	} else {
		fail(p, "%s: what is that", verb);
	}
}

static void
play(struct player *p)
{
	char *line = NULL, *rest;
	size_t cap = 0, n;
	FILE *f = fopen(p->path, "r");

	if (f == NULL) {
		fail(p, "cannot be read");
		return;
	}
	p->conf = p->bed->site->conf;
	bed_forget(p->bed);
	bed_release_none(p->bed);
	bed_operator_mail(p->bed);
	while (getline(&line, &cap, f) > 0) {
		p->line++;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		n = strcspn(line, " ");
		rest = line + n + (line[n] == ' ');
		line[n] = '\0';
		/* What was sent must have been asked for before anything else happens. */
		if (strcmp(line, "S:") != 0 && strcmp(line, "E:") != 0 && strcmp(line, "N:") != 0 &&
		    strcmp(line, "V:") != 0 && p->bed->replies.len > p->reply_at) {
			fail(p, "not expected: %.*s",
			    (int)strcspn(p->bed->replies.s + p->reply_at, "\r"),
			    p->bed->replies.s + p->reply_at);
			p->reply_at = p->bed->replies.len;
		}
		run_line(p, line, rest);
	}
	if (p->bed->replies.len > p->reply_at)
		fail(p, "not expected: %s", p->bed->replies.s + p->reply_at);
	bed_end(p->bed, HOW_EOF);
	strbuf_reset(&p->bed->replies);
	strbuf_reset(&p->bed->handed);
	p->bed->refusal[0] = '\0';
	p->bed->site->conf = p->conf;
	free(line);
	fclose(f);
}

int
main(int argc, char **argv)
{
	struct bed bed;
	glob_t g;
	unsigned bad = 0;

	if (glob(argc > 1 ? argv[1] : "tests/replay/smtp/*.smtp", 0, NULL, &g) != 0) {
		printf("Bail out! no scripts: run this at the top of the source tree\n");
		return 1;
	}
	bed_new(&bed, "tests/replay/smtp/catalogue");
	printf("1..%zu\n", g.gl_pathc);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		struct player p = { .bed = &bed, .path = g.gl_pathv[i] };

		play(&p);
		printf("%sok %zu - %s\n", p.failures > 0 ? "not " : "", i + 1, g.gl_pathv[i]);
		bad += p.failures > 0;
	}
	globfree(&g);
	bed_free(&bed);
	return bad > 0;
}
