/* api.c - the interface for programs: openapi.json describes it.  Who has a key begins runs and reads them; the id
 * of a run is as secret as the address of its page. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "web/assets.h"
#include "web/desk.h"
#include "web/pages.h"

#define BEARER "Bearer "

/* NULL: there is a response. */
static const struct apikey *
key_of(struct exchange *x)
{
	char value[200];
	const struct apikey *key = NULL;

	if (http_field(x->http, "Authorization", value, sizeof value) >= 0 &&
	    strncasecmp(value, BEARER, sizeof BEARER - 1) == 0)
		key = desk_key(x->desk, value + sizeof BEARER - 1);
	if (key == NULL) {
		exchange_error(x, 401, "This wants a key that is valid.",
		    "Send it as Authorization: Bearer KEY. The operator of this site gives keys.");
		exchange_field(x, "WWW-Authenticate", "Bearer realm=\"outpost\"");
	}
	return key;
}

static const struct run *
run_of(struct exchange *x)
{
	const struct run *run = key_of(x) != NULL ? desk_run(x->desk, x->part[0]) : NULL;

	if (run == NULL && x->status != 401)
		exchange_error(x, 404, "There is no such run.", NULL);
	return run;
}

static void
put_messages(struct exchange *x, const struct run *run)
{
	struct enrolment e = { .token = run->token, .t_us = run->t_us };
	struct enrol_message *m = NULL;
	size_t n = 0;

	snprintf(e.set, sizeof e.set, "%s", run->set);
	(void)enrol_messages(&m, &n, x->site, &e);
	enrol_messages_json(&x->out, m, n);
	enrol_messages_free(m, n);
}

/* What both responses about a run have. */
static void
put_run(struct exchange *x, const struct run *run)
{
	char path[64], url[400];
	struct strbuf *b = &x->out;

	exchange_type(x, "application/json");
	snprintf(path, sizeof path, "/run/%s", run->id);
	site_web_url(url, sizeof url, x->site, path);
	json_begin(b, NULL, '{');
	json_put(b, "run", run->id);
	json_put(b, "token", run->token.text);
	json_put_time(b, "begun", run->t_us);
	json_put(b, "set", run->set);
	json_put(b, "label", run->label);
	json_put(b, "page", url);
	put_messages(x, run);
}

static bool
copy(char dst[256], const char *text, const char *otherwise)
{
	size_t len;

	if (text == NULL)
		text = otherwise;
	if ((len = strlen(text)) > 255)
		return false;
	memcpy(dst, text, len + 1);
	return true;
}

/* The body as an object; false: there is a response. */
static bool
read_body(struct exchange *x, char set[256], char label[256])
{
	char err[128] = "an object is expected";
	struct json_doc *doc;
	const struct json *o;
	bool good = false;

	if (strncasecmp(x->http->type, "application/json", 16) != 0) {
		exchange_error(x, 415, "JSON is expected.", "Send Content-Type: application/json.");
		return false;
	}
	doc = json_parse(x->body != NULL ? x->body : "", x->body_len, err, sizeof err);
	o = doc != NULL ? json_root(doc) : NULL;
	if (o == NULL || o->type != JSON_OBJECT) {
		exchange_error(x, 400, "The body cannot be read.", err);
	} else if ((json_get(o, "set") != NULL && json_string(o, "set") == NULL) ||
		   (json_get(o, "label") != NULL && json_string(o, "label") == NULL)) {
		exchange_error(x, 422, "set and label are strings.", NULL);
	} else {
		good = copy(set, json_string(o, "set"), "quick") &&
		       copy(label, json_string(o, "label"), "");
		if (!good)
			exchange_error(x, 422, "A value is longer than 255 octets.", NULL);
	}
	json_free(doc);
	return good;
}

