#!/bin/bash
# acme.sh - the pool of policy certificates: a real ACME server (Pebble) issues them over http-01 for tokens that
# nobody has yet, enrolment takes the next one, smtpd shows it to whoever names its hosts.  Everything in a
# network namespace of its own.  Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
wire_needs ip nft unbound pebble lego curl openssl jq
wire_root
unset OUTPOST_SITE
if [[ -z ${ACME_WIRE_NS:-} ]]; then
	ns=acme-wire-$$
	ip netns add $ns || wire_skip "cannot make a namespace"
	trap 'ip netns del $ns' EXIT
	ACME_WIRE_NS=$ns ip netns exec $ns "$0" "$@"
	exit
fi

dir=$(mktemp -d)
chmod 755 "$dir"
site=$dir/site
pids=()
stop() {
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done
	wait 2>/dev/null
	rm -rf "$dir"
}
trap stop EXIT


ip link set lo up
addresses=()
for i in 1 2 3 4 {10..29}; do
	ip addr add 203.0.113.$i/32 dev lo
	addresses+=(203.0.113.$i)
done
ip -6 route add local 2001:db8:53::/64 dev lo
"$OUTPOST" init "$site" --base outpost.example --ipv4 "$(IFS=,; echo "${addresses[*]}")" --ipv6 2001:db8:53::/64 \
	--catalogue "$PWD/zones/catalogue" >"$dir/out" 2>"$dir/err"
result $? "a site" "$(cat "$dir/err")"
nft -f "$site/nftables.conf"
"$BUILD/authdns" -C "$site" 2>"$dir/authdns.log" &
pids+=($!)
"$BUILD/smtpd" -C "$site" 2>"$dir/smtpd.log" &
smtpd=$!
pids+=($smtpd)

# --- a CA, and the resolver that it asks ---
cat >"$dir/unbound.conf" <<-END
	server:
	  directory: "$dir"
	  chroot: ""
	  username: ""
	  pidfile: ""
	  use-syslog: no
	  do-daemonize: no
	  interface: 127.0.0.1
	  do-not-query-localhost: no
	  module-config: "iterator"
	  local-zone: "example." nodefault
	remote-control:
	  control-enable: no
	stub-zone:
	  name: "outpost.example"
	  stub-addr: 203.0.113.1
END
unbound -c "$dir/unbound.conf" 2>"$dir/unbound.log" &
pids+=($!)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/ca.key" -out "$dir/ca.pem" -days 2 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
cat >"$dir/pebble.json" <<-END
	{ "pebble": { "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
	  "certificate": "$dir/ca.pem", "privateKey": "$dir/ca.key", "httpPort": 80, "tlsPort": 443,
	  "ocspResponderURL": "", "externalAccountBindingRequired": false } }
END
PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 pebble -config "$dir/pebble.json" -dnsserver 127.0.0.1:53 >"$dir/pebble.log" 2>&1 &
pids+=($!)
wait_for 20 curl -sf --cacert "$dir/ca.pem" https://127.0.0.1:14000/dir
result $? "an ACME server" "$(cat "$dir/pebble.log")"
curl -s --cacert "$dir/ca.pem" https://127.0.0.1:15000/roots/0 >"$dir/public-ca.pem"
export ACME_SERVER=https://127.0.0.1:14000/dir ACME_EMAIL=operator@outpost.example ACME_DIR=$dir/acme \
	LEGO_CA_CERTIFICATES=$dir/ca.pem

