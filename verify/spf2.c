#include "verify/spf2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>
#include <spf2/spf.h>

#include "verify/spf_run.h"

#define NO_EXPLANATION "-" /* the library has one of its own otherwise */

struct source {
	struct lookups *book;
	bool need;
};

/* One record as the library holds it: an address, or a C string. */
static bool
put_record(SPF_dns_rr_t *rr, int i, ns_type type, const struct lookup_rdata *r)
{
	size_t skip = type == ns_t_mx ? 2 : 0;
	char name[LOOKUP_NAME_SIZE];
	struct strbuf text = { 0 };
	bool put = false;

	switch (type) {
	case ns_t_a:
	case ns_t_aaaa:
		if (r->len != (type == ns_t_a ? 4 : 16) ||
		    SPF_dns_rr_buf_realloc(rr, i, r->len) != SPF_E_SUCCESS)
			return false;
		memcpy(rr->rr[i], r->data, r->len);
		return true;
	case ns_t_mx:
	case ns_t_ptr:
		if (r->len <= skip || lookup_name(name, r->data + skip, r->len - skip) < 0)
			return false;
		strbuf_puts(&text, name);
		break;
	default:
		if (lookup_txt(&text, r) < 0)
			return false;
		strbuf_add(&text, "", 0);
	}
	if (SPF_dns_rr_buf_realloc(rr, i, text.len + 1) == SPF_E_SUCCESS) {
		memcpy(rr->rr[i]->txt, text.s, text.len + 1);
		put = true;
	}
	strbuf_clear(&text);
	return put;
}

/* The library's way to ask DNS; never NULL unless there is no memory. */
static SPF_dns_rr_t *
on_lookup(SPF_dns_server_t *server, const char *domain, ns_type type, int should_cache)
{
	struct source *s = server->hook;
	const struct lookup *l = lookup_get(s->book, domain, (uint16_t)type);
	SPF_dns_stat_t status = TRY_AGAIN;
	SPF_dns_rr_t *rr;

	(void)should_cache;
	if (l->status == LOOKUP_WANTED)
		s->need = true;
	else if (l->status == LOOKUP_OK)
		status = NETDB_SUCCESS;
	else if (l->status == LOOKUP_NODATA)
		status = NO_DATA;
	else if (l->status == LOOKUP_NXDOMAIN)
		status = HOST_NOT_FOUND;
	rr = SPF_dns_rr_new_init(server, domain, type, 0, status);
	for (size_t i = 0; rr != NULL && i < l->n; i++)
		rr->num_rr += put_record(rr, rr->num_rr, type, &l->rdata[i]);
	return rr;
}

static enum spf_verdict
verdict_of_error(SPF_errcode_t err)
{
	switch (err) {
	case SPF_E_SUCCESS:
		return SPF_NEUTRAL;
	case SPF_E_NOT_SPF:
		return SPF_NONE;
	case SPF_E_DNS_ERROR:
	case SPF_E_NO_MEMORY:
	case SPF_E_INTERNAL_ERROR:
		return SPF_TEMPERROR;
	default:
		return SPF_PERMERROR;
	}
}

static enum spf_verdict
verdict_of(SPF_result_t result, SPF_errcode_t err)
{
	switch (result) {
	case SPF_RESULT_NEUTRAL:
		return SPF_NEUTRAL;
	case SPF_RESULT_PASS:
		return SPF_PASS;
	case SPF_RESULT_FAIL:
		return SPF_FAIL;
	case SPF_RESULT_SOFTFAIL:
		return SPF_SOFTFAIL;
	case SPF_RESULT_NONE:
		return SPF_NONE;
	case SPF_RESULT_TEMPERROR:
		return SPF_TEMPERROR;
	case SPF_RESULT_PERMERROR:
		return SPF_PERMERROR;
	default:
		return verdict_of_error(err);
	}
}

static void
set_text(char *dst, size_t size, const char *s)
{
	if (s != NULL)
		spf_text(dst, size, s, strlen(s));
}

static void
read_response(struct spf2_result *out, SPF_response_t *r, SPF_errcode_t err)
{
	const char *explanation = SPF_response_get_explanation(r);
	SPF_error_t *first = NULL;

	/* What it returns is "no SPF record" for any error in one. */
	for (int i = 0; i < SPF_response_messages(r) && first == NULL; i++)
		if (SPF_error_errorp(SPF_response_message(r, i)))
			first = SPF_response_message(r, i);
	out->invalid = SPF_response_result(r) == SPF_RESULT_INVALID;
	out->verdict = verdict_of(
	    SPF_response_result(r), first != NULL ? SPF_error_code(first) : err);
	set_text(out->reason, sizeof(out->reason),
	    first != NULL ? SPF_error_message(first) : SPF_response_get_header_comment(r));
	if (out->verdict == SPF_FAIL && explanation != NULL &&
	    strcmp(explanation, NO_EXPLANATION) != 0)
		set_text(out->explanation, sizeof(out->explanation), explanation);
}

static SPF_errcode_t
ask(SPF_request_t *request, const struct spf_input *in, SPF_response_t **response)
{
	const char *from = in->identity == SPF_MAIL_FROM ? in->from : "";
	struct spf_address client;
	char text[SPF_ADDRESS_SIZE];

	/* It takes an IPv4-mapped address for IPv6. */
	if (spf_address_parse(&client, in->client) < 0)
		return SPF_E_INVALID_IP4;
	spf_address_format(text, &client);
	if ((client.v6 ? SPF_request_set_ipv6_str(request, text)
		       : SPF_request_set_ipv4_str(request, text)) != SPF_E_SUCCESS ||
	    SPF_request_set_helo_dom(request, in->helo) != SPF_E_SUCCESS ||
	    SPF_request_set_env_from(request, from) != SPF_E_SUCCESS)
		return SPF_E_NO_MEMORY;
	return SPF_request_query_mailfrom(request, response);
}

enum verify_step
spf2_check(const struct spf_input *in, struct lookups *book, struct spf2_result *out)
{
	struct source source = { .book = book };
	SPF_dns_server_t dns = { .lookup = on_lookup, .name = "book", .hook = &source };
	SPF_response_t *response = NULL, *compiled = NULL;
	SPF_server_t *server;
	SPF_request_t *request = NULL;
	SPF_errcode_t err = SPF_E_NO_MEMORY;

	memset(out, 0, sizeof(*out));
	/* Else it prints. */
	SPF_error_handler = NULL;
	SPF_warning_handler = NULL;
	SPF_info_handler = NULL;
	SPF_debug_handler = NULL;
	server = SPF_server_new_dns(&dns, 0);
	if (server != NULL && SPF_server_set_rec_dom(server, in->us) == SPF_E_SUCCESS &&
	    SPF_server_set_explanation(server, NO_EXPLANATION, &compiled) == SPF_E_SUCCESS &&
	    (request = SPF_request_new(server)) != NULL)
		err = ask(request, in, &response);
	if (response != NULL)
		read_response(out, response, err);
	else
		out->verdict = verdict_of_error(err);
	if (out->reason[0] == '\0')
		set_text(out->reason, sizeof(out->reason), SPF_strerror(err));
	if (response != NULL)
		SPF_response_free(response);
	if (compiled != NULL)
		SPF_response_free(compiled);
	if (request != NULL)
		SPF_request_free(request);
	if (server != NULL)
		SPF_server_free(server);
	return source.need ? VERIFY_NEED : VERIFY_DONE;
}
