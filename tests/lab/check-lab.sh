#!/bin/bash
# check-lab.sh - the lab itself: no way out, what a bare connection meets and leaves in the log, two
# labs side by side, and nothing left after down, also after a crash.
# shellcheck disable=SC2317,SC2016 # functions are called by expect; the inner shell expands
set -uo pipefail
LAB_HOME=$(dirname "$(realpath "$0")")
# shellcheck source=lib/tap.sh
. "$LAB_HOME/lib/tap.sh"
# shellcheck source=lib/report.sh
. "$LAB_HOME/lib/report.sh"
# shellcheck source=lib/packages.sh
. "$LAB_HOME/lib/packages.sh"
A=checklaba$$ B=checklabb$$

namespaces_of() { ip netns list | awk -v p="$1-" 'index($1, p) == 1 { print $1 }'; }
no_way_out() { # NAMESPACE
	! ip -n "$1" route get 192.0.2.1 && ! ip -n "$1" -6 route get 2001:4860::1 &&
		[[ -z $(ip -n "$1" route show default)$(ip -n "$1" -6 route show default) ]]
}
# connect NAMESPACE ADDRESS: greeted, refused or silent.
connect() {
	local out rc=0
	out=$(ip netns exec "$1" timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/25" && read -r line <&3 && echo "$line"' "$2" 2>&1) || rc=$?
	case $rc:$out in
	0:220*) echo greeted ;;
	124:*) echo silent ;;
	*refused*) echo refused ;;
	*) echo "other $rc $out" ;;
	esac
}
is() { [[ $1 == "$2" ]] || { printf '%s instead of %s\n' "$1" "$2"; return 1; }; }
# slot ADDRESS N: the address of another slot of the same token and test (its last 6 bits).
slot() { printf '%s:%x\n' "${1%:*}" $(((0x${1##*:} & ~63) | $2)); }
syn_seen() { # TOKEN ADDRESS STATE
	local i
	for ((i = 0; i < 30; i++)); do
		grep -qsE "\"ev\":\"net.syn\".*\"token\":\"$1\".*\"local\":\"$2\".*\"state\":\"$3\"" "$SITE"/log/*.jsonl && return 0
		sleep 0.1
	done
	return 1
}
nothing_left() { # LAB
	local left
	left="$(namespaces_of "$1")$(ls -d /etc/netns/"$1"-* "$LAB_ROOT/$1" 2>/dev/null)"
	[[ -z $left ]] || { printf '%s\n' "$left"; return 1; }
	# Every process that we have seen in the lab's namespaces has ended.
	local pid start
	while read -r pid start; do
		[[ -z $pid ]] || [[ $(start_time "$pid" || echo gone) != "$start" ]] || { ps -p "$pid" -o pid=,args=; return 1; }
	done <<<"${PROCESSES:-}"
}
# A zombie has ended, whoever should have asked for its exit code.
start_time() { local s; { s=$(<"/proc/$1/stat"); } 2>/dev/null && s=${s##*) } && awk '$1 != "Z" { print $20 }' <<<"$s" | grep .; }
remember_processes() { # LAB
	local ns pid
	PROCESSES=$(for ns in $(namespaces_of "$1"); do
		for pid in $(ip netns pids "$ns"); do echo "$pid $(start_time "$pid")"; done
	done)
}

tap_begin
PACKAGES=$LAB_ROOT/packages
packages_environment
tap_lab checklaba
SITE=$LAB_ROOT/$A/site
export OUTPOST_SITE=$SITE
token=$(lab send --name "$A" --sender postfix-plain --resolver unbound-permissive --set ipv6-broken) ||
	{ echo "Bail out! lab send failed"; exit 1; }
expect "a token alone on standard output" is "${#token}" 16

for ns in $(namespaces_of "$A"); do expect "$ns: no way out" no_way_out "$ns"; done
refuse "the host has no route into the lab" ip route get 203.0.113.2 from 127.0.0.1

sender=$A-postfix-plain
refusing=$(lab shell --name "$A" postfix-plain -- "$LAB_ROOT/packages/ldnsutils/usr/bin/drill" -Q "$token.mx0.ipv6-broken.outpost.example" AAAA | head -1)
silent=$(slot "$refusing" 56)
serving=$(slot "$refusing" 0)
expect "slot 0 greets" is "$(connect "$sender" "$serving")" greeted
expect "slot 32 answers RST" is "$(connect "$sender" "$refusing")" refused
expect "slot 56 keeps silent" is "$(connect "$sender" "$silent")" silent
expect "the tap has seen the refused connection, with token and test" syn_seen "$token" "$refusing" refuses
expect "the tap has seen the one into silence" syn_seen "$token" "$silent" silent
expect "the tap has seen the one that was served" syn_seen "$token" "$serving" serves
expect "a second up is refused" bash -c '! "$0" up --name "$1" 2>/dev/null' "$LAB_HOME/lab" "$A"

# A test that is not as specified: here nobody gets an answer over TCP.
expect "check: every test is as specified" lab check --name "$A"
ip netns exec "$A-site" env LD_LIBRARY_PATH="$PACKAGE_LIBS" "$PACKAGES/nftables/usr/sbin/nft" insert rule inet outpost input tcp dport 53 reject with tcp reset
refuse "check: one is not" lab check --name "$A"
token=$(lab send --name "$A" --sender postfix-plain --resolver unbound-permissive --set dns-tcp)
sleep 2
expect "a test that is not as specified gets no verdict" is "$(verdicts "$token" | awk '$1 == "dns-tcp" { print $2 }')" inconclusive
expect "the others do" is "$(verdicts "$token" | awk '$1 == "dual" { print $2 }')" conforms

tap_lab checklabb
expect "two labs side by side: the first still answers" is "$(connect "$sender" "$serving")" greeted
expect "the second answers" lab status --name "$B"
remember_processes "$B"
expect "down" lab down --name "$B"
expect "down leaves nothing" nothing_left "$B"
expect "the first is still there" is "$(connect "$sender" "$serving")" greeted

remember_processes "$A"
read -r pid _ <"$LAB_ROOT/$A/pids/outpost"
kill -KILL "$pid"
expect "down after kill -9 of the supervisor" lab down --name "$A"
expect "it leaves no namespace, process or file" nothing_left "$A"
expect "down of what is down" lab down --name "$A"
refuse "send without a lab" lab send --name "$A" --sender postfix-plain --resolver unbound-permissive --set quick
tap_end
