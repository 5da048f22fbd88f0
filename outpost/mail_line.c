/* mail_line.c - see mail_line.h. */
#include "outpost/mail_line.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What is left of a line. */
struct rest {
	const char *s, *end;
};

static size_t
left(const struct rest *r)
{
	return (size_t)(r->end - r->s);
}

static bool
skip(struct rest *r, const char *word)
{
	size_t n = strlen(word);

	if (left(r) < n || memcmp(r->s, word, n) != 0)
		return false;
	r->s += n;
	return true;
}

/* Up to the first of the marks, which is skipped; octets that are not text become "?".  false: there is none. */
static bool
until(char *dst, size_t dstlen, struct rest *r, const char *mark)
{
	const char *at = memmem(r->s, left(r), mark, strlen(mark));
	size_t n = 0;

	if (at == NULL)
		return false;
	for (const char *p = r->s; p < at && n + 1 < dstlen; p++)
		dst[n++] = (unsigned char)*p >= 0x20 && (unsigned char)*p != 0x7f ? *p : '?';
	dst[n] = '\0';
	r->s = at + strlen(mark);
	return true;
}

static void
all(char *dst, size_t dstlen, struct rest r)
{
	size_t n = 0;

	for (; r.s < r.end && n + 1 < dstlen; r.s++)
		dst[n++] = (unsigned char)*r.s >= 0x20 && (unsigned char)*r.s != 0x7f ? *r.s : '?';
	dst[n] = '\0';
}

static struct rest
word(struct rest *r)
{
	struct rest w;

	while (r->s < r->end && *r->s == ' ')
		r->s++;
	w.s = r->s;
	while (r->s < r->end && *r->s != ' ')
		r->s++;
	w.end = r->s;
	return w;
}

static bool
only(struct rest w, const char *more)
{
	if (w.s == w.end)
		return false;
	for (; w.s < w.end; w.s++)
		if (!isdigit((unsigned char)*w.s) && (*w.s == '\0' || strchr(more, *w.s) == NULL))
			return false;
	return true;
}

static unsigned long
number(struct rest w, unsigned long max)
{
	unsigned long n = 0;

	for (; w.s < w.end && isdigit((unsigned char)*w.s); w.s++) {
		if (n > (max - 9) / 10)
			return 0;
		n = n * 10 + (unsigned long)(*w.s - '0');
	}
	return n;
}

/* --- what both have ------------------------------------------------------------------------------------------- */

/* "HOST[ADDRESS]" or "HOST [ADDRESS]", ":PORT" may follow. */
static void
read_relay(struct mail_line *dst, struct rest r)
{
	char host[sizeof dst->host], address[sizeof dst->address];

	if (!until(host, sizeof host, &r, "[") || !until(address, sizeof address, &r, "]"))
		return;
	if (host[0] != '\0' && host[strlen(host) - 1] == ' ')
		host[strlen(host) - 1] = '\0';
	memcpy(dst->host, host, sizeof host);
	memcpy(dst->address, address, sizeof address);
	if (skip(&r, ":"))
		dst->port = (unsigned)number(r, 65535);
}

/* "550 5.1.1 text": the code begins a word and three digits are all of it. */
static void
read_reply(struct mail_line *dst, struct rest r)
{
	struct rest first = word(&r), second = word(&r);

	if (!only(first, "-") || left(&first) < 3 || (left(&first) > 3 && first.s[3] != '-') ||
	    first.s[0] < '2' || first.s[0] > '5')
		return;
	dst->reply = (unsigned)number((struct rest){ first.s, first.s + 3 }, 999);
	if (dst->dsn[0] == '\0' && only(second, ".") && left(&second) >= 5)
		all(dst->dsn, sizeof dst->dsn, second);
}

/* The versions by the names that Postfix has for them. */
static void
put_version(char *dst, size_t dstlen, struct rest w)
{
	char text[16];
	const char *p = text;

	all(text, sizeof text, w);
	if (strncmp(p, "TLS", 3) != 0) {
		memcpy(dst, text, dstlen < sizeof text ? dstlen : sizeof text);
		dst[dstlen - 1] = '\0';
		return;
	}
	p += 3;
	p += *p == 'v';
	memcpy(dst, "TLSv", 4);
	strncpy(dst + 4, strcmp(p, "1.0") == 0 ? "1" : p, dstlen - 5);
	dst[dstlen - 1] = '\0';
}

