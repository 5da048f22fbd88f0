/* site.h - one deployment: the site directory, its configuration and what is loaded from it.
 *   outpost.conf, keys, certs, state (enrol, fronts, check: .jsonl), log (segments), run, store.db
 * Found by -C DIR or $OUTPOST_SITE, default /var/lib/outpost. */
#ifndef PROVISIONING_SITE_H
#define PROVISIONING_SITE_H

#include <netinet/in.h>
#include <stdint.h>

#include "lib/conf.h"
#include "lib/listen.h"
#include "provisioning/token.h"
#include "zones/catalogue.h"

/* Every configuration item is a row in site.c; see outpost.conf(5). */
struct site_conf {
	char base[200];                 /* base domain, lower case, no final dot */
	char node[32];                  /* name of this node in events */
	unsigned node_number;           /* 0..15: top 4 bits of ids enrolled here */
	char ipv6[64];                  /* PREFIX/64, or empty: no IPv6 */
	struct conf_list ipv4_parent;   /* name server addresses of BASE */
	struct conf_list ipv4_child;    /* name server address of the test zones */
	struct conf_list ipv4_front;    /* SMTP addresses */
	struct conf_list ipv4_refused, ipv4_silent;
	char user[32];                  /* who the workers run as */
	unsigned workers;               /* per daemon; 0: one per processor */
	unsigned pace;                  /* divides phase, memory and settling times (lab) */
	char catalogue[256];            /* directory of *.test; empty: the installed one */
	unsigned dns_port, smtp_port;   /* 53, 25; other values for tests on loopback */
	unsigned tap;                   /* 1: record SYNs */
	unsigned memory_slots;
	/* limits: each in one place, tested at its edge */
	uint64_t segment_max, segment_reserve;
	unsigned dns_tcp_max, dns_tcp_queries; /* connections a worker; queries a connection */
	int64_t dns_tcp_idle;
	unsigned dns_sign_cache;               /* entries a worker */
	unsigned dns_sign_invalid;             /* signatures a second for names with an invalid token */
	unsigned dns_rate;                     /* UDP answers a second to one /24 or /56; 0 no limit */
	unsigned smtp_max, smtp_per_client;    /* connections a worker; of one address */
	unsigned smtp_line, smtp_commands, smtp_recipients;
	uint64_t smtp_message, smtp_headers;   /* bytes of a message; of headers kept in the event */
	int64_t smtp_timeout, smtp_data_timeout, smtp_session; /* command; data block; whole session */
};

struct site_zone_key {  /* one per algorithm for all test zones, and one for BASE */
	unsigned algorithm;
	unsigned tag[2];     /* unused by readers: tags depend only on the DNSKEY RDATA */
	void *pkey;          /* EVP_PKEY * */
	uint8_t dnskey[1024]; size_t dnskey_len; /* RDATA, flags 257 */
	uint16_t keytag;
};

/* One front: what a client meets on IPv4 before RCPT; fronts.jsonl. */
struct front {
	char key[65];            /* digest of the host's behaviour before RCPT, and K */
	unsigned host;           /* K */
	char address[ADDRESS_TEXT_MAX]; /* empty: none was free */
	const struct test **tests; /* tests that share it */
	size_t n_tests;
	char cert[256], certkey[256]; /* PEM paths: default certificate (chain) and the key that all share */
};

struct site {
	char dir[256];
	struct site_conf conf;
	struct token_key token_key;
	struct in6_addr prefix; bool has_ipv6;
	struct catalogue *catalogue;   /* owned */
	struct front *fronts; size_t n_fronts;
	const struct front *front_of[TEST_NUMBER_MAX + 1][TEST_HOSTS_MAX]; /* NULL: no such host */
	struct site_zone_key base_key;
	struct site_zone_key zone_key[4]; size_t n_zone_keys;
	uint8_t ca_spki[32], other_ca_spki[32]; /* SHA-256 of SubjectPublicKeyInfo */
};

/* -C, $OUTPOST_SITE or the default. */
const char *site_dir(const char *option);
/* Reads configuration, keys, catalogue, fronts.  NULL: one clear line in err. */
struct site *site_load(const char *dir, char *err, size_t errlen);
void site_free(struct site *);
/* DIR/sub/name into dst. */
void site_path(char dst[512], const struct site *, const char *sub, const char *name);
const struct conf_row *site_rows(size_t *n);

/* PEM paths of the certificate of (test, host): chain and key. */
void site_cert_path(char cert[512], char key[512], const struct site *, const struct test *, unsigned host);

#endif
