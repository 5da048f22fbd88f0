/* answers.c - see answers.h. */
#include "outpost/answers.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"
#include "lib/text.h"

#define ALIASES_MAX 16
#define RECORDS_MAX 512 /* of one answer */
#define TYPE_CNAME  5

struct row {
	char *name; /* lower case, no final dot */
	uint16_t type;
	enum lookup_status status; /* LOOKUP_OK: a record; LOOKUP_WANTED: "secure" */
	char *why;
	uint8_t *data;
	size_t len;
};
struct answers {
	struct row *row;
	size_t n;
};

static char *
lower_name(const char *text)
{
	size_t len = strlen(text);
	char *name = xstrdup(text);

	for (char *p = name; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	if (len > 1 && name[len - 1] == '.')
		name[len - 1] = '\0';
	return name;
}

static int
read_record(struct row *row, const struct text_line *line, struct text_reader *t)
{
	ldns_rr *rr = NULL;
	ldns_buffer *wire = ldns_buffer_new(LDNS_MAX_PACKETLEN);
	ldns_status rc = ldns_rr_new_frm_str(&rr, line->raw, 0, NULL, NULL);

	if (rc == LDNS_STATUS_OK)
		rc = ldns_rr_rdata2buffer_wire(wire, rr);
	if (rc == LDNS_STATUS_OK) {
		row->status = LOOKUP_OK;
		row->len = ldns_buffer_position(wire);
		row->data = xmalloc(row->len > 0 ? row->len : 1);
		memcpy(row->data, ldns_buffer_begin(wire), row->len);
	}
	ldns_buffer_free(wire);
	ldns_rr_free(rr);
	return rc == LDNS_STATUS_OK ? 0
				    : text_fail(t, "%s: not a record: %s", line->word[0],
					  ldns_get_errorstr_by_id(rc));
}

static int
read_row(struct row *row, const struct text_line *line, struct text_reader *t)
{
	unsigned type = 0, at = 1;

	if (line->n == 2 && strcmp(line->word[0], "secure") == 0) {
		row->name = lower_name(line->word[1]);
		row->status = LOOKUP_WANTED;
		return 0;
	}
	row->name = lower_name(line->word[0]);
	while (at < line->n && (strcasecmp(line->word[at], "IN") == 0 ||
				   strspn(line->word[at], "0123456789") == strlen(line->word[at])))
		at++; /* as dig prints it */
	if (at + 1 < line->n)
		type = ldns_get_rr_type_by_name(line->word[at++]);
	if (type == 0)
		return text_fail(t, "%s: wanted NAME TYPE DATA, or secure NAME", line->word[0]);
	row->type = (uint16_t)type;
	if (strcmp(line->word[at], "=failed") == 0)
		row->status = LOOKUP_FAILED;
	else if (strcmp(line->word[at], "=bogus") == 0)
		row->status = LOOKUP_BOGUS;
	else
		return read_record(row, line, t);
	row->why = xstrdup(line->n > at + 1 ? line->word[at + 1] : "no answer");
	return 0;
}

struct answers *
answers_load(const char *path, char *err, size_t errlen)
{
	struct text_reader *t = text_open(path, err, errlen);
	struct answers *a = xcalloc(1, sizeof(*a));
	struct text_line line;
	int rc = t == NULL ? -1 : 0;

	while (rc == 0 && (rc = text_next(t, &line)) == 1) {
		a->row = xrealloc(a->row, (a->n + 1) * sizeof(*a->row));
		memset(&a->row[a->n], 0, sizeof(*a->row));
		rc = line.section ? text_fail(t, "no sections here")
				  : read_row(&a->row[a->n], &line, t);
		a->n++;
	}
	if (rc != 0 && t != NULL)
		snprintf(err, errlen, "%s", text_error(t));
	text_close(t);
	if (rc == 0)
		return a;
	answers_free(a);
	return NULL;
}

void
answers_free(struct answers *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->n; i++) {
		free(a->row[i].name);
		free(a->row[i].why);
		free(a->row[i].data);
	}
	free(a->row);
	free(a);
}

static bool
at_or_under(const char *name, const char *above)
{
	size_t n = strlen(name), m = strlen(above);

	return strcmp(above, ".") == 0 ||
	       (n >= m && strcmp(name + n - m, above) == 0 && (n == m || name[n - m - 1] == '.'));
}

/* The answer to one question at a name; the name that an alias points to in *alias, "" if to none. */
static enum lookup_status
find(const struct answers *a, const char *name, uint16_t type, struct lookup_rdata *rdata,
    size_t *n, const char **why, char alias[LOOKUP_NAME_SIZE])
{
	enum lookup_status status = LOOKUP_NXDOMAIN;

	alias[0] = '\0';
	for (size_t i = 0; i < a->n; i++) {
		const struct row *row = &a->row[i];

		if (row->status == LOOKUP_WANTED || !at_or_under(row->name, name))
			continue;
		if (status == LOOKUP_NXDOMAIN)
			status = LOOKUP_NODATA;
		if (strcmp(row->name, name) != 0)
			continue;
		if (row->type == TYPE_CNAME && type != TYPE_CNAME && row->status == LOOKUP_OK) {
			char *lower;

			lookup_name(alias, row->data, row->len);
			lower = lower_name(alias);
			memcpy(alias, lower, strlen(lower) + 1);
			free(lower);
		}
		if (row->type != type)
			continue;
		status = row->status;
		*why = row->why;
		if (status != LOOKUP_OK)
			break;
		if (*n < RECORDS_MAX)
			rdata[(*n)++] = (struct lookup_rdata){ row->data, (uint16_t)row->len };
	}
	return status;
}

static bool
is_secure(const struct answers *a, const char *name)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->row[i].status == LOOKUP_WANTED && at_or_under(name, a->row[i].name))
			return true;
	return false;
}

static void
answer(const struct answers *a, struct lookups *book, const struct lookup *l)
{
	struct lookup_rdata rdata[RECORDS_MAX];
	char name[LOOKUP_NAME_SIZE], alias[LOOKUP_NAME_SIZE];
	enum lookup_status status;
	const char *why = NULL;
	bool secure = true;
	size_t n = 0;

	snprintf(name, sizeof(name), "%s", l->name);
	for (unsigned k = 0;; k++) {
		secure &= is_secure(a, name);
		status = find(a, name, l->type, rdata, &n, &why, alias);
		if (alias[0] == '\0')
			break;
		if (k == ALIASES_MAX) {
			status = LOOKUP_FAILED;
			why = "too many aliases";
			break;
		}
		snprintf(name, sizeof(name), "%s", alias);
	}
	lookup_put(book, l->name, l->type, status, secure && status != LOOKUP_BOGUS, why, rdata, n);
}

void
answers_put(const struct answers *a, struct lookups *book)
{
	const struct lookup *l;
	size_t iter = 0;

	while ((l = lookup_wanted(book, &iter)) != NULL)
		answer(a, book, l);
}
