#!/bin/bash
# days.sh - days of wall clock in a minute: smtpd is restarted with growing OUTPOST_CLOCK_OFFSETs, and once
# with a clock that jumped back; memory and verdicts stay right.  In a network namespace of its own.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
wire_root
wire_needs ip perl jq
wire_inside days "$0" "$@"

dir=$(mktemp -d /tmp/days-wire-XXXXXX)
chmod 755 "$dir"
site=$dir/site
trap 'wire_stop; rm -rf "$dir"' EXIT

told() { # WHAT GOT PATTERN
	# shellcheck disable=SC2053 # a pattern it is
	[[ $2 == $3 ]]
	result $? "$1" "$2 instead of $3"
}
wire_site 60 "${CATALOGUE:-$PWD/zones/catalogue}"
token=$(wire_token retry)

# at SECONDS: the daemon lives then, a new process.
at() {
	wire_stop
	OUTPOST_CLOCK_OFFSET=$1 wire_start "$(address 1)" 25
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
told "the control is delivered" "$(mail 1 dual)" 250
told "greylist defers" "$(mail 20 greylist)" 450
told "retry-horizon defers" "$(mail 24 retry-horizon)" 451
told "greylist waits" "$(verdict greylist 60)" "pending false *"
at 120
told "two minutes later, after a restart, it still defers" "$(mail 20 greylist)" 450
at $((5 * 3600))
told "five hours later it does not any more" "$(mail 20 greylist)" 250
told "greylist: delivered later" "$(verdict greylist $((6 * 3600)))" "conforms true delivered*"
for day in 1 2 3 4 5; do
	at $((day * DAY))
	told "day $day: deferred" "$(mail 24 retry-horizon)" 451
	told "day $day: not over" "$(verdict retry-horizon $((day * DAY + 18000)))" "pending false *"
done
told "day 6: not over, as its gaps are a day" "$(verdict retry-horizon $((6 * DAY)))" "pending false *"
told "its deadline: it gave up" "$(verdict retry-horizon $((8 * DAY + 60)))" "informational true 6 attempts over 5 d*"
told "greylist: still so" "$(verdict greylist $((8 * DAY + 60)))" "conforms true delivered*"
at $((2 * DAY + 3600)) # the clock jumps back
told "the clock jumped back: deferred" "$(mail 24 retry-horizon)" 451
told "and it is one attempt more in the same time" "$(verdict retry-horizon $((8 * DAY + 60)))" "informational true 7 attempts over 5 d*"
told "greylist: still so" "$(verdict greylist $((8 * DAY + 60)))" "conforms true delivered*"
told "the control too" "$(verdict dual $((8 * DAY + 60)))" "conforms true *"
told "what comes later is not seen before" "$(verdict retry-horizon $((2 * DAY)))" "pending false * attempts over *"
wire_stop
wire_end
