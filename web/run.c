/* run.c - the page of a run: what to send, and what was seen of it. */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "results/compare.h"
#include "results/describe.h"
#include "web/desk.h"
#include "web/pages.h"
#include "zones/message.h"

#define REFRESH_S  30
#define EVENTS_MAX (48u << 20) /* octets of a download */

/* The run that the path names; NULL: there is a response. */
static const struct run *
run_of(struct exchange *x)
{
	const struct run *run = desk_run(x->desk, x->part[0]);

	if (run == NULL)
		exchange_error(x, 404, "There is no such run.",
		    "The address of its page must be whole. Runs that were removed are gone.");
	return run;
}

static const struct report *
report_of(struct exchange *x, const struct run *run)
{
	const char *why = "";
	const struct report *r = desk_report(x->desk, run, x->now_us, &why);

	if (r == NULL)
		exchange_error(x, 503, "The report cannot be made now.", why);
	return r;
}

/* --- what to send ------------------------------------------------------------------------------------------ */

static void
join(struct strbuf *b, const struct enrol_message *m, const char *between)
{
	for (size_t i = 0; i < m->n; i++) {
		strbuf_puts(b, i > 0 ? between : "");
		strbuf_puts(b, m->rcpt[i]);
	}
}

/* RFC 6068 */
static void
put_mailto(struct strbuf *b, const struct enrol_message *m, size_t number)
{
	strbuf_puts(b, "<a class=\"button\" href=\"mailto:");
	for (size_t i = 0; i < m->n; i++) {
		strbuf_puts(b, i > 0 ? "," : "");
		html_url(b, m->rcpt[i]);
	}
	strbuf_printf(b,
	    "?subject=Outpost%%20%zu&amp;body=A%%20measurement%%20of%%20how%%20this%%20"
	    "mail%%20is%%20sent.\">Write message %zu</a>",
	    number, number);
}

static void
put_swaks(struct exchange *x, const struct run *run, const struct enrol_message *m, size_t number)
{
	struct strbuf line = { 0 };
	char path[128], url[400], label[64];

	if (m->message != NULL) {
		snprintf(path, sizeof path, "/run/%s/message/%s", run->id, m->message);
		site_web_url(url, sizeof url, x->site, path);
		strbuf_printf(&line, "curl -so %s.eml '%s' &&\n", m->message, url);
	}
	strbuf_puts(&line, "swaks --server YOUR-SERVER --from YOU@YOUR-DOMAIN --to ");
	join(&line, m, ",");
	if (m->message != NULL)
		strbuf_printf(&line, " --data @%s.eml", m->message);
	snprintf(label, sizeof label, "the swaks line of message %zu", number);
	page_copy(&x->out, label, line.s);
	strbuf_clear(&line);
}

static void
put_message(struct exchange *x, const struct run *run, const struct enrol_message *m, size_t number,
    size_t all)
{
	const struct message *words = m->message != NULL ? message_find(m->message) : NULL;
	struct strbuf list = { 0 };
	struct strbuf *b = &x->out;
	char label[64];

	strbuf_printf(b, "<section class=\"message\">\n<h3>Message %zu of %zu</h3>\n", number, all);
	if (words != NULL) {
		strbuf_puts(b, "<p>It must be sent in exactly these words, which a mail program "
			       "may not be able to: ");
		html_text(b, words->about);
		strbuf_puts(b, ".</p>\n");
	} else if (m->batch == 'b') {
		strbuf_puts(b, "<p>Your server may refuse some of these at once. Send it all the "
			       "same.</p>\n");
	}
	join(&list, m, ",\n");
	snprintf(label, sizeof label, "the addresses of message %zu", number);
	page_copy(b, label, list.s);
	strbuf_clear(&list);
	if (words == NULL) {
		strbuf_puts(b, "<p>");
		put_mailto(b, m, number);
		strbuf_puts(b, "</p>\n");
	}
	strbuf_puts(b, "<details class=\"more\"><summary>With swaks</summary>\n");
	put_swaks(x, run, m, number);
	strbuf_puts(b, "</details>\n</section>\n");
}

