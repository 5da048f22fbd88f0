#!/bin/bash
# front.sh - the front door on loopback: who wants no mail gets none, who is forgotten is in no file of the site any more, what is
# too old goes.  Prints TAP.
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
	[[ $smtpd ]] && kill "$smtpd" 2>/dev/null && wait "$smtpd"
	[[ $web ]] && kill "$web" 2>/dev/null && wait "$web"
	rm -rf "$dir"
}
trap stop EXIT
export OUTPOST_CLOCK_OFFSET=$offset
smtp=$(free_port 127.0.54.1)
web_site 127.0.54.1 --smtp-port "$smtp"
printf '%s\n' 'tap 0' 'workers 1' 'verify none' "https-port $((smtp > 60000 ? smtp - 1 : smtp + 1))" >>"$site/outpost.conf"
out() { "$OUTPOST" optout check "$@" -C "$site" >/dev/null 2>&1; (($? == 1)); }

# --- no mail ---------------------------------------------------------------------------------------------
start 'web-contact ops@outpost.example' 'web-optout-client 2' 'retention 90d'
form=$(tls "$url/optout" | form_of)
has 'gets no mail from this site any' "$(tls -d "form=$form&address=Ann%40Shop.Example" "$url/optout" | tr '\n' ' ')" "an opt-out by the form"
out ann@shop.example
result $? "the command knows it"
! out bob@shop.example
result $? "nobody else is out"
is 0 "$(cat "$site"/state/optouts.jsonl | grep -ci 'ann\|shop')" "the list names nobody"
is 200 "$(status tls -d "form=$form&address=ann%40shop.example" "$url/optout")" "twice is like once"
is 1 "$("$OUTPOST" optout list --json -C "$site" | jq -s length)" "and is on the list once"
is 422 "$(status tls -d "form=$form&address=shop.example" "$url/optout")" "a whole domain is the operator's to add"
is 422 "$(status tls -d "form=$form&address=a%40b.c%0aBcc:x%40y.z" "$url/optout")" "a line end in an address"
is 403 "$(status tls -d "address=carl%40shop.example" "$url/optout")" "without the form's proof"
is 429 "$(status tls -d "form=$form&address=c%40shop.example" "$url/optout")" "not the third of a network: web-optout-client, which counts the second alike, so that it tells nobody who is out"
is 404 "$(status tls -d List-Unsubscribe=One-Click "$url/optout/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")" "a link that is none of ours"
"$OUTPOST" optout add -C "$site" nomail.example 192.0.2.0/24 AS64500 >/dev/null
result $? "a domain, a network and a number by the command"
out x@sub.nomail.example && out 192.0.2.7 && out AS64500 && ! out 192.0.3.1
result $? "they hold for what is below them"
"$OUTPOST" optout add -C "$site" good.example 'not good' >/dev/null 2>"$dir/err"
is 2 $? "one that cannot be read is a mistake"
! out good.example
result $? "then none of them is added"
is 4 "$("$OUTPOST" optout list --json -C "$site" | jq -s length)" "the list as JSON"
has 'removed after <b>90 d</b>' "$(tls "$url/privacy" | tr '\n' ' ')" "the privacy page says how long all is kept"

there() { [[ $(status tls "$url$(sed -n 2p "$dir/runs")") == 200 ]]; }

