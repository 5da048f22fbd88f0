# shellcheck shell=bash
# report.sh - reading reports, for the demo and the checks.

# verdicts TOKEN: "TEST VERDICT true|false REASON" a line, tab-separated; the third is "final".
# The report's JSON has one test a line, beginning with its name.
verdicts() {
	"$OUTPOST" report "$1" --json | tr -d '\r' |
		sed -nE 's/^,?\{"test":"([^"]*)","number".*"verdict":"([a-z]*)","final":(true|false),"reason":"(([^"\\]|\\.)*)".*/\1\t\2\t\3\t\4/p'
}
# verdict_counts TOKEN: "TESTS FINAL PENDING".
verdict_counts() { verdicts "$1" | awk -F'\t' '{ n++; f += $3 == "true"; p += $2 == "pending" } END { print n + 0, f + 0, p + 0 }'; }

# wait_final SECONDS TOKEN...: until every verdict of all of them is final; tells how it stands.  Who is
# done is not asked again: a report of many tests is work.
wait_final() {
	local until=$((SECONDS + $1)) token n f p all all_n shown='' line
	local -A done_n=()
	shift
	while :; do
		all=0 all_n=0
		for token; do
			if [[ -n ${done_n[$token]:-} ]]; then
				n=${done_n[$token]} f=$n
			else
				read -r n f p < <(verdict_counts "$token")
				((n == 0 || n != f)) || done_n[$token]=$n
			fi
			all=$((all + f)) all_n=$((all_n + n))
		done
		line="$all of $all_n verdicts final"
		(($# > 1)) || line+=", ${p:-0} still pending"
		if [[ -t 2 ]]; then
			printf '\r%s, %d s \033[K' "$line" "$SECONDS" >&2
		elif [[ $line != "$shown" ]]; then
			printf '# %s, %d s\n' "$line" "$SECONDS" >&2
		fi
		shown=$line
		((all_n > 0 && all == all_n)) && break
		((SECONDS < until)) || break
		sleep 3
	done
	[[ ! -t 2 ]] || printf '\n' >&2
	((all_n > 0 && all == all_n))
}
