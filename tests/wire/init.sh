#!/bin/bash
# init.sh - outpost init, tests, enrol, manual as a user meets them: output, exit codes, idempotence,
# refusal.  Needs no network.  Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
unset OUTPOST_SITE

# run CODE WHAT ARGUMENT...: the exit code must be this; leaves $out and $err.
run() {
	local code=$1 what=$2 is
	shift 2
	"$OUTPOST" "$@" >"$dir/out" 2>"$dir/err"
	is=$?
	out=$(cat "$dir/out") err=$(cat "$dir/err")
	[[ $is == "$code" ]]
	result $? "$what" "code $is: $err"
}

site=$dir/site
init=(init "$site" --base Outpost.Example --ipv4 192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4 --ipv4 192.0.2.5
	--ipv6 2001:db8:53::/64 --user "" --dns-port 10053 --smtp-port 10025 --catalogue zones/catalogue)

run 2 "init without options makes no site" init "$site"
has "--base" "$err" "and says which are missing"
run 0 "init makes a site" "${init[@]}"
records=$(grep -v '^;' "$dir/out")
[[ $(grep -c . <<<"$records") == 4 ]]
result $? "what the parent publishes is four records" "$records"
has "outpost.example. 3600 IN NS ns.outpost.example." "$records" "NS"
has "outpost.example. 3600 IN DS " "$records" "DS"
has "ns.outpost.example. 3600 IN A 192.0.2.1" "$records" "glue A"
has "ns.outpost.example. 3600 IN AAAA 2001:db8:53::" "$records" "glue AAAA"
[[ -s $site/nftables.conf && -s $site/certs/ca.pem && -s $site/state/fronts.jsonl ]]
result $? "rules, CA and fronts are there"
[[ $(stat -c %a "$site/keys") == 700 && $(find "$site/keys" -type f ! -perm 600 | wc -l) == 0 ]]
result $? "keys are private"

state() { (cd "$site" && find . -type f -printf '%p %s %T@ %m\n' | sort && find . -type f -exec cksum {} + | sort); }
before=$(state)
run 0 "init on it again" init "$site"
run 0 "init with the same options again" "${init[@]}"
[[ $before == "$(state)" ]]
result $? "and nothing was touched"
run 2 "init with another base is refused" init "$site" --base other.example
has "says something else about base" "$err" "and says why"
run 2 "init with other addresses is refused" init "$site" --ipv4 192.0.2.99
[[ $before == "$(state)" ]]
result $? "and nothing was touched"
mkdir "$dir/other" && touch "$dir/other/letter"
run 2 "init in a directory of somebody else is refused" init "$dir/other" --base a.example --ipv4 192.0.2.1
[[ $(ls "$dir/other") == letter ]]
result $? "and left alone"
run 2 "init where there is no directory above" init "$dir/none/site" --base a.example --ipv4 192.0.2.1
has "make the one above it" "$err" "says what to do"

echo 'pace 0' >>"$site/outpost.conf"
run 2 "a mistake in outpost.conf is an error of usage" enrol -C "$site"
has "outpost.conf:" "$err" "with file and line"
[[ $(wc -l <"$dir/err") == 1 ]]
result $? "in one line"
sed -i '$d' "$site/outpost.conf"

# A 27th test: the file is enough.
cp -r zones/catalogue "$dir/catalogue" && cp zones/base.zone "$dir/"
sed -i "s,^catalogue .*,catalogue $dir/catalogue," "$site/outpost.conf"
sed -e 's/^test .*/test another/' -e 's/^number .*/number 999/' -e 's/^sets .*/sets standard/' \
	"$dir/catalogue/dual.test" >"$dir/catalogue/another.test"
run 0 "init gives a new test what it needs" init "$site"
has "1 certificates" "$(sed -n 's/made now: 0 keys, 2 certificates/1 certificates/p' <<<"$out")" "its own and its front's certificate"
[[ -n $(ls "$site"/certs/another.mx0.*.pem 2>/dev/null) ]]
result $? "the certificate of the new test is there"
run 0 "it is listed" tests another -C "$site"

run 0 "tests" tests --catalogue zones/catalogue
has "dane-ee-mismatch" "$out" "lists the catalogue"
run 0 "tests --json" tests --json --catalogue zones/catalogue
python3 -c 'import json,sys; t=json.load(sys.stdin)["tests"]; assert len(t) >= 26 and all(x["test"] and x["title"] for x in t)' <"$dir/out"
result $? "is JSON"
run 0 "tests --lint" tests --lint --catalogue zones/catalogue
sed -i '3s/^/nonsense /' "$dir/catalogue/another.test"
run 2 "tests --lint finds a mistake" tests --lint -C "$site"
has "another.test:3: " "$err" "and names file and line"
rm "$dir/catalogue/another.test"

run 0 "enrol --plain" enrol -C "$site" --set quick --plain "some one"
token=$(head -n 1 "$dir/out")
[[ $token =~ ^[a-z2-7]{16}$ ]]
result $? "begins with the token" "$out"
has "probe@$token.dual.outpost.example" "$(tail -n +2 "$dir/out")" "then the recipients"
mv "$site/keys/site.secret" "$dir/secret"
run 2 "init without the secret under which somebody was enrolled" init "$site"
has "site.secret: it is gone, but not state/enrol.jsonl: restore it from a backup" "$err" "says what to do"
[[ ! -e $site/keys/site.secret ]]
result $? "and makes no other"
mv "$dir/secret" "$site/keys/site.secret"
run 0 "enrol --json" enrol -C "$site" --set standard --json --label 'a "b"'
python3 -c 'import json,sys; e=json.load(sys.stdin); m=e["messages"]; assert e["label"] == "a \"b\"" and m and all(1 <= len(x["recipients"]) <= 25 for x in m)' <"$dir/out"
result $? "is JSON, at most 25 recipients a message"
run 2 "enrol for an unknown set" enrol -C "$site" --set nonsense
run 2 "report of a forged token" report -C "$site" aaaaaaaaaaaaaaaa
has "not a token of this site" "$err" "says so"
run 2 "report of no token" report -C "$site" hello
run 0 "events of a participant that sent nothing" events -C "$site" "$token"
[[ -z $out ]]
result $? "are none"
run 0 "report of it" report -C "$site" "$token" --json
python3 -c 'import json,sys; r=json.load(sys.stdin); assert r["token"] == sys.argv[1] and r["tests"]' "$token" <"$dir/out"
result $? "is JSON"
run 0 "report --fail-on violates holds for nobody yet" report -C "$site" "$token" --fail-on violates
run 1 "report --fail-on pending does" report -C "$site" "$token" --fail-on pending
run 2 "report --fail-on nonsense" report -C "$site" "$token" --fail-on nonsense
run 0 "ingest" ingest -C "$site"
run 2 "a site that is not there" ingest -C "$dir/nowhere"
has "outpost init" "$err" "says what to do"

run 0 "manual conf" manual conf
has "ipv4-front" "$out" "comes from the rows"
run 0 "manual events" manual events
run 0 "--version" --version
run 0 "--help" --help
for c in init run check tests enrol report events ingest manual; do
	run 0 "$c --help" $c --help
	has "usage: outpost $c" "$out" "says how to use it"
done
run 2 "an unknown command" nonsense
run 2 "an unknown option" tests --nonsense
run 2 "no command"
wire_end