# --- forgotten -------------------------------------------------------------------------------------------
form=$(tls "$url/" | form_of)
for _ in 1 2; do tls -i -d "form=$form&set=quick" "$url/run" | location; done >"$dir/runs"
a=$(jq -r .token "$site/state/enrol.jsonl" | sed -n 1p)
b=$(jq -r .token "$site/state/enrol.jsonl" | sed -n 2p)
event() { # SEGMENT N EV REST
	printf '{"v":1,"t":"%s","node":"a","d":"smtpd","w":0,"n":%s,"ev":"%s"%s}\n' "$(date -u +%Y-%m-%dT%H:%M:%S.000000Z)" "$2" "$3" "$4" >>"$site/log/$1"
}
event a-smtpd-0-1.jsonl 1 smtp.connect ',"conn":"0-1","peer":"192.0.2.9"'
event a-smtpd-0-1.jsonl 2 smtp.mail ",\"conn\":\"0-1\",\"token\":\"$a\",\"test\":\"dual\",\"from\":\"Zoe@shop.example\""
event a-smtpd-0-1.jsonl 3 smtp.mail ",\"conn\":\"0-2\",\"token\":\"$b\",\"test\":\"dual\""
event a-authdns-0-1.jsonl 1 dns.query ",\"qname\":\"$(tr a-z A-Z <<<"$a").dual.outpost.example\""
octet=$(stat -c %s "$site/log/a-smtpd-0-1.jsonl")
echo 'no event' >>"$site/log/a-smtpd-0-1.jsonl"
has "log/a-smtpd-0-1.jsonl: at octet $octet: no event" "$("$OUTPOST" ingest -C "$site" 2>&1 >/dev/null)" "a line that is no event: where it stands"
everywhere() { grep -raicF -- "$1" "$site" | grep -vc ':0$'; }
[[ $(everywhere "$a") -ge 4 && $(everywhere zoe@shop.example) -ge 2 ]]
result $? "before: it is in journals, logs and store" "$(everywhere "$a")"
json=$("$OUTPOST" forget --json zoe@shop.example -C "$site" 2>"$dir/err")
result $? "outpost forget ADDRESS" "$(cat "$dir/err") $json"
is '["zoe@shop.example","'"$a"'"]' "$(jq -c .forgotten <<<"$json")" "the address led to the token"
is '0 2 3 3' "$(jq -r '"\(.proof.left) \(.state.lines) \(.log.lines) \(.store.rows)"' <<<"$json")" "nothing left, and what was taken out"
is 0 "$(everywhere "$a")" "no file of the site has the token"
is 0 "$(everywhere zoe@shop.example)" "nor the address"
[[ $(everywhere "$b") -ge 3 ]] && is 1 "$("$OUTPOST" events "$b" -C "$site" | wc -l)" "the other participant is whole"
gone() { [[ $(status tls "$url$(sed -n 1p "$dir/runs")") == 404 ]]; }
wait_for 20 gone
result $? "its page is gone"
is 200 "$(status tls "$url$(sed -n 2p "$dir/runs")")" "that of the other is not"
"$OUTPOST" ingest -C "$site" 2>"$dir/err" >/dev/null && [[ ! -s $dir/err ]]
result $? "the shorter segments are no damage" "$(cat "$dir/err")"
rm "$site"/store.db*
is 0 "$("$OUTPOST" events "$a" -C "$site" | wc -l)" "a store built anew knows nothing either"
is "$(stat -c %u:%g "$site/log")" "$(stat -c %u:%g "$site"/store.db* | sort -u)" "and it belongs to those who write the logs"
is '200 200' "$(status tls "$url/") $(wait_for 20 there && status tls "$url$(sed -n 2p "$dir/runs")")" "the web site outlives that"
# A segment that is being written is left alone, and said.
event a-smtpd-9-1.jsonl 1 smtp.mail ",\"conn\":\"0-3\",\"token\":\"$b\",\"test\":\"dual\""
flock "$site/log/a-smtpd-9-1.jsonl" sleep 2 &
locked=$!
wait_for 10 bash -c "! flock -n '$site/log/a-smtpd-9-1.jsonl' true"
"$OUTPOST" forget "$b" -C "$site" >"$dir/out" 2>"$dir/err"
result $? "a segment that is still written is waited for" "$(cat "$dir/err")"
wait "$locked"
is 0 "$(everywhere "$b")" "and cleaned then"
has 'nothing is left.' "$(cat "$dir/out")" "it says so"

