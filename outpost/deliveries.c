/* deliveries.c - see deliveries.h. */
#include "outpost/deliveries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/json.h"

/* A message of ours in the queue. */
struct message {
	char queue[32], token[TOKEN_LEN + 1], msgid[320], from[320];
	int64_t since_us;
};
/* What a process of the mail server has agreed on with a relay, and for which message it was used. */
struct agreed {
	unsigned long pid; /* 0: free */
	char host[256], address[64], version[16], cipher[80], verified[16], queue[32];
	unsigned port;
	int64_t since_us;
};
struct deliveries {
	bool (*is_ours)(void *, const char *, char[TOKEN_LEN + 1]);
	void *ctx;
	struct message message[DELIVERIES_OPEN_MAX];
	size_t n;
	struct agreed agreed[DELIVERIES_TLS_MAX];
	int64_t tls_us; /* when the log told of TLS last; 0: never */
	struct mail_line line;
};

struct deliveries *
deliveries_new(bool (*is_ours)(void *, const char *, char[TOKEN_LEN + 1]), void *ctx)
{
	struct deliveries *d = xcalloc(1, sizeof *d);

	d->is_ours = is_ours;
	d->ctx = ctx;
	return d;
}

void
deliveries_free(struct deliveries *d)
{
	free(d);
}

/* --- messages ------------------------------------------------------------------------------------------------- */

static struct message *
find(struct deliveries *d, const char *queue)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->message[i].queue, queue) == 0)
			return &d->message[i];
	return NULL;
}

static void
drop(struct deliveries *d, struct message *m)
{
	if (m != NULL)
		*m = d->message[--d->n];
}

/* A place for one more: the oldest goes if there is none. */
static struct message *
place(struct deliveries *d)
{
	struct message *oldest = d->message;

	if (d->n < DELIVERIES_OPEN_MAX)
		return &d->message[d->n++];
	for (size_t i = 1; i < d->n; i++)
		if (d->message[i].since_us < oldest->since_us)
			oldest = &d->message[i];
	return oldest;
}

static void
on_id(struct deliveries *d, int64_t now)
{
	const struct mail_line *l = &d->line;
	char token[TOKEN_LEN + 1];
	struct message *m;

	drop(d, find(d, l->queue)); /* numbers of the queue are used again */
	if (!d->is_ours(d->ctx, l->msgid, token))
		return;
	m = place(d);
	memset(m, 0, sizeof *m);
	memcpy(m->queue, l->queue, sizeof m->queue);
	memcpy(m->token, token, sizeof m->token);
	memcpy(m->msgid, l->msgid, sizeof m->msgid);
	memcpy(m->from, l->from, sizeof m->from);
	m->since_us = now;
}

/* --- TLS ------------------------------------------------------------------------------------------------------ */

static struct agreed *
agreed_of(struct deliveries *d, unsigned long pid)
{
	for (size_t i = 0; i < DELIVERIES_TLS_MAX; i++)
		if (d->agreed[i].pid == pid)
			return &d->agreed[i];
	return NULL;
}

static void
on_tls(struct deliveries *d, int64_t now)
{
	const struct mail_line *l = &d->line;
	struct agreed *a = agreed_of(d, l->pid);

	d->tls_us = now;
	if (a == NULL && (a = agreed_of(d, 0)) == NULL) {
		a = d->agreed;
		for (size_t i = 1; i < DELIVERIES_TLS_MAX; i++)
			if (d->agreed[i].since_us < a->since_us)
				a = &d->agreed[i];
	}
	memset(a, 0, sizeof *a);
	a->pid = l->pid;
	memcpy(a->host, l->host, sizeof a->host);
	memcpy(a->address, l->address, sizeof a->address);
	a->port = l->port;
	memcpy(a->version, l->version, sizeof a->version);
	memcpy(a->cipher, l->cipher, sizeof a->cipher);
	snprintf(a->verified, sizeof a->verified, "%s", l->verified);
	a->since_us = now;
}

static void
on_lost(struct deliveries *d)
{
	struct agreed *a = agreed_of(d, d->line.pid);

	if (a != NULL)
		memset(a, 0, sizeof *a);
}

/* A process delivers one message at a time: what it agreed on holds for the first that it then tells of, not for the
 * next. */
static void
add_tls(struct deliveries *d, int64_t now)
{
	struct mail_line *l = &d->line;
	struct agreed *a = l->pid != 0 ? agreed_of(d, l->pid) : NULL;

	if (a != NULL && strcasecmp(a->host, l->host) == 0 && a->port == l->port &&
	    strcmp(a->address, l->address) == 0 &&
	    (a->queue[0] == '\0' || strcmp(a->queue, l->queue) == 0)) {
		memcpy(a->queue, l->queue, sizeof a->queue);
		memcpy(l->version, a->version, sizeof l->version);
		memcpy(l->cipher, a->cipher, sizeof l->cipher);
		l->verified = a->verified;
	} else if (l->version[0] != '\0') {
		d->tls_us = now;
	} else if (strcmp(l->what, "delivered") == 0 && d->tls_us != 0 &&
		   now - d->tls_us <= DELIVERIES_TRUST) {
		memcpy(l->version, DELIVERIES_CLEAR, sizeof DELIVERIES_CLEAR);
	}
}