# --- the pool ---
out=$("$OUTPOST" certs -C "$site" --pool 2 --set sts-policy-cert --issue provisioning/acme-lego --json 2>"$dir/certs.log")
result $? "outpost certs has two certificates issued" "$(tail -n 5 "$dir/certs.log") $(tail -n 5 "$dir/pebble.log")"
[[ $out == '[{"set":"sts-policy-cert","ready":2,"taken":0,"ended":0}]' ]]
result $? "and says so" "$out"
[[ $(ls "$site"/certs/pool/*.pem | wc -l) == 2 && -z $(ls "$site"/certs/pool/*.csr 2>/dev/null) && $(stat -c %a "$site"/keys/pool "$site"/keys/pool/*) == $'700\n600\n600' ]]
result $? "each under a key of its own, which nobody else can read"
out=$("$OUTPOST" certs -C "$site" --pool 2 --set sts-policy-cert --issue /bin/false 2>&1)
result $? "what is there is not issued again" "$out"
"$OUTPOST" certs -C "$site" --pool 3 --set sts-policy-cert --issue /bin/false >"$dir/out" 2>"$dir/err"
[[ $? == 3 && $(cat "$dir/err") == *"/bin/false"*"no certificate was issued"* && $(ls "$site"/keys/pool | wc -l) == 2 ]]
result $? "who issues nothing leaves nothing behind" "$(cat "$dir/err")"
printf '#!/bin/sh\ncp %s "$2"\n' "$site/certs/ca.pem" >"$dir/wrong" && chmod 755 "$dir/wrong"
"$OUTPOST" certs -C "$site" --pool 3 --set sts-policy-cert --issue "$dir/wrong" >"$dir/out" 2>"$dir/err"
[[ $? == 3 && $(cat "$dir/err") == *"another key"* && $(ls "$site"/keys/pool | wc -l) == 2 ]]
result $? "a certificate for another key is not taken" "$(cat "$dir/err")"

# --- who gets them ---
kill -HUP $smtpd
enrol() { "$OUTPOST" enrol -C "$site" --set "$1" --json | jq -r .token; }
other=$(enrol quick)
first=$(enrol sts-policy-cert) second=$(enrol sts-policy-cert) third=$(enrol sts-policy-cert)
[[ -s $site/certs/pool/$first.pem && -s $site/certs/pool/$second.pem && $first != "$second" ]]
result $? "who enrols for the set takes the next slot"
[[ ! -e $site/certs/pool/$other.pem && ! -e $site/certs/pool/$third.pem && -n $third ]]
result $? "another set, or an empty pool: a token as ever"
[[ $("$OUTPOST" certs -C "$site" --json) == '[{"set":"sts-policy-cert","ready":0,"taken":2,"ended":0}]' ]]
result $? "both are taken"
# fits TOKEN TEST CA [OPTION...] - does the policy host show a certificate of this CA for its name?
fits() {
	local host=mta-sts.$1.$2.outpost.example
	curl -s --max-time 10 --cacert "$3" --resolve "$host:443:203.0.113.2" "${@:4}" -o /dev/null "https://$host/.well-known/mta-sts.txt"
}
wait_for 20 fits "$first" sts-enforce "$dir/public-ca.pem"
result $? "its policy host shows the public CA's certificate"
fits "$second" sts-mx-mismatch "$dir/public-ca.pem" && fits "$first" sts-mx-mismatch "$dir/public-ca.pem" --tls-max 1.2
result $? "for every test of the set"
! fits "$first" sts-policy-cert "$dir/public-ca.pem" && ! fits "$first" sts-policy-cert "$site/certs/ca.pem"
result $? "where the test wants a bad one it is still bad"
fits "$third" sts-enforce "$site/certs/ca.pem" && ! fits "$third" sts-enforce "$dir/public-ca.pem"
result $? "who has no slot is shown one of the site's own CA"
printf 'GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.%s.sts-enforce.outpost.example\r\n\r\n' "$first" |
	timeout 10 openssl s_client -quiet -ign_eof -connect 203.0.113.2:443 -CAfile "$dir/public-ca.pem" -verify_return_error \
		-groups ffdhe4096:P-384 -servername "mta-sts.$first.sts-enforce.outpost.example" >"$dir/out" 2>&1
grep -q '^mode: enforce' "$dir/out"
result $? "after a HelloRetryRequest too" "$(cat "$dir/out")"
! grep -hv "[0-9] workers" "$dir/smtpd.log" "$dir/authdns.log" | grep -q .
result $? "nothing unexpected in the logs" "$(cat "$dir/smtpd.log" "$dir/authdns.log")"
wire_end
