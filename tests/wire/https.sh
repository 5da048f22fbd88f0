#!/bin/bash
# The HTTPS server of smtpd on real sockets, in a network namespace of its own with a routed /64: policies and
# their deviations, certificates made on demand, reports, handshakes that fail, hostile input, the mint.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}

if [[ $(id -u) != 0 ]]; then
	echo "1..0 # SKIP wants root, for a network namespace"
	exit 0
fi
for tool in ip openssl curl perl; do
	command -v $tool >/dev/null || {
		echo "1..0 # SKIP $tool is not installed"
		exit 0
	}
done
if [[ -z ${HTTPS_WIRE_NS:-} ]]; then
	ns=https-wire-$$
	ip netns add $ns || exit 1
	trap 'ip netns del $ns' EXIT
	HTTPS_WIRE_NS=$ns ip netns exec $ns "$0" "$@"
	exit
fi

ip link set lo up
ip -6 route add local 2001:db8:53::/64 dev lo
ip -6 addr add 2001:db8:1::7/128 dev lo nodad
dir=$(mktemp -d /tmp/https-wire-XXXXXX)
site=$dir/site
smtpd=
stop() {
	[[ -n $smtpd ]] && kill "$smtpd" 2>/dev/null && wait "$smtpd"
	smtpd=
}
trap 'stop; rm -rf "$dir"' EXIT

n=0 failed=0
report() { # CODE NAME
	n=$((n + 1))
	if [[ $1 == 0 ]]; then echo "ok $n - $2"; else
		echo "not ok $n - $2"
		failed=1
	fi
}

addresses=$(printf '127.0.53.%d,' {1..24})
"$BUILD/outpost" init "$site" --base outpost.example --ipv4 "${addresses%,}" --ipv6 2001:db8:53::/64 \
	--user nobody --catalogue "$PWD/tests/replay/smtp/catalogue" >/dev/null || exit 1
chmod 755 "$dir"
printf 'pace 60\nworkers 2\nhttps-timeout 3s\n' >"$dir/more"
sed -i -e 's/^#* *pace .*//; s/^#* *workers .*//; s/^#* *https-timeout .*//' "$site/outpost.conf"
cat "$dir/more" >>"$site/outpost.conf"
start() {
	"$BUILD/smtpd" -q -C "$site" 2>>"$dir/stderr" &
	smtpd=$!
	for ((i = 0; i < 100; i++)); do
		(: <>/dev/tcp/127.0.53.2/443) 2>/dev/null && return
		sleep 0.1
	done
	echo "Bail out! smtpd does not start: $(cat "$dir/stderr")"
	exit 1
}
start
token=$("$BUILD/outpost" enrol -C "$site" --set dual --json | grep -o '"token":"[a-z2-7]*"' | head -1 | cut -d'"' -f4)

