/* published.c - see published.h. */
#include "verify/published.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { TYPE_MX = 15, TYPE_TXT = 16, TYPE_TLSA = 52 };

struct hosts {
	char name[PUBLISHED_HOSTS_MAX][LOOKUP_NAME_SIZE];
	unsigned n;
};

static void
note_why(struct published *p, const struct lookup *l)
{
	if (p->why[0] == '\0')
		snprintf(p->why, sizeof p->why, "%s", l->why);
}

/* RFC 5321 5.1: without MX the domain is its own mail host; "." takes no mail (RFC 7505). */
static void
read_hosts(struct hosts *h, const char *domain, const struct lookup *mx)
{
	if (mx->status == LOOKUP_NODATA && strlen(domain) < LOOKUP_NAME_SIZE)
		snprintf(h->name[h->n++], LOOKUP_NAME_SIZE, "%s", domain);
	for (size_t i = 0; mx->status == LOOKUP_OK && i < mx->n; i++) {
		const struct lookup_rdata *r = &mx->rdata[i];
		char name[LOOKUP_NAME_SIZE];
		if (r->len < 3 || lookup_name(name, r->data + 2, r->len - 2u) < 0 ||
		    name[0] == '\0')
			continue;
		if (h->n < PUBLISHED_HOSTS_MAX)
			memcpy(h->name[h->n++], name, sizeof name);
	}
}

/* Asks for the records of all hosts before it says that one of them is awaited. */
static enum verify_step
look_tlsa(struct published *p, const struct hosts *h, const struct lookup *mx, struct lookups *book)
{
	unsigned proven = 0, unproven = 0, bogus = mx->status == LOOKUP_BOGUS;
	unsigned unknown = mx->status == LOOKUP_FAILED, wanted = 0;

	for (unsigned i = 0; i < h->n; i++) {
		char name[LOOKUP_NAME_SIZE + 16];
		const struct lookup *l;

		snprintf(name, sizeof name, "_25._tcp.%s", h->name[i]);
		l = lookup_get(book, name, TYPE_TLSA);
		wanted += l->status == LOOKUP_WANTED;
		bogus += l->status == LOOKUP_BOGUS;
		unknown += l->status == LOOKUP_FAILED;
		if (l->status == LOOKUP_OK)
			*(l->secure && mx->secure ? &proven : &unproven) += 1;
		if (l->status == LOOKUP_BOGUS || l->status == LOOKUP_FAILED)
			note_why(p, l);
	}
	if (wanted > 0)
		return VERIFY_NEED;
	p->tlsa = bogus > 0                      ? "bogus"
		  : proven > 0 && proven == h->n ? "secure"
		  : unknown > 0                  ? "unknown"
		  : proven > 0                   ? "some"
		  : unproven > 0                 ? "insecure"
						 : "none";
	return VERIFY_DONE;
}

/* "v=STSv1;" and an id of 1 to 32 letters and digits (RFC 8461 3.1). */
static bool
is_record(const char *s, bool *valid)
{
	const char *id;
	size_t n = 0;

	if (strncmp(s, "v=STSv1", 7) != 0 || strchr("; \t", s[7]) == NULL)
		return false;
	id = s + 7 + strspn(s + 7, "; \t");
	while (strncmp(id, "id=", 3) != 0 && *id != '\0') {
		id += strcspn(id, ";");
		id += strspn(id, "; \t");
	}
	if (*id != '\0')
		while (isalnum((unsigned char)id[3 + n]))
			n++;
	*valid = n >= 1 && n <= 32 && strchr("; \t", id[3 + n]) != NULL;
	return true;
}

static void
read_sts(struct published *p, const struct lookup *l)
{
	unsigned n = 0;
	bool valid = false;

	if (l->status == LOOKUP_FAILED || l->status == LOOKUP_BOGUS) {
		p->sts = "unknown";
		note_why(p, l);
		return;
	}
	for (size_t i = 0; l->status == LOOKUP_OK && i < l->n; i++) {
		struct strbuf text = { 0 };
		if (lookup_txt(&text, &l->rdata[i]) == 0 && text.len > 0)
			n += is_record(text.s, &valid);
		strbuf_clear(&text);
	}
	p->sts = n == 0 ? "none" : n > 1 ? "several" : valid ? "record" : "invalid";
}

enum verify_step
published_look(const char *domain, struct lookups *book, struct published *p)
{
	const struct lookup *mx = lookup_get(book, domain, TYPE_MX), *sts;
	struct hosts hosts = { .n = 0 };
	char name[LOOKUP_NAME_SIZE + 16];
	enum verify_step step;

	memset(p, 0, sizeof *p);
	snprintf(name, sizeof name, "_mta-sts.%.*s", LOOKUP_NAME_SIZE, domain);
	sts = lookup_get(book, name, TYPE_TXT);
	if (mx->status == LOOKUP_WANTED)
		return VERIFY_NEED;
	if (mx->status == LOOKUP_BOGUS || mx->status == LOOKUP_FAILED)
		note_why(p, mx);
	read_hosts(&hosts, domain, mx);
	if (hosts.n > 0)
		snprintf(p->mx, sizeof p->mx, "%.255s", hosts.name[0]);
	step = look_tlsa(p, &hosts, mx, book);
	if (step == VERIFY_NEED || sts->status == LOOKUP_WANTED)
		return VERIFY_NEED;
	read_sts(p, sts);
	return VERIFY_DONE;
}
