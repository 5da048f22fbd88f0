/* assets.c - see assets.h.  The style sheet of reports goes before the site's own. */
#include "web/assets.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/strbuf.h"
#include "results/report.h"

/* The assembler reads the file; the Makefile knows that this one depends on them. */
#define EMBED(symbol, file)                                                                        \
	__asm__(".section .rodata\n.global " #symbol "\n" #symbol ":\n.incbin \"web/static/" file  \
		"\"\n.global " #symbol "_end\n" #symbol "_end:\n.byte 0\n.previous\n");            \
	extern const char symbol[], symbol##_end[]

EMBED(asset_css, "site.css");
EMBED(asset_js, "site.js");
EMBED(asset_icon, "favicon.svg");
EMBED(asset_api, "openapi.json");

static struct asset assets[] = {
	{ .name = "site.css", .type = "text/css; charset=utf-8" },
	{ .name = "site.js", .type = "text/javascript; charset=utf-8" },
	{ .name = "favicon.svg", .type = "image/svg+xml" },
	{ .name = "openapi.json", .type = "application/json" },
};
#define N_ASSETS (sizeof assets / sizeof *assets)

static void
set(struct asset *a, const char *data, size_t len)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char hex[17];

	a->data = data;
	a->len = len;
	SHA256((const uint8_t *)data, len, digest);
	for (unsigned i = 0; i < 8; i++)
		snprintf(hex + 2 * (size_t)i, 3, "%02x", digest[i]);
	snprintf(a->path, sizeof a->path, "/static/%s.%s", hex, a->name);
}

void
assets_prepare(void)
{
	static struct strbuf css;

	strbuf_reset(&css);
	strbuf_puts(&css, report_style_css);
	strbuf_add(&css, asset_css, (size_t)(asset_css_end - asset_css));
	set(&assets[0], css.s, css.len);
	set(&assets[1], asset_js, (size_t)(asset_js_end - asset_js));
	set(&assets[2], asset_icon, (size_t)(asset_icon_end - asset_icon));
	set(&assets[3], asset_api, (size_t)(asset_api_end - asset_api));
}

const struct asset *
asset_named(const char *name)
{
	for (size_t i = 0; i < N_ASSETS; i++)
		if (strcmp(assets[i].name, name) == 0)
			return &assets[i];
	return NULL;
}

const char *
asset_path(const char *name)
{
	const struct asset *a = asset_named(name);

	if (a == NULL)
		log_fatal(EXIT_CANNOT, "web: no file %s", name);
	return a->path;
}

const struct asset *
asset_find(const char *path, size_t len)
{
	for (size_t i = 0; i < N_ASSETS; i++)
		if (strlen(assets[i].path) == len && memcmp(assets[i].path, path, len) == 0)
			return &assets[i];
	return NULL;
}
