/* tlsrpt.c - mail or POST, gzip, JSON, schema: four steps, each with its own limits. */
#include "results/tlsrpt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "results/mime.h"

#define RATIO_FREE 65536 /* octets that may come of however little */

static const char *const class_names[TLSRPT_CLASS_MAX + 1] = {
	[TLSRPT_STARTTLS_NOT_SUPPORTED] = "starttls-not-supported",
	[TLSRPT_CERTIFICATE_HOST_MISMATCH] = "certificate-host-mismatch",
	[TLSRPT_CERTIFICATE_EXPIRED] = "certificate-expired",
	[TLSRPT_CERTIFICATE_NOT_TRUSTED] = "certificate-not-trusted",
	[TLSRPT_VALIDATION_FAILURE] = "validation-failure",
	[TLSRPT_TLSA_INVALID] = "tlsa-invalid",
	[TLSRPT_DNSSEC_INVALID] = "dnssec-invalid",
	[TLSRPT_DANE_REQUIRED] = "dane-required",
	[TLSRPT_STS_POLICY_FETCH_ERROR] = "sts-policy-fetch-error",
	[TLSRPT_STS_POLICY_INVALID] = "sts-policy-invalid",
	[TLSRPT_STS_WEBPKI_INVALID] = "sts-webpki-invalid",
	[TLSRPT_CLASS_MAX] = "",
};
static const char *const type_names[TLSRPT_TYPE_MAX] = {
	[TLSRPT_TLSA] = "tlsa",
	[TLSRPT_STS] = "sts",
	[TLSRPT_NO_POLICY_FOUND] = "no-policy-found",
};

static void
problem(struct tlsrpt *r, const char *what)
{
	for (unsigned i = 0; i < r->n_problems; i++) {
		if (strcmp(r->problem[i], what) == 0)
			return;
	}
	if (r->n_problems < TLSRPT_PROBLEMS_MAX)
		r->problem[r->n_problems++] = what;
}

/* --- gzip --------------------------------------------------------------------------------------- */

static int
inflate_all(struct strbuf *dst, z_stream *z, size_t len, char *err, size_t errlen)
{
	unsigned char block[16384];
	int rc;

	do {
		z->next_out = block;
		z->avail_out = sizeof block;
		rc = inflate(z, Z_NO_FLUSH);
		size_t got = sizeof block - z->avail_out;
		if (rc != Z_OK && rc != Z_STREAM_END) {
			snprintf(err, errlen, "gzip: %s",
			    rc == Z_BUF_ERROR ? "it ends too early"
			    : z->msg != NULL  ? z->msg
					      : "not gzip");
			return -1;
		}
		if (dst->len + got > TLSRPT_TEXT_MAX) {
			snprintf(err, errlen, "gzip: more than %u octets come out of it",
			    TLSRPT_TEXT_MAX);
			return -1;
		}
		strbuf_add(dst, block, got);
		if (dst->len > RATIO_FREE && dst->len / TLSRPT_RATIO_MAX > len) {
			snprintf(err, errlen, "gzip: over %d times larger than what was sent",
			    TLSRPT_RATIO_MAX);
			return -1;
		}
	} while (rc != Z_STREAM_END);
	return 0;
}

int
tlsrpt_gunzip(struct strbuf *dst, const char *data, size_t len, char *err, size_t errlen)
{
	z_stream z = { 0 };
	unsigned char *in;
	int rc;

	if (inflateInit2(&z, 15 + 16) != Z_OK) {
		snprintf(err, errlen, "gzip: no memory");
		return -1;
	}
	/* zlib wants a pointer that could be written through, and never does. */
	memcpy(&in, &data, sizeof in);
	z.next_in = in;
	z.avail_in = (uInt)(len > TLSRPT_TEXT_MAX ? TLSRPT_TEXT_MAX : len);
	rc = inflate_all(dst, &z, len, err, errlen);
	inflateEnd(&z);
	return rc;
}

/* --- schema (RFC 8460 4.4) ------------------------------------------------------------------------ */

