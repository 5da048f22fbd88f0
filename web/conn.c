/* conn.c - a connection of a browser: requests one after the other, each with a time in which it must be
 * there as a whole (an inactivity timer would let a slow drip hold a connection for ever). */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "web/assets.h"
#include "web/client.h"
#include "web/page.h"
#include "web/pages.h"
#include "web/serve.h"

#define ASK_TIME     (30 * CLOCK_SECOND)
#define CLOSE_TIME   (2 * CLOCK_SECOND)
#define OUTPUT_SMALL (256 << 10) /* octets of a response that is never refused for its size */
#define STREAM_FULL  4096 /* octets that a client did not take: what is newer it learns later */

static const struct site_conf *
conf(const struct conn *c)
{
	return &c->serve->config->site->conf;
}

static void
wait_at_most(struct conn *c, int64_t us)
{
	struct timeval tv = clock_timeval(us);

	evtimer_add(c->timer, &tv);
}

static void
enter(struct conn *c, enum conn_state state, int64_t us)
{
	c->state = state;
	wait_at_most(c, us);
}

/* --- responses ------------------------------------------------------------------------------------------ */

static void
send_response(struct conn *c, struct response *r)
{
	struct strbuf b = { 0 };

	/* A body that nobody read must not be taken for the next request. */
	c->keep = c->keep && !r->stream && !c->serve->draining &&
		  c->requests < conf(c)->web_requests && !c->http.chunked &&
		  c->body.len == c->http.length;
	r->keep = c->keep;
	r->head = strcmp(c->http.method, "HEAD") == 0;
	r->secure = c->secure;
	response_write(&b, r, clock_now());
	bufferevent_write(c->bev, b.s, b.len);
	strbuf_clear(&b);
	enter(c, CONN_SENDING, conf(c)->web_send);
}

static void
send_error(struct conn *c, unsigned status, const char *why, const char *fields)
{
	struct strbuf page = { 0 };
	struct response r = {
		.status = status,
		.type = "text/html; charset=utf-8",
		.fields = fields,
		.cache = "no-store",
	};

	if (page_is_program(c->http.target)) {
		r.type = "application/problem+json";
		page_problem(&page, status, why, NULL);
	} else {
		page_error(&page, conf(c)->base, status, why, NULL);
	}
	r.body = page.s;
	r.len = page.len;
	send_response(c, &r);
	strbuf_clear(&page);
}

/* The rest of the connection cannot be understood, or is not waited for. */
static void
send_last_error(struct conn *c, unsigned status, const char *why)
{
	c->keep = false;
	send_error(c, status, why, NULL);
}

static void
send_asset(struct conn *c, const struct asset *a, const char *cache)
{
	struct response r = {
		.status = 200, .type = a->type, .cache = cache, .body = a->data, .len = a->len
	};

	send_response(c, &r);
}

/* Many who ask for much and take it slowly would take all memory. */
static bool
output_allowed(const struct conn *c, size_t len)
{
	uint64_t all = len;

	if (len <= OUTPUT_SMALL)
		return true;
	for (const struct conn *o = c->serve->all; o != NULL; o = o->next)
		all += evbuffer_get_length(bufferevent_get_output(o->bev));
	return all <= (uint64_t)conf(c)->web_output;
}

/* --- streams ---------------------------------------------------------------------------------------------- */

static bool
stream_allowed(const struct conn *c)
{
	const struct conn *o;
	unsigned n = 0;

	if (c->serve->n_streams >= conf(c)->web_streams)
		return false;
	for (o = c->serve->all; o != NULL; o = o->next)
		n += o->state == CONN_STREAM && client_same_network(&o->client, &c->client);
	return n < conf(c)->web_streams_per_client;
}

