#!/bin/bash
# web.sh - the web site on loopback, over TLS and plain behind a proxy: every page and its fields that protect, the way
# from the form to the live page, limits at their edges, what hostile clients send.  Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
# shellcheck source=tests/wire/lib/web.sh
. tests/wire/lib/web.sh
wire_needs curl openssl python3 jq
dir=$(mktemp -d)
chmod 755 "$dir"
site=$dir/site
stop() {
	[[ $web ]] && kill "$web" 2>/dev/null && wait "$web"
	rm -rf "$dir"
}
trap stop EXIT
web_site 127.0.53.1
plain() { curl -sS --max-time 30 "$@" 2>&1; }

# --- every page ------------------------------------------------------------------------------------------
start
out=$(tls -D "$dir/head" "$url/")
has '<h1>' "$out" "the start page, under the site's certificate"
is '' "$(grep -o 'value="inbound"' <<<"$out")" 'it offers no set of tests that nobody is asked to send mail to'
for field in "Content-Security-Policy: default-src 'none'" 'X-Content-Type-Options: nosniff' 'X-Frame-Options: DENY' \
	'Referrer-Policy: same-origin' 'Strict-Transport-Security: max-age=' 'Cross-Origin-Opener-Policy: same-origin' \
	'Cache-Control: no-store'; do
	has "$field" "$(cat "$dir/head")" "it says $field"
done
! grep -qi 'unsafe\|includeSubDomains\|^set-cookie\|^server:' "$dir/head"
result $? "nothing unsafe, no cookie, no HSTS for the hosts below" "$(cat "$dir/head")"
bad=
for path in / /tests /tests/dual /tests/dane-ee-mismatch /privacy /nothing; do
	tls "$url$path" >"$dir/page"
	grep -qiE 'style=|<style|<script>|javascript:| on[a-z]+=|(src|href)="(https?:)?//' "$dir/page" && bad+=" $path: inline or elsewhere"
	(($(grep -c '<h1' "$dir/page") == 1)) || bad+=" $path: not one h1"
	grep -q 'lang="en"' "$dir/page" && grep -q 'name="viewport"' "$dir/page" && grep -q 'class="skip"' "$dir/page" || bad+=" $path: layout"
	python3 - "$dir/page" <<'PY' || bad+=" $path: not well-nested"
import html.parser, sys
VOID = {"meta", "link", "input", "br", "img", "rect", "circle", "line", "path"}
class P(html.parser.HTMLParser):
    stack = []
    def handle_starttag(self, tag, attrs):
        if tag not in VOID: self.stack.append(tag)
    def handle_endtag(self, tag):
        if tag not in VOID: assert self.stack.pop() == tag, (tag, self.getpos())
p = P(); p.feed(open(sys.argv[1]).read()); assert not p.stack, p.stack
PY
done
[[ -z $bad ]]
result $? "no page has inline style or script, or loads anything from elsewhere" "$bad"
missing=
while read -r t; do [[ $(status tls "$url/tests/$t") == 200 ]] || missing+=" $t"; done < <("$OUTPOST" tests --json | jq -r '.tests[].test' | awk 'NR % 9 == 1')
[[ -z $missing ]]
result $? "every ninth test has its page" "$missing"
has '_25._tcp.{mx0}' "$(tls "$url/tests/dane-ee-mismatch")" "the page of a test shows its set-up"
asset=$(tls "$url/" | grep -o '/static/[0-9a-f]*\.site\.css')
out=$(tls -i "$url$asset")
[[ $out == *'Content-Type: text/css'* && $out == *'immutable'* ]]
result $? "the style sheet, for ever" "$(head -n 12 <<<"$out")"
is 404 "$(status tls "$url/static/0123456789abcdef.site.css")" "another digest is another file"
is 200 "$(status tls "$url/favicon.ico")" "favicon"
has 'Disallow: /run' "$(tls "$url/robots.txt")" "robots.txt"
out=$(tls -I "$url/")
[[ $out == *'200 OK'* && $out == *'Content-Length: '* && $out != *'<html'* ]]
result $? "HEAD" "$out"
out=$(tls -i -X DELETE "$url/run")
[[ $out == *' 405 '* && $out == *'Allow: POST'* ]]
result $? "another method: 405 with Allow" "$(head -n 12 <<<"$out")"
is 404 "$(status tls --path-as-is "$url/tests/../privacy")" "a path with dots is nobody's"
is 400 "$(status tls "$url/?a=%zz")" "a query that cannot be read"