static const char *
text(struct tlsrpt *r, const struct json *o, const char *key, const char *missing)
{
	const char *s = json_string(o, key);

	if ((s == NULL || *s == '\0') && missing != NULL)
		problem(r, missing);
	return s == NULL ? "" : s;
}

/* RFC 3339 with an offset; 0: none. */
static int64_t
date(const char *s)
{
	char utc[48];
	int64_t t, shift = 0;
	size_t len = strlen(s);
	unsigned hour, minute;
	char sign;

	if (len < 20 || len >= sizeof utc - 1)
		return 0;
	memcpy(utc, s, len + 1);
	if (len >= 25 && sscanf(s + len - 6, "%c%2u:%2u", &sign, &hour, &minute) == 3 &&
	    (sign == '+' || sign == '-') && hour < 24 && minute < 60) {
		shift = (int64_t)(hour * 60 + minute) * 60 * CLOCK_SECOND * (sign == '+' ? 1 : -1);
		utc[len - 6] = 'Z';
		utc[len - 5] = '\0';
	}
	if (clock_parse(&t, utc, strlen(utc)) < 0)
		return 0;
	return t - shift;
}

static int64_t
count(struct tlsrpt *r, const struct json *o, const char *key)
{
	const struct json *v = json_get(o, key);

	if (v == NULL)
		return -1;
	/* Some senders write numbers as strings: not what the schema says, but clear. */
	if (v->type == JSON_STRING && v->len > 0 && v->len < 16 &&
	    strspn(v->string, "0123456789") == v->len) {
		problem(r, "a session count is a string");
		return strtoll(v->string, NULL, 10);
	}
	if (v->type != JSON_NUMBER || v->number < 0 || v->number > 9e15) {
		problem(r, "a session count is no number");
		return -1;
	}
	return v->integer;
}

static void
read_failure(struct tlsrpt *r, struct tlsrpt_failure *f, const struct json *o)
{
	f->said = text(r, o, "result-type", "a failure without result-type");
	f->class = 0;
	while (f->class < TLSRPT_CLASS_MAX && strcasecmp(f->said, class_names[f->class]) != 0)
		f->class ++;
	if (f->class == TLSRPT_CLASS_MAX && *f->said != '\0')
		problem(r, "a result-type that RFC 8460 does not know");
	f->mx = text(r, o, "receiving-mx-hostname", NULL);
	f->sending_ip = text(r, o, "sending-mta-ip", NULL);
	f->receiving_ip = text(r, o, "receiving-ip", NULL);
	f->code = text(r, o, "failure-reason-code", NULL);
	f->additional = text(r, o, "additional-information", NULL);
	f->count = count(r, o, "failed-session-count");
	if (f->count < 0)
		problem(r, "a failure without failed-session-count");
}

static void
read_policy(struct tlsrpt *r, struct tlsrpt_policy *p, const struct json *o)
{
	const struct json *policy = json_get(o, "policy"), *summary = json_get(o, "summary");
	const struct json *failures = json_get(o, "failure-details");
	const char *type;

	p->domain = "";
	p->type = TLSRPT_TYPE_MAX;
	p->successes = p->failures = -1;
	if (policy == NULL || policy->type != JSON_OBJECT) {
		problem(r, "an entry of policies without policy");
	} else {
		type = text(r, policy, "policy-type", "a policy without policy-type");
		for (unsigned i = 0; i < TLSRPT_TYPE_MAX; i++) {
			if (strcasecmp(type, type_names[i]) == 0)
				p->type = i;
		}
		if (p->type == TLSRPT_TYPE_MAX && *type != '\0')
			problem(r, "a policy-type that RFC 8460 does not know");
		p->domain = text(r, policy, "policy-domain", "a policy without policy-domain");
	}
	if (summary == NULL || summary->type != JSON_OBJECT) {
		problem(r, "an entry of policies without summary");
	} else {
		p->successes = count(r, summary, "total-successful-session-count");
		p->failures = count(r, summary, "total-failure-session-count");
	}
	if (failures == NULL)
		return;
	if (failures->type != JSON_ARRAY) {
		problem(r, "failure-details is no array");
		return;
	}
	for (const struct json *f = failures->child; f != NULL; f = f->next) {
		if (f->type != JSON_OBJECT)
			problem(r, "a failure is no object");
		else if (p->n == TLSRPT_FAILURES_MAX)
			problem(r, "more failures than are looked at");
		else
			read_failure(r, &p->failure[p->n++], f);
	}
}

