#!/bin/bash
# check-fixes.sh - what the catalogue tells readers to write into the configuration of Postfix and Exim: the programs
# themselves must know every option and take every value.  What a comment says comes with a later version is left out.
# shellcheck disable=SC2317 # functions are called by expect
set -uo pipefail
LAB_HOME=$(dirname "$(realpath "$0")")
# shellcheck source=lib/base.sh
. "$LAB_HOME/lib/base.sh"
# shellcheck source=lib/tap.sh
. "$LAB_HOME/lib/tap.sh"
# shellcheck source=lib/packages.sh
. "$LAB_HOME/lib/packages.sh"
((EUID == 0)) || tap_skip 'not root'
command -v jq >/dev/null || tap_skip 'no jq'
LAB=checkfixes
lab_folders
find_outpost
packages_need postfix exim4-daemon-light
packages_environment
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$OUTPOST" tests --json >"$dir/tests.json" || { echo 'Bail out! outpost tests --json'; exit 1; }
# fixes WHO: each different text once, as JSON strings, one a line.
fixes() { jq -r --arg who "$1" '.tests[].fix[] | select(.for == $who) | .text | @json' "$dir/tests.json" | sort -u; }

# Debian's Exim wants its user to be there: in a mount namespace it is.
for file in passwd group; do
	{ grep -v '^Debian-exim:' "/etc/$file"; echo 'Debian-exim:x:60973:60973::/nonexistent:/usr/sbin/nologin'; } >"$dir/$file"
done
sed -i 's/^\(Debian-exim:x:60973:\).*/\1/' "$dir/group"
exim() {
	LD_LIBRARY_PATH=$PACKAGE_LIBS unshare -m sh -c 'mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group &&
		shift && exec "$@"' sh "$dir" "$PACKAGES/exim4-daemon-light/usr/sbin/exim4" "$@"
}

# main.cf of one fix; what comes with a later version than this one is left out.
postfix_takes() { # TEXT
	local line skip='' name out
	: >"$dir/main.cf" >"$dir/master.cf"
	while IFS= read -r line; do
		case $line in
		'#'*' and later'*)
			skip=$(sed -nE 's/.*Postfix ([0-9.]+) and later.*/\1/p' <<<"$line")
			[[ $skip && $(printf '%s\n' "$skip" "$POSTFIX" | sort -V | head -n 1) == "$skip" ]] && skip=
			;;
		'#'*) skip= ;;
		*) [[ $skip ]] || printf '%s\n' "$line" >>"$dir/main.cf" ;;
		esac
	done <<<"$1"
	while IFS= read -r line; do
		name=${line%% =*}
		grep -qx "$name" "$dir/known" || { echo "no option $name"; return 1; }
	done <"$dir/main.cf"
	# Postfix waits until what it reads is more than a second old.
	touch -d '1 minute ago' "$dir/main.cf" "$dir/master.cf"
	out=$(unpacked postfix/usr/sbin/postconf -n -c "$dir" 2>&1 >/dev/null | grep -v 'symlink leaves directory')
	[[ -z $out ]] || { echo "$out"; return 1; }
}

# Exim reads a whole configuration that has the lines where the comments say.
exim_takes() { # TEXT
	local line where='' main='' router='' transport='' retry='*  *  F,2h,15m'
	while IFS= read -r line; do
		case $line in
		'# the main section'*) where=main ;;
		'# the dnslookup router'*) where=router ;;
		'# the smtp transport'*) where=transport ;;
		'# the retry section'*) where=retry ;;
		'# /etc/resolv.conf'*) where=other ;;
		'#'*) ;;
		*)
			case $where in
			main) main+=$line$'\n' ;;
			router) router+="  $line"$'\n' ;;
			transport) transport+="  $line"$'\n' ;;
			retry) retry=$line ;;
			other) ;;
			*) echo "in no section: $line"; return 1 ;;
			esac
			;;
		esac
	done <<<"$1"
	[[ $main == *primary_hostname* ]] || main="primary_hostname = mail.example.org"$'\n'$main
	printf '%sbegin routers\nmx:\n  driver = dnslookup\n  transport = out\n%sbegin transports\nout:\n  driver = smtp\n%sbegin retry\n%s\n' \
		"$main" "$router" "$transport" "$retry" >"$dir/exim.conf"
	exim -C "$dir/exim.conf" -bV
}

POSTFIX=$(unpacked postfix/usr/sbin/postconf -d -h mail_version 2>/dev/null)
unpacked postfix/usr/sbin/postconf -d 2>/dev/null | sed 's/ =.*//' >"$dir/known"
[[ -s $dir/known ]] || { echo 'Bail out! postconf prints no options'; exit 1; }
refuse 'an option that Postfix does not have is found' postfix_takes $'# main.cf\nsmtp_no_such_option = 1'
refuse 'an option that Exim does not have is found' exim_takes $'# the smtp transport\nno_such_option = 1'
refuse 'a value that Exim does not take is found' exim_takes $'# the smtp transport\nhosts_max_try = many'
n=0
while IFS= read -r text; do
	text=$(jq -r . <<<"$text")
	expect "Postfix $POSTFIX: $(tail -n +2 <<<"$text" | head -n 1)" postfix_takes "$text"
	n=$((n + 1))
done < <(fixes postfix)
while IFS= read -r text; do
	text=$(jq -r . <<<"$text")
	expect "Exim: $(tail -n +2 <<<"$text" | head -n 1)" exim_takes "$text"
	n=$((n + 1))
done < <(fixes exim)
expect "there are fixes ($n)" test "$n" -gt 30
tap_end
