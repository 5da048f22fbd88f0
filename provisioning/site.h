/* site.h - one deployment: the site directory, its configuration and what is loaded from it.
 *   outpost.conf, keys, certs, state (enrol, fronts, check: .jsonl), log (segments), run, store.db
 * Found by -C DIR or $OUTPOST_SITE, default /var/lib/outpost. */
#ifndef PROVISIONING_SITE_H
#define PROVISIONING_SITE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/conf.h"
#include "lib/listen.h"
#include "provisioning/token.h"
#include "zones/catalogue.h"

/* Every configuration item is a row in site.c; see outpost.conf(5). */
struct site_conf {
	char base[200];               /* base domain, lower case, no final dot */
	char node[32];                /* name of this node in events */
	unsigned node_number;         /* 0..15: top 4 bits of ids enrolled here */
	char ipv6[64];                /* PREFIX/64, or empty: no IPv6 */
	struct conf_list ipv4_parent; /* name server addresses of BASE */
	struct conf_list
	    ipv4_child; /* of the test zones: one for all, then one for each "address own" */
	struct conf_list ipv4_front;  /* SMTP addresses */
	struct conf_list ipv4_policy; /* HTTPS; none: the first of ipv4_child */
	struct conf_list ipv4_refused, ipv4_silent;
	struct conf_list location_database; /* results/whereabouts.h */
	char user[32];                      /* who the workers run as */
	unsigned workers;                   /* per daemon; 0: one per processor */
	unsigned sandbox;                   /* 1: workers are confined */
	unsigned pace;                      /* divides phase, memory and settling times (lab) */
	char catalogue[256];                /* directory of *.test; empty: the installed one */
	unsigned dns_port, smtp_port,
	    https_port; /* 53, 25, 443; other values for tests on loopback */
	unsigned tap;   /* 1: record SYNs */
	unsigned memory_slots;
	unsigned events_per_token_hour;
	/* limits: each in one place, tested at its edge */
	uint64_t segment_max, segment_reserve;
	unsigned dns_tcp_max, dns_tcp_queries; /* connections a worker; queries a connection */
	int64_t dns_tcp_idle;
	unsigned dns_sign_cache;   /* entries a worker */
	unsigned dns_sign_invalid; /* signatures a second for names with an invalid token */
	unsigned dns_rate;         /* UDP answers a second to one /24 or /56; 0 no limit */
	unsigned smtp_max, smtp_per_client; /* connections a worker; of one address */
	unsigned smtp_line, smtp_commands, smtp_recipients;
	unsigned smtp_operator; /* messages an hour to who runs the site; 0: none is taken */
	uint64_t smtp_message, smtp_headers; /* bytes of a message; of headers kept in the event */
	int64_t https_timeout;               /* until a request is complete */
	uint64_t https_body;                 /* octets of a POST */
	/* the web site */
	unsigned web;                     /* 1: there is one */
	unsigned web_tls, web_port;       /* 0: plain HTTP, for a proxy before it */
	char web_name[200];               /* host name in URLs; empty: base */
	char web_cert[256], web_key[256]; /* PEM; empty: under the site's own CA */
	struct conf_list web_address;     /* none: site_web_addresses */
	struct conf_list web_proxy;       /* whose X-Forwarded-For is believed */
	char web_contact[200];            /* shown to visitors */
	unsigned web_max, web_per_client; /* connections */
	unsigned web_streams, web_streams_per_client;
	unsigned web_requests;                   /* on one connection */
	uint64_t web_head, web_body, web_output; /* octets */
	int64_t web_timeout, web_idle, web_send, web_stream_life;
	unsigned web_report_events,
	    web_readers; /* observations that a report on the web is made of */
	unsigned web_enrol_client, web_enrol_domain, web_enrol_all; /* a day */
	unsigned web_optout_client;                                 /* a day */
	char mail_program[256]; /* the host's sendmail; empty: no mail leaves */
	char mail_log[256];     /* what it logs; empty: not read */
	unsigned mail_rate, mail_per_address, mail_per_domain; /* participants an hour; a day */
	int64_t
	    mail_extra; /* so long after an invitation an answer brings further messages; 0: none */
	/* SPF terms of who sends what we write; empty: the name server addresses.  With " ~all" they fit one string of a
	 * TXT record (RFC 1035 3.3). */
	char mail_spf[250];
	int64_t retention; /* of observations, runs and enrolments; 0: for ever */
	int64_t smtp_timeout, smtp_data_timeout,
	    smtp_session; /* command; data block; whole session */
	char verify[16];  /* which accepted messages are judged: all or none */
	char verify_resolver[80], verify_anchor[256]; /* empty: the system's */
	unsigned verify_queue;                        /* messages that are not yet judged */
	uint64_t verify_memory, verify_message;       /* octets of their bodies; of one */
	unsigned verify_children;                     /* at work at a time; 0: one per processor */
	uint64_t verify_child_memory;
	int64_t verify_time, verify_child_time; /* for lookups; of the processor */
};

/* A combined signing key: one per algorithm for all test zones, and one for BASE (keys.h). */
#define SITE_ZONE_KEYS_MAX  16
#define SITE_BASE_ALGORITHM 13
struct site_zone_key {
	unsigned algorithm;
	void *pkey; /* EVP_PKEY * */
	uint8_t dnskey[1024];
	size_t dnskey_len; /* RDATA, flags 257 */
	uint16_t keytag;   /* of that RDATA */
};

