"""list_arc.py FROM < LIST - a mailing list.  A line of LIST: FILE RECIPIENT...

Each message is signed by its author, with RSA and with Ed25519 (RFC 8463). The list takes it, notes what it
found in Authentication-Results, and seals that with ARC (RFC 8617) before it sends the message on with an envelope sender of
its own: SPF passes for the list, not for the author, whose signatures tell who wrote it.
"""
import os
import sys
import threading

import dkim

import naive

# Its domain is LIST.sI.forward.example.
LIST = "lists"
ORDER = [b"From", b"To", b"Date", b"Message-ID", b"Subject"]


def read(name):
    with open(os.environ[name], "rb") as file:
        return file.read()


def replace(message, name, value):
    """The field with this name, which is one line, has another value."""
    head, body = message.split(b"\r\n\r\n", 1)
    lines = [name + b": " + value if l.startswith(name + b":") else l for l in head.split(b"\r\n")]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def prepend(message, field):
    """What the library returns has line ends of its own making."""
    return field.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").rstrip(b"\r\n") + b"\r\n" + message


def sign(message, domain):
    signatures = [
        dkim.sign(message, b"rsa", domain, read("DKIM_RSA"), include_headers=ORDER,
                  canonicalize=(b"relaxed", b"simple")),
        dkim.sign(message, b"ed25519", domain, read("DKIM_ED25519"), include_headers=ORDER,
                  canonicalize=(b"relaxed", b"simple"), signature_algorithm=b"ed25519-sha256"),
    ]
    for signature in signatures:
        message = prepend(message, signature)
    return message


def forward(message, author, domain):
    """As the list's server took it in, and sealed it."""
    server = b"mail." + domain
    found = server + b"; spf=pass smtp.mailfrom=" + author + b"; dkim=pass header.d=" + author.split(b"@")[1]
    message = prepend(message, b"Received: from mail." + author.split(b"@")[1] + b" by " + server +
                      b"; Sun, 22 Nov 2026 12:00:00 +0000")
    message = prepend(message, b"Authentication-Results: " + found)
    seal = dkim.arc_sign(message, b"rsa", domain, read("DKIM_RSA"), server, include_headers=ORDER)
    for field in reversed(seal):
        message = prepend(message, field)
    return message


def finish(message):
    """What the list does with a message that is sealed: nothing."""
    return message


def wire(path, author, domain):
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    message = replace(b"\r\n".join(lines), b"From", b"An author <" + author + b">")
    message = finish(forward(sign(message, author.split(b"@")[1]), author, domain))
    lines = message.split(b"\r\n")
    return b"".join((b"." if l.startswith(b".") else b"") + l + b"\r\n" for l in lines[:-1])


def main():
    home = sys.argv[1].split("@")[1]
    author = b"author@strict." + home.encode()
    domain = LIST.encode() + b"." + home.split(".")[0].encode() + b".forward.example"
    queue = {}
    for line in sys.stdin:
        path, *recipients = line.split()
        message = wire(path, author, domain)
        for recipient in recipients:
            queue.setdefault(recipient, []).append(message)
    sender = "bounces@" + domain.decode()
    threads = [threading.Thread(target=naive.keep_at_it, args=(sender, r, m)) for r, m in queue.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
