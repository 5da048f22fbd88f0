"""web_tls.py - for web-tls.sh: TLS clients that break up, prolong and cut off what they send, a result a line.

web_tls.py HOST PORT CA edges|endings
web_tls.py ticket FILE FORGED      the session of a file, changed so that it allows early data
"""
import base64
import re
import socket
import ssl
import struct
import sys
import time
import warnings

warnings.simplefilter("ignore", DeprecationWarning)  # old versions of TLS are what is to be refused


def check(what, got, want=True):
    print("ok" if got == want else "not ok", what, "" if got == want else f": {got}, wanted {want}", flush=True)


# --- a client ------------------------------------------------------------------------------------------------

class Client:
    """TLS over memory: what goes out passes through change(octets), which gives a list of pieces."""

    def __init__(self, name="outpost.example", change=None, alpn=None, low=None, high=None, session=None):
        context = ssl.create_default_context(cafile=CA)
        context.check_hostname = False
        if alpn:
            context.set_alpn_protocols(alpn)
        if low:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = low
        if high:
            context.maximum_version = high
        self.change = change or (lambda octets: [octets])
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        self.received = b""
        self.socket = socket.create_connection((HOST, PORT), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def flush(self):
        octets = self.outgoing.read()
        if octets:
            for piece in self.change(octets):
                self.socket.sendall(piece)

    def run(self, action):
        while True:
            try:
                return action()
            except ssl.SSLWantReadError:
                self.flush()
                octets = self.socket.recv(65536)
                self.received += octets
                if octets:
                    self.incoming.write(octets)
                else:
                    self.incoming.write_eof()
            finally:
                try:
                    self.flush()
                except OSError:
                    pass

    def handshake(self):
        self.run(self.tls.do_handshake)
        self.change = lambda octets: [octets]
        return self

    def send(self, octets):
        self.tls.write(octets)
        self.flush()
        return self

    def some(self):
        return self.run(lambda: self.tls.read(65536))

    def rest(self):
        """Up to close_notify.  An end without it raises."""
        out = b""
        while octets := self.some():
            out += octets
        return out

    def close(self):
        self.socket.close()


PROTOCOL_VERSION, UNRECOGNIZED_NAME, NO_APPLICATION_PROTOCOL = 70, 112, 120


def alert(**how):
    """The fatal alert that a handshake ends with, which is not encrypted; None: it does not."""
    client = Client(**how)
    try:
        client.handshake()
        return None
    except (ssl.SSLError, OSError) as error:
        found = re.search(rb"\x15\x03.\x00\x02\x02(.)$", client.received, re.S)
        return found[1][0] if found else f"{error}, after {client.received[-20:].hex()}"
    finally:
        client.close()


HOST_FIELD = b"Host: outpost.example\r\n"


def get(path=b"/robots.txt", more=b"", version=b"1.1", field=HOST_FIELD):
    return b"GET " + path + b" HTTP/" + version + b"\r\n" + field + more + b"\r\n"


def last(path=b"/robots.txt", **how):
    return get(path, b"Connection: close\r\n", **how)


def codes(octets):
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d+) ", octets)]


def ask(octets, **how):
    client = Client(**how).handshake().send(octets)
    try:
        return codes(client.rest())
    finally:
        client.close()


# --- ClientHellos that are changed -------------------------------------------------------------------------

def in_pieces(size):
    return lambda octets: [octets[i:i + size] for i in range(0, len(octets), size)]


def in_records(size):
    """Handshake records of so many octets each; what is encrypted stays as it is."""
    def change(octets):
        out = b""
        while octets:
            kind, version, length = struct.unpack(">BHH", octets[:5])
            body, octets = octets[5:5 + length], octets[5 + length:]
            parts = [body[i:i + size] for i in range(0, length, size)] if kind == 22 else [body]
            out += b"".join(struct.pack(">BHH", kind, version, len(part)) + part for part in parts)
        return [out]
    return change


