# shellcheck shell=bash
# wire.sh - what the scripts of this folder share: TAP, waiting, a network namespace, a site with an smtpd.
# Sourced from the top of the tree.
# shellcheck disable=SC2154 # dir, site and token are the script's
BUILD=${BUILD:-build}
OUTPOST=${OUTPOST:-$BUILD/outpost}

wire_skip() { echo "1..0 # SKIP $1"; exit 0; }
wire_needs() { # TOOL...
	local tool
	for tool; do command -v "$tool" >/dev/null || wire_skip "no $tool"; done
}
wire_root() { ((EUID == 0)) || wire_skip "network namespaces want root"; }
wire_sanitized() { grep -qa __asan_init "$BUILD/smtpd"; }
wire_bail() { echo "Bail out! $1"; exit 1; }

# wire_inside NAME SCRIPT ARGUMENT...: the script runs in a network namespace of its own, with a /64 of
# which every address is local: outside, this runs it again inside and does not return.
wire_inside() {
	local name=$1
	shift
	if [[ ${WIRE_INSIDE:-} != "$name" ]]; then
		wire_ns=$name-wire-$$
		ip netns add "$wire_ns" || wire_skip "cannot make a namespace"
		trap 'ip netns del "$wire_ns"' EXIT
		WIRE_INSIDE=$name ip netns exec "$wire_ns" "$@"
		exit
	fi
	ip link set lo up
	ip -6 route add local 2001:db8:53::/64 dev lo
	ip -6 addr add 2001:db8:1::7/128 dev lo nodad
}

# wire_namespace NAME: the script stays outside; what is started with in_ns is in a namespace that has only a loopback.
# $dir and $ns, and who is in $pids, go with the script.
pids=()
wire_namespace() {
	ns=outpost-$1-$$
	dir=$(mktemp -d)
	chmod 755 "$dir"
	trap wire_leave EXIT
	ip netns add "$ns" || wire_skip "cannot make a namespace"
	in_ns ip link set lo up
}
wire_leave() {
	local p
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done
	wait 2>/dev/null
	mountpoint -q "$dir/site/log" && umount "$dir/site/log"
	ip netns del "$ns" 2>/dev/null
	rm -rf "$dir"
}
in_ns() { ip netns exec "$ns" "$@"; }
# wire_unbound DS: in that namespace, at 127.0.0.1, who trusts lab.example by this DS and finds it at 192.0.2.1.  Further lines of
# its server: section come on stdin.
wire_unbound() {
	echo '. 3600 IN NS nobody.invalid.' >"$dir/hints"
	{
		echo server:
		cat
		cat <<-END
			interface: 127.0.0.1
			access-control: 127.0.0.0/8 allow
			directory: "$dir"
			chroot: ""
			username: ""
			pidfile: ""
			use-syslog: no
			do-not-query-localhost: no
			do-daemonize: no
			module-config: "validator iterator"
			trust-anchor: "lab.example. DS $1"
			qname-minimisation: yes
			aggressive-nsec: yes
			harden-below-nxdomain: yes
			root-hints: "$dir/hints"
		stub-zone:
			name: lab.example
			stub-addr: 192.0.2.1
		remote-control:
			control-enable: no
		END
	} >"$dir/unbound.conf"
	ip netns exec "$ns" unbound -d -c "$dir/unbound.conf" 2>"$dir/unbound.err" &
	pids+=($!)
	wait_for 20 wire_unbound_answers
}
wire_unbound_answers() { in_ns dig @127.0.0.1 +time=5 +tries=1 lab.example SOA +short | grep -q hostmaster; }

# --- TAP: the plan comes last, so that who dies has none ---
n=0 failed=0
result() { # CODE WHAT [WHY]
	n=$((n + 1))
	if [[ $1 == 0 ]]; then echo "ok $n - $2"; else
		failed=1
		echo "not ok $n - $2"
		[[ -z ${3:-} ]] || echo "# ${3//$'\n'/ }" | head -c 1500
		echo
	fi
}
is() { [[ $1 == "$2" ]]; result $? "$3" "wanted '$1', got '$2'"; } # WANTED GOT WHAT
has() { [[ $2 == *"$1"* ]]; result $? "$3" "wanted '$1' in '$2'"; } # PART WHOLE WHAT
wire_end() { echo "1..$n"; exit $failed; }

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local i=$(($1 * 10))
	shift
	while ((i-- > 0)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}
connects() { (: <>"/dev/tcp/$1/$2") 2>/dev/null; } # ADDRESS PORT

# --- a site in $site, of which smtpd alone runs; $dir/stderr has what it says ---
smtpd=
wire_site() { # ADDRESSES CATALOGUE: that many of 127.0.53.0/24
	local addresses i
	for ((i = 1; i <= $1; i++)); do addresses+=${addresses:+,}127.0.53.$i; done
	"$BUILD/outpost" init "$site" --base outpost.example --ipv4 "$addresses" --ipv6 2001:db8:53::/64 \
		--user nobody --catalogue "$2" >/dev/null || exit 1
	chmod 755 "$dir"
}
wire_start() { # ADDRESS PORT: returns when there is somebody
	${VALGRIND:-} "$BUILD/smtpd" -q -C "$site" 2>>"$dir/stderr" &
	smtpd=$!
	wait_for 20 connects "$1" "$2" || wire_bail "smtpd does not start: $(cat "$dir/stderr")"
}
wire_stop() {
	[[ -z $smtpd ]] || { kill "$smtpd" 2>/dev/null && wait "$smtpd"; }
	smtpd=
}
wire_token() { # SET: a new participant's
	"$BUILD/outpost" enrol -C "$site" --set "$1" --json | grep -o '"token":"[a-z2-7]*"' | head -1 | cut -d'"' -f4
}
# address NUMBER [SLOT]: the IPv6 address of ($token, test, slot).
address() {
	perl -e '
		my ($t, $n, $slot) = @ARGV;
		my $bits = ""; my %v; @v{"a".."z", 2..7} = 0..31;
		$bits .= sprintf("%05b", $v{$_}) for split //, $t;
		my $id = substr($bits, 0, 48) . sprintf("%010b%06b", $n, $slot);
		printf "2001:db8:53:0:%s\n", join ":", map { sprintf "%x", oct "0b$_" } $id =~ /.{16}/g;
	' "$token" "$1" "${2:-0}"
}
