/* mint.c - see mint.h. */
#include "smtpd/mint.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fds.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "provisioning/certs.h"
#include "provisioning/keys.h"

#define KEEP        512  /* certificates in a worker */
#define ANSWER_MAX  4096 /* octets of a certificate */
#define PER_SECOND  200  /* certificates that the mint makes */
#define ANSWER_MS   1000
#define COMPLAIN_US (60 * CLOCK_SECOND)

struct question {
	uint32_t kind;
	char name[256];
};

/* --- the parent ------------------------------------------------------------------------------------- */

static int
open_ca(struct mint_setup *m, unsigned i, const struct site *site, const char *file)
{
	char path[512], err[600];

	site_path(path, site, "keys", file);
	m->key[i] = open(path, O_RDONLY | O_CLOEXEC);
	if (m->key[i] == -1) {
		log_warn("%s: %s", path, strerror(errno));
		return -1;
	}
	site_path(path, site, "certs", file);
	m->ca[i] = certs_load(path, err, sizeof err);
	if (m->ca[i] == NULL) {
		log_warn("%s", err);
		return -1;
	}
	return 0;
}

static bool
wants(const struct site *site, enum cert_kind kind)
{
	for (size_t i = 0; i < site->catalogue->n; i++)
		for (unsigned k = 0; k < site->catalogue->tests[i]->n_policy; k++)
			if (site->catalogue->tests[i]->policy[k].cert == kind)
				return true;
	return false;
}

int
mint_setup_open(struct mint_setup *m, const struct site *site)
{
	memset(m, 0, sizeof *m);
	m->ask[0] = m->ask[1] = m->key[0] = m->key[1] = -1;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, m->ask) == -1) {
		log_warn("mint: socket: %s", strerror(errno));
		goto bad;
	}
	if (open_ca(m, 0, site, SITE_CA) == -1 || open_ca(m, 1, site, SITE_OTHER_CA) == -1)
		goto bad;
	m->leaf = keys_generate(certs_algorithm(CERT_PKIX_VALID));
	if (wants(site, CERT_ED25519))
		m->leaf_ed25519 = keys_generate(certs_algorithm(CERT_ED25519));
	if (wants(site, CERT_RSA))
		m->leaf_rsa = keys_generate(certs_algorithm(CERT_RSA));
	if (m->leaf != NULL)
		return 0;
	log_warn("mint: no key could be made");
bad:
	mint_setup_close(m);
	return -1;
}

void
mint_setup_close(struct mint_setup *m)
{
	for (unsigned i = 0; i < 2; i++) {
		if (m->ask[i] > 0)
			close(m->ask[i]);
		if (m->key[i] > 0)
			close(m->key[i]);
		X509_free(m->ca[i]);
	}
	EVP_PKEY_free(m->leaf);
	EVP_PKEY_free(m->leaf_ed25519);
	EVP_PKEY_free(m->leaf_rsa);
	memset(m, 0, sizeof *m);
	m->ask[0] = m->ask[1] = m->key[0] = m->key[1] = -1;
}

static EVP_PKEY *
leaf_key(const struct mint_setup *m, enum cert_kind kind)
{
	if (kind == CERT_ED25519 && m->leaf_ed25519 != NULL)
		return m->leaf_ed25519;
	if (kind == CERT_RSA && m->leaf_rsa != NULL)
		return m->leaf_rsa;
	return m->leaf;
}

static struct certs_request
request_of(const struct mint_setup *m, enum cert_kind kind, const char *const name[1],
    const struct certs_ca ca[2], const char *wrong)
{
	return (struct certs_request){ .kind = kind,
		.name = name,
		.n_names = 1,
		.wrong_name = wrong,
		.key = leaf_key(m, kind),
		.ca = &ca[0],
		.other_ca = &ca[1] };
}

/* --- the mint ------------------------------------------------------------------------------------------ */

static EVP_PKEY *
read_key(int fd)
{
	/* The place in the file is shared with every process that has it open. */
	char pem[8192];
	ssize_t n = pread(fd, pem, sizeof pem, 0);
	BIO *b = n > 0 ? BIO_new_mem_buf(pem, (int)n) : NULL;
	EVP_PKEY *key = b != NULL ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;

	BIO_free(b);
	OPENSSL_cleanse(pem, sizeof pem);
	return key;
}

/* One more certificate now? */
static bool
within_rate(void)
{
	static int64_t second;
	static unsigned made;
	int64_t now = clock_monotonic() / CLOCK_SECOND;

	if (now != second) {
		second = now;
		made = 0;
	}
	return made++ < PER_SECOND;
}

/* The certificate as DER; 0: none. */
static int
make(unsigned char *der, const struct mint_setup *m, const struct certs_ca ca[2],
    const struct question *q, const char *wrong)
{
	const char *const name[1] = { q->name };
	struct certs_request r = request_of(m, (enum cert_kind)q->kind, name, ca, wrong);
	X509 *cert;
	int len = 0;

	if (!within_rate())
		return 0;
	cert = certs_make(&r, clock_now());
	if (cert != NULL && (len = i2d_X509(cert, NULL)) > 0 && len <= ANSWER_MAX)
		len = i2d_X509(cert, &der);
	X509_free(cert);
	return len > 0 && len <= ANSWER_MAX ? len : 0;
}

