#!/usr/bin/env bash
# go mod tidy in every module, the tools' too, and the sums of the workspace. Arguments go to it: with -diff it changes nothing
# and fails when it would.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
each tidy go mod tidy "$@"
if [ "${1:-}" != -diff ]; then
	go -C internal/release run . adopt "$staged"
fi
echo "== tidy: ./internal/tools"
go -C internal/tools mod tidy "$@"

# With the sums of all that is required anywhere, no command has one to add.
echo "== tidy: go.work.sum"
sums=$(cat go.work.sum)
GOWORK= go mod download
if [ "${1:-}" = -diff ] && [ "$sums" != "$(cat go.work.sum)" ]; then
	diff <(printf '%s\n' "$sums") go.work.sum || true
	printf '%s\n' "$sums" >go.work.sum
	exit 1
fi
