#!/bin/bash
# install.sh - what make install leaves is whole: the programs find each other, the catalogue and the lab in
# the tree that was installed, wherever that tree is, with no source tree around.  Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/wire/lib/wire.sh
. tests/wire/lib/wire.sh
BUILD=$(realpath "$BUILD")
dir=$(mktemp -d) || exit 1
chmod 755 "$dir"
ns=
finish() {
	[[ -n ${run:-} ]] && kill "$run" 2>/dev/null && wait "$run" 2>/dev/null
	[[ -n ${lab:-} ]] && "$outpost" lab down --name "$lab" >/dev/null 2>&1
	[[ -n $ns ]] && ip netns del "$ns" 2>/dev/null
	rm -rf "$dir"
}
trap finish EXIT
unset OUTPOST OUTPOST_SITE

skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

echo 1..13
make -s --no-print-directory BUILD="$BUILD" DESTDIR="$dir" install >"$dir/log" 2>&1
result $? "make install DESTDIR" "$(cat "$dir/log")"
root=$(echo "$dir"/usr/local)
outpost=$root/bin/outpost
missing=
for f in bin/outpost libexec/outpost/{authdns,smtpd,web} share/outpost/acme-lego; do
	[[ -x $root/$f ]] || missing+=" $f"
done
[[ -z $missing ]]
result $? "the command is in bin, the daemons are in libexec, the ACME hook is in share" "$missing"
missing=
for page in man/*; do
	page=${page##*/} page=${page%.in}
	[[ -s $root/share/man/man${page##*.}/$page ]] || missing+=" $page"
done
[[ -z $missing ]]
result $? "every manual page is there" "$missing"
unit=$root/lib/systemd/system/outpost.service
[[ $(sed -n 's/^ExecStart=//p' "$unit") == '/usr/local/bin/outpost run' && $(grep -c '@' "$unit") == 0 ]]
result $? "a unit for systemd, which starts what was installed" "$(cat "$unit")"
missing=
while read -r f; do
	have=$root/share/outpost/${f#tests/}
	[[ -f $have && $([[ -x $f ]] && echo x) == "$([[ -x $have ]] && echo x)" ]] || missing+=" $f"
done < <(find zones/catalogue zones/base.zone tests/lab -type f -not -name 'check*.sh')
[[ -z $missing ]]
result $? "every test and every file of the lab is there, executable or not" "$missing"
[[ -z $(find "$root" -name '*.[cho]' -o -name 'draft') ]]
result $? "nothing is there that is not a product" "$(find "$root" -name '*.[cho]' -o -name 'draft')"

cd / || exit 1
"$outpost" tests --lint >"$dir/log" 2>&1
result $? "outpost tests --lint, away from the source" "$(tail -n 3 "$dir/log")"
if ((EUID != 0)) || ! ip netns add "outpost-install-$$" 2>/dev/null; then
	for what in init 'run finds the daemons' 'and the catalogue' 'lab up' 'lab status' 'lab down'; do
		skip "$what" "network namespaces want root"
	done
	exit $failed
fi
ns=outpost-install-$$
ip netns exec "$ns" ip link set lo up
ip netns exec "$ns" "$outpost" init "$dir/site" --base outpost.example --ipv4 127.0.0.1,127.0.0.2,127.0.0.3,127.0.0.4 \
	>"$dir/log" 2>&1
result $? "init" "$(tail -n 3 "$dir/log")"
ip netns exec "$ns" "$outpost" run -C "$dir/site" >"$dir/log" 2>&1 &
run=$!
for ((i = 0; i < 200; i++)); do
	grep -q 'serving outpost.example' "$dir/log" && break
	sleep 0.1
done
exes=$(for p in $(pgrep -P "$run"); do readlink "/proc/$p/exe"; done | sort -u)
[[ $exes == *"$root/libexec/outpost/authdns"* && $exes == *"$root/libexec/outpost/smtpd"* ]]
result $? "run finds the daemons of its own tree" "$exes $(cat "$dir/log")"
grep -q 'serving outpost.example' "$dir/log"
result $? "and they find the catalogue" "$(cat "$dir/log")"
kill "$run" 2>/dev/null
wait "$run"
run=

# The lab of the installed tree, under a name of its own.
lab=installed$$
"$outpost" lab up --name "$lab" --pace 500 >"$dir/log" 2>&1
result $? "lab up" "$(tail -n 5 "$dir/log")"
"$outpost" lab status --name "$lab" >"$dir/log" 2>&1
result $? "lab status" "$(tail -n 5 "$dir/log")"
"$outpost" lab down --name "$lab" >"$dir/log" 2>&1
result $? "lab down" "$(tail -n 5 "$dir/log")"
exit $failed