def with_name(name):
    """A ClientHello whose first extension of number 0 names this host (RFC 6066 3)."""
    def change(octets):
        hello, rest = octets[9:], b""
        at = 34
        at += 1 + hello[at]
        at += 2 + struct.unpack(">H", hello[at:at + 2])[0]
        at += 1 + hello[at]
        extensions, old = b"", hello[at + 2:]
        while old:
            kind, length = struct.unpack(">HH", old[:4])
            if kind != 0:
                extensions += old[:4 + length]
            old = old[4 + length:]
        entry = b"\0" + struct.pack(">H", len(name)) + name
        extensions = struct.pack(">HHH", 0, len(entry) + 2, len(entry)) + entry + extensions
        hello = hello[:at] + struct.pack(">H", len(extensions)) + extensions
        body = b"\1" + struct.pack(">I", len(hello))[1:] + hello
        return in_records(16384)(struct.pack(">BHH", 22, 0x301, len(body)) + body + rest)
    return change


def versions():
    v = ssl.TLSVersion
    for version, name in ((v.TLSv1, "TLS 1.0"), (v.TLSv1_1, "TLS 1.1")):
        check(f"{name} is refused", alert(low=version, high=version), PROTOCOL_VERSION)
    for version, name in ((v.TLSv1_2, "TLSv1.2"), (v.TLSv1_3, "TLSv1.3")):
        client = Client(low=version, high=version).handshake()
        check(f"{name} is spoken", client.tls.version(), name)
        check(f"with forward secrecy and authenticated encryption under {name}",
              bool(re.search(r"^TLS_|^ECDHE.*(GCM|POLY1305)", client.tls.cipher()[0])))
        client.close()


def protocols():
    chosen = lambda offer: Client(alpn=offer).handshake().tls.selected_alpn_protocol()
    check("ALPN: of h2 and http/1.1 the latter", chosen(["h2", "http/1.1"]), "http/1.1")
    check("http/1.0, as it is spoken too", chosen(["http/1.0"]), "http/1.0")
    check("who offers none is served", chosen(None), None)
    for offer in (["h2"], ["smtp"], ["http/1.1x", "HTTP/1.1"]):
        check(f"who offers only {offer[0]} is told that it is not spoken (RFC 7301 3.2)",
              alert(alpn=offer), NO_APPLICATION_PROTOCOL)


def names():
    for what, name in (("no name", None), ("another name", "www.example.net"), ("a name of 253 octets", ".".join(["a" * 62] * 4) + "a")):
        check(f"SNI: {what}", ask(last(), name=name), [200])
    check("a name of 10,000 octets is refused", alert(change=with_name(b"a" * 10000)), UNRECOGNIZED_NAME)
    check("one with a NUL, too", alert(change=with_name(b"a\0b")), UNRECOGNIZED_NAME)


def pieces():
    check("a ClientHello in octets", ask(last(), change=in_pieces(1)), [200])
    check("a ClientHello in records of one octet", ask(last(), change=in_records(1)), [200])
    client = Client(change=lambda octets: [b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + b"a" * 16380])
    why = ""
    try:
        client.handshake()
    except (ssl.SSLError, OSError) as error:
        why = str(error)
    check("one that says it has 16 MB is refused at once", "alert" in why or why)
    client.close()
    client = Client().handshake()
    for octet in last():
        client.send(bytes([octet]))
    check("a request in records of one octet", codes(client.rest()), [200])


def pipelined():
    n = 300
    check("300 requests in one record and a few more", ask(get() * (n - 1) + last()), [200] * n)
    check("under TLS 1.2 as well", ask(get() * (n - 1) + last(), high=ssl.TLSVersion.TLSv1_2), [200] * n)
    check("in their order", ask(get() + get(b"/nothing") + get(b"/tests") + last(b"/tests/none")), [200, 404, 200, 404])
    client = Client().handshake().send(get() * 2)
    got = client.some()
    while len(codes(got)) < 2:
        got += client.some()
    check("and when there were two, a third", codes(client.send(last()).rest()), [200])


