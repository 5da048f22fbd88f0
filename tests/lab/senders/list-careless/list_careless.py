"""list_careless.py FROM < LIST - a mailing list that does with who wrote the mail whatever can be done wrong.

It adds a line to each message behind the signatures and behind its own seal, sends from addresses that have no name, calls
itself localhost, and its SPF record needs eleven lookups, one too many.
"""
import os
import socket

import list_arc
import naive

connect = socket.create_connection
# The last addresses of a sender have no PTR records (lib/names.sh).
SOURCES = {True: os.environ["IPV6"].split()[-1], False: os.environ["IPV4"].split()[-1]}


def bound(address, timeout=None, source_address=None, **more):
    del source_address
    return connect(address, timeout, (SOURCES[":" in address[0]], 0), **more)


def footer(message):
    return message + b"-- the list adds a line\r\n"


def main():
    socket.create_connection = bound
    os.environ["MYHOSTNAME"] = "localhost"
    list_arc.LIST = "many"
    list_arc.finish = footer
    list_arc.main()


if __name__ == "__main__":
    main()
