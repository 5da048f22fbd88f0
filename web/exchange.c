/* exchange.c - see exchange.h. */
#include "web/exchange.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "web/csrf.h"
#include "web/desk.h"

#define HTML "text/html; charset=utf-8"

void
exchange_clear(struct exchange *x)
{
	form_clear(&x->query);
	form_clear(&x->form);
	strbuf_clear(&x->out);
	strbuf_clear(&x->fields);
}

void
exchange_type(struct exchange *x, const char *type)
{
	snprintf(x->type, sizeof x->type, "%s", type);
	strbuf_reset(&x->out);
}

void
exchange_field(struct exchange *x, const char *name, const char *value)
{
	strbuf_printf(&x->fields, "%s: ", name);
	for (; *value != '\0'; value++)
		if ((unsigned char)*value >= 0x20 && *value != 0x7f)
			strbuf_add(&x->fields, value, 1);
	strbuf_puts(&x->fields, "\r\n");
}

void
exchange_redirect(struct exchange *x, const char *path)
{
	exchange_type(x, HTML);
	x->status = 303;
	exchange_field(x, "Location", path);
	strbuf_puts(&x->out, "<!doctype html>\n<title>See other</title>\n<p><a href=\"");
	html_text(&x->out, path);
	strbuf_puts(&x->out, "\">Go on here</a></p>\n");
}

void
exchange_error(struct exchange *x, unsigned status, const char *why, const char *what)
{
	if (page_is_program(x->http->target)) {
		exchange_type(x, "application/problem+json");
		x->status = status;
		page_problem(&x->out, status, why, what);
		return;
	}
	exchange_type(x, HTML);
	x->status = status;
	page_error(&x->out, x->site->conf.base, status, why, what);
}

void
exchange_page(struct exchange *x, struct page *p)
{
	p->base = x->site->conf.base;
	exchange_type(x, HTML);
	page_begin(&x->out, p);
}

void
exchange_page_end(struct exchange *x, const struct page *p)
{
	page_end(&x->out, p);
}

void
exchange_form(struct exchange *x, const char *path)
{
	char csrf[CSRF_TEXT_MAX];

	csrf_make(csrf, desk_form_key(x->desk), path, x->now_us);
	strbuf_puts(&x->out, "<form method=\"post\" action=\"");
	html_text(&x->out, path);
	strbuf_puts(&x->out, "\">\n");
	page_token(&x->out, csrf);
}

bool
exchange_is_ours(const struct http_request *http)
{
	char origin[300], host[300], site[32];
	const char *name;

	if (http_field(http, "Sec-Fetch-Site", site, sizeof site) >= 0 &&
	    strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return false;
	if (http_field(http, "Origin", origin, sizeof origin) < 0)
		return true; /* no browser of this century, and nothing that cookies could tell */
	if (http_field(http, "Host", host, sizeof host) < 0)
		return false;
	name = strstr(origin, "://");
	return name != NULL && strcasecmp(name + 3, host) == 0;
}

/* false: there is a response already. */
static bool
read_form(struct exchange *x)
{
	const char *path = x->http->target;

	if (!exchange_is_ours(x->http)) {
		exchange_error(x, 403, "This form was sent from a page of another site.",
		    "Go to the page of the form here and send it from there.");
		return false;
	}
	if (strncasecmp(x->http->type, "application/x-www-form-urlencoded", 33) != 0) {
		exchange_error(x, 415, "A form was expected.", NULL);
		return false;
	}
	if (!form_parse(&x->form, x->body, x->body_len)) {
		exchange_error(x, 400, "The form cannot be read.", NULL);
		return false;
	}
	if (!csrf_check(form_get(&x->form, "form"), desk_form_key(x->desk), path, x->now_us)) {
		exchange_error(x, 403, "This form is too old, or was not made by this site.",
		    "Load its page again and send it once more.");
		return false;
	}
	return true;
}

void
exchange_run(struct exchange *x, const struct route *rows)
{
	const char *target = x->http->target;
	size_t len = strcspn(target, "?");
	struct route_match m;

	x->status = 200;
	exchange_type(x, HTML);
	route_find(&m, rows, x->http->method, target, len);
	if (m.route == NULL) {
		exchange_error(x, m.status,
		    m.status == 404 ? "There is nothing here." : "This is not done here.", NULL);
		if (m.status == 405)
			exchange_field(x, "Allow", m.allow);
		return;
	}
	memcpy(x->part, m.part, sizeof x->part);
	if (target[len] == '?' &&
	    !form_parse(&x->query, target + len + 1, strlen(target + len + 1))) {
		exchange_error(x, 400, "What follows the question mark cannot be read.", NULL);
		return;
	}
	if (!(m.route->flags & ROUTE_FORM) || read_form(x))
		m.route->handle(x);
}
