# shellcheck shell=bash
# message.sh - the messages that senders are given to send.

# messages_compose FOLDER < MESSAGES: a message a line as outpost enrol --messages has them, [+WORD...]
# RECIPIENT..., becomes a file in FOLDER and a line "FILE RECIPIENT...".  Lines of the file end in LF, as
# sendmail(1) wants it.
messages_compose() {
	local words n=0 file
	while read -r -a words; do
		n=$((n + 1))
		file=$1/$n.eml
		message_compose "$n" "${words[@]}" >"$file" || return 1
		while [[ ${words[0]} == +* ]]; do words=("${words[@]:1}"); done
		printf '%s %s\n' "$file" "${words[*]}"
	done
}
message_compose() { # N [+WORD...] RECIPIENT...
	local n=$1 i to text=''
	shift
	while [[ $1 == +* ]]; do
		text=${1#+}
		shift
	done
	# Folded: a line of a message has 998 octets at most (RFC 5322 2.1.1).
	to=$(printf ',\n\t%s' "$@")
	printf 'From: Outpost lab <%s>\nTo: %s\n' "$FROM" "${to:3}"
	printf 'Date: %s\nMessage-ID: <%s.%s.%s@%s>\n' "$(date -R)" "$(date +%s)" "$$" "$n" "${FROM#*@}"
	if [[ -n $text ]]; then
		# The text may end without an end of line, and may hold octets that the shell would lose.
		"$OUTPOST" enrol -C "$SITE" --message-text "$text" | sed 's/\r$//'
		return "${PIPESTATUS[0]}"
	fi
	printf 'Subject: Outpost lab, message %d\n\n' "$n"
	# More than the 2000 octets that the test size allows.
	for ((i = 1; i <= 40; i++)); do printf '%02d This message measures how mail is sent from here.\n' "$i"; done
}

# Lines as they come, 15 minutes apart as participants are asked to send, divided by the site's pace.
messages_apart() {
	local line gap first=1
	gap=$(awk '$1 == "pace" { p = $2 } END { printf "%.1f", 900 / (p > 0 ? p : 1) }' "$SITE/outpost.conf")
	while read -r line; do
		[[ -n $first ]] || sleep "$gap"
		first=''
		printf '%s\n' "$line"
	done
}
