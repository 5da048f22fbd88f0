#!/bin/bash
# The verifier behind a real smtpd, in a network namespace of its own with a name server of its own: real messages
# are judged, hostile ones cost nothing but their own result, and whoever is killed, each accepted message ends in
# exactly one event.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
wire_root
wire_needs ip python3 perl
wire_inside verifier "$0" "$@"

dir=$(mktemp -d /tmp/verifier-wire-XXXXXX)
site=$dir/site
smtpd='' dns=''
cleanup() {
	[[ $smtpd ]] && kill "$smtpd" 2>/dev/null && wait "$smtpd"
	[[ $dns ]] && kill "$dns" 2>/dev/null && wait "$dns" 2>/dev/null
	[[ ${KEEP:-} ]] || rm -rf "$dir"
}
trap cleanup EXIT

report() { # CODE NAME
	local why=
	[[ $1 == 0 ]] || why=$(tail -n 5 "$dir/stderr")
	result "$1" "$2" "$why"
}

helper() { python3 tests/wire/verifier.py "$@"; }
wire_site 24 "$PWD/tests/replay/smtp/catalogue"
# No anchor above the names of this test: nothing of them is signed.
printf 'elsewhere.example. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n' >"$dir/anchor"
cat >>"$site/outpost.conf" <<END
workers 2
verify-resolver 127.0.0.1@5399
verify-anchor $dir/anchor
verify-message 100K
verify-time 10s
verify-child-time 2s
segment-reserve 64K
END
python3 tests/wire/verifier.py dns 5399 tests/unit/verify/dkim/keys.txt 2>"$dir/dns" &
dns=$!

