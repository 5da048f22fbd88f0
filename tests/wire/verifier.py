"""What tests/wire/verifier.sh needs: a name server, a sender, and somebody who counts.

  dns PORT KEYS          answers on 127.0.0.1: KEYS are lines "NAME TEXT" of DKIM keys
  mail ADDRESS SOURCE FROM RECIPIENT FILE|- [N]   sends it N times in one connection; prints the last reply
  storm ADDRESS RECIPIENT SECONDS   mails all the time, whatever happens; prints how many were accepted
  count LOG              checks that each accepted message has exactly one end; prints how many of each
  forgot SECRET WORKER PID...   the worker's memory has the site's secret, that of the others has not, nor do
                         they share memory that is written to
  wait LOG N SECONDS     waits until N messages are accepted and have ends
"""
import collections
import glob
import json
import random
import socket
import struct
import sys
import time

A, NS, TXT, AAAA = 1, 2, 16, 28
CLIENT = "2001:db8:1::7"


def zone(keys):
    z = {
        ("good.example", TXT): [b"v=spf1 ip6:" + CLIENT.encode() + b" -all"],
        ("bad.example", TXT): [b"v=spf1 -all"],
        # What libspf2 writes over its stack for (CVE-2023-42118).
        ("crash.example", TXT): [b"v=spf1 exists:" + b"%{s}" * 127 + b"a" * 6000 + b".example -all"],
    }
    for line in open(keys):
        name, _, text = line.strip().partition(" ")
        if text:
            z[name.lower(), TXT] = [text.strip().strip('"').encode()]
    return z


def answer(z, query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("latin-1").lower())
        at += 1 + query[at]
    name, qtype = ".".join(labels), struct.unpack(">H", query[at + 1 : at + 3])[0]
    question = query[12 : at + 5]
    out = b""
    data = z.get((name, qtype), [])
    for text in data:
        rdata = b"".join(bytes([len(text[i : i + 255])]) + text[i : i + 255] for i in range(0, len(text), 255))
        out += b"\xc0\x0c" + struct.pack(">HHIH", qtype, 1, 60, len(rdata)) + rdata
    known = any(n == name or n.endswith("." + name) for n, _ in z)
    rcode = 0 if known else 3
    return query[:2] + struct.pack(">HHHHH", 0x8180 | rcode, 1, len(data), 0, 0) + question + out


def dns(port, keys):
    import select

    z = zone(keys)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))
    tcp = socket.socket()
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind(("127.0.0.1", port))
    tcp.listen(16)
    while True:
        for s in select.select([udp, tcp], [], [])[0]:
            try:
                if s is udp:
                    q, peer = udp.recvfrom(4096)
                    r = answer(z, q)
                    if len(r) > 1232:
                        r = r[:2] + struct.pack(">H", 0x8380) + q[4:6] + b"\0" * 6 + q[12 : 12 + len(q) - 12]
                        r = r[:12] + answer(z, q)[12 : 12 + q[12:].index(b"\0") + 5]
                    udp.sendto(r, peer)
                else:
                    c, _ = tcp.accept()
                    c.settimeout(5)
                    n = struct.unpack(">H", c.recv(2))[0]
                    r = answer(z, c.recv(n))
                    c.sendall(struct.pack(">H", len(r)) + r)
                    c.close()
            except (OSError, IndexError, struct.error):
                pass


def connect(address, source):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family)
    s.settimeout(20)
    if source:
        s.bind((source, 0))
    s.connect((address, 25))
    return s, s.makefile("rb")


def reply(f):
    while True:
        line = f.readline()
        if not line:
            raise OSError("closed")
        if line[3:4] == b" ":
            return line.decode().strip()


def say(s, f, data):
    s.sendall(data)
    return reply(f)


def transaction(s, f, sender, recipient, body):
    for command in (b"MAIL FROM:<%s>" % sender.encode(), b"RCPT TO:<%s>" % recipient.encode(), b"DATA"):
        r = say(s, f, command + b"\r\n")
        if r[0] not in "23":
            return r
    return say(s, f, body.replace(b"\r\n.", b"\r\n..") + b".\r\n")


