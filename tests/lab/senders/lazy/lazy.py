"""lazy.py attempt|delivery FROM < LIST - a mailer that fetches MTA-STS policies late (RFC 8461 5.1).

No message waits for a policy: a domain whose policy is not at hand is mailed as if it had none, and the
policy is fetched afterwards: after the first attempt, or only after the first delivery.  What is at hand is kept to
in every point: the hosts, the certificate, TLS.  Without a policy any certificate will do.
"""
import http.client
import os
import ssl
import sys
import threading
import time

import naive

LIMIT = 65536
policies = {}


def verifying():
    context = ssl.create_default_context(cafile=os.environ["CA"])
    context.hostname_checks_common_name = False
    return context


def fetch(domain):
    """The policy of the domain, {} if it has none: no redirect is followed, no certificate overlooked."""
    if domain in policies:
        return
    policies[domain] = {}
    records = [b"".join(r.strings).decode(errors="replace") for r in naive.lookup("_mta-sts." + domain, "TXT")]
    records = [r for r in records if r.startswith("v=STSv1;")]
    if len(records) != 1 or "id=" not in records[0]:
        return
    try:
        connection = http.client.HTTPSConnection("mta-sts." + domain, timeout=10, context=verifying())
        connection.request("GET", "/.well-known/mta-sts.txt")
        answer = connection.getresponse()
        text = answer.read(LIMIT + 1).decode()
    except (OSError, ValueError, http.client.HTTPException):
        return
    plain = (answer.getheader("Content-Type") or "").split(";")[0].strip() == "text/plain"
    if answer.status == 200 and plain and len(text) <= LIMIT:
        policies[domain] = parse(text)
    print("%s: policy %s" % (domain, policies[domain]), flush=True)


def parse(text):
    fields = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            fields.setdefault(key.strip(), []).append(value.strip())
    if fields.get("version") != ["STSv1"] or "max_age" not in fields or "mode" not in fields:
        return {}
    return fields


def fits(host, patterns):
    """RFC 8461 4.1: the asterisk stands for one label, the leftmost."""
    host = host.lower()
    return any(host == p.lower() or (p.startswith("*.") and host.partition(".")[2] == p[2:].lower()) for p in patterns)


class Session(naive.Session):
    def deliver_by(self, policy, name, sender, recipient, message):
        self.must(None, 2)
        offered = self.must("EHLO " + os.environ["MYHOSTNAME"], 2)
        if b"STARTTLS" in offered and self.say("STARTTLS")[0] == 220:
            self.buffer = b""
            context = verifying() if policy else naive.blind()
            self.socket = context.wrap_socket(self.socket, server_hostname=name)
            self.must("EHLO " + os.environ["MYHOSTNAME"], 2)
        elif policy:
            raise OSError("no TLS, which the policy wants")
        self.must("MAIL FROM:<%s>" % sender, 2)
        self.must("RCPT TO:<%s>" % recipient, 2)
        self.must("DATA", 3)
        self.socket.sendall(message)
        self.must(".", 2)
        self.socket.sendall(b"QUIT\r\n")


def attempt(first, sender, recipient, message):
    """The first attempt is one address, so that all of it falls into the minutes in which tests defer."""
    domain = recipient.split("@", 1)[1]
    known = policies.get(domain, {})
    policy = known if known.get("mode") == ["enforce"] else {}
    for name, where in naive.hosts(domain):
        if policy and not fits(name, policy.get("mx", [])):
            print("%s: %s is not in the policy" % (recipient, name), flush=True)
            continue
        for address in where[:1] if first else where:
            try:
                Session(address).deliver_by(policy, name, sender, recipient, message)
                print("%s: sent to %s [%s]" % (recipient, name, address), flush=True)
                return True
            except (OSError, ValueError) as error:
                print("%s: %s [%s]: %s" % (recipient, name, address, error), flush=True)
    return False


def keep_at_it(late, sender, recipient, messages):
    for message in messages:
        for n in range(naive.ATTEMPTS):
            done = attempt(n == 0, sender, recipient, message)
            if done or not late:
                fetch(recipient.split("@", 1)[1])
            if done:
                break
            time.sleep(naive.INTERVAL)


def main():
    queue = naive.read_queue(sys.stdin)
    late = sys.argv[1] == "delivery"
    threads = [threading.Thread(target=keep_at_it, args=(late, sys.argv[2], r, m)) for r, m in queue.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