/* One front: what a client meets on IPv4 before RCPT; front.h. */
struct front {
	char key[65];  /* digest of the host's behaviour before RCPT, and K */
	unsigned host; /* K */
	enum cert_kind kind;
	bool wanted; /* a test publishes {ipv4:K} of it; else it needs no address */
	char address[ADDRESS_TEXT_MAX]; /* empty: none was free */
	const struct test **tests;      /* tests that share it */
	size_t n_tests;
	char cert[512],
	    certkey[512]; /* PEM paths: default certificate (chain) and the key that all share */
	char defaultkey[512]; /* of the default certificate: certkey, but for sni_only */
	bool alone;           /* of one test only, whose certificate is the default one */
	bool sni_only;        /* the default certificate has another name and key */
};

/* Digests of the certificate of one (test, host), for TLSA records. */
struct site_digests {
	bool known;
	uint8_t spki[32], spki512[64], cert[32];
};

struct site {
	char dir[256];
	struct site_conf conf;
	struct token_key token_key;
	struct in6_addr prefix;
	bool has_ipv6;
	struct catalogue *catalogue;             /* owned */
	char catalogue_dir[512], base_zone[512]; /* where the tests and base.zone were found */
	unsigned has;                            /* enum site_part bits that were loaded */
	struct front *fronts;
	size_t n_fronts;
	const struct front *front_of[TEST_NUMBER_MAX + 1][TEST_HOSTS_MAX]; /* NULL: no such host */
	struct site_zone_key base_key;
	struct site_zone_key zone_key[SITE_ZONE_KEYS_MAX];
	size_t n_zone_keys;
	struct site_digests *digests_of[TEST_NUMBER_MAX + 1]; /* n_hosts of them; NULL: not read */
	uint8_t ca_spki[32], other_ca_spki[32];               /* SHA-256 of SubjectPublicKeyInfo */
	char dkim[512]; /* public key that signs what we write, base64 (RFC 6376 3.6.1); "": none */
};

/* What a program can need of a site. */
enum site_part {
	SITE_SECRET = 1, /* the token key: without it no token is valid */
	SITE_KEYS = 2,   /* private DNSSEC keys */
	SITE_CERTS =
	    4, /* certificates of every (test, host), and their private keys are readable */
	SITE_ALL = 7,
};

/* -C, $OUTPOST_SITE or the default. */
const char *site_dir(const char *option);
/* Reads configuration, keys, catalogue, fronts, certificates.  NULL: one clear line in err. */
struct site *site_load(const char *dir, char *err, size_t errlen);
/* The same for programs that can do with less: parts that are missing or not readable are an error
 * only if they are in need; see site->has. */
struct site *site_open(const char *dir, unsigned need, char *err, size_t errlen);
/* outpost.conf alone: no catalogue, nothing of has. */
struct site *site_open_conf(const char *dir, char *err, size_t errlen);
void site_free(struct site *);
/* Where the tests are: conf_dir (outpost.conf's catalogue) unless empty, else beside the executable, else
 * installed; and base.zone, which is beside the catalogue or in one of the other two places. */
void site_find_catalogue(char dst[512], char base_zone[512], const char *conf_dir);
/* Directory of the running executable. */
void site_program_dir(char dst[512]);
/* A part of Outpost: the first of these places that can be read, else the last.  Places that are not
 * absolute are meant from the directory of the executable, so a source tree and a tree that was installed
 * (and perhaps moved) both find their own. */
void site_find_part(char dst[512], const char *const places[]);
/* DIR/sub/name into dst. */
void site_path(char dst[512], const struct site *, const char *sub, const char *name);
const struct conf_row *site_rows(size_t *n);

/* The IPv4 address where policies are served; NULL: there is none. */
const char *site_policy4(const struct site *);

/* Where the web site listens: web_address, else the name server addresses of BASE.  Number; at most n. */
size_t site_web_addresses(char dst[][ADDRESS_TEXT_MAX], size_t n, const struct site *);
/* "https://NAME/PATH": a page of it, as the world sees it. */
void site_web_url(char *dst, size_t dstlen, const struct site *, const char *path);
/* PEM paths of its certificate and key. */
void site_web_cert(char cert[512], char key[512], const struct site *);

/* PEM paths of the certificate of (test, host): chain and key. */
void site_cert_path(
    char cert[512], char key[512], const struct site *, const struct test *, unsigned host);
/* Files under keys/ and certs/ that are not a test's own. */
#define SITE_SECRET_FILE "site.secret"
#define SITE_BASE_KEY    "base.pem"
#define SITE_DKIM_KEY    "dkim.pem"     /* signs what we write */
#define SITE_CA          "ca.pem"       /* trusted by the senders of the lab */
#define SITE_OTHER_CA    "other-ca.pem" /* trusted by nobody */
#define SITE_WEB         "web.pem"      /* of the web site, unless web-cert names another */
/* DNSSEC algorithms that the catalogue's zones name. */
size_t site_algorithms(unsigned dst[SITE_ZONE_KEYS_MAX], const struct catalogue *);
void site_zone_key_path(char dst[512], const struct site *, unsigned algorithm);

/* The IPv4 address of the zone's name server; NULL: it has none.  Zones with "address own" get the
 * addresses after the first of ipv4_child, one each, in the order of their numbers. */
const char *site_ns4(const struct site *, const struct test *, unsigned zone);

/* "TEST.BASE" or "TEST-b.BASE", lower case, no final dot; test NULL: BASE. */
void site_zone_name(
    char *dst, size_t dstlen, const struct site *, const struct test *, unsigned zone);

#endif