/* --- Postfix -------------------------------------------------------------------------------------------------- */

static bool
read_queue(struct mail_line *dst, struct rest *r)
{
	struct rest before = *r;

	if (!until(dst->queue, sizeof dst->queue, r, ": ") || r->s - before.s < 7 ||
	    r->s - before.s > 32)
		return false;
	for (const char *p = dst->queue; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p))
			return false;
	return true;
}

/* "Trusted TLS connection established to HOST[ADDRESS]:PORT: TLSv1.3 with cipher NAME (...)" */
static bool
read_tls(struct mail_line *dst, struct rest r)
{
	static const char *const levels[][2] = { { "Anonymous ", "anonymous" },
		{ "Untrusted ", "untrusted" }, { "Trusted ", "trusted" },
		{ "Verified ", "verified" } };
	char relay[400], version[32];
	size_t i = 0;

	while (i < sizeof levels / sizeof *levels && !skip(&r, levels[i][0]))
		i++;
	if (i == sizeof levels / sizeof *levels || !skip(&r, "TLS connection ") ||
	    (!skip(&r, "established to ") && !skip(&r, "reused to ")) ||
	    !until(relay, sizeof relay, &r, ": ") ||
	    !until(version, sizeof version, &r, " with cipher ") ||
	    !until(dst->cipher, sizeof dst->cipher, &r, " "))
		return false;
	read_relay(dst, (struct rest){ relay, relay + strlen(relay) });
	put_version(
	    dst->version, sizeof dst->version, (struct rest){ version, version + strlen(version) });
	dst->verified = levels[i][1];
	dst->kind = MAIL_LINE_TLS;
	return dst->host[0] != '\0' && dst->version[0] != '\0';
}

/* In the brackets behind the status: "250 2.0.0 Ok", "host H[A] said: 550 ... (in reply to ...)", or why there was no
 * reply. */
static void
read_text(struct mail_line *dst, struct rest r)
{
	struct rest said = r;
	char host[400];

	if (skip(&said, "host ") && until(host, sizeof host, &said, " said: "))
		r = said;
	all(dst->text, sizeof dst->text, r);
	read_reply(dst, r);
}

static bool
read_status(struct mail_line *dst, struct rest r)
{
	struct rest status = word(&r);
	char name[16];

	all(name, sizeof name, status);
	dst->what = strcmp(name, "sent") == 0       ? "delivered"
		    : strcmp(name, "deferred") == 0 ? "deferred"
		    : strcmp(name, "bounced") == 0  ? "refused"
						    : NULL;
	if (dst->what == NULL)
		return false;
	if (skip(&r, " (")) {
		if (left(&r) > 0 && r.end[-1] == ')')
			r.end--;
		read_text(dst, r);
	}
	dst->kind = MAIL_LINE_DELIVERY;
	return true;
}

/* "to=<...>, relay=..., delay=..., dsn=2.0.0, status=sent (...)": the status is the last. */
static bool
read_attempt(struct mail_line *dst, struct rest r)
{
	char value[400];

	if (!skip(&r, "to=<") || !until(dst->to, sizeof dst->to, &r, ">, "))
		return false;
	while (!skip(&r, "status=")) {
		bool relay = skip(&r, "relay="), dsn = !relay && skip(&r, "dsn=");
		const char *start = value;

		if (!until(value, sizeof value, &r, ", "))
			return false;
		if (relay)
			read_relay(dst, (struct rest){ start, start + strlen(start) });
		else if (dsn)
			all(dst->dsn, sizeof dst->dsn,
			    (struct rest){ start, start + strlen(start) });
	}
	return read_status(dst, r);
}

static bool
read_cleanup(struct mail_line *dst, struct rest r)
{
	if (!read_queue(dst, &r) || !skip(&r, "message-id="))
		return false;
	all(dst->msgid, sizeof dst->msgid, r);
	dst->kind = MAIL_LINE_ID;
	return true;
}

