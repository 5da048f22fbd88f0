/* pages.h - the table of what the site serves, and its handlers (route.h). */
#ifndef WEB_PAGES_H
#define WEB_PAGES_H

#include "web/exchange.h"

extern const struct route site_routes[];

void page_start(struct exchange *); /* start.c */
void page_enrol(struct exchange *);
void page_invite(struct exchange *);
void page_tests(struct exchange *); /* tests.c */
void page_test(struct exchange *);
void page_run(struct exchange *); /* run.c */
void page_run_live(struct exchange *);
void page_run_json(struct exchange *);
void page_run_csv(struct exchange *);
void page_run_html(struct exchange *);
void page_run_changes(struct exchange *);
void page_run_text(struct exchange *);
void page_run_events(struct exchange *);
void page_run_message(struct exchange *);
void page_privacy(struct exchange *); /* about.c */
void page_robots(struct exchange *);
void page_optout(struct exchange *); /* optout.c */
void page_run_release(struct exchange *);
void page_optout_add(struct exchange *);
void page_optout_link(struct exchange *);
void page_optout_click(struct exchange *);
void api_begin(struct exchange *); /* api.c */
void api_run(struct exchange *);
void api_report(struct exchange *);
void api_release(struct exchange *);
void api_tests(struct exchange *);
void api_description(struct exchange *);

#endif
