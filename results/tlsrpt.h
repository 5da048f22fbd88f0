/* tlsrpt.h - reads a TLS report (RFC 8460) that a stranger sent.  Pure; bounded: what a report may
 * hold is limited before it is read (compressed size by the caller, size and ratio here, values by
 * lib/json.h, policies and failures here). */
#ifndef RESULTS_TLSRPT_H
#define RESULTS_TLSRPT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/strbuf.h"

#define TLSRPT_TEXT_MAX     (2u << 20) /* octets of JSON */
#define TLSRPT_RATIO_MAX    200        /* how far gzip may have shrunk it, beyond 64 KiB */
#define TLSRPT_POLICIES_MAX 32
#define TLSRPT_FAILURES_MAX 64 /* of one policy */
#define TLSRPT_PROBLEMS_MAX 16

enum tlsrpt_class { /* RFC 8460 4.3 */
	TLSRPT_STARTTLS_NOT_SUPPORTED,
	TLSRPT_CERTIFICATE_HOST_MISMATCH,
	TLSRPT_CERTIFICATE_EXPIRED,
	TLSRPT_CERTIFICATE_NOT_TRUSTED,
	TLSRPT_VALIDATION_FAILURE,
	TLSRPT_TLSA_INVALID,
	TLSRPT_DNSSEC_INVALID,
	TLSRPT_DANE_REQUIRED,
	TLSRPT_STS_POLICY_FETCH_ERROR,
	TLSRPT_STS_POLICY_INVALID,
	TLSRPT_STS_WEBPKI_INVALID,
	TLSRPT_CLASS_MAX /* another word */
};

enum tlsrpt_type { TLSRPT_TLSA, TLSRPT_STS, TLSRPT_NO_POLICY_FOUND, TLSRPT_TYPE_MAX };

/* Text that is absent is "". */
struct tlsrpt_failure {
	enum tlsrpt_class class;
	const char *said; /* the class as written */
	const char *mx;   /* receiving-mx-hostname */
	const char *sending_ip, *receiving_ip, *code, *additional;
	int64_t count; /* failed-session-count; -1: none or no number */
};
struct tlsrpt_policy {
	enum tlsrpt_type type;
	const char *domain;
	int64_t successes, failures; /* -1: not said */
	struct tlsrpt_failure failure[TLSRPT_FAILURES_MAX];
	unsigned n;
};
struct tlsrpt {
	const char *organization, *contact, *id;
	int64_t start, end; /* 0: not said */
	char dkim[256];     /* d= of a DKIM-Signature, not verified; "" none, or not by mail */
	struct tlsrpt_policy *policy;
	unsigned n;
	/* What RFC 8460 wants otherwise; sentences. */
	const char *problem[TLSRPT_PROBLEMS_MAX];
	unsigned n_problems;
	struct json_doc *doc; /* owns the texts */
};

/* What came: a whole mail, or the body of a POST. */
struct tlsrpt_raw {
	bool mail;
	const char *type, *encoding; /* of a POST; "" if not said */
	const char *data;
	size_t len;
};
/* NULL: no report; why in err. */
struct tlsrpt *tlsrpt_read(const struct tlsrpt_raw *, char *err, size_t errlen);
/* The JSON alone. */
struct tlsrpt *tlsrpt_parse(const char *json, size_t len, char *err, size_t errlen);
void tlsrpt_free(struct tlsrpt *); /* accepts NULL */

/* gzip (RFC 1952) with the limits above.  0, or -1 with the reason. */
int tlsrpt_gunzip(struct strbuf *dst, const char *data, size_t len, char *err, size_t errlen);

#endif