/* What a worker may ask: the letters of host names only, for they become part of an extension's text. */
static bool
is_sane(const struct question *q, ssize_t n)
{
	size_t len;

	if (n != (ssize_t)sizeof *q || q->kind >= CERT_KIND_MAX ||
	    memchr(q->name, '\0', sizeof q->name) == NULL)
		return false;
	len = strlen(q->name);
	return len > 0 && strspn(q->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789-._") == len;
}

static void
answer(int fd, const struct mint_setup *m, const struct certs_ca ca[2], const char *wrong)
{
	struct question q;
	unsigned char der[ANSWER_MAX];
	int to;
	ssize_t n = fds_receive(fd, &q, sizeof q, &to, 1, MSG_DONTWAIT);

	if (n < 0 || to == -1)
		return;
	n = is_sane(&q, n) ? make(der, m, ca, &q, wrong) : 0;
	if (send(to, der, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		ERR_clear_error(); /* the worker did not wait */
	close(to);
}

int
mint_run(const struct mint_setup *m, const struct site *site)
{
	struct certs_ca ca[2] = { { m->ca[0], read_key(m->key[0]) },
		{ m->ca[1], read_key(m->key[1]) } };
	char *wrong = xasprintf("elsewhere.%s", site->conf.base);
	struct pollfd p[2] = { { .fd = m->ask[1], .events = POLLIN }, { .events = POLLIN } };
	sigset_t set;
	int code = EXIT_DONE;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	p[1].fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (ca[0].key == NULL || ca[1].key == NULL || p[1].fd == -1) {
		log_warn("mint: the keys of the certificate authorities could not be read");
		code = EXIT_CANNOT;
	}
	while (code == EXIT_DONE && !(p[1].revents & POLLIN)) {
		if (poll(p, 2, -1) == -1 && errno != EINTR)
			code = EXIT_CANNOT;
		else if (p[0].revents & POLLIN)
			answer(m->ask[1], m, ca, wrong);
	}
	if (p[1].fd != -1)
		close(p[1].fd);
	EVP_PKEY_free(ca[0].key);
	EVP_PKEY_free(ca[1].key);
	free(wrong);
	return code;
}

/* --- a worker ------------------------------------------------------------------------------------------ */

struct kept {
	char name[256];
	enum cert_kind kind;
	X509 *cert;
	uint64_t used; /* when, in questions; 0: free */
};
struct mint {
	const struct mint_setup *setup;
	struct kept kept[KEEP];
	uint64_t turn;
	int64_t complained;
};

struct mint *
mint_new(const struct mint_setup *setup)
{
	struct mint *m = xcalloc(1, sizeof *m);

	m->setup = setup;
	return m;
}

void
mint_free(struct mint *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < KEEP; i++)
		X509_free(m->kept[i].cert);
	free(m);
}

/* NULL: no answer in time, or an empty one. */
static X509 *
ask(const struct mint_setup *setup, const struct question *q)
{
	unsigned char der[ANSWER_MAX];
	const unsigned char *p = der;
	int fd[2];
	struct pollfd wait;
	ssize_t n = -1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == -1)
		return NULL;
	if (fds_send(setup->ask[0], q, sizeof *q, &fd[1], 1) == 0) {
		close(fd[1]);
		fd[1] = -1;
		wait = (struct pollfd){ .fd = fd[0], .events = POLLIN };
		if (poll(&wait, 1, ANSWER_MS) == 1)
			n = recv(fd[0], der, sizeof der, 0);
	}
	close(fd[0]);
	if (fd[1] != -1)
		close(fd[1]);
	return n > 0 ? d2i_X509(NULL, &p, n) : NULL;
}

static X509 *
certificate(struct mint *m, enum cert_kind kind, const char *name)
{
	struct kept *oldest = &m->kept[0];
	struct question q = { .kind = kind };
	X509 *cert;

	m->turn++;
	for (size_t i = 0; i < KEEP; i++) {
		struct kept *k = &m->kept[i];

		if (k->used != 0 && k->kind == kind && strcmp(k->name, name) == 0) {
			k->used = m->turn;
			return k->cert;
		}
		if (k->used < oldest->used)
			oldest = k;
	}
	snprintf(q.name, sizeof q.name, "%s", name);
	if ((cert = ask(m->setup, &q)) == NULL)
		return NULL;
	X509_free(oldest->cert);
	*oldest = (struct kept){ .kind = kind, .cert = cert, .used = m->turn };
	snprintf(oldest->name, sizeof oldest->name, "%s", name);
	return cert;
}

int
mint_use(struct mint *m, SSL *ssl, enum cert_kind kind, const char *name)
{
	static const struct certs_ca none[2];
	const char *const names[1] = { name };
	struct certs_ca ca[2] = { none[0], none[1] };
	struct certs_request r;
	X509 *cert = certificate(m, kind, name), *issuer;
	int64_t now = clock_monotonic();

	ca[0].cert = m->setup->ca[0];
	ca[1].cert = m->setup->ca[1];
	r = request_of(m->setup, kind, names, ca, name);
	issuer = certs_issuer(&r);
	if (cert != NULL && SSL_use_certificate(ssl, cert) == 1 &&
	    SSL_use_PrivateKey(ssl, r.key) == 1 &&
	    (issuer == NULL || SSL_add1_chain_cert(ssl, issuer) == 1))
		return 0;
	ERR_clear_error();
	if (m->complained == 0 || now - m->complained >= COMPLAIN_US) {
		m->complained = now;
		log_warn("mint: no certificate for %s", name);
	}
	return -1;
}
