/* start.c - the start page, and the enrolment that its form asks for. */
#include <stdio.h>
#include <string.h>

#include "results/report.h"
#include "web/desk.h"
#include "web/pages.h"

static const struct {
	const char *name, *about;
} sets[] = {
	{ "quick", "the essentials: TLS, DANE, retries, the resolver" },
	{ "standard", "what every operator should know" },
	{ "full", "everything, rare faults and old versions included" },
};
#define SET_DEFAULT "standard"

/* Those that one sends mail to: what our own mail shows is told to whoever is written to. */
static unsigned
tests_in(const struct catalogue *c, const char *set)
{
	unsigned n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += catalogue_in_set(c->tests[i], set) && !catalogue_is_outgoing(c, c->tests[i]);
	return n;
}

static void
put_choice(struct exchange *x, const char *name, const char *title, const char *about)
{
	struct strbuf *b = &x->out;

	strbuf_puts(b, "<label class=\"choice\"><input type=\"radio\" name=\"set\" value=\"");
	html_text(b, name);
	strbuf_printf(
	    b, "\"%s required> <span><b>", strcmp(name, SET_DEFAULT) == 0 ? " checked" : "");
	html_text(b, title);
	strbuf_printf(
	    b, "</b> <span class=\"soft\">%u tests</span>", tests_in(x->site->catalogue, name));
	if (about != NULL) {
		strbuf_puts(b, "<br>");
		html_text(b, about);
	}
	strbuf_puts(b, "</span></label>\n");
}

/* The groups, in the order of their first test. */
static void
put_groups(struct exchange *x)
{
	const struct catalogue *c = x->site->catalogue;

	strbuf_puts(&x->out, "<details class=\"more\"><summary>Only one subject</summary>\n");
	for (size_t i = 0; i < c->n; i++) {
		bool first = true;

		for (size_t k = 0; k < i && first; k++)
			first = strcmp(c->tests[k]->group, c->tests[i]->group) != 0;
		if (first && tests_in(c, c->tests[i]->group) > 0)
			put_choice(
			    x, c->tests[i]->group, report_group_title(c->tests[i]->group), NULL);
	}
	strbuf_puts(&x->out, "</details>\n");
}

static void
put_sets(struct exchange *x)
{
	strbuf_puts(&x->out, "<fieldset>\n<legend>What shall be looked at?</legend>\n");
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		put_choice(x, sets[i].name, sets[i].name, sets[i].about);
	put_groups(x);
	strbuf_puts(&x->out, "</fieldset>\n");
}

/* Sets that a person can answer with a few messages. */
static bool
is_mailed(const char *set)
{
	return strcmp(set, "quick") == 0 || strcmp(set, "standard") == 0;
}

static void
put_invite(struct exchange *x)
{
	struct strbuf *b = &x->out;

	if (x->site->conf.mail_program[0] == '\0')
		return;
	strbuf_puts(b, "<section class=\"way\">\n<h2>Mail me</h2>\n"
		       "<p>We write to you; you answer with <b>Reply All</b>. The mail also has "
		       "the address of "
		       "your result page. How your side takes our mail stands in the report as "
		       "well.</p>\n");
	exchange_form(x, "/invite");
	strbuf_puts(b,
	    "<p><label for=\"address\">Your mail address</label><br>\n"
	    "<input id=\"address\" name=\"address\" type=\"email\" required maxlength=\"320\" "
	    "autocomplete=\"email\"></p>\n<fieldset>\n<legend>What shall be looked "
	    "at?</legend>\n");
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		if (is_mailed(sets[i].name))
			put_choice(x, sets[i].name, sets[i].name, sets[i].about);
	strbuf_puts(b, "</fieldset>\n<p><button type=\"submit\">Mail me</button></p>\n</form>\n"
		       "</section>\n");
}

/* For programs: what they say to the interface, to be tried by hand. */
static void
put_programs(struct exchange *x)
{
	struct strbuf line = { 0 };
	char url[400];

	site_web_url(url, sizeof url, x->site, "/api/v1/runs");
	strbuf_printf(
	    &line, "curl -H \"Authorization: Bearer $KEY\" --json '{\"set\":\"quick\"}' %s", url);
	strbuf_puts(&x->out,
	    "<section class=\"way\">\n<h2>I have an API key</h2>\n"
	    "<p>Your program begins a run, sends its messages and asks for the report: see <a "
	    "href=\"/api/v1/openapi.json\">what it can ask for</a>, in the words of OpenAPI. Who "
	    "wants a key asks the operator of this site.</p>\n");
	page_copy(&x->out, "how to begin a run", line.s);
	strbuf_puts(&x->out, "</section>\n");
	strbuf_clear(&line);
}

