/* web.c - see web.h. */
#include "smtpd/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "lib/clock.h"
#include "provisioning/address.h"

#define LINGER_US  (5 * CLOCK_SECOND)
#define REPORT_MAX 44000 /* octets of a report that fit into an event, in base64 */

/* --- whose it is --------------------------------------------------------------------------------- */

static void
bind_by_address(struct web *w)
{
	const struct site *site = w->env->site;
	struct address_parts parts;

	if (w->local.sa.sa_family != AF_INET6 || !site->has_ipv6 ||
	    !address_split(&parts, &w->local.in6.sin6_addr, &site->prefix) || parts.id == 0 ||
	    parts.test > TEST_NUMBER_MAX || site->catalogue->by_number[parts.test] == NULL)
		return;
	w->by = "address";
	w->test = site->catalogue->by_number[parts.test];
	token_from_id(&w->token, parts.id, &site->token_key);
}

bool
web_take_name(struct web *w, const struct web_name *n, const char *by)
{
	if (w->test != NULL)
		return w->test == n->test && w->token.id == n->token.id;
	w->by = by;
	w->test = n->test;
	w->token = n->token;
	return true;
}

void
web_look_up(struct web *w)
{
	w->released = w->test != NULL && released_covers(w->test) &&
		      released_has(w->env->released, w->token.id);
	w->phase = w->released ? 0 : phase_now(&w->env->memory, w->test, w->token.id, w->now_us);
}

const struct policy *
web_policy(const struct web *w)
{
	if (w->released)
		return w->test->n_policy > 0 ? &policy_released : NULL;
	return policy_of(w->test, w->phase);
}

/* --- events ---------------------------------------------------------------------------------------- */

struct event_line *
web_event(struct web *w, enum event_kind kind)
{
	struct event_line *e = w->env->line;

	event_begin(e, kind, w->env->ops->origin(w->ctx), w->now_us);
	if (w->test != NULL) {
		event_str(e, EK_TOKEN, w->token.text);
		event_str(e, EK_TEST, w->test->name);
	}
	event_str(e, EK_CONN, w->conn);
	return e;
}

void
web_event_end(struct web *w)
{
	event_end(w->env->line);
	w->env->ops->event(w->ctx, w->env->line->buf, w->env->line->len);
}

static void
put_addresses(struct event_line *e, const struct web *w, bool port)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(text, &w->peer);
	event_str(e, EK_PEER, text);
	if (port)
		event_num(e, EK_PORT, address_port(&w->peer));
	address_format(text, &w->local);
	event_str(e, EK_LOCAL, text);
}

static void
put_at(struct event_line *e, const struct web *w)
{
	struct web_name n;
	char at[32];

	if (!web_name_parse(&n, w->request.host, strlen(w->request.host), w->env->site))
		return;
	snprintf(at, sizeof at, "%s{d%s}", web_host_prefix(n.host), n.zone == 1 ? ":b" : "");
	event_str(e, EK_AT, at);
}

/* The one event of a request, whatever became of it. */
static void
request_event(struct web *w, unsigned status, const char *reason)
{
	struct http_request *r = &w->request;
	struct event_line *e = web_event(w, EV_HTTP_REQUEST);
	char what[sizeof r->method + HTTP_TARGET_MAX + 2];

	w->requests++;
	put_addresses(e, w, true);
	put_at(e, w);
	event_str(e, EK_BY, w->by);
	snprintf(
	    what, sizeof what, "%s%s%s", r->method, r->target[0] != '\0' ? " " : "", r->target);
	event_str(e, EK_WHAT, what);
	event_str(e, EK_AUTHORITY, r->host);
	event_str(e, EK_SNI, w->sni);
	event_num(e, EK_REPLY, status);
	event_str(e, EK_REASON, reason);
	event_str(e, EK_AGENT, r->agent);
	if (r->head.len > r->fields)
		event_text(e, EK_HEADERS, r->head.s + r->fields, r->head.len - r->fields);
	if (r->has_length || r->chunked)
		event_num(e, EK_BYTES, (int64_t)w->body.len);
	event_num(e, EK_SIZE, (int64_t)w->content.len);
	event_num(e, EK_MS, (w->now_us - w->start_us) / 1000);
	event_str(e, EK_DEV, w->dev);
	if (w->phase > 0)
		event_num(e, EK_PHASE, w->phase);
	web_event_end(w);
}