# address NUMBER -> the IPv6 address of the policy host of (token, test)
address() {
	perl -e '
		my ($t, $n) = @ARGV;
		my $bits = ""; my %v; @v{"a".."z", 2..7} = 0..31;
		$bits .= sprintf("%05b", $v{$_}) for split //, $t;
		my $id = substr($bits, 0, 48) . sprintf("%010b%06b", $n, 31);
		printf "2001:db8:53:0:%s\n", join ":", map { sprintf "%x", oct "0b$_" } $id =~ /.{16}/g;
	' "$token" "$1"
}
name() { echo "mta-sts.$token.$1.outpost.example"; } # TEST
# get TEST ADDRESS OPTIONS...
get() {
	local host
	host=$(name "$1")
	curl -sS --max-time 10 --cacert "$site/certs/ca.pem" --resolve "$host:443:[$2]" "${@:3}" \
		"https://$host/.well-known/mta-sts.txt" 2>&1
}
seen() { # KIND PATTERN... - such an event comes within some seconds
	local i out p
	for ((i = 0; i < 30; i++)); do
		out=$(grep -ah "\"ev\":\"$1\"" "$site"/log/*.jsonl)
		for p in "${@:2}"; do out=$(grep -e "$p" <<<"$out"); done
		[[ $out ]] && return 0
		sleep 0.1
	done
	echo "# not seen: $*"
	return 1
}
tls() { # ADDRESS OPTIONS... <request
	timeout 10 openssl s_client -quiet -connect "[$1]:443" "${@:2}" 2>&1
}

v6=$(address 901)
out=$(get policy-phases "$v6")
[[ $out == *"version: STSv1"*"mode: enforce"*"mx: $token.mx0.policy-phases.outpost.example"* ]]
report $? "a policy, its host's certificate made on demand under the site's CA"
seen http.request '"reply":200' "\"token\":\"$token\"" '"by":"address"' '"agent":"curl'
report $? "http.request: bound by the address"
seen tls.hello '"alpn":"h2,http/1.1"' "\"token\":\"$token\""
report $? "tls.hello of the same connection"
out=$(get policy-phases 127.0.53.2)
[[ $out == *"mode: enforce"* ]]
report $? "the same over IPv4"
seen http.request '"by":"sni"' '"reply":200'
report $? "there the server name binds it"
sleep 5
out=$(get policy-phases "$v6" -o /dev/null -w '%{http_code}')
[[ $out == 404 ]]
report $? "five minutes (divided by pace) after the first fetch it has another phase: 404"
seen http.request '"phase":2' '"dev":"status 404"'
report $? "http.request says so"
get policy-moved "$(address 902)" | grep -qi certificate
report $? "a policy host whose certificate nobody trusts"
seen tls.alert '"alert":"unknown_ca"' '"test":"policy-moved"'
report $? "the client's alert is seen"
seen tls.fail '"dev":"cert untrusted"' '"test":"policy-moved"'
report $? "and the handshake that failed"
out=$(get policy-moved "$(address 902)" -k -o /dev/null -w '%{http_code} %{redirect_url}')
[[ $out == "301 https://$(name policy-moved)/moved.txt" ]]
report $? "a redirect"
out=$(get policy-moved "$(address 902)" -k -L)
[[ $out == *"mode: testing"* ]]
report $? "and where it leads"
out=$(get policy-slow "$(address 903)" -m 2)
[[ $out == *"timed out"* ]] && seen http.request '"reply":0' '"dev":"slow 20s'
report $? "who does not wait for a slow policy is on record"
host=tlsrpt.$token.dual.outpost.example
head -c 50000 /dev/urandom >"$dir/body"
out=$(curl -sS --cacert "$site/certs/ca.pem" --resolve "$host:443:[$(address 1)]" -o /dev/null -w '%{http_code}' \
	-H 'Content-Type: application/tlsrpt+gzip' --data-binary @"$dir/body" "https://$host/report" 2>&1)
[[ $out == 201 ]]
report $? "a report is taken"
seen tlsrpt.report '"via":"https"' '"bytes":50000' '"type":"application/tlsrpt+gzip"' '"cut":true'
report $? "tlsrpt.report: the first 44,000 octets of it"
out=$(printf 'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n' |
	tls "$v6" -ign_eof | grep -c '^HTTP/1.1')
[[ $out == 1 ]] && seen http.request '"reason":"Transfer-Encoding and Content-Length"' '"reply":400'
report $? "a smuggled second request is not answered"
# post OPTIONS... - POSTs a report; the status
post() {
	curl -sS --max-time 20 --cacert "$site/certs/ca.pem" --resolve "$host:443:[$(address 1)]" -o /dev/null -w '%{http_code}' \
		-H 'Content-Type: application/tlsrpt+json' "$@" "https://$host/chunks" 2>&1
}
head -c 60000 "$dir/body" >"$dir/chunks" && cat "$dir/body" >>"$dir/chunks"
out=$(post -H 'Transfer-Encoding: chunked' --data-binary @"$dir/chunks")
[[ $out == 201 ]] && seen tlsrpt.report '"what":"/chunks"' '"bytes":100000'
report $? "a report in chunks, its length not said"
out=$(post -X POST -H 'Transfer-Encoding: chunked' -T - < <(head -c 3000000 /dev/zero))
[[ $out == 413 ]] && seen http.request '"reply":413' '"reason":"body too large"'
report $? "chunks without end are refused"
out=$(post -X POST -H 'Transfer-Encoding: chunked' -T - < <(head -c 5000 "$dir/body"; sleep 6))
[[ $out == 408 ]] && seen http.request '"reply":408' '"what":"POST /chunks"'
report $? "a body that stops coming is not waited for"
out=$(printf 'POST /chunks HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n' "$host" |
	tls "$(address 1)" -ign_eof)
[[ $out == *"HTTP/1.1 400"* ]] && seen http.request '"reason":"chunk size"'
report $? "a chunk size that two programs could read in two ways"
out=$(printf 'GET / HTTP/1.1\nHost: a\n\n' | tls "$v6" -ign_eof)
[[ $out == *"HTTP/1.1 400"* ]]
report $? "bare LF is refused"
out=$(head -c 100000 /dev/zero | tr '\0' a | tls "$v6" -ign_eof)
[[ $out == *"HTTP/1.1 414"* ]]
report $? "a line without end is refused"
out=$( (printf 'GET / HTTP/1.1\r\n'; sleep 6) | tls "$v6" -ign_eof)
[[ $out == *"HTTP/1.1 408"* ]] && seen http.close '"how":"timeout"'
report $? "a slow client is told so after https-timeout"
(exec 3<>/dev/tcp/127.0.53.2/443 && printf 'GET / HTTP/1.1\r\n\r\n' >&3 && timeout 3 cat <&3 >/dev/null)
seen tls.fail '"reason":"http request"'
report $? "plain HTTP on the port is a failed handshake"
out=$(printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' | tls "$v6" -ign_eof -noservername -tls1_2 | grep -c 'HTTP/1.1 404')
[[ $out == 1 ]]
report $? "no server name, another host: 404"
# The process that makes certificates is killed: a new one comes, and nobody else notices.
mint=
for pid in $(pgrep -P "$smtpd"); do
	[[ $(ls -l "/proc/$pid/fd" | grep -c 'anon_inode:\[signalfd\]') == 1 && -z $(ls -l "/proc/$pid/fd" | grep jsonl) ]] && mint=$pid
done
[[ $mint ]] && kill -9 "$mint" && sleep 0.5
out=$(get policy-moved "$(address 902)" -k -o /dev/null -w '%{http_code}')
[[ $mint && $out == 301 ]]
report $? "the mint is killed, and comes back"
(for i in {1..40}; do get policy-phases "$v6" -o /dev/null -w '%{http_code}\n' & done; wait) | sort | uniq -c | grep -q '40 404'
report $? "forty at once"
stop
printf 'events-per-token-hour 60\n' >>"$site/outpost.conf"
start
for ((i = 0; i < 40; i++)); do
	get policy-phases "$v6" -o /dev/null -w '%{http_code}' | grep -q 404 || break
done
((i < 40)) && seen limit.events "\"token\":\"$token\"" '"count":60'
report $? "who asks too much of one participant's policy host is refused"
stop
! grep -v "killed by signal 9" "$dir/stderr" | grep -q .
report $? "nothing unexpected in the log"
[[ $failed == 0 ]] || sed 's/^/# /' "$dir/stderr"
echo "1..$n"
exit $failed
