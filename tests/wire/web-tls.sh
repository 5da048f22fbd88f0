#!/bin/bash
# web-tls.sh - the web site at the edges of TLS and of HTTP over it, with real clients (openssl s_client, Python's ssl) and with
# ones that are made to be wrong: renegotiation, early data, ALPN, SNI, broken-up and unfinished handshakes, endings.  Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
# shellcheck source=tests/wire/lib/web.sh
. tests/wire/lib/web.sh
wire_needs curl openssl python3
dir=$(mktemp -d)
chmod 755 "$dir"
site=$dir/site
stop() {
	[[ $web ]] && kill "$web" 2>/dev/null && wait "$web"
	rm -rf "$dir"
}
trap stop EXIT
web_site 127.0.54.1
client() { timeout 60 openssl s_client -connect "$web_address:$port" -servername outpost.example -CAfile "$site/certs/ca.pem" "$@" 2>&1; }
runs() { wc -l <"$site/state/runs.jsonl" 2>/dev/null || echo 0; }
# python ARGUMENT...: tests/wire/web_tls.py, whose lines are results
python() {
	python3 tests/wire/web_tls.py "$web_address" "$port" "$site/certs/ca.pem" "$@" >"$dir/raw" 2>&1
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
body="form=$(tls "$url/" | form_of)&set=quick"
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
grep -v 'ready:' "$dir/log" >"$dir/rest"
# Long enough for a handshake and its request on a busy machine.
restart 'web-timeout 3s' 'web-idle 1s' 'web-send 10m'
python endings
is 200 "$(status tls "$url/")" "after all this the site is there"
grep -v 'ready:' "$dir/log" >>"$dir/rest"
[[ ! -s $dir/rest ]]
result $? "and had nothing to complain of" "$(cat "$dir/rest")"
wire_end
