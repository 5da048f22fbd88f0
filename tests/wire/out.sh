#!/bin/bash
# out.sh - a receiver of our mail, played by dig behind a validating Unbound: it asks the real authdns for what SPF, DKIM
# and DMARC want of the domains that we write from; and bounces that come back to the real smtpd.  What the
# report makes of it.  Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
wire_needs dig unbound ip openssl
wire_root

wire_namespace out
site=$dir/site
for i in {1..8}; do in_ns ip addr add 192.0.2.$i/32 dev lo; done
in_ns ip -6 route add local 2001:db8:53::/64 dev lo

mkdir -p "$dir/zones/catalogue"
cp zones/base.zone "$dir/zones/"
cp zones/catalogue/{dual,reject,out,in-*}.test "$dir/zones/catalogue/"
addresses=$(printf '192.0.2.%d,' {1..8})
"$OUTPOST" init "$site" --base lab.example --ipv4 "${addresses%,}" --ipv6 2001:db8:53::/64 --user "" \
	--catalogue "$dir/zones/catalogue" >"$dir/publish" 2>"$dir/init.err" || { echo "Bail out! $(cat "$dir/init.err")"; exit 1; }
# each message with its envelope sender before it
printf '#!/bin/sh\n{ echo "$3"; cat; } >>"%s/mail"\n' "$dir" >"$dir/sendmail"
chmod 755 "$dir/sendmail"
sed -i 's/^#* *workers .*/workers 1/; s/^#* *verify "*all"*.*/verify none/; s/^#* *pace .*/pace 10000/' "$site/outpost.conf"
printf 'mail-program %s\nverify-resolver 127.0.0.1\nverify-anchor %s\n' "$dir/sendmail" "$dir/anchor" >>"$site/outpost.conf"
enrol() { "$OUTPOST" enrol -C "$site" --set full 2>>"$dir/enrol.err" | grep -om1 '[a-z2-7]\{16\}'; }
stranger=$(enrol)
printf 'address\nsomeone@post.example\n' >"$dir/people.csv"
token=$("$OUTPOST" enrol -C "$site" --set full --csv "$dir/people.csv" 2>>"$dir/enrol.err" | grep -o '\b[a-z2-7]\{16\}\b' | head -1)
[[ $token && $stranger ]] || { echo "Bail out! no token: $(cat "$dir/enrol.err")"; exit 1; }
for daemon in authdns smtpd; do
	ip netns exec $ns "$BUILD/$daemon" -C "$site" 2>>"$dir/$daemon.err" &
	pids+=($!)
done
ds=$(awk '$4 == "DS" { $1 = $2 = $3 = $4 = ""; print; exit }' "$dir/publish")
echo "lab.example. 3600 IN DS $ds" >"$dir/anchor"
# Whose domain is written to is not signed.
wire_unbound "$ds" <<'END'
	local-zone: "post.example." static
	local-data: "post.example. MX 10 mx.post.example."
	local-data: "_25._tcp.mx.post.example. TLSA 3 1 1 0000000000000000000000000000000000000000000000000000000000000000"
	local-data: '_mta-sts.post.example. TXT "v=STSv1; id=1"'
END
ask() { in_ns dig @127.0.0.1 +time=12 +tries=3 "$@"; }

# --- what a receiver asks for, each answer validated ---
out=out.lab.example
secure() { # NAME TYPE TEXT WHAT: an answer of this kind, validated
	local answer
	answer=$(ask "$1" "$2" +adflag)
	[[ $answer == *"status: NOERROR"* && $answer =~ flags:[^\;]*\ ad && $answer == *"$3"* ]]
	result $? "$4" "$answer"
}
# The clock of events has microseconds: mail was written before anybody asks.
invite() { in_ns "$OUTPOST" invite -C "$site" 2>>"$dir/invite.err"; }
has '1 written to' "$(invite)" "an invitation is written"
has "d=$token.$out" "$(cat "$dir/mail")" "and signed"
has 'three short messages follow' "$(cat "$dir/mail")" "it says what follows an answer"