/* All that any mail program could send, 15 minutes apart. */
static void
put_loop(struct exchange *x, const struct enrol_message *m, size_t n)
{
	struct strbuf text = { 0 };

	strbuf_puts(&text, "while read -r to; do\n"
			   "  printf 'To: %s\\nSubject: Outpost\\n\\nA measurement.\\n' \"$to\" | "
			   "sendmail -t\n"
			   "  sleep 900\n"
			   "done <<'END'\n");
	for (size_t i = 0; i < n; i++) {
		if (m[i].message != NULL)
			continue;
		join(&text, &m[i], ", ");
		strbuf_puts(&text, "\n");
	}
	strbuf_puts(&text, "END\n");
	strbuf_puts(
	    &x->out, "<details class=\"more\"><summary>All of them from a shell</summary>\n");
	page_copy(&x->out, "the shell loop", text.s);
	strbuf_puts(&x->out, "</details>\n");
	strbuf_clear(&text);
}

static void
put_messages(struct exchange *x, const struct run *run, bool open)
{
	struct enrolment e = { .token = run->token, .t_us = run->t_us };
	struct enrol_message *m;
	size_t n;

	snprintf(e.set, sizeof e.set, "%s", run->set);
	if (enrol_messages(&m, &n, x->site, &e) != 0)
		return; /* its set has left the catalogue: the report remains */
	strbuf_printf(&x->out,
	    "<details class=\"send\" id=\"send\"%s>\n<summary><h2>What to send</h2></summary>\n"
	    "<p>Send %zu message%s, about 15 minutes apart, each with all its addresses in To. "
	    "Some "
	    "must fail: at worst there is a bounce.</p>\n",
	    open ? " open" : "", n, n == 1 ? "" : "s");
	put_loop(x, m, n);
	for (size_t i = 0; i < n; i++)
		put_message(x, run, &m[i], i + 1, n);
	strbuf_puts(&x->out, "</details>\n");
	enrol_messages_free(m, n);
}

/* --- what was seen ------------------------------------------------------------------------------------------ */

static void
put_downloads(struct exchange *x, const struct run *run)
{
	static const struct {
		const char *file, *name;
	} files[] = {
		{ "report.html", "one file" },
		{ "report.json", "JSON" },
		{ "report.csv", "CSV" },
		{ "report.txt", "text" },
		{ "events.jsonl", "all observations" },
	};

	strbuf_puts(&x->out, "<p class=\"downloads\">Download: ");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		strbuf_printf(&x->out, "%s<a href=\"/run/%s/%s\">%s</a>", i > 0 ? ", " : "",
		    run->id, files[i].file, files[i].name);
	strbuf_puts(&x->out, "</p>\n");
}

/* Who has the address of both pages may see both: labels are no proof that two runs are of the same people. */
static void
put_compare(struct exchange *x, const struct run *run)
{
	strbuf_printf(&x->out,
	    "<form class=\"with\" method=\"get\" action=\"/run/%s/changes\">\n"
	    "<label for=\"with\">Compare with another run: the address of its page</label>\n"
	    "<input type=\"text\" id=\"with\" name=\"with\" required maxlength=\"300\" "
	    "autocomplete=\"off\" spellcheck=\"false\">\n<button type=\"submit\">What has "
	    "changed?</button>\n</form>\n",
	    run->id);
}

/* There is no other way back to the page. */
static void
put_address(struct exchange *x, const struct run *run)
{
	char path[64], url[400];

	snprintf(path, sizeof path, "/run/%s", run->id);
	site_web_url(url, sizeof url, x->site, path);
	strbuf_puts(&x->out,
	    "<p>Keep the address of this page: whoever has it can see it, and nothing "
	    "else leads here.</p>\n");
	page_copy(&x->out, "the address of this page", url);
}

/* Tests of the run that a release may not end. */
static void
put_staying(struct exchange *x, const struct run *run)
{
	const struct catalogue *c = x->site->catalogue;
	unsigned n = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct test *t = c->tests[i];
		const char *why = released_covers(t) ? released_stays(t) : NULL;

		if (why == NULL || !catalogue_in_set(t, run->set))
			continue;
		strbuf_printf(&x->out, "%s<b>%s</b> (",
		    n++ == 0 ? "<p>Not all can be reached: mail for " : ", ", t->name);
		html_text(&x->out, why);
		strbuf_puts(&x->out, ")");
	}
	if (n > 0)
		strbuf_puts(&x->out, " may stay queued until your server gives it up.</p>\n");
}

