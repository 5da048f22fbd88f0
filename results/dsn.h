/* dsn.h - reads a bounce out of a stranger's mail.  Pure; bounded: 48 KiB of it, two forwards deep, 64 recipients,
 * 256 groups, each field cut to what fits.
 * RFC 3464 (message/delivery-status in multipart/report, RFC 6522), RFC 6533 (message/global-delivery-status, addresses
 * of type utf-8), RFC 3463 (status codes), RFC 5337 is obsolete and not read.
 *
 * Strict: only a multipart/report whose report-type is delivery-status is a bounce, and only groups with Action and a
 * well-formed Status count.  A bounce that somebody forwards as an attachment (message/rfc822,
 * message/global) is found; one whose text was pasted into a letter is not. */
#ifndef RESULTS_DSN_H
#define RESULTS_DSN_H

#include <stdbool.h>
#include <stddef.h>

#define DSN_MAX            49152 /* octets of a message that are read */
#define DSN_RECIPIENTS_MAX 64

/* RFC 3464 2.3.3 */
enum dsn_action {
	DSN_FAILED,
	DSN_DELAYED,
	DSN_DELIVERED,
	DSN_RELAYED,
	DSN_EXPANDED,
	DSN_ACTION_MAX
};
const char *dsn_action_name(enum dsn_action);

struct dsn_recipient {
	char final[320], original[320]; /* addresses without their type, RFC 6533 decoded; "" */
	enum dsn_action action;
	char status[12];      /* "5.7.1", RFC 3463 2 */
	char diagnostic[512]; /* without its type; "" */
	char remote_mta[256];
};
struct dsn {
	char reporting_mta[256], envelope_id[128], arrival[64];
	struct dsn_recipient rcpt[DSN_RECIPIENTS_MAX];
	unsigned n, beyond; /* recipients beyond so many are counted */
	unsigned malformed; /* groups that are none */
	char words[1024];   /* the beginning of the text for people; "" */
};

/* NULL: why says why not.  Freed with free(). */
struct dsn *dsn_read(const char *message, size_t len, char *why, size_t whylen);

/* "5" and "5.7" are of "5.7.1"; "5.7" is not of "5.70.1". */
bool dsn_status_is(const char *status, const char *prefix);

#endif
