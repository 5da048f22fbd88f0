/* findings.h - all that was found out about one message, and the JSON that says it. */
#ifndef VERIFY_FINDINGS_H
#define VERIFY_FINDINGS_H

#include "lib/strbuf.h"
#include "verify/address.h"
#include "verify/arc.h"
#include "verify/dkim.h"
#include "verify/dmarc.h"
#include "verify/fcrdns.h"
#include "verify/mail.h"
#include "verify/received.h"
#include "verify/spf.h"
#include "verify/verify.h"

/* About 500 KiB. */
struct findings {
	struct mail mail;
	struct address_author author;
	struct spf_result spf_helo, spf_mail_from;
	struct dkim_result dkim;
	struct arc_result arc;
	struct dmarc_result dmarc;
	struct fcrdns_result fcrdns;
	struct helo_result helo;
	struct received_result received;
};

/* One object, printable ASCII only, at most VERIFY_JSON_MAX octets: what does not fit is told with less
 * detail. */
void findings_json(
    struct strbuf *, const struct findings *, const struct verify_input *, const struct lookups *);

#endif
