#!/usr/bin/env bash
# Tests every module and writes one profile of the statements that all of them together reached.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
profile=$root/coverage.out
stage
data=$staged/cover
mkdir "$data"

each cover go test -count=1 -timeout 15m -cover -coverpkg=github.com/coatcheck/session/... ./... -args -test.gocoverdir="$data"
go tool covdata textfmt -i="$data" -o "$profile"
# The profile names packages of several modules, which only the workspace finds.
GOWORK= go tool cover -func="$profile" | tail -n 1
echo "Look at it with: go tool cover -html=coverage.out"
