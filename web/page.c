/* page.c - see page.h. */
#include "web/page.h"

#include <stdio.h>
#include <string.h>

#include "lib/http.h"
#include "lib/json.h"
#include "web/assets.h"

static const struct {
	const char *path, *name;
} navigation[] = {
	{ "/", "Start" },
	{ "/tests", "Tests" },
	{ "/privacy", "Privacy" },
	{ "/optout", "No mail" },
};

static void
put_asset(struct strbuf *b, const char *before, const char *name, const char *after)
{
	strbuf_puts(b, before);
	strbuf_puts(b, asset_path(name));
	strbuf_puts(b, after);
}

static void
put_head(struct strbuf *b, const struct page *p)
{
	strbuf_puts(b, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		       "<meta name=\"color-scheme\" content=\"light dark\">\n");
	if (!p->index)
		strbuf_puts(b, "<meta name=\"robots\" content=\"noindex\">\n");
	if (p->refresh_s > 0)
		strbuf_printf(b,
		    "<noscript><meta http-equiv=\"refresh\" content=\"%u\"></noscript>\n",
		    p->refresh_s);
	strbuf_puts(b, "<title>");
	html_text(b, p->title);
	strbuf_puts(b, " - Outpost</title>\n");
	put_asset(b, "<link rel=\"stylesheet\" href=\"", "site.css", "\">\n");
	put_asset(b, "<link rel=\"icon\" href=\"", "favicon.svg", "\" type=\"image/svg+xml\">\n");
	put_asset(b, "<script src=\"", "site.js", "\" defer></script>\n</head>\n");
}

void
page_begin(struct strbuf *b, const struct page *p)
{
	put_head(b, p);
	strbuf_puts(b, "<body>\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
		       "<header class=\"site\"><nav aria-label=\"Site\"><a class=\"name\" "
		       "href=\"/\">Outpost</a>\n<ul>\n");
	for (size_t i = 0; i < sizeof navigation / sizeof *navigation; i++) {
		bool here = p->here != NULL && strcmp(p->here, navigation[i].path) == 0;

		strbuf_printf(b, "<li><a href=\"%s\"%s>%s</a></li>\n", navigation[i].path,
		    here ? " aria-current=\"page\"" : "", navigation[i].name);
	}
	strbuf_puts(b, "</ul></nav></header>\n<main id=\"main\" tabindex=\"-1\"");
	if (p->live != NULL) {
		strbuf_puts(b, " data-live=\"");
		html_text(b, p->live);
		strbuf_puts(b, "\"");
	}
	strbuf_puts(b, ">\n");
}

void
page_end(struct strbuf *b, const struct page *p)
{
	strbuf_puts(b, "</main>\n<footer class=\"site\"><p>Outpost at <b>");
	html_text(b, p->base);
	strbuf_puts(b, "</b> measures how mail is sent, for those who ask for it. <a "
		       "href=\"/privacy\">What is recorded</a></p></footer>\n</body>\n</html>\n");
}

void
page_token(struct strbuf *b, const char *csrf)
{
	strbuf_puts(b, "<input type=\"hidden\" name=\"form\" value=\"");
	html_text(b, csrf);
	strbuf_puts(b, "\">\n");
}

void
page_copy(struct strbuf *b, const char *label, const char *text)
{
	strbuf_puts(b, "<div class=\"copy\"><pre tabindex=\"0\" role=\"region\" aria-label=\"");
	html_text(b, label);
	strbuf_puts(b, "\">");
	html_text(b, text);
	strbuf_puts(b, "</pre><button type=\"button\" hidden data-copy>Copy<span "
		       "class=\"away\"> ");
	html_text(b, label);
	strbuf_puts(b, "</span></button></div>\n");
}

void
page_error(struct strbuf *b, const char *base, unsigned status, const char *why, const char *what)
{
	char title[64];
	struct page p = { .title = title, .base = base };

	snprintf(title, sizeof title, "%u %s", status, http_reason(status));
	page_begin(b, &p);
	strbuf_puts(b, "<h1>");
	html_text(b, title);
	strbuf_puts(b, "</h1>\n<p>");
	html_text(b, why);
	strbuf_puts(b, "</p>\n");
	if (what != NULL) {
		strbuf_puts(b, "<p>");
		html_text(b, what);
		strbuf_puts(b, "</p>\n");
	}
	strbuf_puts(b, "<p><a href=\"/\">To the start page</a></p>\n");
	page_end(b, &p);
}

bool
page_is_program(const char *target)
{
	return target != NULL && strncmp(target, "/api/", 5) == 0;
}

void
page_problem(struct strbuf *b, unsigned status, const char *why, const char *what)
{
	json_begin(b, NULL, '{');
	json_put(b, "type", "about:blank");
	json_put_num(b, "status", status);
	json_put(b, "title", why);
	if (what != NULL)
		json_put(b, "detail", what);
	json_end(b, '}');
	strbuf_puts(b, "\n");
}
