/* tlsrpt_match.c - a report's failures against the test's faults and the connections seen. */
#include "results/tlsrpt_match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "results/mime.h"

#define SLACK   (3600 * CLOCK_SECOND) /* clocks and days that differ */
#define RAW_MAX 65536                 /* more does not fit in an event */
#define BIT(c)  (1u << (c))

#define TYPE_TLSA 52

/* A certificate that does not fit its TLSA records or its policy has many names among senders:
 * RFC 8460 4.3 leaves them room. */
#define NO_MATCH                                                                                   \
	(BIT(TLSRPT_CERTIFICATE_HOST_MISMATCH) | BIT(TLSRPT_CERTIFICATE_NOT_TRUSTED) |             \
	    BIT(TLSRPT_VALIDATION_FAILURE))
#define OF_POLICY                                                                                  \
	(BIT(TLSRPT_TLSA_INVALID) | BIT(TLSRPT_DNSSEC_INVALID) | BIT(TLSRPT_DANE_REQUIRED) |       \
	    BIT(TLSRPT_STS_POLICY_FETCH_ERROR) | BIT(TLSRPT_STS_POLICY_INVALID) |                  \
	    BIT(TLSRPT_STS_WEBPKI_INVALID))

const char *
tlsrpt_answer_name(enum tlsrpt_answer a)
{
	static const char *const names[TLSRPT_ANSWER_MAX] = { "unknown", "true", "false" };

	return names[a];
}

/* --- what a test shows ---------------------------------------------------------------------------- */

static bool
has_record(const struct test *t, const char *owner, uint16_t type)
{
	for (size_t i = 0; i < t->n_records; i++) {
		if (t->records[i].type == type && strcasecmp(t->records[i].owner, owner) == 0)
			return true;
	}
	return false;
}

bool
tlsrpt_is_collector(const struct test *t, int k)
{
	char v4[24], v6[24];
	bool b = false;

	if (k < 0 || !test_wants_reports(t))
		return false;
	snprintf(v4, sizeof v4, "{ipv4:%d}", k);
	snprintf(v6, sizeof v6, "{ipv6:%d}", k);
	for (size_t i = 0; i < t->n_records; i++) {
		const struct dns_record *r = &t->records[i];
		if (strstr(r->rdata, v4) == NULL && strstr(r->rdata, v6) == NULL)
			continue;
		if (r->zone == 0)
			return false;
		b = true;
	}
	return b;
}

static unsigned
starttls_faults(const struct host *h)
{
	switch (h->starttls) {
	case STARTTLS_OFFER:
		return 0;
	case STARTTLS_ABORT:
	case STARTTLS_INJECT:
		return BIT(TLSRPT_VALIDATION_FAILURE);
	default:
		return BIT(TLSRPT_STARTTLS_NOT_SUPPORTED);
	}
}

static unsigned
cert_faults(enum cert_kind kind)
{
	switch (kind) {
	case CERT_PKIX_VALID:
		return 0;
	case CERT_WRONG_NAME:
	case CERT_CN_ONLY:
		return BIT(TLSRPT_CERTIFICATE_HOST_MISMATCH) | BIT(TLSRPT_VALIDATION_FAILURE);
	case CERT_EXPIRED:
		return BIT(TLSRPT_CERTIFICATE_EXPIRED) | BIT(TLSRPT_VALIDATION_FAILURE);
	case CERT_SELF_SIGNED:
	case CERT_UNTRUSTED:
		return BIT(TLSRPT_CERTIFICATE_NOT_TRUSTED) | BIT(TLSRPT_VALIDATION_FAILURE);
	default:
		return BIT(TLSRPT_VALIDATION_FAILURE);
	}
}

static bool
is_right_tlsa(const char *rdata)
{
	return strstr(rdata, "{spki:") != NULL || strstr(rdata, "{spki512:") != NULL ||
	       strstr(rdata, "{cert:") != NULL || strstr(rdata, "{ca-spki}") != NULL;
}

static unsigned
dane_faults(const struct test *t, unsigned k)
{
	char owner[48];
	bool any = false, right = false, secure = zone_security(&t->zone[0]) == ZONE_SECURE;
	unsigned faults = 0;

	snprintf(owner, sizeof owner, "_25._tcp.{mx%u}", k);
	for (size_t i = 0; i < t->n_records; i++) {
		const struct dns_record *r = &t->records[i];
		if (r->type != TYPE_TLSA || strcasecmp(r->owner, owner) != 0)
			continue;
		any = true;
		right |= is_right_tlsa(r->rdata);
	}
	for (size_t i = 0; i < t->n_answers; i++) {
		const struct answer_rule *a = &t->answers[i];
		if ((a->type == TYPE_TLSA || a->type == 255) &&
		    (a->action == ANSWER_RCODE || a->action == ANSWER_DROP ||
			a->action == ANSWER_SIGN))
			faults |= BIT(TLSRPT_DNSSEC_INVALID);
	}
	if (zone_security(&t->zone[0]) == ZONE_BOGUS)
		faults |= BIT(TLSRPT_DNSSEC_INVALID);
	if (!any || !secure)
		faults |= BIT(TLSRPT_DANE_REQUIRED);
	if (any && !right)
		faults |= NO_MATCH | BIT(TLSRPT_TLSA_INVALID);
	return faults;
}

