#!/usr/bin/env python3
"""hostile.py TOKEN: a sender that has markup in all that it says: in EHLO, in addresses, in its header, in a report about TLS."""
import json
import socket
import ssl
import sys
import urllib.request

token = sys.argv[1]
domain = "%s.%%s.outpost.example" % token


def evil(name):
    return "%s<script>alert('%s')</script><img/src=x/onerror=alert('%s')>\"'><b/id=evil-%s>" % ((name,) * 4)


def smtp():
    with socket.create_connection(("%s.mx0.dual.outpost.example" % token, 25), 30) as s:
        f = s.makefile("rwb")

        def say(line, code):
            if line is not None:
                f.write(line.encode() + b"\r\n")
                f.flush()
            while True:
                reply = f.readline().decode("ascii", "replace")
                if not reply.startswith(code):
                    sys.exit("%s: %s" % (line, reply))
                if reply[3:4] == " ":
                    return

        say(None, "220")
        say("EHLO " + evil("ehlo"), "250")
        say("MAIL FROM:<\"<script>alert('from')</script>\"@sender.example>", "250")
        say("RCPT TO:<probe@%s>" % domain % "dual", "250")
        say("DATA", "354")
        say("From: %s <a@sender.example>\r\nTo: probe@%s\r\nSubject: %s\r\nMessage-ID: <%s@sender.example>\r\n\r\nHello.\r\n."
            % (evil("display"), domain % "dual", evil("subject"), evil("msgid")), "250")
        say("QUIT", "221")


def report():
    about = domain % "tlsrpt-dane"
    body = {
        "organization-name": evil("organization"),
        "date-range": {"start-datetime": "2026-11-20T00:00:00Z", "end-datetime": "2026-11-20T23:59:59Z"},
        "contact-info": evil("contact"),
        "report-id": evil("id"),
        "policies": [{
            "policy": {"policy-type": "tlsa", "policy-string": [evil("policy")], "policy-domain": about, "mx-host": [evil("host")]},
            "summary": {"total-successful-session-count": 0, "total-failure-session-count": 1},
            "failure-details": [{
                "result-type": evil("result"), "sending-mta-ip": "192.0.2.1", "receiving-mx-hostname": evil("mx"),
                "failed-session-count": 1, "additional-information": evil("more"), "failure-reason-code": evil("code"),
            }],
        }],
    }
    request = urllib.request.Request("https://tlsrpt.%s/report" % (domain % "tlsrpt-dane-b"), json.dumps(body).encode(),
                                     {"Content-Type": "application/tlsrpt+json", "User-Agent": evil("agent")})
    tls = ssl.create_default_context(cafile="/etc/ssl/certs/ca-certificates.crt")
    urllib.request.urlopen(request, timeout=30, context=tls).read()


smtp()
report()