start() { wire_start 127.0.53.5 25; }
token=$(wire_token dual)
to=$(address 1)
rcpt=probe@$token.dual.outpost.example
send() { helper mail "$to" 2001:db8:1::7 "$@"; } # FROM RECIPIENT FILE [N]
# event KIND PATTERN... - waits for such a line and prints it
event() {
	local i out p
	for ((i = 0; i < 300; i++)); do
		out=$(grep -ah "\"ev\":\"$1\"" "$site"/log/*.jsonl)
		for p in "${@:2}"; do out=$(grep -e "$p" <<<"$out"); done
		[[ $out ]] && printf '%s\n' "$out" && return 0
		sleep 0.1
	done
	echo "# not seen: $*"
	return 1
}
# pids of one kind, of the smtpd that runs: the verifier is the child that has one itself
children() { cat "/proc/$1/task/$1/children" 2>/dev/null; }
verifier() {
	local p i
	for ((i = 0; i < 100; i++)); do
		for p in $(children "$smtpd"); do [[ $(children "$p") ]] && echo "$p" && return; done
		sleep 0.1
	done
}
nursery() { children "$(verifier)" | awk '{ print $1 }'; }
worker() { children "$smtpd" | awk '{ print $1 }'; }

start
# --- real messages ---
send a@good.example "$rcpt" - | grep -q '^250' && event verify.result '"from":"a@good.example"' >"$dir/e" &&
	grep -q '"libspf2":"pass"' "$dir/e" && grep -q 'spf.*\\"result\\":\\"pass\\"' "$dir/e" &&
	grep -q '"d":"verifier"' "$dir/e" && grep -q "\"token\":\"$token\",\"test\":\"dual\"" "$dir/e"
report $? 'an accepted message is judged: SPF passes, libspf2 says so too'
digest=$(grep -o '"digest":"[0-9a-f]*"' "$dir/e")
event smtp.message "$digest" '"handed":true' >/dev/null
report $? 'with the digest of its smtp.message, which says that it was handed over'
send a@bad.example "$rcpt" - >/dev/null && event verify.result '"from":"a@bad.example"' | grep -q '"libspf2":"fail"'
report $? 'SPF fails for who may not'
send b@good.example "$rcpt" tests/unit/verify/dkim/rsa-relaxed-simple.eml >/dev/null &&
	event verify.result '"from":"b@good.example"' >"$dir/e" && grep -q 'dkim\\":{\\"result\\":\\"pass\\"' "$dir/e"
report $? 'a DKIM signature passes'
send c@good.example "$rcpt" tests/unit/verify/dkim/ed25519.eml >/dev/null &&
	event verify.result '"from":"c@good.example"' >"$dir/e" && grep -q 'dkim\\":{\\"result\\":\\"pass\\"' "$dir/e"
report $? 'an Ed25519 signature passes'

# --- hostile ones ---
send a@crash.example "$rcpt" - >/dev/null && event verify.result '"from":"a@crash.example"' >"$dir/e" &&
	grep -q '"libspf2":"crashed"' "$dir/e" && grep -q '"reason":"libspf2: ' "$dir/e" && grep -q '\\"spf\\"' "$dir/e"
report $? 'the record that libspf2 crashes on costs its word, and nothing else'
perl -e 'print "From: a\@good.example\n\n", "x" x 78, "\n"' >"$dir/small"
perl -e 'print "From: a\@good.example\n\n", ("x" x 78 . "\n") x 2000' >"$dir/large"
send d@good.example "$rcpt" "$dir/large" | grep -q '^250' &&
	event verify.skipped '"from":"d@good.example"' '"reason":"larger than verify-message"' >/dev/null &&
	event smtp.message '"from":"d@good.example"' | grep -qv '"handed"'
report $? 'what is larger than verify-message is accepted, and said to be skipped'
perl -e 'print "From: a\@good.example\n"; print "DKIM-Signature: v=1; a=rsa-sha256; d=d$_.example; s=s; h=from; bh=AAAA; b=AAAA\n" for 1..1000; print "\nx\n"' >"$dir/many"
send e@good.example "$rcpt" "$dir/many" >/dev/null && event 'verify\.[rc][a-z]*' '"from":"e@good.example"' >"$dir/e" && grep -q verify.result "$dir/e"
report $? 'a thousand signatures are judged, too'
send f@good.example "$rcpt" "$dir/small" 20 | grep -q '^250' && helper wait "$site/log" 27 60
report $? 'twenty messages, all the same, in one connection'
helper count "$site/log" >"$dir/count"
code=$?
sed 's/^/# /' "$dir/count"
report $code 'each has one end'
! grep -rlq 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' "$site"
report $? 'no body is on disk'

helper forgot "$site/keys/site.secret" "$(worker)" "$(verifier)" "$(nursery)" 2>"$dir/forgot"
code=$?
tail -n 1 "$dir/forgot" | sed 's/^/# /'
report $code 'neither the verifier nor what its children are forked from holds the secret of the site'

# --- kill -9 ---
python3 tests/wire/verifier.py storm "$to" "$rcpt" 14 >"$dir/storm" &
storm=$!
for what in nursery verifier worker nursery verifier verifier worker; do
	sleep 0.7
	pid=$($what)
	[[ $pid ]] && kill -KILL "$pid"
done
sleep 0.7
for pid in $(children "$(nursery)"); do kill -KILL "$pid" 2>/dev/null; done
kill -HUP "$smtpd"
sleep 1
kill -KILL "$smtpd"
wait "$smtpd" 2>/dev/null
smtpd=
start
sleep 1
pid=$(verifier)
kill -KILL $pid $(children "$smtpd") 2>/dev/null
wait "$storm"
accepted=$(cat "$dir/storm")
[[ $accepted -gt 20 ]]
report $? 'mail goes on whoever is killed'
# The last audits come five and sixty seconds after a start; a start is an audit.
kill "$smtpd"
wait "$smtpd"
report $? 'SIGTERM ends it with code 0'
start
event verify.audit '"ok":true' >/dev/null && helper wait "$site/log" "$accepted" 90
helper count "$site/log" >"$dir/count"
code=$?
sed 's/^/# /' "$dir/count"
report $code 'verifier, its children, workers, all of smtpd killed, reloaded: each accepted message has one end'

# --- none ---
sed -i 's/^verify-time.*/verify none/' "$site/outpost.conf"
kill -HUP "$smtpd"
sleep 0.5
for ((i = 0; i < 50; i++)); do
	send g$i@good.example "$rcpt" - >/dev/null
	grep -ah '"ev":"smtp.message"' "$site"/log/*.jsonl | grep "\"from\":\"g$i@" | grep -q '"handed"' || break
	sleep 0.2
done
((i < 50))
report $? 'after verify none and SIGHUP nothing is handed over'
! grep 'its sandbox does not allow' "$dir/stderr" >&2
report $? 'nobody was killed by a sandbox'
kill "$smtpd"
wait "$smtpd"
report $? 'and it stops'
smtpd=
wire_end
