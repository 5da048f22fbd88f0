#!/bin/bash
# dns.sh - the real authdns in a network namespace of its own, asked by dig, delv, a validating Unbound
# and a script that misbehaves.  Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
CATALOGUE=${CATALOGUE:-zones/catalogue}
AUTHDNS=$(dirname "$OUTPOST")/authdns
wire_needs dig delv unbound python3 ip
wire_root

wire_namespace dns
site=$dir/site
in_ns ip addr add 192.0.2.1/32 dev lo
in_ns ip addr add 192.0.2.2/32 dev lo
in_ns ip addr add 2001:db8:1::1/128 dev lo nodad
in_ns ip -6 route add local 2001:db8:53::/64 dev lo

# the shipped tests, and what the replay scripts have: numbers and names do not meet
mkdir -p "$dir/zones/catalogue"
cp zones/base.zone "$dir/zones/"
cp "$CATALOGUE"/*.test tests/replay/dns/zones/catalogue/*.test "$dir/zones/catalogue/"
"$OUTPOST" init "$site" --base lab.example --ipv4 192.0.2.1,192.0.2.2 --ipv6 2001:db8:53::/64 --user "" \
	--catalogue "$dir/zones/catalogue" >"$dir/publish" 2>"$dir/init.err" || { echo "Bail out! $(cat "$dir/init.err")"; exit 1; }
sed -i 's/^#* *dns-tcp-idle.*//; s/^#* *dns-tcp-max.*//; s/^#* *dns-tcp-queries.*//; s/^#* *workers .*//' "$site/outpost.conf"
printf 'dns-tcp-idle 3s\ndns-tcp-max 20\ndns-tcp-queries 100\nworkers 1\n' >>"$site/outpost.conf"
token=$("$OUTPOST" enrol -C "$site" --set full 2>"$dir/enrol.err" | grep -om1 '[a-z2-7]\{16\}')
[[ $token ]] || { echo "Bail out! no token: $(cat "$dir/enrol.err")"; exit 1; }

# start: runs the server until it answers; its pid in $server.
start() {
	ip netns exec $ns "$AUTHDNS" -C "$site" 2>>"$dir/authdns.err" &
	server=$!
	pids+=($server)
	for _ in $(seq 50); do
		in_ns dig @192.0.2.1 lab.example SOA +time=1 +tries=1 +short 2>/dev/null | grep -q hostmaster && return 0
		kill -0 $server 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}
ask() { in_ns dig +time=2 +tries=1 "$@"; }
start || { echo "Bail out! authdns does not start: $(tail -3 "$dir/authdns.err")"; exit 1; }
result 0 "authdns starts and answers"

# --- answers over every path ---
has "$token.mx0.dual.lab.example." "$(ask @192.0.2.2 $token.dual.lab.example MX +short)" "MX over IPv4 and UDP"
has "$token.mx0.dual.lab.example." "$(ask @192.0.2.2 $token.dual.lab.example MX +short +tcp)" "MX over IPv4 and TCP"
six=$(ask @192.0.2.1 $token.dual.lab.example MX +norec | awk '$1 == "ns.dual.lab.example." && $4 == "AAAA" { print $5 }')
has "$token.mx0.dual.lab.example." "$(ask @"$six" $token.dual.lab.example MX +short)" "MX over IPv6 at the test's own address"
has "$token.mx0.dual.lab.example." "$(ask @"$six" $token.dual.lab.example MX +short +tcp)" "MX over IPv6 and TCP"
has REFUSED "$(ask @"$six" $token.ipv4.lab.example MX)" "another test is refused there"
has "AUTHORITY: 1, ADDITIONAL: 3" "$(ask @192.0.2.1 $token.dual.lab.example MX)" "the parent refers"
is "" "$(ask @192.0.2.2 chaos.example TXT +short)" "a foreign name is refused"

# --- validators ---
ds=$(awk '$4 == "DS" { print $5, $6, $7, $8; exit }' "$dir/publish")
wire_unbound "$ds" <<'END'
	unblock-lan-zones: yes
	val-log-level: 2
END
has " ad" "$(ask @127.0.0.1 lab.example SOA +adflag | grep flags:)" "Unbound validates the parent zone"

