"""person.py MAILDIR ADDRESS OUT MESSAGES SECONDS TEXT - somebody who reads mail and answers all of it with Reply All.

Waits for mail in MAILDIR, at most so long, and answers so many messages; with 0 as many as the subject of the first
says, "(1 of 3)".  An answer goes where mail programs send it (RFC 5322 3.6.3): to Reply-To, or else From, and
to whom the message went to besides, but not to ADDRESS itself.  Each becomes a file in OUT with lines that end in LF, and a line
of output: FILE MESSAGE-ID RECIPIENT...  Message-ID is that of the message that was answered, which is put among those that were read.
Exit code 3: fewer came in time.
"""
import email
import email.policy
import email.utils
import os
import re
import sys
import time

WIDTH = 76


def addresses(message, *names):
    """Each once, in order."""
    found = {}
    for name in names:
        for field in message.get_all(name, []):
            for _, address in email.utils.getaddresses([" ".join(str(field).split())]):
                if "@" in address:
                    found.setdefault(address.lower(), address)
    return found


def text_of(message):
    """What is quoted: the plain text, if there is one."""
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            return part.get_payload(decode=True).decode("utf-8", "replace")
    return ""


def one_line(message, name):
    return " ".join(str(message.get(name, "")).split())


def field(name, values):
    return name + ": " + ",\n\t".join(values) + "\n" if values else ""


def reply_all(message, me, text):
    """The answer, and whom it goes to."""
    to = addresses(message, "Reply-To") or addresses(message, "From")
    cc = addresses(message, "To", "Cc")
    for address in [me.lower(), *to]:
        cc.pop(address, None)
    subject = one_line(message, "Subject")
    if not subject.lower().startswith("re:"):
        subject = "Re: " + subject
    head = "From: A person <%s>\n" % me + field("To", list(to.values())) + field("Cc", list(cc.values()))
    head += "Subject: %s\nDate: %s\n" % (subject, email.utils.formatdate())
    head += "Message-ID: %s\n" % email.utils.make_msgid(domain=me.split("@")[1])
    msgid = one_line(message, "Message-ID")
    if msgid:
        references = (one_line(message, "References") + " " + msgid).split()
        head += "In-Reply-To: %s\n" % msgid + "References: " + "\n\t".join(references) + "\n"
    head += "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
    quoted = "".join("> " + line + "\n" for line in text_of(message).splitlines())
    return head + "\n" + text + "\n\n" + quoted, list(to.values()) + list(cc.values())


def waiting(maildir):
    """Files that nobody has read, the oldest first."""
    new = os.path.join(maildir, "new")
    names = os.listdir(new) if os.path.isdir(new) else []
    return sorted((os.path.join(new, n) for n in names), key=lambda p: (os.stat(p).st_mtime_ns, p))


def mark_read(maildir, path):
    cur = os.path.join(maildir, "cur")
    os.makedirs(cur, exist_ok=True)
    os.rename(path, os.path.join(cur, os.path.basename(path) + ":2,RS"))


def main():
    maildir, me, out, wanted, seconds, text = sys.argv[1:]
    wanted, until, done = int(wanted), time.monotonic() + float(seconds), 0
    while wanted == 0 or done < wanted:
        mail = waiting(maildir)
        if not mail:
            if time.monotonic() > until:
                sys.exit(3)
            time.sleep(0.2)
            continue
        with open(mail[0], "rb") as file:
            message = email.message_from_binary_file(file, policy=email.policy.compat32)
        if wanted == 0:
            told = re.search(r"\(\d+ of (\d+)\)", one_line(message, "Subject"))
            wanted = int(told.group(1)) if told else 1
        answer, to = reply_all(message, me, text)
        done += 1
        path = os.path.join(out, "%d.eml" % done)
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(answer)
        print(path, one_line(message, "Message-ID") or "<>", *to, flush=True)
        mark_read(maildir, mail[0])


if __name__ == "__main__":
    main()
