"""A TCP client that does what no resolver should.  Usage: dns_tcp.py NETNS ADDRESS NAME
Prints one line per check: "ok WHAT" or "failed WHAT"."""
import ctypes
import os
import socket
import struct
import sys

netns, address, name = sys.argv[1:]
fd = os.open("/var/run/netns/" + netns, os.O_RDONLY)
if ctypes.CDLL("libc.so.6", use_errno=True).setns(fd, 0x40000000) != 0:
    sys.exit("setns: " + os.strerror(ctypes.get_errno()))


def query(number, qname=name, qtype=15):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in qname.split("."))
    return struct.pack(">6H", number, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", qtype, 1)


def framed(message):
    return struct.pack(">H", len(message)) + message


def connect():
    s = socket.create_connection((address, 53), timeout=4)
    return s


def read(s):
    def exactly(n):
        data = b""
        while len(data) < n:
            part = s.recv(n - len(data))
            if not part:
                raise EOFError
            data += part
        return data
    return exactly(struct.unpack(">H", exactly(2))[0])


def check(what, test):
    try:
        good = test()
    except (OSError, EOFError) as error:
        print(what, repr(error), file=sys.stderr)
        good = False
    print("ok" if good else "failed", what, flush=True)


def pipelined():
    s = connect()
    s.sendall(b"".join(framed(query(i)) for i in range(50)))
    return [struct.unpack(">H", read(s)[:2])[0] for _ in range(50)] == list(range(50))


def byte_by_byte():
    s = connect()
    for byte in framed(query(7)):
        s.sendall(bytes([byte]))
    return read(s)[:2] == b"\0\7"


def half_closed():
    s = connect()
    s.sendall(framed(query(8)))
    s.shutdown(socket.SHUT_WR)
    return read(s)[:2] == b"\0\10"


def half_packet():
    s = connect()
    s.sendall(framed(query(9))[:-3])
    s.shutdown(socket.SHUT_WR)
    return s.recv(100) == b""


def largest():
    s = connect()
    s.sendall(framed(query(10).ljust(65535, b"\0")) + framed(query(11)))
    first, second = read(s), read(s)
    return first[:2] == b"\0\12" and first[3] & 15 == 1 and second[:2] == b"\0\13" and second[3] & 15 == 0


def empty():
    s = connect()
    s.sendall(b"\0\0")
    return s.recv(100) == b""


def many_idle():
    """Connections over the limit: the oldest make room, a newcomer is served."""
    idle = [connect() for _ in range(60)]
    s = connect()
    s.sendall(framed(query(12)))
    served = read(s)[:2] == b"\0\14"
    idle[0].settimeout(2)
    return served and idle[0].recv(10) == b""


def silence():
    s = connect()
    s.settimeout(8)
    return s.recv(10) == b""


def too_many_queries():
    s = connect()
    s.sendall(b"".join(framed(query(i)) for i in range(150)))
    for _ in range(100):
        read(s)
    try:
        return s.recv(10) == b""
    except ConnectionResetError:
        return True


def garbage():
    s = connect()
    s.sendall(framed(os.urandom(300)) + framed(query(13)))
    for _ in range(2):
        if read(s)[:2] == b"\0\15":
            return True
    return False


def lazy_reader():
    """Asks for much and reads late; every answer still comes, in order."""
    s = connect()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    s.sendall(b"".join(framed(query(i)) for i in range(99)))
    return [struct.unpack(">H", read(s)[:2])[0] for _ in range(99)] == list(range(99))


check("50 pipelined queries are answered in order", pipelined)
check("a query that comes octet by octet", byte_by_byte)
check("a half-closed client gets its answer", half_closed)
check("half a packet gets none and the connection ends", half_packet)
check("a query of 64 KiB gets FORMERR, the one behind it an answer", largest)
check("a message of no octets ends the connection", empty)
check("60 idle connections over a limit of 20", many_idle)
check("silence ends a connection", silence)
check("the limit of queries ends a connection", too_many_queries)
check("garbage before a query", garbage)
check("a client that reads late", lazy_reader)
