/* spf_suite.h - the public test suite of RFC 7208: its cases, and its zones as a resolver. */
#ifndef TESTS_VERIFY_SPF_SUITE_H
#define TESTS_VERIFY_SPF_SUITE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <yaml.h>

#include "lib/utf8.h"
#include "tests/unit/verify/records.h"
#include "verify/spf_run.h"

#define SUITE_FILE  "tests/suites/rfc7208-tests.yml"
#define SUITE_CASES 203 /* of the file */

struct suite {
	yaml_document_t documents[32];
	size_t n;
};

static inline void
suite_load(struct suite *s)
{
	FILE *in = fopen(SUITE_FILE, "rb");
	yaml_parser_t parser;
	yaml_node_t *root = NULL;

	memset(s, 0, sizeof(*s));
	if (in == NULL || !yaml_parser_initialize(&parser)) {
		perror(SUITE_FILE);
		exit(1);
	}
	yaml_parser_set_input_file(&parser, in);
	do {
		if (s->n == sizeof(s->documents) / sizeof(s->documents[0]) ||
		    !yaml_parser_load(&parser, &s->documents[s->n])) {
			fprintf(stderr, "%s: cannot be read\n", SUITE_FILE);
			exit(1);
		}
		root = yaml_document_get_root_node(&s->documents[s->n++]);
	} while (root != NULL);
	yaml_document_delete(&s->documents[--s->n]);
	yaml_parser_delete(&parser);
	fclose(in);
}

static inline void
suite_free(struct suite *s)
{
	for (size_t i = 0; i < s->n; i++)
		yaml_document_delete(&s->documents[i]);
}

static inline const char *
scalar(const yaml_node_t *node)
{
	return node != NULL && node->type == YAML_SCALAR_NODE
		   ? (const char *)node->data.scalar.value
		   : "";
}

/* The value of a mapping's key, NULL. */
static inline yaml_node_t *
member(yaml_document_t *d, const yaml_node_t *map, const char *key)
{
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
	     p++)
		if (strcmp(scalar(yaml_document_get_node(d, p->key)), key) == 0)
			return yaml_document_get_node(d, p->value);
	return NULL;
}

/* Element i of a sequence, NULL behind the last; of a scalar it is element 0. */
static inline yaml_node_t *
element(yaml_document_t *d, yaml_node_t *node, size_t i)
{
	yaml_node_item_t *items;

	if (node == NULL || node->type == YAML_SCALAR_NODE)
		return i == 0 ? node : NULL;
	items = node->data.sequence.items.start;
	return i < (size_t)(node->data.sequence.items.top - items)
		   ? yaml_document_get_node(d, items[i])
		   : NULL;
}

/* "\xEF" of the file is an octet: YAML reads it as a character. */
static inline void
octets(struct strbuf *dst, const yaml_node_t *node)
{
	const char *s = (const char *)node->data.scalar.value;

	for (size_t i = 0; i < node->data.scalar.length;) {
		size_t n = utf8_length(s + i, node->data.scalar.length - i);
		char c = n == 2 ? (char)((s[i] & 3) << 6 | (s[i + 1] & 0x3f)) : s[i];

		strbuf_add(dst, &c, 1);
		i += n > 0 ? n : 1;
	}
}

static inline void
suite_txt(struct strbuf *dst, yaml_document_t *d, yaml_node_t *value)
{
	yaml_node_t *part;

	for (size_t i = 0; (part = element(d, value, i)) != NULL; i++) {
		struct strbuf text = { 0 };

		octets(&text, part);
		put_txt(dst, text.len > 0 ? text.s : "", text.len);
		strbuf_clear(&text);
	}
}

/* The records of one type that stand at an owner; *cname: what stands there instead. */
static inline size_t
suite_records(yaml_document_t *d, yaml_node_t *list, const char *type, struct strbuf *rdata,
    size_t max, const char **cname, bool *timeout)
{
	size_t n = 0;
	yaml_node_t *item;

	for (size_t i = 0; (item = element(d, list, i)) != NULL && n < max; i++) {
		yaml_node_t *value, *name;

		if (item->type == YAML_SCALAR_NODE) {
			*timeout = *timeout || strcmp(scalar(item), "TIMEOUT") == 0;
			continue;
		}
		if ((value = member(d, item, "CNAME")) != NULL)
			*cname = scalar(value);
		if ((value = member(d, item, type)) == NULL || strcmp(scalar(value), "NONE") == 0)
			continue;
		if (strcmp(type, "SPF") == 0 || strcmp(type, "TXT") == 0) {
			suite_txt(&rdata[n++], d, value);
		} else if (strcmp(type, "MX") == 0) {
			name = element(d, value, 1);
			strbuf_add(&rdata[n], "\0", 2);
			put_name(&rdata[n++], scalar(name));
		} else {
			put_rdata(&rdata[n++],
			    strcmp(type, "A") == 0      ? TYPE_A
			    : strcmp(type, "AAAA") == 0 ? TYPE_AAAA
							: TYPE_PTR,
			    scalar(value));
		}
	}
	return n;
}

