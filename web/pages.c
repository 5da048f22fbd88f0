/* pages.c - see pages.h. */
#include "web/pages.h"

/* clang-format off */
const struct route site_routes[] = {
	{ "GET",  "/",                         page_start,      0,            0 },
	{ "POST", "/run",                      page_enrol,      ROUTE_FORM,   0 },
	{ "POST", "/invite",                   page_invite,     ROUTE_FORM,   0 },
	{ "GET",  "/run/{run}",                page_run,        ROUTE_READS, 0 },
	{ "GET",  "/run/{run}/live",           page_run_live,   ROUTE_STREAM, 0 },
	{ "GET",  "/run/{run}/report.json",    page_run_json,   ROUTE_READS, 0 },
	{ "GET",  "/run/{run}/report.csv",     page_run_csv,    ROUTE_READS, 0 },
	{ "GET",  "/run/{run}/report.html",    page_run_html,   ROUTE_READS, 0 },
	{ "GET",  "/run/{run}/changes",        page_run_changes, ROUTE_READS, 0 },
	{ "GET",  "/run/{run}/report.txt",     page_run_text,   ROUTE_READS, 0 },
	{ "GET",  "/run/{run}/events.jsonl",   page_run_events, ROUTE_READS, 0 },
	{ "GET",  "/run/{run}/message/{word}", page_run_message, 0,           0 },
	{ "POST", "/run/{run}/release",        page_run_release, ROUTE_FORM,  0 },
	{ "GET",  "/tests",                    page_tests,      0,            0 },
	{ "GET",  "/tests/{name}",             page_test,       0,            0 },
	{ "GET",  "/privacy",                  page_privacy,    0,            0 },
	{ "GET",  "/optout",                   page_optout,     0,            0 },
	{ "POST", "/optout",                   page_optout_add, ROUTE_FORM,   0 },
	{ "GET",  "/optout/{link}",            page_optout_link, 0,           0 },
	{ "POST", "/optout/{link}",            page_optout_click, ROUTE_KEY,  0 },
	{ "POST", "/api/v1/runs",              api_begin,       ROUTE_KEY,    4096 },
	{ "GET",  "/api/v1/runs/{run}",        api_run,         ROUTE_READS, 0 },
	{ "GET",  "/api/v1/runs/{run}/report", api_report,      ROUTE_READS, 0 },
	{ "POST", "/api/v1/runs/{run}/release", api_release,    ROUTE_KEY,    4096 },
	{ "GET",  "/api/v1/tests",             api_tests,       0,            0 },
	{ "GET",  "/api/v1/openapi.json",      api_description, 0,            0 },
	{ "GET",  "/robots.txt",               page_robots,     0,            0 },
	{ NULL, NULL, NULL, 0, 0 },
};
/* clang-format on */
