#!/bin/bash
# smtpd on real sockets, in a network namespace of its own with a routed /64: what binds a session, the TLS
# instrument, what survives kill -9, refused and silent addresses, hostile input, ten thousand idle clients.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
wire_root
wire_needs ip nft openssl perl python3
wire_inside smtp "$0" "$@"

dir=$(mktemp -d /tmp/smtp-wire-XXXXXX)
site=$dir/site
mounted=
cleanup() {
	wire_stop
	[[ $mounted ]] && umount "$mounted"
	rm -rf "$dir"
}
trap cleanup EXIT

wire_site 24 "$PWD/tests/replay/smtp/catalogue"
sed -i -e 's/^#* *pace .*//; s/^#* *workers .*//; s/^#* *smtp-per-client .*//; s/^#* *smtp-max .*//' "$site/outpost.conf"
printf 'pace 60\nworkers 2\nsmtp-per-client 20000\nsmtp-max 12000\nsmtp-headers 4K\n' >>"$site/outpost.conf"
nft -f "$site/nftables.conf" || exit 1

start() { wire_start 127.0.53.5 25; }

token=$(wire_token dual)

# front -> the IPv4 addresses that serve a test
front() {
	"$BUILD/outpost" tests -C "$site" >/dev/null 2>&1
	perl -ne 'print "$1\n" if /"address":"([^"]+)"/' "$site/state/fronts.jsonl"
}

