# shellcheck shell=bash
# person.sh - who sits at a sender's mailbox and answers what comes there.

# Address LOCAL@sI.sender.example: sets the environment of sender I's profile and PERSON_BOX, the folder of the mailbox.
person_at() { # ADDRESS
	local n name
	[[ $1 =~ ^([a-z0-9][a-z0-9._-]*)@s([1-9][0-9]*)\.sender\.example$ ]] ||
		usage_error "$1: not an address of the lab's: outpost lab mailbox prints one"
	n=${BASH_REMATCH[2]} PERSON_BOX=${BASH_REMATCH[1]}
	name=$(sed -n "${n}p" "$LAB_DIR/senders" 2>/dev/null)
	[[ -n $name && -f $LAB_DIR/sender/$name/profile ]] || cannot "$1: no such sender: make it with outpost lab mailbox"
	profile_environment "$name" "$n"
	read -r SENDER _ <"$LAB_DIR/sender/$name/profile"
	PERSON_BOX=$WORK/senders/mail/$PERSON_BOX
	[[ -d ${PERSON_BOX%/*} ]] || cannot "$1: $SENDER receives no mail: use a profile that does, such as postfix-mailbox"
}
# The answers, a line each as person.py prints it; to the sender they go some minutes apart, as the invitation asks.
person_answers() { # ADDRESS FOLDER MESSAGES SECONDS TEXT
	MODULES='' "$LAB_HOME/senders/naive/run" "$LAB_HOME/lib/person.py" "$PERSON_BOX" "$@"
}