def requests():
    check("HTTP/1.0", ask(get(version=b"1.0", field=b"")), [200])
    check("HTTP/1.0 that wants to go on", ask(get(version=b"1.0", more=b"Connection: keep-alive\r\n") + get(version=b"1.0")), [200, 200])
    check("the words that begin HTTP/2", ask(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)), [400])
    check("HTTP/0.9", ask(b"GET /\r\n\r\n"), [505])
    check("a Host with its port", ask(last(field=b"Host: outpost.example:%d\r\n" % PORT)), [200])
    check("no Host", ask(last(field=b"")), [400])
    check("two of them", ask(last(field=HOST_FIELD * 2)), [400])
    check("two in one", ask(last(field=b"Host: a.example, b.example\r\n")), [400])
    check("a port that is none", ask(last(field=b"Host: outpost.example:https\r\n")), [400])
    for target in (b"https://outpost.example/robots.txt", b"HTTP://outpost.example:80/robots.txt", b"https://[2001:db8::1]/robots.txt"):
        check(f"the absolute form {target.decode()} (RFC 9112 3.2.2)", ask(last(target)), [200])
    check("without a path it is that of the start page", ask(last(b"https://outpost.example")), [200])
    check("and with a query alone", ask(last(b"https://outpost.example?a=b")), [200])
    for target in (b"ftp://outpost.example/", b"https:///robots.txt", b"https://a@outpost.example/robots.txt", b"https:/robots.txt",
                   b"https://outpost.example:x/robots.txt", b"//outpost.example/robots.txt"):
        check(f"but not {target.decode()}", ask(last(target)), [404 if target[:1] == b"/" else 400])
    check("nor the absolute form without Host", ask(last(b"https://outpost.example/robots.txt", field=b"")), [400])