static void
begin_stream(struct conn *c, const struct frame *f)
{
	struct response r = {
		.status = 200, .type = "text/event-stream", .cache = "no-store", .stream = true
	};

	/* Others may have begun one while the desk was thinking. */
	if (!stream_allowed(c)) {
		send_error(c, 503, "Too many pages wait for news.", "Retry-After: 60\r\n");
		return;
	}
	if (strcmp(c->http.method, "HEAD") == 0) {
		send_response(c, &r);
		return;
	}
	snprintf(c->subject, sizeof c->subject, "%.*s", (int)f->field[3].len, f->field[3].s);
	send_response(c, &r);
	bufferevent_write(c->bev, "retry: 15000\n\n", 14);
	enter(c, CONN_STREAM, conf(c)->web_stream_life);
	c->serve->n_streams++;
}

static void
stream_write(struct conn *c, const char *text)
{
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) < STREAM_FULL)
		bufferevent_write(c->bev, text, strlen(text));
}

void
conn_news(struct conn *c)
{
	stream_write(c, "event: change\ndata: 1\n\n");
}

void
conn_beat(struct conn *c)
{
	stream_write(c, ":\n\n");
}

/* --- requests ---------------------------------------------------------------------------------------------- */

void
conn_answer(struct conn *c, const struct frame *f)
{
	struct response r = { .cache = "no-store" };
	char *type, *fields;

	c->ask = 0;
	if (f->n != 5) {
		send_error(c, 500, "The answer to this was lost.", NULL);
		return;
	}
	type = xstrndup(f->field[1].s, f->field[1].len);
	fields = xstrndup(f->field[2].s, f->field[2].len);
	r.status = (unsigned)strtoul(f->field[0].s, NULL, 10); /* a digit is followed by the type */
	r.type = type;
	r.fields = fields;
	r.body = f->field[4].s;
	r.len = f->field[4].len;
	if (c->streams && r.status == 200)
		begin_stream(c, f);
	else if (!output_allowed(c, r.len))
		send_error(
		    c, 503, "Too many large downloads are under way.", "Retry-After: 60\r\n");
	else
		send_response(c, &r);
	free(type);
	free(fields);
}

void
conn_busy(struct conn *c)
{
	send_error(c, 503, "The site is busy.", "Retry-After: 10\r\n");
}

static void
ask_desk(struct conn *c)
{
	if (ask_begin(c) == 0)
		enter(c, CONN_ASKED, ASK_TIME);
	else
		conn_busy(c);
}

static void
read_client(struct conn *c)
{
	char text[512], scheme[16];

	/* Some proxies add to the field, some a field of their own behind that of the client. */
	if (http_list(&c->http, "X-Forwarded-For", text, sizeof text) < 0)
		text[0] = '\0';
	client_of(&c->client, &c->peer, text, &conf(c)->web_proxy);
	if (c->proxied)
		c->secure = http_field(&c->http, "X-Forwarded-Proto", scheme, sizeof scheme) >= 0 &&
			    strcasecmp(scheme, "https") == 0;
}

/* Is it one of the words of a list? */
static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; *p != '\0'; p += strcspn(p, ",")) {
		p += strspn(p, ", \t");
		if (strncasecmp(p, word, len) == 0 && strchr(", \t", p[len]) != NULL)
			return true;
	}
	return false;
}

static void
read_connection(struct conn *c)
{
	char text[256];
	bool there = http_list(&c->http, "Connection", text, sizeof text) >= 0;

	c->keep = c->http.minor >= 1 ? !there || !has_word(text, "close")
				     : there && has_word(text, "keep-alive");
}

/* true: it was answered from what the program itself holds. */
static bool
serve_asset(struct conn *c, const char *path, size_t len)
{
	static const char icon[] = "/favicon.ico";
	const struct asset *a = asset_find(path, len);
	const char *m = c->http.method;

	if (strcmp(m, "GET") != 0 && strcmp(m, "HEAD") != 0)
		return false;
	if (a != NULL)
		send_asset(c, a, "public, max-age=31536000, immutable");
	else if (len == sizeof icon - 1 && memcmp(path, icon, len) == 0)
		send_asset(c, asset_named("favicon.svg"), "public, max-age=86400");
	else
		return false;
	return true;
}

static void
refuse(struct conn *c, const struct route_match *m)
{
	char fields[100];

	if (m->status == 405) {
		snprintf(fields, sizeof fields, "Allow: %s\r\n", m->allow);
		send_error(c, 405, "This is not done here.", fields);
	} else {
		send_error(c, m->status, "There is nothing here.", NULL);
	}
}

