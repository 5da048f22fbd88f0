/* policy.c - see policy.h. */
#include "smtpd/policy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "provisioning/render.h"

static char mode_none[] = "none";
const struct policy policy_released = {
	.mode = mode_none,
	.status = 200,
	.max_age = 86400,
	.cert = CERT_PKIX_VALID,
};

const struct policy *
policy_of(const struct test *t, unsigned phase)
{
	for (unsigned i = 0; t != NULL && i < t->n_policy; i++) {
		const struct policy *p = &t->policy[i];

		if (p->phase_from == 0 || (phase >= p->phase_from && phase <= p->phase_to))
			return p;
	}
	return NULL;
}

static bool
has(const struct policy *p, const char *field)
{
	return p->omit == NULL || strcmp(p->omit, field) != 0;
}

/* A pattern is a template name, absolute when rendered; policies have no final dot. */
static void
mx_line(struct strbuf *dst, const char *pattern, const struct site *site, const struct test *t,
    const struct token *token)
{
	char name[512], err[160];
	size_t n;

	if (render(name, sizeof name, pattern, site, t, 0, token, err, sizeof err) != RENDER_OK)
		return;
	n = strlen(name);
	if (n > 0 && name[n - 1] == '.')
		name[n - 1] = '\0';
	strbuf_printf(dst, "mx: %s\r\n", name);
}

/* Lines that a reader has to skip (RFC 8461 3.2: unknown fields). */
static void
padding(struct strbuf *dst, uint32_t octets)
{
	static const char line[] =
	    "x-padding: 0123456789abcdef0123456789abcdef0123456789abcdef\r\n";

	for (uint32_t n = 0; n < octets; n += sizeof line - 1)
		strbuf_add(dst, line, sizeof line - 1);
}

void
policy_body(struct strbuf *dst, const struct policy *p, const struct site *site,
    const struct test *t, const struct token *token)
{
	if (has(p, "version"))
		strbuf_puts(dst, "version: STSv1\r\n");
	if (has(p, "mode") && p->mode != NULL)
		strbuf_printf(dst, "mode: %s\r\n", p->mode);
	for (unsigned i = 0; has(p, "mx") && i < p->n_mx; i++)
		mx_line(dst, p->mx[i], site, t, token);
	if (has(p, "max_age"))
		strbuf_printf(dst, "max_age: %" PRIu32 "\r\n", p->max_age);
	if (p->extra != NULL) {
		strbuf_puts(dst, p->extra);
		if (p->extra[0] != '\0' && p->extra[strlen(p->extra) - 1] != '\n')
			strbuf_puts(dst, "\r\n");
	}
	padding(dst, p->pad);
}

void
policy_location(char *dst, size_t dstlen, const struct policy *p, const struct site *site,
    const struct test *t, const struct token *token)
{
	char err[160], text[1024];
	size_t n = 0;

	dst[0] = '\0';
	if (p->redirect == NULL ||
	    render(text, sizeof text, p->redirect, site, t, 0, token, err, sizeof err) != RENDER_OK)
		return;
	/* Names come absolute: "https://mta-sts.example./x". */
	for (const char *c = text; *c != '\0' && n + 1 < dstlen; c++)
		if (!(c[0] == '.' && c[1] == '/'))
			dst[n++] = *c;
	dst[n] = '\0';
}

const char *
policy_location_path(const char *location)
{
	const char *p = strstr(location, "://");

	p = p != NULL ? strchr(p + 3, '/') : strchr(location, '/');
	return p != NULL ? p : "/";
}
