/* acted.c - see acted.h. */
#include "outpost/acted.h"

#include <string.h>
#include <strings.h>

#include "lib/json.h"

static bool
is_below(const char *from, const char *domain)
{
	const char *at = from != NULL ? strrchr(from, '@') : NULL;
	size_t len, want = strlen(domain);

	if (at == NULL || at == from || want == 0)
		return false;
	at++;
	len = strlen(at);
	return len >= want && strcasecmp(at + len - want, domain) == 0 &&
	       (len == want || at[len - want - 1] == '.');
}

/* RFC 3834 5: any value but "no". */
static bool
is_of_robot(const char *headers)
{
	static const char name[] = "Auto-Submitted:";

	for (const char *p = headers; p != NULL && *p != '\0';) {
		if (strncasecmp(p, name, sizeof name - 1) == 0) {
			p += sizeof name - 1;
			p += strspn(p, " \t");
			return strncasecmp(p, "no", 2) != 0 || strchr(" \t\r\n;(", p[2]) == NULL;
		}
		p = strchr(p, '\n');
		p += p != NULL;
	}
	return false;
}

void
acted_see(struct acted *a, const char *domain, const char *line, size_t len)
{
	char err[128];
	struct json_doc *doc;
	const struct json *o;

	a->bounced |= memmem(line, len, "\"ev\":\"smtp.dsn\"", 15) != NULL;
	if (memmem(line, len, "\"ev\":\"smtp.message\"", 19) == NULL)
		return;
	a->wrote = true;
	if (a->consented || (doc = json_parse(line, len, err, sizeof err)) == NULL)
		return;
	o = json_root(doc);
	a->consented = json_int(o, "reply", 0) == 250 && is_below(json_string(o, "from"), domain) &&
		       !is_of_robot(json_string(o, "headers"));
	json_free(doc);
}

struct reading {
	struct acted *acted;
	const char *domain;
};

static int
on_line(void *ctx, const char *line, size_t len)
{
	struct reading *r = ctx;

	acted_see(r->acted, r->domain, line, len);
	return r->acted->consented; /* nothing more is to be known */
}

int
acted_read(struct acted *a, struct store *store, const char *token, const char *address)
{
	const char *at = strrchr(address, '@');
	struct reading r = { .acted = a, .domain = at != NULL ? at + 1 : "" };

	memset(a, 0, sizeof *a);
	return store_events(store, token, on_line, &r) < 0 ? -1 : 0;
}
