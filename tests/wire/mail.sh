#!/bin/bash
# mail.sh - mail to who runs the site (RFC 5321 4.5.1): found by the MX of the base domain, taken within its limits, on disk
# before the 250, put into a Maildir once.  Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
wire_needs dig jq ip python3
wire_root
wire_inside mail "$0" "$@"

dir=$(mktemp -d)
site=$dir/site authdns=
cleanup() {
	wire_stop
	[[ -z $authdns ]] || { kill "$authdns" && wait "$authdns"; }
	rm -rf "$dir"
}
trap cleanup EXIT
mkdir "$dir/zones"
cp zones/base.zone "$dir/zones/"
cp -r tests/replay/smtp/catalogue "$dir/zones/"
wire_site 24 "$dir/zones/catalogue"
sed -i 's/^#* *\(workers\|smtp-operator\) .*//' "$site/outpost.conf"
printf 'workers 2\nsmtp-operator 30\n' >>"$site/outpost.conf"
BASE=outpost.example

# --- where it goes ---
"$BUILD/authdns" -q -C "$site" 2>"$dir/dns.err" &
authdns=$!
ask() { dig "@${NS:-127.0.53.1}" +short +time=2 +tries=2 "$@"; }
wait_for 20 ask $BASE SOA +fail
is "10 mail.$BASE." "$(ask $BASE MX)" "the base domain has an MX" "$(cat "$dir/dns.err")"
v4=$(ask mail.$BASE A) v6=$(ask mail.$BASE AAAA)
[[ $v4 && $v4 != 127.0.53.1 ]]
result $? 'it has an IPv4 address that is not the name server'\''s'
is 2001:db8:53:: "$v6" 'and an IPv6 address'
wire_start "$v4" 25

# send ADDRESS TO OCTETS SUBJECT [FROM]: a message of that size; the reply after the dot, or the first that refuses
cat >"$dir/send.py" <<'END'
import socket, sys
to, rcpt, size, subject = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
s = socket.create_connection((to, 25), 20)
f = s.makefile("rb")
def reply():
    line = f.readline()
    while line[3:4] == b"-":
        line = f.readline()
    return line.decode().strip()
def say(text):
    s.sendall(text)
    answer = reply()
    if answer[0] not in "23":
        print(answer)
        sys.exit()
    return answer