static void
read_head(struct tlsrpt *r, const struct json *root)
{
	const struct json *range = json_get(root, "date-range");

	r->organization = text(r, root, "organization-name", "no organization-name");
	r->contact = text(r, root, "contact-info", "no contact-info");
	r->id = text(r, root, "report-id", "no report-id");
	if (range == NULL || range->type != JSON_OBJECT) {
		problem(r, "no date-range");
		return;
	}
	r->start = date(text(r, range, "start-datetime", NULL));
	r->end = date(text(r, range, "end-datetime", NULL));
	if (r->start == 0 || r->end == 0 || r->end < r->start) {
		problem(r, "date-range is no range of RFC 3339 times");
		r->start = r->end = 0;
	}
}

struct tlsrpt *
tlsrpt_parse(const char *json, size_t len, char *err, size_t errlen)
{
	struct tlsrpt *r = NULL;
	struct json_doc *doc;
	const struct json *policies;

	if (len > TLSRPT_TEXT_MAX) {
		snprintf(err, errlen, "larger than %u octets", TLSRPT_TEXT_MAX);
		return NULL;
	}
	if (len >= 3 && memcmp(json, "\xef\xbb\xbf", 3) == 0) {
		json += 3;
		len -= 3;
	}
	if ((doc = json_parse(json, len, err, errlen)) == NULL)
		return NULL;
	policies = json_root(doc)->type == JSON_OBJECT ? json_get(json_root(doc), "policies")
						       : NULL;
	if (policies == NULL || policies->type != JSON_ARRAY || policies->child == NULL) {
		snprintf(err, errlen, "no policies in it");
		json_free(doc);
		return NULL;
	}
	r = xcalloc(1, sizeof *r);
	r->doc = doc;
	read_head(r, json_root(doc));
	for (const struct json *p = policies->child; p != NULL; p = p->next)
		r->n += p->type == JSON_OBJECT && r->n < TLSRPT_POLICIES_MAX;
	if (r->n < policies->len)
		problem(r, "more policies than are looked at, or a policy that is no object");
	r->policy = xcalloc(r->n + 1, sizeof *r->policy);
	unsigned i = 0;
	for (const struct json *p = policies->child; p != NULL && i < r->n; p = p->next) {
		if (p->type == JSON_OBJECT)
			read_policy(r, &r->policy[i++], p);
	}
	return r;
}

void
tlsrpt_free(struct tlsrpt *r)
{
	if (r == NULL)
		return;
	json_free(r->doc);
	free(r->policy);
	free(r);
}

/* --- transport (RFC 8460 5) ---------------------------------------------------------------------- */

static bool
is_gzip(const char *s, size_t len)
{
	return len >= 3 && memcmp(s, "\x1f\x8b\x08", 3) == 0;
}

static bool
is_report_type(const char *type)
{
	return strcmp(type, "application/tlsrpt+gzip") == 0 ||
	       strcmp(type, "application/tlsrpt+json") == 0;
}

static bool
named_like_report(const struct mime_part *p)
{
	char value[512], name[256];
	size_t len;

	if (!(mime_field(value, sizeof value, p->head, "Content-Disposition") &&
		mime_parameter(name, sizeof name, value, "filename")) &&
	    !(mime_field(value, sizeof value, p->head, "Content-Type") &&
		mime_parameter(name, sizeof name, value, "name")))
		return false;
	len = strlen(name);
	return (len > 5 && strcasecmp(name + len - 5, ".json") == 0) ||
	       (len > 8 && strcasecmp(name + len - 8, ".json.gz") == 0);
}

static bool
is_report_part(const struct mime_part *p)
{
	return is_report_type(p->type) ||
	       (strncmp(p->type, "application/", 12) == 0 && named_like_report(p));
}

