#!/bin/bash
# maillog.sh - the log of the host's mail server becomes observations: each line once, whatever becomes of the file and of
# who reads it, and only of messages that this site wrote.  Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
wire_needs jq unbound ip
wire_root
wire_inside maillog "$0" "$@"

dir=$(mktemp -d)
site=$dir/site log=$dir/mail.log
trap 'kill "$unbound" 2>/dev/null; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir -p "$dir/zones/catalogue"
cp zones/base.zone "$dir/zones/"
cp zones/catalogue/{dual,out,in-tls}.test "$dir/zones/catalogue/"
"$OUTPOST" init "$site" --base lab.example --ipv4 192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4 --user nobody \
	--catalogue "$dir/zones/catalogue" >/dev/null 2>"$dir/err" || wire_bail "$(cat "$dir/err")"
printf '#!/bin/sh\ncat >>"%s/mail"\n' "$dir" >"$dir/sendmail"
chmod 755 "$dir/sendmail"
# What is published by who is written to: nothing.
cat >"$dir/unbound.conf" <<CONF
server:
	interface: 127.0.0.1
	directory: "$dir"
	chroot: ""
	username: ""
	pidfile: ""
	use-syslog: no
	do-daemonize: no
	local-zone: "." static
	local-zone: "post.example." static
	local-data: "post.example. MX 10 mx.post.example."
remote-control:
	control-enable: no
