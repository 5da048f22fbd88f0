#!/bin/bash
# The HTTPS server of smtpd on real sockets, in a network namespace of its own with a routed /64: policies and
# their deviations, certificates made on demand, reports, handshakes that fail, hostile input, the mint.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
wire_root
wire_needs ip openssl curl perl
wire_inside https "$0" "$@"

dir=$(mktemp -d /tmp/https-wire-XXXXXX)
site=$dir/site
trap 'wire_stop; rm -rf "$dir"' EXIT


wire_site 24 "$PWD/tests/replay/smtp/catalogue"
printf 'pace 60\nworkers 2\nhttps-timeout 3s\nhttps-body 200K\n' >"$dir/more"
sed -i -e 's/^#* *pace .*//; s/^#* *workers .*//; s/^#* *https-timeout .*//; s/^#* *https-body .*//' "$site/outpost.conf"
cat "$dir/more" >>"$site/outpost.conf"
start() { wire_start 127.0.53.2 443; }
start
token=$(wire_token dual)

# policy NUMBER -> the address of the policy host of the test
policy() { address "$1" 31; }
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

v6=$(policy 901)
out=$(get policy-phases "$v6")
[[ $out == *"version: STSv1"*"mode: enforce"*"mx: $token.mx0.policy-phases.outpost.example"* ]]
result $? "a policy, its host's certificate made on demand under the site's CA"
seen http.request '"reply":200' "\"token\":\"$token\"" '"by":"address"' '"agent":"curl'
result $? "http.request: bound by the address"
seen tls.hello '"alpn":"h2,http/1.1"' "\"token\":\"$token\""
result $? "tls.hello of the same connection"
out=$(get policy-phases 127.0.53.2)
[[ $out == *"mode: enforce"* ]]
result $? "the same over IPv4"
seen http.request '"by":"sni"' '"reply":200'
result $? "there the server name binds it"
sleep 5
out=$(get policy-phases "$v6" -o /dev/null -w '%{http_code}')
[[ $out == 404 ]]
result $? "five minutes (divided by pace) after the first fetch it has another phase: 404"
seen http.request '"phase":2' '"dev":"status 404"'
result $? "http.request says so"
get policy-moved "$(policy 902)" | grep -qi certificate
result $? "a policy host whose certificate nobody trusts"
seen tls.alert '"alert":"unknown_ca"' '"test":"policy-moved"'
result $? "the client's alert is seen"
seen tls.fail '"dev":"cert untrusted"' '"test":"policy-moved"'
result $? "and the handshake that failed"
out=$(get policy-moved "$(policy 902)" -k -o /dev/null -w '%{http_code} %{redirect_url}')
[[ $out == "301 https://$(name policy-moved)/moved.txt" ]]
result $? "a redirect"
out=$(get policy-moved "$(policy 902)" -k -L)
[[ $out == *"mode: testing"* ]]
result $? "and where it leads"
out=$(get policy-slow "$(policy 903)" -m 2)
[[ $out == *"timed out"* ]] && seen http.request '"reply":0' '"dev":"slow 20s'
result $? "who does not wait for a slow policy is on record"
host=tlsrpt.$token.dual.outpost.example
head -c 50000 /dev/urandom >"$dir/body"
out=$(curl -sS --cacert "$site/certs/ca.pem" --resolve "$host:443:[$(policy 1)]" -o /dev/null -w '%{http_code}' \
	-H 'Content-Type: application/tlsrpt+gzip' --data-binary @"$dir/body" "https://$host/report" 2>&1)
[[ $out == 201 ]]
result $? "a report is taken"
seen tlsrpt.report '"via":"https"' '"bytes":50000' '"type":"application/tlsrpt+gzip"' '"cut":true'
result $? "tlsrpt.report: the first 44,000 octets of it"
out=$(printf 'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n' |
	tls "$v6" -ign_eof | grep -c '^HTTP/1.1')
