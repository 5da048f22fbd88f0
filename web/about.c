/* about.c - privacy, robots. */
#include "lib/clock.h"
#include "web/pages.h"

static void
put(struct exchange *x, const char *markup)
{
	strbuf_puts(&x->out, markup);
}

/* The configured time, which outpost run enforces. */
static void
put_retention(struct exchange *x)
{
	int64_t kept = x->site->conf.retention;
	char time[32];

	if (kept == 0) {
		put(x, "<p>Until the operator of this site removes it, or you ask for that.</p>\n");
		return;
	}
	duration_format(time, kept);
	put(x, "<p>Observations, runs and enrolments are removed after <b>");
	html_text(&x->out, time);
	put(x, "</b>, earlier if you ask for that.</p>\n");
}

void
page_privacy(struct exchange *x)
{
	struct page p = { .title = "Privacy", .here = "/privacy", .index = true };
	const char *contact = x->site->conf.web_contact;

	exchange_page(x, &p);
	put(x,
	    "<h1>What is recorded, and what is not</h1>\n"
	    "<p>Nothing is measured before you act: a run begins when you ask for addresses, and "
	    "sees "
	    "something when you send mail to them.</p>\n"
	    "<h2>What is recorded of a run</h2>\n<ul>\n"
	    "<li>DNS queries for the names of your addresses: time, question, flags, and the "
	    "address of the resolver that asked.</li>\n"
	    "<li>Connections of mail servers to them: time, address, the TLS handshake, every SMTP "
	    "command, the header of the message and a digest of it.</li>\n"
	    "<li>Requests for MTA-STS policies, and TLS reports that are sent to us.</li>\n"
	    "<li>If you ask for an invitation: the address that it goes to, and what your domain "
	    "publishes for those who send mail to it.</li>\n"
	    "</ul>\n"
	    "<p>The body of a message is not kept, but for bounces, which say what your server "
	    "did. Mail is never passed on and never "
	    "answered, with one exception: who was invited and sends mail from their own domain "
	    "may "
	    "get three short messages more, once, as the invitation says.</p>\n"
	    "<p>What you write to postmaster or abuse here is kept as you wrote it, for whoever "
	    "runs "
	    "this site to read.</p>\n"
	    "<h2>What is recorded of your visit here</h2>\n<ul>\n"
	    "<li>This web site sets no cookie, keeps no log of requests, and loads nothing from "
	    "elsewhere.</li>\n"
	    "<li>To keep one visitor from using up the site, each run has a keyed hash of the "
	    "network "
	    "that asked for it. The hash changes every day; it cannot be turned back into an "
	    "address "
	    "without the secret key of this site.</li>\n</ul>\n"
	    "<h2>Who can see it</h2>\n"
	    "<p>The page of a run has an address that cannot be guessed. Whoever has that address "
	    "can "
	    "see the page: share it as you like. The token in your measurement addresses is no "
	    "secret "
	    "and does not lead to the page.</p>\n"
	    "<h2>How long it is kept</h2>\n");
	put_retention(x);
	put(x,
	    "<h2>If you want no mail from here</h2>\n"
	    "<p>Mail leaves this site only when somebody asks for an invitation to an address. "
	    "<a href=\"/optout\">Say once</a> that yours shall get none: that holds for ever. The "
	    "list has "
	    "keyed hashes of addresses, so it tells nobody who is on it.</p>\n");
	if (contact[0] != '\0') {
		put(x, "<h2>Whom to ask</h2>\n<p>Questions, and requests to remove a run: <a "
		       "href=\"mailto:");
		html_url(&x->out, contact);
		put(x, "\">");
		html_text(&x->out, contact);
		put(x, "</a>.</p>\n");
	}
	exchange_page_end(x, &p);
}

/* Pages of runs are nobody's but their owner's. */
void
page_robots(struct exchange *x)
{
	exchange_type(x, "text/plain; charset=utf-8");
	strbuf_puts(&x->out, "User-agent: *\nDisallow: /run\n");
}
