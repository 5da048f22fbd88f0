/* names.h - the closed tables of names: RR types, rcodes, and the template names of owners. */
#ifndef ZONES_NAMES_H
#define ZONES_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many words RDATA of the type has in our text; max 0: any number. */
void rrtype_fields(uint16_t type, unsigned *min, unsigned *max);
bool rrtype_can_be_asked(uint16_t type); /* not OPT, TSIG and their kind */

/* A name of a template: labels in lower case, then one placeholder that stands for the rest, e.g.
 * "_25._tcp.{mx0}", "{d}", "ns.{zone}", "{d:b}"; or "{t}.LABEL.{zone}" in the place of the placeholder: a
 * further mail domain of the participant. */
enum name_root { ROOT_D, ROOT_MX, ROOT_ZONE, ROOT_BASE, ROOT_SIDE };
struct template_name {
	enum name_root root;
	unsigned host;     /* ROOT_MX: K */
	unsigned zone;     /* 0 the test's own, 1 "b" */
	const char *label; /* what stands before the placeholder, with its final dot */
	size_t label_len;
	const char *side; /* ROOT_SIDE: LABEL */
	size_t side_len;
};
/* 0, or -1 with what and why. */
int template_name_parse(struct template_name *dst, const char *name, char *err, size_t errlen);

/* One {placeholder} of RDATA text. */
enum placeholder_kind {
	PH_TOKEN,
	PH_D,
	PH_ZONE,
	PH_BASE,
	PH_MX,
	PH_NS4,
	PH_NS6,
	PH_MAIL4, /* takes mail for who runs the site */
	PH_IPV4,
	PH_IPV4_REFUSED,
	PH_IPV4_SILENT,
	PH_IPV6,
	PH_IPV6_REFUSED,
	PH_IPV6_SILENT,
	PH_POLICY4, /* the HTTPS host */
	PH_POLICY6,
	PH_SPKI,
	PH_SPKI_WRONG,
	PH_SPKI512,
	PH_SPKI512_WRONG,
	PH_CERT,
	PH_CA_SPKI,
	PH_OTHER_CA_SPKI,
	PH_DKIM, /* half K of the key that signs what we write, base64 */
	PH_SPF,  /* terms that name the hosts which send what we write */
	PH_MAX
};
struct placeholder {
	enum placeholder_kind kind;
	unsigned number; /* K */
	unsigned zone;
	size_t len; /* of its text, braces included */
};
bool placeholder_needs_host(enum placeholder_kind); /* the test must say what host K is */
/* text begins at '{'.  0, or -1 with what and why. */
int placeholder_parse(struct placeholder *dst, const char *text, char *err, size_t errlen);
const char *placeholder_usage(enum placeholder_kind); /* "{ipv4:K}" */

#endif
