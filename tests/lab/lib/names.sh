# shellcheck shell=bash
# names.sh - the root and "example", on an NSD that is not ours, both signed.
#
# The root also holds the reverse names of all sender addresses, "example" the senders' own
# domains, so that every sender has PTR, matching A and AAAA, MX with TLSA, and an SPF record.

# The site's host by its own name, under which it sends invitations.
SITE_HOST=mail.site.example
SITE_V6=2001:db8:f::2
NAMES_SOA='60 IN SOA ns.root-servers.example. hostmaster.example. 1 3600 600 86400 60'

names_key() { # ZONE: makes its key in the current folder, prints the base name
	unpacked ldnsutils/usr/bin/ldns-keygen -a ECDSAP256SHA256 -k -r /dev/urandom "$1"
}

# dddd:...:dddd.ip6.arpa of 32 hexadecimal digits; of 2001:db8:1::I:K
names_reverse() {
	local hex=$1 i out=
	for ((i = ${#hex} - 1; i >= 0; i--)); do out+=${hex:i:1}.; done
	printf '%sip6.arpa.\n' "$out"
}
names_reverse6() { names_reverse "$(printf '20010db80001%012d%04x%04x' 0 "$1" "$2")"; }
sender_domain() { printf 's%d.sender.example\n' "$1"; }
sender_host() { # I K
	if (($2 == 0)); then printf 'mail.%s\n' "$(sender_domain "$1")"; else printf 'out%d.%s\n' "$2" "$(sender_domain "$1")"; fi
}

names_root_zone() {
	local i k
	printf '. %s\n. 60 IN NS ns.root-servers.example.\n' "$NAMES_SOA"
	printf 'example. 60 IN NS ns.root-servers.example.\n'
	printf 'ns.root-servers.example. 60 IN A 198.51.100.2\nns.root-servers.example. 60 IN AAAA 2001:db8:a::2\n'
	cat "$1"
	printf '%d.113.0.203.in-addr.arpa. 60 IN PTR %s.\n%s 60 IN PTR %s.\n' "$SITE_V4_FIRST" "$SITE_HOST" \
		"$(names_reverse 20010db8000f00000000000000000002)" "$SITE_HOST"
	for ((i = 1; i <= SENDERS_MAX; i++)); do
		# The last address has no name: list-careless.
		for ((k = 0; k < SENDER_ADDRESSES - 1; k++)); do
			printf '%d.100.51.198.in-addr.arpa. 60 IN PTR %s.\n' $((8 * i + 2 + k)) "$(sender_host "$i" "$k")"
			printf '%s 60 IN PTR %s.\n' "$(names_reverse6 "$i" $((2 + k)))" "$(sender_host "$i" "$k")"
		done
	done
}
# Keys that all senders sign with, in files of the lab's: RSA as PEM, Ed25519 as the 32 octets in base64.
# Readable by all: an Exim that cannot read its key sends unsigned.
names_dkim_keys() { # FOLDER
	openssl genrsa -out "$1/dkim-rsa.pem" 2048 2>/dev/null &&
		openssl genpkey -algorithm ed25519 -out "$1/dkim-ed25519.pem" &&
		openssl pkey -in "$1/dkim-ed25519.pem" -outform DER | tail -c 32 | base64 -w 0 >"$1/dkim-ed25519" &&
		chmod 644 "$1"/dkim-*
}
# What a sender that receives as well shows: one certificate of the lab's CA for the mail hosts of all of them.
names_receivers() { # FOLDER
	local i names=''
	for ((i = 1; i <= SENDERS_MAX; i++)); do names+=${names:+,}DNS:$(sender_host "$i" 0); done
	openssl ecparam -name prime256v1 -genkey -noout -out "$1/mx-key.pem" &&
		openssl req -new -key "$1/mx-key.pem" -subj / -out "$1/mx.csr" &&
		openssl x509 -req -in "$1/mx.csr" -CA "$SITE/certs/ca.pem" -CAkey "$SITE/keys/ca.pem" -days 30 \
			-set_serial "0x$(openssl rand -hex 8)" -extfile <(printf 'subjectAltName = critical,%s\n' "$names") -out "$1/mx.pem" 2>/dev/null
}
names_tlsa() { # FOLDER: 3 1 1, as hexadecimal
	openssl pkey -in "$1/mx-key.pem" -pubout -outform DER | openssl dgst -sha256 -r | cut -d' ' -f1
}
# A string of a TXT record has 255 octets at most.
names_dkim_records() { # FOLDER DOMAIN
	local key
	key=$(openssl pkey -in "$1/dkim-rsa.pem" -pubout -outform DER | base64 -w 0)
	printf 'rsa._domainkey.%s. 60 IN TXT "v=DKIM1; k=rsa; p=%s" "%s"\n' "$2" "${key:0:200}" "${key:200}"
	key=$(openssl pkey -in "$1/dkim-ed25519.pem" -pubout -outform DER | tail -c 32 | base64 -w 0)
	printf 'ed25519._domainkey.%s. 60 IN TXT "v=DKIM1; k=ed25519; p=%s"\n' "$2" "$key"
}
# Domains of sender I for what senders get wrong, and for what they get right.
names_authors() { # FOLDER I
	local d list v4 v6
	d=$(sender_domain "$2")
	list=lists.s$2.forward.example
	v4=ip4:$(sender_address4 "$2" -2)/29
	v6=ip6:$(sender_address6 "$2" -2)/112
	# All as it should be: what postfix-opendkim uses.
	printf 'strict.%s. 60 IN TXT "v=spf1 %s %s -all"\n' "$d" "$v4" "$v6"
	printf '_dmarc.strict.%s. 60 IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@strict.%s"\n' "$d" "$d"
	# A record from the time before IPv6: exim-dkim.
	printf 'v4.%s. 60 IN TXT "v=spf1 %s -all"\n' "$d" "$v4"
	# Another organisation, which passes mail on: list-arc.
	printf '%s. 60 IN TXT "v=spf1 %s %s -all"\n' "$list" "$v4" "$v6"
	# And one that does it wrong, with one lookup too many: list-careless.
	printf '%s. 60 IN TXT "v=spf1 a a a a a a a a a a a -all"\n' "${list/lists/many}"
	printf '%s. 60 IN A 192.0.2.1\n%s. 60 IN AAAA 2001:db8:ffff::1\n' "${list/lists/many}" "${list/lists/many}"
	for d in "strict.$d" "v4.$d" "$list" "${list/lists/many}"; do names_dkim_records "$1" "$d"; done
}
names_example_zone() { # DELEGATION: what outpost init says to publish
	local i k d tlsa
	tlsa=$(names_tlsa .)
	printf 'example. %s\nexample. 60 IN NS ns.root-servers.example.\n' "$NAMES_SOA"
	printf 'ns.root-servers.example. 60 IN A 198.51.100.2\nns.root-servers.example. 60 IN AAAA 2001:db8:a::2\n'
	cat "$1"
	printf '%s. 60 IN A 203.0.113.%d\n%s. 60 IN AAAA %s\n' "$SITE_HOST" "$SITE_V4_FIRST" "$SITE_HOST" "$SITE_V6"
	for ((i = 1; i <= SENDERS_MAX; i++)); do
		d=$(sender_domain "$i")
		printf '%s. 60 IN MX 10 mail.%s.\n_25._tcp.mail.%s. 60 IN TLSA 3 1 1 %s\n' "$d" "$d" "$d" "$tlsa"
		printf '%s. 60 IN TXT "v=spf1 ip4:%s/29 ip6:%s/112 -all"\n' "$d" "$(sender_address4 "$i" -2)" "$(sender_address6 "$i" -2)"
		printf '_dmarc.%s. 60 IN TXT "v=DMARC1; p=none"\n' "$d"
		names_authors . "$i"
		for ((k = 0; k < SENDER_ADDRESSES; k++)); do
			printf '%s. 60 IN A %s\n' "$(sender_host "$i" "$k")" "$(sender_address4 "$i" "$k")"
			printf '%s. 60 IN AAAA %s\n' "$(sender_host "$i" "$k")" "$(sender_address6 "$i" "$k")"
		done
	done
}

# names_up DELEGATION-FILE
names_up() {
	local dir=$LAB_DIR/root key_root key_example
	mkdir -p "$dir"
	(
		cd "$dir" || exit 1
		key_root=$(names_key .)
		key_example=$(names_key example)
		cp "$key_root.ds" anchor.ds
		names_dkim_keys . || exit 1
		names_receivers . || exit 1
		names_root_zone "$key_example.ds" >root.zone
		names_example_zone "$1" >example.zone
		unpacked ldnsutils/usr/bin/ldns-signzone -o . -f root.signed root.zone "$key_root"
		unpacked ldnsutils/usr/bin/ldns-signzone -o example -f example.signed example.zone "$key_example"
		printf '. 3600000 NS ns.root-servers.example.\nns.root-servers.example. 3600000 A 198.51.100.2\nns.root-servers.example. 3600000 AAAA 2001:db8:a::2\n' >hints
		names_nsd_conf >nsd.conf
	) || cannot "root: its zones cannot be made: see $dir"
	spawn "$LAB-root" nsd env LD_LIBRARY_PATH="$PACKAGE_LIBS" "$PACKAGES/nsd/usr/sbin/nsd" -d -c "$dir/nsd.conf"
	wait_for 10 ask "$LAB-root" @198.51.100.2 . SOA ||
		cannot "root: NSD does not answer: its log is below"
}
names_nsd_conf() {
	cat <<-END
		server:
		  ip-address: 198.51.100.2
		  ip-address: 2001:db8:a::2
		  username: ""
		  chroot: ""
		  zonesdir: "$LAB_DIR/root"
		  pidfile: ""
		  database: ""
		  xfrdfile: ""
		  xfrdir: "$LAB_DIR/root"
		  zonelistfile: "$LAB_DIR/root/zone.list"
		  server-count: 1
		  rrl-ratelimit: 0
		remote-control:
		  control-enable: no
		zone:
		  name: "."
		  zonefile: root.signed
		zone:
		  name: "example"
		  zonefile: example.signed
	END
}
