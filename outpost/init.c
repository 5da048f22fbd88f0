/* outpost init. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "outpost/command.h"
#include "provisioning/init.h"

/* Opens the port as the daemons will; listen_open names who is in the way. */
static void
try_port(const char *address, unsigned port, int type)
{
	union sockaddr_any a;
	int fd;

	if (address_parse(&a, address, port) != 0)
		return;
	fd = listen_open(&a, type);
	if (fd >= 0)
		close(fd);
}

static void
try_ports(const struct site *site)
{
	const struct site_conf *c = &site->conf;
	const struct conf_list *dns[] = { &c->ipv4_parent, &c->ipv4_child };

	for (size_t i = 0; i < 2; i++) {
		for (unsigned j = 0; j < dns[i]->n; j++) {
			try_port(dns[i]->item[j], c->dns_port, SOCK_DGRAM);
			try_port(dns[i]->item[j], c->dns_port, SOCK_STREAM);
		}
	}
	for (unsigned j = 0; j < c->ipv4_front.n; j++)
		try_port(c->ipv4_front.item[j], c->smtp_port, SOCK_STREAM);
	if (!site->has_ipv6)
		return;
	try_port("::", c->dns_port, SOCK_DGRAM);
	try_port("::", c->dns_port, SOCK_STREAM);
	try_port("::", c->smtp_port, SOCK_STREAM);
}

static void
tell(const struct site *site, const struct prepared *made, bool fresh)
{
	unsigned without = 0;

	printf("; %s: %s; made now: %u keys, %u certificates, %u addresses given to fronts\n",
	    site->dir, fresh ? "a new site" : "an existing site, nothing was overwritten",
	    made->keys, made->certs, made->fronts);
	for (size_t i = 0; i < site->n_fronts; i++)
		without += site->fronts[i].wanted && site->fronts[i].address[0] == '\0';
	if (without > 0)
		printf("; %u of %zu fronts have no IPv4 address: their tests %s.\n"
		       ";   More addresses in ipv4-front give them one.\n",
		    without, site->n_fronts,
		    site->has_ipv6 ? "run over IPv6 only" : "cannot be met, and get no verdict");
	if (!site->has_ipv6 && site->conf.ipv4_silent.n == 0)
		printf(
		    "; Before it can run, set ipv4-silent in outpost.conf: an address that answers "
		    "nothing,\n;   for tests of name servers; it need not be one of this host.\n");
	printf("; Publish this in the parent zone of %s:\n", site->conf.base);
	if (init_publish(stdout, site) != 0)
		log_fatal(EXIT_CANNOT,
		    "%s: the records of the parent cannot be made: remove keys/base.pem",
		    site->dir);
	printf("; Then:\n;   nft -f %s/nftables.conf     addresses that refuse or keep silent\n",
	    site->dir);
	if (site->has_ipv6)
		printf(";   ip -6 route add local %s dev lo     the measurement prefix, which must "
		       "be routed here\n",
		    site->conf.ipv6);
	printf(";   outpost run -C %s\n;   outpost check -C %s\n;   outpost enrol -C %s\n",
	    site->dir, site->dir, site->dir);
}

int
command_init(const struct command *c, int argc, char **argv)
{
	struct init_options o = { 0 };
	const struct option_row rows[] = {
		{ "base", OPTION_TEXT, "NAME", &o.base, "base domain" },
		{ "ipv4", OPTION_LIST, "A[,A...]", &o.ipv4,
		    "addresses: name servers of parent and children, refused, silent, then "
		    "fronts" },
		{ "ipv6", OPTION_TEXT, "PREFIX/64", &o.ipv6,
		    "measurement prefix, routed to this host" },
		{ "pace", OPTION_NUMBER, "N", &o.pace, "divide waiting times (lab)" },
		{ "user", OPTION_TEXT, "NAME", &o.user,
		    "who the workers run as; \"\": who starts them" },
		{ "node", OPTION_TEXT, "NAME", &o.node, "name of this node in events" },
		{ "catalogue", OPTION_TEXT, "DIR", &o.catalogue, "directory of the tests" },
		{ "dns-port", OPTION_NUMBER, "N", &o.dns_port, "instead of 53" },
		{ "smtp-port", OPTION_NUMBER, "N", &o.smtp_port, "instead of 25" },
	};
	struct prepared made;
	struct site *site;
	char err[1024];
	bool fresh;

	command_options(c, rows, sizeof(rows) / sizeof(*rows), argc, argv, 1, 1);
	if (init_site(&made, &fresh, argv[1], &o, err, sizeof(err)) != 0)
		log_fatal(EXIT_USAGE, "init: %s", err);
	if ((site = site_load(argv[1], err, sizeof(err))) == NULL)
		log_fatal(EXIT_CANNOT, "init: %s", err);
	tell(site, &made, fresh);
	if (fresh &&
	    (geteuid() == 0 || (site->conf.dns_port > 1023 && site->conf.smtp_port > 1023)))
		try_ports(site);
	site_free(site);
	for (unsigned i = 0; i < o.ipv4.n; i++)
		free(o.ipv4.item[i]);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_CANNOT;
}
