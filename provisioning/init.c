/* init.c - see init.h. */
#include "provisioning/init.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/hash.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "provisioning/address.h"
#include "provisioning/keys.h"
#include "provisioning/render.h"

#define NFTABLES_MARK  "# edited if this is not its digest: "
#define NFTABLES_MAX   65536
#define PUBLISH_DIGEST 2  /* SHA-256 */
#define OWN_ADDRESSES  6  /* name servers that share theirs with nobody... */
#define OWN_FROM       40 /* ...when so many addresses leave enough fronts */

/* --- outpost.conf ---------------------------------------------------------------------------------- */

static void
take(struct conf_list *dst, char *item)
{
	if (dst->n < CONF_LIST_MAX)
		dst->item[dst->n++] = item;
}

void
init_roles(struct site_conf *dst, const struct conf_list *ipv4)
{
	unsigned n = ipv4->n, used = n >= OWN_FROM ? 4 + OWN_ADDRESSES : 4;

	if (n == 0)
		return;
	take(&dst->ipv4_parent, ipv4->item[0]);
	take(&dst->ipv4_child, ipv4->item[n > 1 ? 1 : 0]);
	if (n > 2)
		take(&dst->ipv4_refused, ipv4->item[2]);
	if (n > 3)
		take(&dst->ipv4_silent, ipv4->item[3]);
	for (unsigned i = 4; i < used; i++)
		take(&dst->ipv4_child, ipv4->item[i]);
	/* Name servers are fronts as well only when there is nobody else. */
	for (unsigned i = n > 4 ? used : 0; i < (n > 4 ? n : n > 2 ? 2 : n); i++)
		take(&dst->ipv4_front, ipv4->item[i]);
}

static const struct conf_list *
role_list(const struct site_conf *c, const struct conf_row *row)
{
	return row->type == CONF_LIST ? (const struct conf_list *)((const char *)c + row->offset)
				      : NULL;
}

/* What the options say about a row; NULL: nothing. */
static const char *
option_of(char buf[32], const struct init_options *o, const char *key)
{
	const struct {
		const char *key, *text;
		unsigned number;
	} table[] = {
		{ "base", o->base, 0 },
		{ "ipv6", o->ipv6, 0 },
		{ "user", o->user, 0 },
		{ "catalogue", o->catalogue, 0 },
		{ "node", o->node, 0 },
		{ "pace", NULL, o->pace },
		{ "dns-port", NULL, o->dns_port },
		{ "smtp-port", NULL, o->smtp_port },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (strcmp(table[i].key, key) != 0)
			continue;
		if (table[i].number == 0)
			return table[i].text;
		snprintf(buf, 32, "%u", table[i].number);
		return buf;
	}
	return NULL;
}

static void
write_row(FILE *f, const struct conf_row *row, const struct init_options *o,
    const struct site_conf *roles)
{
	const struct conf_list *list = role_list(roles, row);
	const char *text;
	char buf[32];

	fprintf(f, "\n# %s.\n", row->about);
	if (list != NULL) {
		if (list->n == 0)
			fprintf(f, "#%s\n", row->key);
		for (unsigned i = 0; i < list->n; i++)
			fprintf(f, "%s%s%s", i % 8 == 0 ? row->key : "", i % 8 == 0 ? " " : "",
			    list->item[i]),
			    fputc(i % 8 == 7 || i + 1 == list->n ? '\n' : ' ', f);
		return;
	}
	text = option_of(buf, o, row->key);
	if (text != NULL)
		fprintf(f, text[0] != '\0' ? "%s %s\n" : "%s \"%s\"\n", row->key, text);
	else if (row->fallback != NULL && row->fallback[0] != '\0')
		fprintf(f, "#%s %s\n", row->key, row->fallback);
	else
		fprintf(f, "#%s \"\"\n", row->key);
}

/* The configuration file, each item with its description. */
static void
write_items(FILE *f, const struct init_options *o)
{
	struct site_conf roles;
	const struct conf_row *rows;
	size_t n;

	memset(&roles, 0, sizeof(roles));
	init_roles(&roles, &o->ipv4);
	rows = site_rows(&n);
	fprintf(f, "# Configuration of an Outpost site; outpost.conf(5).  A line that begins with "
		   "# shows a default.\n"
		   "# After a change: outpost init on this directory, then restart outpost run.\n");
	for (size_t i = 0; i < n; i++)
		write_row(f, &rows[i], o, &roles);
}

/* --- nftables.conf --------------------------------------------------------------------------------- */

/* PREFIX with the last octet. */
static void
prefix_text(char dst[INET6_ADDRSTRLEN], const struct site *site, unsigned last)
{
	struct in6_addr a = site->prefix;

	a.s6_addr[15] = (uint8_t)last;
	inet_ntop(AF_INET6, &a, dst, INET6_ADDRSTRLEN);
}

