/* check_smtp.c - see check_smtp.h. */
#include "outpost/check_smtp.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "outpost/check_tlsa.h"
#include "provisioning/certs.h"

#define CONNECT_MS 5000
#define SILENT_MS  1500 /* so long nothing may come from an address that is silent */
#define REPLY_S    10
#define REPLY_MAX  4096
#define TYPE_TLSA  52

struct probe {
	const struct site *site;
	const struct test *test;
	const struct host *host;
	unsigned k;
	const struct token *token;
	char name[256]; /* of the host, no final dot */
	char address[ADDRESS_TEXT_MAX];
	bool nameless; /* without SNI */
	int fd;
	char *err;
	size_t errlen;
};

static bool
differs(const struct probe *p, const char *what)
{
	snprintf(p->err, p->errlen, "%s port %u: %s", p->address, p->site->conf.smtp_port, what);
	return false;
}

/* --- connection ---------------------------------------------------------------------------------------- */

/* 0 connected, ECONNREFUSED, ETIMEDOUT, another errno. */
static int
try_connect(int *fd, const char *address, unsigned port, int timeout_ms)
{
	union sockaddr_any a;
	struct pollfd p = { .events = POLLOUT };
	int error = 0;
	socklen_t len = sizeof(error);

	*fd = -1;
	if (address_parse(&a, address, port) != 0)
		return EINVAL;
	p.fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p.fd < 0)
		return errno;
	if (connect(p.fd, &a.sa, a.sa.sa_family == AF_INET6 ? sizeof(a.in6) : sizeof(a.in)) != 0)
		error = errno;
	if (error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (poll(&p, 1, timeout_ms) == 1 &&
		    getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
			error = errno;
	}
	if (error == 0)
		*fd = p.fd;
	else
		close(p.fd);
	return error;
}

static void
make_blocking(int fd)
{
	const struct timeval wait = { .tv_sec = REPLY_S };
	int off = 0;

	ioctl(fd, FIONBIO, &off);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
}

/* Reads one reply, octet by octet: what follows it may be TLS.  Its code, or -1. */
static int
read_reply(int fd, char reply[REPLY_MAX])
{
	size_t len = 0, line = 0;

	while (len + 1 < REPLY_MAX && read(fd, reply + len, 1) == 1) {
		if (reply[len++] != '\n')
			continue;
		reply[len] = '\0';
		if (len - line >= 4 && reply[line + 3] != '-')
			return atoi(reply + line);
		line = len;
	}
	return -1;
}

static int
command(int fd, const char *line, char reply[REPLY_MAX])
{
	size_t len = strlen(line);

	return write(fd, line, len) == (ssize_t)len ? read_reply(fd, reply) : -1;
}

static bool
offers(const char *reply, const char *keyword)
{
	size_t len = strlen(keyword);

	for (const char *p = reply; p != NULL && *p != '\0'; p = strchr(p, '\n'), p += p != NULL)
		if (strlen(p) >= 4 + len && strncasecmp(p + 4, keyword, len) == 0 &&
		    strchr(" \r\n", p[4 + len]) != NULL)
			return true;
	return false;
}

/* --- the certificate ------------------------------------------------------------------------------------ */

static const struct {
	bool chain, name;
} kind_is_valid[CERT_KIND_MAX] = {
	[CERT_PKIX_VALID] = { true, true },
	[CERT_WRONG_NAME] = { true, false },
	[CERT_EXPIRED] = { false, true },
	[CERT_SELF_SIGNED] = { false, true },
	[CERT_UNTRUSTED] = { false, true },
	[CERT_CN_ONLY] = { true, false },
	[CERT_ED25519] = { false, true },
	[CERT_RSA] = { true, true },
};

static bool
check_kind(const struct probe *p, SSL *ssl, X509 *cert)
{
	bool chain = SSL_get_verify_result(ssl) == X509_V_OK;
	bool name = X509_check_host(cert, p->name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) ==
		    1;

	if (chain != kind_is_valid[p->host->cert].chain)
		return differs(p, chain ? "the certificate validates, and should not"
					: "the certificate does not validate");
	if (name != kind_is_valid[p->host->cert].name)
		return differs(p, name ? "the certificate names the host, and should not"
				       : "the certificate does not name the host");
	return true;
}