# --- invited ---------------------------------------------------------------------------------------------
mkdir "$dir/mail"
cat >"$dir/sendmail" <<'MTA'
#!/bin/sh
# As a mail system takes messages: into a file each, with what it was called with.
dir=$(dirname "$0")
[ -e "$dir/down" ] && { echo "try again later"; exit 75; }
n=$(ls "$dir/mail" | wc -l)
{ echo "$*"; cat; } >"$dir/mail/$n"
MTA
chmod +x "$dir/sendmail"
restart "mail-program $dir/sendmail" 'mail-rate 3600000' 'mail-per-address 1' 'mail-per-domain 3' 'retention 90d'
invite() { "$OUTPOST" invite -C "$site" "$@" 2>"$dir/err"; }
ask() { tls -d "form=$(tls "$url/" | form_of)&set=quick&address=$1" "$url/invite"; }
has 'We write to you' "$(ask 'Reader%40Post.Example')" "mail me"
has 'We write to you' "$(ask ann%40shop.example)" "who opted out hears the same"
is 1 "$(jq -s 'map(select(.state == "asked")) | length' "$site/state/invitations.jsonl")" "but is not asked for"
has 'We write to you' "$(ask reader%40post.example)" "who was asked for already hears the same"
has 'We write to you' "$(ask READER%2Bmore%40post.example.)" "under another of his names as well"
has 'We write to you' "$(ask probe%40x.dual.outpost.example)" "an address of ours does too"
is 1 "$(jq -s 'map(select(.state == "asked")) | length' "$site/state/invitations.jsonl")" "mail-per-address is for a day, a mailbox, and never ourselves"
is 0 "$(grep -c 'ann\|READER\|dual.outpost' "$site/state/invitations.jsonl")" "and of those nothing is kept"
is 422 "$(status tls -d "form=$(tls "$url/" | form_of)&set=quick&address=reader" "$url/invite")" "what is no address is said to be none"
touch "$dir/down"
invite --quiet
is 3 $? "a mail system that is down"
is asked "$(jq -r .state "$site/state/invitations.jsonl" | tail -n 1)" "then it is tried again"
rm "$dir/down"
has '1 written to' "$(invite)" "outpost invite"
token=$(jq -r .token "$site/state/invitations.jsonl" | tail -n 1)
is 2 "$(ls "$dir/mail" | wc -l)" "a message for each batch"
is "-i -f bounce@$token.out.outpost.example -- reader@post.example" "$(head -n 1 "$dir/mail/0")" "its envelope"
sed 1d "$dir/mail/0" >"$dir/message"
! grep -q $'\r' "$dir/message" && [[ $(grep -c "^ probe@$token\." "$dir/message") -ge 4 ]]
result $? "lines as the interface wants them, addresses in To and Reply-To" "$(head -n 40 "$dir/message")"
public=$(openssl pkey -in "$site/keys/dkim.pem" -pubout -outform DER 2>/dev/null | base64 -w 0)
cat >"$dir/answers" <<ANSWERS
s1._domainkey.$token.out.outpost.example TXT "v=DKIM1; k=rsa; p=${public:0:200}" "${public:200}"
_dmarc.$token.out.outpost.example TXT "v=DMARC1; p=none"
$token.out.outpost.example TXT "v=spf1 ip4:192.0.2.25 -all"
ANSWERS
for i in 0 1; do
	sed 1d "$dir/mail/$i" >"$dir/message"
	"$OUTPOST" verify --client 192.0.2.25 --helo mail.outpost.example --from "bounce@$token.out.outpost.example" --answers "$dir/answers" \
		--at "$(date -u -d "@$(($(date +%s) + offset + 90000))" +%Y-%m-%dT%H:%M:%SZ)" --fail-on dkim --fail-on dmarc --json "$dir/message" >"$dir/verified" 2>"$dir/err"
	result $? "message $i: DKIM and DMARC pass, for our verifier" "$(cat "$dir/err" "$dir/verified")"
