/* site_conf.c - outpost.conf as schema rows: parser, range check, default and the manual page
 * outpost.conf(5) come from here. */
#include "provisioning/site.h"

#include <stddef.h>

#define STRING(key, field, fallback, about)                                                        \
	{                                                                                          \
		key, CONF_STRING, offsetof(struct site_conf, field),                               \
		    sizeof(((struct site_conf *)0)->field), 0, 0, fallback, about                  \
	}
#define NUMBER(type, key, field, min, max, fallback, about)                                        \
	{                                                                                          \
		key, type, offsetof(struct site_conf, field),                                      \
		    sizeof(((struct site_conf *)0)->field), min, max, fallback, about              \
	}
#define UINT(...)     NUMBER(CONF_UINT, __VA_ARGS__)
#define BYTES(...)    NUMBER(CONF_BYTES, __VA_ARGS__)
#define DURATION(...) NUMBER(CONF_DURATION, __VA_ARGS__)
#define LIST(key, field, about)                                                                    \
	{                                                                                          \
		key, CONF_LIST, offsetof(struct site_conf, field),                                 \
		    sizeof(((struct site_conf *)0)->field), 0, 0, "", about                        \
	}

#define S UINT64_C(1000000)

static const struct conf_row rows[] = {
	STRING("base", base, NULL, "Base domain: every test is a zone below it"),
	STRING("node", node, "a", "Name of this node in events"),
	UINT("node-number", node_number, 0, 15, "0",
	    "Top four bits of the tokens enrolled here; differs on every node of a site"),
	STRING("ipv6", ipv6, "",
	    "Measurement prefix, PREFIX/64, routed to this host; every token has addresses of its "
	    "own in it; "
	    "empty: no IPv6"),
	LIST("ipv4-parent", ipv4_parent, "Name server addresses of the base domain"),
	LIST("ipv4-child", ipv4_child,
	    "Name server address of the test zones, equal to ipv4-parent on a host with one "
	    "address; further ones are for zones whose name server must share none"),
	LIST("ipv4-front", ipv4_front,
	    "SMTP addresses; tests that behave alike before RCPT share one; see "
	    "state/fronts.jsonl"),
	LIST("ipv4-policy", ipv4_policy,
	    "Address of the HTTPS server for MTA-STS policies and TLS reports; none: the first of "
	    "ipv4-child"),
	LIST("ipv4-refused", ipv4_refused, "Address on which port 25 answers RST"),
	LIST("ipv4-silent", ipv4_silent, "Address on which port 25 does not answer"),
	LIST("location-database", location_database,
	    "Database of the networks and countries of addresses: a file of libmaxminddb (.mmdb) "
	    "or "
	    "libloc; none: that of libloc's package, if it is there"),
	STRING("user", user, "nobody", "Who the worker processes run as; empty: who starts them"),
	UINT("workers", workers, 0, 64, "0",
	    "Worker processes of each daemon; 0: one per processor"),
	UINT("sandbox", sandbox, 0, 1, "1",
	    "1: worker processes are confined to the system calls and files of their rows in "
	    "outpost-authdns(8) and outpost-smtpd(8); 0: for debuggers and odd kernels"),
	UINT("pace", pace, 1, 10000, "1",
	    "Divides phase, memory and settling times, never protocol delays; for the lab"),
	STRING("catalogue", catalogue, "", "Directory of the tests; empty: the installed one"),
	UINT("dns-port", dns_port, 1, 65535, "53",
	    "DNS port; other values are for trying things on loopback"),
	UINT("smtp-port", smtp_port, 1, 65535, "25",
	    "SMTP port; other values are for trying things on loopback"),
	UINT("https-port", https_port, 1, 65535, "443",
	    "HTTPS port; other values are for trying things on loopback"),
	UINT("tap", tap, 0, 1, "1",
	    "1: record TCP SYNs to measurement addresses, also refused ones"),
	UINT("events-per-token-hour", events_per_token_hour, 0, 1000000000, "50000",
	    "Events of one participant that a daemon writes in an hour; what is over it is not "
	    "evidence, so verdicts then are inconclusive; 0: no limit"),
	UINT("memory-slots", memory_slots, 1024, 1 << 26, "262144",
	    "Entries of the table that remembers first attempts (32 bytes each)"),
	BYTES("segment-max", segment_max, 64 << 10, UINT64_C(1) << 40, "64M",
	    "Size at which a log segment ends and the next begins"),
	BYTES("segment-reserve", segment_reserve, 4 << 10, UINT64_C(1) << 30, "4M",
	    "Disk space reserved ahead in each segment"),
	UINT("dns-tcp-max", dns_tcp_max, 1, 100000, "1000", "TCP connections of a DNS worker"),
	UINT(
	    "dns-tcp-queries", dns_tcp_queries, 1, 1000000, "100", "Queries on one TCP connection"),
	DURATION("dns-tcp-idle", dns_tcp_idle, S / 10, 3600 * S, "10s",
	    "Idle time after which a TCP connection is closed"),
	UINT("dns-sign-cache", dns_sign_cache, 16, 1 << 24, "65536",
	    "Signatures that a DNS worker remembers"),
	UINT("dns-sign-invalid", dns_sign_invalid, 0, 1000000, "200",
	    "Signatures a second for names with an invalid token; above it TC=1"),
	UINT("dns-rate", dns_rate, 0, 100000000, "1000",
	    "UDP answers a second to one IPv4 /24 or IPv6 /56; above it TC=1; 0: no limit"),
	UINT("smtp-max", smtp_max, 1, 1000000, "12000", "SMTP connections of a worker"),
	UINT("smtp-per-client", smtp_per_client, 1, 1000000, "200",
	    "SMTP connections of one address"),
	UINT("smtp-line", smtp_line, 512, 65536, "2048", "Octets of a command line"),
	UINT("smtp-commands", smtp_commands, 10, 1000000, "1000", "Commands of a session"),
	UINT("smtp-recipients", smtp_recipients, 1, 10000, "100", "Recipients of a message"),
	BYTES(
	    "smtp-message", smtp_message, 64 << 10, UINT64_C(1) << 32, "10M", "Size of a message"),
	BYTES("smtp-headers", smtp_headers, 1 << 10, 48 << 10, "16K",
	    "Octets of the header that are kept"),
	UINT("smtp-operator", smtp_operator, 0, 1000000, "20",
	    "Messages an hour to postmaster, abuse and hostmaster of the base domain; further ones "
	    "get 452; see outpost mail; 0: none is taken"),
	DURATION("smtp-timeout", smtp_timeout, S / 10, 3600 * S, "5m",
	    "Wait for a command (RFC 5321 4.5.3.2.7)"),
	DURATION("smtp-data-timeout", smtp_data_timeout, S / 10, 3600 * S, "3m",
	    "Wait for a block of data"),
	DURATION("https-timeout", https_timeout, S / 10, 3600 * S, "30s",
	    "Wait for a whole HTTPS request, its handshake included"),
	BYTES("https-body", https_body, 1 << 10, 16 << 20, "1M", "Size of a TLS report"),
	UINT("web", web, 0, 1, "1", "1: outpost run serves a web site; see outpost-web(8)"),
	LIST("web-address", web_address,
	    "Address of the web site; none: those of the name server of the base domain"),
	UINT("web-port", web_port, 1, 65535, "443", "Its port"),
	UINT("web-tls", web_tls, 0, 1, "1",
	    "1: HTTPS; 0: plain HTTP, for a proxy on this host that does TLS"),
	STRING("web-name", web_name, "", "Host name of the web site in URLs; empty: base"),
	STRING("web-cert", web_cert, "",
	    "Certificate chain of the web site, PEM; empty: one under the site's own CA"),
	STRING("web-key", web_key, "", "Its private key, PEM"),
	LIST("web-proxy", web_proxy,
	    "Address of a proxy whose X-Forwarded-For is believed; nobody else's is"),
	STRING("web-contact", web_contact, "",
	    "Whom visitors can ask, an e-mail address; shown on the privacy page"),
	UINT("web-max", web_max, 1, 100000, "2000", "Connections to the web site"),
	UINT("web-per-client", web_per_client, 1, 100000, "30",
	    "Connections of one IPv4 address or IPv6 /64; not counted for web-proxy"),
	UINT("web-streams", web_streams, 0, 100000, "500",
	    "Pages that are told at once when mail arrives; above it they look every 15 seconds"),
	UINT("web-streams-per-client", web_streams_per_client, 0, 100000, "6",
	    "Of these for one IPv4 address or IPv6 /64"),
	UINT("web-requests", web_requests, 1, 1000000, "100", "Requests on one connection"),
	BYTES("web-head", web_head, 1 << 10, 64 << 10, "8K",
	    "Octets of a request line and its header fields"),
	BYTES("web-body", web_body, 1 << 10, 16 << 20, "64K", "Octets of a form"),
	BYTES("web-output", web_output, 1 << 20, 64ll << 30, "256M",
	    "Octets that wait for clients to take them; over it large responses are refused"),
	DURATION("web-timeout", web_timeout, S / 10, 3600 * S, "20s",
	    "Wait for a whole request, the TLS handshake included"),
	DURATION("web-idle", web_idle, S / 10, 3600 * S, "30s", "Wait for the next request"),
	DURATION("web-send", web_send, S / 10, 3600 * S, "60s",
	    "Time in which a client must take a response"),
	DURATION("web-stream-life", web_stream_life, S, 86400 * S, "30m",
	    "Life of a stream; browsers then open the next one"),
	UINT("web-readers", web_readers, 1, 16, "4",
	    "Processes that make reports for the web, as of the start: one that takes long holds "
	    "up none "
	    "of another participant while one of them is free"),
	UINT("web-report-events", web_report_events, 100, 10000000, "100000",
	    "Observations that a report on the web is made of at most; of more, outpost report "
	    "tells"),
	UINT("web-enrol-client", web_enrol_client, 0, 1000000, "20",
	    "Enrolments a day from one IPv4 address or IPv6 /64"),
	UINT("web-enrol-domain", web_enrol_domain, 0, 1000000, "20",
	    "Invitations a day to one mail domain and all that who registered it may have below it "
	    "(Public Suffix List)"),
	UINT("web-enrol-all", web_enrol_all, 0, 100000000, "5000", "Enrolments a day in all"),
	UINT("web-optout-client", web_optout_client, 1, 1000000, "20",
	    "Opt-outs a day that one IPv4 address or IPv6 /64 can ask for on the page; links in "
	    "mails "
	    "are not counted"),
	STRING("mail-program", mail_program, "",
	    "Program of this host's mail system that sends invitations, such as "
	    "/usr/sbin/sendmail; "
	    "empty: no mail leaves this site"),
	STRING("mail-log", mail_log, "",
	    "Log of this host's mail server, Postfix or Exim, such as /var/log/mail.log: what "
	    "became of a message, and over which TLS; Postfix must have smtp_tls_loglevel = 1; "
	    "empty: not known, and test 227 is inconclusive"),
	UINT("mail-rate", mail_rate, 1, 3600000, "120", "Participants an hour that are written to"),
	UINT("mail-per-address", mail_per_address, 1, 1000, "2",
	    "Invitations, reminders and rounds of mail-extra to one address in 24 hours; further "
	    "ones wait"),
	UINT("mail-per-domain", mail_per_domain, 1, 1000000, "200",
	    "The same for all addresses of one mail domain, counted as web-enrol-domain is"),
	DURATION("mail-extra", mail_extra, 0, UINT64_C(365) * 86400 * S, "14d",
	    "Who answers an invitation within this time gets up to three short messages more, "
	    "once, "
	    "from domains that show what their server looks up; the invitation says so; 0s: never"),
	STRING("mail-spf", mail_spf, "",
	    "Terms of SPF that name the hosts which send what this site writes to participants, "
	    "e.g. \"ip4:192.0.2.25 ip6:2001:db8::25\"; empty: the name server addresses of the "
	    "base domain"),
	DURATION("retention", retention, 0, UINT64_C(36500) * 86400 * S, "180d",
	    "How long observations, runs and enrolments are kept; 0s: until outpost forget; "
	    "opt-outs are kept for ever"),
	DURATION("smtp-session", smtp_session, S, 86400 * S, "30m", "Length of a whole session"),
	STRING("verify", verify, "all",
	    "Which accepted messages are judged (SPF, DKIM, DMARC, ARC): all or none"),
	STRING("verify-resolver", verify_resolver, "",
	    "ADDRESS[@PORT] of the resolver that is asked for that, with DNSSEC; empty: those of "
	    "/etc/resolv.conf"),
	STRING("verify-anchor", verify_anchor, "",
	    "File with the trust anchors of that; empty: the system's"),
	UINT("verify-queue", verify_queue, 1, 10000, "500",
	    "Messages that are accepted and not yet judged; further ones are not judged"),
	BYTES("verify-memory", verify_memory, 64 << 10, UINT64_C(1) << 40, "256M",
	    "Memory for their bodies and for those that arrive; what does not fit is not judged"),
	BYTES("verify-message", verify_message, 1 << 10, UINT64_C(1) << 32, "10M",
	    "Size of a message that is judged"),
	UINT("verify-children", verify_children, 0, 64, "0",
	    "Processes that judge at the same time; 0: one per processor"),
	BYTES("verify-child-memory", verify_child_memory, 64 << 20, UINT64_C(1) << 40, "256M",
	    "Address space of such a process"),
	DURATION("verify-child-time", verify_child_time, S, 600 * S, "10s",
	    "Processor time of such a process; three times that in all"),
	DURATION("verify-time", verify_time, S, 240 * S, "60s",
	    "Wait for all lookups about a message; what has not come then has failed"),
};

const struct conf_row *
site_rows(size_t *n)
{
	*n = sizeof(rows) / sizeof(*rows);
	return rows;
}
