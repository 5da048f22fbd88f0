/* reason.h - the {placeholders} of a verdict's reason.
 *
 *   {attempts}   number of attempts            {addresses} number of the sender's addresses in them
 *   {schedule}   when they came, since the first     {gaps} the times between them
 *   {delay}      from the first attempt to the first acceptance
 *   {horizon}    from the first attempt to the last
 *   {completed}  commands of the last session  {tls} "TLSv1.3, CIPHER" or "in clear" of the accepted or last one
 *   {stage}      furthest stage of any attempt {next} when the next retry is due at the latest
 *   {control}    controls that are missing
 *   {spf} {helo} {dkim} {dmarc} {arc} {fcrdns} {ehlo}   how the messages were judged by this method, over
 *                each family what is worst: "IPv4: pass by a; IPv6: fail by -all"
 *   {unjudged}   why a message was not judged */
#ifndef RESULTS_REASON_H
#define RESULTS_REASON_H

#include "results/evaluate.h"

void reason_fill(
    char *dst, size_t len, const char *text, const struct evaluation *, const struct verdict *);

#endif
