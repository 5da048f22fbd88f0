/* A catalogue of a few tests and a site over it, in a directory of its own under $TMPDIR. */
#ifndef TESTS_UNIT_PROVISIONING_FIXTURE_H
#define TESTS_UNIT_PROVISIONING_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* cmocka.h makes macros of names that zones/test.h declares. */
#include "provisioning/init.h"

#include <cmocka.h>

struct fixture {
	char root[128], catalogue[160], dir[160];
};

static inline void
fixture_new(struct fixture *f)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(f->root, sizeof(f->root), "%s/outpost-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->root));
	snprintf(f->catalogue, sizeof(f->catalogue), "%s/catalogue", f->root);
	snprintf(f->dir, sizeof(f->dir), "%s/site", f->root);
	assert_int_equal(mkdir(f->catalogue, 0755), 0);
}

static inline void
fixture_free(struct fixture *f)
{
	char command[256];

	assert_memory_equal(f->root + strlen(f->root) - 19, "outpost-test-", 13);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->root);
	assert_int_equal(system(command), 0);
}

/* One test of the plainest kind; header and host are further lines of these parts. */
static inline void
fixture_test(const struct fixture *f, const char *name, unsigned number, const char *header,
    const char *dns, const char *host)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.test", f->catalogue, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file,
	    "test %s\nnumber %u\ngroup delivery\ntitle \"A test\"\nspec \"RFC 5321\"\nabout "
	    "\"About it.\"\n%s\n"
	    "[dns]\n{d} 60 MX 10 {mx0}\n{mx0} 60 A {ipv4:0}\n{mx0} 60 AAAA {ipv6:0}\n%s\n"
	    "[host 0]\nstarttls offer\ncert pkix-valid\n%s\n"
	    "[verdict]\nconforms accepted \"delivered\"\npending not settled "
	    "\"waiting\"\ninconclusive otherwise \"nothing\"\n"
	    "[reader]\nmeans conforms \"Good.\"\n"
	    "[trace delivered]\n0s smtp.message reply=250\nverdict conforms\n",
	    name, number, header, dns, host);
	assert_int_equal(fclose(file), 0);
}

static inline struct init_options
fixture_options(const struct fixture *f, const char *ipv4, const char *ipv6)
{
	struct init_options o = {
		.base = "probe.example", .ipv6 = ipv6, .user = "", .catalogue = f->catalogue
	};
	char *copy = strdup(ipv4), *save, *word;

	for (word = strtok_r(copy, ",", &save); word != NULL; word = strtok_r(NULL, ",", &save))
		o.ipv4.item[o.ipv4.n++] = strdup(word);
	free(copy);
	return o;
}

static inline void
fixture_options_free(struct init_options *o)
{
	for (unsigned i = 0; i < o->ipv4.n; i++)
		free(o->ipv4.item[i]);
}

/* init_site with these addresses; the site. */
static inline struct site *
fixture_site(const struct fixture *f, const char *ipv4, const char *ipv6, struct prepared *made)
{
	struct init_options o = fixture_options(f, ipv4, ipv6);
	struct prepared unused;
	struct site *site;
	char err[1024] = "";
	bool fresh;

	if (init_site(made != NULL ? made : &unused, &fresh, f->dir, &o, err, sizeof(err)) != 0)
		fail_msg("init_site: %s", err);
	fixture_options_free(&o);
	site = site_load(f->dir, err, sizeof(err));
	if (site == NULL)
		fail_msg("site_load: %s", err);
	return site;
}

/* A new fixture and the site of one plain test. */
static inline struct site *
fixture_plain(struct fixture *f)
{
	fixture_new(f);
	fixture_test(f, "plain", 1, "sets quick standard", "", "");
	return fixture_site(f, "192.0.2.1", "", NULL);
}

#endif
