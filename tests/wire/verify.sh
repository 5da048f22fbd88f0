#!/bin/bash
# verify.sh - outpost verify against a real name server on the loopback of a namespace: signed zones, a zone
# changed after it was signed, unsigned ones, silence and refusal; messages signed with openssl.  Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
OUTPOST=$(realpath "$OUTPOST")
wire_needs unbound ldns-signzone ldns-keygen dig jq openssl ip
wire_root

wire_namespace verify

# --- messages: c=simple/simple, so that what is signed is what is written ---
cd "$dir" || exit 1
openssl genrsa -out key.pem 2048 2>/dev/null
p=$(openssl rsa -in key.pem -pubout -outform DER 2>/dev/null | openssl base64 -A)
printf 'hello\r\n' >body
bh=$(openssl dgst -sha256 -binary body | openssl base64 -A)
# message SELECTOR DOMAIN: a message from joe@DOMAIN that is signed with it.
message() {
	local from=$'From: Joe <joe@'$2$'>\r\n' head
	head="DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=$2; s=$1; h=from; bh=$bh; b="
	printf 'Received: from mail.%s (mail.%s [192.0.2.1]) by us.example with ESMTP; Sun, 22 Nov 2026 02:00:00 +0000\r\n' "$2" "$2"
	printf '%s%s\r\n' "$head" "$({ printf '%s%s' "$from" "$head"; } | openssl dgst -sha256 -sign key.pem -binary | openssl base64 -A)"
	printf '%sSubject: x\r\n\r\n' "$from"
	cat body
}
message one signed.example >signed.eml
message bad signed.example >bad.eml
message one plain.example >plain.eml
sed 's/hello/HELLO/' signed.eml >changed.eml
tr -d '\r' <signed.eml >lf.eml

# --- zones ---
txt() { # NAME TEXT: in strings of at most 255 octets
	printf '%s 60 TXT %s\n' "$1" "$(fold -w 200 <<<"$2" | sed 's/.*/"&"/' | tr '\n' ' ')"
}
zone() { # ORIGIN
	printf '$ORIGIN %s.\n@ 60 SOA ns.%s. h.%s. 1 60 60 60 60\n@ 60 NS ns.%s.\nns 60 A 127.0.0.1\n' "$1" "$1" "$1" "$1"
	printf 'mail 60 A 192.0.2.1\n'
	txt @ "v=spf1 a:mail.$1 -all"
	txt mail "v=spf1 a -all"
	txt _dmarc "v=DMARC1; p=reject; rua=mailto:d@$1,mailto:d@other.example"
	txt one._domainkey "v=DKIM1; k=rsa; p=$p"
	txt bad._domainkey "v=DKIM1; k=rsa; p=$p"
	txt toolong "v=spf1 include:silent.example -all"
}
zone plain.example >plain.zone
zone signed.example >signed.zone
ksk=$(ldns-keygen -a ECDSAP256SHA256 -k signed.example)
ldns-signzone -n -f signed.signed signed.zone "$ksk" || { echo "Bail out! cannot sign"; exit 1; }
# The key of the second selector is another than was signed.
sed -i '/^bad\._domainkey.*TXT/s/v=DKIM1/v=DKIM2/' signed.signed
cp "$ksk.ds" anchor.ds
cat >unbound.conf <<END
server:
  interface: 127.0.0.1@5300
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "$dir"
  pidfile: ""
  use-syslog: no
  module-config: "iterator"
  local-zone: "2.0.192.in-addr.arpa." static
  local-data: "1.2.0.192.in-addr.arpa. 60 PTR mail.signed.example."
  local-zone: "silent.example." deny
  local-zone: "refused.example." refuse
  local-zone: "other.example." static
  local-zone: "." static
  local-zone: "signed.example." transparent
  local-zone: "plain.example." transparent
remote-control:
  control-enable: no
auth-zone:
  name: "signed.example."
  zonefile: "$dir/signed.signed"
  for-upstream: no
auth-zone:
  name: "plain.example."
  zonefile: "$dir/plain.zone"
  for-upstream: no
END
ip netns exec $ns unbound -d -c unbound.conf 2>unbound.err &
pids+=($!)
up=
for _ in $(seq 100); do
	in_ns dig @127.0.0.1 -p 5300 plain.example SOA +time=1 +tries=1 +short 2>/dev/null | grep -q ns.plain && up=yes && break
	kill -0 "${pids[0]}" 2>/dev/null || { echo "Bail out! unbound does not start: $(tail -3 unbound.err)"; exit 1; }
	sleep 0.1
done
[[ $up ]] || { echo "Bail out! unbound does not answer: $(tail -3 unbound.err)"; exit 1; }

# verify FILE CLIENT FROM [OPTION...]
verify() {
	local file=$1 client=$2 from=$3
	shift 3
	in_ns "$OUTPOST" verify --client "$client" --from "$from" --helo mail.signed.example --resolver 127.0.0.1@5300 \
		--trust-anchor anchor.ds --at 2026-11-22T03:00:00Z "$@" "$file" 2>err
}
get() { jq -r "$1" <<<"$json"; }