static void
read_body(struct conn *c, const struct route *route)
{
	uint64_t max = route->body != 0 ? route->body : conf(c)->web_body;

	if (strcmp(route->method, "GET") == 0) {
		if (c->http.chunked || c->http.length > 0)
			send_last_error(c, 400, "Nothing is to follow this request.");
		else
			ask_desk(c);
	} else if (!c->http.has_length) {
		send_last_error(c, 411, "The length is missing.");
	} else if (c->http.length > max) {
		send_last_error(c, 413, "This is more than is taken here.");
	} else {
		if (c->http.expects && c->http.minor >= 1)
			bufferevent_write(c->bev, "HTTP/1.1 100 Continue\r\n\r\n", 25);
		c->state = CONN_BODY; /* in the time of the whole request */
		if (c->http.length == 0)
			ask_desk(c);
	}
}

static void
dispatch(struct conn *c)
{
	const char *target = c->http.target;
	size_t len = strcspn(target, "?");
	struct route_match m;

	c->requests++;
	read_connection(c);
	read_client(c);
	if (serve_asset(c, target, len))
		return;
	route_find(&m, site_routes, c->http.method, target, len);
	c->streams = m.route != NULL && (m.route->flags & ROUTE_STREAM);
	if (m.route != NULL && (m.route->flags & ROUTE_READS))
		memcpy(c->run, m.part[0], sizeof c->run);
	if (m.route == NULL)
		refuse(c, &m);
	else if (c->streams && !stream_allowed(c))
		send_error(c, 503, "Too many pages wait for news.", "Retry-After: 60\r\n");
	else
		read_body(c, m.route);
}

/* --- octets -------------------------------------------------------------------------------------------------- */

static void
input_head(struct conn *c, struct evbuffer *in)
{
	char block[4096];
	size_t used;
	ssize_t n = evbuffer_copyout(in, block, sizeof block);

	if (n <= 0)
		return;
	if (c->state == CONN_IDLE)
		enter(c, CONN_HEAD, conf(c)->web_timeout);
	used = http_input(&c->http, block, (size_t)n);
	evbuffer_drain(in, used);
	if (c->http.state == HTTP_READ) {
		dispatch(c);
	} else if (c->http.state == HTTP_BAD) {
		c->requests++;
		send_last_error(c, c->http.status, "This request cannot be read.");
	}
}

static void
input_body(struct conn *c, struct evbuffer *in)
{
	size_t want = (size_t)c->http.length - c->body.len, n = evbuffer_get_length(in);

	if (n > want)
		n = want;
	if (n > 0) {
		strbuf_add(&c->body, evbuffer_pullup(in, (ssize_t)n), n);
		evbuffer_drain(in, n);
	}
	if (c->body.len == c->http.length)
		ask_desk(c);
}

static void
on_read(struct bufferevent *bev, void *ctx)
{
	struct conn *c = ctx;
	struct evbuffer *in = bufferevent_get_input(bev);

	while (evbuffer_get_length(in) > 0 && c->state <= CONN_BODY) {
		if (c->state == CONN_BODY)
			input_body(c, in);
		else
			input_head(c, in);
	}
	if (c->state == CONN_CLOSING || c->state == CONN_STREAM)
		evbuffer_drain(in, evbuffer_get_length(in));
	/* A request that came early waits in the kernel. */
	bufferevent_setwatermark(bev, EV_READ, 0, c->state <= CONN_BODY ? 16384 : 4096);
}

static void
next_request(struct conn *c)
{
	size_t head_max = (size_t)conf(c)->web_head;

	http_clear(&c->http);
	http_init(&c->http);
	c->http.head_max = head_max;
	c->http.takes_chunked = true; /* to say that the length is missing (RFC 9112 6.3) */
	strbuf_reset(&c->body);
	c->streams = false;
	c->run[0] = '\0';
}

/* All is sent: TLS says so to the other side, which then may close first. */
static void
begin_close(struct conn *c)
{
	SSL *ssl = bufferevent_openssl_get_ssl(c->bev);

	if (ssl != NULL)
		SSL_shutdown(ssl);
	shutdown(bufferevent_getfd(c->bev), SHUT_WR);
	enter(c, CONN_CLOSING, CLOSE_TIME);
}

