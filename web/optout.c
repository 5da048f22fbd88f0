/* optout.c - no more mail: the form, and the link that stands in every mail.  GET changes nothing: scanners and
 * previews follow links.  The link is proof of itself (optout.h), so its POST wants no form of ours; that
 * is what a mail program sends for one click (RFC 8058). */
#include <string.h>

#include "web/desk.h"
#include "web/pages.h"

static void
put_contact(struct exchange *x)
{
	const char *contact = x->site->conf.web_contact;

	strbuf_puts(&x->out, "<p>A whole domain, a network or an autonomous system is put on the "
			     "list by the operator "
			     "of this site");
	if (contact[0] != '\0') {
		strbuf_puts(&x->out, ": <a href=\"mailto:");
		html_url(&x->out, contact);
		strbuf_puts(&x->out, "\">");
		html_text(&x->out, contact);
		strbuf_puts(&x->out, "</a>");
	}
	strbuf_puts(&x->out, ".</p>\n");
}

void
page_optout(struct exchange *x)
{
	struct page p = { .title = "No mail from here", .here = "/optout", .index = true };

	exchange_page(x, &p);
	strbuf_puts(&x->out, "<h1>No mail from here</h1>\n"
			     "<p class=\"lead\">Mail leaves this site only when somebody asks for "
			     "an invitation to an "
			     "address. If yours shall get none, say so once: it holds for ever, "
			     "and the address is kept "
			     "as a keyed hash only.</p>\n");
	exchange_form(x, "/optout");
	strbuf_puts(&x->out,
	    "<p><label for=\"address\">Mail address</label><br>\n"
	    "<input id=\"address\" name=\"address\" type=\"email\" required maxlength=\"320\" "
	    "autocomplete=\"email\"></p>\n"
	    "<p><button type=\"submit\">No mail to this address</button></p>\n</form>\n");
	put_contact(x);
	exchange_page_end(x, &p);
}

/* The same whether it was on the list or not: who asks learns nothing. */
static void
say_done(struct exchange *x)
{
	struct page p = { .title = "No mail from here" };

	exchange_page(x, &p);
	strbuf_puts(&x->out, "<h1>No mail from here</h1>\n"
			     "<p class=\"lead\">Done: this address gets no mail from this site any "
			     "more.</p>\n");
	put_contact(x);
	exchange_page_end(x, &p);
}

static void
add(struct exchange *x, struct optouts *all, const struct optout *o, const char *by, uint64_t who)
{
	if (all != NULL && optouts_add(all, o, by, who, x->now_us) >= 0)
		say_done(x);
	else
		exchange_error(x, 503, "That could not be written down.",
		    "Try again later. Until it can be, no mail leaves this site at all.");
}

void
page_optout_add(struct exchange *x)
{
	const char *address = form_get(&x->form, "address"), *why;
	uint64_t who = runs_client(x->site, &x->client, x->now_us);
	struct optouts *all = desk_optouts(x->desk);
	struct optout o;

	if (strchr(address, '@') == NULL || !optout_parse(&o, x->site, address, &why)) {
		exchange_error(x, 422, "This is not a mail address.", "It is written USER@DOMAIN.");
		return;
	}
	if (all != NULL && optouts_of(all, who) >= x->site->conf.web_optout_client) {
		exchange_error(x, 429, "Enough was asked for from your network today.",
		    "Use the link that stands in each of our mails, or come back tomorrow.");
		return;
	}
	add(x, all, &o, "page", who);
}

/* false: there is a response. */
static bool
read_link(struct exchange *x, struct optout *o)
{
	if (optout_link_read(o, x->site, x->part[0]))
		return true;
	exchange_error(x, 404, "This link is none of ours.",
	    "It must be whole: mail programs may break it. Or use the page \"No mail\".");
	return false;
}

void
page_optout_link(struct exchange *x)
{
	struct page p = { .title = "No mail from here" };
	struct optout o;

	if (!read_link(x, &o))
		return;
	exchange_page(x, &p);
	strbuf_puts(&x->out, "<h1>No mail from here</h1>\n"
			     "<p class=\"lead\">The address that our mail went to shall get no "
			     "more of it?</p>\n<form method=\"post\" action=\"/optout/");
	html_url(&x->out, x->part[0]);
	strbuf_puts(&x->out,
	    "\">\n<input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\n"
	    "<p><button type=\"submit\">No more mail</button></p>\n</form>\n");
	put_contact(x);
	exchange_page_end(x, &p);
}

void
page_optout_click(struct exchange *x)
{
	struct optout o;

	if (read_link(x, &o))
		add(x, desk_optouts(x->desk), &o, "link", 0);
}
