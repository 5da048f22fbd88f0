/* yaml_suite.h - a public test suite in YAML: documents, and what stands in them. */
#ifndef TESTS_VERIFY_YAML_SUITE_H
#define TESTS_VERIFY_YAML_SUITE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct yaml_suite {
	yaml_document_t document[32];
	size_t n;
};

static inline void
yaml_suite_load(struct yaml_suite *s, const char *path)
{
	FILE *in = fopen(path, "rb");
	yaml_parser_t parser;
	yaml_node_t *root = NULL;

	memset(s, 0, sizeof(*s));
	if (in == NULL || !yaml_parser_initialize(&parser)) {
		perror(path);
		exit(1);
	}
	yaml_parser_set_input_file(&parser, in);
	do {
		if (s->n == sizeof(s->document) / sizeof(s->document[0]) ||
		    !yaml_parser_load(&parser, &s->document[s->n])) {
			fprintf(stderr, "%s: cannot be read\n", path);
			exit(1);
		}
		root = yaml_document_get_root_node(&s->document[s->n++]);
	} while (root != NULL);
	yaml_document_delete(&s->document[--s->n]);
	yaml_parser_delete(&parser);
	fclose(in);
}

static inline void
yaml_suite_free(struct yaml_suite *s)
{
	for (size_t i = 0; i < s->n; i++)
		yaml_document_delete(&s->document[i]);
}

/* "" if it is none. */
static inline const char *
yaml_scalar(const yaml_node_t *node)
{
	return node != NULL && node->type == YAML_SCALAR_NODE
		   ? (const char *)node->data.scalar.value
		   : "";
}

/* The value of a mapping's key, NULL. */
static inline yaml_node_t *
yaml_member(yaml_document_t *d, const yaml_node_t *map, const char *key)
{
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
	     p++)
		if (strcmp(yaml_scalar(yaml_document_get_node(d, p->key)), key) == 0)
			return yaml_document_get_node(d, p->value);
	return NULL;
}

#endif
