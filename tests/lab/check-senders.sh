#!/bin/bash
# check-senders.sh - real MTAs with real resolvers mail every test at the same time; every verdict is held
# against tests/expect/SENDER+RESOLVER.expect.  A row too many or too few fails; a row called "*" is for
# all tests that have none of their own.
set -uo pipefail
LAB_HOME=$(dirname "$(realpath "$0")")
# shellcheck source=lib/tap.sh
. "$LAB_HOME/lib/tap.sh"
# shellcheck source=lib/report.sh
. "$LAB_HOME/lib/report.sh"
# shellcheck source=lib/expect.sh
. "$LAB_HOME/lib/expect.sh"
LAB=checksenders$$
# SENDER+RESOLVER and the set that it mails.  The last ones break rules, or look as if they did.
PICTURES=(
	"postfix-dane+unbound-validating full"
	"postfix-plain+unbound-permissive full"
	"postfix-sts+unbound-validating full"
	"exim+bind-validating full"
	"exim-no-trust-ad+unbound-validating full"
	"naive+unbound-validating full"
	"postfix-careless+unbound-udp full"
	"postfix-stubborn+unbound-validating full"
	"postfix-pool+unbound-validating retry"
	"postfix-dane+unbound-farm dane"
	"opensmtpd+unbound-validating retry,smtp"
	"lazy+unbound-validating sts"
	"lazy-late+unbound-validating sts"
	"scanner+unbound-validating full"
)
LONGEST=600
# Verdicts are final once a sender gave up and then stayed away for 6 h / PACE, or
# when no TLS report came for 72 h / PACE.
export QUEUE_LIFETIME=90s
PACE=1000

tap_begin
tap_lab checksenders --pace $PACE ${CATALOGUE:+--catalogue "$CATALOGUE"}
export OUTPOST_SITE=$LAB_ROOT/$LAB/site
tokens=()
out=$(mktemp -d)
for i in "${!PICTURES[@]}"; do
	read -r picture set <<<"${PICTURES[i]}"
	PICTURES[i]=$picture
	lab send --name $LAB --as "p$i" --sender "${picture%+*}" --resolver "${picture#*+}" --set "$set" \
		>"$out/$i.token" 2>"$out/$i.err" &
done
wait
for i in "${!PICTURES[@]}"; do
	[[ -s $out/$i.token ]] || { sed 's/^/# /' "$out/$i.err"; echo "Bail out! ${PICTURES[i]}: lab send failed"; exit 1; }
	tokens+=("$(<"$out/$i.token")")
	printf '%s %s\n' "${tokens[i]}" "${PICTURES[i]}" >>"$LAB_ROOT/$LAB/tokens"
done
rm -rf "${out:?}"
wait_final "$LONGEST" "${tokens[@]}"
for i in "${!PICTURES[@]}"; do compare "${PICTURES[i]}" "${tokens[i]}"; done
# What a failure needs to be understood, where CI keeps it: which token is whose is in "tokens".
if [[ -n ${TAP_FAILED:-} && -n ${OUTPOST_LAB_KEEP:-} ]]; then cp -a "$LAB_ROOT/$LAB" "$OUTPOST_LAB_KEEP/"; fi
tap_end