static void
on_written(struct bufferevent *bev, void *ctx)
{
	struct conn *c = ctx;

	if (c->state != CONN_SENDING)
		return;
	if (!c->keep || (c->ended && evbuffer_get_length(bufferevent_get_input(bev)) == 0)) {
		begin_close(c);
	} else {
		next_request(c);
		enter(c, CONN_IDLE, conf(c)->web_idle);
	}
	on_read(bev, ctx);
}

static void
on_event(struct bufferevent *bev, short what, void *ctx)
{
	struct conn *c = ctx;

	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
		return;
	if (what & BEV_EVENT_ERROR || (c->state != CONN_ASKED && c->state != CONN_SENDING)) {
		conn_free(c);
		return;
	}
	/* Who has asked may close their side and read the answer (RFC 8446 6.1).  libevent's TLS stops writing, too. */
	c->ended = true;
	bufferevent_disable(bev, EV_WRITE);
	bufferevent_enable(bev, EV_WRITE);
}

static void
on_time(evutil_socket_t fd, short what, void *ctx)
{
	struct conn *c = ctx;
	SSL *ssl = bufferevent_openssl_get_ssl(c->bev);

	(void)fd;
	(void)what;
	/* Before TLS nothing can be said. */
	if (ssl != NULL && !SSL_is_init_finished(ssl)) {
		conn_free(c);
		return;
	}
	switch (c->state) {
	case CONN_HEAD:
	case CONN_BODY:
		send_last_error(c, 408, "The request did not come in time.");
		break;
	case CONN_ASKED:
		c->ask = 0;
		c->turn = 0;
		send_last_error(c, 503, "The site is busy.");
		break;
	case CONN_STREAM:
		c->serve->n_streams--;
		begin_close(c);
		break;
	default:
		conn_free(c);
	}
}

/* --- beginning and end ------------------------------------------------------------------------------------- */

static struct bufferevent *
make_buffer(struct serve *s, int fd)
{
	SSL *ssl;
	struct bufferevent *bev;

	if (s->config->tls == NULL)
		return bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if ((ssl = SSL_new(s->config->tls)) == NULL)
		return NULL;
	bev = bufferevent_openssl_socket_new(
	    s->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
		SSL_free(ssl);
	return bev;
}

void
conn_new(struct serve *s, int fd, const union sockaddr_any *peer)
{
	struct conn *c = xcalloc(1, sizeof *c);

	c->serve = s;
	c->peer = c->client = *peer;
	c->proxied = client_is_proxy(peer, &s->config->site->conf.web_proxy);
	c->secure = s->config->tls != NULL;
	c->timer = evtimer_new(s->base, on_time, c);
	c->bev = make_buffer(s, fd);
	if (c->bev == NULL || c->timer == NULL)
		log_fatal(EXIT_CANNOT, "out of memory");
	c->next = s->all;
	if (s->all != NULL)
		s->all->prev = c;
	s->all = c;
	s->n++;
	next_request(c);
	bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, 16384);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	/* The handshake and the first request have one time together. */
	enter(c, CONN_HEAD, conf(c)->web_timeout);
}

void
conn_free(struct conn *c)
{
	struct serve *s = c->serve;
	union sockaddr_any network;

	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		s->all = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	s->n--;
	if (c->state == CONN_STREAM)
		s->n_streams--;
	if (!c->proxied) {
		client_network(&network, &c->peer);
		clients_leave(s->clients, &network);
	}
	event_free(c->timer);
	bufferevent_free(c->bev);
	http_clear(&c->http);
	strbuf_clear(&c->body);
	free(c);
	if (s->draining && s->n == 0)
		event_base_loopbreak(s->base);
}

void
conn_drain(struct conn *c)
{
	c->keep = false;
	if (c->state == CONN_IDLE) {
		conn_free(c);
	} else if (c->state == CONN_STREAM) {
		c->serve->n_streams--;
		begin_close(c);
	}
}