# --- from the form to the page of the run --------------------------------------------------------------
form=$(tls "$url/" | form_of)
run=$(tls -i -d "form=$form&set=quick" "$url/run" | location)
[[ $run =~ ^/run/[a-z2-7]{26}$ ]]
result $? "the form leads to a page whose address cannot be guessed" "$run"
out=$(tls "$url$run")
token=$(jq -r .token "$site/state/runs.jsonl" | head -n 1)
[[ $out == *"probe@$token.dual.outpost.example"* && $out == *'href="mailto:probe%40'* && $out == *'swaks --server'* && $out == *'sendmail -t'* ]]
result $? "it has the addresses, mailto links, a swaks line and a loop" "$(head -c 3000 <<<"$out")"
has '<noscript><meta http-equiv="refresh"' "$out" "without script it loads itself again"
is "$token" "$(jq -r .token "$site/state/enrol.jsonl")" "the participant is enrolled"
is 404 "$(status tls "$url/run/$token")" "the token, which is no secret, does not lead to the page"
is 404 "$(status tls "$url$(tr a-m2-7 n-z3-72 <<<"${run#/run/}" | sed 's,^,/run/,')")" "another id leads nowhere"
is 404 "$(status tls "$url/run/aaaaaaaaaaaaaaaaaaaaaaaaaa/report.json")" "nor does one that nobody has"
is "$token" "$(tls "$url$run/report.json" | jq -r .token)" "the report as JSON"
has "$token" "$(tls "$url$run/report.txt")" "and as text"
out=$(tls -i "$url$run/report.csv")
[[ $out == *'Content-Type: text/csv'* && $out == *"attachment; filename"* && $out == *'token,label,test,'* && $out == *"\"$token\",\"\",\"dual\""* ]]
result $? "and as CSV" "$(head -n 24 <<<"$out")"
out=$(tls -i "$url$run/report.html")
[[ $out == *'attachment; filename'* && $out == *'<style>'* && $out != *'<link'* ]]
result $? "and as one file with its own style" "$(head -n 24 <<<"$out")"
before=$(cat "$site"/state/*.jsonl | wc -l)
for path in / /run "$run" "$run/report.json" "$run/events.jsonl" "$run/message/8bit" /tests "/run?set=quick&form=$form"; do tls "$url$path" >/dev/null; done
is "$before" "$(cat "$site"/state/*.jsonl | wc -l)" "no GET changed anything"

# Mail arrives: the stream says so, and the page has it as text.
(exec curl -sS -N --max-time 60 --cacert "$site/certs/ca.pem" --resolve "outpost.example:$port:127.0.53.1" "$url$run/live") >"$dir/stream" 2>&1 &
stream=$!
wait_for 10 grep -q retry "$dir/stream"
result $? "a stream" "$(cat "$dir/stream")"
evil='<script>alert(1)</script>" onload="x'
python3 - "$site/log/a-smtpd-0-20261121T000000.jsonl" "$token" "$evil" $offset <<'PY'
import json, sys, datetime
path, token, evil, offset = sys.argv[1:]
now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=int(offset))
def line(n, ev, **more):
    t = (now + datetime.timedelta(milliseconds=n)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return json.dumps({"v": 1, "t": t, "node": "a", "d": "smtpd", "w": 0, "n": n, "ev": ev, "token": token, "test": "dual", "conn": "0-x-1", **more}, separators=(",", ":")) + "\n"
with open(path, "w") as f:
    f.write(line(1, "smtp.connect", peer="192.0.2.7", port=4000, local="127.0.53.1", host=0))
    f.write(line(2, "smtp.command", verb="EHLO", arg=evil, reply=250))
    f.write(line(3, "smtp.message", peer="192.0.2.7", host=0, mailbox="probe", reply=250, bytes=100, subject=evil, msgid="<a@b>", to=evil, headers="Subject: " + evil, rcpts="probe"))
    f.write(line(4, "smtp.close", stage="dot", how="quit"))
PY
"$OUTPOST" ingest -C "$site" >/dev/null 2>"$dir/err"
wait_for 10 grep -q 'event: change' "$dir/stream"
result $? "the stream tells what arrived" "$(cat "$dir/stream" "$dir/err" "$dir/log")"
kill $stream 2>/dev/null
wait $stream 2>/dev/null
arrived() { tls "$url$run" >"$dir/page"; grep -q 'badge ok' "$dir/page"; }
wait_for 10 arrived
result $? "the page has its verdict" "$(grep -c badge "$dir/page")"
grep -q '&lt;script&gt;' "$dir/page" && ! grep -q '<script>alert\|onload="x' "$dir/page"
result $? "what the sender said is text" "$(grep -o '.\{60\}alert.\{60\}' "$dir/page" | head -n 3)"
has '192.0.2.7' "$(tls "$url$run/events.jsonl")" "the observations as a download"

# --- forms that are not ours ---------------------------------------------------------------------------
is 403 "$(status tls -d "set=quick" "$url/run")" "a form without its proof"
is 403 "$(status tls -d "form=${form%?}x&set=quick" "$url/run")" "with a wrong one"
is 403 "$(status tls -H 'Origin: https://evil.example' -d "form=$form&set=quick" "$url/run")" "from a page of another site"
is 403 "$(status tls -H 'Sec-Fetch-Site: cross-site' -d "form=$form&set=quick" "$url/run")" "as the browser says too"
is 403 "$(status tls -H 'Origin: null' -d "form=$form&set=quick" "$url/run")" "from nowhere"
is 303 "$(status tls -H "Origin: $url" -H 'Sec-Fetch-Site: same-origin' -d "form=$form&set=dane" "$url/run")" "from our own, a group as the set"
is 415 "$(status tls -H 'Content-Type: text/plain' -d "form=$form&set=quick" "$url/run")" "not as a form"
is 400 "$(status tls -d "form=$form&set=%00" "$url/run")" "with a NUL"
is 422 "$(status tls --data-urlencode "form=$form" --data-urlencode "set=<b>$evil" "$url/run")" "a set that is none"
wrong=
for path in "/$evil" "/tests/$evil" "/run/$evil" "/?x=$evil"; do
	tls -g --path-as-is "$url$(python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1], safe="/?="))' "$path")" -H "User-Agent: $evil" -H "Referer: $evil" >"$dir/page"
	grep -q '<script>alert' "$dir/page" && wrong+=" $path"
done
[[ -z $wrong ]]
result $? "nothing that is asked for comes back as markup" "$wrong"

# --- octets ----------------------------------------------------------------------------------------------
restart 'web-tls 0' 'web-timeout 1s' 'web-idle 2s' 'web-head 2K' 'web-body 1K' 'web-requests 5' 'web-per-client 8' \
	'web-streams 3' 'web-streams-per-client 2' 'web-proxy 127.0.53.9' 'web-enrol-client 3' 'web-enrol-all 5'
url=http://127.0.53.1:$port
has '<h1>' "$(plain "$url/")" "plain HTTP"
! plain -I "$url/" | grep -qi strict-transport
result $? "no HSTS over it"
python3 - 127.0.53.1 "$port" >"$dir/raw" 2>&1 <<'PY'
import re, socket, sys, time
host, port = sys.argv[1], int(sys.argv[2])
failed = []
def connect(source=None):
    return socket.create_connection((host, port), 20, (source, 0) if source else None)
def read_all(s):
    out = b""
    try:
        while True:
            b = s.recv(65536)
            if not b: break
            out += b
    except ConnectionResetError: pass
    return out
def exchange(data):
    s = connect()
    try: s.sendall(data)
    except (BrokenPipeError, ConnectionResetError): pass
    out = read_all(s); s.close()
    return out
def codes(data): return [int(c) for c in re.findall(rb"HTTP/1\.1 (\d+) ", exchange(data))]
def check(what, got, want):
    print(("ok" if got == want else "not ok"), what, "" if got == want else f": {got}, wanted {want}")
H = b"Host: x\r\n"
def get(path=b"/robots.txt", more=b""): return b"GET " + path + b" HTTP/1.1\r\n" + H + more + b"\r\n"
last = get(more=b"Connection: close\r\n")
check("three pipelined requests", codes(get() + get(b"/nothing") + last), [200, 404, 200])
check("the fifth request is the last", codes(get() * 7), [200] * 5)
def half(data):
    s = connect(); s.sendall(data); s.shutdown(socket.SHUT_WR)
    return [int(c) for c in re.findall(rb"HTTP/1\.1 (\d+) ", read_all(s))]
check("who asked and closed their side is answered", [half(get(b"/tests")) for _ in range(5)], [[200]] * 5)
check("whatever was asked", half(get(b"/nothing") + get(b"/privacy") + get(b"/tests")), [404, 200, 200])
check("half a request is none", half(get()[:-2]), [])
check("HTTP/1.0", codes(b"GET /robots.txt HTTP/1.0\r\n\r\n"), [200])
check("no Host", codes(b"GET / HTTP/1.1\r\n\r\n"), [400])
check("two lengths", codes(b"POST /run HTTP/1.1\r\n" + H + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), [400])
check("chunks", codes(b"POST /run HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get()), [411])
check("no length", codes(b"POST /run HTTP/1.1\r\n" + H + b"\r\n"), [411])
check("bare LF", codes(b"GET / HTTP/1.1\nHost: x\n\n"), [400])
check("a body after GET", codes(b"GET / HTTP/1.1\r\n" + H + b"Content-Length: 3\r\n\r\nabc"), [400])
smuggled = b"GET /nothing HTTP/1.1\r\n" + H + b"\r\n"
for path in b"/favicon.ico", b"/nowhere", b"/run/aaaaaaaaaaaaaaaaaaaaaaaaaa/live":
    check("what follows GET %s is no request" % path.decode(),
          len(codes(get(path, b"Content-Length: %d\r\n" % len(smuggled)) + smuggled)), 1)
check("nor what follows HEAD", len(codes(b"HEAD /favicon.ico HTTP/1.1\r\n" + H + b"Content-Length: %d\r\n\r\n" % len(smuggled) + smuggled)), 1)
check("Connection is a list", codes(get(more=b"Connection: TE, Close\r\n") + get()), [200])
check("no 100 for HTTP/1.0", codes(b"POST /run HTTP/1.0\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na"), [415])
check("and one for HTTP/1.1", codes(b"POST /run HTTP/1.1\r\n" + H + b"Connection: close\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na"), [100, 415])
check("a blank before the colon", codes(get(more=b"X : a\r\n")), [400])
check("a folded line", codes(get(more=b"X: a\r\n b\r\n")), [400])
check("two lengths in one", codes(b"POST /run HTTP/1.1\r\n" + H + b"Content-Length: 1, 1\r\n\r\na"), [400])
check("a coding that is none", codes(b"POST /run HTTP/1.1\r\n" + H + b"Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na"), [501])
check("64 fields", codes(get(more=b"Connection: close\r\n" + b"X: a\r\n" * 62)), [200])
check("and one more", codes(get(more=b"Connection: close\r\n" + b"X: a\r\n" * 63)), [431])
check("the words that begin HTTP/2", codes(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), [400])
check("a target that is none of ours", [codes(get(t + b"", b"Connection: close\r\n")) for t in (b"ftp://x/", b"x:443", b"*", b"/\xc0\xae/", b"/a#b")], [[400]] * 5)
check("paths are not decoded", [codes(get(t, b"Connection: close\r\n")) for t in (b"/%72obots.txt", b"/tests/%2e%2e/privacy", b"/robots.txt%00", b"//robots.txt", b"/./robots.txt")], [[404]] * 5)
check("a NUL in a field", codes(get(more=b"X: a\0b\r\n")), [400])
check("octets of another protocol", codes(b"\x16\x03\x01\x02\x00\x01\x00" * 400)[:1] in ([400], [414], [431]), True)
pad = 2048 - len(get(more=b"Connection: close\r\nX: \r\n"))
check("a head of 2K", codes(get(more=b"Connection: close\r\nX: " + b"a" * pad + b"\r\n")), [200])
check("and one octet more", codes(get(more=b"Connection: close\r\nX: " + b"a" * (pad + 1) + b"\r\n")), [431])
check("a request line of more", codes(b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\n" + H + b"\r\n"), [414])
body = lambda n: b"POST /run HTTP/1.1\r\n" + H + b"Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % n + b"a" * n
check("a body of 1K", codes(body(1024)), [403])
check("and one octet more", codes(body(1025)), [413])
t = time.monotonic()
s = connect(); s.sendall(b"GET / HT")
out = b""
s.settimeout(0.3)
while time.monotonic() - t < 15:  # a drip: an inactivity timer would wait for ever
    try: s.sendall(b"T")
    except OSError: break
    try:
        b = s.recv(4096)
        if not b: break
        out += b
    except socket.timeout: pass
    except OSError: break
check("a slow drip is ended by the time of the whole request", (b" 408 " in out, time.monotonic() - t < 14), (True, True))
s = connect(); s.settimeout(20)
check("who says nothing is let go", b" 408 " in read_all(s), True)
s = connect(); s.sendall(get()); s.settimeout(20); out = read_all(s)
check("who says nothing more, too", (out.count(b"200 OK"), b"408" in out), (1, False))
held = [connect() for _ in range(8)]
time.sleep(0.2)
def refused(source=None):
    s = connect(source)
    try: s.sendall(last)
    except OSError: return True
    out = read_all(s); s.close()
    return out == b""
check("the ninth connection of an address is closed", refused(), True)
check("another address has its own", refused("127.0.53.7"), False)
check("those of a proxy are not counted", [refused("127.0.53.9") for _ in range(10)], [False] * 10)
for s in held: s.close()
for _ in range(100):
    if not refused(): break
    time.sleep(0.1)
check("a place that is free is given again", refused(), False)
PY
while IFS= read -r line; do
	[[ $line == ok* ]]
	result $? "${line#*ok }" "$line"
done <"$dir/raw"

# --- streams and quotas ---------------------------------------------------------------------------------
sleep 0.3
# listen CLIENT FILE: a stream, in the background; this process becomes it
listen() { exec curl -sS -H "X-Forwarded-For: $1" --interface 127.0.53.9 -N --max-time 60 "$url$run/live" >"$2" 2>&1; }
as() { plain -H "X-Forwarded-For: $1" --interface 127.0.53.9 "${@:2}"; } # CLIENT OPTIONS...: through the proxy
streams=()
for client in 198.51.100.1 198.51.100.1; do
	listen $client "$dir/stream.${#streams[@]}" &
	streams+=($!)
	wait_for 10 grep -q retry "$dir/stream.$((${#streams[@]} - 1))"
done
is 503 "$(status as 198.51.100.1 "$url$run/live")" "the third stream of an address waits"
listen 198.51.100.2 "$dir/stream.2" &
streams+=($!)
wait_for 10 grep -q retry "$dir/stream.2"
result $? "another address has one"
is 503 "$(status as 198.51.100.3 "$url$run/live")" "the fourth of all waits"
kill "${streams[@]}"
wait "${streams[@]}" 2>/dev/null
free() { as 198.51.100.3 -N --max-time 2 "$url$run/live" | grep -q retry; }
wait_for 20 free
result $? "what was given up is free again"

form=$(plain "$url/" | form_of)
enrol() { status as "$1" -d "form=$form&set=quick" "$url/run"; }
before=$(wc -l <"$site/state/runs.jsonl")
is "303 303 303 429" "$(for _ in 1 2 3 4; do enrol 2001:db8:7::$((RANDOM % 9999)); done | sed 's/.../& /g; s/ $//')" "three enrolments of a /64 a day, the fourth is refused"
[[ $(wc -l <"$site/state/runs.jsonl") == $((before + 3)) ]]
result $? "and nobody was enrolled by it"
is 503 "$(enrol 198.51.100.9)" "five of all a day"
restart 'web-tls 0' 'web-proxy 127.0.53.9' 'web-enrol-client 3'
form=$(plain "$url/" | form_of)
is 429 "$(enrol 2001:db8:7::1)" "a restart forgets no count"
is 303 "$(enrol 2001:db8:8::1)" "another /64 has its own"
is 429 "$(status as 192.0.2.77 -H 'X-Forwarded-For: 2001:db8:7::1' -d "form=$form&set=quick" "$url/run")" "a proxy that adds a field of its own is believed, not the client's"
is 303 "$(status plain -H 'X-Forwarded-For: 2001:db8:7::1' -d "form=$form&set=quick" "$url/run")" "from no proxy of ours the field says nothing"
has 'Strict-Transport' "$(as 192.0.2.1 -I -H 'X-Forwarded-Proto: https' "$url/")" "HSTS when the proxy says that it speaks TLS"

# --- two runs compared -------------------------------------------------------------------------------------
"$OUTPOST" -C "$site" enrol --set quick '=<b>second' >/dev/null
token2=$(tail -n 1 "$site/state/enrol.jsonl" | jq -r .token)
second=/run/$(jq -r --arg t "$token2" 'select(.token == $t) | .run' "$site/state/runs.jsonl")
there() { [[ $(status plain "$url$second") == 200 ]]; }
wait_for 20 there
result $? "a run that was enrolled by the command has its page" "$second"
out=$(plain "$url$run/changes?with=$url$second")
[[ $out == *'What has changed'* && $out == *'Earlier run'* && $out == *'Later run'* ]]
result $? "what has changed since another run, by the address of its page" "$(head -c 2000 <<<"$out")"
is 404 "$(status plain "$url$run/changes?with=$token2")" "a token is no address of a page"
is 404 "$(status plain "$url$run/changes")" "nor is nothing"
is 422 "$(status plain "$url$run/changes?with=${run#/run/}")" "and the run itself is no other"
out=$(plain "$url$second/report.csv")
[[ $out == *"\"'=<b>second\""* ]]
result $? "a label that a spreadsheet would take for a formula is text" "$(head -n 3 <<<"$out")"

# --- large downloads ---------------------------------------------------------------------------------------
python3 - "$site/log/a-smtpd-1-20261121T000000.jsonl" "$(plain "$url$run/report.json" | jq -r .token)" $offset <<'PY'
import json, sys, datetime
path, token, offset = sys.argv[1:]
now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=int(offset))
with open(path, "w") as f:
    for n in range(400):
        t = (now + datetime.timedelta(milliseconds=n)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        f.write(json.dumps({"v": 1, "t": t, "node": "a", "d": "smtpd", "w": 1, "n": n + 1, "ev": "smtp.command", "token": token, "test": "dual", "conn": "1-x-1", "verb": "EHLO", "arg": "a" * 3000, "reply": 250}, separators=(",", ":")) + "\n")
PY
"$OUTPOST" ingest -C "$site" >/dev/null
is 200 "$(status plain "$url$run/events.jsonl")" "a download of more than 1M"
restart 'web-tls 0' 'web-output 1M'
is 503 "$(status plain "$url$run/events.jsonl")" "with a web-output of 1M it is refused"
is 200 "$(status plain "$url$run/report.json")" "what is small is not"
is 640 "$(stat -c %a "$site"/store.db* | sort -u)" "nobody else on this machine reads the store"

# --- further limits, at their edge ---------------------------------------------------------------------------
restart 'web-tls 0' 'web-max 5' 'web-per-client 100' 'web-send 1s' 'web-stream-life 1s' 'web-report-events 100' 'web-name www.outpost.example'
has "https://www.outpost.example$second" "$(plain "$url$second")" "the address of a page has web-name, whatever the request called us"
has "https://www.outpost.example$second" "$(plain -H 'Host: evil.example' "$url$second")" "also one that names another host"
python3 - 127.0.53.1 "$port" "$run/events.jsonl" >"$dir/raw" 2>&1 <<'PY'
import re, socket, sys, time
host, port, download = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()
def check(what, good, why=""): print("ok" if good else "not ok", what, "" if good else why)
def answers():
    s = socket.create_connection((host, port), 20)
    try:
        s.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return b" 200 " in s.recv(4096)
    except OSError: return False
    finally: s.close()
def again(what, wanted):
    for _ in range(200):
        if answers() == wanted: break
        time.sleep(0.1)
    else: return check(what, False, "not in 20 s")
    check(what, True)
held = [socket.create_connection((host, port), 20) for _ in range(4)]
again("web-max: a fifth connection is served", True)
held.append(socket.create_connection((host, port), 20))
again("and a sixth is closed", False)
for s in held: s.close()
again("until one of them has ended", True)
s = socket.create_connection((host, port), 20)
s.sendall(b"HEAD " + download.replace(b"events.jsonl", b"live") + b" HTTP/1.1\r\nHost: x\r\n\r\n")
data = b""
while b := s.recv(4096): data += b
check("HEAD of a stream has no body", data.startswith(b"HTTP/1.1 200") and data.index(b"\r\n\r\n") + 4 == len(data), repr(data[-100:]))
# Who does not take a response in time: what the kernel has of it comes, and then the end.
def late(seconds):
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # the buffer of the other side is for so many segments
    s.settimeout(20); s.connect((host, port))
    s.sendall(b"GET " + download + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    data = s.recv(512); time.sleep(seconds)
    try:
        while b := s.recv(65536): data += b
    except OSError: pass
    s.close()
    return len(data) < int(re.search(rb"Content-Length: (\d+)", data).group(1))
check("web-send: who takes a response too slowly gets no more of it", any(late(t) for t in (2, 4, 8, 16)))
PY
while IFS= read -r line; do
	[[ $line == ok* ]]
	result $? "${line#*ok }" "$line"
done <"$dir/raw"
out=$(plain -N "$url$run/live")
is 0 $? "web-stream-life: a stream ends by itself, and well" "$out"
# observations NAME NUMBER: so many of the second run
observations() {
	python3 - "$site/log/$1" "$token2" $offset "$2" <<'PY'
import json, sys, datetime
path, token, offset, number = sys.argv[1:]
now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=int(offset))
with open(path, "w") as f:
    for n in range(int(number)):
        f.write(json.dumps({"v": 1, "t": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "node": "a", "d": "smtpd", "w": 2, "n": n + 1, "ev": "smtp.command", "token": token, "test": "dual", "conn": path[-7:] + "-1", "verb": "NOOP", "reply": 250}, separators=(",", ":")) + "\n")
PY
	"$OUTPOST" ingest -C "$site" >/dev/null
}
observations a-smtpd-2-1.jsonl 100
is 200 "$(status plain "$url$second/report.json")" "web-report-events: a report of a hundred observations"
observations a-smtpd-2-2.jsonl 1
too_many() { [[ $(status plain "$url$second/report.json") == 503 ]]; }
wait_for 20 too_many
result $? "and none of one more"

restart 'web-timeout 1s' 'web-send 10m'
python3 - 127.0.53.1 "$port" <<'PY'
import socket, sys
for hello in (b"", b"\x16\x03\x01\x02\x00\x01"):
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 60); s.sendall(hello)
    try: assert s.recv(10) == b""
    except ConnectionResetError: pass
PY
result $? "a TLS handshake that never comes has the time of a request, not that of a response too"

# --- who has much to read holds up nobody else ------------------------------------------------------------
# A reader that is stopped is one that takes long.  The parent's children in their order: who serves, the desk, the readers.
restart 'web-tls 0' 'web-readers 2'
slow=$(pgrep -P "$web" | sort -n | sed -n 3p)
kill -STOP "$slow"
ask() { plain -o /dev/null -w '%{http_code}' "$url$1/report.txt" >"$dir/answer.$2" & }
answers() { (($(cat "$dir"/answer.[12] | wc -c) == 3 * $1)); }
ask "$run" 1
ask "$second" 2
wait_for 25 answers 1
result $? "while one report is made, another participant's is" "$(cat "$dir"/answer.?)"
answers 1 && [[ $(status plain "$url/") == 200 ]]
result $? "and all other pages are there, while the first waits"
[[ -s $dir/answer.1 ]] && quick=$run held=$second || quick=$second held=$run
ask "$held" 3
is 200 "$(status plain "$url$quick/report.txt")" "who asks for the first twice takes no second reader"
kill -CONT "$slow"
answered() { answers 2 && [[ -s $dir/answer.3 ]]; }
wait_for 25 answered
is 200200200 "$(cat "$dir"/answer.?)" "then all have their answer"
# One that dies of a report, which is not given to its successor.
rm "$dir"/answer.?
kill -STOP "$slow"
ask "$run" 1
ask "$second" 2
wait_for 25 answers 1
[[ -s $dir/answer.1 ]] && held=$second || held=$run
kill -KILL "$slow"
wait_for 25 answers 2
is 200503 "$(cat "$dir"/answer.? | fold -w 3 | sort | tr -d '\n')" "a reader dies: who waited for it is told so"
is 200 "$(status plain "$url$held/report.txt")" "and who asks again has an answer"

# --- start, reload, end -----------------------------------------------------------------------------------
serving() { pgrep -P "$web" | tr '\n' ' '; }
old=$(serving)
kill -HUP "$web"
changed() { [[ $(serving) != *"${old%% *}"* && -n $(serving) ]] && [[ $(status plain "$url/") == 200 ]]; }
wait_for 20 changed
result $? "SIGHUP: a new generation serves" "$(cat "$dir/log")"
kill -KILL $(serving)
alive() { [[ $(status plain "$url/") == 200 ]]; }
wait_for 20 alive
result $? "both processes killed: both are started again" "$(cat "$dir/log")"
grep -v 'killed by signal 9' "$dir/log" | grep -v 'ready:\|the desk is gone' >"$dir/rest"
[[ ! -s $dir/rest ]]
result $? "nothing else was to say" "$(cat "$dir/rest")"
kill "$web"
wait "$web"
result $? "SIGTERM ends it with code 0"
web=
echo 'web-key /nonexistent' >>"$dir/conf"
echo 'web-cert /nonexistent' >>"$dir/conf"
cp "$dir/conf" "$site/outpost.conf"
"$BUILD/web" -C "$site" 2>"$dir/log"
[[ $? == 2 && $(wc -l <"$dir/log") == 1 ]]
result $? "without its certificate: one line, code 2" "$(cat "$dir/log")"
wire_end