void
api_begin(struct exchange *x)
{
	const struct apikey *key = key_of(x);
	const struct run *run;
	char set[256], label[256], path[80];

	if (key == NULL || !read_body(x, set, label))
		return;
	switch (desk_enrol_key(&run, x->desk, set, label, key, x->now_us)) {
	case DESK_DONE:
		put_run(x, run);
		strbuf_puts(&x->out, "}\n");
		x->status = 201;
		snprintf(path, sizeof path, "/api/v1/runs/%s", run->id);
		exchange_field(x, "Location", path);
		break;
	case DESK_NO_SET:
		exchange_error(x, 422, "There is no such set of tests.",
		    "quick, standard, full, a group or a test, or several joined by commas.");
		break;
	case DESK_CLIENT_LIMIT:
		exchange_error(x, 429, "This key has begun as many runs today as it may.", NULL);
		break;
	case DESK_SITE_LIMIT:
		exchange_error(x, 503, "This site has begun as many runs today as it may.", NULL);
		break;
	default:
		exchange_error(x, 500, "The run could not be written down.", NULL);
	}
}

void
api_run(struct exchange *x)
{
	const struct run *run = run_of(x);
	const struct report *r;
	const char *why = "";
	struct strbuf waits = { 0 };
	int64_t until;
	bool done, final;

	if (run == NULL)
		return;
	if ((r = desk_report(x->desk, run, x->now_us, &why)) == NULL) {
		exchange_error(x, 503, "The report cannot be made now.", why);
		return;
	}
	done = report_done(r, false, &waits, &until);
	strbuf_reset(&waits);
	final = report_done(r, true, &waits, &until);
	strbuf_clear(&waits);
	put_run(x, run);
	json_put_bool(&x->out, "done", done);
	json_put_bool(&x->out, "final", final);
	json_end(&x->out, '}');
	strbuf_puts(&x->out, "\n");
}

void
api_report(struct exchange *x)
{
	const struct run *run = run_of(x);
	struct report_style style = { .width = 100 };
	const struct report *r;
	const char *why = "";

	if (run == NULL)
		return;
	if ((r = desk_report(x->desk, run, x->now_us, &why)) == NULL) {
		exchange_error(x, 503, "The report cannot be made now.", why);
		return;
	}
	exchange_type(x, "application/json");
	report_view("json")->write(&x->out, r, &style);
}

void
api_release(struct exchange *x)
{
	const struct run *run = run_of(x);

	if (run == NULL)
		return;
	if (desk_release(x->desk, run, "api", x->now_us) != 0) {
		exchange_error(x, 500, "The release could not be written down.", NULL);
		return;
	}
	exchange_type(x, "application/json");
	json_begin(&x->out, NULL, '{');
	json_put(&x->out, "run", run->id);
	json_put_bool(&x->out, "released", true);
	json_end(&x->out, '}');
	strbuf_puts(&x->out, "\n");
}

void
api_tests(struct exchange *x)
{
	const struct catalogue *c = x->site->catalogue;
	struct strbuf *b = &x->out;

	if (key_of(x) == NULL)
		return;
	exchange_type(x, "application/json");
	json_begin(b, NULL, '{');
	json_begin(b, "tests", '[');
	for (size_t i = 0; i < c->n; i++) {
		const struct test *t = c->tests[i];

		json_key(b, NULL);
		strbuf_puts(b, "\n");
		json_begin(b, NULL, '{');
		json_put_num(b, "number", t->number);
		json_put(b, "test", t->name);
		json_put(b, "group", t->group);
		json_put_list(b, "sets", t->sets, t->n_sets);
		json_put(b, "title", t->title);
		json_put(b, "spec", t->spec);
		json_put(b, "about", t->about);
		json_end(b, '}');
	}
	strbuf_puts(b, "\n]}\n");
}

void
api_description(struct exchange *x)
{
	const struct asset *a = asset_named("openapi.json");

	exchange_type(x, "application/json");
	strbuf_add(&x->out, a->data, a->len);
}
