/* whereabouts.c - libloc and libmaxminddb behind one question. */
#include "results/whereabouts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_LIBLOC
#include <libloc/database.h>
#include <libloc/libloc.h>
#endif
#ifdef HAVE_LIBMAXMINDDB
#include <maxminddb.h>
#endif

#include "lib/log.h"
#include "lib/strbuf.h"

struct whereabouts {
#ifdef HAVE_LIBLOC
	struct loc_ctx *context;
	struct loc_database *loc[WHEREABOUTS_MAX];
	unsigned n_loc;
#endif
#ifdef HAVE_LIBMAXMINDDB
	MMDB_s mmdb[WHEREABOUTS_MAX];
	unsigned n_mmdb;
#endif
	unsigned n;
};

static void
copy(char *dst, size_t len, const char *s, size_t n)
{
	if (n >= len)
		n = len - 1;
	/* Names of organisations are UTF-8 in places; the views are for ASCII. */
	for (size_t i = 0; i < n; i++)
		dst[i] = (unsigned char)s[i] < 0x20 || (unsigned char)s[i] > 0x7e ? '?' : s[i];
	dst[n] = '\0';
}

/* --- libloc ------------------------------------------------------------------------------------ */
#ifdef HAVE_LIBLOC
static bool
loc_add(struct whereabouts *w, const char *path)
{
	FILE *in = fopen(path, "rb");
	bool ok = false;

	if (in == NULL)
		return false;
	if (w->n_loc == WHEREABOUTS_MAX) {
		errno = EMFILE;
	} else if ((w->context != NULL || loc_new(&w->context) == 0) &&
		   loc_database_new(w->context, &w->loc[w->n_loc], in) == 0) {
		w->n_loc++;
		ok = true;
	} else {
		errno = EINVAL;
	}
	fclose(in);
	return ok;
}

static void
loc_ask(struct place *dst, const struct whereabouts *w, const struct in6_addr *address)
{
	for (unsigned i = 0; i < w->n_loc; i++) {
		struct loc_network *net = NULL;
		struct loc_as *as = NULL;
		if (loc_database_lookup(w->loc[i], address, &net) != 0 || net == NULL)
			continue;
		const char *country = loc_network_get_country_code(net);
		uint32_t number = loc_network_get_asn(net);
		if (dst->country[0] == '\0' && country != NULL)
			copy(dst->country, sizeof dst->country, country, strlen(country));
		if (dst->as == 0 && number != 0) {
			dst->as = number;
			if (loc_database_get_as(w->loc[i], &as, number) == 0 && as != NULL) {
				const char *name = loc_as_get_name(as);
				if (name != NULL)
					copy(dst->organization, sizeof dst->organization, name,
					    strlen(name));
				loc_as_unref(as);
			}
		}
		loc_network_unref(net);
	}
}
#endif

/* --- libmaxminddb ------------------------------------------------------------------------------ */
#ifdef HAVE_LIBMAXMINDDB
static void
mmdb_text(char *dst, size_t len, MMDB_entry_s *entry, const char *const *path)
{
	MMDB_entry_data_s data;

	if (*dst == '\0' && MMDB_aget_value(entry, &data, path) == MMDB_SUCCESS && data.has_data &&
	    data.type == MMDB_DATA_TYPE_UTF8_STRING)
		copy(dst, len, data.utf8_string, data.data_size);
}

static void
mmdb_ask(struct place *dst, const struct whereabouts *w, const struct sockaddr *address)
{
	static const char *const country[] = { "country", "iso_code", NULL };
	static const char *const organization[] = { "autonomous_system_organization", NULL };
	static const char *const number[] = { "autonomous_system_number", NULL };

	for (unsigned i = 0; i < w->n_mmdb; i++) {
		MMDB_entry_data_s data;
		int error = 0;
		MMDB_lookup_result_s at = MMDB_lookup_sockaddr(&w->mmdb[i], address, &error);
		if (error != MMDB_SUCCESS || !at.found_entry)
			continue;
		mmdb_text(dst->country, sizeof dst->country, &at.entry, country);
		mmdb_text(dst->organization, sizeof dst->organization, &at.entry, organization);
		if (dst->as == 0 && MMDB_aget_value(&at.entry, &data, number) == MMDB_SUCCESS &&
		    data.has_data && data.type == MMDB_DATA_TYPE_UINT32)
			dst->as = data.uint32;
	}
}
#endif

