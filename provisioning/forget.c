/* forget.c - see forget.h. */
#include "provisioning/forget.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/journal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "provisioning/optout.h"

#define BLOCK   (1u << 20)
#define OVERLAP (2 * OPTOUT_TEXT_MAX * 6) /* escaped */

struct needle {
	char *text; /* lower case */
	size_t len;
	bool whole; /* an address: x@y.z is not in xx@y.z nor in x@y.zz */
	bool alias; /* the spelling of the one before it in events */
};
struct forget {
	const struct site *site;
	struct needle *needle;
	size_t n;
	char **conn; /* "NODE CONN" */
	size_t n_conn;
};

struct forget *
forget_new(const struct site *site)
{
	struct forget *f = xcalloc(1, sizeof *f);

	f->site = site;
	return f;
}

void
forget_free(struct forget *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++)
		free(f->needle[i].text);
	for (size_t i = 0; i < f->n_conn; i++)
		free(f->conn[i]);
	free(f->needle);
	free(f->conn);
	free(f);
}

static bool
add(struct forget *f, const char *text, bool whole, bool alias)
{
	char *lower = xstrdup(text);

	for (char *p = lower; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(f->needle[i].text, lower) == 0) {
			free(lower);
			return false;
		}
	}
	f->needle = xrealloc(f->needle, (f->n + 1) * sizeof *f->needle);
	f->needle[f->n++] = (struct needle){ lower, strlen(lower), whole, alias };
	return true;
}

void
forget_token(struct forget *f, const char *token)
{
	add(f, token, false, false);
}

static void
add_address(struct forget *f, const char *address, bool alias)
{
	struct strbuf escaped = { 0 };

	add(f, address, true, alias);
	for (const char *p = address; *p != '\0'; p++)
		strbuf_printf(
		    &escaped, (unsigned char)*p > 0x7e ? "\\u%04x" : "%c", (unsigned char)*p);
	if (strcmp(escaped.s, address) != 0)
		add(f, escaped.s, true, true);
	strbuf_clear(&escaped);
}

void
forget_address(struct forget *f, const char *address)
{
	const char *at = strrchr(address, '@');
	char *domain = NULL, *other;

	add_address(f, address, false);
	/* Journals have A-labels; events have what the sender said. */
	if (at != NULL && idn2_to_unicode_8z8z(at + 1, &domain, 0) == IDN2_OK &&
	    strcmp(domain, at + 1) != 0) {
		other = xasprintf("%.*s%s", (int)(at + 1 - address), address, domain);
		add_address(f, other, true);
		free(other);
	}
	idn2_free(domain);
}

const char *
forget_row(const struct forget *f, size_t i)
{
	for (size_t k = 0; k < f->n; k++)
		if (!f->needle[k].alias && i-- == 0)
			return f->needle[k].text;
	return NULL;
}

/* --- does it stand there? ------------------------------------------------------------------------------------- */

static bool
goes_on(unsigned char c, const char *more)
{
	return isalnum(c) || c >= 0x80 || (c != '\0' && strchr(more, c) != NULL);
}

static bool
stands_whole(const char *text, size_t len, const char *at, size_t n)
{
	const char *after = at + n, *end = text + len;

	if (at > text && goes_on((unsigned char)at[-1], "!#$%&'*+-/=?^_`{|}~."))
		return false;
	if (after < end && *after == '.')
		return after + 1 == end || !goes_on((unsigned char)after[1], "-_");
	return after == end || !goes_on((unsigned char)*after, "-_");
}

/* In text that is lower case. */
static bool
names_lower(const struct forget *f, const char *text, size_t len)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct needle *n = &f->needle[i];
		const char *p = text;

		while ((p = memmem(p, len - (size_t)(p - text), n->text, n->len)) != NULL) {
			if (!n->whole || stands_whole(text, len, p, n->len))
				return true;
			p++;
		}
	}
	return false;
}

