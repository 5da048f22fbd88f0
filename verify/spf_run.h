/* spf_run.h - one evaluation under way: what spf.c (records) and spf_term.c (terms) share. */
#ifndef VERIFY_SPF_RUN_H
#define VERIFY_SPF_RUN_H

#include "verify/spf.h"
#include "verify/spf_macro.h"
#include "verify/spf_record.h"

#define SPF_TYPE_A    1
#define SPF_TYPE_PTR  12
#define SPF_TYPE_MX   15
#define SPF_TYPE_TXT  16
#define SPF_TYPE_AAAA 28

struct spf_run {
	struct lookups *book;
	struct spf_result *out;
	struct spf_macro macro; /* .domain is the one whose record is evaluated */
	char client[SPF_ADDRESS_SIZE];
	char validated[256];    /* what macro.validated points to */
	bool need;              /* an answer is missing: nothing that comes after counts */
	bool explaining;        /* lookups count no longer */
	bool void_term;         /* the term under way has been counted as void */
	unsigned depth;         /* of includes */
	struct spf_step *step;  /* the term under way */
	struct spf_step unseen; /* for those beyond the trace */
};

/* The answer, noted in need and secure. */
const struct lookup *spf_ask(struct spf_run *, const char *name, uint16_t type);
/* A name as octets (macros expanded) to one that lookup_get takes. */
void spf_name(char dst[LOOKUP_NAME_SIZE], const char *raw);
/* Any octets as the result holds text. */
void spf_text(char *dst, size_t size, const char *s, size_t len);
/* The first reason of a run stays. */
void spf_reason(struct spf_run *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* %{p}: sets macro.validated. */
void spf_validate(struct spf_run *);
/* The name that a term is about: its domain-spec expanded, or the domain of the record.  -1: one void
 * lookup too many, with reason. */
int spf_target(struct spf_run *, const struct spf_term *, char dst[SPF_DOMAIN_SIZE]);
/* One more term that looks something up: -1 over the limit, with reason. */
int spf_count(struct spf_run *);
/* a, mx, ptr, ip4, ip6, exists. */
enum spf_outcome spf_term(struct spf_run *, const struct spf_term *);

#endif