static void
nftables_list(FILE *f, const struct conf_list *list, const char *action)
{
	for (unsigned i = 0; i < list->n; i++)
		fprintf(f, "\t\tip daddr %s tcp dport 25 %s\n", list->item[i], action);
}

/* Rules that make addresses refuse or keep silent: two masks for the whole prefix, and the IPv4 addresses. */
static void
write_nftables(FILE *f, const struct site *site)
{
	char text[INET6_ADDRSTRLEN];

	prefix_text(text, site, 0);
	fprintf(f,
	    "#!/usr/sbin/nft -f\n# Addresses that refuse or keep silent.  Load with: nft -f "
	    "%s/nftables.conf\n",
	    site->dir);
	if (site->has_ipv6)
		fprintf(f, "# The measurement prefix itself: ip -6 route add local %s/64 dev lo\n",
		    text);
	fprintf(f,
	    "table inet outpost\ndelete table inet outpost\ntable inet outpost {\n\tchain input {\n"
	    "\t\ttype filter hook input priority filter; policy accept;\n");
	if (site->has_ipv6) {
		/* Slots 56-63 have the bits 0x38, slots 32-55 have 0x20 and not all of 0x38. */
		prefix_text(text, site, SLOT_SILENT);
		fprintf(f, "\t\tip6 daddr & ffff:ffff:ffff:ffff::38 == %s meta l4proto tcp drop\n",
		    text);
		prefix_text(text, site, SLOT_REFUSES);
		fprintf(f,
		    "\t\tip6 daddr & ffff:ffff:ffff:ffff::20 == %s meta l4proto tcp reject with "
		    "tcp reset\n",
		    text);
	}
	nftables_list(f, &site->conf.ipv4_silent, "drop");
	nftables_list(f, &site->conf.ipv4_refused, "reject with tcp reset");
	fprintf(f, "\t}\n}\n");
}

/* The file, with a last line by which it is known whether somebody has edited it. */
static char *
nftables_text(const struct site *site, size_t *len)
{
	static const uint8_t key[16];
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	if (f == NULL)
		return NULL;
	write_nftables(f, site);
	if (fflush(f) == 0)
		fprintf(f, NFTABLES_MARK "%016" PRIx64 "\n", hash_sip(key, text, *len));
	fclose(f);
	return text;
}

static bool
is_as_made(const char *text, size_t len)
{
	static const uint8_t key[16];
	const char *mark = strstr(text, NFTABLES_MARK);
	uint64_t digest;

	return mark != NULL && mark + sizeof(NFTABLES_MARK) - 1 + 16 + 1 == text + len &&
	       sscanf(mark, NFTABLES_MARK "%16" SCNx64, &digest) == 1 &&
	       hash_sip(key, text, (size_t)(mark - text)) == digest;
}

static char *
read_whole(const char *path, size_t *len)
{
	char *text = xcalloc(1, NFTABLES_MAX);
	FILE *f = fopen(path, "re");

	*len = f != NULL ? fread(text, 1, NFTABLES_MAX - 1, f) : 0;
	if (f != NULL)
		fclose(f);
	return text;
}

static int
write_text(FILE *f, void *ctx)
{
	return fputs(ctx, f) < 0 ? -1 : 0;
}

/* Made when it is not there, made anew when the configuration says something else now; what somebody has
 * edited is theirs. */
static int
put_nftables(const struct site *site)
{
	size_t len, have_len;
	char path[512], *text = nftables_text(site, &len), *have = NULL;
	int rc = -1;

	site_path(path, site, "", "nftables.conf");
	if (text == NULL)
		return -1;
	if (access(path, F_OK) == 0) {
		have = read_whole(path, &have_len);
		if (strcmp(have, text) == 0 || !is_as_made(have, have_len)) {
			rc = 0;
			goto out;
		}
		log_info("%s: made anew: load it", path);
		if (unlink(path) != 0)
			goto out;
	}
	rc = keys_create_file(path, 0644, write_text, text);
out:
	free(have);
	free(text);
	return rc;
}

/* --- what the parent publishes ----------------------------------------------------------------------- */

