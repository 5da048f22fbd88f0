#!/bin/bash
# run.sh - outpost run and outpost check on a whole site in a network namespace of its own: both daemons
# start, are restarted, reload, stop; the check finds every test as specified, and finds what is broken.
# Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
wire_needs ip nft unbound python3
wire_root

wire_namespace run
site=$dir/site
unset OUTPOST_SITE OUTPOST_ROOT_ANCHOR OUTPOST_ROOT_HINTS
addresses=()
for i in 1 2 3 4 {10..29}; do
	in_ns ip addr add 203.0.113.$i/32 dev lo
	addresses+=(203.0.113.$i)
done
in_ns ip -6 route add local 2001:db8:53::/64 dev lo
cp -r zones/catalogue "$dir/catalogue" && cp zones/base.zone "$dir/"
in_ns "$OUTPOST" init "$site" --base outpost.example --ipv4 "$(IFS=,; echo "${addresses[*]}")" \
	--ipv6 2001:db8:53::/64 --catalogue "$dir/catalogue" >"$dir/publish" 2>"$dir/err"
result $? "init" "$(cat "$dir/err")"
[[ ! -s $dir/err ]]
result $? "all ports are free and all addresses there" "$(cat "$dir/err")"
grep ' DS ' "$dir/publish" >"$dir/anchor"

# --- run ---------------------------------------------------------------------------------------------
python3 - "$dir/notify" >"$dir/notified" <<'PY' &
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(120)
while True:
    text = s.recv(4096).decode().split("\n")[0]
    print(text, flush=True)
    if text == "STOPPING=1":
        break
PY
pids+=($!)
wait_for 10 test -S "$dir/notify"
NOTIFY_SOCKET=$dir/notify ip netns exec $ns "$OUTPOST" run -C "$site" 2>"$dir/log" &
run=$!
pids+=($run)
wait_for 20 grep -q '^READY=1' "$dir/notified"
result $? "run tells systemd that it is ready" "$(cat "$dir/log")"
kill -0 "$run" 2>/dev/null || { echo "Bail out! outpost run does not run"; exit 1; }
children() { pgrep -P "$run" -x "$1"; }
dns=$(children authdns) smtp=$(children smtpd)
[[ -n $dns && -n $smtp ]]
result $? "both daemons run under it"

kill -KILL "$dns"
wait_for 15 grep -q 'authdns killed by signal 9' "$dir/log"
result $? "a killed daemon is told" "$(cat "$dir/log")"
again() { local p; p=$(children authdns) && [[ -n $p && $p != "$dns" ]]; }
wait_for 15 again
result $? "and started again" "$(cat "$dir/log")"

# --- check -------------------------------------------------------------------------------------------
cat >"$dir/unbound.conf" <<CONF
server:
  directory: "$dir"
  chroot: ""
  username: ""
  interface: 127.0.0.1
  do-daemonize: no
  use-syslog: no
  logfile: "$dir/unbound.log"
  pidfile: ""
  trust-anchor-file: "$dir/anchor"
stub-zone:
  name: "outpost.example"
  stub-addr: 203.0.113.1
  stub-addr: 2001:db8:53::
remote-control:
  control-enable: no
CONF
ip netns exec $ns unbound -c "$dir/unbound.conf" &
pids+=($!)
listening() { in_ns grep -q ':0035 00000000:0000 0A' /proc/net/tcp; }
resolves() { in_ns python3 - <<'PY'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1)
s.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0\7outpost\7example\0\0\6\0\1", ("127.0.0.1", 53))
r = s.recv(512)
assert r[3] & 15 == 0 and r[7] > 0
PY
}
wait_for 15 listening && wait_for 15 resolves
result $? "a validating resolver of its own" "$(tail -n 3 "$dir/unbound.log")"
check() { in_ns "$OUTPOST" check -C "$site" --resolver 127.0.0.1 --trust-anchor "$dir/anchor" "$@" >"$dir/out" 2>"$dir/err"; }

