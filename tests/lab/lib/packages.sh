# shellcheck shell=bash
# packages.sh - other people's servers, unpacked and never installed.
#
# PACKAGES/NAME is the unpacked package NAME; the libraries of all of them are in PACKAGES/libs.
# The host's dpkg database, users, services and files are not touched.  C library and loader are
# the host's, so the packages must be of the host's own release.

# Libraries that every Debian has, or that must be the loader's own.
PACKAGES_SKIP='^(libc6|libgcc-s1|libcrypt1|libc-bin)$'

# The packages themselves and all the libraries below them, one a line.  Python with its modules is a
# library here: what is written in it runs without the host's.
package_closure() {
	local -A seen=()
	local level=("$@") next p
	while ((${#level[@]})); do
		next=()
		for p in "${level[@]}"; do
			[[ -n ${seen[$p]:-} ]] && continue
			seen[$p]=1
			printf '%s\n' "$p"
			next+=("$p")
		done
		((${#next[@]})) || break
		mapfile -t level < <(apt-cache depends -i "${next[@]}" 2>/dev/null |
			sed -nE 's/^[ |]*(Pre)?-?Depends: ([a-z0-9][a-z0-9.+-]*)$/\2/p' |
			grep -E '^(lib|zlib|python3)|-libs$' | grep -vE "$PACKAGES_SKIP" | sort -u)
	done
}

# packages_need NAME...: unpacks what is not there yet.
packages_need() {
	local p missing=() wanted=() file name
	for p; do [[ -f $PACKAGES/$p/.complete ]] || missing+=("$p"); done
	((${#missing[@]})) || return 0
	command -v apt-get >/dev/null ||
		cannot "packages: this is not Debian: put ${missing[*]} unpacked into $PACKAGES/NAME"
	exec {PACKAGES_FD}>"$LAB_ROOT/.packages.lock"
	flock "$PACKAGES_FD"
	say "unpacking ${missing[*]} into $PACKAGES (nothing is installed)"
	mkdir -p "$PACKAGES/deb" "$PACKAGES/libs"
	chmod 755 "$LAB_ROOT" "$PACKAGES"
	apt-cache show "${missing[@]}" >/dev/null 2>&1 || apt-get -qq update >&2 ||
		cannot "packages: apt-get update failed: is there a network on this machine?"
	# A package may have come as a library of another's before.
	while read -r p; do
		[[ " ${missing[*]} " != *" $p "* && (-f $PACKAGES/libs/.have/$p || -f $PACKAGES/$p/.complete) ]] || wanted+=("$p")
	done < <(package_closure "${missing[@]}")
	packages_download "${wanted[@]}"
	mkdir -p "$PACKAGES/libs/.have"
	for p in "${wanted[@]}"; do
		file=
		for name in "$PACKAGES/deb/${p}_"*.deb; do file=$name; done
		[[ -f $file ]] || cannot "packages: $p: apt-get download brought nothing"
		if [[ " ${missing[*]} " == *" $p "* ]]; then
			rm -rf "${PACKAGES:?}/$p"
			dpkg -x "$file" "$PACKAGES/$p" || cannot "packages: $file: cannot be unpacked"
			: >"$PACKAGES/$p/.complete"
		else
			dpkg -x "$file" "$PACKAGES/libs" || cannot "packages: $file: cannot be unpacked"
			: >"$PACKAGES/libs/.have/$p"
		fi
	done
	rm -rf "${PACKAGES:?}/deb"
	exec {PACKAGES_FD}>&-
}
# packages_npm FOLDER: what FOLDER/package-lock.json names, in PACKAGES/npm/NAME-OF-FOLDER, unless it is there as that says.
# No script of a package is run.
packages_npm() {
	local to=$PACKAGES/npm/${1##*/}
	! cmp -s "$1/package-lock.json" "$to/.complete" || return 0
	command -v npm >/dev/null || cannot "packages: npm is not installed: ${1##*/} needs it"
	exec {PACKAGES_FD}>"$LAB_ROOT/.packages.lock"
	flock "$PACKAGES_FD"
	if ! cmp -s "$1/package-lock.json" "$to/.complete"; then
		say "fetching ${1##*/} by npm into $to (nothing is installed)"
		mkdir -p "$to"
		cp "$1/package.json" "$1/package-lock.json" "$to/"
		(cd "$to" && npm ci --ignore-scripts --omit=optional --no-audit --no-fund) >"$PACKAGES/npm/${1##*/}.log" 2>&1 ||
			cannot "packages: npm ci failed: see $PACKAGES/npm/${1##*/}.log"
		cp "$1/package-lock.json" "$to/.complete"
	fi
	exec {PACKAGES_FD}>&-
}
packages_download() {
	local log=$PACKAGES/download.log
	# A list that is a few days old may name versions that are gone: one update, one more try.
	(cd "$PACKAGES/deb" && apt-get -q download "$@") >"$log" 2>&1 ||
		(apt-get -qq update && cd "$PACKAGES/deb" && apt-get -q download "$@") >>"$log" 2>&1 ||
		cannot "packages: apt-get download failed: see $log"
}

# What the unpacked programs need in their environment.
packages_environment() {
	local triplet
	triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch 2>/dev/null || uname -m | sed 's/$/-linux-gnu/')
	PACKAGE_LIBS=$PACKAGES/libs/usr/lib/$triplet:$PACKAGES/libs/lib/$triplet:$PACKAGES/libs/usr/lib:$PACKAGES/postfix/usr/lib/postfix
}
# unpacked PACKAGE/PATH ARGUMENT...: runs a program of an unpacked package.
unpacked() {
	local program=$PACKAGES/$1
	shift
	LD_LIBRARY_PATH=$PACKAGE_LIBS "$program" "$@"
}

# ask NAMESPACE @SERVER NAME TYPE: the answer in short, waiting two seconds at most.
ask() {
	local ns=$1
	shift
	ip netns exec "$ns" env LD_LIBRARY_PATH="$PACKAGE_LIBS" \
		timeout 2 "$PACKAGES/ldnsutils/usr/bin/drill" -Q "$@" | grep .
}
