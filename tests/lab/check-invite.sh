#!/bin/bash
# check-invite.sh - an invitation from end to end: sent by the site's own Postfix, taken by a Postfix that asks OpenDKIM, OpenDMARC and
# policyd-spf, answered by Reply All; and what must not start a conversation: an out-of-office, a loop, a bounce at once, one later.
# shellcheck disable=SC2317 # functions are called by expect
set -uo pipefail
LAB_HOME=$(dirname "$(realpath "$0")")
# shellcheck source=lib/tap.sh
. "$LAB_HOME/lib/tap.sh"
# shellcheck source=lib/report.sh
. "$LAB_HOME/lib/report.sh"
# shellcheck source=lib/expect.sh
. "$LAB_HOME/lib/expect.sh"
LAB=checkinvite$$
PICTURE=postfix-mailbox+unbound-validating
boxes=(person away echo gone nobody)

command -v jq >/dev/null || tap_skip "jq is not installed"
command -v curl >/dev/null || tap_skip "curl is not installed"
tap_begin
export QUEUE_LIFETIME=15s
tap_lab checkinvite --pace 1000 ${CATALOGUE:+--catalogue "$CATALOGUE"}
export OUTPOST_SITE=$LAB_ROOT/$LAB/site
lab_dir=$LAB_ROOT/$LAB
at_site() { lab shell --name $LAB site -- "$@"; }
invite() { at_site "$OUTPOST" invite --rate 100000 2>&1; }

address=$(lab mailbox --name $LAB) || { echo 'Bail out! no mailbox'; exit 1; }
domain=${address#*@}
mail=$lab_dir/sender/postfix-mailbox/senders/mail
# A set without addresses cannot be answered: not a message goes out.
printf 'address\nbackup@%s\n' "$domain" >"$lab_dir/none.csv"
"$OUTPOST" enrol --set inbound --csv "$lab_dir/none.csv" >/dev/null 2>&1
expect "nobody is invited who has nothing to answer to" grep -q '^0 written to' <(invite)
{ echo address; printf "%s@$domain\n" "${boxes[@]}"; } >"$lab_dir/people.csv"
declare -A token
while read -r t a; do token[${a%@*}]=$t; done < <("$OUTPOST" enrol --set quick,inbound --csv "$lab_dir/people.csv" 2>/dev/null)
expect "five are enrolled" test ${#token[@]} = 5
expect "five are written to" grep -q '^5 written to' <(invite)
answered=$(lab person --name $LAB "$address" --reply-all --timeout 60)
expect "the invitation comes, and is answered" test "$(wc -l <<<"$answered")" = 2
expect "Reply All goes to all of the measurement addresses" diff <("$OUTPOST" enrol --set quick --plain --label x | tail -n +2 | tr ' ' '\n' | sed 's/.*@[^.]*\.//' | sort) \
	<(tr ' ' '\n' <<<"$answered" | grep '^[^<].*@' | sed 's/.*@[^.]*\.//' | sort)

# --- as the receiver sees it: headers of the first message, unfolded ---
head=$(cat "$mail"/person/cur/* | sed '/^\r*$/q' | sed -E ':a;N;$!ba;s/\r//g;s/\n[ \t]+/ /g')
field() { grep -i "^$1:" <<<"$head"; }
expect "OpenDKIM: the signature is right" grep -q "dkim=pass .*header.d=${token[person]}.out.outpost.example" <(field Authentication-Results)
expect "OpenDMARC: aligned" grep -q 'dmarc=pass' <(field Authentication-Results)
expect "policyd-spf: the host may send" grep -q 'spf=pass' <(field Authentication-Results)
expect "the way out, by one click (RFC 8058)" grep -qi '^List-Unsubscribe-Post: List-Unsubscribe=One-Click$' <(field List-Unsubscribe-Post)
expect "both are signed" grep -qE 'h=[^;]*List-Unsubscribe:[^;]*List-Unsubscribe-Post' <(field DKIM-Signature)

# --- the further messages, for who has answered alone ---
further() { grep -q '"extra":1[,}]' <("$OUTPOST" invite --status --json) || { invite >/dev/null; return 1; }; }
wait_until() { # SECONDS COMMAND...
	local until=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < until)) || return 1
		sleep 1
	done
}
expect "one answer brings the further messages" wait_until 60 further

# --- what is not answered ---
saw() { grep -q "$2" <("$OUTPOST" events "${token[$1]}"); }
expect "an out-of-office is recorded" wait_until 60 saw away 'auto-replied'
expect "a loop is recorded" wait_until 60 saw echo '"ev":"smtp.message".*"from":"echo@'
expect "a bounce at once is recorded" wait_until 60 saw nobody '"ev":"smtp.dsn"'
expect "a bounce later is recorded" wait_until 60 saw gone '"ev":"smtp.dsn"'
sent_to() { # BOX: how many messages left for it
	"$OUTPOST" events "${token[$1]}" | grep -c '"ev":"out.sent"'
}
invite >/dev/null
expect "who answered has the invitation and the further messages" test "$(sent_to person)" = 5
for box in "${boxes[@]:1}"; do expect "$box has the invitation and nothing more" test "$(sent_to "$box")" = 2; done

# --- verdicts ---
wait_final 90 "${token[person]}"
compare $PICTURE "${token[person]}"
reason() { verdicts "${token[$1]}" | awk -F'\t' -v t="$2" '$1 == t { print $4 }'; }
expect "refused at once: what came back, in the receiver's words" grep -q 'it came back: 5.1.1, 550 5.1.1 .*User unknown' <(reason nobody out)
expect "returned later: the same" grep -q 'it came back: 5.1.1' <(reason gone out)

# --- one click ---
url=$(field List-Unsubscribe | head -n 1 | sed 's/.*<\(.*\)>.*/\1/')
click() {
	lab shell --name $LAB postfix-mailbox -- env -u LD_LIBRARY_PATH curl -sS --max-time 30 -o /dev/null -w '%{http_code}' --cacert "$OUTPOST_SITE/certs/ca.pem" \
		-d List-Unsubscribe=One-Click "$url"
}
expect "one click is taken" grep -q '^200' <(click)
expect "and holds: nobody writes to this address any more" grep -q 'gets no mail' <("$OUTPOST" optout check "$address" 2>&1)
if [[ -n ${TAP_FAILED:-} && -n ${OUTPOST_LAB_KEEP:-} ]]; then cp -a "$lab_dir" "$OUTPOST_LAB_KEEP/"; fi
tap_end