static bool
read_qmgr(struct mail_line *dst, struct rest r)
{
	if (!read_queue(dst, &r))
		return false;
	dst->kind = MAIL_LINE_GONE;
	if (left(&r) == 7 && skip(&r, "removed"))
		return true;
	if (!skip(&r, "from=<") || !until(dst->from, sizeof dst->from, &r, ">, "))
		return false;
	dst->kind = MAIL_LINE_FROM;
	if (skip(&r, "status=expired")) {
		dst->kind = MAIL_LINE_DELIVERY;
		dst->what = "refused";
		strcpy(dst->text, "it waited too long in the queue");
	}
	return true;
}

static bool
read_smtp(struct mail_line *dst, struct rest r)
{
	if (read_tls(dst, r))
		return true;
	dst->host[0] = dst->version[0] = dst->cipher[0] = '\0';
	dst->verified = "";
	if (!read_queue(dst, &r))
		return false;
	dst->kind = MAIL_LINE_LOST;
	if (skip(&r, "lost connection with ") || skip(&r, "conversation with ") ||
	    skip(&r, "Cannot start TLS"))
		return true;
	return read_attempt(dst, r);
}

static bool
read_error(struct mail_line *dst, struct rest r)
{
	return read_queue(dst, &r) && read_attempt(dst, r);
}

static bool
read_postfix(struct mail_line *dst, struct rest tag, struct rest r)
{
	static const struct {
		const char *name;
		bool (*read)(struct mail_line *, struct rest);
	} daemons[] = {
		{ "/cleanup[", read_cleanup },
		{ "/qmgr[", read_qmgr },
		{ "/smtp[", read_smtp },
		{ "/error[", read_error },
	};

	for (size_t i = 0; i < sizeof daemons / sizeof *daemons; i++) {
		const char *at = memmem(
		    tag.s, left(&tag), daemons[i].name, strlen(daemons[i].name));
		struct rest pid;

		if (at == NULL)
			continue;
		pid = (struct rest){ at + strlen(daemons[i].name), tag.end - 2 };
		if (pid.s >= pid.end || !only(pid, ""))
			return false;
		dst->pid = number(pid, 999999999);
		return dst->pid != 0 && daemons[i].read(dst, r);
	}
	return false;
}

/* --- Exim ----------------------------------------------------------------------------------------------------- */

/* "1xABCD-00000a-AB"; "1xABCD-00000000abc-AbCd" from 4.97 on */
static bool
is_exim_id(struct rest w)
{
	static const size_t parts[][3] = { { 6, 6, 2 }, { 6, 11, 4 } };

	for (size_t i = 0; i < 2; i++) {
		const size_t *p = parts[i];
		bool ok = left(&w) == p[0] + p[1] + p[2] + 2 && w.s[p[0]] == '-' &&
			  w.s[p[0] + 1 + p[1]] == '-';

		for (const char *c = w.s; ok && c < w.end; c++)
			ok = isalnum((unsigned char)*c) || *c == '-';
		if (ok)
			return true;
	}
	return false;
}

/* "X=TLS1.3:ECDHE_X25519__RSA_SHA256__AES_256_GCM:256" */
static void
read_exim_tls(struct mail_line *dst, struct rest w)
{
	const char *colon = memchr(w.s, ':', left(&w)), *last;

	if (colon == NULL)
		return;
	put_version(dst->version, sizeof dst->version, (struct rest){ w.s, colon });
	last = memrchr(colon, ':', (size_t)(w.end - colon));
	all(dst->cipher, sizeof dst->cipher,
	    (struct rest){ colon + 1, last > colon ? last : w.end });
	dst->verified = "untrusted";
}

/* " DT=0.018s", which is this host's word: log_selector = +deliver_time. */
static void
cut_time(struct rest *r)
{
	const char *blank = memrchr(r->s, ' ', left(r));
	struct rest time;

	if (blank == NULL)
		return;
	time = (struct rest){ blank + 1, r->end };
	if (skip(&time, "DT=") && only(time, ".smhd"))
		r->end = blank;
}