# --- what the resolver says, and what is made of it ---
json=$(verify signed.eml 192.0.2.1 joe@signed.example --json)
is "pass true" "$(get '"\(.spf.mailfrom.result) \(.spf.mailfrom.secure)"')" "SPF passes, by validated answers"
is "pass secure 2048" "$(get '.dkim.signature[0] | "\(.result) \(.key.dnssec) \(.key.bits)"')" "DKIM passes, with a validated key"
is "pass true reject" "$(get '.dmarc.rfc7489 | "\(.result) \(.secure) \(.policy)"')" "DMARC passes, by a validated record"
is "own no" "$(get '.dmarc.rfc7489.record.rua | map(.consent) | join(" ")')" "who agreed to take reports"
is "pass mail.signed.example true" "$(get '"\(.fcrdns.result) \(.fcrdns.name[0].name) \(.ehlo.reverse_confirmed)"')" \
	"FCrDNS passes: private and test addresses are asked for too"
is "0 0" "$(get '"\(.lookups.failed) \(.lookups.bogus)"')" "no question was left open"

json=$(verify bad.eml 192.0.2.1 joe@signed.example --json)
is "temperror bogus" "$(get '.dkim.signature[0] | "\(.result) \(.key.dnssec)"')" "a key that DNSSEC proves false is no key"
is "pass" "$(get .dmarc.result)" "... and SPF alone is enough for DMARC"
json=$(verify changed.eml 192.0.2.9 joe@signed.example --json)
is "fail fail fail" "$(get '"\(.spf.mailfrom.result) \(.dkim.result) \(.dmarc.result)"')" "another body, another client: nothing passes"
is "-all of signed.example" "$(get '.spf.mailfrom | "\(.term) of \(.term_domain)"')" "the term that failed is named"
json=$(verify signed.eml 2001:db8::1 joe@signed.example --json)
is "fail pass pass" "$(get '"\(.spf.mailfrom.result) \(.dkim.result) \(.dmarc.result)"')" "over IPv6 SPF fails, DKIM saves it"
json=$(verify plain.eml 192.0.2.1 joe@plain.example --json)
is "pass null insecure" "$(get '"\(.spf.mailfrom.result) \(.spf.mailfrom.secure) \(.dkim.signature[0].key.dnssec)"')" \
	"an unsigned zone is believed, and said to be unsigned"

# --- no answers ---
json=$(verify plain.eml 192.0.2.1 joe@silent.example --timeout 1s --json)
is "temperror" "$(get .spf.mailfrom.result)" "a name server that is silent is a temporary error"
has "no answer in 1.0 s" "$(get .spf.mailfrom.reason)" "... and the reason says so"
json=$(verify plain.eml 192.0.2.1 joe@toolong.plain.example --timeout 1s --json)
has "TXT of silent.example failed" "$(get .spf.mailfrom.reason)" "... in an include too"
json=$(verify plain.eml 192.0.2.1 joe@refused.example --json)
is "temperror" "$(get .spf.mailfrom.result)" "so is one that refuses"
json=$(in_ns "$OUTPOST" verify --client 192.0.2.1 --from joe@plain.example --resolver 127.0.0.1@5399 --trust-anchor anchor.ds \
	--timeout 1s --json plain.eml 2>err)
is "temperror temperror temperror" "$(get '"\(.spf.mailfrom.result) \(.dkim.result) \(.dmarc.result)"')" "without a resolver everything is open"

# --- the same from a file ---
cat >answers <<END
secure signed.example
$(sed -n 's/^/ &/;/TXT\|mail 60 A/p' signed.zone | sed 's/^ @ /signed.example. /; s/^ \([^ ]*\) 60/\1.signed.example. 60/')
1.2.0.192.in-addr.arpa PTR mail.signed.example.
END
live=$(verify signed.eml 192.0.2.1 joe@signed.example --json | jq -S 'del(.lookups)')
file=$("$OUTPOST" verify --client 192.0.2.1 --from joe@signed.example --helo mail.signed.example --answers answers \
	--at 2026-11-22T03:00:00Z --json signed.eml 2>err | jq -S 'del(.lookups)')
is "$live" "$file" "answers of a file give what those of the resolver give"

# --- for people ---
text=$(verify changed.eml 192.0.2.9 joe@signed.example --fail-on dmarc)
is 1 $? "exit code 1 where --fail-on is met"
has "What to do:" "$text" "the text says what to do"
has "DMARC       fail, policy reject (p of signed.example)" "$text" "... and what came out"
verify signed.eml 192.0.2.1 joe@signed.example --fail-on spf,dkim,dmarc,fcrdns >out
is 0 $? "exit code 0 where all pass"
is "" "$(cat err)" "nothing is said beside"
text=$(verify - 192.0.2.1 '<joe@signed.example>' <lf.eml)
has "  pass d=signed.example s=one rsa-sha256, 2048 bits, simple/simple, key validated, aligned: strict" "$text" "lines that end in LF are mended"
has "lines end in LF" "$(cat err)" "... and that is said"
{ echo "From joe Sun Nov 22 02:00:00 2026"; cat lf.eml; } >mbox
has "  pass d=signed.example" "$(verify mbox 192.0.2.1 joe@signed.example)" "the line of a mailbox file is left out"
verify signed.eml 192.0.2 joe@signed.example >out
is 2 $? "a client that is no address is a mistake"
verify signed.eml 192.0.2.1 joe@signed.example --fail-on dnssec >out
is 2 $? "so is a judge that is none"
verify missing.eml 192.0.2.1 joe@signed.example >out
is 3 $? "a file that is not there: code 3"
verify /dev/null 192.0.2.1 '' >out
is 0 $? "an empty message is judged"
has "there is no From field" "$(cat out)" "... and has no author"
wire_end