/* --- lines ---------------------------------------------------------------------------------------------------- */

static bool
is_this_host(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static bool
on_delivery(struct delivery *dst, struct deliveries *d, int64_t now)
{
	struct message *m = find(d, d->line.queue);

	add_tls(d, now);
	if (m == NULL || is_this_host(d->line.address))
		return false;
	memcpy(dst->token, m->token, sizeof dst->token);
	dst->msgid = m->msgid;
	dst->from = m->from;
	dst->line = &d->line;
	return true;
}

bool
deliveries_line(
    struct delivery *dst, struct deliveries *d, const char *line, size_t len, int64_t now)
{
	struct message *m;

	if (!mail_line_read(&d->line, line, len))
		return false;
	switch (d->line.kind) {
	case MAIL_LINE_ID:
		on_id(d, now);
		return false;
	case MAIL_LINE_FROM:
		if ((m = find(d, d->line.queue)) != NULL)
			memcpy(m->from, d->line.from, sizeof m->from);
		return false;
	case MAIL_LINE_TLS:
		on_tls(d, now);
		return false;
	case MAIL_LINE_LOST:
		on_lost(d);
		return false;
	case MAIL_LINE_DELIVERY:
		return on_delivery(dst, d, now);
	case MAIL_LINE_GONE:
		drop(d, find(d, d->line.queue));
		return false;
	case MAIL_LINE_OTHER:
		break;
	}
	return false;
}

/* --- what outlives the process -------------------------------------------------------------------------------- */

static void
put(struct strbuf *b, const char *name, const char *text)
{
	strbuf_printf(b, ",\"%s\":", name);
	strbuf_json(b, text, strlen(text));
}

void
deliveries_save(struct strbuf *b, const struct deliveries *d)
{
	strbuf_printf(b, "{\"tls\":%lld}\n", (long long)d->tls_us);
	for (size_t i = 0; i < d->n; i++) {
		const struct message *m = &d->message[i];

		strbuf_printf(b, "{\"since\":%lld", (long long)m->since_us);
		put(b, "queue", m->queue);
		put(b, "token", m->token);
		put(b, "msgid", m->msgid);
		put(b, "from", m->from);
		strbuf_puts(b, "}\n");
	}
	for (size_t i = 0; i < DELIVERIES_TLS_MAX; i++) {
		const struct agreed *a = &d->agreed[i];

		if (a->pid == 0)
			continue;
		strbuf_printf(b, "{\"since\":%lld,\"pid\":%lu,\"port\":%u", (long long)a->since_us,
		    a->pid, a->port);
		put(b, "host", a->host);
		put(b, "address", a->address);
		put(b, "version", a->version);
		put(b, "cipher", a->cipher);
		put(b, "verified", a->verified);
		put(b, "queue", a->queue);
		strbuf_puts(b, "}\n");
	}
}

static void
get(char *dst, size_t dstlen, const struct json *o, const char *name)
{
	const char *text = json_string(o, name);

	snprintf(dst, dstlen, "%s", text != NULL ? text : "");
}

static bool
load_message(struct deliveries *d, const struct json *o)
{
	struct message *m;
	const char *token = json_string(o, "token");

	if (token == NULL || strlen(token) != TOKEN_LEN || json_string(o, "queue") == NULL)
		return false;
	m = place(d);
	memset(m, 0, sizeof *m);
	memcpy(m->token, token, TOKEN_LEN);
	get(m->queue, sizeof m->queue, o, "queue");
	get(m->msgid, sizeof m->msgid, o, "msgid");
	get(m->from, sizeof m->from, o, "from");
	m->since_us = json_int(o, "since", 0);
	return true;
}

static bool
load_agreed(struct deliveries *d, const struct json *o)
{
	struct agreed *a = agreed_of(d, 0);
	int64_t pid = json_int(o, "pid", 0), port = json_int(o, "port", 0);

	if (a == NULL || pid <= 0 || port < 0 || port > 65535)
		return false;
	memset(a, 0, sizeof *a);
	a->pid = (unsigned long)pid;
	a->port = (unsigned)port;
	get(a->host, sizeof a->host, o, "host");
	get(a->address, sizeof a->address, o, "address");
	get(a->version, sizeof a->version, o, "version");
	get(a->cipher, sizeof a->cipher, o, "cipher");
	get(a->verified, sizeof a->verified, o, "verified");
	get(a->queue, sizeof a->queue, o, "queue");
	a->since_us = json_int(o, "since", 0);
	return true;
}

bool
deliveries_load(struct deliveries *d, const char *line, size_t len)
{
	char err[128];
	struct json_doc *doc = json_parse(line, len, err, sizeof err);
	const struct json *o;
	bool ok = true;

	if (doc == NULL)
		return false;
	o = json_root(doc);
	if (json_get(o, "tls") != NULL)
		d->tls_us = json_int(o, "tls", 0);
	else if (json_get(o, "pid") != NULL)
		ok = load_agreed(d, o);
	else
		ok = load_message(d, o);
	json_free(doc);
	return ok;
}
