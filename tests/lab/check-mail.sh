#!/bin/bash
# check-mail.sh - who wrote the mail: senders that sign for real, a list that seals what it passes on and one that breaks it, a
# domain whose SPF record forgets IPv6; every verdict is held against tests/expect, and what the report says of each path.
set -uo pipefail
LAB_HOME=$(dirname "$(realpath "$0")")
# shellcheck source=lib/tap.sh
. "$LAB_HOME/lib/tap.sh"
# shellcheck source=lib/report.sh
. "$LAB_HOME/lib/report.sh"
# shellcheck source=lib/expect.sh
. "$LAB_HOME/lib/expect.sh"
LAB=checkmail$$
PICTURES=(
	postfix-opendkim+unbound-validating
	exim-dkim+unbound-validating
	list-arc+unbound-validating
	list-careless+unbound-validating
	postfix-rspamd+unbound-validating
	postfix-opendkim-careless+unbound-validating
	postfix-rspamd-careless+unbound-validating
)

command -v jq >/dev/null || tap_skip "jq is not installed"
tap_begin
export QUEUE_LIFETIME=60s
tap_lab checkmail --pace 1000 ${CATALOGUE:+--catalogue "$CATALOGUE"}
export OUTPOST_SITE=$LAB_ROOT/$LAB/site
out=$(mktemp -d)
for i in "${!PICTURES[@]}"; do
	set=mail
	case ${PICTURES[i]} in
	postfix-opendkim-careless+*) set+=,tls-modern ;;
	postfix-rspamd-careless+*) set=arc,dmarc ;;
	esac
	lab send --name $LAB --as "p$i" --sender "${PICTURES[i]%+*}" --resolver "${PICTURES[i]#*+}" --set "$set" \
		>"$out/$i" 2>"$out/$i.err" &
done
wait
tokens=()
for i in "${!PICTURES[@]}"; do
	[[ -s $out/$i ]] || { sed 's/^/# /' "$out/$i.err"; echo "Bail out! ${PICTURES[i]}: lab send failed"; exit 1; }
	tokens+=("$(<"$out/$i")")
	printf '%s %s\n' "${tokens[i]}" "${PICTURES[i]}" >>"$LAB_ROOT/$LAB/tokens"
done
rm -rf "${out:?}"
wait_final 200 "${tokens[@]}"
for i in "${!PICTURES[@]}"; do compare "${PICTURES[i]}" "${tokens[i]}"; done

# What the report shows of a path: PICTURE FAMILY JQ TEXT.
shows() {
	local got
	got=$("$OUTPOST" report "${tokens[$1]}" --json | jq -r "[.mail[] | select(.family == $2)][0] | $3")
	[[ $got == "$4" ]] || { printf '%s instead of %s\n' "$got" "$4"; return 1; }
}
expect "OpenDKIM: one signature" shows 0 6 '.results.dkim.signature | length' 1
expect "OpenDKIM: 2048 bits" shows 0 6 '.results.dkim.signature[0].key.bits' 2048
expect "the key of it is validated" shows 0 6 '.results.dkim.signature[0].key.dnssec' secure
expect "Exim: over IPv4 the first term matches" shows 1 4 '.results.spf.mailfrom.term | startswith("ip4:198.51.100.")' true
expect "Exim: over IPv6 the record forbids it" shows 1 6 '.results.spf.mailfrom.term' -all
expect "libspf2 says the same" shows 1 6 .libspf2 fail
expect "the terms that led there" shows 1 6 \
	'[.results.spf.mailfrom.trace[] | select(.term) | .result] | join(", ")' "no match, match"
expect "the list: two signatures of the author" shows 2 4 \
	'[.results.dkim.signature[] | .algorithm + " " + .result] | sort | join(", ")' "ed25519-sha256 pass, rsa-sha256 pass"
expect "the list: SPF is its own" shows 2 4 '.results.spf.mailfrom.domain | startswith("lists.")' true
expect "the list: its seal" shows 2 4 '.results.arc.set[0].seal' right
expect "the list: DMARC hangs on the signatures" shows 2 4 '.results.dmarc.rfc7489 | [.result, .spf_counts // false, .dkim_counts] | tojson' \
	'["pass",false,[0,1]]'
if [[ -n ${TAP_FAILED:-} && -n ${OUTPOST_LAB_KEEP:-} ]]; then cp -a "$LAB_ROOT/$LAB" "$OUTPOST_LAB_KEEP/"; fi
tap_end
