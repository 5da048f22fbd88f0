# shellcheck shell=bash
# web.sh - what scripts share that look at the web site of a site on loopback.  Sourced after wire.sh.
# shellcheck disable=SC2154 # dir and site are the script's
web=''
unset OUTPOST_SITE http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
# For it it is noon: what is counted by the day shall not meet midnight.
offset=$((43200 - $(date +%s) % 86400))

free_port() { python3 -c 'import socket, sys; s = socket.socket(); s.bind((sys.argv[1], 0)); print(s.getsockname()[1])' "$1"; }
# web_site ADDRESS [ARGUMENT...]: $site by outpost init, with this address and the three after it; $port and $url of its web site.
web_site() {
	local net=${1%.*}
	web_address=$1 port=$(free_port "$1")
	url=https://outpost.example:$port
	"$OUTPOST" init "$site" --base outpost.example --ipv4 "$net.1,$net.2,$net.3,$net.4" "${@:2}" >/dev/null 2>"$dir/err" ||
		wire_bail "init: $(cat "$dir/err")"
	sed -i '/^web-/d' "$site/outpost.conf"
}
# start LINE...: the web site with these lines more than there were at the first start.
start() {
	[[ -e $dir/conf ]] || cp "$site/outpost.conf" "$dir/conf"
	{
		cat "$dir/conf"
		printf '%s\n' "web-address $web_address" "web-port $port" "$@"
	} >"$site/outpost.conf"
	OUTPOST_CLOCK_OFFSET=$offset "$BUILD/web" -C "$site" 2>"$dir/log" &
	web=$!
	wait_for 20 connects "$web_address" "$port" || wire_bail "web does not start: $(cat "$dir/log")"
}
restart() {
	kill "$web" && wait "$web"
	start "$@"
}
tls() { curl -sS --max-time 30 --cacert "$site/certs/ca.pem" --resolve "outpost.example:$port:$web_address" "$@" 2>&1; }
status() { "$@" -o /dev/null -w '%{http_code}'; }
form_of() { grep -o 'name="form" value="[^"]*"' | head -n 1 | cut -d'"' -f4; } # the hidden field of a page
location() { tr -d '\r' | sed -n 's/^[Ll]ocation: //p'; }