/* Whoever has the page may end it; loading it ends nothing. */
static void
put_release(struct exchange *x, const struct run *run)
{
	char path[64];

	snprintf(path, sizeof path, "/run/%s/release", run->id);
	strbuf_puts(&x->out,
	    "<details class=\"release\" id=\"release\">\n<summary><h2>End this run</h2></summary>\n"
	    "<p>Mail of tests that are still open waits in your queue, for days. Release it, and "
	    "every address of this run answers 550 from now on: at its next retry each message "
	    "comes back to you as a bounce and the queue is empty. What was not decided by then "
	    "stays open in the report, and this cannot be taken back.</p>\n");
	put_staying(x, run);
	exchange_form(x, path);
	strbuf_puts(&x->out,
	    "<p><button type=\"submit\">Release what is still queued</button></p>\n"
	    "</form>\n</details>\n");
}

void
page_run_release(struct exchange *x)
{
	const struct run *run = run_of(x);
	char path[64];

	if (run == NULL)
		return;
	if (desk_release(x->desk, run, "page", x->now_us) != 0) {
		exchange_error(x, 503, "That could not be written down.",
		    "Nothing was released. Try again later.");
		return;
	}
	snprintf(path, sizeof path, "/run/%s", run->id);
	exchange_redirect(x, path);
}

static void
put_state(struct exchange *x, const struct report *r, bool done)
{
	struct strbuf *b = &x->out;
	char when[32];

	describe_time(when, r->started, false);
	strbuf_puts(b, "<p class=\"meta\">Set <b>");
	html_text(b, r->set);
	strbuf_printf(b, "</b>, %u tests, begun %s UTC.", r->score.tests, when);
	if (r->updated == 0) {
		strbuf_puts(b, " Nothing was seen yet.");
	} else {
		describe_time(when, r->updated, false);
		strbuf_printf(b, " Last seen: %s UTC.", when);
	}
	strbuf_printf(b, "</p>\n<p class=\"state\" role=\"status\">%s</p>\n",
	    r->released != 0 ? "Released: what was still queued gets 550 at its next retry."
	    : done           ? "All verdicts are final."
			     : "This page fills in as mail arrives; retries take hours.");
}

void
page_run(struct exchange *x)
{
	const struct run *run = run_of(x);
	const struct report *r = run != NULL ? report_of(x, run) : NULL;
	struct page p = { .title = "Your run" };
	const struct strbuf *body;
	struct strbuf waits = { 0 };
	char live[64];
	int64_t until;
	bool done;

	if (r == NULL)
		return;
	done = report_done(r, true, &waits, &until);
	strbuf_clear(&waits);
	snprintf(live, sizeof live, "/run/%s/live", run->id);
	if (!done) {
		p.live = live;
		p.refresh_s = REFRESH_S;
	}
	exchange_page(x, &p);
	strbuf_puts(&x->out, "<h1>Your run <code>");
	html_text(&x->out, r->token);
	strbuf_puts(&x->out, "</code></h1>\n<div id=\"state\">\n");
	put_state(x, r, done);
	strbuf_puts(&x->out, "</div>\n");
	put_address(x, run);
	if (r->released == 0)
		put_messages(x, run, r->c->n_messages == 0);
	strbuf_puts(&x->out, "<div id=\"report\">\n");
	body = desk_report_body(x->desk, r);
	strbuf_add(&x->out, body->s, body->len);
	put_downloads(x, run);
	strbuf_puts(&x->out, "</div>\n");
	put_compare(x, run);
	if (r->released == 0)
		put_release(x, run);
	exchange_page_end(x, &p);
}

/* --- compared ----------------------------------------------------------------------------------------------- */

/* An address of a page, or what of it tells the run. */
static const struct run *
run_in(struct exchange *x, const char *address)
{
	const char *p = strstr(address, "/run/"), *id = p != NULL ? p + 5 : address;
	char part[RUN_ID_LEN + 1];

	id += strspn(id, " ");
	snprintf(part, sizeof part, "%.*s", (int)strcspn(id, "/?# "), id);
	return desk_run(x->desk, part);
}

