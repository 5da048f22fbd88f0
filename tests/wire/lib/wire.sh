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
