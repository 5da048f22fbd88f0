#!/bin/bash
# check-release.sh - the queues of real Postfixes that check DNSSEC, DANE and MTA-STS, full of mail that cannot go, empty
# after "outpost release", but for the tests of which the command says that their mail may stay; and what they meet from
# then on is no evidence.
# shellcheck disable=SC2317 # functions are called by expect
set -uo pipefail
LAB_HOME=$(dirname "$(realpath "$0")")
# shellcheck source=lib/tap.sh
. "$LAB_HOME/lib/tap.sh"
LAB=checkrelease$$
STAYS='dns-edns-drop dnssec-bogus-ds'
GOES='dane-ee-mismatch dane-no-starttls dane-tlsa-servfail dnssec-bogus dnssec-bogus-mx retry-horizon'

command -v jq >/dev/null || tap_skip "jq is not installed"
tap_begin
# Nothing leaves the queue by age; what the resolver knows is asked for again after five seconds instead of a minute.
export QUEUE_LIFETIME=1d CACHE_TTL=5
tap_lab checkrelease --pace 300 ${CATALOGUE:+--catalogue "$CATALOGUE"}
export OUTPOST_SITE=$LAB_ROOT/$LAB/site
tests="$GOES $STAYS"
send() { # SENDER TEST...: the token
	lab send --name $LAB --sender "$1" --resolver unbound-validating --set "${2// /,}" 2>/dev/null
}
{ token=$(send postfix-dane "dual $tests") && other=$(send postfix-sts sts-mx-mismatch); } || { echo "Bail out! lab send failed"; exit 1; }
senders=$LAB_ROOT/$LAB/sender
dir=$LAB_ROOT/$LAB/reports
mkdir -p "$dir"

sorted() { tr ' ' '\n' | sort | paste -sd' '; }
# queued SENDER: the tests of which mail is in its queue.
queued() {
	lab shell --name $LAB "$1" -- postqueue -c "$senders/$1/senders/conf" -p |
		grep -oE "@($token|$other)[.][a-z0-9-]*" | cut -d. -f2 | sort -u | paste -sd' '
}
# comes_to SENDER TESTS SECONDS: that is what is queued, within that time.
comes_to() {
	local until=$((SECONDS + $3)) got
	while got=$(queued "$1") && [[ $got != "$2" ]]; do
		((SECONDS < until)) || { printf '%s instead of %s\n' "$got" "$2"; return 1; }
		sleep 1
	done
}
# shows JQ SECONDS: the report has it, within that time.
shows() {
	local until=$((SECONDS + $2))
	until "$OUTPOST" report "$token" --json | jq -e "$1" >/dev/null; do
		((SECONDS < until)) || { printf 'the report never shows %s\n' "$1"; return 1; }
		sleep 1
	done
}
is() { [[ $1 == "$2" ]] || { printf '%s instead of %s\n' "$1" "$2"; return 1; }; }
# report FILE: all of it but for the time at which it was made.
report() { "$OUTPOST" report "$token" --json | jq 'del(.made)' >"$1"; }

expect 'what cannot be delivered waits' comes_to postfix-dane "$(sorted <<<"$tests")" 120
expect 'also for another sender, for its policy' comes_to postfix-sts sts-mx-mismatch 60
expect 'and was tried before the release' shows '[.tests[] | select(.test == "retry-horizon" or .test == "dane-ee-mismatch") | .attempts | length > 1] | all' 60
report "$dir/open"
"$OUTPOST" release "$token" "$other" >"$dir/said" 2>&1
expect 'release' is $? 0
expect 'it names what may stay, no more and no less' is "$(sed -nE 's/^  ([a-z0-9-]+) .*/\1/p' "$dir/said" | sort | grep -xF -f <(tr ' ' '\n' <<<"$tests") | paste -sd' ')" "$(sorted <<<"$STAYS")"
report "$dir/released"
expect 'all else leaves the queue' comes_to postfix-dane "$(sorted <<<"$STAYS")" 180
expect 'and that of the other sender is empty' comes_to postfix-sts '' 60
report "$dir/empty"

# bounced: the tests whose mail our 550 ended.
bounced() {
	grep -ah 'status=bounced' "$senders"/postfix-*/senders/log/mail.log | grep -a 'said: 550 ' | grep -aoE "@($token|$other)[.][a-z0-9-]*" | cut -d. -f2 | sort -u | paste -sd' '
}
expect 'each as a bounce with our 550' is "$(bounced)" "$GOES sts-mx-mismatch"
# met JQ: of the observations since the release
met() { "$OUTPOST" events "$token" | jq -c "select(.dev == \"released\") | $1"; }
expect 'the observations have the refusals' test "$(met 'select(.ev == "smtp.command" and .reply == 550)' | wc -l)" -ge 6
expect 'but the report is the one of the moment of the release' diff "$dir/released" "$dir/empty"
# What was decided by then stays as it was; what was not is inconclusive, and says why.
changed() {
	jq -rn --slurpfile a "$dir/open" --slurpfile b "$dir/empty" '
		[$a[0].tests, $b[0].tests] | transpose[] | select(.[0].verdict != .[1].verdict) |
		"\(.[1].test): \(.[0].verdict) to \(.[1].verdict) \(.[1].reason)"' |
		grep -v ': pending to inconclusive released before this was decided: '
}
expect 'no verdict came of the release' is "$(changed)" ''
expect 'all of them are final' is "$(jq '[.tests[].final] | all' "$dir/empty")" true
expect 'and all that was seen before it is there' is \
	"$(jq -n --slurpfile a "$dir/open" --slurpfile b "$dir/empty" \
		'[$a[0].tests, $b[0].tests] | transpose | map(select((.[0].attempts - .[1].attempts) != [])) | length')" 0
tap_end