/* "after RCPT TO:<...>: 550 5.1.1 ...": the reply is what follows the command. */
static void
read_exim_error(struct mail_line *dst, struct rest r)
{
	static const char *const remote[] = { "SMTP error from remote mail server after ",
		"SMTP error from remote mailer after " };

	skip(&r, " ");
	cut_time(&r);
	for (size_t i = 0; i < 2; i++)
		if (skip(&r, remote[i])) {
			char command[400];

			if (!skip(&r, "end of data: ") &&
			    !until(command, sizeof command, &r, ">: "))
				until(command, sizeof command, &r, ": ");
			break;
		}
	all(dst->text, sizeof dst->text, r);
	read_reply(dst, r);
}

/* Behind C=": the reply, up to the next quote that has no backslash before it. */
static void
read_exim_reply(struct mail_line *dst, struct rest r)
{
	char text[sizeof dst->text];
	size_t n = 0;

	for (; r.s < r.end && *r.s != '"' && n < sizeof text; r.s++) {
		if (*r.s == '\\' && r.s + 1 < r.end)
			r.s++;
		text[n++] = *r.s;
	}
	all(dst->text, sizeof dst->text, (struct rest){ text, text + n });
	read_reply(dst, (struct rest){ text, text + n });
}

/* "NAME [ADDRESS]:PORT"; DS between them says that the address is signed.  true: a colon follows, this was the last field. */
static bool
read_exim_host(struct mail_line *dst, struct rest name, struct rest *r)
{
	char relay[sizeof dst->host + sizeof dst->address];
	struct rest before = *r, w = word(r);

	if (left(&w) == 2 && memcmp(w.s, "DS", 2) == 0)
		w = word(r);
	if (left(&w) == 0 || *w.s != '[') {
		*r = before; /* "[ADDRESS]" alone, or nothing that we know */
		w = (struct rest){ name.end, name.end };
	}
	all(relay, sizeof dst->host, name);
	all(relay + strlen(relay), sizeof dst->address, w);
	read_relay(dst, (struct rest){ relay, relay + strlen(relay) });
	return left(&w) > 0 && w.end[-1] == ':';
}

/* Behind DN=": a stranger's words.  false: there is no end of them. */
static bool
skip_exim_name(struct rest *r)
{
	while (r->s < r->end && *r->s != '"')
		r->s++;
	return skip(r, "\"");
}

/* Fields of a delivery, and behind a colon why it failed.  What comes behind DN= is no longer this host's. */
static void
read_exim_fields(struct mail_line *dst, struct rest r)
{
	bool ours = true;

	while (r.s < r.end) {
		struct rest w = word(&r);
		bool last = w.s < w.end && w.end[-1] == ':';

		w.end -= last;
		if (left(&w) > 4 && memcmp(w.s, "DN=\"", 4) == 0) {
			r.s = w.s + 4;
			ours = false;
			if (!skip_exim_name(&r))
				return;
			last = skip(&r, ":");
		} else if (left(&w) > 3 && memcmp(w.s, "C=\"", 3) == 0) {
			read_exim_reply(dst, (struct rest){ w.s + 3, r.end });
			return;
		} else if (ours && left(&w) > 2 && memcmp(w.s, "H=", 2) == 0) {
			last |= read_exim_host(dst, (struct rest){ w.s + 2, w.end }, &r);
		} else if (ours && left(&w) > 2 && memcmp(w.s, "X=", 2) == 0) {
			read_exim_tls(dst, (struct rest){ w.s + 2, w.end });
		} else if (ours && left(&w) > 3 && memcmp(w.s, "CV=", 3) == 0) {
			if (w.s[3] != 'n' && dst->version[0] != '\0')
				dst->verified = "verified";
		}
		if (last) {
			read_exim_error(dst, r);
			return;
		}
	}
}

