"""naive.py FROM < LIST - a mailer as it is written in an afternoon.  A line of LIST: FILE RECIPIENT...

It asks for everything and heeds nothing: TLSA records and MTA-STS policies are fetched and forgotten,
certificates are not looked at, the highest MX preference wins, a null MX and an MX without address
mean the domain's own address, text that came in before TLS is still read after it, a final refusal
is tried again.  No sender is like this in all points; each point has been seen in one.

It breaks the same rules at each run: a recipient's messages go one after the other; the first attempt
is one address of the wrong host, the policy is fetched before the second, which goes to all of them, the
right one first.
"""
import os
import re
import socket
import ssl
import sys
import threading
import time
import urllib.request

import dns.exception
import dns.resolver

# Retries: so often at the most, and none after this many seconds.
ATTEMPTS = 8
INTERVAL = 4
LIFETIME = 60
TIMEOUT = 200
# After a fetch: longer than the minutes, divided by the lab's pace, that a test waits for a policy to be known.
PATIENCE = 2

# Policies are asked for once, as by a sender with a cache.
asked = set()


def lookup(name, kind):
    try:
        return list(dns.resolver.resolve(name, kind, search=False))
    except dns.exception.DNSException:
        return []


def addresses(name):
    return [r.address for kind in ("A", "AAAA") for r in lookup(name, kind)]


def hosts(domain):
    """Mail hosts, the best one first, and addresses to try at each."""
    mx = sorted(lookup(domain, "MX"), key=lambda r: r.preference)
    found = [(r.exchange.to_text(True), addresses(r.exchange)) for r in mx]
    return [h for h in found if h[1]] or [(domain, addresses(domain))]


def fetch(domain):
    """The policy, which a careful sender would heed."""
    if domain in asked:
        return
    asked.add(domain)
    if lookup("_mta-sts." + domain, "TXT"):
        try:
            url = "https://mta-sts." + domain + "/.well-known/mta-sts.txt"
            urllib.request.urlopen(url, timeout=10, context=blind()).read(65536)
            time.sleep(PATIENCE)
        except (OSError, ValueError):
            pass


def blind():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Session:
    def __init__(self, address):
        self.buffer = b""
        self.socket = socket.create_connection((address, 25), TIMEOUT)

    def reply(self):
        text = b""
        while True:
            while b"\n" not in self.buffer:
                more = self.socket.recv(4096)
                if not more:
                    raise OSError("connection closed")
                self.buffer += more
            line, self.buffer = self.buffer.split(b"\n", 1)
            text += line + b"\n"
            if re.match(rb"\d\d\d( |\r?$)", line):
                return int(line[:3]), text

    def say(self, line):
        self.socket.sendall(line.encode() + b"\r\n")
        return self.reply()

    def must(self, line, wanted):
        code, text = self.say(line) if line else self.reply()
        if code // 100 != wanted:
            raise OSError("%s: %s" % (line, text.decode(errors="replace").strip()))
        return text

    def deliver(self, sender, recipient, message):
        self.must(None, 2)
        offered = self.must("EHLO " + os.environ["MYHOSTNAME"], 2)
        if b"STARTTLS" in offered and self.say("STARTTLS")[0] == 220:
            # The buffer is kept: whatever came in before TLS counts as said inside it.
            self.socket = blind().wrap_socket(self.socket)
            self.must("EHLO " + os.environ["MYHOSTNAME"], 2)
        self.must("MAIL FROM:<%s>" % sender, 2)
        self.must("RCPT TO:<%s>" % recipient, 2)
        self.must("DATA", 3)
        self.socket.sendall(message)
        self.must(".", 2)
        self.socket.sendall(b"QUIT\r\n")


def attempt(first, sender, recipient, message):
    domain = recipient.split("@", 1)[1]
    found = hosts(domain)
    for name, _ in found:
        lookup("_25._tcp." + name, "TLSA")
    if first:
        # Of several hosts the wrong one over IPv6, if it has that: there it is seen that no other was tried.
        several = len(found) > 1
        found = [(name, where[-1:] if several else where[:1]) for name, where in found[-1:]]
    else:
        fetch(domain)
    for name, where in found:
        for address in where:
            try:
                Session(address).deliver(sender, recipient, message)
                print("%s: sent to %s [%s]" % (recipient, name, address), flush=True)
                return True
            except (OSError, ValueError) as error:
                print("%s: %s [%s]: %s" % (recipient, name, address, error), flush=True)
    return False


def keep_at_it(sender, recipient, messages):
    for message in messages:
        until = time.monotonic() + LIFETIME
        for n in range(ATTEMPTS):
            if attempt(n == 0, sender, recipient, message) or time.monotonic() > until:
                break
            time.sleep(INTERVAL)


def wire(path):
    """The file as DATA has it: lines end in CRLF, dots at their beginning are doubled."""
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    return b"".join((b"." if l.startswith(b".") else b"") + l + b"\r\n" for l in lines[:-1])


def read_queue(lines):
    """Messages by recipient, in their order."""
    queue = {}
    for line in lines:
        path, *recipients = line.split()
        message = wire(path)
        for recipient in recipients:
            queue.setdefault(recipient, []).append(message)
    return queue


def main():
    queue = read_queue(sys.stdin)
    threads = [threading.Thread(target=keep_at_it, args=(sys.argv[1], r, m)) for r, m in queue.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(__doc__)
    else:
        main()