# talk ADDRESS LINE... - says each line after the reply before; prints all replies
talk() {
	local to=$1 line
	shift
	exec 3<>"/dev/tcp/$to/25" || return 1
	reply
	for line; do
		printf "$line" >&3
		[[ $line == *'\\n' ]] || true
		reply || break
	done
	exec 3>&-
}
reply() {
	local l
	while IFS= read -r -t 5 l <&3; do
		printf '%s\n' "${l%$'\r'}"
		[[ $l == ???' '* ]] && return 0
	done
	return 1
}
mail() { # ADDRESS DOMAIN [SUBJECT]
	talk "$1" 'EHLO mta.example\r\n' 'MAIL FROM:<a@sender.example>\r\n' "RCPT TO:<probe@$2>\\r\\n" 'DATA\r\n' \
		"Message-ID: <${3:-x}@sender.example>\\r\\nSubject: ${3:-x}\\r\\n\\r\\nhello\\r\\n.\\r\\n" 'QUIT\r\n'
}
# seen KIND PATTERN... - such an event comes within some seconds
seen() {
	local i out p
	for ((i = 0; i < 30; i++)); do
		out=$(grep -ah "\"ev\":\"$1\"" "$site"/log/*.jsonl)
		for p in "${@:2}"; do out=$(grep -e "$p" <<<"$out"); done
		[[ $out ]] && return 0
		sleep 0.1
	done
	echo "# not seen: $*"
	return 1
}
tls() { # ADDRESS OPTIONS... <commands
	local to=$1
	shift
	timeout 10 openssl s_client -starttls smtp -name mta.example -quiet -connect "$to:25" "$@" 2>&1
}

start
v6=$(address 1 0)
domain=$token.dual.outpost.example

"$BUILD/smtpd" -q -C "$site" 2>"$dir/second"
[[ $? == 3 ]] && grep -q "another smtpd" "$dir/second"
result $? 'a second daemon of the same site is refused'

# --- what binds a session ---
mail "$v6" "$domain" by-address | grep -q '^250 2.0.0'
result $? 'a message over IPv6 is accepted'
grep -aq '"ev":"smtp.message".*"subject":"by-address"' "$site"/log/*.jsonl
result $? 'its event is in the file when the reply is there'
seen smtp.bind '"by":"address"' "\"token\":\"$token\"" && seen smtp.close '"stage":"accepted"' '"how":"quit"'
result $? 'bound by address, closed after quit'

v4=
for a in $(front); do
	talk "$a" 'HELO x\r\n' 'MAIL FROM:<>\r\n' "RCPT TO:<probe@$domain>\\r\\n" | grep -q '^250 2.1.5' && v4=$a && break
done
[[ $v4 ]]
result $? 'an IPv4 front serves the test'
mail "$v4" "$domain" by-rcpt | grep -q '^250 2.0.0' && seen smtp.bind '"by":"rcpt"' && seen smtp.message by-rcpt "\"token\":\"$token\""
result $? 'a message over IPv4 is bound by its recipient'
mail "$v4" "aaaaaaaaaaaaaaaa.dual.outpost.example" forged | grep -q '^550 5.1.1'
result $? 'a forged token is nobody'
talk "$v4" 'HELO x\r\n' 'MAIL FROM:<>\r\n' 'RCPT TO:<user@relay.example>\r\n' | grep -q '^550 5.7.1'
result $? 'nothing is relayed'

# --- TLS ---
name=$token.mx0.dual.outpost.example
printf 'EHLO x\r\nQUIT\r\n' | tls "$v4" -servername "$name" >"$dir/out"
grep -q '^221' "$dir/out" && seen smtp.bind '"by":"sni"' "\"token\":\"$token\""
result $? 'the server name binds on IPv4'
seen tls.hello "\"sni\":\"$name\"" '"ja4":"t13d' '"ja3":"[0-9a-f]*"' '"versions":"0304,0303'
result $? 'the ClientHello is decoded'
seen tls.done '"version":"TLSv1.3"' '"group":"' '"sigalg":"'
result $? 'what was negotiated is there'
openssl s_client -starttls smtp -connect "$v4:25" -servername "$name" -CAfile "$site/certs/ca.pem" -verify_return_error \
	-verify_hostname "$name" </dev/null >"$dir/out" 2>&1
grep -q 'Verify return code: 0' "$dir/out"
result $? 'the certificate fits the name, with SNI'
openssl s_client -starttls smtp -connect "$v4:25" -noservername -CAfile "$site/certs/ca.pem" -verify_return_error \
	-verify_hostname "$name" </dev/null >"$dir/out" 2>&1
grep -q 'Verify return code: 0' "$dir/out"
result $? 'and without SNI'
# shown ADDRESS OPTIONS... - the public key that the host shows
shown() {
	local to=$1
	shift
	openssl s_client -starttls smtp -connect "$to:25" "$@" </dev/null 2>/dev/null | openssl x509 -noout -pubkey 2>/dev/null
}
named=$token.mx0.sni-only.outpost.example
own=$(openssl x509 -noout -pubkey -in "$site"/certs/sni-only.mx0.*.pem)
n6="[$(address 125 0)]"
[[ $own && $(shown "$n6" -servername "$named") == "$own" ]]
result $? 'sni-only: who names the host sees its key'
other=$(shown "$n6" -noservername)
[[ $other && $other != "$own" && $(shown "$n6" -servername "$name") == "$other" ]]
result $? 'others see another one'
openssl s_client -starttls smtp -connect "[$v6]:25" -noservername -verify_return_error </dev/null >"$dir/out" 2>&1
seen tls.alert '"dir":"in"' '"alert":"unknown_ca"\|"alert":"certificate_unknown"\|"alert":"bad_certificate"' "\"token\":\"$token\""
result $? 'an alert of the client is recorded, the test known by address'
seen tls.close '"how":"close_notify"'
result $? 'close_notify is recorded'
perl -e '
	use Socket; my $a = shift;
	socket(my $s, AF_INET, SOCK_STREAM, 0); connect($s, pack_sockaddr_in(25, inet_aton($a))) or die;
	sysread $s, my $b, 999; syswrite $s, "EHLO dirty.example\r\n"; sysread $s, $b, 999;
	syswrite $s, "STARTTLS\r\n"; sysread $s, $b, 999; syswrite $s, pack("H*", "160301002a0100"); select undef, undef, undef, 0.2;' "$v4"
seen tls.fail 'during the handshake'
result $? 'half a handshake is a failed one'

# --- what a ClientHello may look like ---
openssl s_client -starttls smtp -connect "$v4:25" -groups ffdhe4096:P-384 </dev/null 2>/dev/null | grep -q 'Server Temp Key: ECDH'
result $? 'a client whose first key share does not suit us is asked for another'
seen tls.hello '"groups":"0102,0018"' '"shares":"0102"' && seen tls.hello '"groups":"0102,0018"' '"shares":"0018"' '"retry":true'
result $? 'both of its ClientHellos are recorded'
# hello HOW - STARTTLS, then a ClientHello that a real client made, cut in pieces: segments, records, sslv2
hello() {
	python3 - "$1" "$v4" 2>>"$dir/err" <<-'END'
		import socket, ssl, struct, sys, time
		how, to = sys.argv[1:]
		s = socket.create_connection((to, 25), 20)
		s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		s.settimeout(20)
		f = s.makefile("rb")
		def reply():
		    line = f.readline()
		    while line[3:4] == b"-":
		        line = f.readline()
		    return line
		reply()
		s.sendall(b"EHLO pieces.example\r\n")
		reply()
		s.sendall(b"STARTTLS\r\n")
		reply()
		if how == "sslv2":
		    body = b"\x01" + struct.pack(">HHHH", 0x0303, 6, 0, 16) + b"\x00\xc0\x2b\x00\x00\x2f" + b"c" * 16
		    s.sendall(struct.pack(">H", 0x8000 | len(body)) + body)
		    answer = s.recv(5)
		    sys.exit(answer[:1] not in (b"\x15", b"\x16"))
		context = ssl.create_default_context()
		context.check_hostname = False
		context.verify_mode = ssl.CERT_NONE
		incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
		tls = context.wrap_bio(incoming, outgoing, server_hostname=how + ".example")
		first = True
		while True:
		    try:
		        tls.do_handshake()
		        done = True
		    except ssl.SSLWantReadError:
		        done = False
		    out = outgoing.read()
		    if first and how == "segments":
		        for octet in out:
		            s.sendall(bytes([octet]))
		            time.sleep(0.001)
		    elif first and how == "records":
		        s.sendall(b"".join(out[:3] + b"\x00\x01" + bytes([octet]) for octet in out[5:]))
		    elif out:
		        s.sendall(out)
		    first = False
		    if done:
		        break
		    incoming.write(s.recv(65536))
		tls.write(b"QUIT\r\n")
		s.sendall(outgoing.read())
		sys.exit(0)
	END
}
hello segments && seen tls.hello '"sni":"segments.example"' && ! grep -a smtp.inject "$site"/log/*.jsonl | grep -q later-segment
result $? 'a ClientHello in segments of one octet is one ClientHello, and no injected plaintext'
hello records && seen tls.hello '"sni":"records.example"'
result $? 'a ClientHello in records of one octet'
hello sslv2 && seen tls.hello '"versions":"0303"' '"ciphers":"c02b,002f"' '"what":"sslv2"'
result $? 'a ClientHello in the format of SSL 2 is recorded as that, and answered with TLS'

t12=$(address 35 0)
t13=$(address 36 0)
printf 'QUIT\r\n' | tls "[$t12]" -tls1_2 | grep -q '^221'
result $? 'a TLS 1.2 host speaks TLS 1.2'
! printf 'QUIT\r\n' | tls "[$t12]" -tls1_3 | grep -q '^221' && seen tls.fail '"test":"tls12"' 'unsupported protocol'
result $? 'and not 1.3'
printf 'QUIT\r\n' | tls "[$t13]" -tls1_3 | grep -q '^221'
result $? 'a TLS 1.3 host speaks TLS 1.3'
! printf 'QUIT\r\n' | tls "[$t13]" -tls1_2 | grep -q '^221' && seen tls.alert '"test":"tls13"' '"dir":"out"' '"alert":"protocol_version"'
result $? 'and not 1.2, with an alert of ours'
printf 'QUIT\r\n' | tls "[$(address 44 0)]" >/dev/null
seen tls.alert '"test":"starttls-fails"' '"dir":"out"' handshake_failure && seen smtp.close '"test":"starttls-fails"' '"stage":"hello"' 'starttls abort'
result $? 'a handshake that must fail fails'

# --- injection ---
perl -e '
	use Socket; my ($a, $how) = @ARGV;
	socket(my $s, AF_INET, SOCK_STREAM, 0); connect($s, pack_sockaddr_in(25, inet_aton($a))) or die;
	sysread $s, my $b, 999; syswrite $s, "EHLO inject.example\r\n"; sysread $s, $b, 999;
	syswrite $s, "STARTTLS\r\nRSET\r\n"; sysread $s, $b, 999;
	open my $t, "<", "/dev/null"; select undef, undef, undef, 0.2;' "$v4"
seen smtp.inject same-segment '"hex":"525345540d0a"'
result $? 'plaintext in the segment of STARTTLS'
perl -e '
	use Socket; my ($a, $how) = @ARGV;
	socket(my $s, AF_INET, SOCK_STREAM, 0); connect($s, pack_sockaddr_in(25, inet_aton($a))) or die;
	sysread $s, my $b, 999; syswrite $s, "EHLO inject.example\r\n"; sysread $s, $b, 999;
	syswrite $s, "STARTTLS\r\n"; sysread $s, $b, 999; syswrite $s, "NOOP\r\n"; select undef, undef, undef, 0.2;
	syswrite $s, pack("H*", "802e0103010015000000100100800700c00300800600400200800400800000ff") . "x" x 16;
	sysread $s, $b, 999;' "$v4"
seen smtp.inject later-segment '"hex":"4e4f4f500d0a"' && ! grep -aq '"verb":"NOOP".*inject' "$site"/log/*.jsonl
result $? 'plaintext in a later segment'

# --- memory ---
g=$(address 20 0)
gd=$token.greylist.outpost.example
first=$SECONDS
bad=0
for i in {1..12}; do
	talk "$g" 'HELO x\r\n' 'MAIL FROM:<>\r\n' "RCPT TO:<probe@$gd>\\r\\n" | grep -q '^450' || bad=1
done
result $bad 'all workers defer'
workers() { cat "/proc/$smtpd/task/$smtpd/children"; }
before=$(workers)
mail "$v6" "$domain" killed | grep -q '^250 2.0.0' && kill -9 $before
result $? 'kill -9 of all workers after a 250'
grep -aq '"ev":"smtp.message".*"subject":"killed"' "$site"/log/*.jsonl
result $? 'the event is there'
sleep 1
talk "$g" 'HELO x\r\n' 'MAIL FROM:<>\r\n' "RCPT TO:<probe@$gd>\\r\\n" >"$dir/out"
if ((SECONDS - first < 5)); then grep -q '^450' "$dir/out"; else grep -q '^...' "$dir/out"; fi
result $? 'workers are back'
sleep 5
bad=0
for i in {1..6}; do
	talk "$g" 'HELO x\r\n' 'MAIL FROM:<>\r\n' "RCPT TO:<probe@$gd>\\r\\n" | grep -q '^250 2.1.5' || bad=1
done
result $bad 'five minutes (at pace 60) after the first attempt all accept: the table outlived them'

# --- tap ---
perl -e '
	use Socket; for my $a (@ARGV) {
		my $v6 = $a =~ /:/; socket(my $s, $v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
		use Fcntl; fcntl($s, F_SETFL, O_NONBLOCK);
		connect($s, $v6 ? pack_sockaddr_in6(25, Socket::inet_pton(AF_INET6, $a)) : pack_sockaddr_in(25, inet_aton($a)));
		select undef, undef, undef, 0.2 }' "$(address 1 32)" "$(address 1 56)" 127.0.53.3 127.0.53.4
seen net.syn '"state":"refuses"' "\"token\":\"$token\"" '"test":"dual"' && seen net.syn '"state":"silent"' "\"token\":\"$token\""
result $? 'SYNs to refused and silent IPv6 addresses'
seen net.syn '"state":"refuses"' '"local":"127.0.53.3"' && seen net.syn '"state":"silent"' '"local":"127.0.53.4"'
result $? 'SYNs to refused and silent IPv4 addresses'
seen net.syn '"state":"serves"' "\"token\":\"$token\""
result $? 'SYNs to addresses that serve'

# --- hostile input ---
before=$(workers)
perl -e '
	use Socket; my ($a, $what) = @ARGV; $SIG{PIPE} = "IGNORE";
	for my $junk ("a" x 3_000_000, "\0" x 100_000, pack("H*", "802e010301") . "x" x 100, "\r" x 200_000, "\n" x 3000,
	    "HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<probe\@" . $what . ">\r\nDATA\r\n" . "X-Y: z\r\n" x 200_000 . ".\r\n",
	    "HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<probe\@" . $what . ">\r\nDATA\r\nTo: " . "y" x 2_000_000 . "\r\n.\r\n") {
		socket(my $s, AF_INET, SOCK_STREAM, 0); connect($s, pack_sockaddr_in(25, inet_aton($a))) or die;
		my $sent = 0; while ($sent < length $junk) { my $n = syswrite $s, $junk, 65536, $sent or last; $sent += $n }
		shutdown $s, 1; 1 while sysread $s, my $b, 9999 }' "$v4" "$domain"
[[ $(workers) == "$before" ]]
result $? 'endless lines, NULs, SSLv2, endless headers: no worker is harmed'
seen smtp.framing long-line && seen smtp.message '"cut":true\|"longest":2000004'
result $? 'and they are recorded'

# --- ten thousand idle connections ---
rss() { awk '/^VmRSS/ { s += $2 } END { print s }' $(printf '/proc/%s/status ' $(workers)); }
if [[ -z ${VALGRIND:-} ]]; then
	ulimit -n 20000
	r0=$(rss)
	perl -e '
		use Socket; my ($a, $n) = @ARGV; my @s;
		for my $i (1 .. $n) {
			socket(my $s, AF_INET, SOCK_STREAM, 0) or die "socket $i: $!";
			bind($s, pack_sockaddr_in(0, inet_aton("127.9." . ($i % 200) . ".1")));
			connect($s, pack_sockaddr_in(25, inet_aton($a))) or die "connect $i: $!"; push @s, $s }
		for (@s) { sysread $_, my $b, 999; $b =~ /^220/ or die "no greeting" }
		$| = 1; print "up\n"; <STDIN>; for (@s) { syswrite $_, "QUIT\r\n"; sysread $_, my $b, 999; $b =~ /^221/ or die "no 221" }
		print "bye\n"' "$v4" 10000 < <(for ((i = 0; i < 300; i++)); do [[ -e $dir/go ]] && break; sleep 0.1; done; echo) >"$dir/idle" 2>&1 &
	idle=$!
	for ((i = 0; i < 300; i++)); do
		grep -qs . "$dir/idle" && break
		sleep 0.1
	done
	grep -q up "$dir/idle"
	result $? 'ten thousand clients are greeted'
	r1=$(rss)
	echo "# $(((r1 - r0) * 100 / 10000)) hundredths of a KiB for each idle connection"
	if wire_sanitized; then
		result 0 'at most 2 KiB each # SKIP a sanitizer takes more'
	else
		(((r1 - r0) <= 20000))
		result $? 'at most 2 KiB each'
	fi
	mail "$v4" "$domain" busy | grep -q '^250 2.0.0'
	result $? 'meanwhile mail is accepted'
	touch "$dir/go"
	wait $idle
	grep -q bye "$dir/idle"
	result $? 'and each of them gets its 221'
else
	for i in 1 2 3 4; do result 0 'idle connections # SKIP under valgrind'; done
fi

# --- released: by a command, while it runs ---
gone=$(wire_token dual)
mail "$v4" "$gone.dual.outpost.example" before | grep -q '^250 2.0.0'
result $? 'another participant is served'
"$BUILD/outpost" release -C "$site" "$gone" | grep -q 'gets 550'
result $? 'and is released'
refused() { mail "$1" "$gone.dual.outpost.example" late | grep -q '^550 5.7.1 This measurement was ended'; }
wait_for 20 refused "$v4"
result $? 'the running workers learn of it and answer 550'
kept=$token
token=$gone
refused "$(address 13)" # greets 554
result $? 'at an address whose greeting deviates, too'
token=$kept
mail "$v4" "$domain" still | grep -q '^250 2.0.0'
result $? 'others are served as before'
seen smtp.command '"dev":"released"' "$gone"
result $? 'the event says so'

# --- stop, full disk ---
kill "$smtpd"
wait "$smtpd"
code=$?
smtpd=
result $code 'SIGTERM ends it with code 0'
mkdir "$dir/log.kept"
mv "$site"/log/* "$dir/log.kept"
mount -t tmpfs -o size=24m,mode=777 tmpfs "$site/log" && mounted=$site/log
sed -i 's/^segment-reserve.*//' "$site/outpost.conf"
: >"$dir/stderr"
start
pid=$smtpd
( for i in {1..40}; do
	dd if=/dev/zero of="$site/log/filler$i" bs=1M count=1 2>/dev/null
	perl -e '
		use Socket; $SIG{PIPE} = "IGNORE"; $SIG{ALRM} = sub { exit }; alarm 5;
		socket(my $s, AF_INET, SOCK_STREAM, 0); connect($s, pack_sockaddr_in(25, inet_aton($ARGV[0]))) or exit;
		syswrite $s, "HELO x\r\n" . ("NOOP " . "a" x 1900 . "\r\n") x 900 . "QUIT\r\n"; 1 while sysread $s, my $b, 9999' "$v4"
	mail "$v4" "$domain" "full$i" | grep -q '^250 2.0.0' && echo "full$i@" >>"$dir/promised"
	kill -0 $pid 2>/dev/null || break
done ) 2>/dev/null &
filler=$!
for ((i = 0; i < 400; i++)); do
	kill -0 $pid 2>/dev/null || break
	sleep 0.1
done
kill -0 $pid 2>/dev/null && kill $pid
wait $pid
code=$?
kill $filler 2>/dev/null
smtpd=
[[ $code == 3 ]] && grep -q 'No space left' "$dir/stderr"
result $? 'a full disk: it stops serving, says why, code 3'
lost=
while read -r id; do
	cat "$site"/log/*.jsonl | grep -q "$id.*\"reply\":250\|\"reply\":250.*$id" || lost+=" $id"
done <"$dir/promised"
[[ -s $dir/promised && -z $lost ]]
result $? 'every message that was acknowledged until then is in the log'
[[ -z $lost ]] || echo "#$lost"
rm -f "$site"/log/filler*
mount -o remount,size=64m "$site/log" # whatever the processes of before had written, there is room again
start
refused "$v4"
result $? 'who was released still is after a restart'
mail "$v4" "$domain" room | grep -q '^250 2.0.0'
result $? 'with room again it starts and serves'
[[ $failed == 0 ]] || sed 's/^/# /' "$dir/stderr"
wire_end
