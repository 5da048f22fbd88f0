/* desk.h - what handlers can ask and change: the site, the runs, their reports.  One process changes things, one
 * request after the other; others, the readers, make reports (ROUTE_READS), each of them one after the other too.
 * They speak with no stranger, only with the process that does (frame.h).
 *
 * Reports are kept, a few at a time and all together of no more observations than two of them may have, and made again only when something was stored of their token (at
 * most every two seconds), or after a minute, because verdicts also change with time. */
#ifndef WEB_DESK_H
#define WEB_DESK_H

#include "lib/listen.h"
#include "provisioning/apikeys.h"
#include "provisioning/invitations.h"
#include "provisioning/optout.h"
#include "provisioning/released.h"
#include "provisioning/runs.h"
#include "results/report.h"

struct desk;
/* reader: it only tells, and has no list of who is to be written to.  NULL: logged. */
struct desk *desk_open(const struct site *, bool reader);
void desk_close(struct desk *); /* accepts NULL */

const struct site *desk_site(const struct desk *);
const uint8_t *desk_form_key(const struct desk *); /* 32 octets, for csrf.h */

/* Who wants no mail, as of now.  NULL: it cannot be known, so nobody is written to; logged. */
struct optouts *desk_optouts(struct desk *);

/* The run of this id, as it stands in a URL, valid until the next call of this or of one that enrols; NULL: there is
 * none. */
const struct run *desk_run(struct desk *, const char *id);
/* Its report, valid until the next call of any desk function.  NULL: *why is a sentence. */
const struct report *desk_report(
    struct desk *, const struct run *, int64_t now_us, const char **why);
/* What report_html_body writes of a report that desk_report gave, kept as long as that. */
const struct strbuf *desk_report_body(struct desk *, const struct report *);
/* Two of them at once, valid as above.  false: *why is a sentence. */
bool desk_reports(const struct report **a, const struct report **b, struct desk *,
    const struct run *of_a, const struct run *of_b, int64_t now_us, const char **why);
/* Ends what its participant still has queued (provisioning/released.h).  0, or -1 logged. */
int desk_release(struct desk *, const struct run *, const char *by, int64_t now_us);
/* Its event lines, as store_events. */
int desk_events(struct desk *, const struct run *,
    int (*row)(void *ctx, const char *line, size_t len), void *ctx);

/* The text of the file of a test, as it was when the process started. */
const char *desk_source(const struct desk *, const struct test *);

/* A new participant who came over the web, if the limits of the day allow it.  domain: of the mail address
 * that an invitation would go to; NULL: none goes.  On DESK_DONE *dst is the run. */
enum desk_result {
	DESK_DONE,
	DESK_NO_SET,
	DESK_NO_ADDRESS,
	DESK_CLIENT_LIMIT,
	DESK_DOMAIN_LIMIT,
	DESK_SITE_LIMIT,
	DESK_FAILED
};
enum desk_result desk_enrol(const struct run **dst, struct desk *, const char *set,
    const union sockaddr_any *client, const char *domain, int64_t now_us);

/* The same for one who is to be written to; the page of the run is told to nobody but in that mail.  An
 * address that opted out, is below our own base, or was asked for or written to as often as it may be in a
 * day, is DESK_DONE too, counts and costs the same, and no mail goes: who asks learns nothing about it. */
enum desk_result desk_invite(struct desk *, const char *set, const union sockaddr_any *client,
    const char *address, int64_t now_us);

/* The key of a program, as of now; NULL: it is none. */
const struct apikey *desk_key(struct desk *, const char *text);
/* A run that a program begins: counted for its key, not for its address. */
enum desk_result desk_enrol_key(const struct run **dst, struct desk *, const char *set,
    const char *label, const struct apikey *, int64_t now_us);

/* Looks what is new in the store and the journals; changed (may be NULL) is called with the subject ("run ID") of each
 * run of which something was stored.  0, or -1 logged. */
int desk_look(struct desk *, void (*changed)(void *ctx, const char *subject), void *ctx);
/* What exchange->subject is for the page of a run. */
void desk_subject(char *dst, size_t dstlen, const struct run *);

/* Answers requests of the socket until the other side is gone or SIGTERM.  The exit code. */
int desk_serve(struct desk *, int fd);
bool desk_is_reader(const struct desk *); /* then it tells no news */

#endif
