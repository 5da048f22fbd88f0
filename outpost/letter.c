/* letter.c - see letter.h. */
#include "outpost/letter.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "results/mime.h"

static const char *
text_of(const struct event *e, enum event_key key)
{
	return e->v[key].set ? e->v[key].text : "";
}

bool
letter_read(struct letter *l, const struct event *e)
{
	if (e->kind != EV_SMTP_OPERATOR)
		return false;
	*l = (struct letter){ .t_us = e->t,
		.peer = text_of(e, EK_PEER),
		.from = text_of(e, EK_FROM),
		.mailbox = text_of(e, EK_MAILBOX),
		.subject = text_of(e, EK_SUBJECT),
		.octets = e->v[EK_BYTES].num,
		.tls = e->v[EK_TLS].num != 0,
		.taken = e->v[EK_REPLY].num / 100 == 2 };
	snprintf(l->name, sizeof l->name, "%lld.%06lld_%u_%llu.%.40s",
	    (long long)(e->t / CLOCK_SECOND), (long long)(e->t % CLOCK_SECOND), e->worker,
	    (unsigned long long)e->n, e->node);
	for (char *p = l->name; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("._-", *p) == NULL)
			*p = '-';
	return true;
}

/* Into a header field, where a line end would begin another one. */
static void
put_word(struct strbuf *b, const char *s)
{
	for (; *s != '\0'; s++)
		strbuf_add(b, iscntrl((unsigned char)*s) ? "?" : s, 1);
}

static void
put_date(struct strbuf *b, int64_t t_us)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)(t_us / CLOCK_SECOND);
	struct tm tm;

	if (gmtime_r(&t, &tm) != NULL) /* RFC 5322 3.3 */
		strbuf_printf(b, "%s, %d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday,
		    months[tm.tm_mon], 1900 + tm.tm_year, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

bool
letter_file(struct strbuf *dst, const struct letter *l, const struct event *e, const char *base)
{
	const struct event_value *data = &e->v[EK_DATA];
	struct strbuf raw = { 0 };
	bool good = data->set && !e->v[EK_CUT].set &&
		    mime_base64(&raw, data->text, data->len, EVENT_LINE_MAX) &&
		    raw.len == (size_t)l->octets;

	strbuf_puts(dst, "Return-Path: <");
	put_word(dst, l->from);
	strbuf_puts(dst, ">\nDelivered-To: ");
	put_word(dst, l->mailbox);
	strbuf_printf(dst, "@%s\nReceived: from [", base);
	put_word(dst, l->peer);
	strbuf_printf(dst, "] by mail.%s with %s; ", base, l->tls ? "ESMTPS" : "ESMTP");
	put_date(dst, l->t_us);
	strbuf_puts(dst, "\n");
	for (size_t i = 0; i < raw.len; i++)
		if (raw.s[i] != '\r' || i + 1 == raw.len || raw.s[i + 1] != '\n')
			strbuf_add(dst, raw.s + i, 1);
	strbuf_clear(&raw);
	return good;
}
