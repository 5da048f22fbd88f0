# shellcheck shell=bash
# base.sh - messages, the lab's folders, processes recorded by pid and start time.

# Sourced by ../lab.  LAB is the lab's name, LAB_DIR its folder; everything that a lab leaves on the
# machine is in LAB_DIR, in namespaces listed in LAB_DIR/namespaces, and in /etc/netns for those.

say() { printf 'outpost lab: %s\n' "$*" >&2; }

# die CODE WHAT: WHY: WHAT TO DO
die() {
	local code=$1
	shift
	printf 'outpost: lab: %s\n' "$*" >&2
	exit "$code"
}
usage_error() { die 2 "$* (see outpost lab --help)"; }
cannot() { die 3 "$*"; }

# A name is a prefix of namespaces: no hyphen, so that one lab's names never begin another's.
check_name() {
	[[ $1 =~ ^[a-z][a-z0-9]{0,19}$ ]] ||
		usage_error "--name $1: a lab's name is a letter and up to 19 letters and digits"
}
check_profile() { # KIND NAME
	[[ $2 =~ ^[a-z0-9][a-z0-9-]*$ && -x $LAB_HOME/$1/$2/start ]] ||
		usage_error "$1 $2: no such profile: there are $(profiles "$1")"
}
profiles() {
	local f
	for f in "$LAB_HOME/$1"/*/start; do basename "$(dirname "$f")"; done | paste -sd' '
}

lab_folders() {
	LAB_ROOT=${OUTPOST_LAB_DIR:-/var/lib/outpost-lab}
	LAB_DIR=$LAB_ROOT/$LAB
	SITE=$LAB_DIR/site
	PACKAGES=$LAB_ROOT/packages
}
lab_exists() { [[ -f $LAB_DIR/namespaces ]]; }
need_lab() { lab_exists || cannot "lab $LAB: it is not up: run outpost lab up${NAME_OPTION:+ $NAME_OPTION}"; }

# Only one command changes a lab at a time.
lab_lock() {
	mkdir -p "$LAB_ROOT"
	exec {LOCK_FD}>"$LAB_ROOT/.$LAB.lock"
	flock -w "${1:-60}" "$LOCK_FD" || cannot "lab $LAB: another command is at work on it: wait for it to end"
}
lab_unlock() { exec {LOCK_FD}>&-; }

# The command that goes with this lab: given by it, or found beside the source tree or on PATH.
find_outpost() {
	local o
	for o in "${OUTPOST:-}" "$LAB_HOME/../../build/outpost" "$LAB_HOME/../../../bin/outpost"; do
		[[ -n $o && -x $o ]] && { OUTPOST=$(realpath "$o"); return; }
	done
	OUTPOST=$(command -v outpost) || cannot "outpost: not found: build it with make, or set OUTPOST to its path"
}

# --- processes -----------------------------------------------------------------------------------
# pids/LABEL holds "PID STARTTIME": a pid that was given to somebody else since is never killed.

start_time() { # of a pid, in clock ticks since boot; field 22 of stat, counted after the name
	local stat
	{ stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
	stat=${stat##*) }
	# shellcheck disable=SC2086
	set -- $stat
	printf '%s\n' "${20}"
}

# spawn NAMESPACE LABEL COMMAND...  The command stays in the foreground of its own session; its
# output goes to logs/LABEL.log.
spawn() {
	local ns=$1 label=$2 pid
	shift 2
	mkdir -p "$LAB_DIR/pids" "$LAB_DIR/logs"
	(
		# The lock is this command's, not the daemon's.
		[[ -z ${LOCK_FD:-} ]] || exec {LOCK_FD}>&-
		exec setsid ip netns exec "$ns" "$@"
	) </dev/null >>"$LAB_DIR/logs/$label.log" 2>&1 &
	pid=$!
	printf '%s %s\n' "$pid" "$(start_time "$pid" || echo 0)" >"$LAB_DIR/pids/$label"
}
running() { # LABEL
	local pid start
	[[ -f $LAB_DIR/pids/$1 ]] || return 1
	read -r pid start <"$LAB_DIR/pids/$1" || return 1
	[[ $(start_time "$pid" || echo gone) == "$start" ]]
}
# stop_recorded LABEL [SECONDS]: TERM, then KILL when it takes longer than that.
stop_recorded() {
	local pid start i
	if running "$1"; then
		read -r pid start <"$LAB_DIR/pids/$1"
		kill -TERM "$pid" 2>/dev/null || true
		for ((i = ${2:-5} * 10; i > 0; i--)); do
			running "$1" || break
			sleep 0.1
		done
		running "$1" && kill -KILL "$pid" 2>/dev/null
	fi
	rm -f "$LAB_DIR/pids/$1"
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
	local until=$((SECONDS + $1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		((SECONDS <= until)) || return 1
		sleep 0.1
	done
}
