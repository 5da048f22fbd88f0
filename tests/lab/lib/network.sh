# shellcheck shell=bash
# network.sh - the lab's namespaces.
#
#   LAB-net     router: one link to each of the others, forwards between them, has no other route
#   LAB-site    203.0.113.2...60, 2001:db8:f::2; 2001:db8:53::/64 is routed to it and local there
#   LAB-root    198.51.100.2 and 2001:db8:a::2: the root and "example", on NSD
#   LAB-check   198.51.100.10..., 2001:db8:1::1:2...: where outpost check looks from (sender 1)
#   LAB-SENDER  the same with 2, 3, ... up to 31: 5 IPv4 addresses and 5 IPv6 addresses each
#
# No namespace has a default route: what is not the lab's is unreachable in all of them.

SITE_V4_FIRST=2
SITE_V4_LAST=60
SENDERS_MAX=31
SENDER_ADDRESSES=5
PREFIX=2001:db8:53::/64

in_ns() { ip netns exec "$@"; }
ns_name() { printf '%s-%s\n' "$LAB" "$1"; }

# Overlays first, then the name in the list, then the namespace: whatever kill -9 leaves behind,
# down finds it.
ns_add() { # SHORT-NAME
	local ns
	ns=$(ns_name "$1")
	printf '%s\n' "$ns" >>"$LAB_DIR/namespaces"
	mkdir -p "/etc/netns/$ns"
	printf '127.0.0.1 localhost\n::1 localhost\n' >"/etc/netns/$ns/hosts"
	printf 'nameserver 127.0.0.1\noptions edns0 trust-ad\n' >"/etc/netns/$ns/resolv.conf"
	printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"/etc/netns/$ns/nsswitch.conf"
	ip netns add "$ns" || cannot "namespace $ns: cannot be made: run as root; outpost lab down${NAME_OPTION:+ $NAME_OPTION} clears leftovers"
	# Duplicate address detection would keep IPv6 addresses unusable for a second.
	in_ns "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 \
		net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.default.accept_ra=0 net.ipv6.conf.all.accept_ra=0
	ip -n "$ns" link set lo up
}
# link_add SHORT-NAME ROUTER-V4/LEN ROUTER-V6/LEN: a link between the router and SHORT-NAME's eth0.
link_add() {
	local ns net=$LAB-net
	ns=$(ns_name "$1")
	ip link add name "$4" netns "$net" type veth peer name eth0 netns "$ns"
	ip -n "$net" addr add "$2" dev "$4"
	ip -n "$net" addr add "$3" dev "$4" nodad
	ip -n "$net" link set "$4" up
	ip -n "$ns" link set eth0 up
}
routes_add() { # SHORT-NAME VIA4 VIA6
	local ns
	ns=$(ns_name "$1")
	ip -n "$ns" route add 203.0.113.0/24 via "$2" 2>/dev/null || true
	ip -n "$ns" route add 198.51.100.0/24 via "$2"
	ip -n "$ns" -6 route add 2001:db8::/32 via "$3"
}

network_up() {
	local i batch
	ns_add net
	in_ns "$LAB-net" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	ns_add site
	link_add site 203.0.113.1/24 2001:db8:f::1/64 site
	batch=$(for ((i = SITE_V4_FIRST; i <= SITE_V4_LAST; i++)); do echo "addr add 203.0.113.$i/24 dev eth0"; done)
	ip -n "$LAB-site" -batch - <<<"$batch"
	ip -n "$LAB-site" addr add 2001:db8:f::2/64 dev eth0 nodad
	routes_add site 203.0.113.1 2001:db8:f::1
	ip -n "$LAB-net" -6 route add "$PREFIX" via 2001:db8:f::2
	ip -n "$LAB-site" -6 route add local "$PREFIX" dev lo
	ns_add root
	link_add root 198.51.100.1/29 2001:db8:a::1/64 root
	ip -n "$LAB-root" addr add 198.51.100.2/29 dev eth0
	ip -n "$LAB-root" addr add 2001:db8:a::2/64 dev eth0 nodad
	routes_add root 198.51.100.1 2001:db8:a::1
}

# sender_address4 I K, sender_address6 I K: address K (from 0) of sender I; K -1 is the router's.
sender_address4() { printf '198.51.100.%d\n' $((8 * $1 + 2 + $2)); }
sender_address6() { printf '2001:db8:1::%x:%x\n' "$1" $((2 + $2)); }

# sender_network SHORT-NAME I
sender_network() {
	local k ns
	ns=$(ns_name "$1")
	ns_add "$1"
	link_add "$1" "$(sender_address4 "$2" -1)/29" "$(sender_address6 "$2" -1)/112" "s$2"
	for ((k = 0; k < SENDER_ADDRESSES; k++)); do
		ip -n "$ns" addr add "$(sender_address4 "$2" "$k")/29" dev eth0
		# Only the first is chosen by itself; the others are used when a sender binds to them.
		ip -n "$ns" addr add "$(sender_address6 "$2" "$k")/112" dev eth0 nodad \
			preferred_lft "$([[ $k == 0 ]] && echo forever || echo 0)"
	done
	routes_add "$1" "$(sender_address4 "$2" -1)" "$(sender_address6 "$2" -1)"
	# Lab time: a SYN that nobody answers is given up after 31 s, not 127 s.
	in_ns "$ns" sysctl -qw net.ipv4.tcp_syn_retries=4
}

# Everything that runs in the lab's namespaces is ours: nobody else is ever put there.
namespaces_kill() {
	local signal ns i pids
	for signal in TERM KILL; do
		for ((i = 0; i < 30; i++)); do
			pids=
			for ns; do pids+=" $(ip netns pids "$ns" 2>/dev/null | paste -sd' ' || true)"; done
			[[ -n ${pids// /} ]] || return 0
			# shellcheck disable=SC2086
			((i % 10)) || kill -"$signal" $pids 2>/dev/null || true
			sleep 0.1
		done
	done
}
namespaces_delete() {
	local ns
	namespaces_kill "$@"
	for ns; do
		ip netns del "$ns" 2>/dev/null || true
		rm -rf "/etc/netns/${ns:?}"
	done
	rmdir /etc/netns 2>/dev/null || true
}