int
init_publish(FILE *f, const struct site *site)
{
	char ns6[ADDRESS_TEXT_MAX], ds[512], err[128];

	if (zone_key_ds_text(ds, sizeof(ds), &site->base_key, site->conf.base, PUBLISH_DIGEST) != 0)
		return -1;
	fprintf(f, "%s. 3600 IN NS ns.%s.\n", site->conf.base, site->conf.base);
	fprintf(f, "%s\n", ds);
	for (unsigned i = 0; i < site->conf.ipv4_parent.n; i++)
		fprintf(
		    f, "ns.%s. 3600 IN A %s\n", site->conf.base, site->conf.ipv4_parent.item[i]);
	if (render(ns6, sizeof(ns6), "{ns6}", site, NULL, 0, NULL, err, sizeof(err)) == RENDER_OK)
		fprintf(f, "ns.%s. 3600 IN AAAA %s\n", site->conf.base, ns6);
	return 0;
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static int
write_conf(FILE *f, void *ctx)
{
	write_items(f, ctx);
	return ferror(f) ? -1 : 0;
}

/* What a killed init left of its first file does not count. */
static bool
is_empty(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	bool empty = true;

	while (d != NULL && empty && (e = readdir(d)) != NULL)
		empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
			strncmp(e->d_name, "outpost.conf.new.", 17) == 0;
	if (d != NULL)
		closedir(d);
	return empty;
}

static int
write_first_conf(
    const char *dir, const char *path, const struct init_options *o, char *err, size_t errlen)
{
	if (o->base == NULL) {
		snprintf(
		    err, errlen, "%s: no site is here yet: give --base, --ipv4 or --ipv6", dir);
		return -1;
	}
	if (mkdir(dir, 0755) != 0 && errno != EEXIST) {
		snprintf(err, errlen, "%s: cannot make the directory: %s: %s", dir, strerror(errno),
		    errno == ENOENT ? "make the one above it" : log_advice(errno));
		return -1;
	}
	if (!is_empty(dir)) {
		snprintf(err, errlen, "%s: not empty, and no site: choose another directory", dir);
		return -1;
	}
	if (keys_create_file(path, 0644, write_conf, (void *)(uintptr_t)o) != 0) {
		snprintf(err, errlen, "%s: could not be written", path);
		return -1;
	}
	return 0;
}

static bool
same_list(const struct conf_list *a, const struct conf_list *b)
{
	bool same = a->n == b->n;

	for (unsigned i = 0; same && i < a->n; i++)
		same = strcmp(a->item[i], b->item[i]) == 0;
	return same;
}

/* An existing configuration is the operator's; options that contradict it are a mistake. */
static int
compare_conf(const struct site *site, const struct init_options *o, char *err, size_t errlen)
{
	struct site_conf roles;
	const struct conf_row *rows;
	const char *differs = NULL;
	size_t n;

	memset(&roles, 0, sizeof(roles));
	init_roles(&roles, &o->ipv4);
	rows = site_rows(&n);
	for (size_t i = 0; i < n && differs == NULL; i++) {
		const void *now = (const char *)&site->conf + rows[i].offset;
		char buf[32];
		const char *text = option_of(buf, o, rows[i].key);

		if (rows[i].type == CONF_STRING && text != NULL && strcasecmp(text, now) != 0)
			differs = rows[i].key;
		if (rows[i].type == CONF_UINT && text != NULL &&
		    strtoul(text, NULL, 10) != *(const unsigned *)now)
			differs = rows[i].key;
		if (rows[i].type == CONF_LIST && o->ipv4.n > 0 &&
		    !same_list(role_list(&roles, &rows[i]), now))
			differs = rows[i].key;
	}
	if (differs == NULL)
		return 0;
	snprintf(err, errlen,
	    "%s/outpost.conf: exists and says something else about %s: edit it, or choose another "
	    "directory",
	    site->dir, differs);
	return -1;
}

static int
finish(const char *dir, const struct init_options *o, bool fresh, char *err, size_t errlen)
{
	struct site *site = site_load(dir, err, errlen);
	int rc = -1;

	if (site == NULL)
		return -1;
	if (!fresh && compare_conf(site, o, err, errlen) != 0)
		goto out;
	if (put_nftables(site) != 0) {
		snprintf(err, errlen, "%s/nftables.conf: could not be written", dir);
		goto out;
	}
	rc = 0;
out:
	site_free(site);
	return rc;
}

int
init_site(struct prepared *made, bool *fresh, const char *dir, const struct init_options *o,
    char *err, size_t errlen)
{
	char *path = xasprintf("%s/outpost.conf", dir);
	int rc;

	*fresh = access(path, F_OK) != 0;
	rc = *fresh ? write_first_conf(dir, path, o, err, errlen) : 0;
	if (rc == 0 && *fresh) {
		struct site *site = site_open(dir, 0, err, errlen);

		/* Options that make no site leave nothing behind, so that they can be corrected. */
		if (site == NULL) {
			unlink(path);
			rmdir(dir);
			rc = -1;
		}
		site_free(site);
	}
	if (rc == 0)
		rc = site_prepare(made, dir, err, errlen);
	if (rc == 0)
		rc = finish(dir, o, *fresh, err, errlen);
	free(path);
	return rc;
}
