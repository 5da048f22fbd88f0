# shellcheck shell=bash
# tap.sh - for the checks: TAP, and a lab that goes away however the check ends.

TAP_N=0
TAP_LABS=()

ok() { TAP_N=$((TAP_N + 1)); printf 'ok %d - %s\n' "$TAP_N" "$1"; }
not_ok() { # NAME [WHY]
	TAP_N=$((TAP_N + 1))
	TAP_FAILED=1
	printf 'not ok %d - %s\n' "$TAP_N" "$1"
	[[ -z ${2:-} ]] || printf '# %s\n' "$2"
}
# expect NAME COMMAND...: ok when the command succeeds.
expect() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$* : ${out//$'\n'/ | }"; fi
}
refuse() { # the other way round
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then not_ok "$name" "$* : ${out//$'\n'/ | }"; else ok "$name"; fi
}
tap_skip() { printf '1..0 # SKIP %s\n' "$1"; exit 0; }
tap_end() { printf '1..%d\n' "$TAP_N"; exit "${TAP_FAILED:-0}"; }

lab() { "$LAB_HOME/lab" "$@"; }
# tap_lab STEM [OPTION...]: a fresh lab called STEM and this process's number, so that two who run the same
# check do not meet; down again at the end.  What a run that was killed left behind goes away as well.
tap_lab() {
	local name=$1$$
	tap_leftovers "$1"
	shift
	TAP_LABS+=("$name")
	lab down --name "$name" 2>/dev/null
	lab up --name "$name" "$@" >/dev/null || { printf 'Bail out! lab %s does not come up\n' "$name"; exit 1; }
}
tap_leftovers() { # STEM
	local dir pid
	for dir in "$LAB_ROOT/$1"[0-9]*; do
		pid=${dir#"$LAB_ROOT/$1"}
		[[ ! -d $dir || ! $pid =~ ^[0-9]+$ || -e /proc/$pid ]] || lab down --name "$1$pid" 2>/dev/null
	done
}
tap_down() {
	local name
	for name in "${TAP_LABS[@]}"; do lab down --name "$name" 2>/dev/null; done
}
tap_begin() {
	((EUID == 0)) || tap_skip "network namespaces need root"
	command -v ip >/dev/null || tap_skip "iproute2 is not installed"
	export PATH=$PATH:/usr/sbin:/sbin
	LAB_ROOT=${OUTPOST_LAB_DIR:-/var/lib/outpost-lab}
	OUTPOST=${OUTPOST:-$(realpath "$LAB_HOME/../../build/outpost")}
	[[ -x $OUTPOST ]] || { printf 'Bail out! %s: build it with make\n' "$OUTPOST"; exit 1; }
	export OUTPOST
	trap tap_down EXIT
	trap 'exit 1' INT TERM HUP
}
