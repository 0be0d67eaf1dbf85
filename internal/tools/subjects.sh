#!/usr/bin/env bash
# Tells which commits have another subject than CONTRIBUTING.md asks for, of those since the commit that brought this
# file. Without a history, as in a tarball, and in a shallow clone there are fewer of them, or none.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8

repository=${1:-$root}
history() {
	git -c safe.directory='*' -C "$repository" log --no-merges --format='%h %s' "$@"
}
since=$(history -1 --diff-filter=A -- internal/tools/subjects.sh 2>/dev/null) || since=
if [ -z "$since" ]; then
	echo 'there is no history to look at'
	exit 0
fi

place='[A-Za-z][A-Za-z0-9._/-]*'
wrong=0
while read -r hash subject; do
	why=
	[[ $subject =~ ^$place(, $place)*:\ [a-z] ]] || why='is not "place: verb …" in lower case'
	[[ $subject != *. ]] || why='ends with a full stop'
	[ "${#subject}" -le 72 ] || why="has ${#subject} columns, and 72 are allowed"
	if [ -n "$why" ]; then
		printf '%s %s: %s\n' "$hash" "$why" "$subject" >&2
		wrong=1
	fi
done < <(history "${since%% *}..HEAD")
if [ "$wrong" = 1 ]; then
	echo 'Give them the subject that CONTRIBUTING.md describes: git rebase --interactive, and reword' >&2
fi
exit "$wrong"
