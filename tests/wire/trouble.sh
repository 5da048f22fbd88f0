#!/bin/bash
# trouble.sh - what goes wrong on a host: files of the site that are damaged, a port that somebody else has, a disk that is
# full or read-only.  Each is told in a line with the file and what to do, nothing is taken for done that was not, and when
# the trouble is over all goes on.  Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
wire_needs ip perl python3 mount
wire_root
wire_inside trouble "$0" "$@"
unset OUTPOST_SITE

dir=$(mktemp -d)
chmod 755 "$dir"
site=$dir/site
pids=()
# shellcheck disable=SC2317 # called by the trap
stop() {
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done
	wait 2>/dev/null
	umount "$dir/full" "$dir/readonly" 2>/dev/null
	rm -rf "$dir"
}
trap stop EXIT
for i in 1 2 3 4 5 6; do ip addr add 127.0.53.$i/32 dev lo 2>/dev/null; done
wire_site 6 "$PWD/zones/catalogue"
token=$(wire_token quick)

# told CODE FILE WORDS WHAT COMMAND...: it ends with this code, and one line names the file and has the words.
told() {
	local code=$1 file=$2 words=$3 what=$4 is
	shift 4
	timeout 60 "$@" >"$dir/out" 2>"$dir/err" </dev/null
	is=$?
	[[ $is == "$code" && $(grep -F "$file" "$dir/err") == *"$words"* ]]
	result $? "$what" "code $is: $(cat "$dir/err")"
}
# damaged FILE WORDS WHAT COMMAND...: the same while this file of the site is garbage; then it is as it was.
damaged() {
	local file=$1 code=2
	[[ $file == state/* ]] && code=0
	[[ $file == state/keys.jsonl || $file == state/optouts.jsonl ]] && code=3
	rm -rf "$dir/saved"
	[[ ! -e $site/$file ]] || cp -a "$site/$file" "$dir/saved"
	printf 'one "line\nand another' >"$site/$file"
	[[ $file != state/* ]] || printf '\n' >>"$site/$file"
	told $code "$site/$file" "$2" "$3" "${@:4}"
	rm "$site/$file"
	[[ ! -e $dir/saved ]] || mv "$dir/saved" "$site/$file"
}

# --- damaged ---
front=$(sed -n '1s/.*"front":"\([0-9a-f]\{16\}\).*/\1/p' "$site/state/fronts.jsonl")
damaged keys/site.secret "restore it from a backup" "a damaged secret" "$OUTPOST" run -C "$site"
mv "$site/keys/site.secret" "$dir/secret"
told 2 "$site/keys/site.secret" "restore it from a backup" "a secret that is gone" "$OUTPOST" run -C "$site"
mv -n "$dir/secret" "$site/keys/site.secret"
damaged keys/dkim.pem "restore it from a backup, or remove it" "a damaged key that signs mail" "$OUTPOST" run -C "$site"
damaged "keys/front-$front.pem" "restore it from a backup, or remove it" "a damaged key of a front" "$OUTPOST" run -C "$site"
damaged certs/ca.pem "restore it from a backup, or remove it" "a damaged certificate" "$OUTPOST" run -C "$site"
cert=$(cd "$site" && echo certs/front-"$front"-*.pem)
damaged "$cert" "restore it from a backup, or remove it" "a damaged certificate of a front" "$BUILD/smtpd" -C "$site"
grep '' "$site/state/enrol.jsonl" >"$dir/enrol"
sed -i '1i nonsense' "$site/state/enrol.jsonl"
told 0 "$site/state/enrol.jsonl" ".jsonl:1: " "a damaged line of enrolments: its number, and the others are read" "$OUTPOST" report -C "$site" "$token" --fail-on violates
mv "$dir/enrol" "$site/state/enrol.jsonl"
damaged state/check.jsonl ".jsonl:2: " "of what was checked" "$OUTPOST" report -C "$site" "$token"
damaged state/mail.jsonl "mend it or take it out" "of mail to the operator" "$OUTPOST" mail -C "$site"
damaged state/keys.jsonl ".jsonl:1: " "of keys: none is good" "$OUTPOST" key list -C "$site"
damaged state/optouts.jsonl ".jsonl:1: " "of opt-outs: no mail leaves" "$OUTPOST" optout list -C "$site"

# --- the port of somebody else ---
python3 -c 'import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.53.5", 25))
s.listen()
print("ready", flush=True)
time.sleep(120)' >"$dir/taker" &
taker=$!
pids+=($taker)
wait_for 20 grep -q ready "$dir/taker"
told 3 "127.0.53.5 port 25/tcp" "in use by python3 (pid $taker)" "a port that somebody else has: who" "$OUTPOST" run -C "$site"
! grep -q "serving" "$dir/err"
result $? "and nobody was told that the site serves" "$(cat "$dir/err")"
kill "$taker" && wait "$taker" 2>/dev/null

# --- a disk that is read-only ---
mkdir "$dir/readonly"
mount --bind "$site" "$dir/readonly" && mount -o remount,ro,bind "$dir/readonly" || wire_bail "no read-only mount"
told 3 "$dir/readonly/run/run.lock" "mounted read-only" "run on a disk that is read-only" "$OUTPOST" run -C "$dir/readonly"
told 3 "$dir/readonly/state/enrol.jsonl" "mounted read-only" "enrol there" "$OUTPOST" enrol -C "$dir/readonly"
told 3 "$dir/readonly" "mounted read-only" "expire there" "$OUTPOST" expire -C "$dir/readonly"
umount "$dir/readonly"

# --- a disk that is full ---
mkdir "$dir/full"
mount -t tmpfs -o size=16m,mode=755 tmpfs "$dir/full" || wire_bail "no tmpfs"
printf '%s\n' 'workers 1' 'memory-slots 1024' 'smtp-commands 100000' 'segment-reserve 64K' 'web 0' 'verify none' 'tap 0' >>"$site/outpost.conf"
cp -a "$site" "$dir/full/site"
site=$dir/full/site
: >"$dir/log"
"$OUTPOST" run -C "$site" 2>"$dir/log" &
run=$!
pids+=($run)
wait_for 60 grep -q serving "$dir/log"
result $? "a site on a small disk" "$(cat "$dir/log")"
cat >"$dir/send.py" <<'PY'
# send.py ADDRESS RECIPIENT COUNT: tells the number of each message that was accepted.
import smtplib, sys
try:
    s = smtplib.SMTP(sys.argv[1], 25, "mx.sender.example", timeout=20)
    for i in range(int(sys.argv[3])):
        s.sendmail("me@sender.example", [sys.argv[2]], "Message-ID: <m%d@sender.example>\r\nX-Pad: %s\r\n\r\nhello\r\n" % (i, "x " * 4000))
        print(i, flush=True)
except (OSError, smtplib.SMTPException) as e:
    print("ended:", e, file=sys.stderr)
PY
host=$(address "$(sed -n 's/^number *//p' zones/catalogue/dual.test)")
mailbox=probe@$token.dual.outpost.example
is 0 "$(python3 "$dir/send.py" "$host" "$mailbox" 1 2>&1)" "takes mail"
python3 "$dir/send.py" "$host" "$mailbox" 3000 >"$dir/accepted" 2>"$dir/ended" &
pids+=($!)
wait_for 60 test -s "$dir/accepted"
cat /dev/zero >"$dir/full/filler" 2>/dev/null
wait_for 60 grep -q 'smtpd.*cannot go on' "$dir/log"
result $? "smtpd stops when its events cannot be written" "$(tail -n 5 "$dir/log")"
has "No space left on device" "$(cat "$dir/log")" "and says why"
wait_for 60 grep -q ended "$dir/ended"
result $? "the sender is not answered any more" "$(cat "$dir/ended"; wc -l <"$dir/accepted")"
{ echo address && seq -f 'someone%g@a.example' 300; } >"$dir/people.csv"
told 3 "$site/state/" "free some space" "enrol on a full disk" "$OUTPOST" enrol --csv "$dir/people.csv" -C "$site"
told 3 "$site/state/keys.jsonl" "free some space" "key add there" "$OUTPOST" key add -C "$site" somebody
told 3 "$site/state/optouts.jsonl" "free some space" "optout add there" "$OUTPOST" optout add -C "$site" a@b.example
told 3 "$site/state/released.jsonl" "free some space" "release there" "$OUTPOST" release -C "$site" "$token"
lines=$(cat "$site"/state/*.jsonl | wc -l)
[[ $lines == "$(cat "$dir/site"/state/*.jsonl | wc -l)" && -z $(tail -qc 1 "$site"/state/*.jsonl | tr -d '\n') ]]
result $? "nothing of it stands in the journals, not in part either"
! grep -q 'cannot load: \(cannot rollback\|not an error\)' "$dir/log"
result $? "nor does loading hide why it failed" "$(grep -m 1 'cannot load' "$dir/log")"
rm "$dir/full/filler"
again() { [[ $(python3 "$dir/send.py" "$host" "$mailbox" 1 2>/dev/null) == 0 ]]; }
wait_for 90 again
result $? "with room again it goes on by itself" "$(tail -n 5 "$dir/log")"
cat "$site"/log/*.jsonl | grep -a '"ev":"smtp.message"' | grep -ao '<m[0-9]*@' | tr -dc '0-9\n' | sort -u >"$dir/logged"
sort -u "$dir/accepted" | comm -23 - "$dir/logged" >"$dir/lost"
[[ -s $dir/accepted && ! -s $dir/lost ]]
result $? "all $(wc -l <"$dir/accepted") messages that were accepted are in the log" "$(wc -l <"$dir/lost") are not"
told 0 "" "" "a participant can be enrolled again" "$OUTPOST" enrol -C "$site"
kill "$run" && wait "$run"
result $? "and it stops as it should" "$(tail -n 5 "$dir/log")"
wire_end
