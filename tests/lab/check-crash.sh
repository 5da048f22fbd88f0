#!/bin/bash
# check-crash.sh - kill -9 of mail and name server processes while a real Postfix delivers: whatever
# Postfix was told is accepted is in the event log, and the site goes on by itself.
# shellcheck disable=SC2317,SC2016 # functions are called by expect; the inner shell expands
set -uo pipefail
LAB_HOME=$(dirname "$(realpath "$0")")
# shellcheck source=lib/tap.sh
. "$LAB_HOME/lib/tap.sh"
# shellcheck source=lib/report.sh
. "$LAB_HOME/lib/report.sh"
# shellcheck source=lib/packages.sh
. "$LAB_HOME/lib/packages.sh"
LAB=checkcrash$$
RUNS=4

send() { lab send --name $LAB --sender postfix-plain --resolver unbound-permissive --set standard 2>/dev/null; }
# processes PROGRAM: of the site, oldest first: the parent, its workers, then what else it has.
processes() {
	local pid
	for pid in $(ip netns pids "$LAB-site" | sort -n); do
		[[ $(cat "/proc/$pid/comm" 2>/dev/null) == "$1" ]] && printf '%s\n' "$pid"
	done
}
killed=0
kill_one() { # PROGRAM parent|worker
	local pid='' i
	# It may be on its way back from the last one.
	for ((i = 0; i < 100; i++)); do
		if [[ $2 == parent ]]; then pid=$(processes "$1" | head -1); else pid=$(processes "$1" | tail -n +2 | head -1); fi
		[[ -z $pid ]] || break
		sleep 0.1
	done
	[[ -n $pid ]] && kill -KILL "$pid" 2>/dev/null && killed=$((killed + 1))
	sleep 0.4
}
# Recipients that Postfix holds for delivered: "MESSAGE-ID RECIPIENT".
told() {
	awk '
		match($0, /: [0-9A-F]+: message-id=<[^>]*>/) { split(substr($0, RSTART + 2, RLENGTH - 2), w, ": message-id="); id[w[1]] = w[2] }
		/status=sent/ && /outpost\.example>/ && match($0, /: [0-9A-F]+: to=<[^>]*>/) {
			split(substr($0, RSTART + 2, RLENGTH - 2), w, ": to=<"); sub(/>$/, "", w[2]); print id[w[1]], w[2] }
	' "$LAB_DIR/sender/postfix-plain/senders/log/mail.log" | tr -d '<>' | sort -u
}
# Recipients that the event log says were accepted, in the same form.
logged() {
	cat "$SITE"/log/*.jsonl | sed -nE '/"ev":"smtp.message"/ { /"reply":250/ s/.*"rcpts":"([^"]*)".*"msgid":"<?([^">]*)>?".*/\2 \1/p }' |
		awk '{ for (i = 2; i <= NF; i++) print $1, $i }' | sort -u
}
nothing_lost() {
	local lost
	lost=$(comm -23 <(told) <(logged))
	[[ -z $lost ]] || { printf 'told 250, not in the log: %s\n' "${lost//$'\n'/, }"; return 1; }
}
whole_lines() { # but for the torn last line of a segment whose process died
	local f bad=0
	for f in "$SITE"/log/*.jsonl; do
		bad=$((bad + $(tr -d '\0' <"$f" | sed '$d' | grep -cv '^{"v":1,.*}$')))
	done
	((bad == 0)) || { echo "$bad lines are no events"; return 1; }
}
# No grep -q: who stops reading early makes the writer fail.
delivered() { [[ $(verdicts "$1" | grep -cE '^(dual|greylist)	conforms') == 2 ]]; }

tap_begin
PACKAGES=$LAB_ROOT/packages
packages_environment
tap_lab checkcrash
LAB_DIR=$LAB_ROOT/$LAB SITE=$LAB_ROOT/$LAB/site
export OUTPOST_SITE=$SITE
tokens=()
for ((run = 0; run < RUNS; run++)); do
	tokens+=("$(send)")
	kill_one smtpd worker
	kill_one authdns worker
	kill_one smtpd parent
	kill_one authdns parent
done
expect "$killed processes killed" test "$killed" -eq $((4 * RUNS))
mail_host=$(ip netns exec "$LAB-check" env LD_LIBRARY_PATH="$PACKAGE_LIBS" "$PACKAGES/ldnsutils/usr/bin/drill" -Q "${tokens[0]}.mx0.dual.outpost.example" A @127.0.0.1 | head -1)
expect "the site goes on by itself" bash -c 'for ((i = 0; i < 100; i++)); do
	ip netns exec "$0-check" timeout 3 bash -c "exec 3<>/dev/tcp/$1/25 && read -r l <&3 && [[ \$l == 2* ]]" 2>/dev/null && exit 0; sleep 0.2; done; exit 1' $LAB "$mail_host"
last=$(send)
for ((i = 0; i < 60; i++)); do
	all=1
	for token in "${tokens[@]}" "$last"; do delivered "$token" || all=0; done
	((all)) && break
	sleep 1
done
for token in "${tokens[@]}" "$last"; do expect "$token: dual and greylist delivered all the same" delivered "$token"; done
expect "Postfix was told 250 for many" test "$(told | wc -l)" -gt $((10 * RUNS))
expect "what Postfix was told is accepted is in the log" nothing_lost
expect "every line of the log is whole" whole_lines
tap_end