check
[[ $? == 1 && $(grep -c 'NOT as specified' "$dir/out") -ge 2 ]]
result $? "without nftables.conf not every test is as specified" "$(cat "$dir/out" "$dir/err")"
has "load nftables.conf" "$(grep -A 1 '^mx-fallback-refused' "$dir/out")" "and the check says what to do"
in_ns nft -f "$site/nftables.conf" && in_ns nft -f "$site/nftables.conf"
result $? "nftables.conf can be loaded, and loaded again"
check
result $? "every test is as specified" "$(grep -A 1 'NOT as' "$dir/out"; cat "$dir/err")"
python3 - "$site/state/check.jsonl" <<'PY'
import json, sys
last = {}
for line in open(sys.argv[1]):
    e = json.loads(line)
    assert e["ev"] == "site.check"
    last[e["test"], e["what"]] = e.get("ok", False)
assert len({t for t, w in last}) >= 26 and all(last.values())
PY
result $? "state/check.jsonl says so test by test"

# What is served and what the files say drift apart: each kind of difference is found.
broken() { # TEST SED-EXPRESSION WHAT WORDS
	cp "$dir/catalogue/$1.test" "$dir/saved"
	sed -i "$2" "$dir/catalogue/$1.test"
	check "$1"
	local code=$?
	cp "$dir/saved" "$dir/catalogue/$1.test"
	[[ $code == 1 && $(cat "$dir/out") == *"$4"* ]]
	result $? "$3" "code $code: $(cat "$dir/out" "$dir/err")"
}
broken dual 's/60 MX *10 /60 MX 11 /' "another record is found" "other records than specified"
broken dnssec-bogus-ds '/^ds /d' "a zone that is bogus by mistake is found" "should be secure, is bogus"
broken dual '/^\[dns\]/i [zone]\nds none\n' "a zone that should be insecure is found" "should be insecure, is secure"
cert=$(ls "$site"/certs/dual.mx0.*.pem)
mv "$cert" "$dir/saved" && cp "$site"/certs/tls13.mx0.*.pem "$cert"
check dual
[[ $? == 1 && $(cat "$dir/out") == *"not the one that was made"* ]]
result $? "another certificate is found" "$(cat "$dir/out" "$dir/err")"
mv "$dir/saved" "$cert"

# --- reload, new test, stop ----------------------------------------------------------------------------
echo 'nonsense' >"$dir/catalogue/wrong.test"
kill -HUP $run
wait_for 15 grep -q 'wrong.test:1: ' "$dir/log"
result $? "a mistake in a new test is told at reload" "$(cat "$dir/log")"
children authdns >/dev/null && children smtpd >/dev/null
result $? "and the daemons go on"
rm "$dir/catalogue/wrong.test"
sed -e 's/^test .*/test another/' -e 's/^number .*/number 999/' -e 's/^sets .*/sets standard/' \
	zones/catalogue/dual.test >"$dir/catalogue/another.test"
kill -HUP $run
served() { check another; }
wait_for 20 served
result $? "a 27th test is a file and a SIGHUP: it is served as specified" "$(cat "$dir/out" "$dir/err"; tail -n 5 "$dir/log")"
[[ $(grep -c '^RELOADING=1' "$dir/notified") == 2 ]]
result $? "systemd was told of the reloads" "$(cat "$dir/notified")"

kill -TERM $run
wait $run
result $? "SIGTERM ends it with code 0" "$(tail -n 5 "$dir/log")"
[[ -z $(pgrep -P $run) ]] && ! kill -0 "$dns" 2>/dev/null && ! kill -0 "$smtp" 2>/dev/null
result $? "and nothing is left"
has "STOPPING=1" "$(cat "$dir/notified")" "systemd was told"
[[ -s $site/store.db ]]
result $? "the logs were loaded into the store"
echo "smtp-port 70000" >>"$site/outpost.conf"
in_ns "$OUTPOST" run -C "$site" 2>"$dir/log"
[[ $? == 2 && $(wc -l <"$dir/log") == 1 ]]
result $? "run with a wrong configuration: one line, code 2" "$(cat "$dir/log")"
wire_end