def bodies():
    post = lambda more: b"POST /run HTTP/1.1\r\n" + HOST_FIELD + b"Content-Type: application/x-www-form-urlencoded\r\n" + more
    client = Client().handshake().send(post(b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"))
    check("Expect: 100-continue: the body is asked for", codes(client.some()), [100])
    check("and taken then", codes(client.send(b"a=b").rest()), [403])
    check("one that is too large is not asked for", ask(post(b"Expect: 100-continue\r\nContent-Length: 999999999\r\n\r\n")), [413])
    check("another expectation", ask(post(b"Expect: a-miracle\r\nContent-Length: 3\r\n\r\na=b")), [417])
    chunks = b"3\r\na=b\r\n0\r\nX-Trailer: a\r\nHost: b\r\n\r\n"
    check("chunks with trailers: the length is missed, and what follows is no request (RFC 9112 6.3)",
          ask(post(b"Transfer-Encoding: chunked\r\nTrailer: X-Trailer\r\n\r\n") + chunks + last()), [411])
    check("chunks and a length", ask(post(b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n") + chunks + last()), [400])
    check("a coding that nobody knows", ask(post(b"Transfer-Encoding: gzip, chunked\r\n\r\n") + chunks), [501])
    check("chunks behind GET", ask(get(more=b"Transfer-Encoding: chunked\r\n") + chunks + last()), [400])


# --- endings -------------------------------------------------------------------------------------------------

def ended(sock, seconds=30):
    """Does the other side end it?"""
    sock.settimeout(seconds)
    try:
        while sock.recv(65536):
            pass
    except ConnectionResetError:
        pass
    except socket.timeout:
        return False
    return True


def unfinished():
    hello = []
    client = Client(change=lambda octets: hello.append(octets) or [])
    try:
        client.tls.do_handshake()
    except ssl.SSLWantReadError:
        client.flush()
    client.socket.sendall(hello[0])
    check("who says hello and no more is let go", ended(client.socket))
    sock = socket.create_connection((HOST, PORT), 30)
    start = time.monotonic()
    try:
        while time.monotonic() < start + 30:  # an inactivity timer would wait for ever
            for octet in hello[0]:
                sock.sendall(bytes([octet]))
                time.sleep(0.2)
    except OSError:
        pass
    check("who says hello slowly as well", time.monotonic() < start + 29)
    client = Client().handshake()
    check("who says nothing after the handshake", ended(client.socket))
    client = Client().handshake().send(get())
    client.some()
    check("nor after a request", ended(client.socket))


def cut_off():
    client = Client().handshake().send(last())
    try:
        out = client.rest()
    except ssl.SSLError as error:
        out = str(error).encode()
    check("the site says close_notify before it ends", codes(out), [200])
    for what, octets in (("after a request", get()), ("in the middle of one", b"GET /rob"), ("before one", b""),
                         ("in the middle of a body", b"POST /run HTTP/1.1\r\n" + HOST_FIELD + b"Content-Length: 100\r\n\r\na=b")):
        client = Client().handshake()
        if octets:
            client.send(octets)
        client.socket.shutdown(socket.SHUT_WR)  # no close_notify
        check(f"who ends without close_notify {what} ends", ended(client.socket))
    for what, octets in (("a request", last(b"/tests")), ("two of them", get(b"/nothing") + get(b"/tests"))):
        client = Client().handshake().send(octets)
        try:
            client.tls.unwrap()
        except ssl.SSLError:
            pass
        client.flush()  # close_notify from our side, which leaves the other (RFC 8446 6.1)
        size = 0
        while piece := client.socket.recv(65536):
            size += len(piece)
        check(f"who says close_notify behind {what} is answered all the same", size > 10000)
        client.close()
    sock = socket.create_connection((HOST, PORT), 30)
    sock.sendall(b"GET / HTTP/1.1\r\nHost: outpost.example\r\n\r\n")
    check("plain HTTP is no TLS", ended(sock))
    for octets in (b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + b"a" * 37, b"\x15\x03\x03\x00\x02\x02\x28", b"\x14\x03\x03\x00\x01\x01" * 1000,
                   b"\x17\x03\x03\x40\x00" + b"a" * 16384, b"\x16\x03\x03\x00\x00" * 1000, b"\xff" * 70000):
        sock = socket.create_connection((HOST, PORT), 30)
        try:
            sock.sendall(octets)
        except OSError:
            pass
        check(f"{octets[:5].hex()}... is none either", ended(sock))


# --- tickets -------------------------------------------------------------------------------------------------

def der(tag, body):
    size = len(body)
    if size >= 128:
        octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
        return bytes([tag, 0x80 | len(octets)]) + octets + body
    return bytes([tag, size]) + body


def elements(octets):
    while octets:
        size, at = octets[1], 2
        if size & 0x80:
            at += size & 0x7f
            size = int.from_bytes(octets[2:at], "big")
        yield octets[0], octets[at:at + size]
        octets = octets[at + size:]


def forge(source, target):
    """SSL_SESSION of OpenSSL: [15] is how much early data the server takes."""
    text = open(source).read()
    octets = base64.b64decode(re.search("-----BEGIN[^-]*-----(.*)-----END", text, re.S).group(1))
    (_, session), = elements(octets)
    fields = [(tag, body) for tag, body in elements(session) if tag != 0xaf]
    fields.append((0xaf, der(2, b"\x40\x00")))
    fields.sort(key=lambda field: field[0] if field[0] >= 0xa0 else 0)  # the untagged stand first, in their order
    octets = der(0x30, b"".join(der(tag, body) for tag, body in fields))
    lines = base64.encodebytes(octets).decode()
    open(target, "w").write(f"-----BEGIN SSL SESSION PARAMETERS-----\n{lines}-----END SSL SESSION PARAMETERS-----\n")


if sys.argv[1] == "ticket":
    forge(*sys.argv[2:])
else:
    HOST, PORT, CA = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    for part in {"edges": (versions, protocols, names, pieces, pipelined, requests, bodies), "endings": (unfinished, cut_off)}[sys.argv[4]]:
        part()