# The files say what a validator must make of their records.
cat >"$dir/anchor" <<END
trust-anchors { "lab.example" static-ds ${ds% *} "${ds##* }"; };
END
delv() { in_ns delv @127.0.0.1 -a "$dir/anchor" +root=lab.example "$@" 2>&1; }
python3 tests/wire/dns_expect.py "$dir"/zones/catalogue/*.test | sed "s/TOKEN/$token/" >"$dir/expect"
# unbound_says: for each line "NAME TYPE" of the input the name, the type, and secure, insecure, servfail, nxdomain or
# what else it is; nothing of a question that has no answer.
unbound_says() {
	sed 's/ /.lab.example. /' | in_ns dig -f - @127.0.0.1 +adflag +time=12 +tries=3 | awk '
	    /status:/ { status = $0; sub(/.*status: /, "", status); sub(/,.*/, "", status) }
	    /^;; flags:/ { ad = $0 ~ / ad[ ;]/ }
	    asked { print substr($1, 2), $3, status == "NOERROR" ? (ad ? "secure" : "insecure") : tolower(status); asked = 0 }
	    /^;; QUESTION SECTION/ { asked = 1 }' | sed 's/[.]lab[.]example[.] / /'
}
# BIND's validator, which gets even bogus data from Unbound because it sets CD
bind_says() {
	case $(delv "$1.lab.example" "$2") in
	*"fully validated"*) echo secure ;;
	*"unsigned answer"* | *"negative response, unsigned"*) echo insecure ;;
	*) echo servfail ;;
	esac
}
judge() { # WHO EXPECTED GOT NAME TYPE
	[[ $2 == "$3" || ($2 == answered && $3 == *secure) ]] || echo "$1 says of $4 $5: $3, not $2;"
}
# judge_test TEST: what a validator says otherwise than it should.
judge_test() {
	local at type what first=yes
	local -A said=()
	while read -r at type what; do said[$at $type]=$what; done < <(
		awk -v t="$1" '$1 == t { print $2, $3 }' "$dir/expect" | if [[ $1 == dns-slow ]]; then
			while read -r at; do unbound_says <<<"$at" & done
			wait
		else unbound_says; fi)
	while read -r _ at type what; do
		judge Unbound "$what" "${said[$at $type]:-nothing}" "$at" "$type"
		[[ $first && $what != nxdomain && $what != answered ]] && judge delv "$what" "$(bind_says "$at" "$type")" "$at" "$type"
		first=
	done < <(awk -v t="$1" '$1 == t' "$dir/expect")
}
# Four at a time, and the one whose answers come late on purpose first, all its questions at once.
mkdir "$dir/judged"
mapfile -t tests < <(awk '!seen[$1]++ { print $1 }' "$dir/expect")
judging=0
for test in dns-slow $(printf '%s\n' "${tests[@]}" | grep -vx dns-slow); do
	((judging++ < 4)) || wait -n
	{ judge_test "$test" >"$dir/judged/.$test"; mv "$dir/judged/.$test" "$dir/judged/$test"; } &
	judges+=($!)
done
wait "${judges[@]}"
for test in "${tests[@]}"; do
	[[ -f $dir/judged/$test && ! -s $dir/judged/$test ]]
	result $? "validators agree with $test ($(grep -c "^$test " "$dir/expect") names)" "$(cat "$dir/judged/$test")"
done
# names of a DNAME, of one more mail domain, and of a set that needs TCP
has "$token.mx0.alias-b.lab.example." "$(ask @127.0.0.1 $token.alias.lab.example MX +short)" "a DNAME leads to the second zone"
has "$token.mx0.side.lab.example." "$(ask @127.0.0.1 $token.side.lab.example MX +short)" "a CNAME leads to one more mail domain"
is 35 "$(ask @127.0.0.1 $token.many.lab.example MX +short | grep -c mx0.many)" "a large set comes whole"
out=$(delv nothing.$token.dual.lab.example A)
has "fully validated" "$out" "delv: a denial in a test zone"
out=$(delv no-such-test.lab.example A)
has "fully validated" "$out" "delv: a name that BASE has not"
is "" "$(delv aaaaaaaaaaaaaaaa.dual.lab.example A | grep -v 'negative\|^;\|fully validated')" \
	"delv: an invalid token is denied with proof"

