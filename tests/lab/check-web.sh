#!/bin/bash
# check-web.sh - the web site in a real browser: from the start page to the finished report, with the lab's mail servers
# at the other end; tests/web has the chapters.  Pictures of every page stay in $BUILD/browser.
set -uo pipefail
LAB_HOME=$(dirname "$(realpath "$0")")
# shellcheck source=lib/tap.sh
. "$LAB_HOME/lib/tap.sh"
# shellcheck source=lib/base.sh
. "$LAB_HOME/lib/base.sh"
# shellcheck source=lib/packages.sh
. "$LAB_HOME/lib/packages.sh"
WEB=$(realpath "$LAB_HOME/../web")
BUILD=$(realpath "${BUILD:-$LAB_HOME/../../build}")

for tool in node npm chromium certutil python3; do
	command -v $tool >/dev/null || tap_skip "$tool is not installed"
done
tap_begin

# What the lock file says, once.
WEB_MODULES=$BUILD/web-modules
if ! cmp -s "$WEB/package-lock.json" "$WEB_MODULES/.complete"; then
	mkdir -p "$WEB_MODULES"
	cp "$WEB"/package*.json "$WEB_MODULES/"
	if (cd "$WEB_MODULES" && npm ci --no-audit --no-fund) >"$WEB_MODULES/log" 2>&1; then
		cp "$WEB/package-lock.json" "$WEB_MODULES/.complete"
	elif [[ -n ${CI:-} ]]; then
		echo "Bail out! npm ci: $(tail -n 3 "$WEB_MODULES/log")"
		exit 1
	else
		tap_skip "npm ci failed: is there a network? see $WEB_MODULES/log"
	fi
fi

LAB=checkweb$$
tap_lab checkweb --pace 1000
lab_folders
packages_need swaks
export OUTPOST_SITE=$SITE LAB LAB_HOME WEB_MODULES
# Three pages wait for news of three runs; the third opt-out of a day is the one that is refused.
printf '%s\n' 'web-streams-per-client 20' 'web-per-client 200' 'web-enrol-client 200' 'web-optout-client 2' 'web-contact postmaster@outpost.example' \
	>>"$SITE/outpost.conf"
read -r pid _ <"$LAB_DIR/pids/outpost"
kill -HUP "$pid"
WEB_PERSON=$(lab mailbox --name "$LAB" 2>"$LAB_DIR/logs/mailbox") &&
	MORE_MASTER='127.0.0.1:25 inet n - n - - smtpd' lab mailbox --name "$LAB" --sender postfix-dane --as sender \
		>/dev/null 2>>"$LAB_DIR/logs/mailbox" || {
	echo "Bail out! no sender: $(tail -n 3 "$LAB_DIR/logs/mailbox")"
	exit 1
}
WEB_MAILDIR=$LAB_DIR/sender/postfix-mailbox/senders/mail/person

# Where the sender lives these are the programs that the page of a run speaks of; nobody waits for a quarter of an hour.
WEB_TOOLS=$LAB_DIR/tools
mkdir -p "$WEB_TOOLS"
printf '#!/bin/sh\nexec %q -C "$WORK/conf" -f "$FROM" "$@"\n' "$PACKAGES/postfix/usr/sbin/sendmail" >"$WEB_TOOLS/sendmail"
printf '#!/bin/sh\nexec /bin/sleep $(($1 / 900))\n' >"$WEB_TOOLS/sleep"
printf '#!/bin/sh\nexec perl %q "$@"\n' "$PACKAGES/swaks/usr/bin/swaks" >"$WEB_TOOLS/swaks"

# The browser lives where outpost check looks from, and trusts the lab's CA as a person would make it.
WEB_CHROMIUM=$WEB_TOOLS/chromium
mkdir -p "$LAB_DIR/home/.pki/nssdb"
certutil -d "sql:$LAB_DIR/home/.pki/nssdb" -N --empty-password &&
	certutil -d "sql:$LAB_DIR/home/.pki/nssdb" -A -t C,, -n lab -i "$SITE/certs/ca.pem" ||
	{ echo "Bail out! certutil: the lab's CA is not taken"; exit 1; }
printf '#!/bin/sh\nexec ip netns exec %q env HOME=%q chromium "$@"\n' "$LAB-check" "$LAB_DIR/home" >"$WEB_CHROMIUM"
chmod 755 "$WEB_TOOLS"/*
WEB_SHOTS=$BUILD/browser
rm -rf "$WEB_SHOTS"
mkdir -p "$WEB_SHOTS"
export WEB_PERSON WEB_MAILDIR WEB_TOOLS WEB_CHROMIUM WEB_SHOTS
node "$WEB/main.mjs"
