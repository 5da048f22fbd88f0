# shellcheck shell=bash
# expect.sh - reports against the tables of expected verdicts, tests/expect/SENDER+RESOLVER.expect: a row too many or
# too few is a fault; a row called "*" is for all tests that have none of their own.  VERDICT|VERDICT is for what hangs on how busy
# the machine is, or on how long the check takes, with WORDS|WORDS for each in turn; pending is never final.

EXPECT=$LAB_HOME/../expect

# compare PICTURE TOKEN
compare() {
	local file=$EXPECT/$1.expect test verdict words got final reason rest=''
	local -A seen=() found_verdict=() found_reason=()
	while IFS=$'\t' read -r test got final reason; do
		found_verdict[$test]=$got
		[[ $final == true || $got == pending ]] || found_verdict[$test]="$got (not final)"
		found_reason[$test]=$reason
	done < <(verdicts "$2")
	while read -r test verdict words; do
		[[ -z $test || $test == \#* ]] && continue
		if [[ $test == '*' ]]; then
			rest="$verdict $words"
			continue
		fi
		seen[$test]=1
		compare_row "$1" "$test" "$verdict" "$words"
	done <"$file"
	for test in "${!found_verdict[@]}"; do
		if [[ -n ${seen[$test]:-} ]]; then
			continue
		elif [[ -n $rest ]]; then
			compare_row "$1" "$test" "${rest%% *}" "${rest#* }"
		else
			not_ok "$1: $test" "the report has it, the table has not: ${found_verdict[$test]} \"${found_reason[$test]}\""
		fi
	done
}
compare_row() { # PICTURE TEST VERDICT WORDS
	local -a verdict words
	local i
	if [[ -z ${found_verdict[$2]:-} ]]; then
		not_ok "$1: $2" "the table has it, the report has not"
		return
	fi
	IFS='|' read -r -a verdict <<<"$3"
	IFS='|' read -r -a words <<<"$4"
	for i in "${!verdict[@]}"; do
		if [[ ${found_verdict[$2]} == "${verdict[i]}" && -n ${words[i]:-} && ${found_reason[$2]} == *"${words[i]}"* ]]; then
			ok "$1: $2: $3"
			return
		fi
	done
	not_ok "$1: $2" "expected $3 \"$4\", found ${found_verdict[$2]} \"${found_reason[$2]}\""
}