static void
report_event(struct web *w)
{
	struct event_line *e = web_event(w, EV_TLSRPT_REPORT);
	size_t n = w->body.len < REPORT_MAX ? w->body.len : REPORT_MAX;
	char *data = xcalloc(1, 4 * ((n + 2) / 3) + 1);

	EVP_EncodeBlock((unsigned char *)data,
	    (const unsigned char *)(w->body.s != NULL ? w->body.s : ""), (int)n);
	put_addresses(e, w, true);
	event_str(e, EK_VIA, "https");
	event_str(e, EK_WHAT, w->request.target);
	event_str(e, EK_TYPE, w->request.type);
	event_str(e, EK_ENCODING, w->request.encoding);
	event_num(e, EK_BYTES, (int64_t)w->body.len);
	event_num(e, EK_REPLY, 201);
	event_bool(e, EK_TLS, true);
	event_str(e, EK_SNI, w->sni);
	if (w->phase > 0)
		event_num(e, EK_PHASE, w->phase);
	event_str(e, EK_DATA, data);
	if (n < w->body.len)
		event_bool(e, EK_CUT, true);
	web_event_end(w);
	free(data);
}

/* --- the response ---------------------------------------------------------------------------------- */

/* The one exit: everything that is sent passes here, after its event. */
static void
send_response(struct web *w)
{
	struct strbuf out = { 0 };
	char date[HTTP_DATE_MAX];

	http_date(date, w->now_us);
	strbuf_printf(&out, "HTTP/1.1 %u %s\r\nDate: %s\r\nConnection: close\r\n", w->status,
	    http_reason(w->status), date);
	if (w->location[0] != '\0')
		strbuf_printf(&out, "Location: %s\r\n", w->location);
	if (w->status == 405)
		strbuf_puts(&out, "Allow: GET, HEAD, POST\r\n");
	strbuf_printf(
	    &out, "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n", w->type, w->content.len);
	if (strcmp(w->request.method, "HEAD") != 0 && w->content.len > 0)
		strbuf_add(&out, w->content.s, w->content.len);
	w->env->ops->reply(w->ctx, out.s, out.len);
	strbuf_clear(&out);
}

static void
web_close(struct web *w, enum session_how how, bool reset)
{
	if (w->state == WEB_CLOSING)
		return;
	w->state = WEB_CLOSING;
	if (w->how == HOW_NONE)
		w->how = how;
	w->wait_us = w->now_us + LINGER_US;
	w->env->ops->close(w->ctx, reset);
}

static void
finish(struct web *w, unsigned status, const char *reason)
{
	w->status = status;
	request_event(w, status, reason);
	send_response(w);
	web_close(w, HOW_QUIT, false);
}

/* A response of a few words. */
static void
respond(struct web *w, unsigned status, const char *reason)
{
	strbuf_reset(&w->content);
	strbuf_printf(&w->content, "%u %s\n", status, http_reason(status));
	snprintf(w->type, sizeof w->type, "text/plain");
	w->location[0] = '\0';
	finish(w, status, reason);
}

/* --- requests ---------------------------------------------------------------------------------------- */

static void
note_fetch(struct web *w)
{
	if (w->status == 200 && !w->released && strcmp(w->request.method, "GET") == 0 &&
	    strcmp(w->request.target, POLICY_PATH) == 0)
		phase_note_event(&w->env->memory, w->test, w->token.id, PHASE_FETCHED, w->now_us);
}

static void
finish_policy(struct web *w)
{
	finish(w, w->status, NULL);
	note_fetch(w);
}

