/* main.c - runs every file of a fuzz target's corpus once, without a fuzzer.  Linked with the
 * target itself; the corpus is tests/fuzz/corpus/NAME, or what the arguments name.  Prints TAP. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
run_file(const char *path)
{
	FILE *in = fopen(path, "rb");
	struct strbuf b = { 0 };
	char block[4096];
	uint8_t *exact;
	size_t n;

	if (in == NULL) {
		perror(path);
		exit(1);
	}
	while ((n = fread(block, 1, sizeof(block), in)) > 0)
		strbuf_add(&b, block, n);
	fclose(in);
	/* No octet more than the input, so that a sanitizer sees a read behind its end. */
	exact = xmalloc(b.len);
	if (b.len > 0)
		memcpy(exact, b.s, b.len);
	LLVMFuzzerTestOneInput(exact, b.len);
	free(exact);
	strbuf_clear(&b);
}

static int
run_corpus(const char *name)
{
	char *dir = xasprintf("tests/fuzz/corpus/%s", name);
	struct dirent **entries;
	int n = scandir(dir, &entries, NULL, alphasort), inputs = 0;

	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.') {
			char *path = xasprintf("%s/%s", dir, entries[i]->d_name);
			printf("# %s\n", path);
			fflush(stdout);
			run_file(path);
			free(path);
			inputs++;
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	free(dir);
	return inputs;
}

int
main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash != NULL ? slash + 1 : argv[0];
	int inputs = argc - 1;

	puts("1..1");
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	if (argc == 1)
		inputs = run_corpus(name);
	printf("%s 1 - corpus of %s, %d inputs\n", inputs > 0 ? "ok" : "not ok", name, inputs);
	return inputs > 0 ? 0 : 1;
}
