/* trace_mail.h - the results that a step "mail v6 spf=fail spf.term=-all" of a trace stands for. */
#ifndef RESULTS_TRACE_MAIL_H
#define RESULTS_TRACE_MAIL_H

#include "lib/strbuf.h"
#include "zones/test.h"

/* The object that verify.result would carry (outpost-events(5)), in place of what b held. */
void trace_mail_results(struct strbuf *b, const struct trace_step *);

#endif
