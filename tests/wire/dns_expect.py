#!/usr/bin/env python3
"""dns_expect.py FILE... - what a validating resolver makes of the records of test files, as the files say.
Prints "TEST LEFT TYPE WHAT" lines: LEFT is the name left of BASE with TOKEN in it; WHAT is secure, insecure,
servfail, nxdomain, or answered (whether it is secure hangs on the resolver's limits)."""
import re
import shlex
import sys


def security(zone):
    if zone.get("ds") == "none":
        return "insecure"
    if zone.get("ds", "").startswith("digest") and zone["ds"].split()[1] not in ("1", "2", "4"):
        return "insecure"
    if zone.get("algorithm") == "120":
        return "insecure"
    if zone.get("ds") == "wrong" or zone.get("sign", "right") != "right":
        return "servfail"
    return "secure"


def left(template, test):
    """The name left of BASE, or None: not one of the test's."""
    def zone(b):
        return test + ("-b" if b else "")
    m = re.fullmatch(r"(.*)\{(d|mx\d+|zone)(:b)?\}", template)
    if m is None:
        return None
    before = m[1].replace("{t}", "TOKEN")
    if m[2] == "zone":
        return before + zone(m[3])
    if m[2] == "d":
        return before + "TOKEN." + zone(m[3])
    return before + "TOKEN." + m[2] + "." + zone(m[3])


def read(path):
    test, section, records, rules, zones, phases = None, "", [], [], [{}, {}], False
    text = re.sub(r"\n[ \t]+", " ", open(path, encoding="utf-8").read())
    for line in text.splitlines():
        if not line.strip() or line[0] == "#":
            continue
        words = shlex.split(line, comments=True)
        if line[0] == "[":
            section = line.strip().strip("[]").split()
            phases = phases or section[0] == "phases"
        elif not section and words[0] == "test":
            test = words[1]
        elif section and section[0] == "dns" and len(words) > 3:
            if "phase" not in section or section[-1] == "1":
                records.append(("b" in section, words[0], words[2]))
        elif section and section[0] == "zone":
            zones["b" in section][words[0]] = " ".join(words[1:])
        elif section and section[0] == "answers":
            rules.append(("b" in section, words))
    return test, records, rules, zones


def expect(b, name, kind, denial, rules, zones):
    what = security(zones[b])
    iterations = zones[b].get("denial", "").split()
    iterations = int(iterations[2]) if len(iterations) > 2 else 0
    done = set()
    for zone, (rtype, rname, action, *rest) in rules:
        if zone != b or rname not in ("any", name) or action in done:
            continue
        if rtype not in ("any", kind) and not (action == "sign" and denial and rtype == "NSEC"):
            continue
        if "phase" in rest and rest[-1] != "1":
            continue
        done.add(action)
        if action in ("drop", "drop-edns") or (action == "delay" and rname != "any"):
            return None  # no answer, or one that hangs on how fast the server was before
        if action == "noedns" and what == "secure":
            return "servfail"  # no EDNS, no signatures
        if action == "rcode":
            return "nxdomain" if rest[0] == "NXDOMAIN" else "servfail"
        if action == "sign" and rest[0] != "right" and what == "secure" and (rtype != kind or not denial):
            return "servfail"
    if denial and what == "secure" and zones[b].get("denial") == "corrupt":
        return "servfail"
    if what == "secure" and iterations > 150 and (denial or kind in ("A", "AAAA")):
        return "answered"
    return what


def main():
    for path in sys.argv[1:]:
        test, records, rules, zones = read(path)
        alias = any(kind == "DNAME" and name == "{zone}" for _, name, kind in records)
        seen, asked = set(records), []
        cnames = {name for _, name, kind in records if kind == "CNAME"}
        for b, name, kind in records:
            asked.append((b, name, kind, False))
            if re.fullmatch(r"\{mx\d+(:b)?\}", name) and (b, "_25._tcp." + name, "TLSA") not in seen:
                if "_25._tcp." + name not in cnames:
                    asked.append((b, "_25._tcp." + name, "TLSA", True))
        for b in (False, True):
            if not b or any(r[0] for r in records):
                asked.append((b, "nothing.{d:b}" if b else "nothing.{d}", "A", True))
        for b, name, kind, denial in dict.fromkeys(asked):
            at = left(name, test)
            what = expect(b or alias and not name.endswith("{zone}"), name, kind, denial, rules, zones)
            if at is not None and what is not None:
                print(test, at, kind, what)
        if alias:
            print(test, "TOKEN." + test, "MX", security(zones[True]))


main()
