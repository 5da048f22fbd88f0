/* bdat.c - see bdat.h. */
#include "smtpd/bdat.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "smtpd/session.h"

/* "20 LAST": false: malformed. */
static bool
parse(uint64_t *size, bool *last, const char *arg, size_t len)
{
	size_t i = 0;

	*size = 0;
	for (; i < len && arg[i] >= '0' && arg[i] <= '9'; i++) {
		if (i == 18) /* 20DIGIT would pass 64 bits */
			return false;
		*size = *size * 10 + (uint64_t)(arg[i] - '0');
	}
	if (i == 0)
		return false;
	*last = false;
	if (i == len)
		return true;
	if (arg[i] != ' ')
		return false;
	while (i < len && arg[i] == ' ')
		i++;
	*last = len - i == 4 && strncasecmp(arg + i, "LAST", 4) == 0;
	return *last;
}

/* The chunk is complete: its reply. */
static void
chunk_end(struct session *s)
{
	struct bdat *b = &s->bdat;
	char text[64];

	b->active = false;
	s->state = ST_COMMAND;
	s->arg = b->arg;
	s->arg_len = strlen(b->arg);
	s->cmd = command_bdat();
	if (b->code != 0) {
		snprintf(text, sizeof text, "5.5.1 BDAT: %s",
		    b->code == 552 ? "message too big" : "no valid recipients");
		session_reply(s, b->code, text);
	} else if (!b->last) {
		snprintf(text, sizeof text, "2.0.0 %llu octets", (unsigned long long)b->chunk);
		session_reply(s, 250, text);
	} else {
		data_end(s->data);
		message_done(s);
		return; /* what the command names may be gone with the transaction */
	}
	s->arg = NULL;
	s->arg_len = 0;
}

void
bdat_run(struct session *s)
{
	struct bdat *b = &s->bdat;
	uint64_t size, max = s->env->site->conf.smtp_message;
	bool last;

	if (!parse(&size, &last, s->arg, s->arg_len)) {
		/* How many octets follow is not known: nothing that comes can be trusted. */
		session_reply(s, 501, "5.5.4 Syntax: BDAT size [LAST]");
		session_close(s, HOW_OURS, false);
		return;
	}
	memset(b, 0, sizeof *b);
	snprintf(b->arg, sizeof b->arg, "%.*s", (int)s->arg_len, s->arg);
	b->active = true;
	b->last = last;
	b->chunk = b->left = size;
	if (!s->mail || s->n_rcpts == 0)
		b->code = 503;
	else if (size > max || (s->data != NULL && s->data->size + size > max))
		b->code = 552;
	if (b->code == 0) {
		session_stage(s, STAGE_DATA);
		if (s->data == NULL)
			message_begin(s);
	}
	s->state = ST_DATA;
	if (size == 0)
		chunk_end(s);
}

size_t
bdat_input(struct session *s, const char *bytes, size_t len)
{
	struct bdat *b = &s->bdat;
	size_t n = len < b->left ? len : (size_t)b->left;

	if (b->code == 0)
		data_chunk(s->data, bytes, n);
	b->left -= n;
	if (b->left == 0)
		chunk_end(s);
	return n;
}
