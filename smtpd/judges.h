/* judges.h - the two that read every accepted message: ours (verify/verify.h), and libspf2, which many
 * receivers ask and which crashes on a record that anybody can publish. */
#ifndef SMTPD_JUDGES_H
#define SMTPD_JUDGES_H

#include "smtpd/judge.h"
#include "smtpd/pool.h"

extern const struct judge judges[POOL_JUDGES];

#endif