/* Every TLSA record that speaks of this host matches the chain, or does not, as the file means it. */
static bool
check_tlsa(const struct probe *p, const STACK_OF(X509) * chain)
{
	char rdata[512], err[160];

	for (size_t i = 0; i < p->test->n_records; i++) {
		const struct dns_record *r = &p->test->records[i];
		enum tlsa_wanted wanted;

		if (r->type != TYPE_TLSA ||
		    (wanted = tlsa_wanted(r->rdata, p->k)) == TLSA_OTHER_HOST)
			continue;
		if (render(rdata, sizeof(rdata), r->rdata, p->site, p->test, 0, p->token, err,
			sizeof(err)) != RENDER_OK)
			return differs(p, err);
		if (tlsa_matches(rdata, chain) == (wanted == TLSA_MATCH))
			continue;
		snprintf(err, sizeof(err), "the certificate %s the TLSA record %.80s, and should%s",
		    wanted == TLSA_MATCH ? "does not match" : "matches", r->rdata,
		    wanted == TLSA_MATCH ? "" : " not");
		return differs(p, err);
	}
	return true;
}

/* What was made for the host: also where no handshake shows it. */
static bool
check_own_chain(const struct probe *p)
{
	char path[512], key[512], err[600];
	STACK_OF(X509) * chain;
	bool ok;

	site_cert_path(path, key, p->site, p->test, p->k);
	if ((chain = tlsa_chain_load(path, err, sizeof(err))) == NULL)
		return differs(p, err);
	ok = check_tlsa(p, chain);
	sk_X509_pop_free(chain, X509_free);
	return ok;
}

static bool
check_certificate(const struct probe *p, SSL *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl), *own;
	char path[512], key[512], err[600];
	bool same, same_key;

	if (cert == NULL)
		return differs(p, "no certificate");
	site_cert_path(path, key, p->site, p->test, p->k);
	if ((own = certs_load(path, err, sizeof(err))) == NULL)
		return differs(p, err);
	same = X509_cmp(own, cert) == 0;
	same_key = EVP_PKEY_eq(X509_get0_pubkey(own), X509_get0_pubkey(cert)) == 1;
	X509_free(own);
	if (p->nameless)
		return !same_key ? true : differs(p, "the key is shown without SNI as well");
	if (!same)
		return differs(p, "the certificate is not the one that was made for this host");
	return check_kind(p, ssl, cert) && check_tlsa(p, SSL_get_peer_cert_chain(ssl));
}

static bool
check_tls(const struct probe *p)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = NULL;
	char ca[512];
	bool ok;

	site_path(ca, p->site, "certs", SITE_CA);
	/* Old versions are what some tests are about. */
	ok = ctx != NULL && SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0") == 1 &&
	     SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) == 1 &&
	     SSL_CTX_load_verify_file(ctx, ca) == 1 && (ssl = SSL_new(ctx)) != NULL &&
	     SSL_set_fd(ssl, p->fd) == 1 &&
	     (p->nameless || SSL_set_tlsext_host_name(ssl, p->name) == 1);
	if (!ok)
		differs(p, "OpenSSL: no client can be made");
	else if (SSL_connect(ssl) != 1)
		ok = differs(p, "the TLS handshake fails");
	else if ((p->host->tls_min != 0 && SSL_version(ssl) < p->host->tls_min) ||
		 (p->host->tls_max != 0 && SSL_version(ssl) > p->host->tls_max))
		ok = differs(p, "another TLS version than specified");
	else
		ok = check_certificate(p, ssl);
	if (ok)
		SSL_shutdown(ssl);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return ok;
}

/* --- one session ------------------------------------------------------------------------------------------ */

static bool
check_session(const struct probe *p)
{
	bool offered, should_offer = p->host->starttls == STARTTLS_OFFER ||
				     p->host->starttls == STARTTLS_CODE;
	char reply[REPLY_MAX];
	int code;

	if (read_reply(p->fd, reply) != 220)
		return differs(p, "no greeting with 220");
	if (command(p->fd, "EHLO check.invalid\r\n", reply) != 250)
		return differs(p, "EHLO is not answered with 250");
	offered = offers(reply, "STARTTLS");
	if (offered != should_offer)
		return differs(
		    p, offered ? "STARTTLS is offered, and should not" : "STARTTLS is not offered");
	if (!should_offer) {
		command(p->fd, "QUIT\r\n", reply);
		return true;
	}
	code = command(p->fd, "STARTTLS\r\n", reply);
	if (p->host->starttls == STARTTLS_CODE)
		return code == (int)p->host->starttls_code
			   ? true
			   : differs(p, "STARTTLS has another answer than specified");
	return code == 220 ? check_tls(p) : differs(p, "STARTTLS is not answered with 220");
}

