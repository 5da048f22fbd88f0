/* auth.c - see auth.h. */
#include "zones/auth.h"

#include <stddef.h>
#include <string.h>

#define SPF_RESULTS "permerror", "fail", "softfail", "temperror", "neutral", "none", "pass"

static const char *const spf_words[] = { SPF_RESULTS, "allow-all", "lookups-over", "lookups-near",
	"voids-over", "libspf2-differs", NULL };
static const char *const helo_words[] = { SPF_RESULTS, NULL };
static const char *const dkim_words[] = { "fail", "temperror", "none", "pass", "sha1",
	"key-forbidden", "key-short", "length", "broken", "ed25519-only", "testing", NULL };
static const char *const dmarc_words[] = { "permerror", "fail", "temperror", "none", "pass",
	"policy-none", "spf-only", "tree-differs", "problems", NULL };
static const char *const arc_words[] = { "fail", "temperror", "none", "pass", "cv-fail", NULL };
static const char *const fcrdns_words[] = { "fail", "none", "temperror", "pass", NULL };
static const char *const ehlo_words[] = { "invalid", "unknown", "other", "temperror", "literal",
	"pass", NULL };

static const struct {
	const char *name;
	const char *const *words;
} methods[AUTH_METHOD_MAX] = {
	[AUTH_SPF] = { "spf", spf_words },
	[AUTH_HELO] = { "helo", helo_words },
	[AUTH_DKIM] = { "dkim", dkim_words },
	[AUTH_DMARC] = { "dmarc", dmarc_words },
	[AUTH_ARC] = { "arc", arc_words },
	[AUTH_FCRDNS] = { "fcrdns", fcrdns_words },
	[AUTH_EHLO] = { "ehlo", ehlo_words },
};

static const char *const states[] = { "judged", "open", "lost", NULL };

#define SPF_MEMBERS       "result domain term term_domain reason lookups voids"
#define SIGNATURE_MEMBERS "result reason domain selector algorithm body_limit body_len bits testing"
#define VIEW_MEMBERS      "result reason organisation at policy spf_counts dkim_counts fault"

static const struct auth_part parts[] = {
	{ "spf", SPF_MEMBERS },
	{ "helo", SPF_MEMBERS },
	{ "dkim", SIGNATURE_MEMBERS },
	{ "dkim2", SIGNATURE_MEMBERS },
	{ "author", "domain" },
	{ "dmarc", "result" },
	{ "rfc7489", VIEW_MEMBERS },
	{ "rfc9989", VIEW_MEMBERS },
	{ "arc", "result reason failed_before temporary domain" },
	{ "fcrdns", "result reason name" },
	{ "ehlo", "form name resolves failed matches reason" },
	{ "libspf2", "result" },
};
#define N_PARTS (sizeof parts / sizeof parts[0])

const char *
auth_method_name(enum auth_method m)
{
	return (unsigned)m < AUTH_METHOD_MAX ? methods[m].name : "?";
}

enum auth_method
auth_method_by_name(const char *name)
{
	unsigned m = 0;

	while (m < AUTH_METHOD_MAX && strcmp(methods[m].name, name) != 0)
		m++;
	return (enum auth_method)m;
}

const char *
auth_word(enum auth_method m, unsigned i)
{
	const char *const *w = methods[m].words;

	for (; *w != NULL && i > 0; i--)
		w++;
	return *w;
}

bool
auth_word_exists(enum auth_method m, const char *word)
{
	for (const char *const *w = methods[m].words; *w != NULL; w++)
		if (strcmp(*w, word) == 0)
			return true;
	return false;
}

const char *
auth_state(unsigned i)
{
	return i < sizeof states / sizeof states[0] ? states[i] : NULL;
}

const struct auth_part *
auth_part(unsigned i)
{
	return i < N_PARTS ? &parts[i] : NULL;
}

static bool
is_one_of(const char *list, const char *word, size_t len)
{
	for (; *list != '\0'; list += strcspn(list, " ")) {
		list += strspn(list, " ");
		if (strncmp(list, word, len) == 0 && (list[len] == ' ' || list[len] == '\0'))
			return true;
	}
	return false;
}

bool
auth_member_exists(const char *word)
{
	size_t len = strcspn(word, "="), part = strcspn(word, ".=");

	for (size_t i = 0; i < N_PARTS; i++) {
		if (strncmp(parts[i].word, word, part) != 0 || parts[i].word[part] != '\0')
			continue;
		return part == len || (len > part + 1 && is_one_of(parts[i].members,
							     word + part + 1, len - part - 1));
	}
	return false;
}
