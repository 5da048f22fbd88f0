#!/bin/bash
# web-tls.sh - the web site at the edges of TLS and of HTTP over it, with real clients (openssl s_client, Python's ssl) and with
# ones that are made to be wrong: renegotiation, early data, ALPN, SNI, broken-up and unfinished handshakes, endings.  Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
wire_needs curl openssl python3
dir=$(mktemp -d)
chmod 755 "$dir"
site=$dir/site
web=''
stop() {
	[[ $web ]] && kill "$web" 2>/dev/null && wait "$web"
	rm -rf "$dir"
}
trap stop EXIT
unset OUTPOST_SITE http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

"$OUTPOST" init "$site" --base outpost.example --ipv4 127.0.54.1,127.0.54.2,127.0.54.3,127.0.54.4 >/dev/null 2>"$dir/err" || {
	echo "Bail out! init: $(cat "$dir/err")"
	exit 1
}
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.54.1", 0)); print(s.getsockname()[1])')
sed -i '/^web-/d' "$site/outpost.conf"
cp "$site/outpost.conf" "$dir/conf"
listening() { (: <>"/dev/tcp/127.0.54.1/$port") 2>/dev/null; }
# start LINE...: the site with these lines of configuration
start() {
	[[ -z $web ]] || { kill "$web" && wait "$web"; }
	{
		cat "$dir/conf"
		printf '%s\n' "web-address 127.0.54.1" "web-port $port" "$@"
	} >"$site/outpost.conf"
	"$BUILD/web" -C "$site" 2>>"$dir/log" &
	web=$!
	wait_for 20 listening || {
		echo "Bail out! web does not start: $(cat "$dir/log")"
		exit 1
	}
}
get() { curl -sS --max-time 30 --cacert "$site/certs/ca.pem" --resolve "outpost.example:$port:127.0.54.1" "$@" 2>&1; }
client() { timeout 60 openssl s_client -connect "127.0.54.1:$port" -servername outpost.example -CAfile "$site/certs/ca.pem" "$@" 2>&1; }
runs() { wc -l <"$site/state/runs.jsonl" 2>/dev/null || echo 0; }
# python ARGUMENT...: tests/wire/web_tls.py, whose lines are results
python() {
	python3 tests/wire/web_tls.py 127.0.54.1 "$port" "$site/certs/ca.pem" "$@" >"$dir/raw" 2>&1
	local rc=$?
	while IFS= read -r line; do
		[[ $line == 'ok '* ]]
		result $? "${line#*ok }" "$line"
	done <"$dir/raw"
	result $rc "$1: all of it was run" "$(tail -n 5 "$dir/raw")"
}

start 'web-requests 500' 'web-per-client 100' 'web-enrol-client 100'
python edges

# --- renegotiation ---------------------------------------------------------------------------------------
# A line that is R makes s_client ask for it.
{
	wait_for 20 grep -q 'Verify return code' "$dir/again"
	printf 'R\n'
	wait_for 20 grep -q 'no renegotiation' "$dir/again"
} | client -tls1_2 >"$dir/again"
out=$(cat "$dir/again")
[[ $out == *'Verify return code: 0'*RENEGOTIATING*'no renegotiation'* ]]
result $? "who asks for another handshake under TLS 1.2 is told that there is none" "$out"

# --- early data -------------------------------------------------------------------------------------------
# Tickets come behind the handshake: the answer to a request is waited for.
request() { printf 'GET /robots.txt HTTP/1.1\r\nHost: outpost.example\r\nConnection: close\r\n\r\n'; }
request | client -tls1_3 -ign_eof -sess_out "$dir/ticket" >"$dir/first"
has 'Max Early Data: 0' "$(openssl sess_id -in "$dir/ticket" -noout -text 2>&1; cat "$dir/first")" "no ticket offers early data"
body="form=$(get "https://outpost.example:$port/" | grep -o 'name="form" value="[^"]*"' | head -n 1 | cut -d'"' -f4)&set=quick"
printf 'POST /run HTTP/1.1\r\nHost: outpost.example\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s' \
	${#body} "$body" >"$dir/post"
python3 tests/wire/web_tls.py ticket "$dir/ticket" "$dir/forged" 2>"$dir/err"
result $? "a ticket that says there is some, as no client of ours has it" "$(cat "$dir/err")"
before=$(runs)
out=$(request | client -tls1_3 -ign_eof -sess_in "$dir/forged" -early_data "$dir/post")
[[ $out == *'Early data was rejected'* && $out == *'HTTP/1.1 200'* && $out != *'HTTP/1.1 303'* ]]
result $? "who sends a form as early data all the same is not heard; what follows is" "$out"
is "$before" "$(runs)" "and nobody was enrolled by it"
out=$(client -tls1_3 -ign_eof -sess_in "$dir/ticket" <"$dir/post")
[[ $out == *'Reused, TLSv1.3'* && $out == *'HTTP/1.1 303'* ]]
result $? "the same form with the same ticket after the handshake is taken" "$out"
is $((before + 1)) "$(runs)" "once"

# --- endings and limits ------------------------------------------------------------------------------------
start 'web-timeout 1s' 'web-idle 1s' 'web-send 10m'
python endings
is 200 "$(get -o /dev/null -w '%{http_code}' "https://outpost.example:$port/")" "after all this the site is there"
grep -v 'ready:' "$dir/log" >"$dir/rest"
[[ ! -s $dir/rest ]]
result $? "and had nothing to complain of" "$(cat "$dir/rest")"
wire_end
