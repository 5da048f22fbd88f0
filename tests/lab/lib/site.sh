# shellcheck shell=bash
# site.sh - our side: a site directory made by outpost init and run by outpost run.

BASE=outpost.example

site_addresses() {
	local i out=
	for ((i = SITE_V4_FIRST; i <= SITE_V4_LAST; i++)); do out+=${out:+,}203.0.113.$i; done
	printf '%s\n' "$out"
}

# site_init PACE: writes SITE and LAB_DIR/delegation.
site_init() {
	local tree=${CATALOGUE:-$LAB_HOME/../../zones/catalogue} catalogue=()
	# In the source tree its own tests; installed, those that outpost finds by itself.
	[[ ! -d $tree ]] || catalogue=(--catalogue "$(realpath "$tree")")
	in_ns "$LAB-site" "$OUTPOST" init "$SITE" --base "$BASE" --ipv4 "$(site_addresses)" --ipv6 "$PREFIX" \
		--pace "$1" --node "$LAB" "${catalogue[@]}" >"$LAB_DIR/delegation.txt" || cannot "site: outpost init failed: its message is above"
	# Only the records: what else init says is for people.
	sed 's/;.*//; /^[[:space:]]*$/d' "$LAB_DIR/delegation.txt" >"$LAB_DIR/delegation"
	sender_overlay "$LAB-site" "$SITE_HOST"
	site_users
}
# The daemons' user exists only inside the lab.
site_users() {
	local user
	user=$(awk '$1 == "user" { print $2 }' "$SITE/outpost.conf")
	[[ -z $user ]] || getent passwd "$user" >/dev/null && return 0
	printf '%s:x:60990:60990:Outpost:/nonexistent:/usr/sbin/nologin\n' "$user" >>"/etc/netns/$LAB-site/passwd"
	printf '%s:x:60990:\n' "$user" >>"/etc/netns/$LAB-site/group"
	chown -R 60990:60990 "$SITE/log" "$SITE/run" "$SITE/state" 2>/dev/null || true
}

# Who wrote a message is looked up with a resolver of the site's own, which trusts the lab's root.
site_resolver_up() {
	profile_packages "$LAB_HOME/resolvers/unbound-validating"
	profile_environment site 1
	profile_run resolvers unbound-validating start
	wait_for 15 ask "$NS" @127.0.0.1 example SOA ||
		cannot "site: its resolver does not answer: see $LAB_DIR/logs/site-resolvers.log"
	# A dozen senders deliver within a minute what others send in a day: nothing of it is to be skipped.
	printf 'verify-anchor %s\nverify-queue 5000\n' "$ROOT_ANCHOR" >>"$SITE/outpost.conf"
}

# The host's own mail server: it sends invitations, taken by sendmail(1), and says so in its log.
site_mta_up() {
	profile_packages "$LAB_HOME/senders/postfix-dane"
	profile_environment site 1
	chmod 755 "$LAB_DIR/sender" "$WORK"
	FROM=postmaster@${SITE_HOST#*.} MYHOSTNAME=$SITE_HOST IPV4=203.0.113.$SITE_V4_FIRST IPV6=$SITE_V6
	profile_run senders postfix-dane start || cannot "site: its mail server does not start: see $LAB_DIR/logs/site-senders.log"
	printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q -C %q "$@"\n' "$PACKAGE_LIBS" "$PACKAGES/postfix/usr/sbin/sendmail" \
		"$WORK/senders/conf" >"$LAB_DIR/sendmail"
	chmod 755 "$LAB_DIR/sendmail"
	printf 'mail-program %s\nmail-log %s\nmail-spf "ip4:%s ip6:%s"\n' "$LAB_DIR/sendmail" "$WORK/senders/log/mail.log" "$IPV4" "$IPV6" >>"$SITE/outpost.conf"
}

site_up() {
	in_ns "$LAB-site" env LD_LIBRARY_PATH="$PACKAGE_LIBS" "$PACKAGES/nftables/usr/sbin/nft" -f "$SITE/nftables.conf" ||
		cannot "site: $SITE/nftables.conf: not taken by nft"
	spawn "$LAB-site" outpost "$OUTPOST" run -C "$SITE"
	wait_for 20 site_answers ||
		cannot "site: its name server does not answer: its log is below"
	wait_for 20 site_listens ||
		cannot "site: its mail server does not listen: its log is below"
}
# A socket in state LISTEN (0A) on port 25 (0019), either family.
site_listens() {
	in_ns "$LAB-site" grep -qE ':0019 [0-9A-F]+:0000 0A ' /proc/net/tcp /proc/net/tcp6
}
site_answers() {
	ask "$LAB-check" "@$(awk '$(NF-1) == "A" { print $NF; exit }' "$LAB_DIR/delegation")" "$BASE" SOA
}

# site_enrol SET LABEL FILE: prints the token, writes the messages to send, one a line.
site_enrol() {
	local token
	"$OUTPOST" enrol -C "$SITE" --set "$1" --label "$2" --plain >"$3.new" || return 1
	read -r token <"$3.new" || return 1
	tail -n +2 "$3.new" >"$3"
	rm -f "$3.new"
	printf '%s\n' "$token"
}

# Seen from a namespace that is neither the site's nor a sender's, with a resolver of its own: a test
# that is not as specified gets no verdict.
checker_up() {
	profile_packages "$LAB_HOME/resolvers/unbound-validating"
	profile_environment check "$(sender_number check)"
	profile_run resolvers unbound-validating start
	wait_for 15 ask "$NS" @127.0.0.1 example SOA || cannot "check: its resolver does not answer: see $LAB_DIR/logs/check-resolvers.log"
}
site_check() {
	OUTPOST_ROOT_ANCHOR=$LAB_DIR/root/anchor.ds OUTPOST_ROOT_HINTS=$LAB_DIR/root/hints \
		in_ns "$LAB-check" "$OUTPOST" check -C "$SITE"
}
