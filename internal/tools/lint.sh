#!/usr/bin/env bash
# gofmt, go vet, staticcheck and govulncheck over every module. All four run even if one finds something.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
status=0

echo "== gofmt"
files=$(unformatted)
if [ -n "$files" ]; then
	printf 'gofmt would change:\n%s\n' "$files" >&2
	status=1
fi

each 'go vet' go vet ./... || status=1

# alone runs a tool that runs the go command without modules too, which refuses -modfile. It gets a workspace of this module only,
# with the others as the proxy serves them.
alone() {
	local version
	version=$(cat "$staged/proxy/github.com/coatcheck/session/@v/list")
	{
		grep '^go ' "$root/go.work"
		echo "use $PWD"
		awk -v version="$version" '$3 == "=>" { print "replace", $1, $2, "=>", $1, version }' "$root/go.work"
	} >"$staged/go.work"
	find "$staged/mod" -name go.sum -exec cat "$root/go.work.sum" {} + >"$staged/go.work.sum"
	GOFLAGS='' GOWORK=$staged/go.work "$@"
}

# What staticcheck has on by default, and ST1000: every package has a comment. Without ST1005, no capital at the start of an
# error: an error about an option starts with the name of the option.
staticcheck=$(tool staticcheck)
each staticcheck alone "$staticcheck" -checks inherit,ST1000,-ST1005 ./... || status=1

# govulncheck exits with 3 when it found a vulnerability that is called. It needs a database over the network; a lint on
# a train should not fail for want of it, and a nightly run should.
govulncheck=$(tool govulncheck)
vulnerable() {
	local output code=0
	output=$(alone "$govulncheck" ./... 2>&1) || code=$?
	printf '%s\n' "$output"
	if [ "$code" = 0 ]; then
		return
	fi
	if [ "$code" = 3 ] || ! grep -q 'fetching vulnerabilities:' <<<"$output"; then
		return 1
	fi
	echo >&2
	echo "!! govulncheck did NOT run: its database cannot be reached. Known vulnerabilities were not looked for." >&2
	if [ "${VULN:-}" = required ]; then
		return 1
	fi
	echo "!! This is no failure unless you set VULN=required." >&2
}
each govulncheck vulnerable || status=1
exit $status
