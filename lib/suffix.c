/* suffix.c - see suffix.h. */
#include "lib/suffix.h"

#include <libpsl.h>
#include <stddef.h>
#include <string.h>

static psl_ctx_t *list; /* loaded once, then only read */

int
suffix_load(void)
{
	if (list == NULL)
		list = psl_latest(NULL);
	return list != NULL || psl_builtin() != NULL ? 0 : -1;
}

void
suffix_forget(void)
{
	psl_free(list);
	list = NULL;
}

const char *
suffix_guess(const char *domain)
{
	const char *p = domain + strlen(domain);

	for (unsigned dots = 0; p > domain; p--)
		if (p[-1] == '.' && ++dots == 2)
			break;
	return p;
}

const char *
suffix_organisation(const char *domain)
{
	const psl_ctx_t *psl = list != NULL ? list : psl_builtin();
	const char *organisation;

	if (psl == NULL)
		return suffix_guess(domain);
	organisation = psl_registrable_domain(psl, domain);
	return organisation != NULL ? organisation : domain;
}