[[ $out == 1 ]] && seen http.request '"reason":"Transfer-Encoding and Content-Length"' '"reply":400'
result $? "a smuggled second request is not answered"
# post OPTIONS... - POSTs a report; the status
post() {
	curl -sS --max-time 20 --cacert "$site/certs/ca.pem" --resolve "$host:443:[$(policy 1)]" -o /dev/null -w '%{http_code}' \
		-H 'Content-Type: application/tlsrpt+json' "$@" "https://$host/chunks" 2>&1
}
head -c 60000 "$dir/body" >"$dir/chunks" && cat "$dir/body" >>"$dir/chunks"
out=$(post -H 'Transfer-Encoding: chunked' --data-binary @"$dir/chunks")
[[ $out == 201 ]] && seen tlsrpt.report '"what":"/chunks"' '"bytes":100000'
result $? "a report in chunks, its length not said"
head -c 204801 /dev/zero >"$dir/large"
[[ $(post --data-binary @<(head -c 204800 "$dir/large")) == 201 && $(post --data-binary @"$dir/large") == 413 ]]
result $? "a report of https-body is taken, and none of one octet more"
[[ $(post -H 'Transfer-Encoding: chunked' --data-binary @<(head -c 204800 "$dir/large")) == 201 && $(post -H 'Transfer-Encoding: chunked' --data-binary @"$dir/large") == 413 ]]
result $? "in chunks alike"
out=$(post -X POST -H 'Transfer-Encoding: chunked' -T - < <(head -c 3000000 /dev/zero))
[[ $out == 413 ]] && seen http.request '"reply":413' '"reason":"body too large"'
result $? "chunks without end are refused"
out=$(post -X POST -H 'Transfer-Encoding: chunked' -T - < <(head -c 5000 "$dir/body"; sleep 6))
[[ $out == 408 ]] && seen http.request '"reply":408' '"what":"POST /chunks"'
result $? "a body that stops coming is not waited for"
out=$(printf 'POST /chunks HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n' "$host" |
	tls "$(policy 1)" -ign_eof)
[[ $out == *"HTTP/1.1 400"* ]] && seen http.request '"reason":"chunk size"'
result $? "a chunk size that two programs could read in two ways"
out=$(printf 'GET / HTTP/1.1\nHost: a\n\n' | tls "$v6" -ign_eof)
[[ $out == *"HTTP/1.1 400"* ]]
result $? "bare LF is refused"
out=$(head -c 100000 /dev/zero | tr '\0' a | tls "$v6" -ign_eof)
[[ $out == *"HTTP/1.1 414"* ]]
result $? "a line without end is refused"
out=$( (printf 'GET / HTTP/1.1\r\n'; sleep 6) | tls "$v6" -ign_eof)
[[ $out == *"HTTP/1.1 408"* ]] && seen http.close '"how":"timeout"'
result $? "a slow client is told so after https-timeout"
(exec 3<>/dev/tcp/127.0.53.2/443 && printf 'GET / HTTP/1.1\r\n\r\n' >&3 && timeout 3 cat <&3 >/dev/null)
seen tls.fail '"reason":"http request"'
result $? "plain HTTP on the port is a failed handshake"
out=$(printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' | tls "$v6" -ign_eof -noservername -tls1_2 | grep -c 'HTTP/1.1 404')
[[ $out == 1 ]]
result $? "no server name, another host: 404"
# The process that makes certificates is killed: a new one comes, and nobody else notices.
mint=
for pid in $(pgrep -P "$smtpd"); do
	[[ $(ls -l "/proc/$pid/fd" | grep -c 'anon_inode:\[signalfd\]') == 1 && -z $(ls -l "/proc/$pid/fd" | grep jsonl) ]] && mint=$pid
done
[[ $mint ]] && kill -9 "$mint" && sleep 0.5
out=$(get policy-moved "$(policy 902)" -k -o /dev/null -w '%{http_code}')
[[ $mint && $out == 301 ]]
result $? "the mint is killed, and comes back"
(for i in {1..40}; do get policy-phases "$v6" -o /dev/null -w '%{http_code}\n' & done; wait) | sort | uniq -c | grep -q '40 404'
result $? "forty at once"
wire_stop
printf 'events-per-token-hour 60\n' >>"$site/outpost.conf"
start
for ((i = 0; i < 40; i++)); do
	get policy-phases "$v6" -o /dev/null -w '%{http_code}' | grep -q 404 || break
done
((i < 40)) && seen limit.events "\"token\":\"$token\"" '"count":60'
result $? "who asks too much of one participant's policy host is refused"
wire_stop
! grep -v "killed by signal 9" "$dir/stderr" | grep -q .
result $? "nothing unexpected in the log"
[[ $failed == 0 ]] || sed 's/^/# /' "$dir/stderr"
wire_end