static void
serve_policy(struct web *w)
{
	const struct site *site = w->env->site;
	const struct policy *p;
	const char *target = w->request.target;

	web_look_up(w);
	p = web_policy(w);
	if (p == NULL) {
		if (w->test->n_policy > 0)
			snprintf(w->dev, sizeof w->dev, "status 404");
		respond(w, 404, "no policy");
		return;
	}
	policy_location(w->location, sizeof w->location, p, site, w->test, &w->token);
	if (strcmp(target, POLICY_PATH) == 0) {
		w->status = p->status;
	} else if (w->location[0] != '\0' &&
		   strcmp(target, policy_location_path(w->location)) == 0) {
		w->status = 200; /* who came here has followed the redirect */
		w->location[0] = '\0';
	} else {
		respond(w, 404, "path");
		return;
	}
	if (w->released)
		snprintf(w->dev, sizeof w->dev, "%s", SESSION_RELEASED);
	else
		policy_dev(w->dev, sizeof w->dev, p);
	snprintf(w->type, sizeof w->type, "%s", p->type != NULL ? p->type : "text/plain");
	if (w->status == 200)
		policy_body(&w->content, p, site, w->test, &w->token);
	else
		strbuf_printf(&w->content, "%u %s\n", w->status, http_reason(w->status));
	if (p->slow_us > 0) {
		w->state = WEB_SLOW;
		w->wait_us = w->now_us + p->slow_us;
		return;
	}
	finish_policy(w);
}

/* The whole body is there: on disk first, then 201. */
static void
take_report(struct web *w)
{
	web_look_up(w);
	report_event(w);
	strbuf_reset(&w->content);
	snprintf(w->type, sizeof w->type, "text/plain");
	w->status = 201;
	request_event(w, 201, NULL);
	w->state = WEB_COMMIT;
	w->env->ops->commit(w->ctx);
	send_response(w);
}

static void
post(struct web *w, const struct web_name *n)
{
	const struct http_request *r = &w->request;

	if (n->host != WEB_REPORT) {
		respond(w, 404, "no reports are taken here");
	} else if (!r->has_length && !r->chunked) {
		respond(w, 411, "Content-Length");
	} else if (r->length > w->env->site->conf.https_body) {
		respond(w, 413, "body too large");
	} else {
		w->state = WEB_BODY;
		if (r->expects)
			w->env->ops->reply(w->ctx, "HTTP/1.1 100 Continue\r\n\r\n", 25);
		if (!r->chunked && r->length == 0)
			take_report(w);
	}
}

static void
dispatch(struct web *w)
{
	const struct http_request *r = &w->request;
	bool get = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;
	struct web_name n;

	if (!web_name_parse(&n, r->host, strlen(r->host), w->env->site)) {
		respond(w, 404, "no such host");
		return;
	}
	if (!web_take_name(w, &n, "host")) {
		respond(w, 421, "the host belongs to another address or server name");
		return;
	}
	w->zone = n.zone;
	if (get && (r->chunked || r->length > 0))
		respond(w, 400, "body");
	else if (get && n.host == WEB_POLICY && n.zone == 0)
		serve_policy(w);
	else if (get)
		respond(w, 404, "path");
	else if (strcmp(r->method, "POST") == 0)
		post(w, &n);
	else
		respond(w, 405, "method");
}

static size_t
chunks_input(struct web *w, const char *bytes, size_t len)
{
	size_t n = chunked_input(&w->chunks, &w->body, w->env->site->conf.https_body, bytes, len);

	if (w->chunks.state == CHUNKED_DONE)
		take_report(w);
	else if (w->chunks.state == CHUNKED_LARGE)
		respond(w, 413, "body too large");
	else if (w->chunks.state == CHUNKED_BAD)
		respond(w, 400, w->chunks.why);
	return n;
}

static size_t
body_input(struct web *w, const char *bytes, size_t len)
{
	size_t want = (size_t)w->request.length - w->body.len, n = len < want ? len : want;

	strbuf_add(&w->body, bytes, n);
	if (w->body.len == w->request.length)
		take_report(w);
	return n;
}

