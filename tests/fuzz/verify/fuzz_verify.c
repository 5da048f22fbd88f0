/* Any octets as a message with what the DNS says about it: a few lines "NAME TYPE text" first, an empty line,
 * "CLIENT HELO FROM", and the message.  Whatever they are, the questions come to an end and the results are
 * JSON that fits. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "verify/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define TYPE_TXT 16

/* Up to the end of the line; *text moves behind it. */
static char *
take_line(char **text)
{
	char *line = *text, *end = line + strcspn(line, "\n");

	*text = *end != '\0' ? end + 1 : end;
	*end = '\0';
	return line;
}

static char *
take_word(char **line)
{
	char *word = *line + strspn(*line, " ");

	*line = word + strcspn(word, " ");
	if (**line != '\0')
		*(*line)++ = '\0';
	return word;
}

struct zone {
	char *line[64];
	size_t n;
};

static void
answer(struct lookups *book, const struct zone *z, const struct lookup *l)
{
	static uint8_t data[16][256];
	struct lookup_rdata rdata[16];
	enum lookup_status status = LOOKUP_NXDOMAIN;
	size_t n = 0;

	for (size_t i = 0; i < z->n && n < 16; i++) {
		size_t name = strlen(l->name), len;
		const char *text;

		if (strncmp(z->line[i], l->name, name) != 0 || z->line[i][name] != ' ')
			continue;
		text = z->line[i] + name + 1;
		if (*text == '!' || *text == '?') {
			status = *text == '!' ? LOOKUP_FAILED : LOOKUP_BOGUS;
			n = 0;
			break;
		}
		status = LOOKUP_OK;
		len = strlen(text) < 255 ? strlen(text) : 255;
		memcpy(data[n] + 1, text, len);
		data[n][0] = (uint8_t)len;
		/* Of other types the octets are taken as they are. */
		rdata[n] = l->type == TYPE_TXT
			       ? (struct lookup_rdata){ data[n], (uint16_t)(len + 1) }
			       : (struct lookup_rdata){ data[n] + 1, (uint16_t)len };
		n++;
	}
	if (lookup_put(book, l->name, l->type, status, (n & 1) != 0, "because", rdata, n) != 0)
		abort();
}

static void
run(const struct verify_input *in, const struct zone *z)
{
	struct lookups *book = lookups_new(VERIFY_LOOKUPS_MAX);
	struct strbuf json = { 0 };
	struct json_doc *doc;
	char err[128];
	unsigned rounds = 0;

	while (verify_run(in, book, &json) == VERIFY_NEED) {
		const struct lookup *l;
		size_t iter = 0, n = 0;

		for (; (l = lookup_wanted(book, &iter)) != NULL; n++)
			answer(book, z, l);
		if (n == 0 || ++rounds > 100 || json.len > 0)
			abort();
	}
	if (json.len > VERIFY_JSON_MAX ||
	    (doc = json_parse(json.s, json.len, err, sizeof(err))) == NULL)
		abort();
	json_free(doc);
	strbuf_clear(&json);
	lookups_free(book);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool warm;
	char *text = xstrndup((const char *)data, len), *at = text, *line;
	struct verify_input in = { .us = "us.example", .now = 1795312800 };
	struct zone z = { .n = 0 };

	if (!warm && verify_warm_up() != 0)
		abort();
	warm = true;
	while (z.n < 64 && *(line = take_line(&at)) != '\0')
		z.line[z.n++] = line;
	line = take_line(&at);
	in.client = take_word(&line);
	in.helo = take_word(&line);
	in.from = take_word(&line);
	/* The message has all octets. */
	in.len = len - (size_t)(at - text);
	in.message = (const char *)data + (at - text);
	if ((size_t)(at - text) > len)
		in.len = 0;
	run(&in, &z);
	free(text);
	return 0;
}
