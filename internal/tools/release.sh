#!/usr/bin/env bash
# Releases a VERSION of all modules: writes it into go.mod, go.sum, go.work and CHANGELOG.md, and tries it as a stranger would.
# Then it prints what is left to do, or with PUSH=1 commits, and pushes commit and tags. Run again after the commit it writes nothing more.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
version=${VERSION:-}
if [ -z "$version" ]; then
	echo 'Say which version: make release VERSION=v0.1.0' >&2
	exit 1
fi
release() {
	go -C "$root/internal/release" run . "$@"
}
release prepare "$version"
release try
tags=$(release tags "$version")

if [ "${PUSH:-}" != 1 ]; then
	echo "== $version can be installed. Look at git diff, commit, run .ci/run, then make release VERSION=$version PUSH=1. In all it does:"
	echo "git add --all && git commit -m 'all: release $version'"
	echo git push --atomic origin HEAD $(printf 'HEAD:refs/tags/%s ' $tags)
	echo git fetch --tags origin
	exit
fi
git add --all
git diff --cached --quiet || git commit -m "all: release $version"
release verify "$version"
release push "$version"
printf '== pushed %s\n' $tags