# --- TCP, by a client that misbehaves ---
python3 tests/wire/dns_tcp.py "$ns" 192.0.2.2 "$token.dual.lab.example" >"$dir/tcp.out" 2>"$dir/tcp.err"
while read -r verdict what; do
	[[ $verdict == ok ]]
	result $? "TCP: $what" "$(tail -2 "$dir/tcp.err")"
done <"$dir/tcp.out"
[[ -s $dir/tcp.out ]] || result 1 "the TCP client ran" "$(cat "$dir/tcp.err")"
kill -0 $server && has "$token" "$(ask @192.0.2.2 $token.dual.lab.example MX +short)" "still serving"

# --- events ---
cat "$site"/log/*.jsonl >"$dir/events"
has '"ev":"node.start"' "$(head -c 4000 "$dir/events")" "the worker's start is an event"
has "\"at\":\"_25._tcp.{mx0}\"" "$(grep '"test":"dane-ee"' "$dir/events" | grep TLSA | head -1)" "a TLSA query is an event"
has '"dev":"sign corrupt"' "$(grep '"test":"dnssec-bogus"' "$dir/events" | grep '"dev"' | head -1)" "a corrupt signature is told"
is "0" "$(tr '\0' '\n' <"$dir/events" | grep -c '"qname":"aaaaaaaaaaaaaaaa')" "an invalid token is not"
sleep 1.2
has '"count":' "$(grep -ah dns.invalid "$site"/log/*.jsonl | head -1)" "but counted"

# --- life ---
before=$(ls "$site/log" | wc -l)
kill -HUP $server
for _ in $(seq 100); do [[ $(ls "$site/log" | wc -l) -gt $before ]] && break; sleep 0.1; done
has "$token" "$(ask @192.0.2.2 $token.dual.lab.example MX +short)" "serves after a reload"
[[ $(ls "$site/log" | wc -l) -gt $before ]]
result $? "the new generation has a segment of its own"

# phases: of two workers that share what they saw; a minute is made six seconds
sed -i 's/^#* *workers .*//; s/^#* *pace .*//' "$site/outpost.conf"
printf 'workers 2\npace 10\n' >>"$site/outpost.conf"
kill -TERM $server
wait $server
start || result 1 "starts with two workers" "$(tail -2 "$dir/authdns.err")"
other=$("$OUTPOST" enrol -C "$site" --set full 2>/dev/null | grep -om1 '[a-z2-7]\{16\}')
moved() { # how many of N questions, by as many sockets, get the address of phase 2
	for _ in $(seq "$1"); do ask @192.0.2.2 $other.mx0.phased.lab.example AAAA +short; done | grep -c '^2001:db8::2$'
}
is 0 "$(moved 5)" "phase 1 for a new participant"
sleep 6.2
is 20 "$(moved 20)" "phase 2 after its time, whichever worker is asked"
sleep 1.1
has '"phase":2' "$(grep -ah "$other" "$site"/log/*.jsonl | tail -1)" "the event says the phase"
echo 'nonsense' >>"$site/outpost.conf"
kill -HUP $server
for _ in $(seq 100); do tail -3 "$dir/authdns.err" | grep -q 'outpost.conf:' && break; sleep 0.1; done
has "$token" "$(ask @192.0.2.2 $token.dual.lab.example MX +short)" "a wrong configuration leaves the old generation"
has "outpost.conf:" "$(tail -3 "$dir/authdns.err")" "and is told with file and line"
sed -i '$d' "$site/outpost.conf"