void
page_start(struct exchange *x)
{
	struct page p = { .title = "How does your server send mail?", .here = "/", .index = true };
	struct strbuf *b = &x->out;

	exchange_page(x, &p);
	strbuf_puts(b,
	    "<h1>How does your server really send mail?</h1>\n"
	    "<p class=\"lead\">You get a set of mail addresses. Each leads to a domain that is set "
	    "up in "
	    "one particular way: a certificate for the wrong name, a broken DNSSEC signature, a "
	    "server "
	    "that says \"come back later\". Send mail to them as you always do. You then see what "
	    "your "
	    "server, its resolver and its TLS really did, what it means, and what to "
	    "change.</p>\n");
	put_invite(x);
	strbuf_puts(b, "<section class=\"way\">\n<h2>Show me the addresses</h2>\n");
	exchange_form(x, "/run");
	put_sets(x);
	strbuf_puts(b,
	    "<p><button type=\"submit\">Show me the addresses</button></p>\n</form>\n</section>\n");
	put_programs(x);
	strbuf_puts(b,
	    "<section>\n<h2>Before you begin</h2>\n<ul>\n"
	    "<li><b>What happens:</b> your server delivers some of the messages, retries others "
	    "for hours, and must refuse to deliver a few. At worst you get bounces.</li>\n"
	    "<li><b>What is recorded:</b> the DNS queries, connections, TLS handshakes and SMTP "
	    "commands that your mail causes, and the headers of the messages. Not their "
	    "bodies.</li>\n"
	    "<li><b>Who sees it:</b> who has the address of your result page, which cannot be "
	    "guessed.</li>\n"
	    "<li><b>How long it is kept</b>, and how to have it removed: see <a "
	    "href=\"/privacy\">privacy</a>.</li>\n</ul>\n</section>\n");
	exchange_page_end(x, &p);
}

static void
refuse(struct exchange *x, enum desk_result why)
{
	switch (why) {
	case DESK_NO_SET:
		exchange_error(x, 422, "There is no such set of tests.", "Choose one of the list.");
		break;
	case DESK_NO_ADDRESS:
		exchange_error(x, 422, "This is not a mail address.", "It is written USER@DOMAIN.");
		break;
	case DESK_CLIENT_LIMIT:
		exchange_error(x, 429, "Enough runs were begun from your network today.",
		    "Use the page of one of them, or come back tomorrow.");
		break;
	case DESK_DOMAIN_LIMIT:
		exchange_error(
		    x, 429, "Enough mail went to this domain today.", "Come back tomorrow.");
		break;
	case DESK_SITE_LIMIT:
		exchange_error(x, 503, "This site has begun as many runs today as it may.",
		    "Come back tomorrow.");
		break;
	default:
		exchange_error(x, 500, "The run could not be written down.", "Try again later.");
	}
}

void
page_enrol(struct exchange *x)
{
	const struct run *run;
	char path[64];
	enum desk_result result = desk_enrol(
	    &run, x->desk, form_get(&x->form, "set"), &x->client, NULL, x->now_us);

	if (result != DESK_DONE) {
		refuse(x, result);
		return;
	}
	snprintf(path, sizeof path, "/run/%s", run->id);
	exchange_redirect(x, path);
}

/* The same words whoever it is, so that nobody learns who opted out. */
static void
say_asked(struct exchange *x)
{
	struct page p = { .title = "We write to you" };

	exchange_page(x, &p);
	strbuf_puts(&x->out,
	    "<h1>We write to you</h1>\n"
	    "<p class=\"lead\">An invitation goes out within the hour, unless this address has "
	    "opted "
	    "out or was already asked for today. Answer it with Reply All; it has the address of "
	    "your result page.</p>\n");
	exchange_page_end(x, &p);
}

void
page_invite(struct exchange *x)
{
	const char *set = form_get(&x->form, "set");
	enum desk_result result = is_mailed(set) ? desk_invite(x->desk, set, &x->client,
						       form_get(&x->form, "address"), x->now_us)
						 : DESK_NO_SET;

	if (result == DESK_DONE)
		say_asked(x);
	else
		refuse(x, result);
}
