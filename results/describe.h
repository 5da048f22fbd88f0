/* describe.h - an observation in words, for the timeline of a report. */
#ifndef RESULTS_DESCRIBE_H
#define RESULTS_DESCRIBE_H

#include "lib/strbuf.h"
#include "results/tlsrpt_match.h"

/* Which protocol it belongs to: "DNS", "TCP", "TLS", "SMTP", "mail", "site". */
const char *describe_layer(const struct observation *);
/* What a stranger said: printable ASCII as it is, other bytes as '?', cut when long. */
void describe_said(struct strbuf *, const char *);
/* Text of one line: UTF-8 that only shows itself stays, a control character becomes a blank, other octets '?'. */
void describe_text(struct strbuf *, const char *);
/* One line of ASCII without control characters.  Markup in it is not escaped. */
void describe_event(struct strbuf *, const struct observation *);
void describe_attempt(struct strbuf *, const struct attempt *);
/* A TLS report in one line, and each of its rows: what it says, and whether that is so. */
void describe_report(struct strbuf *, const struct received_report *);
void describe_report_row(struct strbuf *, const struct tlsrpt_row *);
/* What a resolver does: "EDNS 1232, wants DNSSEC records, TCP, 18 source ports". */
void describe_resolver(struct strbuf *, const struct resolver *);
/* "2 addresses, 1 of them IPv6; its members differ: cookies, TCP". */
void describe_farm(struct strbuf *, const struct correlation *);
/* For people: "50 ms", "4.2 s", "6 min 59 s". */
void describe_duration(char dst[32], int64_t us);
/* "2026-11-21 20:00:00" UTC, with milliseconds if so. */
void describe_time(char dst[32], int64_t t, bool milliseconds);

#endif