# --- released ---
# A running server learns of it, and a validator then finds the way to a mail host of every test whose fault is not
# one that all participants share.
gone=$("$OUTPOST" enrol -C "$site" --set full 2>/dev/null | grep -om1 '[a-z2-7]\{16\}')
has SERVFAIL "$(ask @127.0.0.1 $gone.bogus.lab.example MX)" "a bogus zone is bogus"
out=$("$OUTPOST" release -C "$site" --json "$gone")
has '"new":true' "$out" "outpost release"
stays=$(grep -o '"stays":\[[^]]*' <<<"$out" | grep -o '"[^"]*"' | tr -d '"')
has '"new":false' "$("$OUTPOST" release -C "$site" --json "$gone")" "and again: it was already"
is_released() { ask @192.0.2.2 "$gone.mx-null.lab.example" MX +short | grep -q "^10 $gone.mx0"; }
wait_for 20 is_released
result $? "the server has learned of it"
for f in "$dir"/zones/catalogue/*.test; do
	grep -qE '^(graded on|mailed no)' "$f" || basename "$f" .test
done | grep -vxF "$stays" >"$dir/goes"
# one has its only mail domain below {d}
while read -r t; do echo "$gone.$t.lab.example MX"; done <"$dir/goes" | sed 's/^[^.]*[.]idn-domain[.]/xn--bcher-kva.&/' >"$dir/names"
missing() { # tests of which the validator finds no host
	in_ns dig -f "$dir/names" @127.0.0.1 +time=12 +tries=3 +noall +answer +nottlid |
		awk -v t="$gone" 'BEGIN { t = tolower(t) } $3 == "MX" || $2 == "MX" { n = split(tolower($1), l, "."); print l[n - 3]; sub(/-b$/, "", l[n - 3]); print l[n - 3] }' |
		sort -u >"$dir/found"
	sort "$dir/goes" | comm -23 - "$dir/found" | tr '\n' ' '
}
for _ in 1 2 3 4 5 6 7; do # a SERVFAIL is remembered for a while
	missing=$(missing)
	[[ $missing ]] || break
	sleep 10
done
is "" "$missing" "a validator finds a mail host of $(wc -l <"$dir/goes") tests"
has 2001:db8:53: "$(ask @127.0.0.1 $gone.mx0.dnssec-bogus.lab.example AAAA +short)" "and its address"
has '"dev":"released"' "$(grep -ah "$gone.mx-null" "$site"/log/*.jsonl | grep released)" "the event says so"
has SERVFAIL "$(ask @127.0.0.1 $token.dnssec-bogus-mx.lab.example MX)" "another participant is where it was"

lines=$(cat "$site"/log/*.jsonl | tr -d '\0' | grep -c '"dns.query"')
# workers PID: the processes that it forked
workers() { ps -o pid= --ppid "$1"; }
for c in $(workers $server); do kill -9 "$c"; done
sleep 1.5
has "$token" "$(ask @192.0.2.2 $token.dual.lab.example MX +short)" "a killed worker is replaced"
orphans=$(workers $server)
kill -9 $server
wait $server 2>/dev/null
sleep 0.3
for c in $orphans; do kill -9 "$c" 2>/dev/null; done
sleep 0.2
[[ $(cat "$site"/log/*.jsonl | tr -d '\0' | grep -c '"dns.query"') -ge $lines ]]
result $? "kill -9 loses no line that was written"
start
result $? "starts again after kill -9" "$(tail -3 "$dir/authdns.err")"
is 20 "$(moved 20)" "phases outlive kill -9"
is_released
result $? "and so does the release"
kill -TERM $server
wait $server
is 0 $? "SIGTERM ends it with code 0"

# --- a full disk ---
rm -f "$site"/log/*
mount -t tmpfs -o size=1m none "$site/log"
sed -i '/segment-reserve/d' "$site/outpost.conf"
echo 'segment-reserve 64K' >>"$site/outpost.conf"
: >"$dir/authdns.err"
if start; then
	head -c 2M /dev/zero >"$site/log/filler" 2>/dev/null
	for _ in $(seq 40); do
		for i in $(seq 40); do echo "$i.$token.dual.lab.example A"; done >"$dir/names"
		ask -f "$dir/names" @192.0.2.2 +tries=1 +time=1 +short >/dev/null 2>&1
		kill -0 $server 2>/dev/null || break
	done
	code=
	if ! kill -0 $server 2>/dev/null; then wait $server; code=$?; fi
	is 3 "$code" "a full disk stops the server with code 3"
	is 1 "$(grep -c 'No space left' "$dir/authdns.err")" "with one clear line"
else
	result 1 "starts on a small disk" "$(tail -2 "$dir/authdns.err")"
fi
wire_end
