#!/bin/bash
# check-senders.sh - real MTAs with real resolvers mail every test at the same time; every verdict is held
# against tests/expect/SENDER+RESOLVER.expect.  A row too many or too few fails.
set -uo pipefail
LAB_HOME=$(dirname "$(realpath "$0")")
# shellcheck source=lib/tap.sh
. "$LAB_HOME/lib/tap.sh"
# shellcheck source=lib/report.sh
. "$LAB_HOME/lib/report.sh"
EXPECT=$LAB_HOME/../expect
PICTURES=(postfix-dane+unbound-validating postfix-plain+unbound-permissive exim+bind-validating)
LONGEST=200
# Verdicts are final once a sender gave up and then stayed away for 6 h / PACE.
export QUEUE_LIFETIME=30s
PACE=500

# compare PICTURE TOKEN
compare() {
	local file=$EXPECT/$1.expect test verdict words got final reason
	local -A seen=() found_verdict=() found_reason=()
	while IFS=$'\t' read -r test got final reason; do
		found_verdict[$test]=$got
		[[ $final == true ]] || found_verdict[$test]="$got (not final)"
		found_reason[$test]=$reason
	done < <(verdicts "$2")
	while read -r test verdict words; do
		[[ -z $test || $test == \#* ]] && continue
		seen[$test]=1
		if [[ -z ${found_verdict[$test]:-} ]]; then
			not_ok "$1: $test" "the table has it, the report has not"
		elif [[ ${found_verdict[$test]} == "$verdict" && -n $words && ${found_reason[$test]} == *"$words"* ]]; then
			ok "$1: $test: $verdict"
		else
			not_ok "$1: $test" "expected $verdict \"$words\", found ${found_verdict[$test]} \"${found_reason[$test]}\""
		fi
	done <"$file"
	for test in "${!found_verdict[@]}"; do
		[[ -n ${seen[$test]:-} ]] || not_ok "$1: $test" "the report has it, the table has not: ${found_verdict[$test]} \"${found_reason[$test]}\""
	done
}

tap_begin
tap_lab checksenders --pace $PACE
export OUTPOST_SITE=$LAB_ROOT/checksenders/site
tokens=()
for picture in "${PICTURES[@]}"; do
	token=$(lab send --name checksenders --sender "${picture%+*}" --resolver "${picture#*+}" --set full) ||
		{ echo "Bail out! lab send failed"; exit 1; }
	tokens+=("$token")
done
wait_final "$LONGEST" "${tokens[@]}"
for i in "${!PICTURES[@]}"; do compare "${PICTURES[i]}" "${tokens[i]}"; done
# What a failure needs to be understood, where CI keeps it.
if [[ -n ${TAP_FAILED:-} && -n ${OUTPOST_LAB_KEEP:-} ]]; then cp -a "$LAB_ROOT/checksenders" "$OUTPOST_LAB_KEEP/"; fi
tap_end