/* "defer (-52): retry time not reached": it was not tried at all, by the router, by the transport to any host, or here. */
static bool
is_exim_waiting(struct rest r)
{
	static const char *const codes[] = { " defer (-52)", " defer (-53)", " defer (-54)" };
	const char *colon = memmem(r.s, left(&r), ": ", 2);

	for (size_t i = 0; i < 3; i++) {
		const char *at = memmem(r.s, left(&r), codes[i], strlen(codes[i]));

		if (at != NULL && (colon == NULL || at < colon))
			return true;
	}
	return false;
}

static bool
read_exim(struct mail_line *dst, struct rest r)
{
	struct rest id = word(&r), flag = word(&r), address = word(&r);
	char field[sizeof dst->msgid - 2];

	if (!is_exim_id(id) || left(&flag) < 2)
		return false;
	all(dst->queue, sizeof dst->queue, id);
	dst->kind = MAIL_LINE_GONE;
	if (left(&flag) == 9 && memcmp(flag.s, "Completed", 9) == 0)
		return true;
	if (left(&flag) != 2 || left(&address) == 0)
		return false;
	if (memcmp(flag.s, "<=", 2) == 0) {
		dst->kind = MAIL_LINE_ID;
		all(dst->from, sizeof dst->from, address);
		for (struct rest w = word(&r); left(&w) > 0; w = word(&r))
			if (left(&w) > 3 && memcmp(w.s, "id=", 3) == 0 && dst->msgid[0] == '\0') {
				all(field, sizeof field, (struct rest){ w.s + 3, w.end });
				dst->msgid[0] = '<';
				strcpy(dst->msgid + 1, field);
				strcat(dst->msgid, ">");
			}
		return dst->msgid[0] != '\0';
	}
	dst->kind = MAIL_LINE_DELIVERY;
	dst->what = memcmp(flag.s, "=>", 2) == 0 || memcmp(flag.s, "->", 2) == 0 ? "delivered"
		    : memcmp(flag.s, "==", 2) == 0                               ? "deferred"
		    : memcmp(flag.s, "**", 2) == 0                               ? "refused"
										 : NULL;
	if (dst->what == NULL)
		return false;
	if (*flag.s == '=' && flag.s[1] == '=' && is_exim_waiting(r))
		return false;
	if (address.end[-1] == ':') {
		address.end--;
		read_exim_error(dst, r);
	} else {
		read_exim_fields(dst, r);
	}
	all(dst->to, sizeof dst->to, address);
	return true;
}

/* --- a line --------------------------------------------------------------------------------------------------- */

/* "2026-11-22 05:38:34", a time zone and a process may follow */
static bool
skip_exim_time(struct rest *r)
{
	struct rest day = word(r), hour = word(r), before;

	if (left(&day) != 10 || !only(day, "-") || left(&hour) < 8 || !only(hour, ":."))
		return false;
	for (before = *r;; before = *r) {
		struct rest w = word(r);

		if (is_exim_id(w) || !only(w, "+-[]")) {
			*r = before;
			return true;
		}
	}
}

bool
mail_line_read(struct mail_line *dst, const char *line, size_t len)
{
	struct rest r = { line, line + len }, tag, first;

	memset(dst, 0, sizeof *dst);
	dst->verified = "";
	if (skip_exim_time(&r)) {
		if (read_exim(dst, r))
			return true;
	} else {
		/* "Nov 22 05:38:34 HOST TAG:" or, as rsyslog has it, "2026-11-22T05:38:34.1+00:00 HOST TAG:" */
		r.s = line;
		first = word(&r);
		if (left(&first) > 0 && !isdigit((unsigned char)first.s[0])) {
			word(&r);
			word(&r);
		}
		word(&r);
		tag = word(&r);
		if (left(&tag) < 2 || tag.end[-1] != ':') {
			dst->kind = MAIL_LINE_OTHER;
			return false;
		}
		r.s += r.s < r.end;
		if (left(&tag) > 3 && memcmp(tag.s, "exim", 4) == 0) {
			struct rest timed = r;

			if (read_exim(dst, skip_exim_time(&timed) ? timed : r))
				return true;
		} else if (read_postfix(dst, tag, r)) {
			return true;
		}
	}
	dst->kind = MAIL_LINE_OTHER;
	return false;
}
