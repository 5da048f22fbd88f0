# shellcheck shell=bash
# measure.sh - how tests/bench/run measures and what it prints of it.  Sourced; $build, $work, $scale and pids are the
# script's.
# shellcheck disable=SC2154

missed=0

cores=$(nproc)
on_server() { taskset -c 0 "$@"; }
on_load() { taskset -c $((cores > 1 ? 1 : 0)) "$@"; }

# start NAME COMMAND...: a server on core 0; its pid in $started.
start() {
	local name=$1
	shift
	taskset -c 0 "$@" >"$work/$name.out" 2>&1 &
	started=$!
	pids+=("$started")
}

stop() {
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# survived NAME: what was started under that name has lost no process meanwhile, or its CPU is that of starting them.
survived() { ! grep 'killed' "$work/$1.out" >&2 || die "$1: a process of it died"; }

# tree PID: it and all its descendants.
tree() {
	local child
	echo "$1"
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do tree "$child"; done
}

# cpu PID: nanoseconds of processor time of the tree, all threads.
cpu() {
	local p total=0 ns rest
	for p in $(tree "$1"); do
		while read -r ns rest; do total=$((total + ns)); done \
			< <(cat /proc/"$p"/task/*/schedstat 2>/dev/null)
	done
	echo "$total"
}

# rss PID: KiB of the largest process of the tree.
rss() {
	local p
	for p in $(tree "$1"); do awk '/^VmRSS/ { print $2 }' /proc/"$p"/status; done | sort -n | tail -1
}

# all_rss PID: KiB of the whole tree, what processes share counted once.
all_rss() {
	local p
	for p in $(tree "$1"); do awk '/^Pss:/ { print $2 }' /proc/"$p"/smaps_rollup; done | awk '{ s += $1 } END { print s }'
}

# field NAME LINE: "NAME value" out of a line of a load generator.
field() { awk -v k="$1" '{ for (i = 1; i < NF; i++) if ($i == k) print $(i + 1) }' <<<"$2"; }

# per_unit PID UNIT COMMAND...: nanoseconds of the server for one unit in $ns; what the load said in
# $said.  UNIT is the field that counts.
per_unit() {
	local pid=$1 unit=$2 before after n
	shift 2
	before=$(cpu "$pid")
	said=$("$@") || die "$1: $said"
	after=$(cpu "$pid")
	n=$(field "$unit" "$said")
	[[ ${n:-0} -gt 0 ]] || die "$1 got no answer: $said"
	ns=$(((after - before) / n))
}

median() { printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
divide() { awk -v a="$1" -v b="$2" 'BEGIN { printf("%.3f", (b > 0 ? a / b : 0)) }'; }
us() { awk -v n="$1" 'BEGIN { printf((n < 100000 ? "%.2f us" : "%.0f us"), n / 1000) }'; }
work_of() { echo $(($1 * scale / 100)); }

# --- rows ----------------------------------------------------------------------------------------
# Each row is followed by a line that says what was compared.

row() { printf '%-38s %12s %12s %7s  %-13s %8s %8s  %s\n' "$@"; }
means() { printf '    %s\n' "$1"; }
skip() { row "$1" - - - - - - "SKIP $2"; }

header() {
	cat <<END
ours, peer   the median of $rounds rounds; CPU is that of all processes of the server, in the kernel, too
ratio        of the two in one round: the median, and from the lowest to the highest
gate, goal   what the ratio must meet on a quiet machine, and what it shall come to
END
	row '' ours peer ratio lowest-highest gate goal ''
}

kib() { echo "$1 KiB"; }
mib() { echo "$(($1 / 1024)) MiB"; }
plain() { echo "$1"; }
spread() { printf '%s\n' "$@" | sort -g | awk 'NR == 1 { low = $1 } END { print (NR == 1 ? "-" : low "-" $1) }'; }

# verdict WHAT UNIT 'at most'|'at least' GATE GOAL MEANS: of the arrays ours, peer and ratio, a number for each round
verdict() {
	local how sign r
	[[ $3 == 'at most' ]] && sign='<=' || sign='>='
	r=$(median "${ratio[@]}")
	how=$(awk -v r="$r" -v g="$4" -v goal="$5" -v s="$sign" 'function ok(x) { return s == "<=" ? r <= x : r >= x }
		BEGIN { print ok(goal) ? "goal reached" : ok(g) ? "met" : "missed" }')
	[[ $how == missed ]] && missed=$((missed + 1))
	row "$1" "$("$2" "$(median "${ours[@]}")")" "$("$2" "$(median "${peer[@]}")")" "$r" "$(spread "${ratio[@]}")" \
		"$sign $4" "$sign $5" "$how"
	means "$6"
}

# beside WHAT UNIT MEANS: a row for comparison, without a gate
beside() {
	row "$1" "$("$2" "$(median "${ours[@]}")")" "$("$2" "$(median "${peer[@]}")")" "$(median "${ratio[@]}")" \
		"$(spread "${ratio[@]}")" - - -
	means "$3"
}