def mail(address, source, sender, recipient, path, n=1):
    body = b"From: a@good.example\r\nSubject: x\r\n\r\nhello\r\n"
    if path != "-":
        body = open(path, "rb").read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    s, f = connect(address, source)
    reply(f)
    say(s, f, b"EHLO mta.good.example\r\n")
    for _ in range(n):
        r = transaction(s, f, sender, recipient, body)
    print(r)


def storm(address, recipient, seconds):
    end, accepted, i = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        try:
            s, f = connect(address, CLIENT)
            s.settimeout(5)
            reply(f)
            say(s, f, b"EHLO mta.good.example\r\n")
            for _ in range(random.randrange(1, 6)):
                i += 1
                body = b"From: a@good.example\r\nSubject: %d\r\n\r\nhello\r\n" % (i // 2)
                if transaction(s, f, "a@good.example", recipient, body).startswith("250"):
                    accepted += 1
            s.close()
        except OSError:
            time.sleep(0.05)
    print(accepted)


ENDS = ("verify.result", "verify.crashed", "verify.skipped", "verify.lost")


def tally(log):
    messages, ends, kinds = collections.Counter(), collections.Counter(), collections.Counter()
    for path in glob.glob(log + "/*.jsonl"):
        for line in open(path, "rb").read().split(b"\n")[:-1]:
            try:
                e = json.loads(line)
            except ValueError:
                continue  # torn by kill -9
            key = tuple(e.get(k) for k in ("token", "test", "conn", "digest"))
            if e["ev"] == "smtp.message" and e["reply"] // 100 == 2:
                messages[key] += 1
            elif e["ev"] in ENDS:
                ends[key] += 1
                kinds[e["ev"]] += 1
    return messages, ends, kinds


HUGE = 1 << 30  # what sanitizers reserve is not read


def mappings(pid):
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            span, modes, _, _, _, *name = line.split()
            start, end = (int(x, 16) for x in span.split("-"))
            yield start, end, modes, name


def holds(pid, secret):
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for start, end, modes, name in mappings(pid):
            if not modes.startswith("rw") or end - start > HUGE:
                continue
            mem.seek(start)
            try:
                if secret in mem.read(end - start):
                    return True
            except OSError:
                continue
    return False


def forgot(path, worker, *pids):
    secret = bytes.fromhex(open(path).read().strip())
    try:
        open(f"/proc/{worker}/mem", "rb").close()
    except PermissionError:
        print("nobody may look into processes here", file=sys.stderr)
        return
    assert holds(worker, secret), "the worker has no secret: is it looked for in the right way?"
    for pid in pids:
        assert not holds(pid, secret), f"process {pid} has the site's secret"
    shared = [m for m in mappings(pids[-1]) if m[2][1] == "w" and m[2][3] == "s"]
    assert not shared, f"process {pids[-1]} shares memory: {shared}"


def count(log):
    messages, ends, kinds = tally(log)
    bad = [(k, n, ends[k]) for k, n in messages.items() if ends[k] != n]
    print("%d accepted," % sum(messages.values()), ", ".join("%d %s" % (kinds[k], k) for k in ENDS))
    for k, n, m in bad[:5]:
        print("# %d messages, %d ends: %s" % (n, m, k))
    return 1 if bad else 0


def wait(log, n, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        messages, ends, _ = tally(log)
        if sum(messages.values()) >= n and all(ends[k] >= m for k, m in messages.items()):
            return 0
        time.sleep(0.2)
    return 1


def main(what, *args):
    if what == "dns":
        dns(int(args[0]), args[1])
    elif what == "mail":
        mail(*args[:5], *map(int, args[5:]))
    elif what == "storm":
        storm(args[0], args[1], float(args[2]))
    elif what == "count":
        return count(args[0])
    elif what == "wait":
        return wait(args[0], int(args[1]), float(args[2]))
    elif what == "forgot":
        forgot(*args)
    return 0


sys.exit(main(*sys.argv[1:]))