bool
forget_names(const struct forget *f, const char *text, size_t len)
{
	char *lower = xmalloc(len + 1);
	bool found;

	for (size_t i = 0; i < len; i++)
		lower[i] = (char)tolower((unsigned char)text[i]);
	found = names_lower(f, lower, len);
	free(lower);
	return found;
}

/* --- lines ---------------------------------------------------------------------------------------------------- */

/* The value of a key of a flat object, as it stands there; "" if it has none. */
static void
value_of(char *dst, size_t dstlen, const char *line, size_t len, const char *key)
{
	char name[32];
	int n = snprintf(name, sizeof name, "\"%s\":\"", key);
	const char *p = memmem(line, len, name, (size_t)n);
	size_t i = 0;

	if (p != NULL)
		for (p += n; p < line + len && *p != '"' && i + 1 < dstlen; p++)
			dst[i++] = *p;
	dst[i] = '\0';
}

static bool
connection_of(char dst[256], const char *line, size_t len)
{
	char node[64], conn[128];

	value_of(node, sizeof node, line, len, "node");
	value_of(conn, sizeof conn, line, len, "conn");
	snprintf(dst, 256, "%s %s", node, conn);
	return conn[0] != '\0';
}

static bool
has_connection(const struct forget *f, const char *conn)
{
	for (size_t i = 0; i < f->n_conn; i++)
		if (strcmp(f->conn[i], conn) == 0)
			return true;
	return false;
}

/* What belongs to a participant: what names it, and the lines of its connections from before they were bound. */
static bool
is_of(void *ctx, const char *line, size_t len)
{
	const struct forget *f = ctx;
	char conn[256], token[TOKEN_LEN + 2];

	if (forget_names(f, line, len))
		return true;
	if (f->n_conn == 0 || !connection_of(conn, line, len) || !has_connection(f, conn))
		return false;
	value_of(token, sizeof token, line, len, "token");
	return token[0] == '\0';
}

/* --- folders -------------------------------------------------------------------------------------------------- */

static int
each_file(const struct forget *f, const char *sub,
    int (*file)(void *ctx, const char *path, const char *name), void *ctx)
{
	char dir[512], path[1024];
	struct dirent **names = NULL;
	int n, rc = 0;

	site_path(dir, f->site, "", sub);
	if ((n = scandir(dir, &names, NULL, alphasort)) < 0) {
		if (errno == ENOENT)
			return 0;
		log_warn("%s: %s: run as root or as the owner of the site", dir, strerror(errno));
		return -1;
	}
	for (int i = 0; i < n; i++) {
		size_t len = strlen(names[i]->d_name);

		if (rc == 0 && names[i]->d_name[0] != '.' && len > 6 &&
		    strcmp(names[i]->d_name + len - 6, ".jsonl") == 0) {
			snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
			rc = file(ctx, path, names[i]->d_name);
		}
		free(names[i]);
	}
	free(names);
	return rc;
}

static int
look_line(void *ctx, const char *line, size_t len)
{
	struct forget *f = ctx;
	char token[TOKEN_LEN + 2];
	struct token t;

	if (!forget_names(f, line, len))
		return 0;
	value_of(token, sizeof token, line, len, "token");
	if (strlen(token) == TOKEN_LEN && token_decode(&t, token))
		forget_token(f, t.text);
	return 0;
}

static int
connections_line(void *ctx, const char *line, size_t len)
{
	struct forget *f = ctx;
	char conn[256];

	if (!forget_names(f, line, len) || !connection_of(conn, line, len) ||
	    has_connection(f, conn))
		return 0;
	f->conn = xgrow(f->conn, f->n_conn, sizeof *f->conn);
	f->conn[f->n_conn++] = xstrdup(conn);
	return 0;
}

static int
look_file(void *ctx, const char *path, const char *name)
{
	(void)name;
	return journal_read(path, look_line, ctx);
}

