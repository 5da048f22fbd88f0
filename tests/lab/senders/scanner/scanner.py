"""scanner.py FROM < LIST - no mailer at all: it looks at everything that can be seen of the recipients' domains.

Tokens are public: To: headers, certificate logs and the resolvers on the way know them.  Whoever looks, asks
for every name, fetches every policy, connects to every mail host, says EHLO and STARTTLS, and goes away.
No mail is sent, so no test may find anything out about who sends.
"""
import socket
import ssl
import sys
import threading
import urllib.request

import naive

PATIENCE = 5
WORKERS = 24


def look(domain):
    for name in (domain, "_mta-sts." + domain, "_smtp._tls." + domain, "_dmarc." + domain):
        for kind in ("NS", "SOA", "A", "AAAA", "MX", "TXT", "CAA", "DNSKEY"):
            naive.lookup(name, kind)
    try:
        url = "https://mta-sts." + domain + "/.well-known/mta-sts.txt"
        urllib.request.urlopen(url, timeout=PATIENCE, context=naive.blind()).read(65536)
    except (OSError, ValueError):
        pass
    for name, where in naive.hosts(domain):
        naive.lookup("_25._tcp." + name, "TLSA")
        for address in where:
            for starttls in (False, True):
                knock(name, address, starttls)


def knock(name, address, starttls):
    """To a port like any other, or as who makes a list of certificates."""
    try:
        with socket.create_connection((address, 25), PATIENCE) as s:
            s.settimeout(PATIENCE)
            s.recv(4096)
            if starttls:
                for line in (b"EHLO scanner.example\r\n", b"STARTTLS\r\n"):
                    s.sendall(line)
                    s.recv(4096)
                naive.blind().wrap_socket(s, server_hostname=name).sendall(b"QUIT\r\n")
    except (OSError, ValueError):
        pass


def main():
    domains = sorted({r.split("@", 1)[1] for line in sys.stdin for r in line.split()[1:]})
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                if not domains:
                    return
                domain = domains.pop()
            look(domain)

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main()
