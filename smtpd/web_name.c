/* web_name.c - see web_name.h. */
#include "smtpd/web_name.h"

#include <string.h>
#include <strings.h>

#include "provisioning/render.h"

static const char *const host_prefix[] = {
	[WEB_NONE] = "", [WEB_POLICY] = "mta-sts.", [WEB_REPORT] = "tlsrpt."
};

const char *
web_host_prefix(enum web_host h)
{
	return host_prefix[h];
}

bool
web_name_parse(struct web_name *dst, const char *name, size_t len, const struct site *site)
{
	struct name_parts parts;

	memset(dst, 0, sizeof *dst);
	if (len > 0 && name[len - 1] == '.')
		len--;
	for (enum web_host h = WEB_POLICY; h <= WEB_REPORT; h++) {
		size_t n = strlen(host_prefix[h]);

		if (len <= n + TOKEN_LEN || strncasecmp(name, host_prefix[h], n) != 0)
			continue;
		/* The token must be the next label: nothing else lies between. */
		if (name[n + TOKEN_LEN] != '.' || !name_split(&parts, name + n, len - n, site) ||
		    parts.test == NULL || parts.token.id == 0 || parts.host >= 0 ||
		    strncasecmp(name + n, parts.token.text, TOKEN_LEN) != 0)
			return false;
		dst->host = h;
		dst->test = parts.test;
		dst->zone = parts.zone;
		dst->token = parts.token;
		return true;
	}
	return false;
}
