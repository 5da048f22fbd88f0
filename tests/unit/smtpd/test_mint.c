/* The mint: signs what workers ask for, keeps working whatever else they send, and leaves nothing open. */
#include <dirent.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fds.h"
#include "lib/log.h"
#include "provisioning/certs.h"
#include "provisioning/keys.h"
#include "smtpd/mint.h"

#include <cmocka.h> /* last: it has a macro test_free */

#define NAME "mta-sts.aaaaaaaaaaaaaaaa.sts.probe.example"

static struct mint_setup setup;
static struct mint *mint;
static SSL_CTX *ctx;
static pid_t pid;

static int
key_file(EVP_PKEY *key)
{
	int fd = memfd_create("key", MFD_CLOEXEC);
	FILE *f = fdopen(dup(fd), "w");

	assert_non_null(f);
	assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
	return fd;
}

static int
begin(void **state)
{
	static struct site site;

	(void)state;
	snprintf(site.conf.base, sizeof site.conf.base, "probe.example");
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, setup.ask), 0);
	for (unsigned i = 0; i < 2; i++) {
		EVP_PKEY *key = keys_generate(13);

		setup.ca[i] = certs_make_ca(key, i == 0 ? "ours" : "theirs", clock_now());
		setup.key[i] = key_file(key);
		EVP_PKEY_free(key);
		assert_non_null(setup.ca[i]);
	}
	setup.leaf = keys_generate(13);
	ctx = SSL_CTX_new(TLS_server_method());
	mint = mint_new(&setup);
	pid = fork();
	if (pid == 0)
		_exit(mint_run(&setup, &site));
	return 0;
}

static int
end(void **state)
{
	int status;

	(void)state;
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, EXIT_DONE);
	mint_free(mint);
	SSL_CTX_free(ctx);
	mint_setup_close(&setup);
	return 0;
}

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/* Does a new connection get a certificate for this name, signed by this CA?  The mint may be slow today. */
static bool
serves(enum cert_kind kind, const char *name, unsigned by)
{
	SSL *ssl = SSL_new(ctx);
	EVP_PKEY *key = X509_get0_pubkey(setup.ca[by]);
	X509 *cert;
	bool good;

	for (unsigned i = 0; i < 3000 && mint_use(mint, ssl, kind, name) == -1; i++)
		pause_ms(20);
	cert = SSL_get_certificate(ssl);
	assert_non_null(cert);
	good = X509_verify(cert, key) == 1 &&
	       X509_check_host(cert, name, strlen(name), 0, NULL) == 1;
	SSL_free(ssl);
	return good;
}

static size_t
open_in_mint(void)
{
	char path[64];
	DIR *d;
	size_t n = 0;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	assert_non_null(d = opendir(path));
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
certificates_are_made(void **state)
{
	(void)state;
	assert_true(serves(CERT_PKIX_VALID, NAME, 0));
	assert_true(serves(CERT_UNTRUSTED, NAME, 1));
	assert_false(serves(CERT_PKIX_VALID, NAME, 1));
}

/* A worker that was taken over sends what it likes: the right question with two sockets for the answer
 * above all, which would leave one open each time. */
static void
other_questions_leave_nothing(void **state)
{
	struct {
		uint32_t kind;
		char name[256];
	} q = { CERT_PKIX_VALID, NAME };
	int fd[2], both[2];
	size_t before;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
	assert_true(serves(CERT_PKIX_VALID, "first.example", 0)); /* it is up */
	before = open_in_mint();
	both[0] = both[1] = fd[1];
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(fds_send(setup.ask[0], &q, sizeof q, both, 2), 0);
		assert_int_equal(fds_send(setup.ask[0], &q, sizeof q, NULL, 0), 0);
		assert_int_equal(fds_send(setup.ask[0], &q, 5, fd + 1, 1), 0);
		/* The socket holds a few; this waits until they are gone. */
		snprintf(q.name, sizeof q.name, "n%u.example", i);
		assert_true(serves(CERT_PKIX_VALID, q.name, 0));
	}
	/* Its answer comes before it closes the socket for it. */
	for (unsigned i = 0; i < 3000 && open_in_mint() > before; i++)
		pause_ms(20);
	assert_true(open_in_mint() <= before);
	close(fd[0]);
	close(fd[1]);
}

/* An empty answer, at once: no certificate. */
static void
odd_questions_get_no_certificate(void **state)
{
	static const char *const names[] = { "", "a,DNS:b", "a b", "a\n", "a/b" };
	struct {
		uint32_t kind;
		char name[256];
	} q;
	char answer[4096];
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
	for (size_t i = 0; i < sizeof names / sizeof *names + 2; i++) {
		struct pollfd p = { .fd = fd[0], .events = POLLIN };

		memset(&q, 0, sizeof q);
		q.kind = CERT_PKIX_VALID;
		if (i < sizeof names / sizeof *names)
			snprintf(q.name, sizeof q.name, "%s", names[i]);
		else if (i == sizeof names / sizeof *names)
			memset(q.name, 'a', sizeof q.name);
		else
			q.kind = CERT_KIND_MAX;
		assert_int_equal(fds_send(setup.ask[0], &q, sizeof q, fd + 1, 1), 0);
		assert_int_equal(poll(&p, 1, 60000), 1);
		assert_int_equal(recv(fd[0], answer, sizeof answer, 0), 0);
	}
	close(fd[0]);
	close(fd[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(certificates_are_made, begin, end),
		cmocka_unit_test_setup_teardown(other_questions_leave_nothing, begin, end),
		cmocka_unit_test_setup_teardown(odd_questions_get_no_certificate, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