# --- the further messages, after an answer ---
smtp() { # HOST FROM RECIPIENT [LINE...]: a message to it; the last replies
	in_ns timeout 30 bash -c '
		exec 3<>/dev/tcp/$1/25 || exit 1
		reply() { local l; while read -r -u 3 l; do [[ $l == ???-* ]] || break; done; echo "$l"; }
		reply
		for line in "EHLO mx.example.org" "MAIL FROM:<$2>" "RCPT TO:<$3>" DATA; do printf "%s\r\n" "$line" >&3; reply; done
		shift 3
		printf "%s\r\n" "$@" . >&3
		reply
		printf "QUIT\r\n" >&3' _ "$@"
}
dual=$(ask "$(ask "$token.dual.lab.example" MX +short | awk '{ print $2 }')" A +short | head -1)
for _ in {1..100}; do in_ns bash -c ": <>/dev/tcp/$dual/25" 2>/dev/null && break; sleep 0.1; done
has "250 2.0.0" "$(smtp "$dual" stranger@else.example "probe@$token.dual.lab.example" 'Subject: hello' '' hello)" "a stranger finds the token"
has '0 written to' "$(invite)" "that is no consent of who was invited"
has "250 2.0.0" "$(smtp "$dual" someone@post.example "probe@$token.dual.lab.example" 'Subject: yes' '' yes)" "who was invited answers"
: >"$dir/mail"
has '1 written to' "$(invite)" "and gets the further messages"
is "dsn@$token.lim.$out dsn@$token.void.$out dsn@a.b.$token.tree.$out" "$(grep -v : "$dir/mail" | grep '^dsn@' | xargs)" "three, each from a domain of its own"
is 3 "$(grep -c '^List-Unsubscribe: <https' "$dir/mail")" "each with the way out"
has '0 written to' "$(invite)" "and never again"
has '"extra":1' "$("$OUTPOST" invite --status --json -C "$site")" "the status counts them"