done
page=$(grep -o 'https://[^ ]*/run/[a-z2-7]*' "$dir/message" | head -n 1)
is 200 "$(status tls "$page")" "the page that it names"
link=$(sed -n 's/^List-Unsubscribe: <\(.*\)>$/\1/p' "$dir/message")
has 'List-Unsubscribe-Post: List-Unsubscribe=One-Click' "$(cat "$dir/message")" "one click is offered"
has 'No more mail' "$(tls "$link")" "the way out, for people"
! out reader@post.example
result $? "a scanner that follows it changes nothing"
is 200 "$(status tls -d List-Unsubscribe=One-Click "$link")" "one click"
out reader@post.example
result $? "is an opt-out"
is "invitation $token" "$("$OUTPOST" events "$token" -C "$site" | jq -r 'select(.ev == "out.sent") | "\(.what) \(.token)"' | head -n 1)" "it is an observation"
OUTPOST_CLOCK_OFFSET=$((offset + 5 * 86400)) invite --remind 3 >/dev/null
is 2 "$(ls "$dir/mail" | wc -l)" "no reminder to who opted out"

# --- many ------------------------------------------------------------------------------------------------
printf 'address,label,tags\n"b1@bulk.example","One, Ltd",x\nb2@bulk.example,,\nAnn@shop.example,,\nb3@bulk.example,,\nb4@bulk.example,,\n' >"$dir/people.csv"
printf 'address\nb1@bulk.example\nno address\n"open' >"$dir/wrong.csv"
enrol() { "$OUTPOST" enrol -C "$site" --set quick --csv "$@" 2>"$dir/err"; }
before=$(cat "$site"/state/*.jsonl | wc -l)
enrol "$dir/wrong.csv"
is 2 $? "a list with mistakes"
[[ $(cat "$dir/err") == *"wrong.csv:3: "*"wrong.csv:4: "* ]]
result $? "each with its line" "$(cat "$dir/err")"
enrol "$dir/people.csv" --dry-run >/dev/null
has '4 would be enrolled, 0 were there already, 1 opted out' "$(cat "$dir/err")" "a dry run"
is "$before" "$(cat "$site"/state/*.jsonl | wc -l)" "neither changed anything"
is 4 "$(enrol "$dir/people.csv" | wc -l)" "outpost enrol --csv"
is 0 "$(enrol "$dir/people.csv" | wc -l)" "a second time enrols nobody"
has '3 written to, 0 get none, 1 wait for another day' "$(invite)" "mail-per-domain is for a day"
has '0 written to, 0 get none, 1 wait' "$(invite)" "nobody is written to twice"
has '1 written to' "$(OUTPOST_CLOCK_OFFSET=$((offset + 86401)) invite)" "the rest a day later"
"$OUTPOST" optout add b2@bulk.example -C "$site" >/dev/null
bounced=$(jq -r 'select(.address == "b3@bulk.example") | .token' "$site/state/invitations.jsonl")
event a-smtpd-8-1.jsonl 1 smtp.dsn ",\"conn\":\"0-4\",\"token\":\"$bounced\",\"test\":\"out\",\"from\":\"\",\"reply\":250"
has '1 written to, 1 get none' "$(OUTPOST_CLOCK_OFFSET=$((offset + 4 * 86400)) invite --remind 4)" "reminders, but to who opted out, or whose invitation bounced"
grep -q '^Subject: Reminder' "$dir/mail/$(($(ls "$dir/mail" | wc -l) - 1))"
result $? "say that they are"
has '1 written to' "$(OUTPOST_CLOCK_OFFSET=$((offset + 6 * 86400)) invite --remind 4)" "once each"
is '{"asked":0,"begun":0,"sent":3,"reminded":2,"extra":0,"refused":2}' "$("$OUTPOST" invite --status --json -C "$site")" "how far it is"

# --- answered --------------------------------------------------------------------------------------------
printf 'address\nc1@more.example\nc2@more.example\n' >"$dir/people.csv"
"$OUTPOST" enrol -C "$site" --set full --csv "$dir/people.csv" >/dev/null 2>"$dir/err"
has '2 written to' "$(invite)" "the whole catalogue"
for i in 1 2; do
	token=$(jq -r "select(.address == \"c$i@more.example\") | .token" "$site/state/invitations.jsonl")
	event "a-smtpd-8-2.jsonl" $i smtp.message ",\"conn\":\"0-5\",\"token\":\"$token\",\"test\":\"dual\",\"from\":\"c$i@more.example\",\"reply\":250"
done
mails=$(ls "$dir/mail" | wc -l)
has '0 written to, 0 get none, 2 wait' "$(invite)" "mail-per-address holds for what follows an answer"
"$OUTPOST" optout add c2@more.example -C "$site" >/dev/null
later() { OUTPOST_CLOCK_OFFSET=$((offset + 86401)) invite "$@"; }
touch "$dir/down"
later --quiet
is 3 $? "a mail system that is down"
rm "$dir/down"
has '0 written to, 0 get none' "$(OUTPOST_CLOCK_OFFSET=$((offset + 15 * 86400)) invite)" "mail-extra is for two weeks"
has '1 written to, 1 get none' "$(later)" "then it is tried again, but not for who opted out"
is 3 $(($(ls "$dir/mail" | wc -l) - mails)) "three messages"
has '0 written to, 0 get none' "$(OUTPOST_CLOCK_OFFSET=$((offset + 9 * 86400)) invite --remind 4)" "never twice, and no reminder"

# --- robots ------------------------------------------------------------------------------------------------
# An out-of-office, our own mail in a loop, a list that explodes: what comes is recorded, and nothing ever leaves because of it.
"$BUILD/smtpd" -q -C "$site" 2>"$dir/smtpd.log" &
smtpd=$!
smtp_listens() { (: <>"/dev/tcp/127.0.54.1/$smtp") 2>/dev/null; }
wait_for 30 smtp_listens
token=$("$OUTPOST" enrol --set dual --json -C "$site" | jq -r .token)
mails=$(ls "$dir/mail" | wc -l) state=$(cat "$site"/state/*.jsonl | wc -l)
said=$(python3 - "$smtp" "$token" "$dir/message" <<'PY'
import smtplib, sys
port, token, ours = int(sys.argv[1]), sys.argv[2], open(sys.argv[3], newline="").read().replace("\n", "\r\n")
to = f"probe@{token}.dual.outpost.example"
office = f"From: reader@post.example\r\nTo: {to}\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\n\r\nBack on Monday.\r\n"
loop = "".join(f"Received: from a{i}.example by b{i}.example; Sun, 22 Nov 2026 00:00:00 +0000\r\n" for i in range(60)) + ours
exploded = f"From: list@post.example\r\nTo: {to}\r\nSubject: [list] hello\r\nList-Id: <list.post.example>\r\nPrecedence: list\r\nMessage-ID: <one@post.example>\r\n\r\nHello.\r\n"
def send(sender, text):
    for host in range(1, 5):
        try:
            with smtplib.SMTP(f"127.0.54.{host}", port, timeout=60, local_hostname="mx.post.example") as s:
                s.sendmail(sender, [to], text)
                return True
        except (smtplib.SMTPException, OSError):
            continue
    return False
print(sum([send("", office), send("invitation@" + token + ".out.outpost.example", loop)] + [send(f"list-{i}@post.example", exploded) for i in range(20)]))
PY
)
is 22 "$said" "an out-of-office, a loop and a list that explodes are taken"
is 22 "$("$OUTPOST" events "$token" -C "$site" | jq -r 'select(.ev == "smtp.message" and .reply == 250) | .ev' | wc -l)" "and recorded" "$(cat "$dir/smtpd.log")"
has '0 written to' "$(invite)" "nobody is to be written to because of them"
is "$mails $state" "$(ls "$dir/mail" | wc -l) $(cat "$site"/state/*.jsonl | wc -l)" "no mail left, nobody was enrolled"
"$OUTPOST" forget "$token" -C "$site" >"$dir/out" 2>"$dir/err"
result $? "who is in the segment of a daemon that serves can be forgotten" "$(cat "$dir/out" "$dir/err")"
is 0 "$(everywhere "$token")" "the daemon began another one"
kill -0 "$smtpd" && wait_for 30 smtp_listens
result $? "and goes on serving"
kill "$smtpd" && wait "$smtpd"
smtpd=''

# --- programs ----------------------------------------------------------------------------------------------
key=$("$OUTPOST" key add --limit 2 "CI of an MTA" -C "$site" 2>/dev/null)
api() { tls -H "Authorization: Bearer $key" "$@"; }
begin() { api -H 'Content-Type: application/json' "$url/api/v1/runs" "$@"; }
is 0 "$(grep -c "${key##*_}" "$site/state/keys.jsonl")" "a key is kept as a hash"
out=$(begin -i -d '{"set":"quick","label":"a<b>"}')
run=$(location <<<"$out")
[[ $out == *' 201 '* && $run =~ ^/api/v1/runs/[a-z2-7]{26}$ ]]
result $? "a run is begun" "$out"
out=$(api "$url$run")
is 'quick a<b> false false true' "$(jq -r '"\(.set) \(.label) \(.done) \(.final) \(.messages[0].recipients | length > 1)"' <<<"$out")" "it says what to send and that it is not done"
is "$(jq -r .token <<<"$out")" "$(api "$url$run/report" | jq -r .token)" "its report"
is 200 "$(status tls "$(jq -r .page <<<"$out")")" "its page"
is dual "$(api "$url/api/v1/tests" | jq -r '.tests[] | select(.number == 1) | .test')" "the catalogue"
is 3.0.3 "$(tls "$url/api/v1/openapi.json" | jq -r .openapi)" "the description, without a key"
out=$(tls -i "$url$run")
[[ $out == *' 401 '* && $out == *'WWW-Authenticate: Bearer'* && $out == *'application/problem+json'* ]]
result $? "no key: 401 and a problem document" "$out"
is 401 "$(key=${key%?}0 && status api "$url$run")" "a wrong key"
is '404 404' "$(api "$url/api/v1/runs/aaaaaaaaaaaaaaaaaaaaaaaaaa" | jq -r .status) $(api "$url/api/v1/nothing" | jq -r .status)" "what is not there"
is 405 "$(api -X DELETE "$url$run" | jq -r .status)" "what is not done"
is 415 "$(api -d set=quick "$url/api/v1/runs" | jq -r .status)" "a form is no JSON"
is '400 400 422 422 422' "$(for body in '{' '[]' '{"set":7}' '{"set":"nothing"}' "{\"label\":\"$(printf %256s)\"}"; do begin -d "$body" | jq -r .status; done | xargs)" "bodies that cannot be"
is 413 "$(begin -d "{\"label\":\"$(printf %4096s)\"}" | jq -r .status)" "a body that is too long"
is '201 429' "$(begin -o /dev/null -w '%{http_code} ' -d '{}')$(begin -d '{}' | jq -r .status)" "as many runs a day as the key may begin"
"$OUTPOST" key revoke "$("$OUTPOST" key list --json -C "$site" | jq -r .id)" -C "$site"
is 401 "$(status api "$url$run")" "a key that was revoked"

# --- who asks learns nothing -------------------------------------------------------------------------------
restart "mail-program $dir/sendmail" 'web-proxy 127.0.54.9' 'web-enrol-client 2' 'web-enrol-domain 3' 'web-enrol-all 1000' 'mail-per-domain 1' 'mail-per-address 1' 'retention 90d' 'mail-rate 1' 'node-number 15'
by() { tls --interface 127.0.54.9 -H "X-Forwarded-For: $1" "${@:2}"; } # CLIENT OPTIONS...
lines() { cat "$site"/state/*.jsonl | wc -l; }
# cost CLIENT ADDRESS: what is said, and how many lines are written down for it
cost() {
	local before said
	before=$(lines)
	said=$(status by "$1" -d "form=$(tls "$url/" | form_of)&set=quick&address=${2/@/%40}" "$url/invite")
	echo "$said $(($(lines) - before))"
}
"$OUTPOST" optout add someone@known.example known3.example -C "$site" >/dev/null
same='' k=0
for who in someone@known.example else@known2.example x@y.known3.example probe@x.dual.outpost.example; do
	client=198.51.100.$((++k))
	[[ $(cost $client $who) == '200 3' && $(cost $client $who) == '200 3' && $(cost $client $who) == '429 0' ]] || same+=" $who"
done
[[ -z $same ]]
result $? "who is out, who is not, who is ours: one answer, one cost, and counted alike" "$same"
is 1 "$(jq -s 'map(select(.address == "else@known2.example")) | length' "$site/state/invitations.jsonl")" "and one mailbox is asked for once, at mail-per-domain"
is '200 3 200 3 200 3 429 0' "$(for i in 1 2 3 4; do cost 203.0.113.$i "u$i@sub$i.shop.co.uk"; done | xargs)" "web-enrol-domain: three invitations to what one holder has, the fourth is refused"
is '200 3' "$(cost 203.0.113.5 u@other.co.uk)" "another holder below the same suffix has his own"

[[ $(tail -n 1 "$site/state/enrol.jsonl" | jq -r .token) == [67]* ]]
result $? "node-number is in the first bits of a token" "$(tail -n 1 "$site/state/enrol.jsonl")"
sent() { jq -s 'map(select(.state == "sent")) | length' "$site/state/invitations.jsonl"; }
before=$(sent)
"$OUTPOST" invite -C "$site" >"$dir/out" 2>"$dir/err" &
invite=$!
first() { (($(sent) > before)); }
wait_for 30 first
result $? "mail-rate 1: one participant is written to at once" "$(cat "$dir/out" "$dir/err")"
sleep 1
kill "$invite" && wait "$invite"
is "$((before + 1)) 1 written to" "$(sent) $(grep -o '1 written to' "$dir/out")" "and the next in an hour"
is '2 written to' "$(invite --rate 1000000 | grep -o '2 written to')" "at another rate those who may be today, one for each holder of a domain"

# --- too old ---------------------------------------------------------------------------------------------
tls -o /dev/null -d "form=$form&set=quick" "$url/run"
event a-smtpd-7-1.jsonl 1 smtp.connect ',"conn":"0-8"'
before=$(wc -l <"$site/state/optouts.jsonl")
invited=$(wc -l <"$site/state/invitations.jsonl")
runs=$(wc -l <"$site/state/runs.jsonl")
"$OUTPOST" expire -C "$site" >/dev/null
is "$runs" "$(wc -l <"$site/state/runs.jsonl")" "what is young stays"
json=$(OUTPOST_CLOCK_OFFSET=$((offset + 100 * 86400)) "$OUTPOST" expire --json -C "$site")
is 0 "$(jq '.lines - 2 * '"$runs"' - '"$invited" <<<"$json")" "outpost expire after the retention"
[[ -z $(ls "$site/log") && ! -s $site/state/runs.jsonl && ! -s $site/state/enrol.jsonl ]]
result $? "segments, runs and enrolments are gone" "$(ls "$site/log")"
is "$before" "$(wc -l <"$site/state/optouts.jsonl")" "opt-outs are kept for ever"
wire_end
