/* basezone.c - see basezone.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "zones/basezone.h"
#include "zones/parse.h"
#include "zones/rdata.h"

static int
add_record(struct parse *p, const struct text_line *l, struct dns_record **all, size_t *n)
{
	struct dns_record r = { .line = l->number };
	struct template_name owner;
	unsigned long ttl;
	char why[200];

	if (l->n < 4)
		return parse_fail(
		    p, l->number, "record: must be written: %s", section_dns.line_usage);
	if (parse_name(p, l->number, l->word[0], 0, &owner) != 0 ||
	    parse_number(p, l->number, "ttl", l->word[1], 0, 604800, &ttl) != 0)
		return -1;
	if (owner.root != ROOT_ZONE)
		return parse_fail(
		    p, l->number, "%.60s: names in this file end in {zone}", l->word[0]);
	r.ttl = (uint32_t)ttl;
	r.type = rrtype_by_name(l->word[2]);
	if (r.type == 0)
		return parse_fail(p, l->number, "%.40s: no such record type", l->word[2]);
	if ((r.rdata = rdata_text(l, 3, r.type, why, sizeof why)) == NULL)
		return parse_fail(p, l->number, "%s", why);
	r.owner = xstrdup(l->word[0]);
	*all = parse_grow(*all, *n, sizeof r);
	(*all)[(*n)++] = r;
	return 0;
}

static bool
has(const struct dns_record *all, size_t n, uint16_t type)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].type == type && strcmp(all[i].owner, "{zone}") == 0)
			return true;
	return false;
}

static int
read_all(struct parse *p, struct basezone *b)
{
	struct text_line *l = xmalloc(sizeof *l);
	int section = -1, r, rc = -1;

	while ((r = text_next(p->reader, l)) == 1) {
		p->last_line = l->number;
		if (parse_plain(p, l) != 0)
			goto out;
		if (l->section) {
			static const char *const names[] = { "base", "test", NULL };
			if (l->n != 1) {
				parse_fail(p, l->number, "[]: must be [base] or [test]");
				goto out;
			}
			if ((section = parse_word(p, l->number, "section", names, l->word[0])) < 0)
				goto out;
		} else if (section < 0) {
			parse_fail(p, l->number,
			    "%.40s: a section [base] or [test] must stand before it", l->word[0]);
			goto out;
		} else if (section == 0 ? add_record(p, l, &b->base, &b->n_base) != 0
					: add_record(p, l, &b->test, &b->n_test) != 0) {
			goto out;
		}
	}
	if (r < 0) {
		p->failed = true;
		snprintf(p->err, p->errlen, "%s", text_error(p->reader));
		goto out;
	}
	if (!has(b->base, b->n_base, 6) || !has(b->base, b->n_base, 2))
		parse_fail(p, p->last_line, "[base]: {zone} needs an SOA and an NS record");
	else if (!has(b->test, b->n_test, 6) || !has(b->test, b->n_test, 2))
		parse_fail(p, p->last_line, "[test]: {zone} needs an SOA and an NS record");
	else
		rc = 0;
out:
	free(l);
	return rc;
}

static struct basezone *
from_reader(struct text_reader *reader, const char *name, char *err, size_t errlen)
{
	struct parse p = {
		.reader = reader, .name = name, .last_line = 1, .err = err, .errlen = errlen
	};
	struct basezone *b = xcalloc(1, sizeof *b);

	if (read_all(&p, b) != 0) {
		basezone_free(b);
		b = NULL;
	}
	text_close(reader);
	return b;
}

struct basezone *
basezone_load(const char *path, char *err, size_t errlen)
{
	struct text_reader *r = text_open(path, err, errlen);

	return r == NULL ? NULL : from_reader(r, path, err, errlen);
}

struct basezone *
basezone_parse(const char *name, const char *data, size_t len, char *err, size_t errlen)
{
	return from_reader(text_from(name, data, len), name, err, errlen);
}

static void
free_records(struct dns_record *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(r[i].owner);
		free(r[i].rdata);
	}
	free(r);
}

void
basezone_free(struct basezone *b)
{
	if (b == NULL)
		return;
	free_records(b->base, b->n_base);
	free_records(b->test, b->n_test);
	free(b);
}