/* "*.mx0.example" and other patterns: what begins with a label of its own cannot be seen through
 * here, and is taken to match. */
static bool
policy_names(const struct policy *p, unsigned k)
{
	char name[16];

	snprintf(name, sizeof name, "{mx%u}", k);
	for (unsigned i = 0; i < p->n_mx; i++) {
		if (strcasecmp(p->mx[i], name) == 0 || p->mx[i][0] == '*')
			return true;
	}
	return false;
}

static unsigned
sts_faults(const struct test *t, unsigned k)
{
	unsigned faults = 0;

	for (unsigned i = 0; i < t->n_policy; i++) {
		const struct policy *p = &t->policy[i];
		if (p->cert != CERT_PKIX_VALID)
			faults |= BIT(TLSRPT_STS_WEBPKI_INVALID) |
				  BIT(TLSRPT_STS_POLICY_FETCH_ERROR);
		if (p->status != 200 || p->slow_us > 0 || p->redirect != NULL)
			faults |= BIT(TLSRPT_STS_POLICY_FETCH_ERROR);
		if (p->type != NULL || p->pad > 0 || p->extra != NULL || p->mode == NULL)
			faults |= BIT(TLSRPT_STS_POLICY_INVALID) |
				  BIT(TLSRPT_STS_POLICY_FETCH_ERROR);
		if (p->mode != NULL && strcmp(p->mode, "none") != 0 && !policy_names(p, k))
			faults |= NO_MATCH | BIT(TLSRPT_STS_POLICY_INVALID);
	}
	return faults;
}

/* Which classes a report about host K of the test may rightly name: bits 1 << class. */
static unsigned
faults_of_host(const struct test *t, unsigned k)
{
	const struct host *h = &t->host[k];

	return starttls_faults(h) | cert_faults(h->cert) | dane_faults(t, k) | sts_faults(t, k) |
	       (h->ciphers != NULL || h->groups != NULL || h->tls_max < 0x0303 ||
			   h->tls_min > 0x0303
		       ? BIT(TLSRPT_VALIDATION_FAILURE)
		       : 0);
}

/* --- what the report says ---------------------------------------------------------------------------- */

/* Is it "TOKEN.TEST..." or "TOKEN.mxK.TEST..."?  K, -1 for the domain itself, -2: another's. */
static int
place_of(const char *name, const char *token, const struct test *t)
{
	size_t len = strlen(token);
	int k = -1;

	if (strncasecmp(name, token, len) != 0 || name[len] != '.')
		return -2;
	name += len + 1;
	if (strncasecmp(name, "mx", 2) == 0 && name[2] >= '0' && name[2] <= '9') {
		size_t digits = strspn(name + 2, "0123456789");
		if (digits <= 2 && name[2 + digits] == '.') {
			k = atoi(name + 2);
			name += 3 + digits;
		}
	}
	len = strlen(t->name);
	return strncasecmp(name, t->name, len) == 0 && name[len] == '.' && k < TEST_HOSTS_MAX ? k
											      : -2;
}

/* Connections at host k (-1: any) in the report's time; all: at any time. */
static unsigned
seen_at(const struct facts *f, const struct tlsrpt *r, int k, bool all)
{
	unsigned n = 0;

	for (size_t i = 0; i < f->n_attempts; i++) {
		const struct attempt *a = &f->attempts[i];
		if ((k < 0 || a->host < 0 || a->host == k) &&
		    (all || r->start == 0 ||
			(a->end >= r->start - SLACK && a->t <= r->end + SLACK)))
			n++;
	}
	return n;
}

static unsigned
faults_of(const struct test *t, int k)
{
	unsigned faults = 0;

	for (unsigned i = 0; i < t->n_hosts; i++) {
		if (t->host[i].used && (k < 0 || i == (unsigned)k) &&
		    !tlsrpt_is_collector(t, (int)i))
			faults |= faults_of_host(t, i);
	}
	return faults;
}

static void
judge_failure(
    struct tlsrpt_row *row, const struct tlsrpt *r, const struct facts *f, const char *token)
{
	const struct tlsrpt_failure *fail = row->failure;
	int k = *fail->mx == '\0' ? -1 : place_of(fail->mx, token, f->test);