/* What the zone has for a name of the book, NULL. */
static inline yaml_node_t *
suite_owner(yaml_document_t *d, yaml_node_t *zone, const char *name)
{
	yaml_node_pair_t *p = zone->data.mapping.pairs.start;
	char owner[LOOKUP_NAME_SIZE];

	for (; p < zone->data.mapping.pairs.top; p++) {
		spf_name(owner, scalar(yaml_document_get_node(d, p->key)));
		if (strcasecmp(owner, name) == 0)
			return yaml_document_get_node(d, p->value);
	}
	return NULL;
}

/* TXT: "SPF" entries stand for TXT records too, unless there is a TXT entry. */
static inline bool
suite_has_txt(yaml_document_t *d, yaml_node_t *list)
{
	yaml_node_t *item;

	for (size_t i = 0; (item = element(d, list, i)) != NULL; i++)
		if (item->type == YAML_MAPPING_NODE && member(d, item, "TXT") != NULL)
			return true;
	return false;
}

/* Answers one question of the book from the zone. */
static inline void
suite_answer(yaml_document_t *d, yaml_node_t *zone, struct lookups *book, const struct lookup *l)
{
	struct strbuf data[32] = { 0 };
	struct lookup_rdata rdata[32] = { { NULL, 0 } };
	enum lookup_status status = LOOKUP_NXDOMAIN;
	const char *type = l->type == TYPE_A      ? "A"
			   : l->type == TYPE_AAAA ? "AAAA"
			   : l->type == TYPE_MX   ? "MX"
			   : l->type == TYPE_PTR  ? "PTR"
						  : "TXT";
	char name[LOOKUP_NAME_SIZE];
	size_t n = 0;

	snprintf(name, sizeof(name), "%s", l->name);
	for (int hops = 0; hops < 10; hops++) {
		yaml_node_t *list = suite_owner(d, zone, name);
		const char *cname = NULL;
		bool timeout = false;

		status = LOOKUP_NXDOMAIN;
		if (list == NULL)
			break;
		n = suite_records(d, list,
		    l->type == TYPE_TXT && !suite_has_txt(d, list) ? "SPF" : type, data, 32, &cname,
		    &timeout);
		status = n > 0 ? LOOKUP_OK : timeout ? LOOKUP_FAILED : LOOKUP_NODATA;
		if (n > 0 || cname == NULL)
			break;
		status = LOOKUP_FAILED; /* of a loop, when the hops are used up */
		snprintf(name, sizeof(name), "%s", cname);
		name[strcspn(name, " ")] = '\0';
		if (name[0] != '\0' && name[strlen(name) - 1] == '.')
			name[strlen(name) - 1] = '\0';
	}
	for (size_t i = 0; i < n; i++)
		rdata[i] = (struct lookup_rdata){ (const uint8_t *)data[i].s,
			(uint16_t)data[i].len };
	snprintf(name, sizeof(name), "%s", l->name);
	lookup_put(
	    book, name, l->type, status, false, status == LOOKUP_FAILED ? "timeout" : "", rdata, n);
	for (size_t i = 0; i < n; i++)
		strbuf_clear(&data[i]);
}

static inline void
suite_answer_all(yaml_document_t *d, struct lookups *book)
{
	yaml_node_t *root = yaml_document_get_root_node(d), *zone = member(d, root, "zonedata");
	const struct lookup *l;
	size_t iter = 0;

	while ((l = lookup_wanted(book, &iter)) != NULL)
		suite_answer(d, zone, book, l);
}

/* The sender's side of a case. */
static inline struct spf_input
suite_input(yaml_document_t *d, yaml_node_t *test)
{
	return (struct spf_input){
		.identity = SPF_MAIL_FROM,
		.client = scalar(member(d, test, "host")),
		.helo = scalar(member(d, test, "helo")),
		.from = scalar(member(d, test, "mailfrom")),
		.us = "receiver.example",
		.now = 1795305600,
	};
}

/* The verdict is one of those that the case allows. */
static inline bool
suite_allows(yaml_document_t *d, yaml_node_t *test, const char *verdict)
{
	yaml_node_t *result = member(d, test, "result"), *one;

	for (size_t i = 0; (one = element(d, result, i)) != NULL; i++)
		if (strcmp(scalar(one), verdict) == 0)
			return true;
	return false;
}

/* NULL: the case says nothing of it; DEFAULT is ours, which is none. */
static inline const char *
suite_explanation(yaml_document_t *d, yaml_node_t *test)
{
	yaml_node_t *e = member(d, test, "explanation");

	return e == NULL ? NULL : strcmp(scalar(e), "DEFAULT") == 0 ? "" : scalar(e);
}

#endif
