/* command.c - see command.h. */
#include "outpost/command.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/strbuf.h"

static const char *site_option;

void
command_set_site_dir(const char *dir)
{
	site_option = dir;
}

/* Nobody said which site: if this host has none of its own, but a lab is up, that one is meant. */
static const char *
lab_site(void)
{
	static char dir[512];
	const char *root = getenv("OUTPOST_LAB_DIR");
	char path[600];

	if (dir[0] != '\0')
		return dir;
	snprintf(path, sizeof(path), "%s/outpost.conf", site_dir(NULL));
	if (getenv("OUTPOST_SITE") != NULL || access(path, F_OK) == 0)
		return NULL;
	snprintf(dir, sizeof(dir), "%s/outpost/site",
	    root != NULL && root[0] != '\0' ? root : "/var/lib/outpost-lab");
	snprintf(path, sizeof(path), "%s/../namespaces", dir);
	if (access(path, F_OK) != 0) {
		dir[0] = '\0';
		return NULL;
	}
	log_info("the site is that of the lab: -C %s", dir);
	return dir;
}

const char *
command_site_dir(void)
{
	const char *lab = site_option == NULL ? lab_site() : NULL;

	return lab != NULL ? lab : site_dir(site_option);
}

struct site *
command_site(unsigned need)
{
	char err[1024];
	struct site *site = site_open(command_site_dir(), need, err, sizeof(err));

	if (site == NULL)
		log_fatal(EXIT_USAGE, "%s", err);
	return site;
}

void
command_print_line(struct strbuf *b)
{
	strbuf_puts(b, "\n");
	fputs(b->s, stdout);
	strbuf_clear(b);
}

void
command_catalogue_dir(char dst[512], char base_zone[512], const char *given)
{
	char path[600], err[1024];
	struct site *site;

	snprintf(path, sizeof(path), "%s/outpost.conf", command_site_dir());
	if (given != NULL || access(path, F_OK) != 0) {
		site_find_catalogue(dst, base_zone, given != NULL ? given : "");
		return;
	}
	if ((site = site_open_conf(command_site_dir(), err, sizeof(err))) == NULL)
		log_fatal(EXIT_USAGE, "%s", err);
	site_find_catalogue(dst, base_zone, site->conf.catalogue);
	site_free(site);
}

struct token
command_token(const struct site *site, const char *text)
{
	enum token_err rc = TOKEN_FORM;
	struct token token;

	if (site->has & SITE_SECRET)
		rc = token_parse(&token, text, strlen(text), &site->token_key);
	else if (strlen(text) == TOKEN_LEN && token_decode(&token, text))
		rc = TOKEN_OK;
	if (rc == TOKEN_FORM)
		log_fatal(EXIT_USAGE, "%s: not a token: 16 characters of a-z and 2-7", text);
	if (rc == TOKEN_FORGED)
		log_fatal(EXIT_USAGE,
		    "%s: not a token of this site: look for a slip of the pen, or at -C", text);
	return token;
}

/* --- options ----------------------------------------------------------------------------------------- */

static void
help(const struct command *c, const struct option_row *rows, size_t n)
{
	printf("usage: outpost %s%s%s%s\n%s\n\n", c->name, n > 0 ? " [OPTION...]" : "",
	    c->operands[0] != '\0' ? " " : "", c->operands, c->about);
	for (size_t i = 0; i < n; i++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s%s", rows[i].name,
		    rows[i].kind == OPTION_OPTIONAL ? "[="
		    : rows[i].value != NULL         ? " "
						    : "",
		    rows[i].value != NULL ? rows[i].value : "",
		    rows[i].kind == OPTION_OPTIONAL ? "]" : "");
		printf("  %-26s %s\n", left, rows[i].about);
	}
	printf("  %-26s %s\n", "-C DIR", "site directory");
	exit(EXIT_DONE);
}

static void
bad(const struct command *c, const char *what, const char *why)
{
	log_fatal(EXIT_USAGE, "%s: %s: %s: see outpost %s --help", c->name, what, why, c->name);
}

static void
split(struct conf_list *dst, const char *text, const struct command *c)
{
	char *copy = xstrdup(text), *save, *word;

	for (word = strtok_r(copy, ",", &save); word != NULL; word = strtok_r(NULL, ",", &save)) {
		if (dst->n == CONF_LIST_MAX)
			bad(c, text, "too many");
		dst->item[dst->n++] = xstrdup(word);
	}
	free(copy);
}

static void
set(const struct command *c, const struct option_row *row, const char *value)
{
	char *end;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)row->dst = true;
		break;
	case OPTION_TEXT:
	case OPTION_OPTIONAL:
		*(const char **)row->dst = value;
		break;
	case OPTION_NUMBER: {
		unsigned long number;

		errno = 0;
		number = strtoul(value, &end, 10);
		if (!isdigit((unsigned char)value[0]) || *end != '\0' || errno != 0 ||
		    number > 1000000)
			bad(c, value, "not a number up to 1000000");
		*(unsigned *)row->dst = (unsigned)number;
		break;
	}
	case OPTION_LIST:
		split(row->dst, value, c);
		break;
	case OPTION_DURATION:
		if (duration_parse(row->dst, value) != 0)
			bad(c, value, "not a duration such as 90s, 5m or 2h");
		break;
	case OPTION_TIME:
		if (clock_parse(row->dst, value, strlen(value)) != 0)
			bad(c, value, "not a time such as 2026-11-21T20:00:00Z");
		break;
	}
}

/* Reads argv[i], which begins with "--"; how many more words it took. */
static int
read_option(const struct command *c, const struct option_row *rows, size_t n, int left, char **argv)
{
	const char *name = argv[0] + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;

	for (size_t i = 0; i < n; i++) {
		if (strlen(rows[i].name) != len || memcmp(rows[i].name, name, len) != 0)
			continue;
		if (rows[i].kind == OPTION_FLAG && value != NULL)
			bad(c, argv[0], "takes no value");
		if (rows[i].kind == OPTION_FLAG || rows[i].kind == OPTION_OPTIONAL ||
		    value != NULL) {
			set(c, &rows[i], value != NULL ? value : "");
			return 0;
		}
		if (left < 1)
			bad(c, argv[0], "its value is missing");
		set(c, &rows[i], argv[1]);
		return 1;
	}
	bad(c, argv[0], "unknown option");
	return 0;
}

int
command_options(const struct command *c, const struct option_row *rows, size_t n, int argc,
    char **argv, int min, int max)
{
	int operands = 0;
	bool ended = false;

	for (int i = 1; i < argc; i++) {
		if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[++operands] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			ended = true;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			help(c, rows, n);
		} else if (strcmp(argv[i], "-C") == 0) {
			if (i + 1 == argc)
				bad(c, "-C", "its value is missing");
			command_set_site_dir(argv[++i]);
		} else if (argv[i][1] == '-') {
			i += read_option(c, rows, n, argc - i - 1, argv + i);
		} else {
			bad(c, argv[i], "unknown option");
		}
	}
	if (operands < min)
		bad(c, c->operands, "missing");
	if (operands > max)
		bad(c, argv[max + 1], "unexpected");
	return operands;
}
