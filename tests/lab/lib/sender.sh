# shellcheck shell=bash
# sender.sh - sender namespaces: network, resolver and MTA by profile (README.md says what a
# profile is given).

# The packages that a profile asks for: words of its file "packages", and its package-lock.json.
profile_packages() {
	# shellcheck disable=SC2046
	[[ ! -f $1/packages ]] || packages_need $(cat "$1/packages")
	[[ ! -f $1/package-lock.json ]] || packages_npm "$1"
}

# sender_number SHORT-NAME: its number, for ever; the next free one if it is new.
sender_number() {
	local line n=1
	[[ -f $LAB_DIR/senders ]] || : >"$LAB_DIR/senders"
	while read -r line _; do
		[[ $line == "$1" ]] && { printf '%d\n' "$n"; return; }
		n=$((n + 1))
	done <"$LAB_DIR/senders"
	((n <= SENDERS_MAX)) || cannot "sender $1: the lab has room for $SENDERS_MAX: start another with --name"
	printf '%s\n' "$1" >>"$LAB_DIR/senders"
	printf '%d\n' "$n"
}

# The overlay of /etc that programs in a sender's namespace see: users that only exist there, and the
# lab's CA as the only one that anybody trusts.
sender_overlay() { # NAMESPACE MYHOSTNAME
	local etc=/etc/netns/$1
	cp /etc/passwd "$etc/passwd"
	cp /etc/group "$etc/group"
	sed -i -E '/^(postfix|postdrop|Debian-exim|opensmtpd|opensmtpq|unbound|bind|mta):/d' "$etc/passwd" "$etc/group"
	cat >>"$etc/passwd" <<-END
		postfix:x:60971:60971:Postfix:/nonexistent:/usr/sbin/nologin
		Debian-exim:x:60973:60973:Exim:/nonexistent:/usr/sbin/nologin
		unbound:x:60974:60974:Unbound:/nonexistent:/usr/sbin/nologin
		bind:x:60975:60975:BIND:/nonexistent:/usr/sbin/nologin
		opensmtpd:x:60977:60977:OpenSMTPD:/var/lib/opensmtpd/empty:/usr/sbin/nologin
		opensmtpq:x:60978:60978:OpenSMTPD's queue:/var/lib/opensmtpd/empty:/usr/sbin/nologin
		mta:x:60976:60976:a profile of yours:/nonexistent:/usr/sbin/nologin
	END
	cat >>"$etc/group" <<-END
		postfix:x:60971:
		postdrop:x:60972:
		Debian-exim:x:60973:
		unbound:x:60974:
		bind:x:60975:
		opensmtpd:x:60977:
		opensmtpq:x:60978:
		mta:x:60976:
	END
	mkdir -p "$etc/ssl/certs"
	[[ ! -f /etc/ssl/openssl.cnf ]] || cp /etc/ssl/openssl.cnf "$etc/ssl/"
	cp "$SITE/certs/ca.pem" "$etc/ssl/certs/ca-certificates.crt"
	# A program that is setuid does not look at LD_LIBRARY_PATH (Exim): the loader's cache knows as well.
	{ tr : '\n' <<<"$PACKAGE_LIBS"; cat /etc/ld.so.conf; } >"$LAB_DIR/ld.so.conf"
	ldconfig -X -f "$LAB_DIR/ld.so.conf" -C "$etc/ld.so.cache" 2>/dev/null || rm -f "$etc/ld.so.cache"
	# What the host has not got, nothing can be mounted over.
	if [[ -e /etc/mailname ]]; then printf '%s\n' "$2" >"$etc/mailname"; fi
	[[ -e /etc/ssl ]] || rm -rf "$etc/ssl"
}

# The environment of a profile's programs, which run inside the namespace.
profile_environment() { # SHORT-NAME NUMBER
	local k
	export NS NUMBER WORK CA FROM MYHOSTNAME IPV4 IPV6 ROOT_HINTS ROOT_ANCHOR DKIM_RSA DKIM_ED25519 MX_CERT MX_KEY PACKAGES
	export LD_LIBRARY_PATH
	NS=$(ns_name "$1")
	NUMBER=$2
	CA=$SITE/certs/ca.pem
	FROM=probe@$(sender_domain "$2")
	MYHOSTNAME=$(sender_host "$2" 0)
	IPV4=''
	IPV6=''
	for ((k = 0; k < SENDER_ADDRESSES; k++)); do
		IPV4+="${IPV4:+ }$(sender_address4 "$2" "$k")"
		IPV6+="${IPV6:+ }$(sender_address6 "$2" "$k")"
	done
	ROOT_HINTS=$LAB_DIR/root/hints
	ROOT_ANCHOR=$LAB_DIR/root/anchor.ds
	DKIM_RSA=$LAB_DIR/root/dkim-rsa.pem
	DKIM_ED25519=$LAB_DIR/root/dkim-ed25519
	MX_CERT=$LAB_DIR/root/mx.pem
	MX_KEY=$LAB_DIR/root/mx-key.pem
	LD_LIBRARY_PATH=$PACKAGE_LIBS
	WORK=$LAB_DIR/sender/$1
}
# profile_run KIND NAME VERB: one of a profile's programs, inside the namespace.
profile_run() {
	local work=$WORK rc=0
	[[ -x $LAB_HOME/$1/$2/$3 ]] || return 0
	WORK=$work/$1
	mkdir -p "$WORK"
	(
		[[ -z ${LOCK_FD:-} ]] || exec {LOCK_FD}>&-
		exec ip netns exec "$NS" "$LAB_HOME/$1/$2/$3"
	) 2>>"$LAB_DIR/logs/$(basename "$work")-$1.log" || rc=$?
	WORK=$work
	return $rc
}

# sender_up SHORT-NAME SENDER RESOLVER: makes it, or leaves it as it is when it runs already.
sender_up() {
	local n dir=$LAB_DIR/sender/$1
	profile_packages "$LAB_HOME/senders/$2"
	profile_packages "$LAB_HOME/resolvers/$3"
	n=$(sender_number "$1")
	profile_environment "$1" "$n"
	if [[ -f $dir/profile ]]; then
		[[ $(<"$dir/profile") == "$2 $3" ]] ||
			cannot "sender $1: it runs $(<"$dir/profile"): give this one another --as NAME"
		return 0
	fi
	say "sender $1: $2 with $3"
	mkdir -p "$dir" "$LAB_DIR/logs"
	chmod 755 "$LAB_DIR" "$LAB_DIR/sender" "$dir"
	sender_network "$1" "$n"
	sender_overlay "$NS" "$MYHOSTNAME"
	profile_run resolvers "$3" start || cannot "sender $1: its resolver $3 does not start: see $LAB_DIR/logs/$1-resolvers.log"
	wait_for 15 ask "$NS" @127.0.0.1 example SOA || cannot "sender $1: its resolver $3 does not answer: see $LAB_DIR/logs/$1-resolvers.log"
	profile_run senders "$2" start || cannot "sender $1: $2 does not start: see $LAB_DIR/logs/$1-senders.log"
	printf '%s %s\n' "$2" "$3" >"$dir/profile"
}