/* gzip or JSON, whatever its type says: what it is shows in its first octets. */
static struct tlsrpt *
unpack(const char *data, size_t len, char *err, size_t errlen)
{
	struct strbuf json = { 0 };
	struct tlsrpt *r = NULL;

	if (!is_gzip(data, len))
		return tlsrpt_parse(data, len, err, errlen);
	if (tlsrpt_gunzip(&json, data, len, err, errlen) == 0)
		r = tlsrpt_parse(json.s == NULL ? "" : json.s, json.len, err, errlen);
	strbuf_clear(&json);
	return r;
}

static void
check_mail(struct tlsrpt *r, const struct mime_part *message, const struct mime_part *part)
{
	char value[1024], word[256];

	if (!mime_field(value, sizeof value, message->head, "DKIM-Signature"))
		problem(r, "the mail has no DKIM signature (RFC 8460 3)");
	else if (!mime_parameter(r->dkim, sizeof r->dkim, value, "d")) {
		/* d= may be the first tag: the parameters of a type never are. */
		snprintf(word, sizeof word, "%s", value + strspn(value, " \t"));
		if (strncasecmp(word, "d=", 2) == 0)
			snprintf(r->dkim, sizeof r->dkim, "%.*s", (int)strcspn(word + 2, "; \t"),
			    word + 2);
	}
	if (!mime_field(value, sizeof value, message->head, "TLS-Report-Domain"))
		problem(r, "the mail has no TLS-Report-Domain field (RFC 8460 5.3)");
	if (!mime_field(value, sizeof value, message->head, "TLS-Report-Submitter"))
		problem(r, "the mail has no TLS-Report-Submitter field (RFC 8460 5.3)");
	if (!mime_field(value, sizeof value, message->head, "Content-Type") ||
	    strcmp(message->type, "multipart/report") != 0 ||
	    !mime_parameter(word, sizeof word, value, "report-type") ||
	    strcasecmp(word, "tlsrpt") != 0)
		problem(r, "the mail is no multipart/report of report-type tlsrpt (RFC 8460 5.3)");
	if (!is_report_type(part->type))
		problem(r, "the report's media type is none of RFC 8460 6.4 and 6.5");
}

static struct tlsrpt *
read_mail(const struct tlsrpt_raw *raw, char *err, size_t errlen)
{
	struct mime_part message, part;
	struct strbuf data = { 0 };
	struct tlsrpt *r = NULL;

	mime_split(&message, raw->data, raw->len);
	if (!mime_find(&part, raw->data, raw->len, is_report_part)) {
		snprintf(err, errlen, "no part of the mail is a report");
		return NULL;
	}
	if (!mime_decode(&data, &part, TLSRPT_TEXT_MAX))
		snprintf(err, errlen, "the part's transfer encoding cannot be undone");
	else
		r = unpack(data.s == NULL ? "" : data.s, data.len, err, errlen);
	if (r != NULL)
		check_mail(r, &message, &part);
	strbuf_clear(&data);
	return r;
}

static struct tlsrpt *
read_post(const struct tlsrpt_raw *raw, char *err, size_t errlen)
{
	struct tlsrpt *r = unpack(raw->data, raw->len, err, errlen);
	char type[128];
	size_t n;

	if (r == NULL)
		return NULL;
	snprintf(type, sizeof type, "%s", raw->type);
	n = strcspn(type, "; \t");
	type[n] = '\0';
	for (size_t i = 0; i < n; i++)
		type[i] = (char)(type[i] >= 'A' && type[i] <= 'Z' ? type[i] + 32 : type[i]);
	if (!is_report_type(type))
		problem(r, "the report's media type is none of RFC 8460 6.4 and 6.5");
	else if (is_gzip(raw->data, raw->len) != (strcmp(type + n - 4, "gzip") == 0) &&
		 *raw->encoding == '\0')
		problem(r, "the media type says other than what the body is");
	return r;
}

struct tlsrpt *
tlsrpt_read(const struct tlsrpt_raw *raw, char *err, size_t errlen)
{
	return raw->mail ? read_mail(raw, err, errlen) : read_post(raw, err, errlen);
}
