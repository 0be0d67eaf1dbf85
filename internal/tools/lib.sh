# Shared by the scripts of this folder. Source it with bash after `set -euo pipefail`; it changes to the repository's root.
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD

# Each module is built, tested and linted as those get it who import it: from its own go.mod, without the workspace.
export GOWORK=off

# modules prints the folder of every module but the tools', the root first.
modules() {
	find . -name go.mod -not -path './internal/tools/*' -not -path '*/testdata/*' -not -path '*/.*/*' |
		sed 's,/go\.mod$,,' | LC_ALL=C sort
}

# stage makes a proxy of the work tree, from which the modules get each other, and a go.mod for each that has the hashes of
# what the proxy serves. They have a version of their own, so that the cache of modules keeps nothing that is taken for another.
staged=
stage() {
	[ -z "$staged" ] || return 0
	staged=$(go -C "$root/internal/release" run . stage) || return
	trap unstage EXIT
	GOPROXY="file:///${staged#/}/proxy,$(go env GOPROXY)"
	GONOSUMDB="github.com/coatcheck,$(go env GONOSUMDB)"
	export GOPROXY GONOSUMDB GONOPROXY=none
}

# unstage removes what stage made, and what the go command has kept of it.
unstage() {
	local cache version module
	cache=$(go env GOMODCACHE)
	version=$(cat "$staged/proxy/github.com/coatcheck/session/@v/list")
	for module in $(cd "$staged/proxy" && find . -name @v | sed 's,/@v$,,'); do
		chmod -R u+w "$cache/$module@$version" 2>/dev/null || true
		rm -rf "$cache/$module@$version" "$cache/cache/download/$module/@v/$version".* "$cache/cache/download/$module/@v/list"
	done
	rm -rf "$staged"
}

# in_module FOLDER COMMAND... runs a command in a module's folder, by its go.mod alone unless GOWORK says otherwise.
in_module() {
	local module=$1
	shift
	if [ "$GOWORK" != off ]; then
		(cd "$module" && "$@")
		return
	fi
	stage || return
	(cd "$module" && GOFLAGS="$(go env GOFLAGS) -modfile=$staged/mod/$module/go.mod" "$@")
}

chosen= # what each works on; none: all modules

# each LABEL COMMAND... runs the command in every module's folder, or in those that are chosen. All of them run even if one
# fails; then it fails too.
each() {
	local label=$1 module failed=()
	shift
	for module in ${chosen:-$(modules)}; do
		echo "== $label: $module"
		in_module "$module" "$@" || failed+=("$module")
	done
	if [ ${#failed[@]} -gt 0 ]; then
		echo "== $label failed in: ${failed[*]}" >&2
		return 1
	fi
}

# unformatted prints the Go files that gofmt would change.
unformatted() {
	find . -name '*.go' -not -path '*/testdata/*' -not -path '*/.*/*' -exec "$(go env GOROOT)/bin/gofmt" -l {} +
}

# tool NAME prints the path of a tool pinned in go.mod here, built if it was not yet.
tool() {
	go -C "$root/internal/tools" tool -n "$1"
}

# have COMMAND tells whether there is such a command. It may be a pattern, for those that Debian keeps out of the PATH.
have() {
	command -v "$1" >/dev/null || compgen -G "$1" >/dev/null
}

# room MEGABYTES FOLDER WHY makes sure that there is as much space on the disk of a folder. A disk that is full in the middle
# of a run fails a test here and a test there, and none of them says so.
room() {
	local want=$1 folder=$2 why=$3 free
	free=$(df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1024) }')
	if [ "$free" -lt "$want" ]; then
		echo "$folder has $free MB of free space: $why, which takes $want MB. Free some and try again." >&2
		return 1
	fi
}

# need COMMAND PACKAGES WHY makes sure that a command is there. Where apt-get is, it installs the Debian packages (one
# string), and says so; elsewhere it says what to install. Tests of servers add their lines where test.sh calls it.
need() {
	local command=$1 packages=$2 why=$3 sudo=()
	if have "$command"; then
		return
	fi
	if ! command -v apt-get >/dev/null; then
		echo "$command is missing: $why. Install it (on Debian: $packages) and try again." >&2
		return 1
	fi
	if [ "$(id -u)" != 0 ]; then
		if ! command -v sudo >/dev/null; then
			echo "$command is missing: $why. Run as root: apt-get install $packages" >&2
			return 1
		fi
		sudo=(sudo -n)
	fi
	echo "== $command is missing: $why. Installing: $packages" >&2
	# The list of packages may be absent or too old, so it is fetched first. Its failure is told by the install.
	${sudo[@]+"${sudo[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null >&2 || true
	# shellcheck disable=SC2086 # several packages in one string
	${sudo[@]+"${sudo[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages </dev/null >&2
	hash -r
	if ! have "$command"; then
		echo "$command is still missing after installing: $packages" >&2
		return 1
	fi
}
