#!/bin/bash
# days.sh - days of wall clock in a minute: smtpd is restarted with growing OUTPOST_CLOCK_OFFSETs, and once
# with a clock that jumped back; memory and verdicts stay right.  In a network namespace of its own.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}

if [[ $(id -u) != 0 ]]; then
	echo "1..0 # SKIP wants root, for a network namespace"
	exit 0
fi
for tool in ip perl jq; do
	command -v $tool >/dev/null || {
		echo "1..0 # SKIP $tool is not installed"
		exit 0
	}
done
if [[ -z ${DAYS_NS:-} ]]; then
	ns=days-wire-$$
	ip netns add $ns || exit 1
	trap 'ip netns del $ns' EXIT
	DAYS_NS=$ns ip netns exec $ns "$0" "$@"
	exit
fi

ip link set lo up
ip -6 route add local 2001:db8:53::/64 dev lo
ip -6 addr add 2001:db8:1::7/128 dev lo nodad
dir=$(mktemp -d /tmp/days-wire-XXXXXX)
chmod 755 "$dir"
site=$dir/site
smtpd=
stop() {
	[[ -n $smtpd ]] && kill "$smtpd" 2>/dev/null && wait "$smtpd"
	smtpd=
}
trap 'stop; rm -rf "$dir"' EXIT

n=0 failed=0
is() { # NAME GOT WANTED
	n=$((n + 1))
	if [[ $2 == $3 ]]; then echo "ok $n - $1"; else
		echo "not ok $n - $1"
		echo "# $2 instead of $3"
		failed=1
	fi
}
addresses=$(printf '127.0.53.%d,' {1..60})
"$BUILD/outpost" init "$site" --base outpost.example --ipv4 "${addresses%,}" --ipv6 2001:db8:53::/64 \
	--user nobody --catalogue "${CATALOGUE:-$PWD/zones/catalogue}" >/dev/null || exit 1
token=$("$BUILD/outpost" enrol -C "$site" --set retry --json | grep -o '"token":"[a-z2-7]*"' | head -1 | cut -d'"' -f4)

# at SECONDS: the daemon lives then, a new process.
at() {
	stop
	OUTPOST_CLOCK_OFFSET=$1 "$BUILD/smtpd" -q -C "$site" 2>>"$dir/stderr" &
	smtpd=$!
	for ((i = 0; i < 100; i++)); do
		(exec 3<>"/dev/tcp/$(address 1)/25") 2>/dev/null && return
		sleep 0.1
	done
	echo "Bail out! smtpd does not start: $(cat "$dir/stderr")"
	exit 1
}
# address NUMBER -> the IPv6 address of (token, test, host 0)
address() {
	perl -e '
		my ($t, $n) = @ARGV;
		my $bits = ""; my %v; @v{"a".."z", 2..7} = 0..31;
		$bits .= sprintf("%05b", $v{$_}) for split //, $t;
		my $id = substr($bits, 0, 48) . sprintf("%010b%06b", $n, 0);
		printf "2001:db8:53:0:%s\n", join ":", map { sprintf "%x", oct "0b$_" } $id =~ /.{16}/g;
	' "$token" "$1"
}
reply() {
	local l
	while IFS= read -r -t 5 l <&3; do
		last=${l:0:3}
		[[ $l == ???' '* ]] && return 0
	done
	last=none
	return 1
}
# mail NUMBER TEST: the last reply code of the transaction.  One message goes to all, as its To: says: that is
# how it is known which message came back.
mail() {
	local line last=none test to=
	for test in dual greylist retry-horizon; do to+="${to:+, }probe@$token.$test.outpost.example"; done
	exec 3<>"/dev/tcp/$(address "$1")/25" || { echo refused; return; }
	reply
	for line in 'EHLO mta.example' 'MAIL FROM:<a@sender.example>' "RCPT TO:<probe@$token.$2.outpost.example>" 'DATA' \
		"Message-ID: <1@sender.example>"$'\r\n'"To: $to"$'\r\n\r\nhello\r\n.'; do
		printf '%s\r\n' "$line" >&3
		reply && [[ $last == [23]* ]] || break
	done
	exec 3>&-
	echo "$last"
}
# verdict TEST SECONDS: as judged then.
verdict() {
	OUTPOST_CLOCK_OFFSET=$2 "$BUILD/outpost" report "$token" -C "$site" --json |
		jq -r ".tests[]|select(.test==\"$1\")|.verdict+\" \"+(.final|tostring)+\" \"+.reason"
}
DAY=86400

at 0
is "the control is delivered" "$(mail 1 dual)" 250
is "greylist defers" "$(mail 20 greylist)" 450
is "retry-horizon defers" "$(mail 24 retry-horizon)" 451
is "greylist waits" "$(verdict greylist 60)" "pending false *"
at 120
is "two minutes later, after a restart, it still defers" "$(mail 20 greylist)" 450
at $((5 * 3600))
is "five hours later it does not any more" "$(mail 20 greylist)" 250
is "greylist: delivered later" "$(verdict greylist $((6 * 3600)))" "conforms true delivered*"
for day in 1 2 3 4 5; do
	at $((day * DAY))
	is "day $day: deferred" "$(mail 24 retry-horizon)" 451
	is "day $day: not over" "$(verdict retry-horizon $((day * DAY + 18000)))" "pending false *"
done
is "day 6: not over, as its gaps are a day" "$(verdict retry-horizon $((6 * DAY)))" "pending false *"
is "its deadline: it gave up" "$(verdict retry-horizon $((8 * DAY + 60)))" "informational true 6 attempts over 5 d*"
is "greylist: still so" "$(verdict greylist $((8 * DAY + 60)))" "conforms true delivered*"
at $((2 * DAY + 3600)) # the clock jumps back
is "the clock jumped back: deferred" "$(mail 24 retry-horizon)" 451
is "and it is one attempt more in the same time" "$(verdict retry-horizon $((8 * DAY + 60)))" "informational true 7 attempts over 5 d*"
is "greylist: still so" "$(verdict greylist $((8 * DAY + 60)))" "conforms true delivered*"
is "the control too" "$(verdict dual $((8 * DAY + 60)))" "conforms true *"
is "what comes later is not seen before" "$(verdict retry-horizon $((2 * DAY)))" "pending false * attempts over *"
stop
echo "1..$n"
exit $failed