reply()
say(b"EHLO mta.example\r\n")
say(b"MAIL FROM:<%s>\r\n" % (sys.argv[5:] or ["someone@sender.example"])[0].encode())
say(b"RCPT TO:<%s>\r\n" % rcpt.encode())
say(b"DATA\r\n")
head = b"Subject: %s\r\n\r\n" % subject.encode()
rest = size - len(head)
text = head + (b"." + b"y" * 62 + b"\r\n") * (rest // 65)
text += b"z" * (size - len(text) - 2) + b"\r\n"
assert len(text) == size
print(say(text.replace(b"\n.", b"\n..") + b".\r\n"))
END
send() { python3 "$dir/send.py" "$@"; }
operator() { "$OUTPOST" mail -C "$site" "$@" 2>>"$dir/err"; }

has '250 2.0.0' "$(send "$v4" PostMaster@Outpost.Example 200 first)" 'postmaster over IPv4'
has '250 2.0.0' "$(send "$v6" abuse@$BASE 200 second)" 'abuse over IPv6'
has '250 2.0.0' "$(send "$v4" postmaster 200 third)" 'postmaster without a domain'
has '550 5.7.1' "$(send "$v4" webmaster@$BASE 200 no)" 'nobody else'
has '552 5.3.4' "$(send "$v4" postmaster@$BASE 44001 large)" '44,001 octets are too many'

# --- kill -9 of everything behind a 250 ---
has '250 2.0.0' "$(send "$v4" postmaster@$BASE 44000 edge)" '44,000 octets are not'
kill -9 "$(cat "/proc/$smtpd/task/$smtpd/children" | cut -d' ' -f1)" "$smtpd" $(cat "/proc/$smtpd/task/$smtpd/children") 2>/dev/null
wait "$smtpd" 2>/dev/null
smtpd=
is 'first second third edge' "$(operator --json | jq -r 'select(.state == "new").subject' | xargs)" \
	'kill -9 after it loses none of them'
has '4 new, 0 written, 1 refused' "$(operator)" 'outpost mail lists them' "$(cat "$dir/err")"
has 'mail: 4 to postmaster or abuse' "$("$OUTPOST" check -C "$site" --resolver 127.0.53.1 dual 2>&1)" 'outpost check says that there are some'
wire_start "$v4" 25

# --- the Maildir ---
box=$dir/Maildir
is 4 "$(operator "$box" | wc -l)" 'they are written'
is 4 "$(find "$box/new" -type f | wc -l)" 'into a Maildir'
edge=$(grep -l '^Subject: edge' "$box"/new/*)
has 'Return-Path: <someone@sender.example>' "$(head -1 "$edge")" 'with a Return-Path'
has "with ESMTP; " "$(sed -n 's/^Received: from \[127\.[0-9.]*\] by mail.outpost.example //p' "$edge")" 'and a Received field'
is 44000 "$(sed '1,3d; s/$/\r/' "$edge" | wc -c)" 'and all its octets'
is '' "$(operator "$box")" 'none of them twice'
mv "$edge" "$box/cur/${edge##*/}:2,S"
: >"$site/state/mail.jsonl" # as if killed before it was noted
operator "$box" >/dev/null
is 4 "$(find "$box" -type f | wc -l)" 'nor if the journal is behind'
has '0 new, 4 written' "$(operator)" 'which then knows them'
[[ $("$OUTPOST" check -C "$site" --resolver 127.0.53.1 dual 2>&1) != *'mail:'* ]]
result $? 'outpost check has nothing more to say of them'

# --- the limit of an hour, on all workers together; begun in one hour ---
hour=$(($(date +%s) / 3600))
for ((i = 0; i < 40; i++)); do send "$v4" abuse@$BASE 100 "n$i"; done >"$dir/replies"
took=$(grep -c '^250' "$dir/replies")
refused=$(grep -c '^452 4.3.1' "$dir/replies")
if (($(date +%s) / 3600 == hour)); then is '30 10' "$took $refused" 'over smtp-operator messages an hour it is 452'
else is 40 "$((took + refused))" 'an hour began meanwhile: all are answered'; fi

# --- kill -9 of outpost mail, wherever it is ---
( for t in 0.005 0.01 0.015 0.02 0.03 0.04 0.06 0.08; do
	timeout -s KILL "$t" "$OUTPOST" mail -C "$site" "$box" >/dev/null
done ) 2>/dev/null
operator "$box" >/dev/null
is $((took + 4)) "$(cat "$box"/new/* "$box"/cur/* | grep -c '^Subject: ')" 'killed again and again it has written each once' "$(cat "$dir/err")"
is $((took + 4)) "$(grep -h '^Subject: ' -r "$box/new" "$box/cur" | sort -u | wc -l)" 'and none not'

# --- who wants to be forgotten; the others stay ---
sed -i 's/^smtp-operator .*/smtp-operator 50/' "$site/outpost.conf"
wire_stop
wire_start "$v4" 25
has '250 2.0.0' "$(send "$v4" abuse@$BASE 200 leaving leaver@sender.example)" 'one more writes'
has "1 new, $((took + 4)) written" "$(operator)" 'is there'
"$OUTPOST" forget -C "$site" leaver@sender.example >"$dir/forget" 2>&1
result $? 'and is forgotten' "$(cat "$dir/forget")"
has "0 new, $((took + 4)) written" "$(operator)" 'which takes out that message alone'

# --- nobody reads ---
wire_stop
sed -i 's/^smtp-operator .*/smtp-operator 0/' "$site/outpost.conf"
wire_start "$v4" 25
has '550 5.7.1' "$(send "$v4" postmaster@$BASE 200 no)" 'smtp-operator 0 takes none'

# --- retention ---
printf 'retention 1s\n' >>"$site/outpost.conf"
wire_stop
sleep 2
"$OUTPOST" expire -C "$site" >/dev/null 2>>"$dir/err"
has '0 new, 0 written' "$(operator)" 'what is older than the retention is gone'
[[ ! -s $site/state/mail.jsonl ]] && ! grep -aqs smtp.operator "$site"/log/*.jsonl
result $? 'from log and journal' "$(ls -l "$site/log" "$site/state")"
wire_end