static int
connections_file(void *ctx, const char *path, const char *name)
{
	(void)name;
	return journal_read(path, connections_line, ctx);
}

int
forget_look(struct forget *f)
{
	return each_file(f, "state", look_file, f) == 0 && each_file(f, "log", look_file, f) == 0 &&
		       each_file(f, "log", connections_file, f) == 0
		   ? 0
		   : -1;
}

/* --- taking out ----------------------------------------------------------------------------------------------- */

struct work {
	const struct forget *f;
	struct forgotten *done;
	int (*cut)(void *, const char *, uint64_t);
	void *ctx;
};

static int
state_file(void *ctx, const char *path, const char *name)
{
	struct work *w = ctx;
	uint64_t dropped;

	if (strcmp(name, OPTOUT_FILE) == 0)
		return 0;
	w->done->files++;
	if (journal_rewrite(path, true, is_of, (void *)(uintptr_t)w->f, &dropped) != 0)
		return -1;
	w->done->lines += dropped;
	return 0;
}

int
forget_state(const struct forget *f, struct forgotten *done)
{
	struct work w = { .f = f, .done = done };

	return each_file(f, "state", state_file, &w);
}

static int
stop_at_first(void *ctx, const char *line, size_t len)
{
	return is_of(ctx, line, len) ? 1 : 0;
}

static int
log_file(void *ctx, const char *path, const char *name)
{
	struct work *w = ctx;
	uint64_t dropped;
	struct stat sb;
	int rc = journal_rewrite(path, false, is_of, (void *)(uintptr_t)w->f, &dropped);

	w->done->files++;
	if (rc > 0) {
		int named = journal_read(path, stop_at_first, (void *)(uintptr_t)w->f);

		w->done->busy += named > 0;
		return named < 0 ? -1 : 0;
	}
	if (rc < 0)
		return -1;
	w->done->lines += dropped;
	if (w->cut == NULL || stat(path, &sb) != 0)
		return 0;
	return w->cut(w->ctx, name, (uint64_t)sb.st_size);
}

int
forget_logs(const struct forget *f, struct forgotten *done,
    int (*cut)(void *, const char *, uint64_t), void *ctx)
{
	struct work w = { .f = f, .done = done, .cut = cut, .ctx = ctx };

	return each_file(f, "log", log_file, &w);
}

/* --- is something left? --------------------------------------------------------------------------------------- */

/* 1 it stands there, 0 not, -1 unreadable. */
static int
look_through(const struct forget *f, const char *path, uint64_t *octets)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), found = 0;
	char *block = xmalloc(BLOCK + OVERLAP);
	size_t kept = 0;
	ssize_t n = -1;

	while (fd >= 0 && found == 0 && (n = read(fd, block + kept, BLOCK)) > 0) {
		size_t len = kept + (size_t)n;

		found = forget_names(f, block, len);
		*octets += (uint64_t)n;
		kept = len < OVERLAP ? len : OVERLAP;
		memmove(block, block + len - kept, kept);
	}
	free(block);
	if (fd >= 0)
		close(fd);
	return n < 0 && errno != ENOENT ? -1 : found;
}

int
forget_prove(
    const struct forget *f, struct forget_proof *p, void (*found)(void *, const char *), void *ctx)
{
	char *const roots[] = { (char *)(uintptr_t)f->site->dir, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	int rc = tree != NULL ? 0 : -1;
	FTSENT *e;

	while (tree != NULL && (e = fts_read(tree)) != NULL) {
		int named;

		if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR)
			rc = -1;
		if (e->fts_info != FTS_F)
			continue;
		p->files++;
		if ((named = look_through(f, e->fts_path, &p->octets)) < 0) {
			log_warn("%s: %s: it could not be looked at", e->fts_path, strerror(errno));
			rc = -1;
		} else if (named > 0) {
			p->left++;
			found(ctx, e->fts_path);
		}
	}
	if (tree != NULL)
		fts_close(tree);
	return rc;
}
