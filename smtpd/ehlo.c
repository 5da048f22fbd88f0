/* ehlo.c - see ehlo.h. */
#include "smtpd/ehlo.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char default_keywords[] =
    "PIPELINING SIZE 8BITMIME ENHANCEDSTATUSCODES SMTPUTF8 DSN HELP";

static const char *
keywords(const struct session *s)
{
	return s->bind.host->ehlo != NULL ? s->bind.host->ehlo : default_keywords;
}

bool
ehlo_offers(const struct session *s, const char *keyword)
{
	const char *p = keywords(s);
	size_t n = strlen(keyword), len;

	for (; *p != '\0'; p += len) {
		p += strspn(p, " ");
		len = strcspn(p, " ");
		if (len >= n && strncasecmp(p, keyword, n) == 0 && (len == n || p[n] == '='))
			return true;
	}
	return false;
}

static void
keyword_lines(struct strbuf *out, const struct session *s)
{
	const char *p = keywords(s);
	size_t len;

	for (; *p != '\0'; p += len) {
		p += strspn(p, " ");
		len = strcspn(p, " ");
		if (len == 0 || (len == 8 && strncasecmp(p, "STARTTLS", 8) == 0))
			continue;
		/* RFC 8689 2: only inside TLS. */
		if (!s->tls && len == 10 && strncasecmp(p, "REQUIRETLS", 10) == 0)
			continue;
		strbuf_puts(out, "\n");
		/* The first "=" stands for a blank; later ones are the parameter's own (RFC 9422). */
		for (size_t i = 0; i < len; i++)
			strbuf_add(out, p[i] == '=' && memchr(p, '=', i) == NULL ? " " : p + i, 1);
		if (len == 4 && strncasecmp(p, "SIZE", 4) == 0)
			strbuf_printf(
			    out, " %llu", (unsigned long long)s->env->site->conf.smtp_message);
	}
}

static void
hello_done(struct session *s, bool esmtp)
{
	size_t len = 0;

	session_reset(s);
	s->greeted = true;
	while (len < s->arg_len && s->arg[len] != ' ' && s->arg[len] != '\t')
		len++;
	session_helo(s, s->arg, len);
	s->pipelining = esmtp && ehlo_offers(s, "PIPELINING");
}

bool
ehlo_check(struct session *s)
{
	session_stage(s, s->tls ? STAGE_TLS_EHLO : STAGE_EHLO);
	return true;
}

void
ehlo_run(struct session *s)
{
	struct strbuf text = { 0 };
	char name[320];

	hello_done(s, true);
	session_name(s, name, sizeof name);
	strbuf_puts(&text, name);
	keyword_lines(&text, s);
	if (!s->tls) {
		switch (s->bind.host->starttls) {
		case STARTTLS_OFF:
			s->dev = s->dev != NULL ? s->dev : "starttls off";
			break;
		case STARTTLS_MANGLE:
			s->dev = s->dev != NULL ? s->dev : "starttls mangle";
			strbuf_puts(&text, "\nXXXXXXXX");
			break;
		case STARTTLS_OFFER:
		case STARTTLS_CODE:
		case STARTTLS_INJECT:
		case STARTTLS_ABORT:
			strbuf_puts(&text, "\nSTARTTLS");
			break;
		}
	}
	session_reply(s, 250, text.s);
	strbuf_clear(&text);
}

void
helo_run(struct session *s)
{
	char name[320];

	hello_done(s, false);
	session_name(s, name, sizeof name);
	session_reply(s, 250, name);
}

/* --- STARTTLS -------------------------------------------------------------------------------------- */

bool
starttls_check(struct session *s)
{
	if (s->tls) {
		session_reply(s, 503, "5.5.1 TLS is in use already");
		return false;
	}
	switch (s->bind.host->starttls) {
	case STARTTLS_OFF:
		s->dev = "starttls off";
		session_reply(s, 502, "5.5.1 STARTTLS is not offered here");
		return false;
	case STARTTLS_MANGLE:
		s->dev = "starttls mangle";
		session_reply(s, 500, "5.5.1 Command not recognized");
		return false;
	default:
		session_stage(s, STAGE_STARTTLS);
		return true;
	}
}

void
starttls_run(struct session *s)
{
	const struct host *h = s->bind.host;

	switch (h->starttls) {
	case STARTTLS_CODE:
		snprintf(s->dev_text, sizeof s->dev_text, "starttls %u", h->starttls_code);
		s->dev = s->dev_text;
		session_reply(s, h->starttls_code,
		    h->starttls_text != NULL ? h->starttls_text : "4.7.0 TLS not available");
		return;
	case STARTTLS_INJECT:
		s->dev = "starttls inject";
		break;
	case STARTTLS_ABORT:
		s->dev = "starttls abort";
		break;
	default:
		break;
	}
	session_reply(s, 220, "2.0.0 Go ahead");
	if (h->starttls == STARTTLS_INJECT && h->starttls_text != NULL)
		s->env->ops->reply(s->ctx, h->starttls_text, strlen(h->starttls_text));
	if (s->state != ST_CLOSING)
		s->state = ST_TLS;
}