# Who is enrolled while it waits for the lock of another invite.  It waits for 3 s: a machine that is slower tries again.
for i in {1..9}; do
	coproc holder { exec python3 -c 'import fcntl, sys
f = open(sys.argv[1], "r+")
fcntl.lockf(f, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()' "$site/run/invite.lock"; }
	read -r _ <&"${holder[0]}"
	ip netns exec $ns "$OUTPOST" invite -C "$site" >"$dir/late" 2>>"$dir/invite.err" &
	late=$!
	for _ in {1..100}; do ls -l /proc/$late/fd 2>/dev/null | grep -q 'invite\.lock' && break; sleep 0.02; done
	printf 'address\nlate%d@post.example\n' "$i" >"$dir/people.csv"
	"$OUTPOST" enrol -C "$site" --set full --csv "$dir/people.csv" >/dev/null 2>>"$dir/enrol.err"
	held=$holder_PID
	kill "$held"
	wait "$held" 2>/dev/null
	wait "$late" && break
done
has '1 written to' "$(cat "$dir/late")" "who was enrolled while it waited for the lock is not refused"
secure "$token.$out" TXT "exists:%{i}._spf.$token.$out" "the SPF record has a macro, and is signed"
secure "192.0.2.25._spf.$token.$out" A "ANSWER: 0" "the name that it expands to exists, without an address"
secure "_dmarc.$token.$out" TXT "v=DMARC1; p=none" "the policy of DMARC"
key=$(ask "s1._domainkey.$token.$out" TXT +short | tr -d '" ' | sed 's/.*p=//')
has "$(openssl pkey -in "$site/keys/dkim.pem" -pubout -outform DER | base64 -w0)" "$key" "the key of DKIM is that of keys/dkim.pem"
secure "$token.lim.$out" TXT "include:l12.$token.lim.$out" "a record with twelve lookups"
for i in {1..10}; do ask "l$i.$token.lim.$out" TXT +short >/dev/null; done
secure "$token.void.$out" TXT "exists:v5.$token.void.$out" "a record with five void lookups"
for i in {1..5}; do ask "v$i.$token.void.$out" A +short >/dev/null; done
secure "_dmarc.a.b.$token.tree.$out" TXT "ANSWER: 0" "no policy at the domain itself"
secure "_dmarc.b.$token.tree.$out" TXT "ANSWER: 0" "nor one above it, and never NXDOMAIN"
# somebody asks for the names of who was not written to
ask "$stranger.$out" TXT +short >/dev/null

# --- bounces ---
mx=$(ask "$token.$out" MX +short | awk '{ print $2 }')
front=$(ask "$mx" A +short | head -1)
bounce() { # RECIPIENT FINAL STATUS: mails a bounce about FINAL with the null reverse-path; the last replies
	smtp "$front" "" "$1" "From: mailer-daemon@mx.example.org" "Content-Type: multipart/report; report-type=delivery-status; boundary=x" "" \
		--x "" "I am sorry to have to tell you." --x "Content-Type: message/delivery-status" "" "Reporting-MTA: dns; mx.example.org" "" \
		"Final-Recipient: rfc822; $2" "Action: failed" "Status: $3" "Diagnostic-Code: smtp; 550 <b>no such user</b>" "" "--x--"
}
for _ in {1..100}; do in_ns bash -c ": <>/dev/tcp/$front/25" 2>/dev/null && break; sleep 0.1; done
has "250 2.0.0" "$(bounce "bounce@$token.$out" someone@example.org 5.7.1)" "what comes back to our mail is taken"
for domain in $token.lim.$out $token.void.$out a.b.$token.tree.$out; do
	has "250 2.0.0" "$(bounce "dsn@$domain" someone@example.org 5.7.1)" "and to ${domain/$token/TOKEN}"
done
front=$dual
has "250 2.0.0" "$(bounce "dsn@$token.dual.lab.example" "probe@$token.reject.lab.example" 5.1.1)" "a bounce that the participant forwards is taken"
has "550 " "$(bounce "nobody@$token.dual.lab.example" someone@example.org 5.1.1)" "no other mailbox is"

kill "${pids[@]}" 2>/dev/null
wait
pids=()

has '"ev":"node.alive"' "$(grep -ahm1 node.alive "$site"/log/*.jsonl | head -1)" "the name server says that it runs: every ten minutes, divided by pace"

# --- what the report makes of it ---
"$OUTPOST" events -C "$site" "$token" >"$dir/events" 2>"$dir/events.err"
has '"ev":"smtp.dsn"' "$(cat "$dir/events")" "the bounce is an event"
has '"at":"192.0.2.25._spf.{d}"' "$(cat "$dir/events")" "every query is one, with its name as the template spells it"
# settled six hours after we wrote, by the site's pace two seconds
for _ in {1..100}; do
	"$OUTPOST" report -C "$site" "$token" --json >"$dir/report" 2>"$dir/report.err"
	grep -q '"reason":"waiting for lookups"' "$dir/report" || break
	sleep 0.2
done
says() { # TEST REASON
	local got
	got=$(grep -o "\"test\":\"$1\",\"number\".*" "$dir/report" | grep -om1 '"reason":"[^"]*"')
	has "$2" "$got" "$1: $2"
}
says in-spf "its macro is expanded rightly"
says in-dkim "signatures are checked"
says in-dmarc "DMARC is judged"
says in-dane "not in a signed zone"
says in-sts "has an MTA-STS record"
says in-spf-limit "ends after ten lookups"
says in-spf-void "five void lookups"
says in-dmarc-tree "walks up the tree"
says out "came back: 5.7.1"
has "no such user" "$(grep -o '"test":"reject","number".*' "$dir/report" | head -1)" "the bounce is shown with the test that it explains"
"$OUTPOST" report -C "$site" "$token" --html >"$dir/html" 2>>"$dir/report.err"
grep -q '&lt;b&gt;no such user' "$dir/html" && ! grep -q '<b>no such user' "$dir/html"
result $? "its words are text"
"$OUTPOST" report -C "$site" "$stranger" --json >"$dir/report" 2>>"$dir/report.err"
says in-spf "nothing was written to you"

wire_end
