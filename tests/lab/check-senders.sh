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
# SENDER+RESOLVER, the set that it mails, and how often each message is sent if not once.  Small sets are for what one setting
# breaks.  The last ones break rules, or look as if they did.
PICTURES=(
	"postfix-dane+unbound-validating full"
	"postfix-plain+unbound-permissive full"
	"postfix-sts+unbound-validating full"
	"exim+bind-validating full"
	"exim-no-trust-ad+unbound-validating full"
	"sendmail+unbound-validating quick,delivery,smtp,tls,dns-cname,dns-dname"
	"haraka+unbound-validating standard,delivery,tls,smtp"
	"naive+unbound-validating full"
	"postfix-careless+unbound-udp full"
	"postfix-stubborn+unbound-validating full"
	"postfix-pool+unbound-validating retry"
	"postfix-dane+unbound-farm dane"
	"opensmtpd+unbound-validating retry,smtp"
	"dma+unbound-validating delivery,ehlo-refused,smtputf8-missing,no-8bitmime"
	"sendmail-sts-mended+unbound-validating sts"
	"sendmail-sts+unbound-validating sts-enforce"
	"sendmail-careless+unbound-validating dns-aaaa-servfail,sts-cert-wrong-name,sts-cert-cn-only,sts-other-pattern"
	"postfix-plain+unbound-validating mx-equal 8"
	"postfix-no-mx+unbound-validating mx-null,mx-no-fallback"
	"postfix-careless+unbound-validating greylist"
	"exim-careless+unbound-lax mx-implicit,ipv4,dnssec-expired,dnssec-future,dns-ipv4-only,mx-equal"
	"postfix-fallback+unbound-validating dane-ta-expired,dane-ta-not-in-chain,dane-no-starttls,dane-starttls-fails,dane-starttls-454,dane-tlsa-bogus,dane-tlsa-servfail,dane-tlsa-timeout,dane-tlsa-notimp,dane-unusable-mixed,dnssec-bogus-denial,sts"
	"postfix-dane-careless+unbound-exceptions dane-second-mx,dane-unusable,dane-at-domain,dane-insecure-servfail,dane-ee-sha512,ipv4-broken,tls-client-cert,dnssec-bogus-ds,dnssec-stripped,dnssec-bogus-mx,dnssec-bogus-address"
	"postfix-dane-sts+bind-strict sts-dane,sts-testing,sts-none,sts-policy-404,sts-policy-cert,sts-second-mx,alg7,alg8,alg10,alg14,alg15,dnssec-unknown-algorithm,dnssec-unknown-digest"
	"exim-strict+unbound-validating dane-ee-self-signed,dane-ee-expired,dane-ee-wrong-name,mx-order,dns-uppercase"
	"postfix-half+unbound-anchor mx-split-family,dane-ee,dnssec-insecure"
	"postfix-dane-only+unbound-validating dane-unusable,dane-malformed,sts-none,sts-policy-redirect,sts-policy-large,sts-record-twice"
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
# What comes from npm is left out where there is none, but never where every change is judged.
if [[ -z ${CI:-} ]] && ! command -v npm >/dev/null; then
	for i in "${!PICTURES[@]}"; do
		[[ -f $LAB_HOME/senders/${PICTURES[i]%%+*}/package.json ]] || continue
		ok "${PICTURES[i]%% *} # SKIP npm is not installed"
		unset "PICTURES[i]"
	done
	PICTURES=("${PICTURES[@]}")
fi
tap_lab checksenders --pace $PACE ${CATALOGUE:+--catalogue "$CATALOGUE"}
export OUTPOST_SITE=$LAB_ROOT/$LAB/site
tokens=()
out=$(mktemp -d)
for i in "${!PICTURES[@]}"; do
	read -r picture set times <<<"${PICTURES[i]}"
	PICTURES[i]=$picture
	lab send --name $LAB --as "p$i" --sender "${picture%+*}" --resolver "${picture#*+}" --set "$set" --times "${times:-1}" \
		>"$out/$i.token" 2>"$out/$i.err" &
done
wait
for i in "${!PICTURES[@]}"; do
	[[ -s $out/$i.token ]] || { sed 's/^/# /' "$out/$i.err"; echo "Bail out! ${PICTURES[i]}: lab send failed"; exit 1; }
	tokens+=("$(<"$out/$i.token")")
	printf '%s %s\n' "${tokens[i]}" "${PICTURES[i]}" >>"$LAB_ROOT/$LAB/tokens"
done
rm -rf "${out:?}"
# Where a row says that nothing comes of a test until its deadline, nobody waits for that.
awaited=()
for i in "${!PICTURES[@]}"; do
	grep -qE '^[^#]+ pending' "$EXPECT/${PICTURES[i]}.expect" || awaited+=("${tokens[i]}")
done
wait_final "$LONGEST" "${awaited[@]}"
for i in "${!PICTURES[@]}"; do compare "${PICTURES[i]}" "${tokens[i]}"; done
# What a failure needs to be understood, where CI keeps it: which token is whose is in "tokens".
if [[ -n ${TAP_FAILED:-} && -n ${OUTPOST_LAB_KEEP:-} ]]; then cp -a "$LAB_ROOT/$LAB" "$OUTPOST_LAB_KEEP/"; fi
tap_end