CONF
unbound -d -c "$dir/unbound.conf" 2>"$dir/unbound.err" &
unbound=$!
wait_for 20 connects 127.0.0.1 53 || wire_bail "unbound does not start: $(cat "$dir/unbound.err")"
printf '%s\n' "mail-program $dir/sendmail" "mail-log $log" 'pace 10000' 'verify-resolver 127.0.0.1' >>"$site/outpost.conf"
printf 'address\nann@post.example\nbob@post.example\n' >"$dir/people.csv"
read -r -d '' -a tokens < <("$OUTPOST" enrol -C "$site" --set full --csv "$dir/people.csv" 2>/dev/null | grep -o '^[a-z2-7]\{16\}')
[[ ${#tokens[@]} == 2 ]] || wire_bail "not enrolled"

: >"$dir/err"
maillog() { "$OUTPOST" maillog -C "$site" 2>>"$dir/err"; }
events() { "$OUTPOST" events -C "$site" "${1:-${tokens[0]}}" 2>/dev/null | grep '"out.delivery"'; }
count() { events "${1:-}" | wc -l; }
line() { printf 'Nov 22 05:38:34 host postfix/%s\n' "$*" >>"$log"; }
mx='mx.post.example[192.0.2.9]:25'
# message QUEUE MSGID; attempt PID QUEUE STATUS TEXT
message() { line "cleanup[1]: $1: message-id=$2"; line "qmgr[1]: $1: from=<bounce@x.lab.example>, size=9, nrcpt=1 (queue active)"; }
attempt() { line "smtp[$1]: $2: to=<ann@post.example>, relay=$mx, delay=1, delays=1, dsn=2.0.0, status=$3 ($4)"; }

maillog
result $? "a log that is not there yet is no fault" "$(cat "$dir/err")"
"$OUTPOST" invite -C "$site" --rate 1000000 >/dev/null 2>>"$dir/err"
mapfile -t ids < <(sed -n 's/^Message-ID: \(<.*>\)\r*$/\1/p' "$dir/mail")
is 2 "${#ids[@]}" "two invitations are written"

# --- what is told of a delivery ---
message AAAAAA "${ids[0]}"
line "smtp[7]: Trusted TLS connection established to $mx: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"
maillog
attempt 7 AAAAAA sent '250 2.0.0 <b>ok</b>'
maillog
is "delivered mx.post.example 192.0.2.9 25 250 2.0.0 TLSv1.3 TLS_AES_256_GCM_SHA384 trusted" \
	"$(events | jq -r '[.what, .mx, .peer, .port, .reply, .dsn, .version, .cipher, .verified] | join(" ")')" "a delivery, its TLS read by a run before"
has 'TLS was used, with a certificate that our host trusts: mx.post.example, TLSv1.3' \
	"$("$OUTPOST" report -C "$site" "${tokens[0]}" --json | jq -r '.. | objects | select(.test? == "in-tls") | .reason' | head -1)" "test 227 says so"
maillog
maillog
is 1 "$(count)" "nothing twice"

# --- what is not ours ---
other=$(tr 0123456789abcdef 123456789abcdef0 <<<"${ids[0]:1:16}")
forged="<$other${ids[0]:17}"
message BBBBBB "${ids[0]%%-*}-0123456789abcdef.1@${ids[0]#*@}"
attempt 8 BBBBBB bounced '550 forged'
message CCCCCC "$forged"
attempt 8 CCCCCC bounced '550 forged'
message DDDDDD '<a@b.example>'
attempt 8 DDDDDD bounced "550 ${tokens[0]}"
maillog
is 1 "$(count)" "a message that names the token is not one of ours"

# --- the file is renamed, cut, taken away ---
message EEEEEE "${ids[1]}"
attempt 9 EEEEEE deferred '450 later'
mv "$log" "$log.1"
attempt 9 EEEEEE sent '250 ok'
maillog
is "deferred none delivered" "$(events "${tokens[1]}" | jq -r '.what, (.version // "none")' | head -3 | xargs)" "the rest of a renamed log comes before the new one"
cp "$log" "$log.1"
: >"$log"
maillog
attempt 9 EEEEEE sent '250 again'
maillog
is 3 "$(count "${tokens[1]}")" "a log that was cut is read from its beginning"

# --- death between the events and the position ---
cp "$site/state/maillog.jsonl" "$dir/position"
attempt 9 EEEEEE sent '250 fourth'
maillog
cp "$dir/position" "$site/state/maillog.jsonl"
maillog
is 4 "$(count "${tokens[1]}")" "what was written before a crash is not written again"
attempt 9 EEEEEE sent '250 fifth'
cp "$dir/position" "$site/state/maillog.jsonl"
maillog
is 5 "$(count "${tokens[1]}")" "what came after it is"

# --- Exim: its main log, as it is by itself and with all that it can log ---
exim() { printf '2026-11-22 09:13:01 1xV3d6-0001OR-2x %s\n' "$*" >>"$log"; }
exim "<= bounce@x.lab.example U=root P=local S=3190 id=${ids[0]:1:-1}"
exim '== ann@post.example R=mx T=smtp defer (-44) H=mx.post.example [192.0.2.9]: SMTP error from remote mail server after RCPT TO:<ann@post.example>: 450 4.7.1 Greylisted'
exim '== ann@post.example routing defer (-52): retry time not reached'
exim "== ann@post.example R=mx T=smtp defer (-54): retry time not reached for any host for 'post.example'"
exim '=> ann@post.example F=<bounce@x.lab.example> R=mx T=smtp S=3828 H=mx.post.example DS [192.0.2.9]:25 I=[192.0.2.1]:5843 X=TLS1.3:ECDHE_SECP256R1__ECDSA_SECP256R1_SHA256__AES_256_GCM:256 CV=dane DN="CN=mx" L C="250 2.0.0 Ok, noted" QT=0.324s DT=0.080s'
exim Completed
maillog
is "deferred 192.0.2.9 450 4.7.1 450 4.7.1 Greylisted none,delivered 192.0.2.9 250 2.0.0 250 2.0.0 Ok, noted verified" \
	"$(events | tail -n +2 | jq -r '[.what, .peer, .reply, .dsn, .ecode, (.verified // "none")] | join(" ")' | paste -sd,)" \
	"of Exim what it tried, not that it was too early to"

# --- who was taken out ---
"$OUTPOST" forget -C "$site" "${tokens[1]}" >"$dir/forget" 2>&1
result $? "a participant is taken out" "$(cat "$dir/forget")"
attempt 9 EEEEEE sent '250 sixth'
maillog
is 0 "$(cat "$site"/log/*.jsonl | grep -c "${tokens[1]}")" "and stays out, though the mail server still tells of them"
is "" "$(cat "$dir/err")" "nothing to complain of"
wire_end