static bool
add(struct whereabouts *w, const char *path)
{
	size_t len = strlen(path);

	errno = ENOSYS;
#ifdef HAVE_LIBMAXMINDDB
	if (len > 5 && strcmp(path + len - 5, ".mmdb") == 0) {
		errno = w->n_mmdb == WHEREABOUTS_MAX ? EMFILE : EINVAL;
		if (w->n_mmdb == WHEREABOUTS_MAX ||
		    MMDB_open(path, MMDB_MODE_MMAP, &w->mmdb[w->n_mmdb]) != MMDB_SUCCESS)
			return false;
		w->n_mmdb++;
		w->n++;
		return true;
	}
#endif
#ifdef HAVE_LIBLOC
	if (!(len > 5 && strcmp(path + len - 5, ".mmdb") == 0) && loc_add(w, path)) {
		w->n++;
		return true;
	}
#endif
	(void)len;
	return false;
}

struct whereabouts *
whereabouts_open(const struct conf_list *files)
{
	static const char *const packaged[] = { "/var/lib/location/database.db",
		"/usr/share/libloc-location/location.db" };
	struct whereabouts *w = xcalloc(1, sizeof *w);

	for (unsigned i = 0; files != NULL && i < files->n; i++) {
		if (!add(w, files->item[i]))
			log_warn("%s: cannot be used as a database of addresses: %s: reports say "
				 "less of networks and countries",
			    files->item[i],
			    errno == ENOSYS   ? "not built in"
			    : errno == EMFILE ? "there are too many"
					      : strerror(errno));
	}
	for (size_t i = 0; w->n == 0 && i < sizeof packaged / sizeof packaged[0]; i++)
		add(w, packaged[i]);
	if (w->n == 0) {
		whereabouts_close(w);
		w = NULL;
	}
	return w;
}

void
whereabouts_close(struct whereabouts *w)
{
	if (w == NULL)
		return;
#ifdef HAVE_LIBLOC
	for (unsigned i = 0; i < w->n_loc; i++)
		loc_database_unref(w->loc[i]);
	if (w->context != NULL)
		loc_unref(w->context);
#endif
#ifdef HAVE_LIBMAXMINDDB
	for (unsigned i = 0; i < w->n_mmdb; i++)
		MMDB_close(&w->mmdb[i]);
#endif
	free(w);
}

bool
whereabouts_of(struct place *dst, const struct whereabouts *w, const char *address)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct in_addr four;

	memset(dst, 0, sizeof *dst);
	if (w == NULL)
		return false;
	if (inet_pton(AF_INET, address, &four) == 1) { /* as ::ffff:a.b.c.d: both libraries do so */
		six.sin6_addr.s6_addr[10] = six.sin6_addr.s6_addr[11] = 0xff;
		memcpy(&six.sin6_addr.s6_addr[12], &four, 4);
	} else if (inet_pton(AF_INET6, address, &six.sin6_addr) != 1) {
		return false;
	}
#ifdef HAVE_LIBMAXMINDDB
	mmdb_ask(dst, w, (const struct sockaddr *)&six);
#endif
#ifdef HAVE_LIBLOC
	loc_ask(dst, w, &six.sin6_addr);
#endif
	return dst->as != 0 || dst->country[0] != '\0' || dst->organization[0] != '\0';
}

void
place_format(char dst[112], const struct place *p)
{
	size_t at = 0;

	*dst = '\0';
	if (p->as != 0)
		at = (size_t)snprintf(dst, 112, "AS%u", (unsigned)p->as);
	if (p->organization[0] != '\0')
		at += (size_t)snprintf(
		    dst + at, 112 - at, "%s%s", at > 0 ? " " : "", p->organization);
	if (p->country[0] != '\0')
		snprintf(dst + at, 112 - at, "%s%s", at > 0 ? ", " : "", p->country);
}
