/* catalogue.c - loads all tests of a directory and checks what spans files. */
#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"
#include "zones/catalogue.h"

static const char *const named_sets[] = { "quick", "standard" };

struct loading {
	struct catalogue *c;
	char *err;
	size_t errlen;
};

static int fail(struct loading *, const struct test *, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int
fail(struct loading *l, const struct test *t, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(l->err, l->errlen, "%s:1: ", t->path);

	if (n < 0 || (size_t)n >= l->errlen)
		return -1;
	va_start(ap, fmt);
	vsnprintf(l->err + n, l->errlen - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

/* --- files ------------------------------------------------------------------------------------- */
static int
is_test_file(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 5 && d->d_name[0] != '.' && strcmp(d->d_name + len - 5, ".test") == 0;
}

/* Adds name and content of the file to the digest. */
static int
digest_file(EVP_MD_CTX *md, const char *path, const char *name, char *err, size_t errlen)
{
	FILE *f = fopen(path, "re");
	char buf[8192];
	size_t n;
	int rc;

	if (f == NULL) {
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
		return -1;
	}
	EVP_DigestUpdate(md, name, strlen(name) + 1);
	while ((n = fread(buf, 1, sizeof buf, f)) > 0)
		EVP_DigestUpdate(md, buf, n);
	rc = ferror(f) ? -1 : 0;
	if (rc != 0)
		snprintf(err, errlen, "%s: cannot be read", path);
	fclose(f);
	return rc;
}

static void
digest_text(EVP_MD_CTX *md, char dst[65])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	EVP_DigestFinal_ex(md, sum, &len);
	for (unsigned i = 0; i < 32; i++)
		snprintf(dst + 2 * i, 3, "%02x", sum[i]);
}

static int
load_files(struct loading *l, const char *dir, struct dirent **file, int n)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct catalogue *c = l->c;
	int rc = 0;

	EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	c->tests = xcalloc((size_t)n + 1, sizeof *c->tests);
	c->by_name = xcalloc((size_t)n + 1, sizeof *c->by_name);
	for (int i = 0; i < n && rc == 0; i++) {
		char *path = xasprintf("%s/%s", dir, file[i]->d_name);
		struct test *t = test_load(path, l->err, l->errlen);
		if (t != NULL)
			c->tests[c->n++] = t;
		rc = t == NULL ? -1 : digest_file(md, path, file[i]->d_name, l->err, l->errlen);
		free(path);
	}
	digest_text(md, c->digest);
	EVP_MD_CTX_free(md);
	return rc;
}

static int
compare_number(const void *a, const void *b)
{
	const struct test *x = *(struct test *const *)a, *y = *(struct test *const *)b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int
compare_name(const void *a, const void *b)
{
	const struct test *x = *(struct test *const *)a, *y = *(struct test *const *)b;

	return strcmp(x->name, y->name);
}

/* --- what a test needs beside it ---------------------------------------------------------------- */
struct needs {
	const struct test *test[64];
	const char *why[64];
	unsigned n;
};

static int
need(struct loading *l, struct needs *d, const struct test *t, const char *why, const char *name)
{
	const struct test *other = catalogue_find(l->c, name, strlen(name));

	if (other == NULL)
		return fail(l, t, "%s %s: there is no such test", why, name);
	if (d->n < sizeof d->test / sizeof d->test[0] && other != t) {
		d->why[d->n] = why;
		d->test[d->n++] = other;
	}
	return 0;
}

static int
need_predicate(struct loading *l, struct needs *d, const struct test *t, const struct predicate *p)
{
	if (p->kind == P_TRAIT) {
		const struct test *source = catalogue_trait(l->c, p->name[0], NULL);
		if (source == NULL)
			return fail(l, t, "trait %s: no test tells it", p->name[0]);
		return need(l, d, t, "trait", source->name);
	}
	for (unsigned i = 0; p->kind == P_CONTROL_ANY && i < p->n_names; i++)
		if (need(l, d, t, "control any", p->name[i]) != 0)
			return -1;
	return 0;
}

/* Its name server must share no IPv4 address, and a site may have none left. */
static bool
dns_may_be_v6(const struct test *t)
{
	return t->zone[0].own_address || t->zone[1].own_address;
}

static int
needs_of(struct loading *l, struct needs *d, const struct test *t)
{
	d->n = 0;
	for (unsigned i = 0; i < t->n_control; i++)
		if (need(l, d, t, "control", t->control[i]) != 0)
			return -1;
	for (unsigned i = 0; i < t->n_contrast; i++)
		if (need(l, d, t, "contrast", t->contrast[i]) != 0)
			return -1;
	for (unsigned i = 0; i < t->n_graded_on; i++) {
		const struct test *on;
		if (need(l, d, t, "graded on", t->graded_on[i]) != 0)
			return -1;
		on = catalogue_find(l->c, t->graded_on[i], strlen(t->graded_on[i]));
		if (on->n_graded_on > 0)
			return fail(l, t, "graded on %s: which gets no mail itself", on->name);
	}
	if (dns_may_be_v6(t) && catalogue_trait(l->c, "ipv6-dns", NULL) != NULL &&
	    need(l, d, t, "control", catalogue_trait(l->c, "ipv6-dns", NULL)->name) != 0)
		return -1;
	for (size_t i = 0; i < t->n_verdicts; i++)
		for (size_t k = 0; k < t->verdicts[i].n; k++)
			if (need_predicate(l, d, t, &t->verdicts[i].all[k]) != 0)
				return -1;
	return 0;
}

/* Controls must lead to a test without one. */
static int
check_chain(struct loading *l, const struct test *t, const struct test *at, unsigned depth)
{
	if (depth > 8)
		return fail(l, t,
		    "control %s: the controls lead in a circle, or further than eight tests",
		    t->control[0]);
	for (unsigned i = 0; i < at->n_control; i++)
		if (check_chain(l, t, catalogue_find(l->c, at->control[i], strlen(at->control[i])),
			depth + 1) != 0)
			return -1;
	return 0;
}

/* --- sets -------------------------------------------------------------------------------------- */
static bool
is_in(const struct test *t, const char *set, size_t len)
{
	for (size_t i = 0; i < t->n_in_sets; i++)
		if (strncmp(t->in_sets[i], set, len) == 0 && t->in_sets[i][len] == '\0')
			return true;
	return false;
}

bool
catalogue_in_set(const struct test *t, const char *set)
{
	for (const char *p = set;; p++) {
		size_t len = strcspn(p, ",");
		if (is_in(t, p, len))
			return true;
		p += len;
		if (*p == '\0')
			return false;
	}
}

bool
catalogue_is_outgoing(const struct catalogue *c, const struct test *t)
{
	if (t->n_graded_on > 0)
		t = catalogue_find(c, t->graded_on[0], strlen(t->graded_on[0]));
	return t != NULL && t->unmailed;
}

static void
add_set(struct test *t, const char *set)
{
	if (catalogue_in_set(t, set))
		return;
	t->in_sets = xrealloc(t->in_sets, (t->n_in_sets + 1) * sizeof *t->in_sets);
	t->in_sets[t->n_in_sets++] = xstrdup(set);
}

static bool
says_set(const struct test *t, const char *set)
{
	for (unsigned i = 0; i < t->n_sets; i++)
		if (strcmp(t->sets[i], set) == 0)
			return true;
	return false;
}

/* Puts t and all that it needs into the set. */
static int
close_set(struct loading *l, struct test *t, const char *set)
{
	struct needs d;

	if (catalogue_in_set(t, set))
		return 0;
	add_set(t, set);
	if (needs_of(l, &d, t) != 0)
		return -1;
	for (unsigned i = 0; i < d.n; i++)
		if (close_set(l, l->c->by_number[d.test[i]->number], set) != 0)
			return -1;
	return 0;
}

static int
check_sets(struct loading *l)
{
	struct catalogue *c = l->c;
	struct needs d;

	for (size_t i = 0; i < c->n; i++) {
		struct test *t = c->tests[i];
		if (needs_of(l, &d, t) != 0 || check_chain(l, t, t, 0) != 0)
			return -1;
		for (unsigned s = 0; s < 2; s++)
			for (unsigned k = 0; says_set(t, named_sets[s]) && k < d.n; k++)
				if (!says_set(d.test[k], named_sets[s]))
					return fail(l, t,
					    "set %s: holds %s but not %s, which it needs as %s",
					    named_sets[s], t->name, d.test[k]->name, d.why[k]);
	}
	for (size_t i = 0; i < c->n; i++) {
		struct test *t = c->tests[i];
		add_set(t, "full");
		for (unsigned k = 0; k < t->n_sets; k++)
			add_set(t, t->sets[k]);
	}
	for (size_t i = 0; i < c->n; i++)
		if (close_set(l, c->tests[i], c->tests[i]->group) != 0 ||
		    close_set(l, c->tests[i], c->tests[i]->name) != 0)
			return -1;
	return 0;
}

static int
check_names(struct loading *l)
{
	struct catalogue *c = l->c;

	for (size_t i = 0; i < c->n; i++) {
		struct test *t = c->tests[i];
		if (c->by_number[t->number] != NULL)
			return fail(l, t, "number %u: %s has it already", t->number,
			    c->by_number[t->number]->path);
		c->by_number[t->number] = t;
		if (i + 1 < c->n && strcmp(c->by_name[i]->name, c->by_name[i + 1]->name) == 0)
			return fail(l, c->by_name[i + 1], "test %s: %s has this name already",
			    c->by_name[i]->name, c->by_name[i]->path);
		if (strcmp(t->name, "full") == 0 || strcmp(t->name, "quick") == 0 ||
		    strcmp(t->name, "standard") == 0)
			return fail(l, t, "test %s: that is the name of a set", t->name);
		for (size_t k = 0; k < c->n; k++)
			if (strcmp(t->name, c->tests[k]->group) == 0)
				return fail(l, t, "test %s: that is the name of a group", t->name);
		for (unsigned k = 0; k < t->n_traits; k++)
			if (catalogue_trait(c, t->trait[k].name, NULL) != t)
				return fail(l, t, "trait %s: %s tells it already", t->trait[k].name,
				    catalogue_trait(c, t->trait[k].name, NULL)->path);
	}
	return 0;
}

/* --- the catalogue ------------------------------------------------------------------------------ */
struct catalogue *
catalogue_load(const char *dir, char *err, size_t errlen)
{
	struct loading l = { xcalloc(1, sizeof *l.c), err, errlen };
	struct dirent **file = NULL;
	int n = scandir(dir, &file, is_test_file, alphasort), rc = -1;

	if (n < 0)
		snprintf(err, errlen, "%s: %s", dir, strerror(errno));
	else if (n == 0)
		snprintf(err, errlen, "%s: holds no *.test", dir);
	else
		rc = load_files(&l, dir, file, n);
	for (int i = 0; i < n; i++)
		free(file[i]);
	free(file);
	if (rc == 0) {
		memcpy(l.c->by_name, l.c->tests, l.c->n * sizeof *l.c->tests);
		qsort(l.c->tests, l.c->n, sizeof *l.c->tests, compare_number);
		qsort(l.c->by_name, l.c->n, sizeof *l.c->by_name, compare_name);
		rc = check_names(&l) != 0 || check_sets(&l) != 0 ? -1 : 0;
	}
	if (rc != 0) {
		catalogue_free(l.c);
		return NULL;
	}
	return l.c;
}

void
catalogue_free(struct catalogue *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++)
		test_free(c->tests[i]);
	free(c->tests);
	free(c->by_name);
	free(c);
}

const struct test *
catalogue_find(const struct catalogue *c, const char *name, size_t len)
{
	size_t low = 0, high = c->n;

	if (len == 0 || len > TEST_NAME_MAX)
		return NULL;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const char *at = c->by_name[mid]->name;
		int d = strncasecmp(name, at, len);
		if (d == 0 && at[len] != '\0')
			d = -1;
		if (d == 0)
			return c->by_name[mid];
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct test *
catalogue_trait(const struct catalogue *c, const char *trait, enum outcome *when)
{
	for (size_t i = 0; i < c->n; i++)
		for (unsigned k = 0; k < c->tests[i]->n_traits; k++)
			if (strcmp(c->tests[i]->trait[k].name, trait) == 0) {
				if (when != NULL)
					*when = c->tests[i]->trait[k].when;
				return c->tests[i];
			}
	return NULL;
}

bool
catalogue_set_exists(const struct catalogue *c, const char *set)
{
	for (const char *p = set;; p++) {
		size_t len = strcspn(p, ","), i = 0;
		while (i < c->n && !is_in(c->tests[i], p, len))
			i++;
		if (i == c->n)
			return false;
		p += len;
		if (*p == '\0')
			return true;
	}
}