/* What happens before or instead of a handshake, as a test wants it, cannot be looked at from outside
 * without meeting it. */
static bool
is_plain(const struct host *h)
{
	for (size_t i = 0; i < h->n_rules; i++)
		if (h->rules[i].at <= AT_TLS_EHLO)
			return false;
	return h->starttls == STARTTLS_OFFER || h->starttls == STARTTLS_OFF ||
	       h->starttls == STARTTLS_CODE;
}

static bool
check_once(struct probe *p)
{
	int error = try_connect(&p->fd, p->address, p->site->conf.smtp_port, CONNECT_MS);
	bool ok;

	if (error != 0)
		return differs(p, strerror(error));
	make_blocking(p->fd);
	ok = is_plain(p->host) ? check_session(p) : true;
	close(p->fd);
	return ok;
}

static bool
check_address(struct probe *p)
{
	bool ok = check_once(p);

	if (ok && p->host->sni_only) {
		p->nameless = true;
		ok = check_once(p);
		p->nameless = false;
	}
	return ok;
}

static bool
check_unreachable(struct probe *p, int want)
{
	int error = try_connect(&p->fd, p->address, p->site->conf.smtp_port,
	    want == ETIMEDOUT ? SILENT_MS : CONNECT_MS);

	if (p->fd >= 0)
		close(p->fd);
	if (error == want)
		return true;
	return differs(p, want == ETIMEDOUT ? "should be silent: load nftables.conf"
					    : "should refuse: load nftables.conf");
}

static bool
owns_records(const struct test *t, const char *owner)
{
	for (size_t i = 0; i < t->n_records; i++)
		if (strcmp(t->records[i].owner, owner) == 0)
			return true;
	return false;
}

bool
check_host(const struct site *site, const struct test *t, unsigned k, const struct token *token,
    char *err, size_t errlen)
{
	struct probe p = { .site = site,
		.test = t,
		.host = &t->host[k],
		.k = k,
		.token = token,
		.fd = -1,
		.err = err,
		.errlen = errlen };
	char word[2][16], name[16];

	/* The name of the host in the second zone, if the DNS leads there. */
	snprintf(name, sizeof(name), "{mx%u:b}", k);
	if (!owns_records(t, name))
		snprintf(name, sizeof(name), "{mx%u}", k);
	if (render(p.name, sizeof(p.name), name, site, t, 0, token, err, errlen) != RENDER_OK)
		return false;
	p.name[strlen(p.name) - 1] = '\0';
	snprintf(p.address, sizeof(p.address), "host %u", k);
	if (!check_own_chain(&p))
		return false;
	snprintf(word[0], sizeof(word[0]), "{ipv4:%u}", k);
	snprintf(word[1], sizeof(word[1]), "{ipv6:%u}", k);
	for (size_t i = 0; i < t->n_records; i++) {
		const char *rdata = t->records[i].rdata;

		if (strcmp(rdata, word[0]) != 0 && strcmp(rdata, word[1]) != 0)
			continue;
		if (render(p.address, sizeof(p.address), rdata, site, t, 0, token, err, errlen) ==
			RENDER_OK &&
		    !check_address(&p))
			return false;
	}
	return true;
}

bool
check_dead_addresses(const struct site *site, const struct test *t, const struct token *token,
    char *err, size_t errlen)
{
	struct probe p = {
		.site = site, .test = t, .token = token, .fd = -1, .err = err, .errlen = errlen
	};

	for (size_t i = 0; i < t->n_records; i++) {
		const char *rdata = t->records[i].rdata;
		int want = strstr(rdata, "-refused") != NULL  ? ECONNREFUSED
			   : strstr(rdata, "-silent") != NULL ? ETIMEDOUT
							      : 0;

		if (want != 0 &&
		    render(p.address, sizeof(p.address), rdata, site, t, 0, token, err, errlen) ==
			RENDER_OK &&
		    !check_unreachable(&p, want))
			return false;
	}
	return true;
}
