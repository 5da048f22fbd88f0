/* apikeys.c - see apikeys.h. */
#include "provisioning/apikeys.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/journal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"

#define PREFIX     "outpost_"
#define SECRET_LEN 32

static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

struct apikeys {
	char path[512];
	uint64_t offset;
	ino_t inode;
	struct apikey *row;
	size_t n;
};

static struct apikey *
find(const struct apikeys *all, const char *id, size_t len)
{
	for (size_t i = 0; i < all->n; i++)
		if (len == APIKEY_ID_LEN && memcmp(all->row[i].id, id, len) == 0)
			return &all->row[i];
	return NULL;
}

static bool
is_id(const char *id)
{
	return id != NULL && strlen(id) == APIKEY_ID_LEN && strspn(id, digits) == APIKEY_ID_LEN;
}

static bool
read_hash(uint8_t dst[32], const char *hex)
{
	if (hex == NULL || strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64)
		return false;
	for (size_t i = 0; i < 32; i++) {
		unsigned octet;

		sscanf(hex + 2 * i, "%2x", &octet);
		dst[i] = (uint8_t)octet;
	}
	return true;
}

static bool
read_line(struct apikeys *all, const struct json *o)
{
	const char *id = json_string(o, "id"), *label = json_string(o, "label"),
		   *t = json_string(o, "t");
	const struct json *revoked = json_get(o, "revoked");
	struct apikey k = { .limit = (unsigned)json_int(o, "limit", 0) };
	struct apikey *have;

	if (!is_id(id))
		return false;
	if (revoked != NULL && revoked->type == JSON_BOOL && revoked->boolean) {
		/* One that is not there any more (outpost forget) is revoked already. */
		if ((have = find(all, id, strlen(id))) != NULL)
			have->revoked = true;
		return true;
	}
	if (!read_hash(k.hash, json_string(o, "hash")) || t == NULL ||
	    clock_parse(&k.t_us, t, strlen(t)) != 0)
		return false;
	snprintf(k.id, sizeof k.id, "%s", id);
	snprintf(k.label, sizeof k.label, "%s", label != NULL ? label : "");
	all->row = xgrow(all->row, all->n, sizeof *all->row);
	all->row[all->n++] = k;
	return true;
}

static int
on_line(void *ctx, const char *line, size_t len)
{
	struct apikeys *all = ctx;
	char err[128];
	struct json_doc *doc = json_parse(line, len, err, sizeof err);
	bool good = doc != NULL && read_line(all, json_root(doc));

	if (!good)
		journal_complain(doc == NULL ? err : "not of a key",
		    "no key is good until the line is mended or taken out");
	json_free(doc);
	return good ? 0 : -1; /* it may be a revocation */
}

int
apikeys_refresh(struct apikeys *all)
{
	struct stat sb;

	if (stat(all->path, &sb) != 0)
		memset(&sb, 0, sizeof sb); /* none yet, or unreadable: journal_follow says so */
	if (sb.st_ino != all->inode || (uint64_t)sb.st_size < all->offset) {
		all->n = 0;
		all->offset = 0;
		free(all->row);
		all->row = NULL;
	}
	all->inode = sb.st_ino;
	return journal_follow(all->path, &all->offset, on_line, all);
}

struct apikeys *
apikeys_open(const struct site *site)
{
	struct apikeys *all = xcalloc(1, sizeof *all);

	site_path(all->path, site, "state", APIKEYS_FILE);
	if (apikeys_refresh(all) == 0)
		return all;
	apikeys_close(all);
	return NULL;
}

void
apikeys_close(struct apikeys *all)
{
	if (all == NULL)
		return;
	free(all->row);
	free(all);
}

size_t
apikeys_number(const struct apikeys *all)
{
	return all->n;
}

const struct apikey *
apikeys_row(const struct apikeys *all, size_t i)
{
	return &all->row[i];
}

static int
append(struct apikeys *all, struct strbuf *line)
{
	int rc = journal_append(all->path, line->s, line->len);

	strbuf_clear(line);
	return rc == 0 ? apikeys_refresh(all) : -1;
}

int
apikeys_add(struct apikeys *all, char text[APIKEY_TEXT_MAX], const char *label, unsigned limit,
    int64_t now_us)
{
	uint8_t random[APIKEY_ID_LEN + SECRET_LEN], hash[32];
	char word[APIKEY_ID_LEN + SECRET_LEN + 1], hex[2 * sizeof hash + 1];
	struct strbuf line = { 0 };

	if (RAND_bytes(random, sizeof random) != 1) {
		log_warn("key: no randomness: check the OpenSSL installation");
		return -1;
	}
	for (size_t i = 0; i < sizeof random; i++)
		word[i] = digits[random[i] & 31];
	word[sizeof random] = '\0';
	snprintf(text, APIKEY_TEXT_MAX, PREFIX "%.8s_%.32s", word, word + APIKEY_ID_LEN);
	SHA256((const uint8_t *)text, strlen(text), hash);
	word[APIKEY_ID_LEN] = '\0';
	for (size_t i = 0; i < sizeof hash; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	json_begin(&line, NULL, '{');
	json_put_time(&line, "t", now_us);
	json_put(&line, "id", word);
	json_put(&line, "hash", hex);
	json_put_num(&line, "limit", limit);
	json_put(&line, "label", label);
	json_end(&line, '}');
	return append(all, &line);
}

int
apikeys_revoke(struct apikeys *all, const char *id, int64_t now_us)
{
	const struct apikey *k = find(all, id, strlen(id));
	struct strbuf line = { 0 };

	if (k == NULL || k->revoked)
		return 1;
	json_begin(&line, NULL, '{');
	json_put_time(&line, "t", now_us);
	json_put(&line, "id", k->id);
	json_put_bool(&line, "revoked", true);
	json_end(&line, '}');
	return append(all, &line);
}

const struct apikey *
apikeys_check(const struct apikeys *all, const char *text)
{
	size_t head = sizeof PREFIX - 1;
	const struct apikey *k;
	uint8_t hash[32];

	if (strlen(text) != APIKEY_TEXT_MAX - 1 || memcmp(text, PREFIX, head) != 0)
		return NULL;
	k = find(all, text + head, APIKEY_ID_LEN);
	SHA256((const uint8_t *)text, strlen(text), hash);
	if (k == NULL || CRYPTO_memcmp(hash, k->hash, sizeof hash) != 0 || k->revoked)
		return NULL;
	return k;
}
