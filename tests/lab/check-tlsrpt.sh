#!/bin/bash
# check-tlsrpt.sh - TLS reports end to end: a Postfix that refuses to deliver, the report of it by mail through
# the same Postfix and by POST, as RFC 8460 has it; and reports that are wrong, or made to hurt.
set -uo pipefail
LAB_HOME=$(dirname "$(realpath "$0")")
# shellcheck source=lib/tap.sh
. "$LAB_HOME/lib/tap.sh"
# shellcheck source=lib/report.sh
. "$LAB_HOME/lib/report.sh"
LAB=checktlsrpt$$
SENDER=postfix-dane

for tool in jq curl gzip openssl; do
	command -v $tool >/dev/null || tap_skip "$tool is not installed"
done
tap_begin
export QUEUE_LIFETIME=15s
tap_lab checktlsrpt --pace 10000 ${CATALOGUE:+--catalogue "$CATALOGUE"} # three days are 26 s, five minutes none
export OUTPOST_SITE=$LAB_ROOT/$LAB/site
token=$(lab send --name $LAB --sender $SENDER --resolver unbound-validating --set tlsrpt-dane) ||
	{ echo "Bail out! lab send failed"; exit 1; }
domain=$token.tlsrpt-dane.outpost.example
other=$token.tlsrpt-dane-b.outpost.example
mx=$token.mx0.tlsrpt-dane.outpost.example

reports() { # JQ: of the test's reports
	"$OUTPOST" report "$token" --json | jq -r ".tests[]|select(.test==\"tlsrpt-dane\")|$1"
}
# holds JQ TEXT [SECONDS]: within that time.
holds() {
	local until=$((SECONDS + ${3:-0})) got
	while got=$(reports "$1") && [[ $got != "$2" ]]; do
		((SECONDS < until)) || { printf '%s instead of %s\n' "$got" "$2"; return 1; }
		sleep 1
	done
}
inside() { lab shell --name $LAB $SENDER -- "$@"; }
made() { "$LAB_HOME/tls-report" "$@" --domain "$domain" --mx "$mx"; }
post() { # FILE TYPE: the status
	inside curl -sS -o /dev/null -w '%{http_code}' --cacert /etc/ssl/certs/ca-certificates.crt \
		-H "Content-Type: $2" --data-binary "@$1" "https://tlsrpt.$other/report"
}
is() { [[ $1 == "$2" ]] || { printf '%s instead of %s\n' "$1" "$2"; return 1; }; }

expect "the refused delivery was seen" holds '.attempts|length>0' true 60
out=$(mktemp -d)
made mail "tlsrpt@$other" --failure validation-failure 1 >"$out/mail"
inside "$LAB_ROOT/packages/postfix/usr/sbin/sendmail" -C "$LAB_ROOT/$LAB/sender/$SENDER/senders/conf" -i \
	-f tls@sender.example -- "tlsrpt@$other" <"$out/mail"
expect "the report by mail arrives" holds '.tls_reports|length' 1 60
expect "by mail" holds '.tls_reports[0].via' mail
expect "it is read" holds '.tls_reports[0].readable' true
expect "nothing in it is against the RFC" holds '.tls_reports[0].problems|length' 0
expect "its DKIM signature was there" holds '.tls_reports[0].dkim_domain' sender.example
expect "it says what was seen" holds '.tls_reports[0].answer' true
expect "so says the verdict" holds '.verdict+" "+.reason' "informational sent a TLS report that says what was seen"
expect "its mail is no attempt of the test" holds '[.attempts[]|select(.accepted)]|length' 0

made post --failure certificate-host-mismatch 1 >"$out/post"
expect "a POST is taken" is "$(post "$out/post" application/tlsrpt+gzip)" 201
expect "it is read" holds '.tls_reports[1]|.via+" "+(.readable|tostring)+" "+.answer' "https true true"
made post --failure starttls-not-supported 7 >"$out/wrong"
expect "a wrong report is taken" is "$(post "$out/wrong" application/tlsrpt+gzip)" 201
expect "it says what was not so" holds '.tls_reports[2].answer' false
expect "so says the verdict" holds '.reason' "sent a TLS report that says what was not so"

head -c 30000000 /dev/zero | tr '\0' ' ' | gzip -9 >"$out/bomb"
expect "a gzip bomb is taken" is "$(post "$out/bomb" application/tlsrpt+gzip)" 201
expect "and not read" holds '.tls_reports[3].readable' false
{ printf '{"policies":['; yes '{},' | head -n 100000; printf '{}]}'; } >"$out/lines"
post "$out/lines" application/tlsrpt+json >/dev/null
printf 'no report' >"$out/junk"
expect "junk is taken" is "$(post "$out/junk" text/plain)" 201
expect "the daemons live, and so does the report" holds '.tls_reports|length>4' true
rm -rf "$out"
tap_end