static void
put_comparison(struct exchange *x, const struct run *run, const struct run *other)
{
	const struct run *earlier = other->t_us < run->t_us ? other : run;
	const struct run *later = earlier == run ? other : run;
	struct page p = { .title = "What has changed" };
	const struct report *before, *after;
	struct comparison c;
	const char *why = "";
	char prefix[64];

	if (!desk_reports(&before, &after, x->desk, earlier, later, x->now_us, &why)) {
		exchange_error(x, 503, "The reports cannot be made now.", why);
		return;
	}
	compare_reports(&c, before, after);
	exchange_page(x, &p);
	strbuf_printf(&x->out,
	    "<p class=\"brand\"><a href=\"/run/%s\">Your run</a></p>\n<h1>What has changed</h1>\n",
	    run->id);
	snprintf(prefix, sizeof prefix, "/run/%s", later->id);
	compare_html(&x->out, &c, prefix);
	exchange_page_end(x, &p);
	compare_clear(&c);
}

void
page_run_changes(struct exchange *x)
{
	const struct run *run, *other;

	if (run_of(x) == NULL)
		return;
	other = run_in(x, form_get(&x->query, "with"));
	if ((run = run_of(x)) == NULL) /* again: looking for the other may have moved it */
		return;
	if (other == NULL)
		exchange_error(
		    x, 404, "There is no such other run.", "Paste the whole address of its page.");
	else if (other == run)
		exchange_error(
		    x, 422, "This is the same run.", "Paste the address of another one.");
	else
		put_comparison(x, run, other);
}

void
page_run_live(struct exchange *x)
{
	const struct run *run = run_of(x);

	if (run != NULL)
		desk_subject(x->subject, sizeof x->subject, run);
}

/* --- downloads ---------------------------------------------------------------------------------------------- */

static void
view(struct exchange *x, const char *name, const char *type)
{
	const struct run *run = run_of(x);
	const struct report *r = run != NULL ? report_of(x, run) : NULL;
	struct report_style style = { .width = 100 };

	if (r == NULL)
		return;
	exchange_type(x, type);
	report_view(name)->write(&x->out, r, &style);
}

void
page_run_json(struct exchange *x)
{
	view(x, "json", "application/json");
}

void
page_run_csv(struct exchange *x)
{
	view(x, "csv", "text/csv; charset=utf-8; header=present");
	if (x->status == 200)
		exchange_field(
		    x, "Content-Disposition", "attachment; filename=\"outpost-report.csv\"");
}

/* To keep: it is shown by nothing but the reader's own disk, as its style stands inside. */
void
page_run_html(struct exchange *x)
{
	view(x, "html", "text/html; charset=utf-8");
	if (x->status == 200)
		exchange_field(
		    x, "Content-Disposition", "attachment; filename=\"outpost-report.html\"");
}

void
page_run_text(struct exchange *x)
{
	view(x, "text", "text/plain; charset=utf-8");
}

static int
add_line(void *ctx, const char *line, size_t len)
{
	struct exchange *x = ctx;

	strbuf_add(&x->out, line, len);
	strbuf_puts(&x->out, "\n");
	return x->out.len > EVENTS_MAX;
}

void
page_run_events(struct exchange *x)
{
	const struct run *run = run_of(x);
	int rc;

	if (run == NULL)
		return;
	exchange_type(x, "application/x-ndjson");
	rc = desk_events(x->desk, run, add_line, x);
	if (rc < 0)
		exchange_error(x, 503, "The observations cannot be read now.", NULL);
	else if (rc > 0)
		exchange_error(x, 503, "There are too many observations for a download.",
		    "The operator of this site can export them.");
}

void
page_run_message(struct exchange *x)
{
	const struct message *m = message_find(x->part[1]);

	if (run_of(x) == NULL)
		return;
	if (m == NULL) {
		exchange_error(x, 404, "There is no such message.", NULL);
		return;
	}
	exchange_type(x, "message/rfc822");
	strbuf_add(&x->out, m->text, m->len);
}