	row->seen = seen_at(f, r, k, false);
	row->answer = TLSRPT_FALSE;
	if (k == -2)
		row->why = "names a mail host that this domain has not";
	else if (fail->class == TLSRPT_CLASS_MAX) {
		row->answer = TLSRPT_UNKNOWN;
		row->why = "a failure class that nobody knows";
	} else if ((faults_of(f->test, k) & BIT(fail->class)) == 0)
		row->why = "nothing here has that fault";
	else if (((OF_POLICY | (k < 0 ? 0 : sts_faults(f->test, (unsigned)k))) &
		     BIT(fail->class)) != 0) { /* seen without a connection */
		row->answer = TLSRPT_TRUE;
		row->why = "so it is published";
	} else if (row->seen == 0) {
		row->answer = TLSRPT_UNKNOWN;
		row->why = "no connection of that time was seen";
	} else { /* one that died on its way is counted there, and was never here */
		row->answer = TLSRPT_TRUE;
		row->why = fail->count > (int64_t)seen_at(f, r, k, true)
			       ? "so it was seen, though not as often as it counts"
			       : "so it was seen";
	}
}

/* The policy's own lines: its type, and a summary that says that all went well. */
static void
judge_policy(struct tlsrpt_row *row, const struct tlsrpt *r, const struct facts *f)
{
	const struct tlsrpt_policy *p = row->policy;
	bool dane = false;

	for (unsigned k = 0; k < f->test->n_hosts; k++) {
		char owner[48];
		snprintf(owner, sizeof owner, "_25._tcp.{mx%u}", k);
		dane |= has_record(f->test, owner, TYPE_TLSA);
	}
	row->seen = seen_at(f, r, -1, false);
	row->answer = TLSRPT_FALSE;
	if ((p->type == TLSRPT_TLSA && !dane) || (p->type == TLSRPT_STS && f->test->n_policy == 0))
		row->why = "names a policy that this domain has not";
	else if (p->successes > (int64_t)seen_at(f, r, -1, true))
		row->why = "counts more sessions than were seen";
	else if (p->n == 0 && p->type != TLSRPT_NO_POLICY_FOUND && p->successes > 0 &&
		 p->failures <= 0 && f->accepted == 0)
		row->why = "says that all went well, and nothing was delivered";
	else {
		row->answer = TLSRPT_UNKNOWN;
		row->why = "nothing in it can be held against what was seen";
	}
}

static void
add_row(struct received_report *in, const struct tlsrpt_row *row)
{
	if (in->n < TLSRPT_ROWS_MAX)
		in->row[in->n++] = *row;
	if (row->answer == TLSRPT_FALSE || in->answer == TLSRPT_UNKNOWN)
		in->answer = row->answer;
}

void
tlsrpt_match(struct received_report *in, const struct facts *f, const char *token)
{
	const struct tlsrpt *r = in->report;

	in->answer = TLSRPT_UNKNOWN;
	in->n = 0;
	for (unsigned i = 0; r != NULL && i < r->n; i++) {
		const struct tlsrpt_policy *p = &r->policy[i];
		if (place_of(p->domain, token, f->test) != -1)
			continue;
		struct tlsrpt_row row = { .policy = p };
		judge_policy(&row, r, f);
		add_row(in, &row);
		for (unsigned k = 0; k < p->n; k++) {
			row = (struct tlsrpt_row){ .policy = p, .failure = &p->failure[k] };
			judge_failure(&row, r, f, token);
			add_row(in, &row);
		}
	}
	if (r != NULL && in->n == 0)
		snprintf(in->why, sizeof in->why, "it is not about this domain");
}

struct received_report *
tlsrpt_receive(const struct observation *o)
{
	struct received_report *in = xcalloc(1, sizeof *in);
	struct strbuf data = { 0 };
	struct tlsrpt_raw raw = { .type = text_of(o, EK_TYPE),
		.encoding = text_of(o, EK_ENCODING) };

	in->t = o->t;
	in->event = o;
	in->mail = raw.mail = observation_is(o, EK_VIA, "mail");
	if (!mime_base64(&data, text_of(o, EK_DATA), strlen(text_of(o, EK_DATA)), RAW_MAX)) {
		snprintf(in->why, sizeof in->why, "the event's data is no base64");
	} else {
		raw.data = data.s == NULL ? "" : data.s;
		raw.len = data.len;
		in->report = tlsrpt_read(&raw, in->why, sizeof in->why);
	}
	strbuf_clear(&data);
	return in;
}

void
tlsrpt_received_free(struct received_report *in)
{
	if (in == NULL)
		return;
	tlsrpt_free(in->report);
	free(in);
}
