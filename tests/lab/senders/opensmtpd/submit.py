"""submit.py HOST PORT FROM < LIST - hands messages to a server on this machine.  A line of LIST: FILE RECIPIENT..."""
import smtplib
import sys


def main():
    host, port, sender = sys.argv[1:]
    for line in sys.stdin:
        path, *recipients = line.split()
        with open(path, "rb") as file:
            message = file.read().replace(b"\n", b"\r\n")
        utf8 = not all(r.isascii() for r in recipients)
        with smtplib.SMTP(host, int(port)) as server:
            try:
                server.sendmail(sender, recipients, message, mail_options=["SMTPUTF8"] if utf8 else [])
            except (smtplib.SMTPNotSupportedError, smtplib.SMTPRecipientsRefused) as refused:
                print("%s: %s" % (recipients, refused), file=sys.stderr)


if __name__ == "__main__":
    main()