void
web_input(struct web *w, const char *bytes, size_t len, int64_t now_us)
{
	size_t used;

	w->now_us = now_us;
	while (len > 0) {
		if (w->state == WEB_HEAD) {
			used = http_input(&w->request, bytes, len);
			if (w->request.state == HTTP_BAD)
				respond(w, w->request.status, w->request.why);
			else if (w->request.state == HTTP_READ)
				dispatch(w);
		} else if (w->state == WEB_BODY) {
			used = w->request.chunked ? chunks_input(w, bytes, len)
						  : body_input(w, bytes, len);
		} else {
			return; /* one request a connection: the rest is not looked at */
		}
		bytes += used;
		len -= used;
	}
}

void
web_committed(struct web *w, int64_t now_us)
{
	w->now_us = now_us;
	if (w->state == WEB_COMMIT)
		web_close(w, HOW_QUIT, false);
}

/* --- life and time --------------------------------------------------------------------------------- */

void
web_init(struct web *w, const struct session_env *env, void *ctx, const char *conn,
    const union sockaddr_any *peer, const union sockaddr_any *local, int64_t now_us)
{
	memset(w, 0, sizeof *w);
	w->env = env;
	w->ctx = ctx;
	snprintf(w->conn, sizeof w->conn, "%s", conn);
	w->peer = *peer;
	w->local = *local;
	w->start_us = w->now_us = now_us;
	http_init(&w->request);
	w->request.takes_chunked = true;
	bind_by_address(w);
	web_look_up(w);
}

void
web_start(struct web *w, int64_t now_us)
{
	struct event_line *e;

	w->now_us = now_us;
	e = web_event(w, EV_HTTP_CONNECT);
	put_addresses(e, w, true);
	web_event_end(w);
}

void
web_clear(struct web *w)
{
	http_clear(&w->request);
	strbuf_clear(&w->body);
	strbuf_clear(&w->content);
}

int64_t
web_deadline(const struct web *w)
{
	switch (w->state) {
	case WEB_COMMIT:
		return INT64_MAX;
	case WEB_SLOW:
	case WEB_CLOSING:
		return w->wait_us;
	case WEB_START:
	case WEB_HEAD:
	case WEB_BODY:
		break;
	}
	return w->start_us + w->env->site->conf.https_timeout;
}

void
web_shift(struct web *w, int64_t us)
{
	w->start_us += us;
	w->wait_us += us;
	w->now_us += us;
}

void
web_tick(struct web *w, int64_t now_us)
{
	if (w->ended || now_us < web_deadline(w))
		return;
	w->now_us = now_us;
	switch (w->state) {
	case WEB_SLOW:
		finish_policy(w);
		return;
	case WEB_HEAD:
	case WEB_BODY:
		w->how = HOW_TIMEOUT;
		respond(w, 408, "timeout");
		return;
	case WEB_START:
		web_close(w, HOW_TIMEOUT, false);
		return;
	case WEB_CLOSING:
	case WEB_COMMIT:
		w->env->ops->close(w->ctx, true);
		return;
	}
}

void
web_end(struct web *w, enum session_how how, int64_t now_us)
{
	struct event_line *e;

	if (w->ended)
		return;
	w->ended = true;
	w->now_us = now_us;
	if (w->how == HOW_NONE)
		w->how = how;
	/* What was asked for, but the client did not await the answer. */
	if (w->state == WEB_SLOW || w->state == WEB_BODY ||
	    (w->state == WEB_HEAD && w->request.head.len > 0))
		request_event(w, 0, "connection ended");
	if (w->was_tls) {
		e = web_event(w, EV_TLS_CLOSE);
		event_str(e, EK_HOW, w->tls_closed ? "close_notify" : "none");
		web_event_end(w);
	}
	e = web_event(w, EV_HTTP_CLOSE);
	put_addresses(e, w, false);
	event_str(e, EK_HOW, session_how_name(w->how));
	event_num(e, EK_MS, (now_us - w->start_us) / 1000);
	event_num(e, EK_COUNT, w->requests);
	web_event_end(w);
}
