#!/usr/bin/env bash
# Finds the Fuzz functions of every module and runs each for the time given (10s by default).
set -euo pipefail
source "$(dirname "$0")/lib.sh"
fuzztime=${1:-10s}
count=0
failed=()

stage # here, for what a substitution sets is lost
for module in $(modules); do
	# go test -list prints the names of a package's functions and then a line that says which package it was.
	listed=$(in_module "$module" go test -list '^Fuzz' ./...)
	while read -r package name; do
		[ -n "$name" ] || continue
		count=$((count + 1))
		echo "== fuzz: $package $name, $fuzztime"
		in_module "$module" go test -run '^$' -fuzz "^$name\$" -fuzztime "$fuzztime" "$package" </dev/null || failed+=("$package.$name")
	done < <(awk '/^Fuzz/ { names[n++] = $1 } /^ok/ { for (i = 0; i < n; i++) print $2, names[i]; n = 0 }' <<<"$listed")
done

if [ ${#failed[@]} -gt 0 ]; then
	printf '== fuzz failed:\n' >&2
	printf '%s\n' "${failed[@]}" >&2
	exit 1
fi
echo "== fuzz: $count functions, none failed"
